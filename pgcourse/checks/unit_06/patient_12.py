"""patient_12: how undecided a policy over discrete actions is."""

import math
from collections.abc import Iterator

import torch

from pgcourse.checks.authoring import Case, edits_of, generator, normal
from pgcourse.checks.unit_00.categorical_entropy import EXERCISE as CATEGORICAL_ENTROPY
from pgcourse.checks.unit_06.patient import Patient, exercise_of
from pgcourse.study import hooks
from pgcourse.study.traps import GAUSSIAN_ENTROPY


def ill(logits):  # type: ignore[no-untyped-def]
    """Entropy [B] in nats of the distributions over A actions with these logits [B, A]; differentiable.

    Logits are finite, between -20 and 20. Example: equal logits of three actions give log 3 = 1.099.
    """
    probs = logits.softmax(dim=-1)  # [B, A]
    number = torch.arange(probs.shape[-1])  # of each action
    mean = (probs * number).sum(-1, keepdim=True)
    variance = (probs * (number - mean).square()).sum(-1)
    return 0.5 * (2 * math.pi * math.e * variance).log()


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"logits": torch.tensor([[0.0, 0.0]])}
    yield {"logits": torch.tensor([[0.0, math.log(3)]])}
    yield {"logits": torch.tensor([[1.0, 2.0, 4.0], [0.0, 0.0, 0.0]])}
    yield {"logits": torch.tensor([[12.0, -6.0], [-20.0, 20.0]])}
    source = generator(seed)
    yield {"logits": normal(source, 5, 4)}
    yield {"logits": normal(source, 2, 6, dtype=torch.float64) * 2}
    yield {"logits": torch.tensor([[0.0, -8.0, -9.0], [-8.0, 0.0, -8.0]]) - torch.rand(2, 3, generator=source)}


PATIENT = Patient("patient_12", GAUSSIAN_ENTROPY, ill, CATEGORICAL_ENTROPY.reference, hooks.entropy)
mistake = edits_of(ill)
EXERCISE = exercise_of(
    PATIENT,
    "Try equal logits of two actions, whose entropy you know, and ask what an action's number means.",
    like=CATEGORICAL_ENTROPY,
    cases=cases,
    hints=(
        "Work the example of the docstring through the code. Then exchange the numbers of two actions: should the entropy "
        "notice?",
        "The last line is the entropy of a normal density, which belongs to continuous actions. Go back to the definition: "
        "the mean of -log p(a) over actions drawn from p.",
        "log_prob = logits.log_softmax(-1); return -(log_prob.exp() * log_prob).sum(-1)",
    ),
    misconceptions=(
        mistake(
            "variance-kept",
            "You mended some values, with a constant, a floor or a cap, and kept the formula with the variance. Numbers of "
            "actions are names: exchange two of them, and the entropy must stay as it is.",
            lambda logits: ill(logits) - 0.5 * math.log(2 * math.pi * math.e * 0.25) + math.log(2),
            lambda logits: 0.5 * (1 + (2 * ill(logits)).exp()).log(),
            lambda logits: ill(logits).clamp(min=0.0),
            lambda logits: ill(logits).clamp(0.0, math.log(logits.shape[-1])),
        ),
    ),
)
