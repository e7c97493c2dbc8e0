"""What a curve is told: like is compared with like, a broken agent is not praised, a slow computer is no fault."""

from typing import Any

import numpy as np
import pytest

from pgcourse.show.finale.verdict import stopped, verdict

REFERENCE = {
    "x": [200, 400],
    "low": [100.0, 270.0],
    "high": [130.0, 283.0],
    "mean": [120.0, 277.0],
    "n": 10,
    "window": 50,
}
ADVICE = "Look at the sign."


def said(returns: np.ndarray, *, end: float = 400, reference: Any = REFERENCE, **changes: Any) -> str:
    settings: dict[str, Any] = {"x_unit": "episode", "random": 23.0, "poor": 46.0, "good": 400.0, "advice": ADVICE}
    return verdict(returns, end, reference=reference, **(settings | changes))


def test_the_average_is_over_as_many_episodes_as_the_references() -> None:
    returns = np.concatenate([np.full(350, 10.0), np.full(50, 280.0)])
    assert said(returns).startswith(
        "The last 50 of 400 episodes returned 280 on average; at the same number of episodes"
    )
    assert "interval is 270 to 283" in said(returns)
    assert said(returns, reference=REFERENCE | {"window": 100}).startswith("The last 100 of 400 episodes returned 145")
    by_steps = said(returns, end=210, x_unit="env_step")
    assert "at the same number of steps the reference's interval is 100 to 130" in by_steps


def test_a_run_a_little_below_the_interval_reads_that_single_runs_scatter() -> None:
    scatters = "interval is 270 to 283 (of the mean of its runs; a single run scatters around it). It learns."
    assert scatters in said(np.full(400, 230.0))
    assert not any("scatters" in said(np.full(400, mean)) for mean in (20.0, 107.0, 280.0))


@pytest.mark.parametrize(("mean", "words"), [
    (9.3, "far below a random agent's 23: it learns the opposite, or the environments are disturbed. Look at the sign."),
    (20.0, "near a random agent's 23: it has hardly learnt. Look at the sign."),
    (107.0, "It learns, but more slowly than the reference: does every exercise pass its check? Look at the sign."),
    (230.0, "It learns. Another seed gives another curve"),
    (280.0, "It learns. Another seed gives another curve"),
    (450.0, "Your own functions drove every update of this agent."),
])  # fmt: skip
def test_each_height_of_a_curve_has_its_sentence(mean: float, words: str) -> None:
    assert words in said(np.full(400, mean))


def test_a_short_run_is_not_called_a_failure_where_the_reference_is_no_further() -> None:
    start = {"x": [10], "low": [17.0], "high": [24.0], "window": 50}
    assert "only a longer run can tell" in said(np.full(10, 20.0), end=10, reference=start)
    assert "hardly learnt" in said(np.full(10, 15.0), end=10, reference=start)


@pytest.mark.parametrize(
    ("mean", "words"),
    [(-1800, "far below"), (-1200, "hardly learnt"), (-700, "more slowly"), (-300, "It learns. Another")],
)
def test_negative_returns_have_the_same_ladder(mean: float, words: str) -> None:
    curve = {"x": [60_000], "low": [-240.0], "high": [-190.0], "window": 24}
    settings = {"reference": curve, "random": -1230.0, "poor": -900.0, "good": -250.0, "x_unit": "env_step"}
    assert words in said(np.full(48, float(mean)), end=60_000, **settings)


def test_a_run_cut_short_says_where_and_what_helps() -> None:
    assert stopped(14, 44_000, 100_000, "env_step") == (
        "After 14 s of computing the time was up, at 44,000 of 100,000 steps; a faster computer gets further, `seconds=60` "
        "gives it longer. That is no fault of your code."
    )
    assert "`seconds=90`" in stopped(30, 4, 400, "episode")
