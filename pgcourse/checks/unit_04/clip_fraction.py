"""clip_fraction(log_prob, old_log_prob, *, clip_coef): how much of the batch lies outside of the interval."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, integers
from pgcourse.checks.compare import Tolerance
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_04.ratios import Formula, call_with_ratios, gauge_mistake, in_dtype
from pgcourse.diagnostics import clip_fraction

# As fractions of clip_coef: none on the edge, where rounding decides. 1.05 and -0.95 have logarithms on the other side.
DISTANCES = (-1.8, -1.3, -0.95, -0.4, 0.0, 0.3, 0.8, 1.05, 1.5, 2.5)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield from_ratios([1.5], clip_coef=0.2)
    yield from_ratios([1.0, 1.1, 0.5, 1.5, 3.0], clip_coef=0.2)
    yield from_ratios([1.21, 0.81], clip_coef=0.2)
    yield from_ratios([1.0, 0.9], clip_coef=0.2)
    yield from_ratios([0.6, 0.5, 1.4, 0.2], clip_coef=0.3)
    yield {
        "log_prob": torch.tensor([-200.0, -199.0, -200.0, -200.0]),
        "old_log_prob": torch.full((4,), -200.0),
        "clip_coef": 0.1,
    }
    # The only edge that no rounding blurs: a ratio of 1 is not further than 0 away from 1.
    yield from_ratios([1.0, 1.5, 1.0, 0.5], clip_coef=0.0)
    source = generator(seed)
    for batch, clip_coef, dtype in ((12, 0.3, torch.float32), (9, 0.1, torch.float64)):
        distance = torch.tensor(DISTANCES, dtype=torch.float64)[integers(source, len(DISTANCES), batch)]
        yield from_ratios((1 + clip_coef * distance).tolist(), clip_coef=clip_coef, dtype=dtype)


def from_ratios(ratios: list[float], *, clip_coef: float, dtype: torch.dtype = torch.float32) -> Case:
    """Log-probabilities with these ratios."""
    old = torch.linspace(0.1, 0.3, len(ratios), dtype=torch.float64)
    new = old * torch.tensor(ratios, dtype=torch.float64)
    return {"log_prob": new.log().to(dtype), "old_log_prob": old.log().to(dtype), "clip_coef": clip_coef}


def share(outside: Callable[[Tensor, float], Tensor]) -> Formula:
    """The share of rows for which a rule on the ratio and clip_coef holds."""
    return lambda new, old, *, clip_coef: outside((new - old).exp(), clip_coef).float().mean()


EXERCISE = Exercise.listed(
    "clip_fraction",
    cases=cases,
    observe=Call("log_prob, old_log_prob, *, clip_coef"),
    tolerance=Tolerance(number_for_scalar=True),
    reference=clip_fraction,
    also_correct=(in_dtype(clip_fraction, torch.float64), in_dtype(clip_fraction, torch.float32)),
    show_case=call_with_ratios("clip_fraction", "log_prob, old_log_prob, *, clip_coef"),
    hints=(
        "Work the second case by hand: which of the ratios 1, 1.1, 0.5, 1.5 and 3 are further than 0.2 away from 1?",
        "Compute the ratio, compare its distance from 1 with clip_coef, and take the mean of the resulting flags. A mean "
        "needs numbers: turn the flags into floats first.",
        "ratio = (log_prob - old_log_prob).exp(); return ((ratio - 1).abs() > clip_coef).float().mean()",
    ),
    misconceptions=(
        gauge_mistake(
            "one-side-only",
            "You counted the ratios on one side of the interval only. Actions that became much likelier are outside of it, above "
            "1 + clip_coef, and so are those that became much rarer, below 1 - clip_coef.",
            share(lambda ratio, c: ratio > 1 + c),
            share(lambda ratio, c: ratio < 1 - c),
        ),
        gauge_mistake(
            "edge-counted",
            "You counted the ratios on the edge of the interval too. Outside is what is further away from 1 than clip_coef, not "
            "as far: with a clip_coef of 0, a policy that has not moved would be outside.",
            share(lambda ratio, c: (ratio - 1).abs() >= c),
        ),
        gauge_mistake(
            "logarithm-compared",
            "Your interval is symmetric in the difference of the log-probabilities, and then it is not symmetric around 1. For "
            "clip_coef 0.2, exp(0.2) is 1.22 and exp(-0.2) is 0.82: the ratios 1.21 and 0.81 tell the two apart.",
            share(lambda ratio, c: ratio.log().abs() > c),
            share(lambda ratio, c: ratio.log().abs() > torch.tensor(1 + c).log()),
        ),
        gauge_mistake(
            "inside-counted",
            "You counted the rows inside of the interval. The clip fraction is the share outside, 0 as long as the "
            "policy has not moved.",
            share(lambda ratio, c: (ratio - 1).abs() <= c),
            share(lambda ratio, c: (ratio - 1).abs() < c),
        ),
        gauge_mistake(
            "interval-of-another-width",
            "Your interval has another width. clip_coef is half of it: on each side of 1 the ratio may go clip_coef far, from "
            "1 - clip_coef to 1 + clip_coef.",
            share(lambda ratio, c: (ratio - 1).abs() > c / 2),
            share(lambda ratio, c: (ratio - 1).abs() > 2 * c),
        ),
        gauge_mistake(
            "exponential-missing",
            "You used the difference of the log-probabilities as the ratio. It is the ratio's logarithm, 0 where nothing "
            "has changed: take the exponential before you compare with 1.",
            share(lambda ratio, c: (ratio.log() - 1).abs() > c),
        ),
        gauge_mistake(
            "upside-down",
            "Your ratio is the old probability over the new one. The interval is not symmetric under that: for clip_coef "
            "0.2, a ratio of 1.21 lies outside of 0.8 to 1.2, and 1 / 1.21 = 0.83 inside.",
            share(lambda ratio, c: (1 / ratio - 1).abs() > c),
        ),
        gauge_mistake(
            "probabilities-divided",
            "You turned both into probabilities and divided. With log-probabilities of -200 this is 0 / 0, and a "
            "comparison with NaN is always false. Subtract the logarithms first.",
            lambda new, old, *, clip_coef: ((new.exp() / (old.exp() + 1e-8) - 1).abs() > clip_coef).float().mean(),
            lambda new, old, *, clip_coef: ((new.exp() / old.exp() - 1).abs() > clip_coef).float().mean(),
        ),
        gauge_mistake(
            "count-not-share",
            "You returned how many rows lie outside. The fraction is their share of the batch, a number from 0 to 1, so "
            "that batches of any size can be compared.",
            lambda new, old, *, clip_coef: ((new - old).expm1().abs() > clip_coef).sum(),
        ),
        gauge_mistake(
            "mean-of-flags",
            "torch takes no mean of flags: True and False are not numbers to it. Turn them into numbers first, with float() or "
            ".to(log_prob.dtype); 1 for outside and 0 for inside have the share as their mean.",
            lambda new, old, *, clip_coef: ((new - old).expm1().abs() > clip_coef).mean(),
        ),
        gauge_mistake(
            "average-distance",
            "You returned how far the ratios are from 1 on average. The clip fraction only counts: outside of the "
            "interval or not.",
            lambda new, old, *, clip_coef: (new - old).expm1().abs().mean(),
            lambda new, old, *, clip_coef: ((new - old).expm1().abs() - clip_coef).clamp(min=0).mean(),
        ),
        gauge_mistake(
            "mean-compared",
            "You averaged first, the ratios or their distances from 1, and asked of the mean whether it lies outside. Ratios of "
            "0.5 and 1.5 average to 1 and are both outside. Ask of every row, then take the mean of the answers.",
            lambda new, old, *, clip_coef: ((new - old).exp().mean() - 1).abs() > clip_coef,
            lambda new, old, *, clip_coef: (new - old).expm1().abs().mean() > clip_coef,
        ),
    ),
)
