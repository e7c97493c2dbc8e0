"""Unit 01: the parts of REINFORCE, then the update that uses them."""

from pgcourse.checks.unit_01 import discounted_returns, policy_network, reinforce_loss, reinforce_update, standardize

EXERCISES = (
    discounted_returns.EXERCISE,
    standardize.EXERCISE,
    reinforce_loss.EXERCISE,
    policy_network.EXERCISE,
    reinforce_update.EXERCISE,
)
