"""clip_fraction(log_prob, old_log_prob, *, clip_coef): how much of the batch lies outside of the interval."""

from collections.abc import Iterator

import torch

from pgcourse.checks.authoring import Call, Case, Exercise, edits_of, generator, integers, normal, rewritten
from pgcourse.checks.compare import Tolerance
from pgcourse.checks.unit_04.ratios import call_with_ratios, mistakes_in_the_ratio
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
    yield from_ratios([1.0, 1.1, 1.0, 0.97], clip_coef=0.0)
    yield from_ratios([1.7, 0.1, 0.45], clip_coef=0.8)
    source = generator(seed)
    # How many there are is drawn: a share that somebody guesses is another one in each set.
    for few, clip_coef, dtype in ((11, 0.3, torch.float32), (8, 0.1, torch.float64)):
        batch = few + int(integers(source, 9))
        distance = torch.tensor(DISTANCES, dtype=torch.float64)[integers(source, len(DISTANCES), batch)]
        yield from_ratios((1 + clip_coef * distance).tolist(), clip_coef=clip_coef, dtype=dtype)
    # Probabilities that are 0 in float32, some of them the same as before: on the edge. How many there are is drawn.
    old = -200 + normal(source, 11 + int(integers(source, 40)))
    yield {"log_prob": old + 0.5 * integers(source, 2, len(old)), "old_log_prob": old, "clip_coef": 0.0}
    coefficient = 0.2 + 0.3 * float(torch.rand(1, generator=source))
    close = [1 + coefficient * distance for distance in (1.002, 0.998, -1.002, -0.998, 0.5)]
    yield from_ratios(close, clip_coef=coefficient)


def from_ratios(ratios: list[float], *, clip_coef: float, dtype: torch.dtype = torch.float32) -> Case:
    """Log-probabilities with these ratios."""
    old = torch.linspace(0.1, 0.3, len(ratios), dtype=torch.float64)
    new = old * torch.tensor(ratios, dtype=torch.float64)
    return {"log_prob": new.log().to(dtype), "old_log_prob": old.log().to(dtype), "clip_coef": clip_coef}


def written_out(log_prob, old_log_prob, *, clip_coef):  # type: ignore[no-untyped-def]
    """A right answer in a learner's words, from which the wrong ones are made."""
    with torch.no_grad():
        log_ratio = log_prob - old_log_prob
        ratio = log_ratio.exp()
        distance = (ratio - 1).abs()
        return (distance > clip_coef).float().mean()


mistake = edits_of(written_out)

EXERCISE = Exercise.listed(
    "clip_fraction",
    cases=cases,
    observe=Call("log_prob, old_log_prob, *, clip_coef"),
    tolerance=Tolerance(number_for_scalar=True),
    reference=clip_fraction,
    guesses=(lambda log_prob, old_log_prob, **_: (log_prob != old_log_prob).float().mean(),),  # for a clip_coef of 0
    # In another precision: a plain number is as good in any.
    also_correct=(written_out, rewritten(written_out, {"float()": "double()"})),
    show_case=call_with_ratios("clip_fraction", "log_prob, old_log_prob, *, clip_coef"),
    hints=(
        "Work the second case by hand: which of the ratios 1, 1.1, 0.5, 1.5 and 3 are further than 0.2 away from 1?",
        "Compute the ratio, compare its distance from 1 with clip_coef, and take the mean of the resulting flags. A mean "
        "needs numbers: turn the flags into floats first.",
        "ratio = (log_prob - old_log_prob).exp(); return ((ratio - 1).abs() > clip_coef).float().mean()",
    ),
    misconceptions=(
        mistake(
            "one-side-only",
            "You counted the ratios on one side of the interval only. Actions that became much likelier are outside of it, above "
            "1 + clip_coef, and so are those that became much rarer, below 1 - clip_coef.",
            {".abs()": ""},
            {".abs()": ".neg()"},
        ),
        mistake(
            "edge-counted",
            "You counted the ratios on the edge of the interval too. Outside is what is further away from 1 than clip_coef, not "
            "as far: with a clip_coef of 0, a policy that has not moved would be outside.",
            {">": ">="},
        ),
        mistake(
            "logarithm-compared",
            "Your interval is symmetric in the difference of the log-probabilities, and then it is not symmetric around 1. For "
            "clip_coef 0.2, exp(0.2) is 1.22 and exp(-0.2) is 0.82: the ratios 1.21 and 0.81 tell the two apart.",
            {"(ratio - 1)": "log_ratio"},
            {"log_ratio.exp()": "log_ratio.abs().exp()"},
        ),
        mistake(
            "inside-counted",
            "You counted the rows inside of the interval. The clip fraction is the share outside, 0 while nothing has moved.",
            {">": "<="},
            {">": "<"},
        ),
        mistake(
            "interval-of-another-width",
            "Your interval has another width. clip_coef is half of it: on each side of 1 the ratio may go clip_coef far, from "
            "1 - clip_coef to 1 + clip_coef.",
            {"> clip_coef": "> clip_coef / 2"},
            {"> clip_coef": "> 2 * clip_coef"},
        ),
        mistake(
            "mean-of-flags",
            "torch takes no mean of flags: True and False are not numbers to it. Turn them into numbers first, with float() or "
            ".to(log_prob.dtype); 1 for outside and 0 for inside have the share as their mean.",
            {".float()": ""},
        ),
        mistake(
            "averaged-before-the-comparison",
            "You averaged ratios or distances from 1, and not answers. Ratios of 0.5 and 1.5 average to 1 and are both "
            "outside. Ask of every row whether it lies outside, then take the mean of the answers.",
            {"log_ratio.exp()": "log_ratio.exp().mean()"},
            {".abs()": ".abs().mean()"},
            {"(distance > clip_coef).float()": "distance"},
            {"(distance > clip_coef).float()": "(distance - clip_coef).clamp(min=0)"},
        ),
        *mistakes_in_the_ratio(mistake),
    ),
)
