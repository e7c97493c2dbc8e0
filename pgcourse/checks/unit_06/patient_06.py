"""patient_06: from the scores of a network to a policy."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from pgcourse.checks.authoring import Call, Case, edits_of, generator, normal
from pgcourse.checks.unit_06.patient import Patient, exercise_of
from pgcourse.study import hooks
from pgcourse.study.traps import SOFTMAX_TWICE


def ill(scores):  # type: ignore[no-untyped-def]
    """Log-probabilities [B, A] of the actions, from the scores [B, A] of the network's last layer; differentiable.

    Example: equal scores of two actions give log 0.5 = -0.693 for both, and scores that are log 3 apart give log 0.75 and
    log 0.25. Scores lie between -20 and 20.
    """
    preferences = torch.softmax(scores, dim=-1)
    return preferences - preferences.logsumexp(dim=-1, keepdim=True)


def patient_06(scores: Tensor) -> Tensor:
    """Log-probabilities [B, A] from scores [B, A]."""
    return scores - scores.logsumexp(dim=-1, keepdim=True)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"scores": torch.tensor([[0.0, 0.0]])}
    yield {"scores": torch.tensor([[1.0986123, 0.0]])}
    yield {"scores": torch.tensor([[1.0, 2.0, 4.0], [0.0, 0.0, 0.0]])}
    yield {"scores": torch.tensor([[12.0, -6.0], [3.0, 3.0], [-1.0, 1.0]])}
    yield {"scores": torch.tensor([[20.0, -20.0]])}
    source = generator(seed)
    yield {"scores": normal(source, 5, 4)}
    yield {"scores": 2 * normal(source, 3, 6, dtype=torch.float64)}
    far = 19 + torch.rand(2, generator=source)
    yield {"scores": torch.stack([torch.stack([far[0], -far[1]]), normal(source, 2)])}


PATIENT = Patient("patient_06", SOFTMAX_TWICE, ill, patient_06, hooks.logits)
mistake = edits_of(patient_06)
EXERCISE = exercise_of(
    PATIENT,
    "Try scores that are far apart, and compare the probabilities with those that you expect.",
    cases=cases,
    observe=Call("scores", differentiable=("scores",)),
    hints=(
        "Put very different scores in, such as 12 and -6. How sure should the policy be, and how sure is it?",
        "Subtracting logsumexp of x from x is a log-softmax. Look at what is handed to it here, and between which numbers that "
        "lies.",
        "return scores - scores.logsumexp(dim=-1, keepdim=True)",
    ),
    misconceptions=(
        mistake(
            "half-mended",
            "One of the two terms is computed from the scores, the other still from their softmax. Score and normaliser belong "
            "together: subtract from x the logsumexp of the same x.",
            {"scores.logsumexp": "scores.softmax(-1).logsumexp"},
            {"return scores": "return scores.softmax(-1)"},
        ),
        mistake(
            "probabilities",
            "You returned probabilities. Asked for are their logarithms, which are at most 0. A distribution that takes them for "
            "scores would apply another softmax.",
            lambda scores: scores.softmax(-1),
        ),
        mistake(
            "not-normalised",
            "You returned scores, shifted at most by their maximum or mean, or judged each by itself with a sigmoid. Their "
            "exponentials do not add up to 1, so a ratio between two policies would be wrong. Subtract logsumexp.",
            lambda scores: scores + 0.0,
            lambda scores: scores - scores.max(-1, keepdim=True).values,
            lambda scores: scores - scores.mean(-1, keepdim=True),
            functional.logsigmoid,
        ),
        mistake(
            "small-probabilities-cut-off",
            "Small probabilities come out too large here: something is added to them, or holds them or the scores within limits. "
            "A sure policy is made less sure, and its gradient lost. log_softmax needs no such guard.",
            lambda scores: (scores.softmax(-1) + 1e-8).log(),
            lambda scores: (scores.softmax(-1) + 1e-10).log(),
            lambda scores: scores.softmax(-1).clamp(min=1e-8).log(),
            lambda scores: torch.distributions.Categorical(probs=scores.softmax(-1)).logits,
            lambda scores: scores.clamp(-10, 10).log_softmax(-1),
        ),
        mistake(
            "over-the-batch",
            "You normalised over the batch, so that each column adds up to 1, or over all entries at once. A row is the "
            "distribution of one state. Which axis of [B, A] holds the actions?",
            lambda scores: scores.log_softmax(0),
            lambda scores: scores - scores.logsumexp((0, 1)),
        ),
    ),
)
