"""How two lists of arrays relate, where a few words say it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pgcourse.checks.compare import Tolerance, close
from pgcourse.checks.wording import number


def relation(pairs: Sequence[tuple[np.ndarray, np.ndarray]], tolerance: Tolerance) -> str:
    """How all (got, expected) relate, where a few words say it: sign, factor, offset, order; else an empty string."""
    if any(got.shape != expected.shape for got, expected in pairs):
        return ""
    got = np.concatenate([np.ravel(got) for got, _ in pairs]).astype(float)
    expected = np.concatenate([np.ravel(expected) for _, expected in pairs]).astype(float)
    if not (np.isfinite(got).all() and np.isfinite(expected).all()) or expected.size < 3:
        return ""
    if np.ptp(expected) < 1e-3:
        return ""
    if close(got, -expected, tolerance).all():
        return "minus the expected one everywhere: the sign is flipped"
    if not got.any():
        return "0 everywhere"
    factor = float(got @ expected / (expected @ expected))
    if abs(factor) > 1e-3 and close(got, factor * expected, tolerance).all():
        return f"the expected one times {number(factor)} everywhere"
    offset = float(np.mean(got - expected))
    if close(got, expected + offset, tolerance).all():
        return f"{number(abs(offset))} {'more' if offset > 0 else 'less'} than expected everywhere"
    if all(got.ndim and close(got, expected[::-1], tolerance).all() for got, expected in pairs):
        return "the expected one in reverse order"
    return ""
