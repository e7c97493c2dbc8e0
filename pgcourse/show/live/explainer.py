"""Figures with controls that live in the page: the mathematics in Python and in JavaScript, held to be equal by a test.

An explainer is a Python module with a function `figure(values..., data)` that gives a `chart`, and a JavaScript module
of the same name whose `figure(values, data)` gives the same chart. Python draws the picture for where no script runs.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ...errors import InvalidInput
from .. import page
from ..page.output import picture
from ..page.style import png
from . import chart
from .embed import live


@dataclass(frozen=True)
class Slider:
    """A number from low to high."""

    low: float
    high: float
    value: float
    step: float
    label: str

    def __post_init__(self) -> None:
        if not (self.low <= self.value <= self.high and self.low < self.high and self.step > 0):
            raise InvalidInput(
                f"{self.label}: Slider(low={self.low:g}, high={self.high:g}, value={self.value:g}, "
                f"step={self.step:g}) does not work; give low < high, a value between, a step above 0"
            )

    @property
    def digits(self) -> int:
        """Digits after the point of its step."""
        return len(f"{self.step:.10f}".rstrip("0").partition(".")[2])

    def values(self) -> list[float]:
        """All that it can be set to."""
        return [round(self.low + k * self.step, 10) for k in range(int((self.high - self.low) / self.step + 1e-9) + 1)]

    def control(self, name: str) -> dict[str, Any]:
        """What the page is told of it."""
        return {"name": name, "kind": "slider", **asdict(self), "digits": self.digits}

    @property
    def range(self) -> str:
        """In words, for who sees no slider."""
        return f"from {self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Choice:
    """One of several words."""

    options: tuple[str, ...]
    value: str
    label: str

    def __post_init__(self) -> None:
        if self.value not in self.options:
            raise InvalidInput(f"{self.label}: {self.value!r} is none of the options {', '.join(self.options)}")

    def values(self) -> list[str]:
        """All that it can be set to."""
        return list(self.options)

    def control(self, name: str) -> dict[str, Any]:
        """What the page is told of it."""
        return {"name": name, "kind": "choice", **asdict(self)}

    @property
    def range(self) -> str:
        """In words, for who sees no menu."""
        return "one of " + ", ".join(self.options)


@dataclass(frozen=True)
class Explainer:
    """One figure with controls.

    Args: module: the JavaScript file below `pgcourse/show/live/`, without ".js". figure: called with the controls' values
    by name and with `data`, gives a chart. data: what both languages are given: numbers, lists, dicts. size: inches of
    the still picture.
    """

    module: str
    figure: Callable[..., chart.Chart]
    controls: Mapping[str, Slider | Choice]
    alt: str
    caption: str = ""
    data: Any = None
    size: tuple[float, float] = (page.style.WIDTH, 0)
    defaults: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "defaults", {name: control.value for name, control in self.controls.items()})

    def at(self, **values: Any) -> chart.Chart:
        """The chart for these values; a control that is not named stands at its start."""
        return self.figure(**{**self.defaults, **values}, data=self.data)

    def output(self) -> dict[str, str]:
        """Its display data."""
        drawing = self.at()
        width, height = self.size
        still = picture(png(chart.drawn(drawing, width=width, height=height)), "image/png", alt=self.alt)["text/html"]
        given = {"controls": [control.control(name) for name, control in self.controls.items()], "data": self.data}
        words = re.sub(r"-(?=\d)", "−", drawing["words"])  # a minus sign, no hyphen, as in the page
        return live(self.module, given, still=f"{still}<p>{words}</p>", alt=self.alt, caption=self.caption)

    def show(self) -> None:
        """Show it in the page."""
        page.display(self.output(), raw=True)
