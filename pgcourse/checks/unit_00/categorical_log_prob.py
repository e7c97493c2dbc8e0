"""categorical_log_prob(logits, action): log-probability of the chosen actions."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, integers, normal
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case


def categorical_log_prob(logits: Tensor, action: Tensor) -> Tensor:
    """log softmax(logits)[action], row by row. logits [B, A], action [B] int64 -> [B]."""
    log_prob = logits.log_softmax(dim=-1)  # [B, A]
    return log_prob.gather(-1, action.unsqueeze(-1)).squeeze(-1)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"logits": torch.tensor([[0.0, math.log(3)]]), "action": torch.tensor([0])}
    yield {"logits": torch.tensor([[1.0, 2.0, 4.0], [0.0, 5.0, 0.0]]), "action": torch.tensor([2, 0])}
    # No ties among large logits: x - logsumexp(x) is right too, but float32 leaves it three digits of log 2 at 10,000.
    yield {"logits": torch.tensor([[1e4, -1e4], [-1e4, 1e4]]), "action": torch.tensor([0, 0])}
    source = generator(seed)
    yield {"logits": normal(source, 5, 4), "action": integers(source, 4, 5)}
    yield {"logits": normal(source, 1, 3) * 5, "action": integers(source, 3, 1)}
    yield {"logits": normal(source, 4, 6, dtype=torch.float64), "action": integers(source, 6, 4)}


def _pick(table: Tensor, action: Tensor) -> Tensor:
    return table.gather(-1, action[:, None])[:, 0]


def _with_distribution(logits: Tensor, action: Tensor) -> Tensor:
    return torch.distributions.Categorical(logits=logits).log_prob(action)


def _with_cross_entropy(logits: Tensor, action: Tensor) -> Tensor:
    return -torch.nn.functional.cross_entropy(logits, action, reduction="none")


def _with_loop(logits: Tensor, action: Tensor) -> Tensor:
    chosen = []
    for row, index in zip(logits, action, strict=True):
        top = row.max()
        chosen.append(row[index] - top - (row - top).exp().sum().log())
    return torch.stack(chosen)


def _in_double_precision(logits: Tensor, action: Tensor) -> Tensor:
    return logits.double().log_softmax(1)[torch.arange(len(action)), action].to(logits.dtype)


EXERCISE = Exercise(
    id="categorical_log_prob",
    unit="00",
    title="Log-probability of an action",
    points=2,
    minutes=12,
    difficulty=2,
    cases=cases,
    observe=Call("logits, action", differentiable=("logits",)),
    reference=categorical_log_prob,
    alternatives=(_with_distribution, _with_cross_entropy, _with_loop, _in_double_precision),
    hints=(
        "Write log softmax(x)_a as a difference of two terms before you write any code. Which of the two overflows "
        "for a logit of 10,000, and what happens if you subtract the largest logit first?",
        "log softmax(x)_a = x_a - log(sum of exp(x)). torch has a function that computes the second term without "
        "overflow, logsumexp, and one that does both at once. Then take one number from each row: gather along the "
        "last axis, with an index of shape [B, 1].",
        "logits.log_softmax(dim=-1) is [B, A]. Apply .gather(-1, action.unsqueeze(-1)) to it, which is [B, 1], and "
        "remove the last axis with .squeeze(-1).",
    ),
    misconceptions=(
        Misconception(
            "log-of-rounded-softmax",
            "You computed probabilities first and their logarithm afterwards. exp overflows for large logits, and a "
            "probability as small as exp(-20000) is rounded to 0, whose logarithm is minus infinity. Stay in log "
            "space: look at what log(exp(x) / sum) becomes on paper.",
            lambda logits, action: _pick(logits.softmax(-1).log(), action),
            variants=(
                lambda logits, action: _pick((logits.exp() / logits.exp().sum(-1, keepdim=True)).log(), action),
                lambda logits, action: _pick(logits - logits.exp().sum(-1, keepdim=True).log(), action),
                lambda logits, action: torch.log(_pick(logits.exp(), action) / logits.exp().sum(-1)),
            ),
        ),
        Misconception(
            "clamped-probability",
            "You kept the logarithm finite by adding a small number to the probability, or by clamping it. That hides "
            "the overflow and answers about -18 where the truth is -20000, with no gradient. The logarithm of a "
            "softmax can be computed exactly, without any probability in between.",
            lambda logits, action: _pick((logits.softmax(-1) + 1e-8).log(), action),
            variants=(
                lambda logits, action: _pick(logits.softmax(-1).clamp(min=1e-8).log(), action),
                lambda logits, action: torch.distributions.Categorical(probs=logits.softmax(-1)).log_prob(action),
                lambda logits, action: _pick((logits.softmax(-1) + 1e-10).log(), action),
                lambda logits, action: _pick(logits.softmax(-1).clamp(min=1e-10).log(), action),
            ),
        ),
        Misconception(
            "logits-taken-for-log-probabilities",
            "You returned the chosen logit itself. Logits become log-probabilities only after normalising: their "
            "exponentials do not sum to 1. Check yours: do the exponentials of a row add up to 1?",
            _pick,
        ),
        Misconception(
            "probability-not-logarithm",
            "You returned the probability of the action. The policy gradient needs its logarithm, which is never "
            "positive. One step is missing.",
            lambda logits, action: _pick(logits.softmax(-1), action),
        ),
        Misconception(
            "negative-log-likelihood",
            "You returned minus the log-probability, as a classification loss does. Here the log-probability itself is "
            "asked for: it is at most 0, and nearer to 0 for likelier actions.",
            lambda logits, action: torch.nn.functional.cross_entropy(logits, action, reduction="none"),
        ),
        Misconception(
            "normalised-over-the-batch",
            "You normalised over the batch instead of over the actions, so that each column sums to 1. A row is one "
            "state's distribution. Which axis of [B, A] holds the actions?",
            lambda logits, action: _pick(logits.log_softmax(0), action),
        ),
        Misconception(
            "normalised-over-everything",
            "You normalised over the whole table at once, so that all B x A numbers together sum to 1. Each row is a "
            "distribution of its own: the sum runs over the actions, and keepdim=True keeps it in its row.",
            lambda logits, action: _pick(logits - logits.logsumexp((0, 1)), action),
            variants=(
                lambda logits, action: _pick(logits - logits.exp().sum().log(), action),
                lambda logits, action: _pick(logits - logits.max() - (logits - logits.max()).exp().sum().log(), action),
                lambda logits, action: _pick(logits.flatten().log_softmax(0).view(logits.shape), action),
                lambda logits, action: _pick((logits.exp() / logits.exp().sum()).log(), action),
            ),
        ),
        Misconception(
            "every-action",
            "You returned the log-probabilities of all actions, [B, A]. Only the action that was taken counts: one "
            "number for each row.",
            lambda logits, action: logits.log_softmax(-1),
        ),
        Misconception(
            "axis-of-one-kept",
            "Your numbers are right, but the result is a column, [B, 1]. Multiplied by weights of shape [B], it would "
            "broadcast to [B, B] without an error. Remove the extra axis.",
            lambda logits, action: logits.log_softmax(-1).gather(-1, action[:, None]),
        ),
        Misconception(
            "all-rows-with-all-actions",
            "You indexed the columns with all actions at once, which pairs every row with every action of the batch: "
            "[B, B]. Each row must be paired with its own action only; gather does that, or a row index beside it.",
            lambda logits, action: logits.log_softmax(-1)[:, action],
        ),
        Misconception(
            "averaged-over-the-batch",
            "You reduced the batch to one number. The log-probabilities will each get a weight of their own, so all B "
            "of them are needed.",
            lambda logits, action: _pick(logits.log_softmax(-1), action).mean(),
            variants=(lambda logits, action: _pick(logits.log_softmax(-1), action).sum(),),
        ),
        Misconception(
            "most-probable-action",
            "You took the largest log-probability of each row and ignored which action was given. The action that the "
            "agent sampled is often not the most probable one.",
            lambda logits, action: logits.log_softmax(-1).max(-1).values,
        ),
        Misconception(
            "logarithm-to-base-2",
            "You used the logarithm to base 2. Policy gradients, and torch, use the natural logarithm; the two differ "
            "by a factor of 1.44.",
            lambda logits, action: _pick(logits.log_softmax(-1), action) / math.log(2),
        ),
        Misconception(
            "detached",
            "The numbers are right, but they are cut off from the logits by detach, item, numpy or no_grad. Without a "
            "path back, the policy cannot learn. Compute the result from logits with torch operations only.",
            lambda logits, action: _pick(logits.log_softmax(-1), action).detach(),
        ),
    ),
)
