"""The palette can be told apart by everyone, and the same algorithm has the same colour everywhere."""

import io
import itertools
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from PIL import Image

from pgcourse.checks import card, listing
from pgcourse.errors import InvalidInput
from pgcourse.show.page import style

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": np.array([[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]),
    "deuteranopia": np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]),
}
ALGORITHMS = ["random", "reinforce", "reinforce_no_baseline", "reinforce_naive", "a2c", "ppo", "ppo_buggy", "trpo"]


INVERTED = 0.93  # the stylesheet's filter in the dark theme
HUE_TURNED = np.array([[-0.574, 1.430, 0.144], [0.426, 0.430, 0.144], [0.426, 1.430, -0.856]])  # hue-rotate(180deg)


def turned_over(colour: str) -> str:
    """A colour as the dark theme's filter shows it."""
    inverted = np.array(to_rgb(colour)) * (1 - 2 * INVERTED) + INVERTED
    return to_hex(np.clip(HUE_TURNED @ inverted, 0, 1))


def contrast(first: str, second: str) -> float:
    """Contrast ratio of the WCAG."""
    low, high = sorted(float(linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (first, second))
    return (high + 0.05) / (low + 0.05)


def properties(sheet: str, start: str) -> dict[str, str]:
    """The custom properties of the block that begins with `start`."""
    block = sheet[sheet.index(start) :].partition("{")[2].partition("}")[0]
    return dict(re.findall(r"(--pg-[\w-]+): ([^;]+);", block))


def linear(colour: str) -> np.ndarray:
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(colour: str, blindness: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of a colour as seen with a colour blindness."""
    seen = np.clip(blindness @ linear(colour), 0, 1)
    matrix = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = matrix @ seen / np.array([0.9505, 1.0, 1.089])
    f = [np.cbrt(t) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z)]
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("blindness", BLINDNESS)
def test_two_algorithms_differ_in_colour_or_in_line_for_every_kind_of_colour_vision(blindness: str) -> None:
    seen = {name: lab(style.COLOURS[name], BLINDNESS[blindness]) for name in [*ALGORITHMS, "learner"]}
    for first, second in itertools.combinations(seen, 2):
        distance = np.linalg.norm(seen[first] - seen[second])
        same_line = style.LINE_STYLES.get(first, "-") == style.LINE_STYLES.get(second, "-")
        # About 10 is "seen at a glance"; lines of the same style need twice that.
        assert distance > (20 if same_line else 8), f"{first} and {second}: {distance:.1f}"


@pytest.mark.parametrize("blindness", BLINDNESS)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_two_series_look_alike(blindness: str, dark: bool) -> None:
    colours = {**style.SERIES, "ink": style.INK}
    seen = {
        name: lab(turned_over(colour) if dark else colour, BLINDNESS[blindness]) for name, colour in colours.items()
    }
    for first, second in itertools.combinations(seen, 2):
        distance = np.linalg.norm(seen[first] - seen[second])
        assert distance > 17, f"{first} and {second}: {distance:.1f}"


@pytest.mark.parametrize("name", [*style.SERIES, "ink", "threshold"])
def test_every_colour_passes_three_to_one_on_white_and_on_dark_paper(name: str) -> None:
    colour = {**style.SERIES, "ink": style.INK, "threshold": style.COLOURS["threshold"]}[name]
    assert contrast(colour, "#FFFFFF") >= 3.05
    for paper in ("#111111", "#14181E", "#1A1C1E"):  # JupyterLab's and those of themes of sites
        assert contrast(turned_over(colour), paper) >= 3.05, paper


def test_the_stylesheet_has_the_same_colours_and_in_the_dark_what_its_filter_makes_of_them() -> None:
    sheet = card.STYLESHEET.read_text()
    light, dark = (properties(sheet, start) for start in (":root {", '[data-jp-theme-light="false"],'))
    for name, colour in style.SERIES.items():
        assert light[f"--pg-{name}"].upper() == colour, name
        assert dark[f"--pg-{name}"].upper() == turned_over(colour).upper(), name


@pytest.mark.parametrize("start", [":root {", '[data-jp-theme-light="false"],'], ids=["light", "dark"])
def test_words_and_marks_of_the_stylesheet_read_on_their_papers(start: str) -> None:
    found = properties(card.STYLESHEET.read_text(), start)
    for name in ("ink", "muted", "accent", "right", "wrong"):
        for paper in ("paper", "soft"):
            assert contrast(found[f"--pg-{name}"], found[f"--pg-{paper}"]) >= 4.5, f"{name} on {paper}"


def test_the_filter_of_the_stylesheet_is_the_one_that_is_computed_here() -> None:
    assert f"filter: invert({INVERTED}) hue-rotate(180deg);" in card.STYLESHEET.read_text()


def test_no_colour_of_the_table_is_written_out_elsewhere(repository: Path) -> None:
    written = re.compile("|".join(style.SERIES.values()), re.IGNORECASE)
    files = [*(repository / "course").glob("*.py"), *(repository / "pgcourse" / "show").rglob("*.py")]
    found = [path.name for path in files if path.name != "style.py" and written.search(path.read_text())]
    assert not found, "say pg:blue and so on"


def test_a_label_in_words_has_the_colour_of_its_algorithm() -> None:
    for key in ALGORITHMS:
        assert style.algorithm_of(style.LABELS[key]) == key and style.algorithm_of(key) == key
    assert style.algorithm_of("no_baseline") == "reinforce_no_baseline"  # a curve in claims/
    assert style.algorithm_of("lr 0.01") is None


def test_other_labels_get_colours_that_no_one_else_in_the_figure_has() -> None:
    labels = ["PPO", "A2C", "lr 0.01", "lr 0.1", "chosen"]
    colours = style.colours_of(labels, {"chosen": "trpo"})
    assert colours["PPO"] == style.COLOURS["ppo"] and colours["chosen"] == style.COLOURS["trpo"]
    assert len(set(colours.values())) == len(labels)


def test_a_colour_for_a_label_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'typo', which is no label"):
        style.colours_of(["PPO"], {"typo": "red"})


def curve() -> Figure:
    figure, ax = style.new_figure()
    ax.plot(np.sin(np.linspace(0, 50, 500)), label="sine")
    ax.legend()
    return figure


def test_a_figure_is_opaque_white_small_and_fits_the_page() -> None:
    content = style.png(curve())
    picture = Image.open(io.BytesIO(content))
    assert picture.width <= 900 and len(content) < 60_000 and "transparency" not in picture.info
    assert picture.convert("RGBA").getpixel((1, 1)) == (255, 255, 255, 255)


@pytest.mark.parametrize("draw", [style.png, style.svg])
def test_the_same_figure_gives_the_same_bytes_without_facts_of_the_machine(draw: Callable[[Figure], bytes]) -> None:
    assert draw(curve()) == draw(curve())
    assert not re.search(rb"matplotlib|metadata|<!--|20\d\d-", draw(curve()).lower())


def test_an_svg_is_well_formed_and_points_only_at_what_it_holds() -> None:
    figure, ax = style.new_figure()
    ax.plot([0, 1], [0.123456, 1], "o--", label="$\\hat{A}_t$ and λ < 1 & more")
    ax.legend()
    root = ElementTree.fromstring(style.svg(figure))
    ids = {each.get("id") for each in root.iter() if each.get("id")}
    used = {value[1:] for each in root.iter() for name, value in each.items() if name == "href"}
    clips = set(re.findall(r"url\(#([^)]+)\)", style.svg(figure).decode()))
    assert used and used | clips <= ids
    assert len(style.svg(figure)) < 25_000


def test_a_heavy_figure_becomes_a_picture_at_double_density() -> None:
    figure, ax = style.new_figure()
    ax.plot(np.random.default_rng(0).normal(size=(3000, 2)), ".")
    content, mime, width = style.drawn(figure)
    assert mime == "image/png" and width == 760 and Image.open(io.BytesIO(content)).width == 2 * width
    assert style.drawn(curve())[1:] == ("image/svg+xml", 760)


def test_dressed_figures_of_pyplot_have_the_size_of_the_course(monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib
    import matplotlib.pyplot as plt

    with matplotlib.rc_context():
        style.dress_figures()
        figure, _ = plt.subplots()
        assert tuple(figure.get_size_inches()) == (style.WIDTH, style.HEIGHT)
        plt.close(figure)


def test_highlighted_source_reads_on_white_and_on_black_paper() -> None:
    def luminance(colour: str) -> float:
        return float(linear(colour) @ [0.2126, 0.7152, 0.0722])

    for _, colour in listing.CODE_COLOURS.values():
        on_white = 1.05 / (luminance(colour) + 0.05)
        on_black = (luminance(colour) + 0.05) / (luminance("#111111") + 0.05)
        assert min(on_white, on_black) > 3.5, f"{colour}: {on_white:.1f} on white, {on_black:.1f} on black"
