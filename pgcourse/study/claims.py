"""Measured figures as data: `claims/*.json` holds every number that the prose quotes, with its interval and origin.

A file holds `description`, `command`, `configs`, `versions`, `machine`, `seeds`, `values` (name -> one number a seed,
null where the event never came), `curves` and `figures`: name -> {statistic, of, value, low, high, n, unit}.
"""

import dataclasses
import difflib
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ..config import Config
from ..course_files import course_folder
from ..errors import InvalidInput
from ..runs import versions
from ..statistics import bootstrap_interval, interquartile_mean

# Settings that are younger than some of the files, which do not name them, and their defaults: what was done before.
YOUNGER: Mapping[str, Any] = {"lr_schedule": "linear", "activation": "tanh", "shared_trunk": False, "vf_coef": 1.0}
FIGURE = r"[A-Za-z][\w-]*:[\w./-]+"


def claims_folder() -> Path:
    """The folder of the committed claims: beside the package in a checkout, inside it when installed from a wheel."""
    return course_folder("claims")


@cache
def load_claims(name: str) -> dict[str, Any]:
    """The content of `claims/NAME.json`. Raises: InvalidInput for an unknown name."""
    path = claims_folder() / f"{name}.json"
    if not path.exists():
        known = ", ".join(sorted(file.stem for file in claims_folder().glob("*.json"))) or "none"
        raise InvalidInput(f"no claims named {name!r}; known are {known}")
    return json.loads(path.read_text())


def with_younger_settings(measured: Mapping[str, Any], config: Config) -> dict[str, Any]:
    """Settings of a file's "configs", completed by those that this kind of config has got since."""
    fields = {field.name for field in dataclasses.fields(config)}
    return {name: default for name, default in YOUNGER.items() if name in fields} | dict(measured)


def quote(reference: str) -> str:
    """A figure as text for prose: "289 [274, 301]"; with .value, .low, .high or .n at the end, that number alone.

    Args: reference: "NAME:FIGURE" or "NAME:FIGURE.value". Raises: InvalidInput for an unknown one.
    """
    name, _, key = reference.partition(":")
    figures = load_claims(name)["figures"]
    figure, _, part = key.rpartition(".")
    if key in figures:
        figure, part = key, ""
    if figure not in figures or part not in ("", "value", "low", "high", "n"):
        raise InvalidInput(f"no figure {reference!r}; {nearest(key, figures, name)}")
    entry = figures[figure]
    if part:
        return format_number(entry[part])
    if entry["low"] is None:
        return format_number(entry["value"])
    return f"{format_number(entry['value'])} [{format_number(entry['low'])}, {format_number(entry['high'])}]"


def nearest(key: str, known: Iterable[str], name: str) -> str:
    """The names of a claims file that are most like an unknown one, for a message of one line."""
    close = difflib.get_close_matches(key, list(known), n=4, cutoff=0.3)
    return f"did you mean {' or '.join(close)}?" if close else f"look into claims/{name}.json"


def format_number(value: float | None) -> str:
    """Three significant digits, whole from 100 on, with thin grouping from 10,000: how prose writes it."""
    if value is None:
        return "never"
    if abs(value) >= 10_000:
        return f"{value:,.0f}"
    if abs(value) >= 100 or float(value).is_integer():
        return f"{value:.0f}"
    return f"{value:.3g}"


def describe_values(
    values: Sequence[float | None], *, unit: str, statistic: str = "interquartile mean"
) -> dict[str, Any]:
    """A figure from one number a seed: the statistic with its bootstrap 95 % interval.

    Args: statistic: "interquartile mean", "share" or "count" (of seeds that are not None), "worst" or "best" (these
    without interval).
    A None counts as infinitely large in the first: where it reaches the middle half, the figure is None, "never".
    """
    numbers = np.array([np.inf if value is None else value for value in values], dtype=np.float64)
    low: float | None = None
    high: float | None = None
    if statistic == "interquartile mean":
        value: float | None = _finite(interquartile_mean(numbers))
        with np.errstate(invalid="ignore"):  # quantiles between two infinities
            low, high = (_finite(bound) for bound in bootstrap_interval(numbers))
    elif statistic == "share":
        value = float(np.isfinite(numbers).mean())
    elif statistic == "count":
        value = int(np.isfinite(numbers).sum())
    elif statistic in ("worst", "best"):
        value = _finite(numbers.min() if (statistic == "worst") == (unit == "return") else numbers.max())
    else:
        raise InvalidInput(f"unknown statistic {statistic!r}; use interquartile mean, share, count, worst or best")
    return {"statistic": statistic, "value": value, "low": low, "high": high, "n": len(numbers), "unit": unit}


def machine() -> dict[str, Any]:
    """What the figures were measured on, in words that name no place or person."""
    return {"system": platform.system(), "processor": platform.machine(), "versions": versions()}


def _finite(value: Any) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None


def figures_of(values: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """All figures of a claims file, recomputed from its per-seed values: what the test compares with the stored ones."""
    figures = {}
    for name, entry in values.items():
        for statistic in entry["statistics"]:
            key = name if statistic == "interquartile mean" else f"{name}/{statistic}"
            figures[key] = describe_values(entry["per_seed"], unit=entry["unit"], statistic=statistic)
    return figures
