"""RunningMeanStd(shape): mean and variance of everything seen so far, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe.record import Case
from pgcourse.checks.observe.running import RunningStatistics
from pgcourse.checks.wording import value


class RunningMeanStd:
    """Mean and population variance, per component, of all rows seen so far. Source: Chan et al. (1979).

    Wrong answers are subclasses that exchange a step of it.
    """

    count: float = 0
    first_var, eps = 1.0, 1e-8
    rows: Any = staticmethod(len)  # for how many a batch counts
    replaces_first = False  # take the first batch's statistics as they are, and merge only later ones

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.mean, self.var = torch.zeros(shape), torch.full(shape, self.first_var)

    def share(self, x: Tensor) -> float:  # of the batch among all rows
        return self.rows(x) / (self.count + self.rows(x))

    def batch(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x.mean(dim=0), x.var(dim=0, correction=0)

    def between(self, share: float, shift: Tensor) -> Any:  # what the distance of the two means adds to the variance
        return share * (1 - share) * shift.square()

    def update(self, x: Tensor) -> Any:
        share, (mean, var) = self.share(x), self.batch(x)
        if self.replaces_first and not self.count:
            self.mean, self.var = mean, var
        else:
            shift = mean - self.mean
            self.var = (1 - share) * self.var + share * var + self.between(share, shift)
            self.mean = self.mean + share * shift
        self.count += self.rows(x)

    def normalize(self, x: Tensor) -> Tensor:
        return ((x - self.mean) / (self.var + self.eps).sqrt()).to(x.dtype)


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
    # A standard deviation of 0.1: 1e-8 beside the variance does not show, the 1e-5 of batch normalisation does.
    yield case(torch.tensor([0.1, 0.4, 0.2, 0.3]), (1, 3), torch.tensor([0.5]))
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


class AllRows(RunningMeanStd):
    """Keeps all rows; `read` gives mean and variance of them."""

    data: Any = ()
    read: Any

    def update(self, x: Tensor) -> None:
        self.data = (*self.data, *x)
        self.mean, self.var = self.read(torch.stack(self.data))


class SumsInSinglePrecision(RunningMeanStd):
    """Sums of x and of its square."""

    total: Any = 0
    squares: Any = 0

    def update(self, x: Tensor) -> None:
        self.count, x = self.count + len(x), x.float()
        self.total, self.squares = self.total + x.sum(0), self.squares + x.square().sum(0)
        self.mean = self.total / self.count
        self.var = self.squares / self.count - self.mean.square()


def changed(base: type = RunningMeanStd, **steps: Any) -> type:
    """The class with steps exchanged."""
    return type("Changed", (base,), steps)


def each_start(*changes: dict[str, Any]) -> list[type]:
    """Classes with these steps, merging from the first batch on, or from the second."""
    return [changed(**steps, replaces_first=replaces) for steps in changes for replaces in (False, True)]


def mistake(id: str, explanation: str, *wrong: type) -> Misconception:
    """A misconception with its spellings."""
    return Misconception(id, explanation, wrong[0], wrong[1:])


def of_its_own(self: Any, x: Tensor) -> Tensor:
    """The batch normalised by its own mean and variance."""
    return (x - x.mean(0)) / (x.var(0, correction=0) + 1e-8).sqrt()


right = RunningMeanStd.normalize

EXERCISE = Exercise.listed(
    "RunningMeanStd",
    cases=cases,
    observe=RunningStatistics(),
    show_case=show_case,
    reference=RunningMeanStd,
    hints=(
        "Take [1] and [3, 5, 9] on paper. The mean of all four is not the mean of the two means: how must the batches be "
        "weighted? And why is the variance of all four larger than both batches' variances?",
        "Keep count, mean and var. With share = len(x) / (count + len(x)) and shift = x.mean(0) - mean, the new mean is "
        "mean + share * shift. The new variance is both variances weighted by their shares, plus share * (1 - share) * "
        "shift^2 for the distance between the two means. Start with count 0.",
        "update: var = (1 - share) * var + share * x.var(0, correction=0) + share * (1 - share) * shift**2; then mean = mean "
        "+ share * shift; then the count. normalize: (x - mean) / (var + 1e-8).sqrt(), with mean 0 and var 1 at the start.",
    ),
    misconceptions=(
        mistake(
            "every-batch-alike",
            "You averaged over batches, so a batch of 1 row counts as much as one of 12. Every row must count alike: weight a "
            "batch by its number of rows.",
            changed(rows=lambda self, x: 1),
            changed(rows=lambda self, x: 1, between=lambda self, share, shift: 0),
        ),
        mistake(
            "variances-averaged",
            "Your mean is right, but the variance is only the average of the batches' variances. Two narrow batches far apart "
            "are wide together: what their means' distance adds is missing.",
            changed(between=lambda self, share, shift: 0),
        ),
        mistake(
            "distance-wrong",
            "You add the squared distance of the two means with a wrong weight, or from a mean that has moved already. It is "
            "share * (1 - share) times the squared distance from the old mean, with the new rows' share among all.",
            *each_start(
                {"between": lambda self, share, shift: shift.square()},
                {"between": lambda self, share, shift: share * shift.square()},
                {"between": lambda self, share, shift: (1 - share) * shift.square()},
                {"between": lambda self, share, shift: share * (1 - share) ** 3 * shift.square()},  # from the new mean
            ),
        ),
        mistake(
            "rows-miscounted",
            "Your count is not that of all rows seen before the batch when you weight with it: it already holds the new rows, "
            "or only those of the last batch. Weight first, with the old count, and then add the new rows to it.",
            *each_start(
                {"share": lambda self, x: len(x) / (self.count + 2 * len(x))},
                {"update": lambda self, x: (RunningMeanStd.update(self, x), self.__setattr__("count", len(x)))[0]},
            ),
        ),
        mistake(
            "moving-average",
            "You took an exponential moving average, as batch normalisation does. It forgets. Asked for are the mean and "
            "variance of everything so far, every row alike.",
            *each_start({"share": lambda self, x: 0.1, "between": lambda self, share, shift: 0}),
            *each_start({"share": lambda self, x: 0.01, "between": lambda self, share, shift: 0}),
        ),
        mistake(
            "divided-by-n-minus-1",
            "You used the sample variance, divided by n - 1; with a single row that is 0 / 0. Asked for is the population "
            "variance, divided by n: torch's var needs correction=0 for it.",
            changed(AllRows, read=lambda self, data: (data.mean(0), data.var(0))),
            changed(AllRows, read=lambda self, data: (data.mean(0), data.var(0, correction=min(1, len(data) - 1)))),
            *each_start({"batch": lambda self, x: (x.mean(0), x.var(0))}),
        ),
        mistake(
            "squares-minus-square",
            "You subtract the square of the mean from the mean of squares. For data around 300 both are near 90,000, and "
            "float32 has 7 digits: the difference is mostly rounding. Merge variances instead, or sum in double precision.",
            SumsInSinglePrecision,
        ),
        mistake(
            "made-up-rows",
            "You start with a count above 0, so your first mean (0) and variance (1) count as data that nobody saw. Around "
            "300 they spoil the variance. Start with count 0: the first batch then replaces both.",
            *(changed(count=count) for count in (1e-4, 1, 1e-3, 1e-2)),
        ),
        mistake(
            "one-number-for-all",
            "You averaged over more than the first axis, so different components share one mean and one variance. An angle and "
            "an angular velocity have different scales, which is why one normalises: average over the rows alone.",
            changed(batch=lambda self, x: (x.mean(), x.var(correction=0))),
            changed(batch=lambda self, x: RunningMeanStd.batch(self, x.reshape(-1, x.shape[-1]) if x.ndim > 2 else x)),
        ),
        mistake(
            "divided-by-the-variance",
            "Mean and variance are right, but normalize divides by the variance. The standard deviation, its square root, has "
            "the unit of x; after the division, the spread must be 1.",
            changed(normalize=lambda self, x: (x - self.mean) / (self.var + 1e-8)),
        ),
        mistake(
            "not-centred",
            "normalize divides by the standard deviation but does not subtract the mean first. Data around 300 would stay "
            "around 300 standard deviations.",
            changed(normalize=lambda self, x: x / (self.var + 1e-8).sqrt()),
        ),
        mistake(
            "own-batch",
            "normalize uses the mean and variance of the batch that it is given. The same observation would then look "
            "different in other company. Use what was kept from the updates.",
            changed(normalize=of_its_own),
            changed(normalize=lambda self, x: of_its_own(self, x) if self.count else x.clone()),
            changed(normalize=lambda self, x: of_its_own(self, x) if self.count and len(x) > 1 else right(self, x)),
        ),
        mistake(
            "normalize-learns",
            "normalize changes the statistics. While the policy is evaluated, or trained on stored data for several epochs, "
            "they must stand still; only update moves them.",
            changed(normalize=lambda self, x: (right(self, x), self.update(x))[0]),
            changed(normalize=lambda self, x: (self.update(x), right(self, x))[1]),
        ),
        mistake(
            "variance-0-at-the-start",
            "Before any update normalize must return x as it is. Yours divides by a standard deviation of nearly 0: start "
            "with a mean of 0 and a variance of 1.",
            changed(first_var=0.0),
            changed(normalize=lambda self, x: (x - self.mean) / (self.var.sqrt() + 1e-8), first_var=0.0),
        ),
        mistake(
            "division-by-zero",
            "A component that never varies has variance 0, and you divide by it: 0 / 0 is NaN. A sensor that is not connected "
            "is one. A tiny number beside the variance keeps the division finite.",
            changed(eps=0.0),
        ),
        mistake(
            "tiny-number-too-large",
            "What you add against a division by 0 is not tiny: the result is no longer (x - mean) / std. Of a sensor that "
            "varies by 0.005, 1e-5 is nearly half of the variance. Add 1e-8.",
            changed(eps=1e-5),
        ),
        mistake(
            "clipped",
            "You clip what normalize returns. Many libraries do, as a step of its own; this function normalises, and before "
            "any update it returns x whatever it is.",
            *(changed(normalize=lambda self, x, at=at: right(self, x).clamp(-at, at)) for at in (5, 10)),
        ),
        mistake(
            "update-returns-something",
            "Your numbers are right, but update returns something, such as the object itself. It is called for what it "
            "changes, and the task says that it returns nothing.",
            changed(update=lambda self, x: (RunningMeanStd.update(self, x), self)[1]),
        ),
    ),
)
