"""patient_05: the advantages of a rollout."""

from __future__ import annotations

import torch

from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe import Call
from pgcourse.checks.unit_03.gae import EXERCISE as GAE
from pgcourse.checks.unit_03.gae import SIGNATURE
from pgcourse.checks.unit_03.rollouts import named_call
from pgcourse.checks.unit_06.patient import Patient
from pgcourse.checks.unit_06.shared import chosen, unpatched
from pgcourse.returns import gae
from pgcourse.study.traps import TRUNCATION_AS_TERMINATION


def ill(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):  # type: ignore[no-untyped-def]
    """Generalised advantage estimates of a rollout, [T, N] without gradient.

    rewards, values, next_values (of the true next observation): [T, N]. terminated, truncated: [T, N] bool; both set
    counts as terminated. The rollout's last row bootstraps, unless its episode ends there.
    """
    running = (~(terminated | truncated)).to(rewards.dtype)  # [T, N]
    deltas = (rewards + gamma * next_values * running - values).detach()
    advantages = torch.zeros_like(deltas)
    following = torch.zeros_like(deltas[0])  # [N]
    for t in reversed(range(len(deltas))):
        following = deltas[t] + gamma * gae_lambda * running[t] * following
        advantages[t] = following
    return advantages


PATIENT = Patient(
    id="patient_05",
    trap=TRUNCATION_AS_TERMINATION,
    part="the advantages of a rollout",
    ill=ill,
    cured=gae,
    seams=lambda function: {"advantage_fn": function},
)
EXERCISE = Exercise(
    id="patient_05",
    unit="06",
    title="Patient 5",
    points=2,
    minutes=10,
    difficulty=2,
    cases=GAE.cases,
    observe=Call(SIGNATURE, constant=("values", "next_values")),
    reference=gae,
    show_case=named_call("patient_05", SIGNATURE),
    alternatives=GAE.alternatives,
    hints=(
        "Two questions are asked of every row: is there a future to count on, and does the next row belong to the same "
        "episode? How many masks does the code have for them?",
        "A time limit ends the recording, not the future. One of the two places that use the mask has to look at one "
        "flag alone.",
        "deltas = (rewards + gamma * next_values * ~terminated - values).detach(); the recursion keeps its mask.",
    ),
    misconceptions=(
        unpatched(ill, "The mask `running` is used twice. Is the same mask right at both places?"),
        *chosen(
            GAE.misconceptions, "trace-runs-over-an-end", "masks-exchanged", "bootstraps-through-terminated",
            "next-value-from-the-next-row", "no-bootstrap-at-the-rollouts-end", "returns-for-advantages",
            "all-environments-cut-together",
        ),
    ),
)  # fmt: skip
