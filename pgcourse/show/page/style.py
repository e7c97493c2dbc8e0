"""How every figure looks: one colour-blind-safe palette, one size, white paper on any theme."""

import io
from pathlib import Path
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib.figure import Figure
from PIL import Image

from ...errors import InvalidInput

# Okabe and Ito (2008), "Color Universal Design", without the yellow that white paper swallows.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
OTHERS = ("#009E73", "#CC79A7", "#D55E00", "#000000", "#0072B2", "#E69F00", "#56B4E9")  # for what is no algorithm

# The same algorithm has the same colour in every figure of the course.
COLOURS: dict[str, str] = {
    "random": "#777777",
    "reinforce": "#0072B2",
    "reinforce_no_baseline": "#56B4E9",
    "reinforce_naive": "#E69F00",
    "a2c": "#009E73",
    "ppo": "#D55E00",
    "ppo_buggy": "#CC79A7",
    "trpo": "#661100",  # from Tol's muted scheme: Okabe and Ito have no ninth colour for white paper
    "reference": "#0072B2",
    "learner": "#000000",
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
WIDTH, HEIGHT = 7.6, 4.2  # inches: 760 x 420 pixels stand in an output cell of a window 1280 pixels wide

STYLE: Any = {
    "figure.figsize": (WIDTH, HEIGHT),
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    # Opaque: a transparent figure loses its black letters on JupyterLab's dark theme.
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


def stylesheet() -> str:
    """The text of the course's one stylesheet, for a <style> element."""
    return Path(__file__).with_name("style.css").read_text(encoding="utf-8")


def use_style() -> None:
    """Give figures of this notebook the course's look; figures of `pgcourse.show` have it in any case."""
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


def png(figure: Figure) -> bytes:
    """The figure as PNG on white paper, without the facts of this machine."""
    drawn, small = io.BytesIO(), io.BytesIO()
    with matplotlib.rc_context({"savefig.facecolor": "white", "savefig.transparent": False}):
        figure.savefig(drawn, format="png", dpi=DPI)
    # 256 colours look the same in a line plot, and take a third of the bytes: a notebook holds every picture
    # twice.
    picture = Image.open(drawn).convert("RGB")
    picture.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


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
