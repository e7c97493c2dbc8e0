"""The palette can be told apart by everyone, and the same algorithm has the same colour everywhere."""

import io
import itertools

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from pgcourse.errors import InvalidInput
from pgcourse.show.page import output, style

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": np.array([[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]),
    "deuteranopia": np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]),
}
ALGORITHMS = ["random", "reinforce", "reinforce_no_baseline", "reinforce_naive", "a2c", "ppo", "ppo_buggy", "trpo"]


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


def test_every_colour_reads_on_white_paper() -> None:
    for name in [*ALGORITHMS, "learner", "threshold"]:
        assert lab(style.COLOURS[name], BLINDNESS["none"])[0] < 75, name


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


def test_a_figure_is_opaque_white_small_and_fits_the_page() -> None:
    figure, ax = style.new_figure()
    ax.plot(np.sin(np.linspace(0, 50, 500)))
    content = style.png(figure)
    picture = Image.open(io.BytesIO(content))
    assert picture.width <= 900 and len(content) < 60_000 and "transparency" not in picture.info
    assert picture.convert("RGBA").getpixel((1, 1)) == (255, 255, 255, 255)


def test_the_same_figure_gives_the_same_bytes_without_facts_of_the_machine() -> None:
    def draw() -> bytes:
        figure, ax = style.new_figure()
        ax.plot([1, 2])
        return style.png(figure)

    assert draw() == draw() and b"matplotlib" not in draw().lower()


def test_use_style_changes_the_figures_of_pyplot(monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib
    import matplotlib.pyplot as plt

    with matplotlib.rc_context():
        style.use_style()
        figure, _ = plt.subplots()
        assert tuple(figure.get_size_inches()) == (style.WIDTH, style.HEIGHT)
        plt.close(figure)


def test_highlighted_source_reads_on_white_and_on_black_paper() -> None:
    def luminance(colour: str) -> float:
        return float(linear(colour) @ [0.2126, 0.7152, 0.0722])

    for _, colour in output.CODE_COLOURS.values():
        on_white = 1.05 / (luminance(colour) + 0.05)
        on_black = (luminance(colour) + 0.05) / (luminance("#111111") + 0.05)
        assert min(on_white, on_black) > 3.5, f"{colour}: {on_white:.1f} on white, {on_black:.1f} on black"
