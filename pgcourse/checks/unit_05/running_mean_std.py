"""RunningMeanStd(shape): mean and variance of everything seen so far, a batch at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe.record import Case
from pgcourse.checks.observe.running import RunningStatistics
from pgcourse.checks.unit_05.running_mean_std_wrong import MISCONCEPTIONS
from pgcourse.checks.wording import value
from pgcourse.normalization import ObservationNorm


class RunningMeanStd:
    """Mean and population variance, per component, of all rows seen so far. Source: Chan et al. (1979)."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.count = 0
        self.mean = torch.zeros(shape)
        self.var = torch.ones(shape)

    def update(self, x: Tensor) -> None:
        """Take in x [B, *shape]."""
        total = self.count + len(x)
        share = len(x) / total  # of the new rows among all
        shift = x.mean(dim=0) - self.mean  # from the old mean to the batch's
        within = (1 - share) * self.var + share * x.var(dim=0, correction=0)
        self.var = within + share * (1 - share) * shift.square()  # the last term: how far apart the two means are
        self.mean = self.mean + share * shift
        self.count = total

    def normalize(self, x: Tensor) -> Tensor:
        """(x - mean) / std, in the dtype of x; the statistics stay as they are."""
        return ((x - self.mean) / (self.var + 1e-8).sqrt()).to(x.dtype)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""

    def case(data: Tensor, splits: tuple[int, ...], probe: Tensor) -> Case:
        shape = tuple(data.shape[1:])
        # Far out, so that a clip shows; before any update normalize must leave it alone.
        first_probe = torch.full((1, *shape), 40.0, dtype=data.dtype)
        return {"shape": shape, "data": data, "splits": splits, "first_probe": first_probe, "probe": probe}

    yield case(torch.tensor([1.0, 3.0, 5.0, 9.0]), (1, 3), torch.tensor([4.5]))
    rows = torch.tensor([[1.0, 10.0], [2.0, 30.0], [6.0, 20.0], [7.0, -20.0], [4.0, 10.0]])
    yield case(rows, (2, 2, 1), torch.tensor([[4.0, 100.0], [100.0, 10.0]]))
    yield case(rows, (5,), torch.tensor([[4.0, 100.0], [100.0, 10.0]]))
    # The second component never varies; its own value is normalised to 0 whatever keeps the division finite.
    yield case(torch.tensor([[1.0, 5.0], [3.0, 5.0], [8.0, 5.0]]), (2, 1), torch.tensor([[2.0, 5.0]]))
    source = generator(seed)
    yield case(normal(source, 24, 2, 3) * 3 + 2, (7, 1, 12, 4), normal(source, 5, 2, 3) * 4)
    # Far from 0: the mean of squares minus the square of the mean loses its digits in float32. The probe is 10 standard
    # deviations away, so that the rounding of a right mean does not count.
    yield case(normal(source, 40, 3) + 300, (16, 8, 16), torch.tensor([[290.0, 310.0, 310.0]]))
    yield case(normal(source, 9, 2, dtype=torch.float64), (1,) * 9, normal(source, 3, 2, dtype=torch.float64))


def show_case(case: Case) -> str:
    """The calls that are made on one object."""
    sizes = " + ".join(str(size) for size in case["splits"])
    updates = "1 update" if len(case["splits"]) == 1 else f"{len(case['splits'])} updates"
    rows = f"{updates} with {sizes} rows of {value(case['data'])}"
    return f"statistics = RunningMeanStd({case['shape']}); {rows}; statistics.normalize({value(case['probe'])})"


class AllDataKept:
    """Keeps every row and computes everything anew."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.rows: list[Tensor] = []
        self.mean, self.var = torch.zeros(shape), torch.ones(shape)

    def update(self, x: Tensor) -> None:
        self.rows.extend(x.unbind())
        data = torch.stack(self.rows)
        self.mean, self.var = data.mean(0), ((data - data.mean(0)) ** 2).mean(0)

    def normalize(self, x: Tensor) -> Tensor:
        return torch.div(x - self.mean, torch.sqrt(self.var) + 1e-8)


class RowByRow:
    """Welford's recurrence, one row after another; var is a property."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.n, self.mean, self.squares = 0, torch.zeros(shape), torch.zeros(shape)

    @property
    def var(self) -> Tensor:
        return self.squares / self.n if self.n else torch.ones_like(self.squares)

    def update(self, x: Tensor) -> None:
        for row in x:
            self.n += 1
            before = row - self.mean
            self.mean = self.mean + before / self.n
            self.squares = self.squares + before * (row - self.mean)

    def normalize(self, x: Tensor) -> Tensor:
        return (x - self.mean) / torch.sqrt(self.var + 1e-6)


class SumsInDoublePrecision:
    """Sums of x and of x squared, in double precision, where the difference of large numbers keeps enough digits."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.count, self.total = 0, torch.zeros(shape, dtype=torch.float64)
        self.squares = torch.zeros(shape, dtype=torch.float64)

    @property
    def mean(self) -> Tensor:
        return self.total / max(self.count, 1)

    @property
    def var(self) -> Tensor:
        return (self.squares / self.count - self.mean**2).clamp(min=0) if self.count else torch.ones_like(self.squares)

    def update(self, x: Tensor) -> None:
        self.count += x.shape[0]
        self.total = self.total + x.double().sum(0)
        self.squares += x.double().pow(2).sum(0)

    def normalize(self, x: Tensor) -> Tensor:
        return ((x - self.mean) / self.var.sqrt().clamp(min=1e-8)).to(x.dtype)


class PackageAdapter:
    """The package's own module, under the names of the exercise."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape, self.norm = shape, ObservationNorm(math.prod(shape))

    def __getattr__(self, name: str) -> Any:
        if name in ("mean", "var"):
            return getattr(self.norm, name).view(self.shape)
        raise AttributeError(name)

    def update(self, x: Tensor) -> None:
        self.norm.update(x.reshape(len(x), -1))

    def normalize(self, x: Tensor) -> Tensor:
        return self.norm(x.reshape(len(x), -1)).view(x.shape).to(x.dtype)


EXERCISE = Exercise(
    id="RunningMeanStd",
    unit="05",
    title="Running mean and variance",
    points=3,
    minutes=25,
    difficulty=3,
    cases=cases,
    observe=RunningStatistics(),
    show_case=show_case,
    reference=RunningMeanStd,
    alternatives=(AllDataKept, RowByRow, SumsInDoublePrecision, PackageAdapter),
    hints=(
        "Take [1] and [3, 5, 9] on paper. The mean of all four is not the mean of the two means: how must the batches be "
        "weighted? And why is the variance of all four larger than both batches' variances?",
        "Keep count, mean and var. With share = len(x) / (count + len(x)) and shift = x.mean(0) - mean, the new mean is "
        "mean + share * shift. The new variance is both variances weighted by their shares, plus share * (1 - share) * "
        "shift^2 for the distance between the two means. Start with count 0.",
        "update: var = (1 - share) * var + share * x.var(0, correction=0) + share * (1 - share) * shift**2; then mean = "
        "mean + share * shift; then the count. normalize: (x - mean) / (var + 1e-8).sqrt(), with mean 0 and var 1 at "
        "the start.",
    ),
    misconceptions=MISCONCEPTIONS,
)
