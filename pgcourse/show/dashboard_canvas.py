"""A figure that is drawn again and again: words and ticks once, what moves each time."""

import io
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator
from matplotlib.transforms import IdentityTransform
from PIL import Image

from .style import DPI, STYLE


class Canvas:
    """A figure of small axes. Words and ticks are nine tenths of its cost: they are kept as a background.

    An axes whose limits change is drawn anew by itself; lines and numbers that `move` are put on the background.
    """

    def __init__(self, width: float, height: float) -> None:
        self.figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
        self._canvas: Any = FigureCanvasAgg(self.figure)
        self._background: Any = None
        self._moving: list[Any] = []
        self._stale: set[Axes] = set()
        self._boxes: dict[Axes, Any] = {}  # what each axes covers, with its words

    def move(self, *artists: Any) -> None:
        """These artists get new numbers before each drawing."""
        for artist in artists:
            artist.set_animated(True)
            self._moving.append(artist)

    def redraw(self, ax: Axes) -> None:
        """Draw this axes anew the next time, words and all."""
        self._stale.add(ax)

    def png(self) -> bytes:
        """The picture as it is now."""
        if self._background is None:
            self._canvas.draw()
            self._stale = set(self.figure.axes)
        else:
            self._canvas.restore_region(self._background)
            for ax in self._stale:
                self.figure.draw_artist(_blank(self.figure, self._boxes[ax]))
                self.figure.draw_artist(ax)
        if self._stale:
            self._background = self._canvas.copy_from_bbox(self.figure.bbox)
            self._boxes |= {ax: ax.get_tightbbox() for ax in self._stale}
            self._stale.clear()
        for artist in self._moving:
            self.figure.draw_artist(artist)
        # Not `style.png`, which takes several times as long to make the file smaller still.
        picture = Image.fromarray(np.asarray(self._canvas.buffer_rgba())).convert("RGB")
        buffer = io.BytesIO()
        quantised = picture.quantize(64, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        quantised.save(buffer, "PNG", compress_level=3)
        return buffer.getvalue()

    def make_room(self, ax: Axes, right: float, low: float, high: float, *, fresh: bool = False) -> None:
        """Widen an axes where numbers have left it, and then by more than needed, as it has to be drawn again.

        Args: right: the last x. low, high: of y. fresh: the limits so far mean nothing.
        """
        if right > ax.get_xlim()[1]:
            ax.set_xlim(0, 1.5 * right)
            self._stale.add(ax)
        bottom, top = ax.get_ylim()
        if fresh or low < bottom or high > top:
            bottom, top = (low, high) if fresh else (min(low, bottom), max(high, top))
            ax.set_ylim(*with_room(bottom, top))
            self._stale.add(ax)


def styled(**more: Any) -> Any:
    """The look of a dashboard's figures, as a context."""
    look: Any = {**STYLE, "figure.constrained_layout.use": False, "font.size": 9, **more}
    return matplotlib.rc_context(look)


def with_room(low: float, high: float) -> tuple[float, float]:
    """Limits a tenth wider than the numbers."""
    room = 0.1 * (high - low) or 0.05
    return low - room, high + room


def whole_ticks(ax: Axes, ticks: int, *, short: bool = False) -> None:
    """At most so many ticks on the x axis. Args: short: 20k in place of 20,000."""
    ax.xaxis.set_major_locator(MaxNLocator(ticks, integer=True))
    ax.xaxis.set_major_formatter(
        FuncFormatter(lambda x, _: f"{x / 1000:g}k" if short and abs(x) >= 1000 else f"{x:,.0f}")
    )


def thin(length: int, most: int) -> Any:
    """At most so many indices of a series, both ends among them."""
    return np.unique(np.linspace(0, length - 1, min(length, most)).round().astype(np.int64))


def _blank(figure: Figure, box: Any) -> Rectangle:
    """White paper over a part of the figure. Args: box: in pixels."""
    return Rectangle(
        (box.x0, box.y0), box.width, box.height, transform=IdentityTransform(), facecolor="white", edgecolor="none",
        figure=figure,
    )  # fmt: skip
