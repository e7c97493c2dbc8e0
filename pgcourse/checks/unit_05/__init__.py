"""Unit 05: continuous control."""

from pgcourse.checks.unit_05 import (
    gaussian_entropy,
    gaussian_log_prob,
    gaussian_policy,
    running_mean_std,
    tanh_log_prob,
)

EXERCISES = (
    gaussian_log_prob.EXERCISE,
    gaussian_entropy.EXERCISE,
    gaussian_policy.EXERCISE,
    tanh_log_prob.EXERCISE,
    running_mean_std.EXERCISE,
)
