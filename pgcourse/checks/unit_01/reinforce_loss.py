"""reinforce_loss(log_prob, weight): the scalar whose gradient is the policy gradient."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.losses import reinforce_loss


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"log_prob": torch.tensor([-0.5]), "weight": torch.tensor([2.0])}
    yield {"log_prob": torch.tensor([-1.0, -2.0]), "weight": torch.tensor([3.0, 1.0])}
    yield {"log_prob": torch.tensor([-1.0, -0.5, -2.0]), "weight": torch.tensor([1.0, -2.0, 0.0])}
    source = generator(seed)
    yield {"log_prob": -normal(source, 6).abs(), "weight": normal(source, 6)}
    yield {"log_prob": -normal(source, 9).abs() * 3, "weight": normal(source, 9) * 50 + 20}
    yield {
        "log_prob": -normal(source, 5, dtype=torch.float64).abs(),
        "weight": normal(source, 5, dtype=torch.float64),
    }


def _with_loop(log_prob: Tensor, weight: Tensor) -> Tensor:
    total = torch.zeros((), dtype=log_prob.dtype)
    for one, factor in zip(log_prob, weight.tolist(), strict=True):
        total = total - factor * one
    return total / len(log_prob)


def _with_dot(log_prob: Tensor, weight: Tensor) -> Tensor:
    return -torch.dot(weight.detach(), log_prob) / log_prob.numel()


def _with_no_grad(log_prob: Tensor, weight: Tensor) -> Tensor:
    with torch.no_grad():
        constant = weight.clone()
    return torch.mean(-log_prob * constant)


def _in_double_precision(log_prob: Tensor, weight: Tensor) -> Tensor:
    return torch.einsum("b,b->", -log_prob.double(), weight.double().detach()).div(len(weight)).to(log_prob.dtype)


EXERCISE = Exercise(
    id="reinforce_loss",
    unit="01",
    title="The REINFORCE loss",
    points=2,
    minutes=8,
    difficulty=1,
    cases=cases,
    observe=Call("log_prob, weight", differentiable=("log_prob",), constant=("weight",)),
    reference=reinforce_loss,
    alternatives=(_with_loop, _with_dot, _with_no_grad, _in_double_precision),
    hints=(
        "An optimizer goes downhill, and the expected return is to go up. What does that say about the sign? And "
        "which of the two arguments may be changed to make the loss smaller?",
        "Multiply element by element, take the mean, change the sign. The weight is a number that the environment "
        "gave: detach it, so that no gradient flows into whatever computed it.",
        "return -(weight.detach() * log_prob).mean()",
    ),
    misconceptions=(
        Misconception(
            "minus-sign-missing",
            "The minus is missing. An optimizer minimises, so this loss would make good actions less likely: the curve "
            "falls instead of rising.",
            lambda log_prob, weight: (weight.detach() * log_prob).mean(),
            variants=(lambda log_prob, weight: (weight * log_prob).mean(),),
        ),
        Misconception(
            "sum-for-mean",
            "You summed where the mean is asked for. A batch of long episodes would then take a larger step than one "
            "of short ones, and the learning rate would depend on the batch size.",
            lambda log_prob, weight: -(weight.detach() * log_prob).sum(),
            variants=(lambda log_prob, weight: -(weight * log_prob).sum(),),
        ),
        Misconception(
            "gradient-into-the-weight",
            "The number is right, but the weight is not treated as a constant. Once it comes from a network, as with "
            "the baseline of unit 02, this loss would train that network to make it larger or smaller. Cut the path.",
            lambda log_prob, weight: -(weight * log_prob).mean(),
        ),
        Misconception(
            "detached",
            "The number is right, but it is cut off from log_prob by detach, item, numpy or no_grad. No gradient "
            "reaches the policy, and it never changes.",
            lambda log_prob, weight: -(weight * log_prob).mean().detach(),
            variants=(lambda log_prob, weight: -(weight * log_prob.detach()).mean(),),
        ),
        Misconception(
            "python-number",
            "You returned a Python number. It remembers nothing of how it was computed, so backward cannot start from "
            "it. Return the 0-d tensor.",
            lambda log_prob, weight: -(weight * log_prob).mean().item(),
        ),
        Misconception(
            "not-reduced",
            "You returned one loss for each step. backward needs a single number: take the mean.",
            lambda log_prob, weight: -weight.detach() * log_prob,
            variants=(lambda log_prob, weight: -weight * log_prob,),
        ),
        Misconception(
            "every-step-with-every-weight",
            "Your number is the mean log-probability times the mean weight, so which action earned which return is "
            "lost. Either you took both means before multiplying, or a column [B, 1] met a row [B] and broadcasting "
            "multiplied every log-probability by every weight, without an error. Look at the shape of your product: "
            "it must be [B].",
            lambda log_prob, weight: -log_prob.mean() * weight.detach().mean(),
            variants=(
                lambda log_prob, weight: -log_prob.mean() * weight.mean(),
                lambda log_prob, weight: -(log_prob[:, None] * weight.detach()[None, :]).mean(),
                lambda log_prob, weight: -(log_prob[:, None] * weight[None, :]).mean(),
            ),
        ),
        Misconception(
            "weight-ignored",
            "The weight is never used. All sampled actions become more likely alike, which is imitation of whatever "
            "the policy did, good or bad.",
            lambda log_prob, weight: -log_prob.mean(),
        ),
        Misconception(
            "probability-not-logarithm",
            "You turned the log-probabilities back into probabilities. The score-function trick yields grad log p: "
            "with p alone, likely actions would count twice, once for being sampled often and once for being likely.",
            lambda log_prob, weight: -(weight.detach() * log_prob.exp()).mean(),
            variants=(lambda log_prob, weight: -(weight * log_prob.exp()).mean(),),
        ),
        Misconception(
            "logarithm-twice",
            "You took the logarithm of something that is one already. Log-probabilities are negative, so the result "
            "is NaN.",
            lambda log_prob, weight: -(weight.detach() * log_prob.log()).mean(),
            variants=(lambda log_prob, weight: -(weight * log_prob.log()).mean(),),
        ),
        Misconception(
            "divided-by-the-weights",
            "You divided by the sum of the weights, as in a weighted average. Weights here are returns or advantages; "
            "they may sum to 0 or to less. Divide by the number of steps.",
            lambda log_prob, weight: -(weight.detach() * log_prob).sum() / weight.detach().sum(),
            variants=(lambda log_prob, weight: -(weight * log_prob).sum() / weight.sum(),),
        ),
        Misconception(
            "standardised-inside",
            "You standardised the weights inside the loss. That is a step of its own in this unit, so that the loss "
            "can be used with any weight: use the weights as they are given.",
            lambda log_prob, weight: _standardised(log_prob, weight, 0),
            variants=(lambda log_prob, weight: _standardised(log_prob, weight, 1),),
        ),
    ),
)


def _standardised(log_prob: Tensor, weight: Tensor, correction: int) -> Tensor:
    weight = weight.detach()
    return -((weight - weight.mean()) / (weight.std(correction=correction) + 1e-8) * log_prob).mean()
