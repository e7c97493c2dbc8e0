"""Running statistics in parts, for answers that change one of them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class Right:
    """A right answer, written so that a subclass can spoil one step of it."""

    first_count: float = 0
    first_var = 1.0
    eps = 1e-8
    correction = 0

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.count: float = self.first_count
        self.mean = torch.zeros(shape)
        self.var = torch.full(shape, self.first_var)

    def rows(self, x: Tensor) -> float:
        """How many rows a batch counts for."""
        return len(x)

    def batch_mean(self, x: Tensor) -> Tensor:
        """Mean of a batch."""
        return x.mean(0)

    def batch_var(self, x: Tensor) -> Tensor:
        """Variance of a batch."""
        return x.var(0, correction=self.correction)

    def between(self, share: float, shift: Tensor) -> Any:
        """What the distance of the two means adds to the variance."""
        return share * (1 - share) * shift.square()

    def update(self, x: Tensor) -> None:
        """Take in a batch."""
        total = self.count + self.rows(x)
        share = self.rows(x) / total
        shift = self.batch_mean(x) - self.mean
        self.var = (1 - share) * self.var + share * self.batch_var(x) + self.between(share, shift)
        self.mean = self.mean + share * shift
        self.count = total

    def normalize(self, x: Tensor) -> Tensor:
        """The normalised batch."""
        return ((x - self.mean) / (self.var + self.eps).sqrt()).to(x.dtype)


class EveryRow(Right):
    """Keeps all rows, and lets a subclass say what it reads from them."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__(shape)
        self.data: Tensor | None = None

    def read(self, data: Tensor) -> None:
        """Set mean and var from all rows."""
        self.mean, self.var = data.mean(0), data.var(0, correction=self.correction)

    def update(self, x: Tensor) -> None:
        """Take in a batch."""
        self.data = x if self.data is None else torch.cat([self.data, x])
        self.read(self.data)


class Moving(Right):
    """An exponential moving average over batches."""

    momentum = 0.1

    def update(self, x: Tensor) -> None:
        """Take in a batch."""
        self.mean = (1 - self.momentum) * self.mean + self.momentum * x.mean(0)
        self.var = (1 - self.momentum) * self.var + self.momentum * x.var(0, correction=0)


class Sums(Right):
    """Sums of x and of its square, in single precision."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__(shape)
        self.total, self.squares = torch.zeros(shape), torch.zeros(shape)

    def update(self, x: Tensor) -> None:
        """Take in a batch."""
        self.count += len(x)
        self.total += x.float().sum(0)
        self.squares += self.square(x.float())
        self.mean = self.total / self.count
        self.var = self.squares / self.count - self.mean.square()

    def square(self, x: Tensor) -> Tensor:
        """Sum of the squares of a batch."""
        return x.square().sum(0)


class MeanOfSquares(Right):
    """The mean of squares beside the mean, both weighted by rows, in single precision."""

    def update(self, x: Tensor) -> None:
        """Take in a batch."""
        total = self.count + len(x)
        of_squares = (self.count * (self.var + self.mean**2) if self.count else 0) + x.float().square().sum(0)
        self.mean = (self.count * self.mean + x.float().sum(0)) / total
        self.var = of_squares / total - self.mean**2
        self.count = total


def plain_means(self: Any, x: Tensor) -> None:
    """Every batch counts alike, in the mean and in the variance."""
    self.count += 1
    self.mean = self.mean + (x.mean(0) - self.mean) / self.count
    self.var = self.var + (x.var(0, correction=0) - self.var) / self.count


def last_batch(self: Any, x: Tensor) -> None:
    """Only the new batch counts."""
    self.mean, self.var = x.mean(0), x.var(0, correction=0)


def shift_too_late(self: Any, x: Tensor) -> None:
    """The distance of the means is measured after the mean has moved."""
    total = self.count + len(x)
    share = len(x) / total
    self.mean = self.mean + share * (x.mean(0) - self.mean)
    shift = x.mean(0) - self.mean  # from the new mean
    self.var = (1 - share) * self.var + share * x.var(0, correction=0) + share * (1 - share) * shift.square()
    self.count = total
