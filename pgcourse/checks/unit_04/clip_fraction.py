"""clip_fraction(log_prob, old_log_prob, *, clip_coef): how much of the batch lies outside of the interval."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, integers
from pgcourse.checks.compare import Tolerance
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_04.clip_fraction_wrong import MISCONCEPTIONS
from pgcourse.checks.unit_04.ratios import call_with_ratios
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


EXERCISE = Exercise(
    id="clip_fraction",
    unit="04",
    title="Clip fraction",
    points=1,
    minutes=6,
    difficulty=1,
    cases=cases,
    show_case=call_with_ratios("clip_fraction", "log_prob, old_log_prob, *, clip_coef"),
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
    misconceptions=MISCONCEPTIONS,
)
