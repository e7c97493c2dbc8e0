"""Unit 03: what a critic is worth, from one-step errors to GAE, and the losses of A2C."""

from pgcourse.checks.unit_03 import (
    a2c_losses,
    explained_variance,
    gae,
    n_step_returns,
    td_errors,
    true_next_observations,
)

EXERCISES = (
    explained_variance.EXERCISE,
    td_errors.EXERCISE,
    n_step_returns.EXERCISE,
    gae.EXERCISE,
    true_next_observations.EXERCISE,
    a2c_losses.EXERCISE,
)
