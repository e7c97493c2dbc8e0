"""patient_06: from the scores of a network to a policy."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_06 import seams
from pgcourse.checks.unit_06.patient import Patient
from pgcourse.checks.unit_06.shared import unpatched
from pgcourse.study.traps import SOFTMAX_TWICE


def ill(scores):  # type: ignore[no-untyped-def]
    """Log-probabilities [B, A] of the actions, from the scores [B, A] of the network's last layer; differentiable.

    Example: equal scores of two actions give log 0.5 = -0.693 for both, and scores that are log 3 apart give log 0.75 and
    log 0.25. Scores lie between -20 and 20.
    """
    preferences = torch.softmax(scores, dim=-1)
    return preferences - preferences.logsumexp(dim=-1, keepdim=True)


def patient_06(scores: Tensor) -> Tensor:
    """A log-softmax of the scores."""
    return scores - scores.logsumexp(dim=-1, keepdim=True)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"scores": torch.tensor([[0.0, 0.0]])}
    yield {"scores": torch.tensor([[1.0986123, 0.0]])}
    yield {"scores": torch.tensor([[1.0, 2.0, 4.0], [0.0, 0.0, 0.0]])}
    yield {"scores": torch.tensor([[12.0, -6.0], [3.0, 3.0], [-1.0, 1.0]])}
    source = generator(seed)
    yield {"scores": normal(source, 5, 4)}
    yield {"scores": 2 * normal(source, 3, 6, dtype=torch.float64)}


def _with_library_function(scores: Tensor) -> Tensor:
    return torch.nn.functional.log_softmax(scores, dim=1)


def _with_distribution(scores: Tensor) -> Tensor:
    return torch.distributions.Categorical(logits=scores).logits


def _with_logarithm(scores: Tensor) -> Tensor:
    return scores.double().softmax(-1).log().to(scores.dtype)


def _with_loop(scores: Tensor) -> Tensor:
    return torch.stack([row - row.max() - (row - row.max()).exp().sum().log() for row in scores])


PATIENT = Patient(
    id="patient_06",
    trap=SOFTMAX_TWICE,
    part="from the network's scores to a policy",
    ill=ill,
    cured=patient_06,
    seams=lambda function: {"policy": seams.CartPolePolicy(seams.LogitsPolicy, function)},
)
EXERCISE = Exercise(
    id="patient_06",
    unit="06",
    title="Patient 6",
    points=2,
    minutes=8,
    difficulty=1,
    cases=cases,
    observe=Call("scores", differentiable=("scores",)),
    reference=patient_06,
    alternatives=(_with_library_function, _with_distribution, _with_logarithm, _with_loop),
    hints=(
        "Put very different scores in, such as 12 and -6. How sure should the policy be, and how sure is it?",
        "Subtracting logsumexp of x from x is a log-softmax. Look at what is handed to it here, and between which "
        "numbers that lies.",
        "return scores - scores.logsumexp(dim=-1, keepdim=True)",
    ),
    misconceptions=(
        unpatched(ill, "Try scores that are far apart, and compare the probabilities with those that you expect."),
        Misconception(
            "probabilities",
            "You returned probabilities. Asked for are their logarithms, which are at most 0. A distribution that "
            "takes them for scores would apply another softmax.",
            lambda scores: scores.softmax(-1),
        ),
        Misconception(
            "scores-as-they-are",
            "You returned the scores unchanged. They choose the same distribution, but they are no log-probabilities: "
            "their exponentials do not add up to 1, and a ratio between two policies would be wrong.",
            lambda scores: scores + 0.0,
            (lambda scores: scores,),
        ),
        Misconception(
            "over-the-batch",
            "You normalised over the batch, so that each column adds up to 1. A row is the distribution of one state. "
            "Which axis of [B, A] holds the actions?",
            lambda scores: scores.log_softmax(0),
        ),
        Misconception(
            "over-everything",
            "You normalised over all entries at once, so that the whole batch adds up to 1. Each state has a "
            "distribution of its own: keep the sum to the last axis.",
            lambda scores: scores - scores.logsumexp((0, 1)),
        ),
        Misconception(
            "base-two",
            "You took the logarithm to base 2. torch, and all log-probabilities of this course, use the natural one: "
            "an action of probability one half has -0.693, not -1.",
            lambda scores: scores.log_softmax(-1) / 0.6931471805599453,
        ),
        Misconception(
            "sign-flipped",
            "You returned minus the log-probabilities. They are at most 0, since probabilities are at most 1; with "
            "the sign flipped, the rarest action looks like the likeliest.",
            lambda scores: -scores.log_softmax(-1),
        ),
        Misconception(
            "sum-of-scores",
            "You divided by the sum of the scores, or subtracted its logarithm, before any exponential. Scores may be "
            "negative and say nothing until they are exponentiated: the normaliser is the sum of the exponentials.",
            lambda scores: scores - scores.sum(-1, keepdim=True),
        ),
        Misconception(
            "detached",
            "The numbers are right, but they are cut off from the scores. No gradient reaches the network, and the "
            "policy never changes.",
            lambda scores: scores.log_softmax(-1).detach(),
        ),
    ),
)  # fmt: skip
