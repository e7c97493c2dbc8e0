"""Small helpers for `cases(seed)`: seeded random tensors that are the same on every machine."""

from __future__ import annotations

import torch
from torch import Tensor


def generator(seed: int) -> torch.Generator:
    """A generator of its own on the CPU, so that no check touches the global random state."""
    return torch.Generator().manual_seed(seed)


def normal(source: torch.Generator, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Unit normal numbers. Drawn in double precision, so that both dtypes hold the same numbers."""
    return torch.randn(*shape, generator=source, dtype=torch.float64).to(dtype)


def integers(source: torch.Generator, high: int, *shape: int) -> Tensor:
    """Whole numbers in [0, high), int64."""
    return torch.randint(high, shape, generator=source)
