"""One setting at several levels: small panels side by side, each seed a dot, the preset's interval through all levels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import InvalidInput
from ..statistics import bootstrap_interval, interquartile_mean
from .style import COLOURS, new_figure
from .verdicts import Numbers, numbers_of


@dataclass(frozen=True)
class Panel:
    """One setting.

    Fields: title: the setting, with its unit where it has one. levels: label -> one number a seed, or a reference of a
    claims file; in the order of the axis. preset: the label of the level that the preset has.
    """

    title: str
    levels: Mapping[str, str | Numbers]
    preset: str


def level_panels(
    panels: Sequence[Panel], *, y_label: str, columns: int = 3, colour: str = "ppo", title: str | None = None
) -> Figure:
    """A grid of panels with one y axis: small dots are seeds, the large one their interquartile mean with its interval.

    The shaded band is the preset's interval. Raises: InvalidInput for no panels, a preset that is no level, or a seed
    without a number.
    """
    if not panels:
        raise InvalidInput("no panels to draw; give at least one Panel")
    rows = -(-len(panels) // columns)
    figure, grid = new_figure(
        rows=rows, columns=columns, width=9.4, height=0.5 + 2.3 * rows, sharey=True, squeeze=False
    )
    for ax in grid.flat[len(panels) :]:
        ax.set_visible(False)
    for ax, panel in zip(grid.flat, panels, strict=False):
        _draw(ax, panel, COLOURS.get(colour, colour))
    for row in grid:
        row[0].set_ylabel(y_label)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    return figure


def _draw(ax: Axes, panel: Panel, colour: str) -> None:
    if panel.preset not in panel.levels:
        raise InvalidInput(f"{panel.title}: preset {panel.preset!r} is none of its levels {', '.join(panel.levels)}")
    for place, (label, level) in enumerate(panel.levels.items()):
        numbers = numbers_of(level) if isinstance(level, str) else level
        if None in numbers:
            raise InvalidInput(f"{panel.title}, {label}: some seeds have no number; draw a value that every seed has")
        values = np.array(numbers, dtype=np.float64)
        low, high = bootstrap_interval(values)
        preset = label == panel.preset
        if preset:
            ax.axhspan(low, high, color=colour, alpha=0.15, linewidth=0)
        ax.plot(np.full(len(values), place), values, ".", color=COLOURS["random"], markersize=6, alpha=0.6)
        ax.plot([place, place], [low, high], color=colour, linewidth=4, solid_capstyle="butt", alpha=0.5)
        face = colour if preset else "white"
        ax.plot(place, interquartile_mean(values), "o", markersize=8, color=colour, markerfacecolor=face)
    ax.set_xticks(range(len(panel.levels)), list(panel.levels), fontsize=9.5)
    ax.set_xlim(-0.5, len(panel.levels) - 0.5)
    ax.set_title(panel.title, fontsize=11)
    ax.grid(visible=False, axis="x")
