"""approx_kl(log_prob, old_log_prob): how far the policy has moved, from the samples alone."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.compare import Tolerance
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_04.ratios import call_with_ratios
from pgcourse.checks.unit_04.spellings import Formula, without_gradient
from pgcourse.diagnostics import approx_kl


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"log_prob": torch.tensor([0.5]).log(), "old_log_prob": torch.tensor([0.25]).log()}
    yield {"log_prob": torch.tensor([0.5, 0.3]).log(), "old_log_prob": torch.tensor([0.25, 0.6]).log()}
    yield {"log_prob": torch.tensor([0.2, 0.7, 0.5]).log(), "old_log_prob": torch.tensor([0.2, 0.7, 0.5]).log()}
    yield {"log_prob": torch.tensor([-200.0, -199.0]), "old_log_prob": torch.tensor([-200.0, -200.0])}
    source = generator(seed)
    old = -normal(source, 10).abs() - 0.2
    yield {"log_prob": old + 0.5 * normal(source, 10), "old_log_prob": old}
    old = -normal(source, 7, dtype=torch.float64).abs() - 0.2
    yield {"log_prob": old - 0.3 + 0.3 * normal(source, 7, dtype=torch.float64), "old_log_prob": old}


def _with_ratio(log_prob: Tensor, old_log_prob: Tensor) -> Tensor:
    with torch.no_grad():
        log_ratio = log_prob - old_log_prob
        return ((log_ratio.exp() - 1) - log_ratio).mean()


def _with_loop(log_prob: Tensor, old_log_prob: Tensor) -> float:
    total = 0.0
    for new, old in zip(log_prob.tolist(), old_log_prob.tolist(), strict=True):
        total += math.exp(new - old) - 1 - (new - old)
    return total / len(log_prob)


def _in_double_precision(log_prob: Tensor, old_log_prob: Tensor) -> float:
    log_ratio = log_prob.detach().double() - old_log_prob.detach().double()
    return torch.mean(torch.expm1(log_ratio) - log_ratio).item()


def _with_control_variate(log_prob: Tensor, old_log_prob: Tensor) -> Tensor:
    """The plain estimator -log r plus (r - 1), whose expectation under the old policy is 0."""
    plain = (old_log_prob - log_prob).detach()
    control = (log_prob - old_log_prob).detach().exp().sub(1)
    return plain.mean() + control.mean()


def _mistake(id: str, explanation: str, *formulas: Formula) -> Misconception:
    """A misconception in two spellings of each formula, with a gradient left and without."""
    attempts = [attempt for formula in formulas for attempt in (without_gradient(formula), formula)]
    return Misconception(id, explanation, attempts[0], tuple(attempts[1:]))


MISCONCEPTIONS = (
    Misconception(
        "gradient-flows",
        "The number is right, but a gradient flows through it. It is a gauge, read after the step: use torch.no_grad, "
        "detach or return a float, or every log of it keeps a graph in memory.",
        lambda log_prob, old_log_prob: ((log_prob - old_log_prob).expm1() - (log_prob - old_log_prob)).mean(),
        (
            lambda new, old: ((new - old.detach()).expm1() - (new - old.detach())).mean(),
            lambda new, old: ((new.detach() - old).expm1() - (new.detach() - old)).mean(),
        ),
    ),
    _mistake(
        "plain-estimator",
        "You returned the mean of old_log_prob - log_prob, the estimator k1. On average it is right, but on one batch it "
        "can come out negative, as in the first case, and a KL divergence cannot. Adding r - 1, whose mean under the "
        "old policy is 0, mends that.",
        lambda log_prob, old_log_prob: (old_log_prob - log_prob).mean(),
    ),
    _mistake(
        "plain-estimator-with-the-sign-flipped",
        "You returned the mean of log_prob - old_log_prob. Its average is minus the divergence: actions of the old "
        "policy are, on average, less likely under any other one. And one batch of it can have either sign.",
        lambda log_prob, old_log_prob: (log_prob - old_log_prob).mean(),
    ),
    _mistake(
        "absolute-difference",
        "You took absolute values to keep the estimate from going negative. That makes it positive, but no longer an "
        "estimate of the divergence: it is of the order of the step, the divergence of its square.",
        lambda log_prob, old_log_prob: (log_prob - old_log_prob).abs().mean(),
        lambda log_prob, old_log_prob: (log_prob - old_log_prob).mean().abs(),
    ),
    _mistake(
        "squared-difference",
        "You returned half the mean squared difference, the estimator k2. It is close to this one for small steps and "
        "biased for larger ones. The contract asks for mean((r - 1) - log r).",
        lambda log_prob, old_log_prob: 0.5 * (log_prob - old_log_prob).square().mean(),
        lambda log_prob, old_log_prob: (log_prob - old_log_prob).square().mean(),
    ),
    _mistake(
        "ratio-upside-down",
        "You used the old probability over the new one. The actions were sampled by the old policy, so the average of "
        "pi / pi_old over them is 1, and that is what makes r - 1 harmless; for pi_old / pi this does not hold.",
        lambda log_prob, old_log_prob: ((old_log_prob - log_prob).expm1() - (old_log_prob - log_prob)).mean(),
    ),
    _mistake(
        "other-direction",
        "You estimated the divergence the other way round, KL(pi || pi_old), by weighting with r. The contract asks for "
        "KL(pi_old || pi): the data are from pi_old, and mean((r - 1) - log r) needs no weights.",
        lambda new, old: ((new - old).exp() * (new - old)).mean(),
        lambda new, old: ((new - old).exp() * (new - old) - (new - old).expm1()).mean(),
    ),
    _mistake(
        "weighted-by-the-probability",
        "You multiplied by the probability, as in the formula with a sum over all actions. Here the mean runs over "
        "sampled actions, and sampling has weighted them already: likely ones would count twice.",
        lambda new, old: (old.exp() * (old - new)).sum(),
        lambda new, old: (old.exp() * (old - new)).mean(),
        lambda new, old: (new.exp() * (new - old)).sum(),
        lambda new, old: (new.exp() * (new - old)).mean(),
        lambda new, old: torch.nn.functional.kl_div(new, old.exp(), reduction="sum"),
        lambda new, old: torch.nn.functional.kl_div(new, old.exp(), reduction="mean"),
    ),
    _mistake(
        "one-not-subtracted",
        "You left out the - 1. Two equal policies then have a divergence of 1; it must be 0.",
        lambda new, old: ((new - old).exp() - (new - old)).mean(),
    ),
    _mistake(
        "logarithm-added",
        "You added log r; it is subtracted. Then both parts pull the same way, and the result is negative where actions "
        "became rarer.",
        lambda new, old: ((new - old).expm1() + (new - old)).mean(),
    ),
    _mistake(
        "logarithm-left-out",
        "You returned the mean of r - 1. Its average under the old policy is 0 however far the policy has moved: it only "
        "calms the estimate. What measures the divergence is - log r.",
        lambda new, old: (new - old).expm1().mean(),
    ),
    _mistake(
        "exponential-missing",
        "You used the difference of the log-probabilities as the ratio itself, and perhaps took its logarithm again. r "
        "is exp(log_prob - old_log_prob), and log r is the difference.",
        lambda new, old: ((new - old - 1) - (new - old).log()).mean(),
        lambda new, old: ((new / old - 1) - (new / old).log()).mean(),
        lambda new, old: ((new - old - 1) - (new - old)).mean(),
    ),
    _mistake(
        "probabilities-divided",
        "You turned both into probabilities and divided. With log-probabilities of -200 this is 0 / 0. Subtract the "
        "logarithms and take the exponential of the difference.",
        lambda new, old: ((new.exp() / (old.exp() + 1e-8) - 1) - (new - old)).mean(),
        lambda new, old: ((new.exp() / old.exp() - 1) - (new - old)).mean(),
        lambda new, old: ((new.exp() / old.exp() - 1) - (new.exp() / old.exp()).log()).mean(),
        lambda new, old: ((new.exp() / (old.exp() + 1e-8) - 1) - (new.exp() / (old.exp() + 1e-8)).log()).mean(),
    ),
    _mistake(
        "sum-for-mean",
        "You summed over the batch. A divergence is an average over the actions; with a sum, the limit of 0.015 at which "
        "PPO stops would depend on the batch size.",
        lambda new, old: ((new - old).expm1() - (new - old)).sum(),
    ),
    _mistake(
        "not-reduced",
        "You returned one number a row. The divergence is one number for the batch: take their mean.",
        lambda new, old: (new - old).expm1() - (new - old),
    ),
)

EXERCISE = Exercise(
    id="approx_kl",
    unit="04",
    title="Approximate KL divergence",
    points=2,
    minutes=10,
    difficulty=2,
    cases=cases,
    show_case=call_with_ratios("approx_kl", "log_prob, old_log_prob"),
    observe=Call("log_prob, old_log_prob", constant=("log_prob", "old_log_prob")),
    tolerance=Tolerance(number_for_scalar=True),
    reference=approx_kl,
    alternatives=(_with_ratio, _with_loop, _in_double_precision, _with_control_variate),
    hints=(
        "Work the first case by hand: the ratio is 2. What is (r - 1) - log r, and what would -log r alone have been?",
        "log r is the difference of the two log-probabilities and r its exponential. Put both into (r - 1) - log r for "
        "each row, then take the mean. Under torch.no_grad, because nobody trains on it.",
        "with torch.no_grad(): log_ratio = log_prob - old_log_prob; return ((log_ratio.exp() - 1) - log_ratio).mean()",
    ),
    misconceptions=MISCONCEPTIONS,
)
