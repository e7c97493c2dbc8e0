"""Unit 02: baselines."""

from pgcourse.checks.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = ()
