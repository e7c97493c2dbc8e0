"""Explainers that need data of a run, with data that a test can make quickly: name -> function that makes one."""

from collections.abc import Callable

from pgcourse.show.live.explainer import Explainer
from pgcourse.show.live.explainers.calibration import calibration_of


def predictions() -> Explainer:
    """Fourteen predictions, with three levels of confidence."""
    given = [(0.5, True), (0.5, False), *[(0.75, i < 2) for i in range(4)], *[(0.95, i < 7) for i in range(8)]]
    return calibration_of({f"q{i}": {"confidence": said, "correct": right} for i, (said, right) in enumerate(given)})


SAMPLES: dict[str, Callable[[], Explainer]] = {"calibration": predictions}
