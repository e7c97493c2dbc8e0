"""probability_ratio(log_prob, old_log_prob): how much more likely the policy has made the actions that were taken."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.authoring import Call, Case, Exercise, edits_of, generator, normal
from pgcourse.checks.unit_04.ratios import call_with_ratios, mistakes_in_the_ratio


def probability_ratio(log_prob: Tensor, old_log_prob: Tensor) -> Tensor:
    """rho = pi(a|s) / pi_old(a|s), as the exponential of a difference of logarithms: [B], [B] -> [B]."""
    return (log_prob - old_log_prob.detach()).exp()


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"log_prob": torch.tensor([0.5]).log(), "old_log_prob": torch.tensor([0.25]).log()}
    yield {"log_prob": torch.tensor([0.2, 0.3, 0.9]).log(), "old_log_prob": torch.tensor([0.4, 0.3, 0.6]).log()}
    # Probabilities of e^-200: 0 in float32, so that only a difference of logarithms still tells their ratio.
    yield {"log_prob": torch.tensor([-200.0, -199.0]), "old_log_prob": torch.tensor([-200.0, -200.0])}
    # Ratios of 500, of 0.002 and of e^60: large ones are ratios too.
    yield {
        "log_prob": torch.tensor([0.5, 0.001, 0.5]).log(),
        "old_log_prob": torch.cat([torch.tensor([0.001, 0.5]).log(), torch.tensor([-60.0])]),
    }
    source = generator(seed)
    old = -normal(source, 8).abs()
    yield {"log_prob": old + 0.5 * normal(source, 8), "old_log_prob": old}
    old = -normal(source, 5, dtype=torch.float64).abs() - 1
    yield {"log_prob": old + 0.3 * normal(source, 5, dtype=torch.float64), "old_log_prob": old}
    # Probabilities that are 0 in float32, and ratios from e^-40 to e^40.
    old = -200 + normal(source, 4)
    yield {"log_prob": old + torch.tensor([0.0, 1.0, -40.0, 40.0]) + 0.5 * normal(source, 4), "old_log_prob": old}


def written_out(log_prob, old_log_prob):  # type: ignore[no-untyped-def]
    """The same in two steps, from which the wrong answers are made."""
    old_log_prob = old_log_prob.detach()
    log_ratio = log_prob - old_log_prob
    return log_ratio.exp()


mistake = edits_of(written_out)

EXERCISE = Exercise.listed(
    "probability_ratio",
    cases=cases,
    observe=Call("log_prob, old_log_prob", differentiable=("log_prob",), constant=("old_log_prob",)),
    reference=probability_ratio,
    show_case=call_with_ratios("probability_ratio", "log_prob, old_log_prob"),
    hints=(
        "Work the first case by hand: the probability went from 1/4 to 1/2. What is the ratio, and what is the "
        f"difference of the logarithms {math.log(0.5):.3f} and {math.log(0.25):.3f}?",
        "log(p / q) = log p - log q. Take the difference first, where numbers like -200 are harmless, and the "
        "exponential last. Detach the old log-probabilities: they are data.",
        "return (log_prob - old_log_prob.detach()).exp()",
    ),
    misconceptions=(
        mistake(
            "ratio-of-logarithms",
            "You divided one logarithm by the other. The logarithm of a ratio is a difference: log(p / q) = log p - log q.",
            {" - ": " / ", ".exp()": ""},
            {" - ": " / "},
        ),
        mistake(
            "whole-batch-at-once",
            "You joined the batch into one number. Each row is clipped on its own later, so the answer has one ratio a row.",
            {"log_ratio.exp": "log_ratio.sum().exp"},
            {"log_ratio.exp": "log_ratio.mean().exp"},
        ),
        mistake(
            "self-normalised",
            "You divided the ratios by their mean or sum, as weighted importance sampling does. Each row's ratio then depends on "
            "all the others, and where every action has become twice as likely you see 1. PPO clips each ratio as it is.",
            {"exp()": "softmax(0) * len(log_prob)"},
            {"exp()": "softmax(0)"},
        ),
        mistake(
            "limited-here",
            "You limited the ratio or its logarithm. How far an action's probability has moved is what is asked for; where the "
            "ratio stops to count, the loss decides, and it needs the true one beside the limited one.",
            *(
                {"log_ratio.exp": f"log_ratio.clamp({low}{most}).exp"}
                for most in (20, 10, 5, 2, 1)
                for low in (f"-{most}, ", "max=")
            ),
            *({"exp()": f"exp().clamp({limits})"} for limits in ("0.8, 1.2", "max=10", "max=100", "1e-8, 1e8")),
        ),
        *mistakes_in_the_ratio(mistake),
    ),
)
