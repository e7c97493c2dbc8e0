"""Wrong answers to clip_fraction."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from pgcourse.checks.exercise import Misconception
from pgcourse.checks.unit_04.spellings import Formula


def _share(outside: Callable[[Tensor, Tensor, float], Tensor]) -> Formula:
    """The share of rows for which a rule on (ratio, its logarithm, clip_coef) holds."""

    def attempt(log_prob: Tensor, old_log_prob: Tensor, *, clip_coef: float) -> Tensor:
        return outside((log_prob - old_log_prob).exp(), log_prob - old_log_prob, clip_coef).float().mean()

    return attempt


MISCONCEPTIONS = (
    Misconception(
        "above-only",
        "You counted only ratios above 1 + clip_coef. Actions that became much rarer are outside of the interval "
        "too: below 1 - clip_coef.",
        _share(lambda ratio, log_ratio, c: ratio > 1 + c),
        (_share(lambda ratio, log_ratio, c: ratio - 1 > c),),
    ),
    Misconception(
        "below-only",
        "You counted only ratios below 1 - clip_coef. Actions that became much more likely are outside of the "
        "interval too: above 1 + clip_coef.",
        _share(lambda ratio, log_ratio, c: ratio < 1 - c),
    ),
    Misconception(
        "logarithm-compared",
        "You compared the difference of the log-probabilities with clip_coef. Near 1 this looks alike, but for clip_coef "
        "0.2, exp(0.2) is 1.22 and exp(-0.2) is 0.82: the ratios 1.21 and 0.81 tell the two apart.",
        _share(lambda ratio, log_ratio, c: log_ratio.abs() > c),
    ),
    Misconception(
        "inside-counted",
        "You counted the rows inside of the interval. The clip fraction is the share outside, 0 as long as the "
        "policy has not moved.",
        _share(lambda ratio, log_ratio, c: (ratio - 1).abs() <= c),
    ),
    Misconception(
        "ratio-not-compared-with-one",
        "You compared the ratio itself with clip_coef. A ratio of 1 means that nothing has changed; what counts is "
        "its distance from 1.",
        _share(lambda ratio, log_ratio, c: ratio > c),
    ),
    Misconception(
        "exponential-missing",
        "You used the difference of the log-probabilities as the ratio. It is the ratio's logarithm, 0 where nothing "
        "has changed: take the exponential before you compare with 1.",
        _share(lambda ratio, log_ratio, c: (log_ratio - 1).abs() > c),
    ),
    Misconception(
        "upside-down",
        "Your ratio is the old probability over the new one. The interval is not symmetric under that: for clip_coef "
        "0.2, a ratio of 1.21 lies outside of 0.8 to 1.2, and 1 / 1.21 = 0.83 inside.",
        _share(lambda ratio, log_ratio, c: (1 / ratio - 1).abs() > c),
    ),
    Misconception(
        "probabilities-divided",
        "You turned both into probabilities and divided. With log-probabilities of -200 this is 0 / 0, and a "
        "comparison with NaN is always false. Subtract the logarithms first.",
        lambda new, old, *, clip_coef: ((new.exp() / (old.exp() + 1e-30) - 1).abs() > clip_coef).float().mean(),
        (lambda new, old, *, clip_coef: ((new.exp() / old.exp() - 1).abs() > clip_coef).float().mean(),),
    ),
    Misconception(
        "probabilities-subtracted",
        "You compared the difference of the probabilities with clip_coef. From 0.01 to 0.02 is a ratio of 2, far "
        "outside of the interval, and a difference of only 0.01.",
        lambda new, old, *, clip_coef: ((new.exp() - old.exp()).abs() > clip_coef).float().mean(),
    ),
    Misconception(
        "count-not-share",
        "You returned how many rows lie outside. The fraction is their share of the batch, a number from 0 to 1, so "
        "that batches of any size can be compared.",
        lambda new, old, *, clip_coef: ((new - old).expm1().abs() > clip_coef).sum(),
        (
            lambda new, old, *, clip_coef: ((new - old).expm1().abs() > clip_coef).float().sum(),
            lambda new, old, *, clip_coef: int(((new - old).expm1().abs() > clip_coef).sum()),
            lambda new, old, *, clip_coef: float(((new - old).expm1().abs() > clip_coef).sum()),
        ),
    ),
    Misconception(
        "flags-returned",
        "You returned one flag a row. The fraction is one number for the batch: the mean of the flags, taken as numbers.",
        lambda new, old, *, clip_coef: (new - old).expm1().abs() > clip_coef,
        (lambda new, old, *, clip_coef: ((new - old).expm1().abs() > clip_coef).float(),),
    ),
    Misconception(
        "average-distance",
        "You returned how far the ratios are from 1 on average. The clip fraction only counts: outside of the "
        "interval or not.",
        lambda new, old, *, clip_coef: (new - old).expm1().abs().mean(),
        (lambda new, old, *, clip_coef: ((new - old).expm1().abs() - clip_coef).clamp(min=0).mean(),),
    ),
    Misconception(
        "mean-ratio-compared",
        "You averaged the ratios first and asked of the mean whether it lies outside. Ratios of 0.5 and 1.5 average to 1 "
        "and are both outside. Ask of every row, then take the mean of the answers.",
        lambda new, old, *, clip_coef: ((new - old).expm1().mean().abs() > clip_coef).float(),
        (lambda new, old, *, clip_coef: ((new - old).mean().expm1().abs() > clip_coef).float(),),
    ),
    Misconception(
        "clip-coefficient-fixed",
        "You always compare with 0.2: the argument clip_coef is never used. The case that fails asks for another one.",
        _share(lambda ratio, log_ratio, c: (ratio - 1).abs() > 0.2),
    ),
)
