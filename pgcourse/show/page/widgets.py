"""Widgets in the page: whether somebody can press them, and what stands there where nobody can."""

from collections.abc import Mapping
from typing import Any

import ipywidgets
from IPython.display import display
from traitlets import Unicode

_shown: dict[str, Any] = {}  # cell -> the widget of its last run, which has a method `stop`
# Its own size where there is room, or it would be blurred to the width of the page.
PICTURE_LAYOUT = {"max_width": "100%", "align_self": "flex-start"}
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


class DescribedImage(ipywidgets.Image):
    """An image with a tooltip, which is what a screen reader reads: the widget has no alt text.

    The front end looks for a description before it shows a tooltip, and fails on widgets that have none
    (jupyter-widgets/ipywidgets issue 3860); so this one has an empty one.
    """

    description = Unicode("").tag(sync=True)


def show_widget(widget: ipywidgets.Widget, static: Mapping[str, Any]) -> None:
    """Show a widget where there is a front end for it, and its static form everywhere else."""
    view = widget._repr_mimebundle_()[WIDGET_VIEW]
    display({**static, WIDGET_VIEW: view}, raw=True)


def button(word: str, tooltip: str, **look: Any) -> ipywidgets.Button:
    """A button as wide as its words need."""
    return ipywidgets.Button(description=word, tooltip=tooltip, layout={"width": "110px"}, **look)


def seed_field(seed: int) -> ipywidgets.BoundedIntText:
    """Where a seed is typed."""
    return ipywidgets.BoundedIntText(
        value=seed, min=0, max=2**31, description="seed", style={"description_width": "initial"},
        layout={"width": "130px", "margin": "2px 12px"},
    )  # fmt: skip
