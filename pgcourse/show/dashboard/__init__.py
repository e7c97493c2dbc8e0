"""Watch an agent learn: start, pause and stop a training run in the page, with its curves and its alarms."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .dashboard import Dashboard

__all__ = ["Dashboard"]


def __getattr__(name: str) -> Any:
    # The training process imports `run` from here, and has no use for widgets and figures.
    if name == "Dashboard":
        from .dashboard import Dashboard

        return Dashboard
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
