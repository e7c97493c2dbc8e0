"""probability_ratio(log_prob, old_log_prob): how much more likely the policy has made the actions that were taken."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_04.ratios import call_with_ratios
from pgcourse.checks.unit_04.spellings import Formula, mistake


def probability_ratio(log_prob: Tensor, old_log_prob: Tensor) -> Tensor:
    """r = pi(a|s) / pi_old(a|s), as the exponential of a difference of logarithms: [B], [B] -> [B]."""
    return (log_prob - old_log_prob.detach()).exp()


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"log_prob": torch.tensor([0.5]).log(), "old_log_prob": torch.tensor([0.25]).log()}
    yield {"log_prob": torch.tensor([0.2, 0.3, 0.9]).log(), "old_log_prob": torch.tensor([0.4, 0.3, 0.6]).log()}
    # Probabilities of e^-200: 0 in float32, so that only a difference of logarithms still tells their ratio.
    yield {"log_prob": torch.tensor([-200.0, -199.0]), "old_log_prob": torch.tensor([-200.0, -200.0])}
    source = generator(seed)
    old = -normal(source, 8).abs()
    yield {"log_prob": old + 0.5 * normal(source, 8), "old_log_prob": old}
    old = -normal(source, 5, dtype=torch.float64).abs() - 1
    yield {"log_prob": old + 0.3 * normal(source, 5, dtype=torch.float64), "old_log_prob": old}


def _by_quotient_of_small_differences(log_prob: Tensor, old_log_prob: Tensor) -> Tensor:
    """Probabilities relative to the old one: exp(log p - c) / exp(log q - c) with c = log q."""
    anchor = old_log_prob.detach()
    return torch.exp(log_prob - anchor) / torch.exp(anchor - anchor)


def _with_loop(log_prob: Tensor, old_log_prob: Tensor) -> Tensor:
    pairs = zip(log_prob.unbind(), old_log_prob.tolist(), strict=True)
    return torch.stack([torch.exp(new - old) for new, old in pairs])


def _in_double_precision(log_prob: Tensor, old_log_prob: Tensor) -> Tensor:
    # Double precision still holds e^-200, so even the division is right.
    return (log_prob.double().exp() / old_log_prob.detach().double().exp()).to(log_prob.dtype)


def _with_expm1(log_prob: Tensor, old_log_prob: Tensor) -> Tensor:
    with torch.no_grad():
        constant = old_log_prob.clone()
    return 1 + torch.expm1(torch.sub(log_prob, constant))


def _mistake(id: str, explanation: str, *formulas: Formula) -> Misconception:
    return mistake(id, explanation, *formulas, constants=(1,))


MISCONCEPTIONS = (
    Misconception(
        "gradient-into-the-old-policy",
        "The numbers are right, but a gradient flows into old_log_prob. The old policy is the one that collected the "
        "data: it is over, and nothing may change it. Treat its log-probabilities as constants.",
        lambda log_prob, old_log_prob: (log_prob - old_log_prob).exp(),
    ),
    Misconception(
        "detached",
        "The numbers are right, but they are cut off from log_prob. The ratio is the only place where the policy enters "
        "PPO's loss: without a path to log_prob, training would leave it as it is. Only the old one is a constant.",
        lambda log_prob, old_log_prob: (log_prob - old_log_prob).exp().detach(),
        (lambda log_prob, old_log_prob: (log_prob.detach() - old_log_prob).exp(),),
    ),
    _mistake(
        "exponential-missing",
        "You returned the difference of the log-probabilities. That is the logarithm of the ratio: 0 where nothing has "
        "changed, and negative where the action became rarer. A ratio is 1 where nothing has changed.",
        lambda log_prob, old_log_prob: log_prob - old_log_prob,
    ),
    _mistake(
        "ratio-of-logarithms",
        "You divided one logarithm by the other. The logarithm of a ratio is a difference: log(p / q) = log p - log q, "
        "and the exponential turns it back into a ratio.",
        lambda log_prob, old_log_prob: log_prob / old_log_prob,
        lambda log_prob, old_log_prob: (log_prob / old_log_prob).exp(),
        lambda log_prob, old_log_prob: log_prob / (old_log_prob + 1e-8),
    ),
    _mistake(
        "probabilities-divided",
        "You turned both into probabilities and divided. A probability of e^-200 is 0 in float32, so the division gives "
        "NaN, or, with a small number added below, 0. Subtract the logarithms first and take the exponential last.",
        lambda log_prob, old_log_prob: log_prob.exp() / (old_log_prob.exp() + 1e-8),
        lambda log_prob, old_log_prob: log_prob.exp() / old_log_prob.exp(),
        lambda log_prob, old_log_prob: log_prob.exp() / old_log_prob.exp().clamp(min=1e-8),
        lambda log_prob, old_log_prob: (log_prob.exp() + 1e-8) / (old_log_prob.exp() + 1e-8),
    ),
    _mistake(
        "upside-down",
        "Your ratio is the old probability over the new one. It must be above 1 where the new policy likes the action "
        "better: the new policy stands on top.",
        lambda log_prob, old_log_prob: (old_log_prob - log_prob).exp(),
    ),
    _mistake(
        "whole-batch-at-once",
        "You joined the batch into a single number. Each row is a decision of its own and is clipped on its own later, "
        "so the answer has one ratio a row.",
        lambda log_prob, old_log_prob: (log_prob - old_log_prob).exp().mean(),
        lambda log_prob, old_log_prob: (log_prob - old_log_prob).exp().sum(),
        lambda log_prob, old_log_prob: (log_prob - old_log_prob).sum().exp(),
        lambda log_prob, old_log_prob: (log_prob - old_log_prob).mean().exp(),
    ),
    _mistake(
        "one-subtracted",
        "You returned how far the ratio is from 1. Clip fraction and the KL estimate need that later; the ratio itself "
        "is 1 where nothing has changed.",
        lambda log_prob, old_log_prob: (log_prob - old_log_prob).expm1(),
        lambda log_prob, old_log_prob: ((log_prob - old_log_prob).expm1()).abs(),
    ),
    _mistake(
        "already-clipped",
        "Your ratio is clipped already. The loss needs both, the ratio as it is and the clipped one, to take the worse "
        "of the two; clipping is its business.",
        lambda log_prob, old_log_prob: (log_prob - old_log_prob).exp().clamp(0.8, 1.2),
        lambda log_prob, old_log_prob: (log_prob - old_log_prob).clamp(-0.2, 0.2).exp(),
    ),
    _mistake(
        "difference-of-probabilities",
        "You subtracted the probabilities. A change from 0.01 to 0.02 would then look tiny although the action became "
        "twice as likely. The ratio measures the change in proportion.",
        lambda log_prob, old_log_prob: log_prob.exp() - old_log_prob.exp(),
    ),
    _mistake(
        "every-row-with-every-row",
        "Your result has a row and a column for each element: broadcasting compared every new log-probability with "
        "every old one. Row b of the one belongs to row b of the other; look for an extra axis.",
        lambda log_prob, old_log_prob: (log_prob[:, None] - old_log_prob[None, :]).exp(),
        lambda log_prob, old_log_prob: (log_prob[None, :] - old_log_prob[:, None]).exp(),
    ),
)

EXERCISE = Exercise(
    id="probability_ratio",
    unit="04",
    title="The probability ratio",
    points=1,
    minutes=6,
    difficulty=1,
    cases=cases,
    show_case=call_with_ratios("probability_ratio", "log_prob, old_log_prob"),
    observe=Call("log_prob, old_log_prob", differentiable=("log_prob",), constant=("old_log_prob",)),
    reference=probability_ratio,
    alternatives=(_by_quotient_of_small_differences, _with_loop, _in_double_precision, _with_expm1),
    hints=(
        "Work the first case by hand: the probability went from 1/4 to 1/2. What is the ratio, and what is the "
        f"difference of the logarithms {math.log(0.5):.3f} and {math.log(0.25):.3f}?",
        "log(p / q) = log p - log q. Take the difference first, where numbers like -200 are harmless, and the "
        "exponential last. Detach the old log-probabilities: they are data.",
        "return (log_prob - old_log_prob.detach()).exp()",
    ),
    misconceptions=MISCONCEPTIONS,
)
