"""a2c_losses(...): the two losses of A2C, each for an optimiser of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_03.rollouts import named_call

SIGNATURE = "log_prob, advantages, values, returns, entropy, *, ent_coef"
NAMES = ("log_prob", "advantages", "values", "returns", "entropy")


def a2c_losses(
    log_prob: Tensor, advantages: Tensor, values: Tensor, returns: Tensor, entropy: Tensor, *, ent_coef: float
) -> tuple[Tensor, Tensor]:
    """Policy loss with entropy bonus, and half the mean squared error of the critic. All inputs [B]."""
    policy_loss = -(advantages.detach() * log_prob).mean() - ent_coef * entropy.mean()
    value_loss = 0.5 * (values - returns.detach()).square().mean()
    return policy_loss, value_loss


def _as_list(
    log_prob: Tensor, advantages: Tensor, values: Tensor, returns: Tensor, entropy: Tensor, *, ent_coef: float
) -> list[Tensor]:
    return list(a2c_losses(log_prob, advantages, values, returns, entropy, ent_coef=ent_coef))


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield _case([-0.5], [2.0], [1.0], [4.0], [0.6], 0.5)
    yield _case([-1.0, -2.0], [3.0, -1.0], [1.0, 5.0], [3.0, 1.0], [0.5, 0.25], 0.1)
    yield _case([-1.0, -0.5, -2.0], [1.0, -2.0, 0.0], [0.0, 2.0, -1.0], [1.0, 2.0, 5.0], [0.7, 0.1, 0.0], 0.0)
    source = generator(seed)
    for count, ent_coef, dtype in ((7, 0.01, torch.float32), (5, 0.3, torch.float32), (6, 0.02, torch.float64)):
        log_prob, advantages, values, returns, entropy = (normal(source, count, dtype=dtype) for _ in NAMES)
        yield {
            "log_prob": -log_prob.abs(), "advantages": 3 * advantages + 1, "values": 4 * values,
            "returns": 4 * returns + 9, "entropy": entropy.abs(), "ent_coef": ent_coef,
        }  # fmt: skip


def _case(
    log_prob: list[float], advantages: list[float], values: list[float], returns: list[float], entropy: list[float],
    ent_coef: float,
) -> Case:  # fmt: skip
    tensors = (torch.tensor(column) for column in (log_prob, advantages, values, returns, entropy))
    return dict(zip(NAMES, tensors, strict=True)) | {"ent_coef": ent_coef}


class Inputs(NamedTuple):
    """What an attempt is given, all [B]; the constants are detached unless the spelling forgets it."""

    log_prob: Tensor
    advantages: Tensor
    values: Tensor
    returns: Tensor
    entropy: Tensor
    ent_coef: float


Part = Callable[[Inputs], Tensor]
Attempt = Callable[..., Any]


def policy_term(i: Inputs) -> Tensor:
    """Minus the mean of advantage times log-probability, scalar."""
    return -(i.advantages * i.log_prob).mean()


def bonus_term(i: Inputs) -> Tensor:
    """The entropy bonus, scalar; it is subtracted from the policy's loss."""
    return i.ent_coef * i.entropy.mean()


def value_term(i: Inputs) -> Tensor:
    """Half the mean squared error of the critic, scalar."""
    return 0.5 * (i.values - i.returns).square().mean()


def both_losses(i: Inputs, policy_loss: Tensor, value_loss: Tensor) -> Any:
    """The pair that is asked for."""
    return policy_loss, value_loss


def losses_with(
    policy: Part = policy_term,
    bonus: Part = bonus_term,
    value: Part = value_term,
    finish: Callable[[Inputs, Tensor, Tensor], Any] = both_losses,
) -> Attempt:
    """The right pair with some of its parts exchanged."""

    def attempt(
        log_prob: Tensor, advantages: Tensor, values: Tensor, returns: Tensor, entropy: Tensor, *, ent_coef: float
    ) -> Any:
        i = Inputs(log_prob, advantages.detach(), values, returns.detach(), entropy, ent_coef)
        return finish(i, policy(i) - bonus(i), value(i))

    return attempt


def mistake(id: str, explanation: str, *others: dict[str, Any], **changes: Any) -> Misconception:
    """A misconception from the changed parts; `others` are further spellings."""
    wrong, *variants = (losses_with(**parts) for parts in (changes, *others))
    return Misconception(id, explanation, wrong, tuple(variants))


def standardised(i: Inputs, correction: int) -> Tensor:
    """The advantages with mean 0 and standard deviation 1; of one row, 0."""
    spread = i.advantages.std(correction=correction) if len(i.advantages) > correction else 0
    return (i.advantages - i.advantages.mean()) / (spread + 1e-8)


EXERCISE = Exercise.listed(
    "a2c_losses",
    cases=cases,
    observe=Call(SIGNATURE, differentiable=("log_prob", "values", "entropy"), constant=("advantages", "returns")),
    reference=a2c_losses,
    also_correct=(_as_list,),
    show_case=named_call("a2c_losses", SIGNATURE),
    hints=(
        "Two networks, two losses, and nothing of one in the other. Optimisers minimise: which of the three quantities, "
        "weighted log-probability, entropy and squared error, should become larger?",
        "Policy: minus the mean of advantage times log-probability, minus ent_coef times the mean entropy. Critic: half "
        "the mean of (value - return) squared. Advantages and returns are data: detach them.",
        "policy_loss = -(advantages.detach() * log_prob).mean() - ent_coef * entropy.mean(); value_loss = 0.5 * (values - "
        "returns.detach()).square().mean(); return policy_loss, value_loss",
    ),
    misconceptions=(
        mistake(
            "entropy-sign",
            "You added the entropy term to the loss. An optimiser would then make the entropy small, and the policy would stop "
            "exploring early. A bonus makes the loss smaller: subtract it.",
            bonus=lambda i: -bonus_term(i),
        ),
        mistake(
            "entropy-left-out",
            "The entropy has no influence on your policy loss. It is what keeps the policy from making up its mind too early: "
            "subtract ent_coef times its mean.",
            {"bonus": lambda i: 0 * i.entropy.mean()},
            bonus=lambda i: 0 * i.log_prob.mean(),
        ),
        mistake(
            "entropy-summed",
            "You summed the entropy over the batch. The bonus would grow with the batch beside a policy term that is a mean. "
            "Take the mean of both.",
            {"bonus": lambda i: i.ent_coef * i.entropy},
            bonus=lambda i: i.ent_coef * i.entropy.sum(),
        ),
        mistake(
            "entropy-in-the-value-loss",
            "The entropy bonus is in the wrong loss. It belongs to the policy; the critic's optimiser cannot change how "
            "undecided the policy is.",
            bonus=lambda i: 0 * i.log_prob.mean(),
            value=lambda i: value_term(i) - bonus_term(i),
        ),
        mistake(
            "policy-sign",
            "The minus is missing before the weighted log-probabilities. An optimiser minimises, so this loss makes good "
            "actions rarer.",
            {"policy": lambda i: -policy_term(i), "bonus": lambda i: -bonus_term(i)},
            policy=lambda i: -policy_term(i),
        ),
        mistake(
            "sum-for-mean",
            "You summed over the batch where a mean is asked for. The size of the step would then grow with the number of "
            "environments and steps.",
            {"policy": lambda i: len(i.values) * policy_term(i)},
            {"value": lambda i: len(i.values) * value_term(i)},
            {"value": lambda i: 2 * len(i.values) * value_term(i)},
            {
                part: lambda i, f=f: len(i.values) * f(i)
                for part, f in (("policy", policy_term), ("value", value_term), ("bonus", bonus_term))
            },
            policy=lambda i: len(i.values) * policy_term(i),
            value=lambda i: len(i.values) * value_term(i),
        ),
        mistake(
            "half-missing",
            "Your value loss is twice as large as asked: half the mean squared error is. With the half its gradient is the plain "
            "error. Adam hardly minds the factor, the clipped gradient norm does.",
            value=lambda i: 2 * value_term(i),
        ),
        mistake(
            "not-squared",
            "Your value loss is not a squared error. Differences without a square cancel, and absolute ones pull the critic "
            "towards the median return; the value is the mean, which the squared error finds.",
            {"value": lambda i: 0.5 * (i.values - i.returns).mean()},
            {"value": lambda i: (i.returns - i.values).mean()},
            {"value": lambda i: 0.5 * (i.returns - i.values).mean()},
            {"value": lambda i: (i.values - i.returns).abs().mean()},
            {"value": lambda i: 0.5 * (i.values - i.returns).abs().mean()},
            {"value": lambda i: functional.smooth_l1_loss(i.values, i.returns)},
            value=lambda i: (i.values - i.returns).mean(),
        ),
        mistake(
            "critic-fitted-to-advantages",
            "Your value loss squares the advantages, or compares the values with them. The advantages are detached data, and the "
            "critic learns nothing from their size. Its loss compares values with returns.",
            {"value": lambda i: i.advantages.square().mean()},
            {"value": lambda i: 0.5 * (i.values - i.advantages).square().mean()},
            {"value": lambda i: (i.values - i.advantages).square().mean()},
            value=lambda i: 0.5 * i.advantages.square().mean(),
        ),
        mistake(
            "advantages-not-used",
            "You weighted the log-probabilities by something other than the given advantages: the returns, or returns minus "
            "values, or nothing. The advantages come from GAE and are ready to use.",
            {"policy": lambda i: -((i.returns - i.values) * i.log_prob).mean()},
            {"policy": lambda i: -((i.returns - i.values.detach()) * i.log_prob).mean()},
            {"policy": lambda i: -((i.advantages - i.values) * i.log_prob).mean()},
            {"policy": lambda i: -((i.advantages - i.values.detach()) * i.log_prob).mean()},
            {"policy": lambda i: -i.log_prob.mean()},
            policy=lambda i: -(i.returns * i.log_prob).mean(),
        ),
        mistake(
            "every-step-with-every-advantage",
            "Your policy term is the mean log-probability times the mean advantage: which action earned which advantage is lost. "
            "A column [B, 1] that meets a row [B] does this without an error. The product must be [B].",
            policy=lambda i: -i.log_prob.mean() * i.advantages.mean(),
        ),
        mistake(
            "probability-not-logarithm",
            "You turned the log-probabilities back into probabilities. The gradient of log p is what the policy gradient needs; "
            "with p, likely actions would count twice.",
            policy=lambda i: -(i.advantages * i.log_prob.exp()).mean(),
        ),
        mistake(
            "normalised-inside",
            "You normalised the advantages inside the loss. The training loop standardises them, as a step of its own before the "
            "losses: use them as they are given.",
            {"policy": lambda i: -(standardised(i, 1) * i.log_prob).mean()},
            {"policy": lambda i: -((i.advantages - i.advantages.mean()) * i.log_prob).mean()},
            policy=lambda i: -(standardised(i, 0) * i.log_prob).mean(),
        ),
        mistake(
            "losses-joined",
            "You joined the two losses. With an optimiser for each network, the pieces are kept apart: a weight such as 0.5 "
            "between them, and one norm for clipping both, would tie two learning rates together.",
            {"finish": lambda i, p, v: p + 0.5 * v},
            {"finish": lambda i, p, v: (p + v, v)},
            {"finish": lambda i, p, v: (p + v, p + v)},
            {"finish": lambda i, p, v: (p + 0.5 * v, v)},
            finish=lambda i, p, v: p + v,
        ),
        mistake(
            "order-exchanged",
            "You returned the value loss first. The policy's loss comes first, so each optimiser would follow the other "
            "network's loss.",
            finish=lambda i, p, v: (v, p),
        ),
        mistake(
            "parts-returned-separately",
            "You returned the entropy as a third part. Its bonus belongs into the policy loss, and two losses are asked for.",
            {"finish": lambda i, p, v: (p, v, i.entropy.mean())},
            {"bonus": lambda i: 0 * i.log_prob.mean(), "finish": lambda i, p, v: (p, v, bonus_term(i))},
            bonus=lambda i: 0 * i.log_prob.mean(),
            finish=lambda i, p, v: (p, v, i.entropy.mean()),
        ),
        mistake(
            "squared-after-averaging",
            "You averaged the errors of the critic and squared the result. Errors of opposite sign then cancel: a critic that is "
            "10 too high here and 10 too low there would have no loss. Square each error first.",
            {"value": lambda i: (i.values - i.returns).mean().square()},
            value=lambda i: 0.5 * (i.values - i.returns).mean().square(),
        ),
        mistake(
            "weighted-average-of-both",
            "You weighted the policy term with 1 - ent_coef. The bonus is added on top, so that the coefficient can be changed "
            "without changing the step of the policy: its weight is 1.",
            policy=lambda i: (1 - i.ent_coef) * policy_term(i),
        ),
    ),
)
