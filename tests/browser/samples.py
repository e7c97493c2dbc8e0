"""Explainers that need data of a run, with data that a test can make quickly: name -> function that makes one."""

from collections.abc import Callable

from pgcourse.show.live.explainer import Explainer

SAMPLES: dict[str, Callable[[], Explainer]] = {}
