"""reinforce_loss(log_prob, weight): the scalar whose gradient is the policy gradient."""

from collections.abc import Iterator

import torch

from pgcourse.checks.authoring import Call, Case, Exercise, edits_of, generator, normal
from pgcourse.losses import reinforce_loss


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"log_prob": torch.tensor([-0.5]), "weight": torch.tensor([2.0])}
    yield {"log_prob": torch.tensor([-1.0, -2.0]), "weight": torch.tensor([3.0, 1.0])}
    yield {"log_prob": torch.tensor([-1.0, -0.5, -2.0]), "weight": torch.tensor([1.0, -2.0, 0.0])}
    source = generator(seed)
    yield {"log_prob": -normal(source, 6).abs(), "weight": normal(source, 6)}
    yield {"log_prob": -normal(source, 9).abs() * 30, "weight": normal(source, 9) * 50 + 20}
    yield {
        "log_prob": -normal(source, 5, dtype=torch.float64).abs(),
        "weight": normal(source, 5, dtype=torch.float64),
    }


mistake = edits_of(reinforce_loss)  # of -(weight.detach() * log_prob).mean()

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
        mistake(
            "minus-sign-missing",
            "The minus is missing. An optimizer minimises, so this loss would make good actions less likely.",
            {"-(": "("},
        ),
        mistake(
            "python-number",
            "You returned a Python number, from which backward cannot start. Return the 0-d tensor, with its graph.",
            {"mean(-1)": "mean().item()"},
        ),
        mistake(
            "every-step-with-every-weight",
            "Your number is the mean log-probability times the mean weight: which action earned which return is lost. You took "
            "both means first, or a column [B, 1] met a row [B] and broadcast to [B, B]. Your product must be [B].",
            {"detach()": "detach().mean()"},
        ),
        mistake(
            "hurried-version-half-mended",
            "These are the numbers of the version that the text shows, or of one that is partly mended: of the missing minus, "
            "the sum and the exp, at least two are left. Take them one by one, against the first line of the docstring.",
            {"-(": "(", "* log_prob": "* log_prob.exp()", "mean": "sum"},
            {"-(": "(", "* log_prob": "* log_prob.exp()"},
            {"-(": "(", "mean": "sum"},
            {"* log_prob": "* log_prob.exp()", "mean": "sum"},
        ),
        mistake(
            "bad-actions-ignored",
            "You cut the weights off below 0, or took them without their sign. A negative weight says that the action was "
            "worse than expected and is to become rarer: half of what a batch teaches.",
            {"detach()": "detach().clamp(min=0)"},
            {"detach()": "detach().abs()"},
        ),
        mistake(
            "probability-not-logarithm",
            "You turned the log-probabilities back into probabilities. The score-function trick yields grad log p: with p "
            "alone, likely actions would count twice, once for being sampled often and once for being likely.",
            {"* log_prob": "* log_prob.exp()"},
        ),
        mistake(
            "weights-rescaled",
            "You standardised the weights inside the loss, which is a step of its own in this unit, or divided by their sum, "
            "which may be 0, as in a weighted average. Use the weights as they are given, and divide by the number of steps.",
            {"weight.detach()": "(weight - weight.mean()) / (weight.std(correction=0) + 1e-8)"},
            {"weight.detach()": "(weight - weight.mean()) / (weight.std(correction=1) + 1e-8)"},
            {"mean(-1)": "sum() / weight.sum()"},
            {"mean(-1)": "sum() / weight.abs().sum()"},
        ),
    ),
)
