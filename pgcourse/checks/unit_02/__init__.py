"""Unit 02: what to subtract from the returns, how much variance that takes away, and the update that does it."""

from pgcourse.checks.unit_02 import (
    advantages_with_baseline,
    baseline_update,
    gradient_variance,
    optimal_constant_baseline,
    value_loss,
)

EXERCISES = (
    optimal_constant_baseline.EXERCISE,
    advantages_with_baseline.EXERCISE,
    value_loss.EXERCISE,
    gradient_variance.EXERCISE,
    baseline_update.EXERCISE,
)
