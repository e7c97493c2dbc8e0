"""The dashboard's buttons, settings, words and pictures."""

import ast
import base64
import dataclasses
import functools
import html
import typing
from collections.abc import Callable
from typing import Any

import ipywidgets

from ...config import Config
from ...errors import InvalidInput
from ..live.film import Film
from ..page.widgets import ROW, button, seed_field
from .run import ENDED, PAUSED, PAUSING, RUNNING, STARTING, STOPPING

Action = Callable[[], None]
LABEL_WIDTH, FIELD_WIDTH = "160px", "264px"  # the longest name fits, and two fields in a small window
# The film's place is kept from the start: the page would jump when it arrives.
FRAME = "width: 300px; height: 200px; box-sizing: border-box; margin: 0 16px 0 0"
EMPTY = (
    f'<div style="{FRAME}; border: 1px dashed var(--pg-muted, #767676); padding: 84px 8px 0; text-align: center; '
    'line-height: 1.4">The agent at work appears here.</div>'
)
APART = ("seed",)  # has a place of its own beside the buttons


class Fields:
    """Controls for all fields of a config but the seed; `read` gives the config that they say."""

    def __init__(self, config: Config) -> None:
        self.config = config
        hints = typing.get_type_hints(type(config))
        self.controls: dict[str, ipywidgets.Widget] = {}
        for field in dataclasses.fields(config):
            if field.name not in APART:
                self.controls[field.name] = _control(field.name, hints[field.name], getattr(config, field.name))
        layout = {"grid_template_columns": f"repeat(auto-fill, minmax({FIELD_WIDTH}, 1fr))"}
        ticked_last = sorted(self.controls.values(), key=lambda control: isinstance(control, ipywidgets.Checkbox))
        self.box = ipywidgets.GridBox(ticked_last, layout=layout)

    def read(self, seed: int) -> Any:
        """The config of the controls. Raises: InvalidInput for what is no value, or no setting."""
        values = {name: _value(name, control) for name, control in self.controls.items()}
        try:
            return dataclasses.replace(self.config, seed=seed, **values)
        except TypeError as error:  # text where a number belongs
            raise InvalidInput(f"these settings do not fit: {error}") from None

    def disable(self, disabled: bool) -> None:
        """While a run is on, its settings cannot change."""
        for control in self.controls.values():
            control.disabled = disabled


def _control(name: str, hint: Any, value: Any) -> ipywidgets.Widget:
    look = {"description": name, "style": {"description_width": LABEL_WIDTH}, "layout": {"width": "auto"}}
    if hint is bool:
        return ipywidgets.Checkbox(value=value, indent=False, **look)
    if typing.get_origin(hint) is typing.Literal:
        return ipywidgets.Dropdown(options=list(typing.get_args(hint)), value=value, **look)
    # Text and not a number's own control: many fields may be None, and 3e-4 is easier typed than clicked.
    return ipywidgets.Text(value=_text(value), continuous_update=False, **look)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "none" if value is None else repr(value)


def _value(name: str, control: ipywidgets.Widget) -> Any:
    if not isinstance(control, ipywidgets.Text):
        return control.value
    text = control.value.strip()
    if name == "env_id":
        return text
    if text.lower() in ("", "none"):
        return None
    try:
        return ast.literal_eval(text.replace(",", "") if text.replace(",", "").isdigit() else text)
    except (ValueError, SyntaxError):
        raise InvalidInput(f"{name}={text!r} is no value; give a number such as {_example(name)}, or none") from None


def _example(name: str) -> str:
    if name == "hidden_sizes":
        return "(64, 64)"
    return "0.001" if name.endswith(("lr", "coef", "kl")) else "32"


class Controls:
    """The widgets of a dashboard, which know what each state of a run allows.

    Args: config: where the settings start. curves: the first ones, as HTML.
    """

    def __init__(self, config: Config, *, film: bool, curves: str) -> None:
        self.start = button("Start", "Train with these settings", button_style="primary")
        self.pause = button("Pause", "Hold the run after this update, or go on", disabled=True)
        self.stop = button("Stop", "End the run and keep its result", disabled=True)
        self.seed = seed_field(config.seed)
        self.film = ipywidgets.Checkbox(
            value=film, description="film the agent", indent=False, layout={"width": "126px"}
        )
        self.fields = Fields(config)
        # An accordion cannot be opened with the keyboard.
        self.settings = button("", "", layout={"width": "126px"})
        self.settings.on_click(lambda _: self.unfold(self.fields.box.layout.display == "none"))
        self.unfold(False)
        # Words that are read out when they change, and numbers that change too often for that.
        self.text, self.numbers = ipywidgets.HTML(said("Press Start.")), ipywidgets.HTML()
        self.curves, self.alarms = ipywidgets.HTML(curves, layout={"width": "auto"}), ipywidgets.HTML()
        self.agent = ipywidgets.HTML(EMPTY)
        self.show_agent(None)
        buttons = [self.start, self.pause, self.stop, self.seed, self.film, self.settings]
        top = ipywidgets.HBox(buttons, layout=ROW)
        below = ipywidgets.HBox([self.agent, self.alarms], layout={**ROW, "align_items": "flex-start"})
        self.box = ipywidgets.VBox([top, self.fields.box, self.text, self.numbers, self.curves, below])

    def on_press(self, *, start: Action, pause: Action, stop: Action, film: Action) -> None:
        """What the buttons do."""
        for pressed, action in ((self.start, start), (self.pause, pause), (self.stop, stop)):
            pressed.on_click(lambda _, action=action: action())
        self.film.observe(lambda _: film(), names="value")

    def unfold(self, shown: bool) -> None:
        """Show or hide the settings."""
        self.fields.box.layout.display = "" if shown else "none"
        self.settings.description, self.settings.tooltip = (
            ("Hide settings", "Fold them away") if shown else ("Show settings", "What the next run is made with")
        )

    def read(self) -> Any:
        """The config that the controls say. Raises: InvalidInput."""
        return self.fields.read(self.seed.value)

    def follow(self, state: str) -> None:
        """Enable what the state of the run allows."""
        on = state != ENDED
        self.start.disabled = self.seed.disabled = on
        self.fields.disable(on)
        self.stop.disabled = not on or state == STOPPING
        self.pause.disabled = state not in (STARTING, RUNNING, PAUSING, PAUSED)
        self.pause.description = "Resume" if state in (PAUSING, PAUSED) else "Pause"
        self.start.description = "Start" if on else "Start again"

    def complain(self, message: str) -> None:
        """Say what is wrong with the settings."""
        self.text.value = said(f"✗ {message}", role="alert")

    def show_agent(self, film: Film | None) -> None:
        """The newest film, or its empty place, where films are wanted; it plays once and stands still."""
        self.agent.layout.display = "" if self.film.value else "none"
        self.agent.value = EMPTY if film is None else _moving(film)


def said(text: str, role: str = "status") -> str:
    """A line that a screen reader reads out when it changes, as HTML."""
    return f"<p role='{role}' style='line-height: 1.4; margin: 4px 0 0'><strong>{html.escape(text)}</strong></p>"


@functools.lru_cache(maxsize=2)
def _moving(film: Film) -> str:
    source = f"data:image/gif;base64,{base64.b64encode(film.gif).decode()}"
    return f'<img src="{source}" alt="{html.escape(film.description)}" style="{FRAME}; object-fit: contain">'
