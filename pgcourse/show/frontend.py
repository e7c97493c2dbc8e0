"""Whether somebody can see and press a widget: in a page of JupyterLab yes; under nbval, nbconvert, a terminal no."""

from typing import Any, Protocol


class Stoppable(Protocol):
    """What runs in the background."""

    def stop(self) -> None:
        """End it."""


_shown: dict[str, Stoppable] = {}


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


def only_one_in_this_cell(widget: Stoppable) -> None:
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
