"""A chart as data: drawn by chart.js in the page, and by matplotlib where no script runs.

A chart is a dict {"panels": [...], "words": what it says in a sentence}. Its parts are made by the functions below;
colours are the names of `COLOURS`. `chart.js` documents the same fields.
"""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ...errors import InvalidInput
from ..page.style import HEIGHT, PALETTE, WIDTH, new_figure

Chart = dict[str, Any]
Panel = dict[str, Any]
Mark = dict[str, Any]
Numbers = Any  # a sequence, array or tensor of numbers

COLOURS = {
    "blue": PALETTE[0], "vermillion": PALETTE[1], "green": PALETTE[2], "purple": PALETTE[3], "orange": PALETTE[4],
    "sky": PALETTE[5], "grey": "#777777", "ink": "#000000", "pale": "#C8CED4",
}  # fmt: skip
# The stops of chart.js.
SCALES = {
    "sequential": ["#440154", "#3B528B", "#21918C", "#5EC962", "#FDE725"],
    "diverging": ["#005A96", "#8CB4D7", "#F5F5F5", "#EBA578", "#BE4B00"],
}


def chart(*panels: Panel, words: str, columns: int | None = None) -> Chart:
    """Panels beside each other, and what they say. Args: columns: default all in one row; a narrow page stacks them."""
    return {"panels": list(panels), "words": words} | ({"columns": columns} if columns else {})


def panel(
    x: dict[str, Any],
    y: dict[str, Any],
    *marks: Mark,
    title: str = "",
    aspect: str = "",
    height: int = 0,
    bare: bool = False,
) -> Panel:
    """One coordinate system.

    Args: x, y: of `axis`. aspect: "equal" for the same unit on both axes. height: pixels in the page. bare: no axes.
    """
    made: Panel = {"x": x, "y": y, "marks": list(marks)}
    return (
        made
        | ({"title": title} if title else {})
        | ({"aspect": aspect} if aspect else {})
        | ({"height": height} if height else {})
        | ({"bare": True} if bare else {})
    )


def axis(label: str, low: float, high: float, *, ticks: Sequence[float] | None = None, names: Sequence[str] | None = None,
         log: bool = False) -> dict[str, Any]:  # fmt: skip
    """An axis from low to high. Fixed limits: a picture that rescales hides what moved."""
    made: dict[str, Any] = {"label": label, "low": low, "high": high}
    made |= {"ticks": list(ticks)} if ticks is not None else {}
    made |= {"names": list(names)} if names is not None else {}
    return made | ({"log": True} if log else {})


def line(x: Numbers, y: Numbers, colour: str, *, label: str = "", dash: str = "", width: float = 0) -> Mark:
    """A line. Args: dash: as SVG's stroke-dasharray, such as "6 4". width: pixels."""
    return _mark("line", colour, label, x=_list(x), y=_list(y), dash=dash, width=width)


def points(
    x: Numbers, y: Numbers, colour: str, *, label: str = "", size: float = 0, shape: str = "", hollow: bool = False
) -> Mark:
    """Points. Args: size: radius in pixels. shape: "circle", "cross" or "square". hollow: a circle is a ring."""
    return _mark("points", colour, label, x=_list(x), y=_list(y), size=size, shape=shape, hollow=hollow)


def area(x: Numbers, low: Numbers, high: Numbers, colour: str, *, label: str = "") -> Mark:
    """The band between two heights."""
    return _mark("area", colour, label, x=_list(x), low=_list(low), high=_list(high))


def bars(x: Numbers, y: Numbers, colour: str, *, label: str = "", width: float = 0.8, base: float = 0) -> Mark:
    """Bars from `base` to y. Args: width: in units of x."""
    return _mark("bars", colour, label, x=_list(x), y=_list(y), width=width, base=base)


def rule(crossing: str, at: float, colour: str, *, label: str = "", dash: str = "", width: float = 0) -> Mark:
    """A straight line through the whole panel. Args: crossing: "x" for an upright line at x = at, "y" for a level one."""
    return _mark("rule", colour, label, axis=crossing, at=at, dash=dash, width=width)


def text(x: float, y: float, words: str, colour: str = "ink", *, anchor: str = "start") -> Mark:
    """Words at a point."""
    return _mark("text", colour, "", x=[x], y=[y], text=words, anchor=anchor)


def box(x: Numbers, y: Numbers, words: str, colour: str, *, strong: bool = False) -> Mark:
    """Words in a box. Args: x, y: its two ends. strong: filled, the words in bold."""
    return _mark("box", colour, "", x=_list(x), y=_list(y), text=words, strong=strong)


def arrow(x: Numbers, y: Numbers, colour: str, *, label: str = "", width: float = 0) -> Mark:
    """From the first point to the second."""
    return _mark("arrow", colour, label, x=_list(x), y=_list(y), width=width)


def tiles(x: Numbers, y: Numbers, values: Numbers, *, low: float, high: float, scale: str = "sequential") -> Mark:
    """A grid of colours.

    Args: x, y: the two ends of each axis. values: rows from the bottom. low, high: the values at the ends of the colours.
    """
    return _mark(
        "tiles",
        "ink",
        "",
        x=_list(x),
        y=_list(y),
        values=[_list(row) for row in values],
        range=[low, high],
        scale=scale,
    )


def drawn(chart: Chart, *, width: float = WIDTH, height: float = 0) -> Figure:
    """The chart as a matplotlib figure. Args: width, height: inches; default the page's."""
    panels = chart["panels"]
    columns = min(chart.get("columns") or len(panels), len(panels))
    rows = -(-len(panels) // columns)
    figure, axes = new_figure(
        rows=rows, columns=columns, width=width, height=height or HEIGHT * 0.8 * rows, squeeze=False
    )
    for ax, one in zip(axes.flat, panels, strict=False):
        _draw_panel(ax, one)
    for ax in list(axes.flat)[len(panels) :]:
        ax.remove()
    return figure


def _draw_panel(ax: Any, panel: Panel) -> None:
    x, y = panel["x"], panel["y"]
    ax.set(xlim=(x["low"], x["high"]), ylim=(y["low"], y["high"]))
    for mark in panel["marks"]:
        _draw_mark(ax, mark)
    for each, limits, ticks, scale in (
        (x, ax.set_xlim, ax.set_xticks, ax.set_xscale),
        (y, ax.set_ylim, ax.set_yticks, ax.set_yscale),
    ):
        if each.get("log"):
            scale("log")
        if "ticks" in each:
            ticks(each["ticks"], each.get("names"))
        limits(each["low"], each["high"])
    ax.set(xlabel=x["label"], ylabel=y["label"], title=panel.get("title", ""))
    if panel.get("bare"):
        ax.axis("off")
    if panel.get("aspect") == "equal":
        ax.set_aspect("equal")
    if any(mark.get("label") for mark in panel["marks"]):
        ax.legend(loc="best")


def _draw_mark(ax: Any, mark: Mark) -> None:
    kind, label = mark["kind"], mark.get("label")
    colour = str(COLOURS.get(mark["colour"], mark["colour"]))
    dash = tuple(float(part) for part in mark["dash"].split()) if mark.get("dash") else None
    style: Any = (0, dash) if dash else "-"
    x: Any = mark.get("x")
    y: Any = mark.get("y")
    match kind:
        case "line":
            ax.plot(x, y, color=colour, linestyle=style, linewidth=mark.get("width", 2), label=label)
        case "points":
            shape = {"cross": "x", "square": "s"}.get(mark.get("shape", ""), "o")
            face = "white" if mark.get("hollow") else colour
            size = 2 * mark.get("size", 4)
            ax.plot(x, y, shape, color=colour, markersize=size, markerfacecolor=face, label=label)
        case "area":
            ax.fill_between(x, mark["low"], mark["high"], color=colour, alpha=0.22, linewidth=0, label=label)
        case "bars":
            base = mark.get("base", 0)
            ax.bar(x, np.subtract(y, base), width=mark["width"], bottom=base, color=colour, label=label)
        case "rule":
            across = ax.axvline if mark["axis"] == "x" else ax.axhline
            across(mark["at"], color=colour, linestyle=style, linewidth=mark.get("width", 1.5), label=label)
        case "text":
            horizontal = {"start": "left", "middle": "center", "end": "right"}[mark["anchor"]]
            ax.text(x[0], y[0], mark["text"], color=colour, ha=horizontal, va="center")
        case "box":
            strong = mark.get("strong", False)
            (left, right), (low, high) = x, y
            look: Any = {"facecolor": to_rgba(str(colour), 0.16 if strong else 0), "edgecolor": colour}
            ax.add_patch(Rectangle((left, low), right - left, high - low, linewidth=2.5 if strong else 1, **look))
            share = (right - left) / (ax.get_xlim()[1] - ax.get_xlim()[0])
            words = textwrap.fill(mark["text"], int(share * ax.bbox.width / 8))
            ax.text(
                (left + right) / 2, (low + high) / 2, words, ha="center", va="center", fontsize=9.5,
                weight="bold" if strong else "normal",
            )  # fmt: skip
        case "arrow":
            ax.annotate(
                "",
                (x[1], y[1]),
                (x[0], y[0]),
                arrowprops={"color": colour, "arrowstyle": "->", "lw": mark.get("width", 2)},
            )
        case "tiles":
            colours = LinearSegmentedColormap.from_list(mark["scale"], SCALES[mark["scale"]])
            low, high = mark["range"]
            ax.imshow(mark["values"], origin="lower", extent=(*x, *y), aspect="auto", vmin=low, vmax=high, cmap=colours)
        case _:
            raise InvalidInput(f"no mark is called {kind!r}")


def _mark(kind: str, colour: str, label: str, **fields: Any) -> Mark:
    return {"kind": kind, "colour": colour} | {
        name: value for name, value in {"label": label, **fields}.items() if not (value in ("", 0) and name != "at")
    }


def _list(numbers: Numbers) -> list[float]:
    return [float(number) for number in numbers]
