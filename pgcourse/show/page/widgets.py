"""Widgets in the page: whether somebody can press them, and what stands there where nobody can."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets
from IPython.display import display

_shown: dict[str, Any] = {}  # cell -> the widget of its last run, which has a method `stop`
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
ROW = {"flex_flow": "row wrap", "align_items": "center"}


def has_frontend() -> bool:
    """Whether the cell that runs was sent by a page that shows widgets.

    A page says which of its cells it runs, and can be asked for input. Programs that run a notebook from end to end
    (nbclient, nbconvert, papermill, nbval) cannot be asked; a console has no cells.
    """
    request = _request()
    return bool(request.get("content", {}).get("allow_stdin")) and cell_id() is not None


def has_kernel() -> bool:
    """Whether this is a notebook, whoever runs it."""
    return bool(_request())


def cell_id() -> str | None:
    """Id of the cell that runs; None outside a page."""
    found = _request().get("metadata", {}).get("cellId")
    return str(found) if found else None


def only_one_in_this_cell(widget: Any) -> None:
    """Stop what this cell has shown before: whoever runs a cell again has no more buttons for it."""
    cell = cell_id()
    if cell is None:
        return
    if (before := _shown.get(cell)) is not None:
        before.stop()
    _shown[cell] = widget


def _request() -> dict[str, Any]:
    """The message that asked for this cell; empty outside a kernel."""
    from IPython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    return dict(kernel.get_parent() or {}) if kernel is not None else {}


# The static form and the widget are two outputs, and the page shows one of them: a front end that prefers the widget to
# everything else in its bundle shows an error in its place once the kernel is gone. A widget that lives leaves an element
# below its output's panel; after a restart of the kernel it stays there, and its parts are marked as disconnected.
_CHILD = ".jp-OutputArea-child"
_ASLEEP = f"{_CHILD}:has(> * > .pg-asleep)"
_ALIVE = f"+ {_CHILD} > .lm-Panel > .jupyter-widgets"
RULES = (
    f"<style>{_ASLEEP} + {_CHILD}:has(> .lm-Panel):not(:has(> .lm-Panel > .jupyter-widgets)), "
    f"{_ASLEEP}:has({_ALIVE}:not(.jupyter-widgets-disconnected)), {_ASLEEP}:has({_ALIVE}) .pg-still {{ display: none }}</style>"
)
WAKE = (
    '<p class="pg-wake" style="display: inline-block; margin: 4px 0; padding: 2px 10px; border-left: 3px solid #0072B2">'
    "<strong>Run this cell to wake it.</strong></p>"
)


def show_widget(widget: ipywidgets.Widget, static: Mapping[str, str]) -> Callable[[Mapping[str, str]], None]:
    """Show a widget where there is a front end for it, and its static form wherever it is dead.

    That is on a page without a kernel, in a notebook that is opened again, exported, or not trusted.
    Args: static: display data with "text/html". Returns: what takes a newer static form, which a saved notebook then holds.
    """
    asleep, alive = _asleep(static), {WIDGET_VIEW: widget._repr_mimebundle_()[WIDGET_VIEW]}
    if not has_frontend():
        display(asleep, raw=True)
        return lambda newer: None
    if not _stacks_outputs():
        display({**asleep, **alive}, raw=True)
        return lambda newer: None
    shown: Any = display(_ruled(asleep), raw=True, display_id=True)
    display(alive, raw=True)
    return lambda newer: shown.update(_ruled(_asleep(newer)), raw=True)


def _asleep(static: Mapping[str, str]) -> dict[str, str]:
    return {**static, "text/html": f'<div class="pg-still">{static["text/html"]}</div>{WAKE}'}


def _ruled(asleep: dict[str, str]) -> dict[str, str]:
    # The class is for this alone: where no widget follows, the next output would be hidden.
    return {**asleep, "text/html": f'{RULES}<div class="pg-asleep">{asleep["text/html"]}</div>'}


def _stacks_outputs() -> bool:
    """Whether the page is one whose outputs follow RULES: JupyterLab's and Notebook's are, VS Code's and Colab's are not."""
    return "google.colab" not in sys.modules and not (cell_id() or "").startswith("vscode")


def button(word: str, tooltip: str, **look: Any) -> ipywidgets.Button:
    """A button; all of them have one width, or a row would move when a word changes."""
    return ipywidgets.Button(description=word, tooltip=tooltip, **{"layout": {"width": "96px"}, **look})


def seed_field(seed: int) -> ipywidgets.BoundedIntText:
    """Where a seed is typed."""
    return ipywidgets.BoundedIntText(
        value=seed, min=0, max=2**31, description="seed", style={"description_width": "initial"},
        layout={"width": "130px", "margin": "2px 12px"},
    )  # fmt: skip
