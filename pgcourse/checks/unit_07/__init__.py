"""Unit 07: what a few runs can tell."""

from pgcourse.checks.unit_07 import (
    bootstrap_interval,
    episodes_to_threshold,
    interquartile_mean,
    probability_of_improvement,
)

EXERCISES = (
    interquartile_mean.EXERCISE,
    bootstrap_interval.EXERCISE,
    probability_of_improvement.EXERCISE,
    episodes_to_threshold.EXERCISE,
)
