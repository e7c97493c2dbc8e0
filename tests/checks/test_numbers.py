"""Cases give finite numbers, a number may come from NumPy, and what a learner reads about a number is true and short."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from pgcourse.checks import exercises, run
from pgcourse.checks.exercise import Exercise, get
from pgcourse.checks.observe import observe
from pgcourse.checks.sandbox import preserved_state

REFUSING = {"advantages_with_baseline", "value_loss", "pass_at_k"}  # whose contract refuses some of its inputs


@pytest.mark.parametrize("exercise", [pytest.param(exercise, id=exercise.id) for exercise in exercises()])
def test_no_case_breaks_the_reference(exercise: Exercise) -> None:
    """An error of the reference would count every attempt right that raises the same."""
    for seed in (7, 1, 2, 3):
        for case in exercise.cases(seed):
            with preserved_state():
                arrays = observe(exercise.observe, exercise.reference, case)
            if "error" in arrays:
                assert exercise.id in REFUSING and arrays["error"][0] == "ValueError", arrays["error"]
                continue
            for name, array in arrays.items():
                assert array.dtype.kind == "U" or np.isfinite(array).all(), (name, exercise.text(case))


def as_number(make: Callable[[float], Any], answer: Any) -> Any:
    """The answer, each of whose 0-d tensors and floats is made into another kind of number."""
    if isinstance(answer, tuple):
        return tuple(as_number(make, part) for part in answer)
    if isinstance(answer, dict):
        return {name: as_number(make, part) for name, part in answer.items()}
    return make(float(answer))


NUMBERS: list[Callable[[float], Any]] = [float, np.float64, np.float32, np.array, lambda x: torch.tensor(x).item()]


@pytest.mark.parametrize("make", NUMBERS, ids=["float", "float64", "float32", "0-d array", "item"])
@pytest.mark.parametrize(
    "id",
    ["optimal_constant_baseline", "gradient_variance", "explained_variance", "approx_kl", "clip_fraction", "baseline_update",
     "ppo_update", "reinforce_update"],
)  # fmt: skip
def test_a_number_of_numpy_is_as_good_as_a_float(id: str, make: Callable[[float], Any]) -> None:
    def attempt(*arguments: Any, **settings: Any) -> Any:
        return as_number(make, get(id).reference(*arguments, **settings))

    result = run(id, attempt)
    assert result.status == "correct", result.message


def test_a_wrong_number_of_numpy_is_still_wrong_and_its_mistake_is_named() -> None:
    result = run("gradient_variance", lambda gradients: gradients.numpy().var(axis=0).sum())
    assert (result.status, result.misconception) == ("not yet", "divided-by-another-number")


def test_where_a_float_would_do_the_message_says_both() -> None:
    message = run("gradient_variance", lambda gradients: [float(gradients.var(0).sum())]).message
    assert "Your result is a list of 1, expected a 0-d tensor or a Python float." in message
    needed = run("value_loss", lambda values, returns: np.float32(0.5)).message.replace("\n    ", " ")
    assert "is a numpy number, expected a torch tensor" in needed


def test_a_missing_entry_is_said_to_be_missing() -> None:
    def without_clipfrac(*arguments: Any, **settings: Any) -> dict[str, float]:
        metrics = get("ppo_update").reference(*arguments, **settings)
        return {name: value for name, value in metrics.items() if name != "losses/clipfrac"}

    assert "Your dict has no entry losses/clipfrac." in run("ppo_update", without_clipfrac).message
    reference = get("ppo_update").reference
    nothing = run("ppo_update", lambda *arguments, **settings: print(reference(*arguments, **settings)))
    assert "Your function returned None, expected a dict" in nothing.message
    assert nothing.misconception == "nothing-returned"


def test_none_that_is_returned_where_it_may_be_is_no_missing_return() -> None:
    def in_one_sum(episodic_returns: Tensor, *, threshold: float, window: int) -> int | None:
        sums = torch.cat([torch.zeros(1), episodic_returns.float().cumsum(0)])
        reached = ((sums[window:] - sums[:-window]) / window >= threshold).nonzero()
        return int(reached[0]) + window if len(reached) else None

    found = run("episodes_to_threshold", in_one_sum)
    assert found.status == "not yet" and "Got None, expected 3" in found.message
    assert found.misconception != "nothing-returned"
    printed = run("episodes_to_threshold", lambda returns, *, threshold, window: print(returns.mean() >= threshold))
    assert printed.misconception == "nothing-returned"


def test_the_case_that_is_shown_is_one_that_the_explanation_is_about() -> None:
    # Scaled by the unbiased deviation of a single number, the first case is NaN and says nothing.
    from pgcourse.returns import gae

    def scaled(*inputs: Tensor, **settings: float) -> Tensor:
        advantages = gae(*inputs, **settings)
        return (advantages - advantages.mean()) / (advantages.std() + 1e-8)

    result = run("gae", scaled)
    assert result.misconception == "normalised-inside"
    assert "not finite" not in result.message and "got nan" not in result.message


def test_a_wrong_number_is_shown_before_shared_memory() -> None:
    shown = run("true_next_observations", lambda next_obs, done, final_obs: final_obs).message
    assert "case 2;" in shown and "shares memory" not in shown and "got 5, expected 1" in shown


@pytest.mark.parametrize(
    ("id", "words"),
    [("ppo_clip_loss", "(ratio 1.1)"), ("clip_fraction", "(ratio 1.5)"), ("approx_kl", "(ratio 2)")],
)
def test_inputs_of_two_log_probabilities_are_shown_with_their_ratios(id: str, words: str) -> None:
    first = next(iter(get(id).cases(7)))
    assert get(id).text(first).endswith(words)
