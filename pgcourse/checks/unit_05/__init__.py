"""Unit 05: continuous control."""

from pgcourse.checks.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = ()
