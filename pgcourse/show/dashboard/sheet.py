"""Panels of curves as SVG, written anew from their numbers: letters keep their size in any window, colours follow the theme.

What is in a panel is placed in percent of its plot, so that the same words and curves stand in a page, where the panels
find their own widths (`live`), and in a picture of fixed size (`still`).
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from ..page.style import SERIES

UNITS = 2000  # of a plot, each way: whole numbers are fine enough, and short
LETTERS = 11  # pixels
LEGEND_LINE = 15  # pixels
# The colours of the stylesheet, and what they are where it is not.
LIGHT = {
    "ink": "var(--jp-content-font-color1, #1a1a1a)", "paper": "var(--jp-layout-color0, #ffffff)",
    "line": "var(--jp-border-color2, #d0d0d0)", "muted": "var(--jp-content-font-color2, #595959)", "alarm": "#B3261E",
    **SERIES,
}  # fmt: skip
STYLE = """<style>
.pg-panels { container-type: inline-size; max-width: 1040px; margin: 4px 0; --pg-alarm: var(--pg-wrong, #B3261E) }
[data-jp-theme-light="false"] .pg-panels { --pg-alarm: var(--pg-wrong, #FF8A80) }
.pg-panels > div { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)) }
.pg-panels > div > div { box-sizing: border-box; height: 96px; padding: 20px 10px 20px 46px }
.pg-panels > div > div:first-child { grid-column: 1 / -1; height: 216px; padding-bottom: 36px }
.pg-panels svg { display: block; width: 100%; height: 100% }
@container (min-width: 820px) {
    .pg-panels > div { grid-template-columns: 2.3fr 1fr 1fr }
    .pg-panels > div > div { height: 114px }
    .pg-panels > div > div:first-child { grid-column: 1; grid-row: 1 / span 3; height: auto }
}
</style>"""


def colour(name: str) -> str:
    """One of the stylesheet's colours, as CSS."""
    return f"var(--pg-{name}, {LIGHT[name]})"


@dataclass(frozen=True)
class Line:
    """A curve. Args: x, y: [P]. dashes: lengths of strokes and gaps. label: for the legend. dots: points without a line."""

    x: Any
    y: Any
    colour: str
    dashes: str = ""
    label: str = ""
    width: float = 1.6
    dots: bool = False


@dataclass(frozen=True)
class Panel:
    """A plot with its words.

    Args: x_end: of the axis, which begins at 0. number: the newest, shown beside the title. healthy: a range that is tinted.
    bands: (x, low, high, colour) of areas. limits: (lowest, highest) beyond which numbers may leave the picture. alarm:
    whether one rings for it.
    """

    title: str
    lines: Sequence[Line]
    x_end: float
    number: str = ""
    healthy: tuple[float, float] | None = None
    bands: Sequence[tuple[Any, Any, Any, str]] = ()
    limits: tuple[float, float] = (-np.inf, np.inf)
    always: Sequence[float] = ()
    x_label: str = ""
    alarm: bool = False


def live(panels: Sequence[Panel], description: str) -> str:
    """HTML of a large panel and small ones below it or beside it. Args: description: the same in words."""
    cells = "".join(f'<div><svg overflow="visible" {_letters()}>{_content(panel)}</svg></div>' for panel in panels)
    return f'{STYLE}<div class="pg-panels" role="img" aria-label="{html.escape(description)}"><div>{cells}</div></div>'


def still(panels: Sequence[Panel]) -> bytes:
    """The same as a picture, on white paper: an SVG file."""
    width, top, column, row = 640, 250, 213, 112
    height = top + row * -(-(len(panels) - 1) // 3) + 4
    places = [(46, 26, width - 60, top - 66)]
    places += [
        (column * (i % 3) + 46, top + row * (i // 3) + 24, column - 58, row - 46) for i in range(len(panels) - 1)
    ]
    cells = "".join(
        f'<svg x="{x}" y="{y}" width="{w}" height="{h}" overflow="visible">{_content(panel)}</svg>'
        for (x, y, w, h), panel in zip(places, panels, strict=True)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'{_letters()}><rect width="100%" height="100%" fill="#ffffff"/>{cells}</svg>'
    ).encode()


def swatch(line: Line) -> str:
    """A short piece of a line, for a list in the page."""
    return (
        '<svg width="28" height="10" aria-hidden="true" style="vertical-align: middle; margin-right: 6px">'
        f'<path d="M0 5H28" {_stroke(line)}/></svg>'
    )


def _letters() -> str:
    return f'style="font: {LETTERS}px system-ui, sans-serif; fill: {colour("ink")}"'


def _content(panel: Panel) -> str:
    limits = _limits(panel)
    span = (panel.x_end, *(limits or (0.0, 1.0)))
    bands = list(panel.bands)
    if panel.healthy is not None:
        low_edge, high_edge = (np.full(2, edge) for edge in panel.healthy)
        bands.insert(0, (np.array([0, panel.x_end]), low_edge, high_edge, colour("green")))
    areas = (
        f'<path d="{_area(x, bottom, top, span)}" style="fill: {tint}; opacity: 0.22"/>'
        for x, bottom, top, tint in bands
    )
    inside = "".join([*areas, *(f'<path d="{_path(line, span)}" {_stroke(line)}/>' for line in panel.lines)])
    frame, name = ("alarm", f"⚠ {panel.title}: alarm") if panel.alarm else ("line", panel.title)
    weight = f'style="font-weight: 600; fill: {colour("alarm")}"' if panel.alarm else 'font-weight="600"'
    return (
        f'{_ticks(panel, limits)}<svg width="100%" height="100%" viewBox="0 0 {UNITS} {UNITS}" preserveAspectRatio="none">'
        f'{inside}</svg><rect width="100%" height="100%" style="fill: none; stroke: {colour(frame)}" '
        f'stroke-width="{2 if panel.alarm else 1}"/><text dx="-42" dy="-8" {weight}>{html.escape(name)}</text>'
        f'<text x="100%" dy="-8" text-anchor="end">{html.escape(panel.number)}</text>'
        f'<text x="100%" y="100%" dy="30" text-anchor="end">{html.escape(panel.x_label)}</text>{_legend(panel)}'
    )


def _limits(panel: Panel) -> tuple[float, float] | None:
    """Of the y axis: a tenth more than the numbers take. None where there are no numbers yet."""
    numbers = [line.y for line in panel.lines] + [edge for _, *edges, _ in panel.bands for edge in edges]
    shown = np.concatenate([np.ravel(part) for part in (*numbers, panel.healthy or (), panel.always)])
    shown = np.clip(shown[np.isfinite(shown)], *panel.limits)
    if not len(shown):
        return None
    low, high = float(shown.min()), float(shown.max())
    room = 0.1 * (high - low) or 0.05
    named = sum(bool(line.label) for line in panel.lines)
    return low - room, high + room + 0.17 * named * (high - low)


def _ticks(panel: Panel, limits: tuple[float, float] | None) -> str:
    small = not panel.x_label
    written = []
    low, high = limits or (0.0, -1.0)
    for tick in MaxNLocator(3 if small else 5).tick_values(low, high):
        if low <= tick <= high:
            at = f"{100 * (high - tick) / (high - low):.1f}%"
            written.append(
                f'<line x2="100%" y1="{at}" y2="{at}" style="stroke: {colour("line")}" stroke-width="0.7"/>'
                f'<text y="{at}" dx="-5" dy="4" text-anchor="end">{tick + 0.0:.4g}</text>'
            )
    for tick in MaxNLocator(3 if small else 5, integer=True).tick_values(0, panel.x_end):
        if 0 <= tick <= panel.x_end:
            words = f"{tick / 1000:g}k" if tick >= 10_000 or (small and tick >= 1000) else f"{tick:,.0f}"
            anchor = "end" if tick > 0.95 * panel.x_end else "middle"
            written.append(
                f'<text x="{100 * tick / panel.x_end:.1f}%" y="100%" dy="14" text-anchor="{anchor}">{words}</text>'
            )
    return "".join(written)


def _legend(panel: Panel) -> str:
    named = [line for line in panel.lines if line.label]
    paper = f'style="fill: none; stroke: {colour("paper")}; stroke-width: 4; stroke-opacity: 0.8"'
    return "".join(
        f'<path d="{"M20 -4h0" if line.dots else "M8 -4h24"}" {_stroke(line)} transform="translate(0 {place})"/>'
        f'<text x="38" y="{place}" {paper} aria-hidden="true">{html.escape(line.label)}</text>'
        f'<text x="38" y="{place}">{html.escape(line.label)}</text>'
        for place, line in zip(range(LEGEND_LINE, 99, LEGEND_LINE), named, strict=False)
    )


def _stroke(line: Line) -> str:
    width = 3.0 if line.dots else line.width
    more = ' stroke-linecap="round" stroke-opacity="0.7"' if line.dots else f' stroke-dasharray="{line.dashes}"'
    return (
        f'style="fill: none; stroke: {line.colour}" stroke-width="{width}" vector-effect="non-scaling-stroke"'
        f"{more if line.dots or line.dashes else ''}"
    )


def _place(x: Any, y: Any, span: tuple[float, float, float]) -> tuple[list[int], list[int], Any]:
    """Whole units of the plot, [P] each, and which of the points are numbers at all."""
    x_end, low, high = span
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    there = np.isfinite(x) & np.isfinite(y)
    right = np.where(there, x, 0) / x_end * UNITS
    down = np.clip((high - np.where(there, y, low)) / (high - low), -1, 2) * UNITS
    return right.round().astype(int).tolist(), down.round().astype(int).tolist(), there


def _path(line: Line, span: tuple[float, float, float]) -> str:
    """A line is broken where a number is missing."""
    right, down, there = _place(line.x, line.y, span)
    if line.dots:
        return "".join(f"M{x} {y}h0" for x, y, known in zip(right, down, there, strict=True) if known)
    begins = there & ~np.concatenate([[False], there[:-1]])
    return "".join(
        f"{'M' if begin else 'L'}{x} {y}"
        for x, y, known, begin in zip(right, down, there, begins, strict=True)
        if known
    )


def _area(x: Any, low: Any, high: Any, span: tuple[float, float, float]) -> str:
    corners = Line(np.concatenate([x, x[::-1]]), np.concatenate([high, low[::-1]]), "")
    return f"{_path(corners, span)}Z"
