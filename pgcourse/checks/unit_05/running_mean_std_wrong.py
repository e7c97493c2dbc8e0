"""Wrong answers to RunningMeanStd. Each class is a right answer with one step spoilt."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pgcourse.checks.exercise import Misconception
from pgcourse.checks.unit_05.running_mean_std_parts import (
    EveryRow,
    MeanOfSquares,
    Moving,
    Right,
    Sums,
    last_batch,
    plain_means,
    shift_too_late,
)


def _with(base: type = Right, **changes: Any) -> type:
    """`base` with attributes or methods replaced."""
    return type("Wrong", (base,), changes)


def _own_batch(self: Any, x: Tensor) -> Tensor:
    return (x - x.mean(0)) / (x.var(0, correction=0) + 1e-8).sqrt() if self.count else x


def _learning(self: Any, x: Tensor) -> Tensor:
    result = Right.normalize(self, x)
    self.update(x)
    return result


def _learning_first(self: Any, x: Tensor) -> Tensor:
    self.update(x)
    return Right.normalize(self, x)


def _one_number(self: Any, data: Tensor) -> None:
    self.mean = data.mean().expand(data.shape[1:])
    self.var = data.var(correction=0).expand(data.shape[1:])


def _std_kept(self: Any, data: Tensor) -> None:
    self.mean, self.var = data.mean(0), data.std(0, correction=0)


def _in_place(self: Any, x: Tensor) -> Tensor:
    x -= self.mean
    x /= (self.var + 1e-8).sqrt()
    return x


MISCONCEPTIONS = (
    Misconception(
        "every-batch-alike",
        "You averaged over batches, so a batch of 1 row counts as much as one of 12. Every row must count alike: weight "
        "a batch by its number of rows. Try the same data in two different splits.",
        _with(update=plain_means),
        variants=(_with(rows=lambda self, x: 1),),
    ),
    Misconception(
        "variances-averaged",
        "Your mean is right, but the variance is only the average of the batches' variances. Two narrow batches far "
        "apart are wide together: what their means' distance adds is missing.",
        _with(between=lambda self, share, shift: 0),
    ),
    Misconception(
        "distance-not-weighted",
        "You add the squared distance of the two means with a wrong weight. It is share * (1 - share), with the new rows' "
        "share among all: a batch that is nearly all or nearly nothing adds next to nothing.",
        _with(between=lambda self, share, shift: shift.square()),
        variants=(
            _with(between=lambda self, share, shift: share * shift.square()),
            _with(between=lambda self, share, shift: (1 - share) * shift.square()),
        ),
    ),
    Misconception(
        "mean-moved-first",
        "You moved the mean first and measured the distance to the batch afterwards, from the new mean. The variance needs "
        "the distance from the old one: take it before you change anything.",
        _with(update=shift_too_late),
    ),
    Misconception(
        "last-batch-only",
        "Your statistics are those of the last batch: everything before it is forgotten. What the network sees would "
        "jump with every batch. Merge the batch with what is known, weighted by rows.",
        _with(update=last_batch),
    ),
    Misconception(
        "moving-average",
        "You took an exponential moving average, as batch normalisation does. It forgets, and it depends on how the data "
        "are split. Asked for are the mean and variance of everything so far, every row alike.",
        _with(Moving),
        variants=(_with(Moving, momentum=0.01), _with(Moving, momentum=0.9), _with(Moving, momentum=0.99)),
    ),
    Misconception(
        "divided-by-n-minus-1",
        "You used the sample variance, divided by n - 1; with a single row that is 0 / 0. Asked for is the population "
        "variance, divided by n: torch's var and std need correction=0 for it.",
        _with(EveryRow, correction=1),
        variants=(_with(correction=1),),
    ),
    Misconception(
        "squares-minus-square",
        "You subtract the square of the mean from the mean of squares. For data around 300 both are near 90,000, and "
        "float32 has 7 digits: the difference is mostly rounding, and may be negative. Merge variances instead, or sum in "
        "double precision.",
        _with(Sums),
        variants=(_with(MeanOfSquares), _with(Sums, square=lambda self, x: (x * x).mean(0) * len(x))),
    ),
    Misconception(
        "made-up-rows",
        "You start with a count above 0, so your first mean (0) and variance (1) count as data that nobody saw. Near 0 "
        "this hardly shows; around 300 it spoils the variance. Start with count 0: the first batch then replaces both.",
        _with(first_count=1e-4),
        variants=(
            _with(first_count=1),
            _with(first_count=1e-3),
            _with(first_count=1e-2),
            _with(first_count=1e-4, first_var=0.0),
        ),
    ),
    Misconception(
        "one-number-for-all",
        "You computed one mean and one variance over all components. An angle and an angular velocity have different "
        "scales, which is why one normalises: average over the first axis only.",
        _with(EveryRow, read=_one_number),
        variants=(_with(batch_mean=lambda self, x: x.mean(), batch_var=lambda self, x: x.var(correction=0)),),
    ),
    Misconception(
        "std-in-var",
        "Your var holds the standard deviation. The variance is its square; the two agree only where both are 1 or 0.",
        _with(EveryRow, read=_std_kept),
        variants=(_with(EveryRow, read=_std_kept, normalize=lambda self, x: (x - self.mean) / (self.var + 1e-8)),),
    ),
    Misconception(
        "divided-by-the-variance",
        "Mean and variance are right, but normalize divides by the variance. The standard deviation, its square root, has "
        "the unit of x; after the division, the spread must be 1.",
        _with(normalize=lambda self, x: (x - self.mean) / (self.var + 1e-8)),
    ),
    Misconception(
        "not-centred",
        "normalize divides by the standard deviation but does not subtract the mean first. Data around 300 would stay "
        "around 300 standard deviations.",
        _with(normalize=lambda self, x: x / (self.var + 1e-8).sqrt()),
        variants=(_with(normalize=lambda self, x: x / (self.var + 1e-8).sqrt() - self.mean),),
    ),
    Misconception(
        "not-scaled",
        "normalize subtracts the mean and leaves the scale as it was. Divide by the standard deviation as well.",
        _with(normalize=lambda self, x: x - self.mean),
    ),
    Misconception(
        "own-batch",
        "normalize uses the mean and variance of the batch that it is given. The same observation would then look "
        "different in other company, and one alone would always be 0. Use what was kept from the updates.",
        _with(normalize=_own_batch),
    ),
    Misconception(
        "normalize-learns",
        "normalize changes the statistics. While the policy is evaluated, or trained on stored data for several epochs, "
        "they must stand still; only update moves them.",
        _with(normalize=_learning),
        variants=(_with(normalize=_learning_first),),
    ),
    Misconception(
        "variance-0-at-the-start",
        "Before any update normalize must return x as it is. Yours divides by a standard deviation of nearly 0: start "
        "with a mean of 0 and a variance of 1.",
        _with(first_var=0.0),
        variants=(_with(first_var=0.0, normalize=lambda self, x: (x - self.mean) / (self.var.sqrt() + 1e-8)),),
    ),
    Misconception(
        "division-by-zero",
        "A component that never varies has variance 0, and you divide by it: 0 / 0 is NaN. Such observations exist, a "
        "sensor that is not connected for one. A tiny number beside the variance keeps the division finite.",
        _with(eps=0.0),
    ),
    Misconception(
        "clipped",
        "You clip what normalize returns. Many libraries do, at 5 or 10 standard deviations, as a step of its own; this "
        "function normalises, and before any update it returns x whatever it is.",
        _with(normalize=lambda self, x: Right.normalize(self, x).clamp(-5, 5)),
        variants=(_with(normalize=lambda self, x: Right.normalize(self, x).clamp(-10, 10)),),
    ),
    Misconception(
        "changed-in-place",
        "The numbers are right, but normalize writes into the tensor that it was given. The caller may want to store the "
        "observation as it was: make a new tensor.",
        _with(normalize=_in_place),
    ),
    Misconception(
        "always-float32",
        "The numbers are right, but normalize returns float32 for float64 input. Keep the dtype of x.",
        _with(normalize=lambda self, x: Right.normalize(self, x).to(torch.float32)),
    ),
)
