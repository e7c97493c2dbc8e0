"""Unit 00: log-probability and entropy of a categorical policy, and one step of learning on a bandit."""

from pgcourse.checks.unit_00 import bandit_step, categorical_entropy, categorical_log_prob

EXERCISES = (categorical_log_prob.EXERCISE, categorical_entropy.EXERCISE, bandit_step.EXERCISE)
