"""Sliders and menus over a figure: move a number, see the picture change. Without a kernel the first one stays."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ipywidgets
from matplotlib.figure import Figure

from ...errors import InvalidInput
from ..page.output import close, picture
from ..page.style import png
from ..page.widgets import PICTURE_LAYOUT, DescribedImage, show_widget


@dataclass(frozen=True)
class Slider:
    """A number from low to high. It is whole where low, value and step are whole."""

    low: float
    high: float
    value: float
    step: float
    label: str = ""

    def widget(self, name: str) -> ipywidgets.Widget:
        """The slider, moved by mouse or arrow keys. Raises: InvalidInput for numbers that do not fit."""
        if not (self.low <= self.value <= self.high and self.low < self.high and self.step > 0):
            raise InvalidInput(
                f"{name}: Slider(low={self.low:g}, high={self.high:g}, value={self.value:g}, "
                f"step={self.step:g}) does not work; give low < high, a value between, a step above 0"
            )
        whole = all(isinstance(number, int) for number in (self.low, self.high, self.value, self.step))
        options: dict[str, Any] = {} if whole else {"readout_format": f".{_decimals(self.step)}f"}
        kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
        return kind(
            value=self.value, min=self.low, max=self.high, step=self.step, description=self.label or name,
            continuous_update=True, style={"description_width": "initial"},
            layout={"width": "min(520px, 95%)"}, **options,
        )  # fmt: skip

    @property
    def range(self) -> str:
        """In words, for who sees no slider."""
        return f"from {self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Choice:
    """One of several options: values, or a mapping of label -> value."""

    options: Sequence[Any] | Mapping[str, Any]
    value: Any
    label: str = ""

    def widget(self, name: str) -> ipywidgets.Widget:
        """The menu. Raises: InvalidInput for a start value that is no option."""
        values = list(self.options.values()) if isinstance(self.options, Mapping) else list(self.options)
        if self.value not in values:
            raise InvalidInput(f"{name}: Choice starts at {self.value!r}, which is none of its options {values}")
        options = list(self.options.items()) if isinstance(self.options, Mapping) else values
        return ipywidgets.Dropdown(
            options=options, value=self.value, description=self.label or name, style={"description_width": "initial"}
        )

    @property
    def range(self) -> str:
        """In words, for who sees no menu."""
        return "one of " + ", ".join(str(option) for option in self.options)


@dataclass
class Explorer:
    """A figure with its controls."""

    draw: Callable[..., Figure]
    alt: str
    controls: dict[str, ipywidgets.Widget]
    image: DescribedImage = field(init=False)
    message: ipywidgets.HTML = field(default_factory=ipywidgets.HTML)

    def __post_init__(self) -> None:
        self.image = DescribedImage(value=self._picture(), format="png", tooltip=self.alt, layout=PICTURE_LAYOUT)
        for control in self.controls.values():
            control.observe(self._redraw, names="value")
        self.box = ipywidgets.VBox([*self.controls.values(), self.message, self.image])

    def _picture(self) -> bytes:
        figure = self.draw(**{name: control.value for name, control in self.controls.items()})
        if not isinstance(figure, Figure):
            raise InvalidInput(f"draw returned {type(figure).__name__}; let it return a matplotlib Figure")
        content = png(figure)
        close(figure)
        return content

    def _redraw(self, change: Any) -> None:
        # No queue builds up while the kernel draws: the front end holds back a widget's next value until the
        # kernel has answered the last one, and then sends the newest.
        try:
            self.image.value = self._picture()
            self.message.value = ""
        except Exception as error:
            self.message.value = f"<p role='alert'>These values cannot be drawn: {type(error).__name__}: {error}</p>"


def build_explorer(draw: Callable[..., Figure], *, alt: str, controls: Mapping[str, Slider | Choice]) -> Explorer:
    """The widgets of `explore`, not shown yet.

    Raises: InvalidInput where `draw` does not take the controls' names, or a control cannot be made.
    """
    if not controls:
        raise InvalidInput("explore has nothing to move; give a control such as temperature=Slider(0.1, 5, 1, 0.1)")
    try:
        inspect.signature(draw).bind(**dict.fromkeys(controls))
    except TypeError as error:
        raise InvalidInput(f"draw does not take the controls {', '.join(controls)}: {error}") from None
    return Explorer(draw, alt, {name: control.widget(name) for name, control in controls.items()})


def explore(draw: Callable[..., Figure], *, alt: str, caption: str = "", **controls: Slider | Choice) -> None:
    """Show a figure with controls that redraw it.

    Args: draw: called with the controls' values by name, returns a Figure; keep it under 0.1 s. alt: what the
    figure shows, at any values. controls: name -> Slider or Choice.
    Without a widget front end the figure of the starting values stands there.
    """
    explorer = build_explorer(draw, alt=alt, controls=controls)
    moves = "; ".join(f"{control.label or name}, {control.range}" for name, control in controls.items())
    below = f"{caption} (Run this cell to move: {moves}.)".strip()
    static = picture(explorer.image.value, "image/png", alt=alt, caption=below)
    if caption:
        explorer.box.children = (*explorer.box.children, ipywidgets.HTML(f"<p>{caption}</p>"))
    show_widget(explorer.box, static)


def _decimals(step: float) -> int:
    text = f"{step:.10f}".rstrip("0")
    return len(text.partition(".")[2])
