"""How every figure looks: one table of colours, one size, white paper that the dark theme turns over."""

import io
import re
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib.colors import get_named_colors_mapping
from matplotlib.figure import Figure
from PIL import Image

from ...errors import InvalidInput

# The colours of lines and marks. Each passes 3:1 on white, and on black paper after the dark theme's filter; no two look
# alike to people who see red and green alike. `style.css` has the same ones as --pg-blue and so on; in matplotlib they are
# called "pg:blue".
SERIES: dict[str, str] = {
    "blue": "#0072CE",
    "vermillion": "#BF3906",
    "green": "#0A6040",
    "purple": "#742568",
    "orange": "#C78500",
    "sky": "#5198CF",
    "brown": "#A68259",
    "grey": "#788187",
}
get_named_colors_mapping().update({f"pg:{name}": colour for name, colour in SERIES.items()})
INK = "#000000"
PALETTE = (*(SERIES[name] for name in ("blue", "vermillion", "green", "purple", "orange", "sky")), INK)
# For what is no algorithm.
OTHERS = (
    *(SERIES[name] for name in ("green", "purple", "vermillion")),
    INK,
    *(SERIES[name] for name in ("blue", "orange", "sky")),
)

# The same algorithm has the same colour in every figure of the course.
COLOURS: dict[str, str] = {
    "random": SERIES["grey"],
    "reinforce": SERIES["blue"],
    "reinforce_no_baseline": SERIES["sky"],
    "reinforce_naive": SERIES["orange"],
    "a2c": SERIES["green"],
    "ppo": SERIES["vermillion"],
    "ppo_buggy": SERIES["purple"],
    "trpo": SERIES["brown"],
    "reference": SERIES["blue"],
    "learner": INK,
    "threshold": "#444444",
}

# Colour is never the only difference between two lines.
LINE_STYLES: dict[str, Any] = {
    "random": ":",
    "reinforce_no_baseline": "--",
    "reinforce_naive": "-.",
    "ppo_buggy": "--",
    "trpo": (0, (5, 1, 1, 1)),
    "threshold": (0, (1, 3)),
}

LABELS: dict[str, str] = {
    "random": "random agent",
    "reinforce": "REINFORCE with baseline",
    "reinforce_no_baseline": "REINFORCE without baseline",
    "reinforce_naive": "naive REINFORCE",
    "a2c": "A2C",
    "ppo": "PPO",
    "ppo_buggy": "PPO with three traps",
    "trpo": "TRPO",
    "reference": "reference",
    "learner": "your agent",
}
# How the same algorithms are called elsewhere: curves in claims/, and words a lesson may use.
ALIASES: dict[str, str] = {
    "naive": "reinforce_naive",
    "no_baseline": "reinforce_no_baseline",
    "baseline": "reinforce",
    "with baseline": "reinforce",
    "without baseline": "reinforce_no_baseline",
    "reinforce, no baseline": "reinforce_no_baseline",
    "random": "random",
    "you": "learner",
}

DPI = 100
HEAVY = 50_000  # bytes of an SVG; most figures take half of that
WIDTH, HEIGHT = 7.6, 4.2  # inches: 760 x 420 pixels stand in an output cell of a window 1280 pixels wide

STYLE: Any = {
    "figure.figsize": (WIDTH, HEIGHT),
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    # Opaque: a transparent figure loses its black letters on dark paper where the stylesheet is not.
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "savefig.transparent": False,
    "figure.constrained_layout.use": True,
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.labelsize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.8,
    "lines.linewidth": 2.0,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "axes.prop_cycle": cycler(color=PALETTE),
}


def dress_figures() -> None:
    """Give figures of pyplot in this notebook the course's look; those of `pgcourse.show` have it in any case."""
    matplotlib.rcParams.update(STYLE)


def new_figure(
    *, rows: int = 1, columns: int = 1, width: float = WIDTH, height: float = HEIGHT, **options: Any
) -> tuple[Figure, Any]:
    """A figure in the course's look, and its axes as `plt.subplots` gives them.

    It does not belong to pyplot: it is shown once, by `page.figure` or as a cell's last value, and never
    leaks.
    Args: width, height: inches at 100 pixels each. options: of `Figure.subplots`, such as sharey=True.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height))
        return figure, figure.subplots(rows, columns, **options)


def drawn(figure: Figure) -> tuple[bytes, str, int]:
    """The figure as a browser shows it best: content, its MIME type, and the width in pixels at which it is shown.

    SVG is sharp at every size; where it would be heavy (thousands of points), a PNG at double density.
    """
    content, mime = svg(figure), "image/svg+xml"
    if len(content) > HEAVY and len(dots := png(figure, density=2)) < len(content):
        content, mime = dots, "image/png"
    return content, mime, round(figure.get_figwidth() * DPI)


def png(figure: Figure, *, density: int = 1) -> bytes:
    """The figure as PNG on white paper, without the facts of this machine. Args: density: pixels per pixel of the page."""
    large, small = io.BytesIO(), io.BytesIO()
    with matplotlib.rc_context({"savefig.facecolor": "white", "savefig.transparent": False}):
        figure.savefig(large, format="png", dpi=DPI * density)
    # 256 colours look the same in a line plot, and take a third of the bytes.
    picture = Image.open(large).convert("RGB")
    picture.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


def svg(figure: Figure) -> bytes:
    """The figure as SVG on white paper, the same bytes on every machine: letters are outlines, no dates, short numbers."""
    file = io.StringIO()
    look: Any = {
        "savefig.facecolor": "white",
        "savefig.transparent": False,
        "svg.fonttype": "path",
        "svg.hashsalt": "pgcourse",
    }
    with matplotlib.rc_context(look):
        figure.savefig(file, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    return _shortened(file.getvalue()).encode()


def _shortened(svg: str) -> str:
    """The same picture in two thirds of the bytes: what matplotlib writes for people and for older browsers is left out."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|(?<=<g) id=\"[^\"]*\"", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xmlns:xlink="[^"]*"', "", svg).replace("xlink:href", "href")
    svg = re.sub(r' transform="translate\(([-\d.]+) 0\)"/>', r' x="\1"/>', svg)  # of a letter in a word
    svg = re.sub(r"(?<=[\"#])DejaVuSans-", "g", svg)
    # A hundredth of a point is finer than any screen.
    svg = re.sub(r' (d|x|y)="([^"]*)"', lambda part: f' {part[1]}="{_short_numbers(part[2])}"', svg)
    return re.sub(r"\s*\n\s*", "\n", svg)


def _short_numbers(path: str) -> str:
    path = re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), path)
    return re.sub(r"\s*([A-Za-z])\s*", r"\1", " ".join(path.split()))


def algorithm_of(label: str) -> str | None:
    """The key of COLOURS that a label stands for ("REINFORCE with baseline": "reinforce"), else None."""
    text = label.strip().lower()
    names = {name.lower(): key for key, name in LABELS.items()}
    for candidate in (text, text.replace("-", "_").replace(" ", "_")):
        if candidate in COLOURS:
            return candidate
    return ALIASES.get(text, names.get(text))


def colours_of(labels: list[str], chosen: dict[str, str] | None = None) -> dict[str, str]:
    """A colour for each label: the chosen one, its algorithm's, else one that no other label has.

    Raises: InvalidInput for a chosen colour of a label that is not there.
    """
    chosen = {label: COLOURS.get(colour, colour) for label, colour in (chosen or {}).items()}
    if unknown := [label for label in chosen if label not in labels]:
        raise InvalidInput(f"colours has {unknown[0]!r}, which is no label; the labels are {', '.join(labels)}")
    known = {label: chosen.get(label) or COLOURS.get(algorithm_of(label) or "") for label in labels}
    # Never the colour of an algorithm in the same figure.
    free = [colour for colour in OTHERS if colour not in known.values()] or list(OTHERS)
    others = [label for label in labels if known[label] is None]
    return {label: known[label] or free[others.index(label) % len(free)] for label in labels}
