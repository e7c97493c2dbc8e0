"""What the file of an exercise is written with, in one import; and random inputs that are the same on every machine."""

from __future__ import annotations

import torch
from torch import Tensor

from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Arrays, Case
from pgcourse.checks.rewritten import edits_of, rewritten

__all__ = [
    "Arrays",
    "Call",
    "Case",
    "Exercise",
    "Misconception",
    "edits_of",
    "generator",
    "integers",
    "normal",
    "rewritten",
]


def generator(seed: int) -> torch.Generator:
    """A generator of its own on the CPU, so that no check touches the global random state."""
    return torch.Generator().manual_seed(seed)


def normal(source: torch.Generator, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Unit normal numbers. Drawn in double precision, so that both dtypes hold the same numbers."""
    return torch.randn(*shape, generator=source, dtype=torch.float64).to(dtype)


def integers(source: torch.Generator, high: int, *shape: int) -> Tensor:
    """Whole numbers in [0, high), int64."""
    return torch.randint(high, shape, generator=source)
