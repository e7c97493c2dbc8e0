"""The settings of a config as controls: one for each field, of the kind that the field is."""

import ast
import dataclasses
import typing
from typing import Any

import ipywidgets

from ..errors import InvalidInput

LABEL_WIDTH, FIELD_WIDTH = "170px", "320px"
APART = ("seed",)  # has a place of its own beside the buttons


class Fields:
    """Controls for all fields of a config but the seed; `read` gives the config that they say."""

    def __init__(self, config: Any) -> None:
        self.config = config
        hints = typing.get_type_hints(type(config))
        self.controls: dict[str, ipywidgets.Widget] = {}
        for field in dataclasses.fields(config):
            if field.name not in APART:
                self.controls[field.name] = _control(field.name, hints[field.name], getattr(config, field.name))
        self.box = ipywidgets.Box(list(self.controls.values()), layout={"flex_flow": "row wrap"})

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
    look = {"description": name, "style": {"description_width": LABEL_WIDTH}, "layout": {"width": FIELD_WIDTH}}
    if hint is bool:
        return ipywidgets.Checkbox(value=value, indent=True, **look)
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
