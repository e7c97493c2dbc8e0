"""categorical_entropy(logits): how undecided a policy is."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.authoring import Call, Case, Exercise, edits_of, generator, normal


def categorical_entropy(logits: Tensor) -> Tensor:
    """Minus the sum of p log p over the actions, in nats. logits [B, A] -> [B]; a logit of -inf contributes 0."""
    log_prob = logits.log_softmax(dim=-1)  # [B, A]
    # p is 0 there, but 0 * -inf is NaN, in the value and in the gradient: replace the factor, not the product.
    finite = log_prob.masked_fill(log_prob == -torch.inf, 0)
    return -(log_prob.exp() * finite).sum(dim=-1)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"logits": torch.tensor([[0.0, 0.0]])}
    yield {"logits": torch.tensor([[0.0, math.log(3)]])}
    yield {"logits": torch.tensor([[1.0, 2.0, 4.0], [0.0, 0.0, 0.0]])}
    yield {"logits": torch.tensor([[0.0, 0.0, -torch.inf]])}
    # -inf in first rows only: the observed gradient weighs others by more than 1, where that of torch's own entropy overflows.
    yield {"logits": torch.tensor([[0.0, 1.0, -torch.inf], [2.0, 0.0, 1.0]])}
    yield {"logits": torch.tensor([[1e4, -1e4, 0.0], [0.0, -1e4, 0.0], [-1e4, 20 - 1e4, -1e4]])}
    # Three equal ones: x - logsumexp(x) is right too, and of log 3 float32 leaves it enough digits at 10,000.
    yield {"logits": torch.tensor([[-1e4, -1e4, -1e4, -torch.inf], [1e4, 1e4 - 20, 0.0, 0.0]])}
    source = generator(seed)
    yield {"logits": normal(source, 5, 4)}
    yield {"logits": normal(source, 2, 6, dtype=torch.float64) * 2}
    large = [[-1e4, -1e4, -1e4, -torch.inf], [1e4, 1e4 - 20, 0.0, 0.0]]
    yield {"logits": torch.tensor([*large, *normal(source, 2, 4).tolist()])}
    yield {"logits": torch.tensor([[0.0, -8.0, -9.0], [-8.0, 0.0, -8.0]]) - torch.rand(2, 3, generator=source)}


mistake = edits_of(categorical_entropy)

EXERCISE = Exercise.listed(
    "categorical_entropy",
    cases=cases,
    observe=Call("logits", differentiable=("logits",)),
    reference=categorical_entropy,
    hints=(
        "Entropy is the average surprise: the mean of -log p(a) over actions drawn from p itself. Which factor makes it an "
        "average, and over which axis?",
        "Take log-probabilities with log_softmax over the last axis, their exponentials as probabilities, multiply, sum over "
        "actions, change the sign. A logit of -inf has p = 0 and log p = -inf: make that factor finite before you multiply, "
        "since a NaN that is masked afterwards still spoils the gradient.",
        "log_prob = logits.log_softmax(-1); finite = log_prob.masked_fill(log_prob == -torch.inf, 0). The result is minus "
        "(log_prob.exp() * finite) summed over the last axis.",
    ),
    misconceptions=(
        mistake(
            "zero-times-infinity",
            "Where a probability is 0, because a logit is -inf or far below the others, your formula multiplies p = 0 by log p "
            "= -inf, which is NaN. In the limit p log p is 0: an action that cannot happen adds no uncertainty.",
            {"* finite": "* log_prob"},
            {"* finite": "* log_prob.exp().log()"},
            {"* finite": "* log_prob.exp().masked_fill(logits == -torch.inf, 1).log()"},
        ),
        mistake(
            "gradient-lost-behind-a-mask",
            "The values are right, but the NaN was masked after it was made, or xlogy hides it in the value alone. Backward "
            "still runs through the logarithm of 0, where 0 times infinity is NaN and ruins every weight. Make the factor "
            "finite before the product.",
            {"(log_prob.exp() * finite)": "torch.nan_to_num(log_prob.exp() * log_prob)"},
            {"(log_prob.exp() * finite)": "torch.xlogy(log_prob.exp(), log_prob.exp())"},
            {"(log_prob.exp() * finite)": "torch.xlogy(logits.softmax(-1), logits.softmax(-1))"},
        ),
        mistake(
            "clamped-logits",
            "You cut the logits off at a bound, or put a finite number in place of -inf. Logits at the bound are all equal: "
            "10,000 and 9,980 look like a coin, a forbidden action like one with a logit as low. log_softmax needs no bound.",
            {"logits.log": "logits.clamp(-50, 50).log"},
            {"logits.log": "logits.clamp(min=-1e4).log"},
        ),
        mistake(
            "averaged-over-actions",
            "You took the mean over actions where the sum belongs. The probabilities are the weights of the average already, "
            "so dividing by the number of actions shrinks the result a second time.",
            {"sum(": "mean("},
        ),
        mistake(
            "averaged-over-the-batch",
            "You averaged, or summed, over the batch as well, as `Categorical(...).entropy().mean()` does. Asked for is one "
            "entropy for each row, [B]; whoever calls it takes the mean.",
            {"sum(dim=-1)": "sum(dim=-1).mean()"},
            {"sum(dim=-1)": "sum()"},
        ),
        mistake(
            "probability-weights-missing",
            "You added -log p over all actions, or averaged it, without weighting each by its probability. Entropy is the "
            "expected surprise, so a rare action's large surprise counts rarely.",
            {"log_prob.exp() * finite": "finite"},
            {"log_prob.exp() * finite": "log_prob"},
            {"log_prob.exp() * finite": "log_prob", "sum(": "mean("},
            {"log_prob.exp() * finite": "finite / (logits > -torch.inf).sum(-1, keepdim=True)"},
        ),
        mistake(
            "weights-detached",
            "The values are right, but the probabilities in front of the logarithms are cut from the graph. What is left of "
            "the gradient, the sum of p times the gradient of log p, is 0: an entropy bonus would do nothing.",
            {"exp() *": "exp().detach() *"},
        ),
        mistake(
            "softmax-before-logits",
            "You applied softmax twice: once yourself, and once in what takes logits. Probabilities lie between 0 and 1, so as "
            "logits they differ by 1 at most: the entropy stays high however sure the policy is.",
            {"logits.log": "logits.softmax(-1).log"},
        ),
        mistake(
            "normalised-over-the-batch",
            "You normalised over the batch instead of over the actions, so that each column sums to 1. A row is one state's "
            "distribution. Which axis of [B, A] holds the actions?",
            {"log_softmax(dim=-1)": "log_softmax(dim=0)"},
            {"log_softmax(dim=-1)": "log_softmax(dim=0)", "sum(dim=-1)": "sum(dim=0)"},
            {"log_softmax(dim=-1)": "log_softmax(dim=0)", "* finite": "* log_prob"},
        ),
        mistake(
            "not-in-nats",
            "You divided by log(2), which gives bits, or by log(A), so that a uniform policy has 1. This course, and torch, "
            "measure in nats: two equally likely actions have an entropy of log 2 = 0.693, and A of them log(A).",
            {"sum(dim=-1)": "sum(dim=-1) / math.log(2)"},
            {"sum(dim=-1)": "sum(dim=-1) / math.log(logits.shape[-1])"},
        ),
    ),
)
