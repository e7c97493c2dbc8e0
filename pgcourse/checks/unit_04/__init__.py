"""Unit 04: the parts of PPO, then the update that uses them."""

from pgcourse.checks.unit_04 import (
    approx_kl,
    clip_fraction,
    minibatches,
    ppo_clip_loss,
    ppo_update,
    probability_ratio,
)

EXERCISES = (
    probability_ratio.EXERCISE,
    ppo_clip_loss.EXERCISE,
    approx_kl.EXERCISE,
    clip_fraction.EXERCISE,
    minibatches.EXERCISE,
    ppo_update.EXERCISE,
)
