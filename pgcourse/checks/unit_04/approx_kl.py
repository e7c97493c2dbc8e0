"""approx_kl(log_prob, old_log_prob): how far the policy has moved, from the samples alone."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.compare import Tolerance
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_04.ratios import call_with_ratios, gauge_mistake, in_dtype
from pgcourse.diagnostics import approx_kl


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"log_prob": torch.tensor([0.5]).log(), "old_log_prob": torch.tensor([0.25]).log()}
    yield {"log_prob": torch.tensor([0.5, 0.3]).log(), "old_log_prob": torch.tensor([0.25, 0.6]).log()}
    yield {"log_prob": torch.tensor([0.2, 0.7, 0.5]).log(), "old_log_prob": torch.tensor([0.2, 0.7, 0.5]).log()}
    yield {"log_prob": torch.tensor([-200.0, -199.0]), "old_log_prob": torch.tensor([-200.0, -200.0])}
    # A ratio of e^-199: 0 in float32, so that its logarithm has to come from the difference.
    yield {"log_prob": torch.tensor([-200.0, -1.0]), "old_log_prob": torch.tensor([-1.0, -1.0])}
    source = generator(seed)
    old = -normal(source, 10).abs() - 0.2
    yield {"log_prob": old + 0.5 * normal(source, 10), "old_log_prob": old}
    old = -normal(source, 7, dtype=torch.float64).abs() - 0.2
    yield {"log_prob": old - 0.3 + 0.3 * normal(source, 7, dtype=torch.float64), "old_log_prob": old}


def k3(log_ratio: Tensor) -> Tensor:
    """Right: (r - 1) - log r."""
    return log_ratio.expm1() - log_ratio


def of_ratio(ratio: Tensor) -> Tensor:
    """The mean of (r - 1) - log r, with the logarithm taken of the ratio."""
    return ((ratio - 1) - ratio.log()).mean()


EXERCISE = Exercise.listed(
    "approx_kl",
    cases=cases,
    observe=Call("log_prob, old_log_prob", constant=("log_prob", "old_log_prob")),
    tolerance=Tolerance(number_for_scalar=True),
    reference=approx_kl,
    also_correct=(in_dtype(approx_kl, torch.float64), in_dtype(approx_kl, torch.float32)),
    show_case=call_with_ratios("approx_kl", "log_prob, old_log_prob"),
    hints=(
        "Work the first case by hand: the ratio is 2. What is (r - 1) - log r, and what would -log r alone have been?",
        "log r is the difference of the two log-probabilities and r its exponential. Put both into (r - 1) - log r for "
        "each row, then take the mean. Under torch.no_grad, because nobody trains on it.",
        "with torch.no_grad(): log_ratio = log_prob - old_log_prob; return ((log_ratio.exp() - 1) - log_ratio).mean()",
    ),
    misconceptions=(
        gauge_mistake(
            "plain-estimator",
            "You returned the mean difference of the log-probabilities. With old_log_prob first it is the estimator k1: right on "
            "average, but on one batch it can come out negative, as in the first case, and a KL divergence cannot. Adding r - 1, "
            "whose mean under the old policy is 0, mends that. With log_prob first, the sign is wrong too.",
            lambda new, old: (old - new).mean(),
            lambda new, old: (new - old).mean(),
        ),
        gauge_mistake(
            "plain-estimator-kept-positive",
            "You kept the plain estimator from going negative, with an absolute value or a maximum. That makes it positive, but "
            "no longer an estimate of the divergence: it is of the order of the step, the divergence of its square.",
            lambda new, old: (new - old).abs().mean(),
            lambda new, old: (new - old).mean().abs(),
            lambda new, old: (old - new).mean().clamp(min=0),
            lambda new, old: (old - new).clamp(min=0).mean(),
        ),
        gauge_mistake(
            "squared-difference",
            "You returned the mean squared difference, or half of it, the estimator k2. The half is close to this one for small "
            "steps and biased for larger ones. The contract asks for mean((r - 1) - log r).",
            lambda new, old: 0.5 * (new - old).square().mean(),
            lambda new, old: (new - old).square().mean(),
        ),
        gauge_mistake(
            "ratio-upside-down",
            "You used the old probability over the new one. The actions were sampled by the old policy, so the average of "
            "pi / pi_old over them is 1, and that is what makes r - 1 harmless; for pi_old / pi this does not hold.",
            lambda new, old: k3(old - new).mean(),
        ),
        gauge_mistake(
            "other-direction",
            "You estimated the divergence the other way round, KL(pi || pi_old), by weighting with r. The contract asks for "
            "KL(pi_old || pi): the data are from pi_old, and mean((r - 1) - log r) needs no weights.",
            lambda new, old: ((new - old).exp() * (new - old)).mean(),
            lambda new, old: ((new - old).exp() * (new - old) - (new - old).expm1()).mean(),
        ),
        gauge_mistake(
            "weighted-by-the-probability",
            "You multiplied by the probability, as in the formula with a sum over all actions. Here the mean runs over "
            "sampled actions, and sampling has weighted them already: likely ones would count twice.",
            lambda new, old: (old.exp() * (old - new)).sum(),
            lambda new, old: (old.exp() * (old - new)).mean(),
            lambda new, old: (new.exp() * (new - old)).sum(),
            lambda new, old: (new.exp() * (new - old)).mean(),
        ),
        gauge_mistake(
            "one-not-subtracted",
            "You left out the - 1. Two equal policies then have a divergence of 1; it must be 0.",
            lambda new, old: ((new - old).exp() - (new - old)).mean(),
        ),
        gauge_mistake(
            "logarithm-left-out",
            "You returned the mean of r - 1. Its average under the old policy is 0 however far the policy has moved: it only "
            "calms the estimate. What measures the divergence is - log r.",
            lambda new, old: (new - old).expm1().mean(),
        ),
        gauge_mistake(
            "logarithm-of-the-ratio",
            "You took the exponential first and the logarithm of the result again. A ratio of e^-199 is 0 in float32, and its "
            "logarithm -inf, or that of a small number that was added. log r is log_prob - old_log_prob, which you had before.",
            lambda new, old: ((new - old).expm1() - ((new - old).exp() + 1e-8).log()).mean(),
            lambda new, old: of_ratio((new - old).exp()),
        ),
        gauge_mistake(
            "exponential-missing",
            "You used the difference of the log-probabilities as the ratio itself, and perhaps took its logarithm again. r "
            "is exp(log_prob - old_log_prob), and log r is the difference.",
            lambda new, old: of_ratio(new - old),
            lambda new, old: of_ratio(new / old),
            lambda new, old: ((new - old - 1) - (new - old)).mean(),
        ),
        gauge_mistake(
            "probabilities-divided",
            "You turned both into probabilities and divided. With log-probabilities of -200 this is 0 / 0. Subtract the "
            "logarithms and take the exponential of the difference.",
            lambda new, old: ((new.exp() / (old.exp() + 1e-8) - 1) - (new - old)).mean(),
            lambda new, old: ((new.exp() / old.exp() - 1) - (new - old)).mean(),
            lambda new, old: of_ratio(new.exp() / old.exp()),
        ),
        gauge_mistake(
            "mean-before-the-formula",
            "You averaged first, the ratios or their logarithms, and put the mean into the formula. Rows that became likelier "
            "then cancel rows that became rarer. Compute (r - 1) - log r for each row, and take the mean last.",
            lambda new, old: of_ratio((new - old).exp().mean()),
            lambda new, old: k3((new - old).mean()),
        ),
    ),
)
