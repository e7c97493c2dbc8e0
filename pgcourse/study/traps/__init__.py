"""Named bugs: each trains without an error message, and differs from a healthy run in one thing.

    trap = traps.SLOW_CRITIC
    ill, healthy = trap.train(seed=0), trap.train_healthy(seed=0)

The code of a bug, and what is to be known of it, stand together in the file of its kind.
"""

from ...errors import InvalidInput
from .data import (
    CLIPPED_ACTION_LOG_PROB,
    NORMALIZED_BY_EPISODE,
    ONE_START_STATE,
    RESET_ROWS,
    STALE_EPISODES,
    TRUNCATION_AS_TERMINATION,
)
from .distributions import GAUSSIAN_ENTROPY, LOG_PROB_NOT_SUMMED, SOFTMAX_TWICE
from .losses import (
    ADVANTAGE_SIGN,
    BROADCASTING,
    ENTROPY_SIGN,
    MISSING_DETACH,
    OLD_LOG_PROB_RECOMPUTED,
    UNUSED_SETTING,
)
from .optimizers import JOINT_CLIPPING, MISSING_PARAMETERS
from .settings import (
    LONG_ROLLOUTS,
    REWARD_SCALE,
    SLOW_CRITIC,
    STD_TOO_LARGE,
    STD_TOO_SMALL,
)
from .trap import Trap

__all__ = [
    "ADVANTAGE_SIGN",
    "BROADCASTING",
    "CLIPPED_ACTION_LOG_PROB",
    "ENTROPY_SIGN",
    "GAUSSIAN_ENTROPY",
    "JOINT_CLIPPING",
    "LOG_PROB_NOT_SUMMED",
    "LONG_ROLLOUTS",
    "MISSING_DETACH",
    "MISSING_PARAMETERS",
    "NORMALIZED_BY_EPISODE",
    "OLD_LOG_PROB_RECOMPUTED",
    "ONE_START_STATE",
    "RESET_ROWS",
    "REWARD_SCALE",
    "SLOW_CRITIC",
    "SOFTMAX_TWICE",
    "STALE_EPISODES",
    "STD_TOO_LARGE",
    "STD_TOO_SMALL",
    "TRAPS",
    "TRUNCATION_AS_TERMINATION",
    "UNUSED_SETTING",
    "Trap",
    "find",
]

TRAPS: tuple[Trap, ...] = (
    JOINT_CLIPPING,
    LONG_ROLLOUTS,
    SLOW_CRITIC,
    STALE_EPISODES,
    TRUNCATION_AS_TERMINATION,
    RESET_ROWS,
    BROADCASTING,
    MISSING_DETACH,
    ENTROPY_SIGN,
    ADVANTAGE_SIGN,
    LOG_PROB_NOT_SUMMED,
    CLIPPED_ACTION_LOG_PROB,
    OLD_LOG_PROB_RECOMPUTED,
    STD_TOO_SMALL,
    STD_TOO_LARGE,
    ONE_START_STATE,
    REWARD_SCALE,
    NORMALIZED_BY_EPISODE,
    SOFTMAX_TWICE,
    MISSING_PARAMETERS,
    UNUSED_SETTING,
    GAUSSIAN_ENTROPY,
)
BY_ID = {trap.id: trap for trap in TRAPS}


def find(trap_id: str) -> Trap:
    """The trap of this id. Raises: InvalidInput for an unknown one."""
    if trap_id not in BY_ID:
        raise InvalidInput(f"no trap {trap_id!r}; known are {', '.join(BY_ID)}")
    return BY_ID[trap_id]
