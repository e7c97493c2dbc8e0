"""Unit 03: actor-critic, A2C and GAE."""

from pgcourse.checks.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = ()
