"""Unit 06: alarms from metrics, and the twelve patients of the clinic."""

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    """`PATIENTS`, loaded when it is first asked for: twelve exercises, where a check needs one."""
    if name != "PATIENTS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return tuple(importlib.import_module(f"{__name__}.patient_{number:02}").PATIENT for number in range(1, 13))
