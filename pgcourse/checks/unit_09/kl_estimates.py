"""kl_estimates(log_prob, reference_log_prob): the estimates k1, k2 and k3 of a KL divergence, one each for every token."""

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.authoring import Call, Case, Exercise, edits_of, generator, normal


def kl_estimates(log_prob: Tensor, reference_log_prob: Tensor) -> dict[str, Tensor]:
    """k1, k2 and k3 of KL(p, q) for each token that was drawn from p. Source: Schulman, "Approximating KL divergence" (2020)."""
    difference = log_prob - reference_log_prob.detach()
    k1 = difference
    k2 = 0.5 * difference**2
    k3 = (-difference).exp() - 1 + difference
    return {"k1": k1, "k2": k2, "k3": k3}


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield _case([-1.0], [-2.0])
    yield _case([-2.0], [-1.0])
    yield _case(-0.5, -1.5)
    yield _case([[-1.0, -0.5], [-0.7, -3.0]], [[-1.0, -0.1], [-1.7, -2.5]])
    yield _case([0.0, -0.25, -4.0], [-0.5, -0.5, -2.0])
    # The reference would choose tokens that the model hardly does: k3 and its gradient are large, and stay what they are.
    yield _case([-4.0, -9.0, -25.0], [-1.0, -1.0, -1.0])
    # A probability of e^-200 is 0 in float32, and so is a ratio of e^-149.
    yield _case([-200.0, -1.0], [-199.0, -150.0])
    source = generator(seed)
    yield _random(source, 3, 4)
    yield _random(source, 9)
    yield _random(source, 2, 3, 2, dtype=torch.float64)
    # What is unlikely to one of the two, and to both.
    log_prob = torch.tensor([-4.0, -9.0, -25.0, -200.0, -1.0]) - normal(source, 5).abs()
    yield {"log_prob": log_prob, "reference_log_prob": torch.tensor([-1.0, -1.0, -1.0, -199.0, -150.0])}


def _case(log_prob: object, reference_log_prob: object) -> Case:
    return {"log_prob": torch.tensor(log_prob), "reference_log_prob": torch.tensor(reference_log_prob)}


def _random(source: torch.Generator, *shape: int, dtype: torch.dtype = torch.float32) -> Case:
    reference = -1.5 * normal(source, *shape, dtype=torch.float64).abs() - 1
    log_prob = (reference + 0.7 * normal(source, *shape, dtype=torch.float64)).clamp(max=0.0)
    return {"log_prob": log_prob.to(dtype), "reference_log_prob": reference.to(dtype)}


mistake = edits_of(kl_estimates)
K3 = "(-difference).exp() - 1 + difference"
RATIO = "(-difference).exp()"
DICT = '{"k1": k1, "k2": k2, "k3": k3}'

EXERCISE = Exercise.listed(
    "kl_estimates",
    cases=cases,
    observe=Call("log_prob, reference_log_prob", differentiable=("log_prob",), constant=("reference_log_prob",)),
    reference=kl_estimates,
    hints=(
        "Work the first case by hand: log p is -1 and log q is -2. What is log p - log q, and what is q/p? Which of the two is "
        "exp(-1)?",
        "All three come from one difference, log p - log q, with log q detached. k1 is the difference, k2 half of its square. "
        "log(q/p) is minus the difference and q/p the exponential of that. Nothing is averaged.",
        'difference = log_prob - reference_log_prob.detach(); return {"k1": difference, "k2": difference ** 2 / 2, "k3": '
        "(-difference).exp() - 1 + difference}",
    ),
    misconceptions=(
        mistake(
            "difference-reversed",
            "You took log q - log p. k1 is log p - log q, positive where the model likes the token better than the reference "
            "does. In k3 it is the other way round: there q/p is asked for, the exponential of minus the difference.",
            {"log_prob - reference_log_prob.detach()": "reference_log_prob.detach() - log_prob"},
            {"k1 = difference": "k1 = -difference"},
        ),
        mistake(
            "ratio-upside-down",
            "Your k3 has p/q where q/p is asked for, or another sign before its logarithm. The tokens come from p, so q/p is 1 "
            "on average and p/q is not. With d = log p - log q it is exp(-d) - 1 + d.",
            {K3: "difference.exp() - 1 - difference"},
            {K3: "difference.exp() - 1 + difference"},
            {K3: "(-difference).exp() - 1 - difference"},
            {K3: "1 - difference.exp() + difference"},
        ),
        mistake(
            "part-of-k3-left-out",
            "A part of k3 is missing. It has three: q/p, minus 1, minus log(q/p). Together they are 0 where p and q agree and "
            "positive everywhere else.",
            {K3: "(-difference).exp() - 1"},
            {K3: "(-difference).exp() + difference"},
            {K3: "1 - (-difference).exp()"},
            {K3: "(-difference).exp()"},
        ),
        mistake(
            "half-missing",
            "Your k2 is not half of the square: the half is missing, or it is inside the square. With the half its gradient is "
            "the difference times the gradient of log p, and near p = q it agrees with the other two.",
            {"0.5 * difference**2": "difference**2"},
            {"0.5 * difference**2": "(0.5 * difference) ** 2"},
        ),
        mistake(
            "square-of-another-difference",
            "Your k2 squares another difference: of a ratio and 1, or of the probabilities. Asked for is half of the square of "
            "log p - log q. The two are close for small steps and far apart for large ones.",
            *(
                {"0.5 * difference**2": f"{half}({of}) ** 2"}
                for of in (
                    "(-difference).exp() - 1",
                    "difference.exp() - 1",
                    "log_prob.exp() - reference_log_prob.exp()",
                )
                for half in ("0.5 * ", "")
            ),
        ),
        mistake(
            "kept-in-bounds",
            "You kept an estimate from being negative or large, with an absolute value or a clamp. k1 of a single token may be "
            "negative, and only with these tokens is its mean the divergence. A large difference counts as it is.",
            {"k1 = difference": "k1 = difference.abs()"},
            {"k1 = difference": "k1 = difference.clamp(min=0)"},
            {K3: f"({K3}).clamp(-10, 10)"},
            {"reference_log_prob.detach()": "reference_log_prob.detach()\n    difference = difference.clamp(-20, 20)"},
            {"reference_log_prob.detach()": "reference_log_prob.detach()\n    difference = difference.abs()"},
            {"reference_log_prob.detach()": "reference_log_prob.detach()\n    difference = difference.clamp(min=0)"},
            {K3: "difference.abs().neg().exp() - 1 + difference.abs()"},
        ),
        mistake(
            "gradient-of-one-cut",
            "The numbers are right, and the gradient of an estimate, or of a part of it, is cut. Each of the three has a "
            "gradient of its own, which is what they differ in: only log q is data.",
            {"k1 = difference": "k1 = difference.detach()"},
            {"0.5 * difference**2": "0.5 * difference.detach() ** 2"},
            {"0.5 * difference**2": "0.5 * difference.detach() * difference"},
            {K3: "difference.detach().neg().exp() - 1 + difference.detach()"},
            {K3: "difference.detach().neg().exp() - 1 + difference"},
            {K3: "(-difference).exp() - 1 + difference.detach()"},
            {"k1 = difference": "k1 = difference.detach()", K3: "(-k1).exp() - 1 + k1"},
            {"k1 = difference": "k1 = difference.detach()", "difference**2": "k1**2"},
            {
                "difference**2": "difference.detach() ** 2",
                K3: "difference.detach().neg().exp() - 1 + difference.detach()",
            },
        ),
        mistake(
            "averaged",
            "You took a mean or a sum. Each token has three estimates of its own, and whoever calls decides how they are "
            "averaged and which of them the mask leaves out. Return tensors in the shape of the input.",
            {DICT: '{"k1": k1.mean(), "k2": k2.mean(), "k3": k3.mean()}'},
            {DICT: '{"k1": k1.sum(), "k2": k2.sum(), "k3": k3.sum()}'},
            {DICT: '{"k1": k1.sum(-1), "k2": k2.sum(-1), "k3": k3.sum(-1)}'},
            {DICT: '{"k1": k1.mean(-1), "k2": k2.mean(-1), "k3": k3.mean(-1)}'},
            {"k1 = difference": "k1 = difference.mean()"},
            {"k1 = difference": "k1 = difference.mean().expand_as(log_prob)"},
            {"k1 = difference": "k1 = difference.mean()", "difference**2": "k1**2", K3: "(-k1).exp() - 1 + k1"},
        ),
        mistake(
            "logarithms-divided",
            "You divided one log-probability by the other. That is no ratio of probabilities: q/p is the exponential of "
            "log q - log p.",
            {RATIO: "reference_log_prob.detach() / log_prob"},
            {RATIO: "log_prob / reference_log_prob.detach()"},
            {K3: "(ratio := reference_log_prob.detach() / log_prob) - 1 - ratio.log()"},
            {K3: "(ratio := log_prob / reference_log_prob.detach()) - 1 - ratio.log()"},
            {"log_prob - reference_log_prob.detach()": "log_prob / reference_log_prob.detach()"},
        ),
        mistake(
            "exponential-first",
            "You took exponentials first and divided, or took a logarithm again. e^-200 and e^-149 are 0 in float32, and then "
            "the quotient is NaN or the logarithm infinite; a small number that is added makes both wrong. Stay with "
            "the difference.",
            {RATIO: "reference_log_prob.detach().exp() / (log_prob.exp() + 1e-8)"},
            {RATIO: "reference_log_prob.detach().exp() / log_prob.exp()"},
            {"1 + difference": "1 - ((-difference).exp() + 1e-8).log()"},
            {"1 + difference": "1 - (-difference).exp().log()"},
            {K3: "(ratio := reference_log_prob.detach().exp() / log_prob.exp()) - 1 - ratio.log()"},
            {"log_prob - reference_log_prob.detach()": "(log_prob.exp() / reference_log_prob.detach().exp()).log()"},
        ),
        mistake(
            "weighted-again",
            "You multiplied by a probability or by a ratio, as in the sum over all tokens that defines the divergence. These "
            "tokens were drawn from p: frequent ones come up more often already. Weighted again, they count twice.",
            {"k1 = difference": "k1 = log_prob.exp() * difference"},
            {"k1 = difference": "k1 = difference.exp() * difference"},
            {"k1 = difference": "k1 = log_prob.detach().exp() * difference"},
            {DICT: '{"k1": log_prob.exp() * k1, "k2": log_prob.exp() * k2, "k3": log_prob.exp() * k3}'},
            {K3: "difference.exp() * difference - difference.exp() + 1"},
        ),
        mistake(
            "not-by-name",
            "Each estimate has to stand under its own name in a dict. Whoever calls asks for one of them by its name: "
            'return {"k1": ..., "k2": ..., "k3": ...}.',
            {DICT: "(k1, k2, k3)"},
            {DICT: "[k1, k2, k3]"},
            {DICT: '{"k1": k1, "k2": k3, "k3": k2}'},
            {DICT: "torch.stack([k1, k2, k3])"},
            {DICT: "k3"},
            {DICT: '{"K1": k1, "K2": k2, "K3": k3}'},
            {DICT: "{1: k1, 2: k2, 3: k3}"},
        ),
    ),
)
