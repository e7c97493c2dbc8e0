"""patient_05: the advantages of a rollout."""

import torch

from pgcourse.checks.authoring import edits_of
from pgcourse.checks.unit_03.gae import EXERCISE as GAE
from pgcourse.checks.unit_03.gae import SIGNATURE
from pgcourse.checks.unit_03.rollouts import named_call
from pgcourse.checks.unit_06.patient import Patient, exercise_of
from pgcourse.returns import gae
from pgcourse.study.traps import TRUNCATION_AS_TERMINATION


def ill(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):  # type: ignore[no-untyped-def]
    """Generalised advantage estimates of a rollout, [T, N] without gradient.

    rewards, values, next_values (of the true next observation): [T, N]. terminated, truncated: [T, N] bool; both set
    counts as terminated. The rollout's last row bootstraps, unless it terminated there.
    """
    running = (~(terminated | truncated)).to(rewards.dtype)  # [T, N]
    deltas = (rewards + gamma * next_values * running - values).detach()
    advantages = torch.zeros_like(deltas)
    following = torch.zeros_like(deltas[0])  # [N]
    for t in reversed(range(len(deltas))):
        following = deltas[t] + gamma * gae_lambda * running[t] * following
        advantages[t] = following
    return advantages


PATIENT = Patient("patient_05", TRUNCATION_AS_TERMINATION, ill, gae, lambda function: {"advantage_fn": function})
mistake = edits_of(ill)
EXERCISE = exercise_of(
    PATIENT,
    "The mask `running` is used twice. Is the same mask right at both places?",
    like=GAE,
    show_case=named_call("patient_05", SIGNATURE),
    hints=(
        "Two questions are asked of every row: is there a future to count on, and does the next row belong to the same "
        "episode? How many masks does the code have for them?",
        "A time limit ends the recording, not the future. One of the two places that use the mask has to look at one flag alone.",
        "deltas = (rewards + gamma * next_values * ~terminated - values).detach(); the recursion keeps its mask.",
    ),
    misconceptions=(
        mistake(
            "bootstrapped-twice",
            "You added a value to the reward at a time limit, and bootstrap there as well, so the future counts twice. "
            "Either is a repair by itself; the mask of the one-step error is the shorter one.",
            {"* running - values": "* ~terminated + gamma * next_values * (truncated & ~terminated) - values"},
        ),
        mistake(
            "one-flag-of-two",
            "Where both flags are set, your trace goes on into the next episode: ^ asks for exactly one of them. An episode "
            "has ended where either is set, and where both are: |.",
            {"terminated | truncated": "terminated ^ truncated", "* running - values": "* ~terminated - values"},
        ),
    ),
)
