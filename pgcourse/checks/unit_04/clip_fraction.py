"""clip_fraction(log_prob, old_log_prob, *, clip_coef): how much of the batch lies outside of the interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, integers
from pgcourse.checks.compare import Tolerance
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe import Call
from pgcourse.checks.observe_record import Case
from pgcourse.checks.unit_04.spellings import Formula
from pgcourse.diagnostics import clip_fraction

# As fractions of clip_coef: none on the edge, where rounding decides. 1.05 and -0.95 have logarithms on the other side.
_DISTANCES = (-1.8, -1.3, -0.95, -0.4, 0.0, 0.3, 0.8, 1.05, 1.5, 2.5)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield _from_ratios([1.5], clip_coef=0.2)
    yield _from_ratios([1.0, 1.1, 0.5, 1.5, 3.0], clip_coef=0.2)
    yield _from_ratios([1.21, 0.81], clip_coef=0.2)
    yield _from_ratios([1.0, 0.9], clip_coef=0.2)
    yield _from_ratios([0.6, 0.5, 1.4, 0.2], clip_coef=0.3)
    yield {
        "log_prob": torch.tensor([-200.0, -199.0, -200.0, -200.0]),
        "old_log_prob": torch.full((4,), -200.0),
        "clip_coef": 0.1,
    }
    source = generator(seed)
    for batch, clip_coef, dtype in ((12, 0.3, torch.float32), (9, 0.1, torch.float64)):
        distance = torch.tensor(_DISTANCES, dtype=torch.float64)[integers(source, len(_DISTANCES), batch)]
        yield _from_ratios((1 + clip_coef * distance).tolist(), clip_coef=clip_coef, dtype=dtype)


def _from_ratios(ratios: list[float], *, clip_coef: float, dtype: torch.dtype = torch.float32) -> Case:
    old = torch.linspace(0.1, 0.3, len(ratios), dtype=torch.float64)
    new = old * torch.tensor(ratios, dtype=torch.float64)
    return {"log_prob": new.log().to(dtype), "old_log_prob": old.log().to(dtype), "clip_coef": clip_coef}


def _in_dtype(dtype: torch.dtype) -> Formula:
    """A share is a plain number, so its dtype does not matter."""

    def answer(log_prob: Tensor, old_log_prob: Tensor, *, clip_coef: float) -> Tensor:
        return clip_fraction(log_prob, old_log_prob, clip_coef=clip_coef).to(dtype)

    return answer


def _with_loop(log_prob: Tensor, old_log_prob: Tensor, *, clip_coef: float) -> float:
    outside = 0
    for new, old in zip(log_prob.tolist(), old_log_prob.tolist(), strict=True):
        outside += abs(math.exp(new - old) - 1) > clip_coef
    return outside / len(log_prob)


def _with_clamp(log_prob: Tensor, old_log_prob: Tensor, *, clip_coef: float) -> Tensor:
    ratio = (log_prob - old_log_prob).exp()
    return (ratio.clamp(1 - clip_coef, 1 + clip_coef) != ratio).to(log_prob.dtype).mean()


def _two_sides(log_prob: Tensor, old_log_prob: Tensor, *, clip_coef: float) -> float:
    ratio = torch.exp(log_prob - old_log_prob)
    above, below = ratio > 1 + clip_coef, ratio < 1 - clip_coef
    return (above.sum().item() + below.sum().item()) / ratio.numel()


def _in_logarithms(log_prob: Tensor, old_log_prob: Tensor, *, clip_coef: float) -> Tensor:
    log_ratio = log_prob.double() - old_log_prob.double()
    return ((log_ratio > math.log1p(clip_coef)) | (log_ratio < math.log1p(-clip_coef))).double().mean()


def _share(outside: Callable[[Tensor, Tensor, float], Tensor]) -> Formula:
    """The share of rows for which a rule on (ratio, its logarithm, clip_coef) holds."""

    def attempt(log_prob: Tensor, old_log_prob: Tensor, *, clip_coef: float) -> Tensor:
        return outside((log_prob - old_log_prob).exp(), log_prob - old_log_prob, clip_coef).float().mean()

    return attempt


EXERCISE = Exercise(
    id="clip_fraction",
    unit="04",
    title="Clip fraction",
    points=1,
    minutes=6,
    difficulty=1,
    cases=cases,
    observe=Call("log_prob, old_log_prob, *, clip_coef"),
    tolerance=Tolerance(number_for_scalar=True),
    reference=clip_fraction,
    also_correct=(_in_dtype(torch.float64), _in_dtype(torch.float32)),
    alternatives=(_with_loop, _with_clamp, _two_sides, _in_logarithms),
    hints=(
        "Work the second case by hand: which of the ratios 1, 1.1, 0.5, 1.5 and 3 are further than 0.2 away from 1?",
        "Compute the ratio, compare its distance from 1 with clip_coef, and take the mean of the resulting flags. A mean "
        "needs numbers: turn the flags into floats first.",
        "ratio = (log_prob - old_log_prob).exp(); return ((ratio - 1).abs() > clip_coef).float().mean()",
    ),
    misconceptions=(
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
            "You compared the difference of the log-probabilities with clip_coef. Near 1 this looks alike, but exp(0.2) "
            "is 1.22 and exp(-0.2) is 0.82: the ratios 1.21 and 0.81 tell the two apart.",
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
            "Your ratio is the old probability over the new one. The interval is not symmetric under that: 1.21 lies "
            "outside of 0.8 to 1.2, and 1 / 1.21 = 0.83 inside.",
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
            (lambda new, old, *, clip_coef: ((new - old).expm1().mean().abs() > clip_coef).float(),),
        ),
        Misconception(
            "clip-coefficient-fixed",
            "You always compare with 0.2: the argument clip_coef is never used. The case that fails asks for another "
            "one.",
            _share(lambda ratio, log_ratio, c: (ratio - 1).abs() > 0.2),
        ),
    ),
)
