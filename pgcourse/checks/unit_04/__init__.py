"""Unit 04: PPO."""

from pgcourse.checks.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = ()
