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


EXERCISE = Exercise.listed(
    "reinforce_loss",
    cases=cases,
    observe=Call("log_prob, weight", differentiable=("log_prob",), constant=("weight",)),
    reference=reinforce_loss,
    hints=(
        "An optimizer goes downhill, and the expected return is to go up. What does that say about the sign? And which of the "
        "two arguments may be changed to make the loss smaller?",
        "Multiply element by element, take the mean, change the sign. The weight is a number that the environment gave: detach "
        "it, so that no gradient flows into whatever computed it.",
        "return -(weight.detach() * log_prob).mean()",
    ),
    misconceptions=(
        Misconception(
            "minus-sign-missing",
            "The minus is missing. An optimizer minimises, so this loss would make good actions less likely: the curve falls "
            "instead of rising.",
            lambda log_prob, weight: (weight * log_prob).mean(),
        ),
        Misconception(
            "python-number",
            "You returned a Python number. It remembers nothing of how it was computed, so backward cannot start from it. Return "
            "the 0-d tensor.",
            lambda log_prob, weight: -(weight * log_prob).mean().item(),
        ),
        Misconception(
            "every-step-with-every-weight",
            "Your number is the mean log-probability times the mean weight, so which action earned which return is lost. Either "
            "you took both means before multiplying, or a column [B, 1] met a row [B] and broadcasting multiplied every "
            "log-probability by every weight, without an error. Look at the shape of your product: it must be [B].",
            lambda log_prob, weight: -log_prob.mean() * weight.mean(),
        ),
        Misconception(
            "weight-ignored",
            "The weight is never used. All sampled actions become more likely alike, which is imitation of whatever the policy "
            "did, good or bad.",
            lambda log_prob, weight: -log_prob.mean(),
        ),
        Misconception(
            "bad-actions-ignored",
            "You cut the weights off below 0, or took them without their sign. A negative weight says that the action was worse "
            "than expected and is to become rarer: half of what a batch teaches.",
            lambda log_prob, weight: -(weight.clamp(min=0) * log_prob).mean(),
            (lambda log_prob, weight: -(weight.abs() * log_prob).mean(),),
        ),
        Misconception(
            "probability-not-logarithm",
            "You turned the log-probabilities back into probabilities. The score-function trick yields grad log p: with p alone, "
            "likely actions would count twice, once for being sampled often and once for being likely.",
            lambda log_prob, weight: -(weight * log_prob.exp()).mean(),
        ),
        Misconception(
            "divided-by-the-weights",
            "You divided by the sum of the weights, as in a weighted average. Weights here are returns or advantages; they may "
            "sum to 0 or to less. Divide by the number of steps.",
            lambda log_prob, weight: -(weight * log_prob).sum() / weight.sum(),
            (lambda log_prob, weight: -(weight * log_prob).sum() / weight.abs().sum(),),
        ),
        Misconception(
            "standardised-inside",
            "You standardised the weights inside the loss. That is a step of its own in this unit, so that the loss can be used "
            "with any weight: use the weights as they are given.",
            lambda log_prob, weight: _standardised(log_prob, weight, 0),
            (lambda log_prob, weight: _standardised(log_prob, weight, 1),),
        ),
    ),
)


def _standardised(log_prob: Tensor, weight: Tensor, correction: int) -> Tensor:
    return -((weight - weight.mean()) / (weight.std(correction=correction) + 1e-8) * log_prob).mean()
