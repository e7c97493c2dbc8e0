"""categorical_entropy(logits): how undecided a policy is."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case


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
    yield {"logits": torch.tensor([[0.0, 1.0, -torch.inf], [2.0, 0.0, 1.0]])}
    yield {"logits": torch.tensor([[1e4, -1e4, 0.0], [0.0, -1e4, 0.0]])}
    source = generator(seed)
    yield {"logits": normal(source, 5, 4)}
    yield {"logits": normal(source, 2, 6, dtype=torch.float64) * 2}


def _masked(log_prob: Tensor) -> Tensor:
    return log_prob.masked_fill(log_prob == -torch.inf, 0)


def _naive_exponential(logits: Tensor) -> Tensor:
    prob = logits.exp() / logits.exp().sum(-1, keepdim=True)
    return -(prob * _masked(prob.log())).sum(-1)


def _with_distribution(logits: Tensor) -> Tensor:
    return torch.distributions.Categorical(logits=logits).entropy()


def _with_loop(logits: Tensor) -> Tensor:
    rows = []
    for row in logits:
        total = row.logsumexp(0)
        terms = [-(logit - total).exp() * (logit - total) for logit in row if logit > -torch.inf]
        rows.append(torch.stack(terms).sum())
    return torch.stack(rows)


def _with_mean_logit(logits: Tensor) -> Tensor:
    return logits.logsumexp(-1) - (logits.softmax(-1) * logits.clamp(min=-1e30)).sum(-1)


def _with_small_number(logits: Tensor) -> Tensor:
    prob = logits.softmax(-1)
    return -(prob * (prob + 1e-10).log()).sum(-1)


def _in_double_precision(logits: Tensor) -> Tensor:
    log_prob = logits.double().log_softmax(-1).clamp(min=-1e300)
    return -torch.einsum("ba,ba->b", log_prob.exp(), log_prob).to(logits.dtype)


EXERCISE = Exercise(
    id="categorical_entropy",
    unit="00",
    title="Entropy of a policy",
    points=2,
    minutes=15,
    difficulty=2,
    cases=cases,
    observe=Call("logits", differentiable=("logits",)),
    reference=categorical_entropy,
    alternatives=(_with_distribution, _with_loop, _with_mean_logit, _with_small_number, _in_double_precision),
    hints=(
        "Entropy is the average surprise: the mean of -log p(a) over actions drawn from p itself. Which factor makes "
        "it an average, and over which axis?",
        "Take log-probabilities with log_softmax over the last axis, their exponentials as probabilities, multiply, "
        "sum over actions, change the sign. A logit of -inf has p = 0 and log p = -inf: make that factor finite "
        "before you multiply, since a NaN that is masked afterwards still spoils the gradient.",
        "log_prob = logits.log_softmax(-1); finite = log_prob.masked_fill(log_prob == -torch.inf, 0). The result is "
        "minus (log_prob.exp() * finite) summed over the last axis.",
    ),
    misconceptions=(
        Misconception(
            "zero-times-infinity",
            "Your formula is right for ordinary logits, but where a logit is -inf it multiplies p = 0 by log p = "
            "-inf, and floating point calls that NaN. In the limit, p log p is 0: an action that cannot happen adds "
            "no uncertainty.",
            lambda logits: -(logits.softmax(-1) * logits.log_softmax(-1)).sum(-1),
            variants=(
                lambda logits: -(logits.softmax(-1) * logits.softmax(-1).log()).sum(-1),
                lambda logits: logits.logsumexp(-1) - (logits.softmax(-1) * logits).sum(-1),
            ),
        ),
        Misconception(
            "gradient-lost-behind-a-mask",
            "The values are right, but you masked the NaN after it was made. Backward still runs through the masked "
            "branch, where 0 times infinity is NaN, and one NaN in a gradient ruins every weight. Make the factor "
            "finite before the product.",
            lambda logits: -torch.nan_to_num(logits.softmax(-1) * logits.log_softmax(-1)).sum(-1),
            variants=(
                lambda logits: torch.special.entr(logits.softmax(-1)).sum(-1),
                lambda logits: -(logits.softmax(-1) * logits.log_softmax(-1)).nansum(-1),
                lambda logits: -torch.xlogy(logits.softmax(-1), logits.softmax(-1)).sum(-1),
            ),
        ),
        Misconception(
            "exponential-overflow",
            "You exponentiated the logits themselves. exp(10000) is infinite in floating point, and infinity divided "
            "by infinity is NaN. A softmax does not change when the same number is subtracted from every logit of a "
            "row.",
            _naive_exponential,
        ),
        Misconception(
            "minus-sign-missing",
            "You returned the sum of p log p without the minus. Logarithms of probabilities are negative, entropy is "
            "not: it lies between 0 and log(A). With the sign flipped, an entropy bonus would reward certainty.",
            lambda logits: (logits.softmax(-1) * _masked(logits.log_softmax(-1))).sum(-1),
        ),
        Misconception(
            "averaged-over-the-batch",
            "You reduced the batch to one number. Each state has an entropy of its own; whoever needs the mean can "
            "take it.",
            lambda logits: categorical_entropy(logits).mean(),
            variants=(lambda logits: categorical_entropy(logits).sum(),),
        ),
        Misconception(
            "averaged-over-actions",
            "You took the mean over actions where the sum belongs. The probabilities are the weights of the average "
            "already, so dividing by the number of actions shrinks the result a second time.",
            lambda logits: categorical_entropy(logits) / logits.shape[-1],
        ),
        Misconception(
            "probability-weights-missing",
            "You added -log p over all actions without weighting each by its probability. Entropy is the expected "
            "surprise, so a rare action's large surprise counts rarely.",
            lambda logits: -_masked(logits.log_softmax(-1)).sum(-1),
            variants=(
                lambda logits: -logits.log_softmax(-1).sum(-1),
                lambda logits: -logits.log_softmax(-1).mean(-1),
            ),
        ),
        Misconception(
            "logits-taken-for-log-probabilities",
            "You multiplied the probabilities by the logits instead of by the log-probabilities. Adding 1 to all "
            "logits leaves the policy as it is, and so must its entropy: test that on your function.",
            lambda logits: -(logits.softmax(-1) * logits.clamp(min=-1e30)).sum(-1),
            variants=(lambda logits: -(logits.softmax(-1) * logits).sum(-1),),
        ),
        Misconception(
            "normalised-over-the-batch",
            "You normalised over the batch instead of over the actions, so that each column sums to 1. A row is one "
            "state's distribution. Which axis of [B, A] holds the actions?",
            lambda logits: -(logits.softmax(0) * _masked(logits.log_softmax(0))).sum(-1),
            variants=(
                lambda logits: -(logits.softmax(0) * _masked(logits.log_softmax(0))).sum(0),
                lambda logits: -(logits.softmax(0) * logits.log_softmax(0)).sum(-1),
                lambda logits: -(logits.softmax(0) * logits.log_softmax(0)).sum(0),
            ),
        ),
        Misconception(
            "bits-not-nats",
            "You measured in bits (logarithm to base 2). This course, and torch, measure in nats: two equally likely "
            "actions have an entropy of log 2 = 0.693, not 1.",
            lambda logits: categorical_entropy(logits) / math.log(2),
        ),
        Misconception(
            "scaled-to-one",
            "You divided by log(A), so that a uniform policy has 1. That is the normalised entropy; asked for is the "
            "entropy in nats, which is log(A) there.",
            lambda logits: categorical_entropy(logits) / math.log(logits.shape[-1]),
        ),
        Misconception(
            "detached",
            "The numbers are right, but they are cut off from the logits by detach, item, numpy or no_grad. An entropy "
            "bonus then has no effect on the policy. Compute the result from logits with torch operations only.",
            lambda logits: categorical_entropy(logits).detach(),
        ),
    ),
)
