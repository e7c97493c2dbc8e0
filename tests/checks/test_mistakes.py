"""Mistakes that are the same in every exercise: made on purpose in each reference, refused and named in each."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from pgcourse.checks import run
from pgcourse.checks.exercise import Exercise, exercises
from pgcourse.checks.observe import Call, CallAndKeep, split_signature

CALLED = [
    exercise for exercise in exercises() if isinstance(exercise.observe, Call | CallAndKeep) and not exercise.judge
]


def on_tensors(function: Callable[[Tensor], Any], result: Any) -> Any:
    """The function applied to a tensor, or to each tensor of a tuple or a dict."""
    if isinstance(result, tuple):
        return tuple(on_tensors(function, part) for part in result)
    if isinstance(result, dict):
        return {name: on_tensors(function, part) for name, part in result.items()}
    return function(result) if isinstance(result, Tensor) else result


def after(function: Callable[[Tensor], Any]) -> Callable[[Exercise], Callable[..., Any]]:
    """The reference, and then this."""

    def make(exercise: Exercise) -> Callable[..., Any]:
        return lambda *inputs, **settings: on_tensors(function, exercise.reference(*inputs, **settings))

    return make


def first_tensor_overwritten(exercise: Exercise) -> Callable[..., Any]:
    def attempt(*inputs: Any, **settings: Any) -> Any:
        result = on_tensors(torch.clone, exercise.reference(*inputs, **settings))
        tensor = next(value for value in inputs if isinstance(value, Tensor))
        with torch.no_grad():
            tensor.copy_(tensor.logical_not() if tensor.dtype == torch.bool else tensor + 1)
        return result

    return attempt


def constants_attached(exercise: Exercise) -> Callable[..., Any]:
    names, _ = split_signature(exercise.observe.signature)  # type: ignore[attr-defined]
    constant = [names.index(name) for name in exercise.observe.constant]  # type: ignore[attr-defined]

    def attempt(*inputs: Any, **settings: Any) -> Any:
        nothing = sum((inputs[index] - inputs[index].detach()).sum() for index in constant)
        return on_tensors(lambda result: result + nothing, exercise.reference(*inputs, **settings))

    return attempt


def named(exercise: Exercise, attempt: Callable[..., Any]) -> str | None:
    result = run(exercise.id, attempt)
    assert result.status == "not yet", result.message
    return result.misconception


def takes_a_tensor(exercise: Exercise) -> bool:
    return any(isinstance(value, Tensor) for value in next(iter(exercise.cases(7))).values())


def exercises_that(condition: Callable[[Exercise], Any]) -> list[Any]:
    return [pytest.param(exercise, id=exercise.id) for exercise in CALLED if condition(exercise)]


@functools.cache
def results(exercise: Exercise) -> list[Any]:
    names = split_signature(exercise.observe.signature)  # type: ignore[attr-defined]
    found = []
    for case in exercise.cases(7):
        with contextlib.suppress(ValueError):  # an input that must be refused
            found.append(exercise.reference(*(case[n] for n in names[0]), **{n: case[n] for n in names[1]}))
    return found


def gives_a_tensor(exercise: Exercise) -> bool:
    return all(isinstance(result, Tensor) and result.is_floating_point() for result in results(exercise))


@pytest.mark.parametrize("exercise", exercises_that(lambda e: getattr(e.observe, "differentiable", ())))
def test_detached(exercise: Exercise) -> None:
    assert named(exercise, after(torch.detach)(exercise)) == "detached"


@pytest.mark.parametrize("exercise", exercises_that(lambda e: getattr(e.observe, "constant", ())))
def test_left_attached(exercise: Exercise) -> None:
    assert named(exercise, constants_attached(exercise)) == "left-attached"


@pytest.mark.parametrize("exercise", exercises_that(lambda e: gives_a_tensor(e) and not e.tolerance.number_for_scalar))
def test_another_precision(exercise: Exercise) -> None:
    assert named(exercise, after(torch.Tensor.double)(exercise)) == "wrong-dtype"


@pytest.mark.parametrize("exercise", exercises_that(takes_a_tensor))
def test_an_input_overwritten(exercise: Exercise) -> None:
    assert named(exercise, first_tensor_overwritten(exercise)) == "changed-in-place"


@pytest.mark.parametrize(
    "exercise", exercises_that(lambda e: getattr(e.observe, "constant", ()) + getattr(e.observe, "differentiable", ()))
)
def test_an_input_cut_from_the_network_behind_it(exercise: Exercise) -> None:
    names, _ = split_signature(exercise.observe.signature)
    index = names.index((*exercise.observe.constant, *exercise.observe.differentiable)[0])

    def attempt(*inputs: Any, **settings: Any) -> Any:
        result = exercise.reference(*inputs, **settings)
        inputs[index].requires_grad_(False)
        return result

    assert named(exercise, attempt) == "changed-in-place"


@pytest.mark.parametrize("exercise", exercises_that(gives_a_tensor))
def test_sign(exercise: Exercise) -> None:
    assert named(exercise, after(torch.neg)(exercise)) is not None


@pytest.mark.parametrize("exercise", exercises_that(gives_a_tensor))
def test_a_dimension_too_many(exercise: Exercise) -> None:
    assert named(exercise, after(lambda result: result.unsqueeze(-1))(exercise)) == "kept-dimension"


@pytest.mark.parametrize(
    "exercise", exercises_that(lambda e: gives_a_tensor(e) and all(result.ndim for result in results(e)))
)
def test_reduced_to_one_number(exercise: Exercise) -> None:
    assert named(exercise, after(torch.mean)(exercise)) is not None
    assert named(exercise, after(torch.sum)(exercise)) is not None


@pytest.mark.parametrize(
    ("id", "wrong", "name"),
    [
        ("value_loss", lambda v, g: 0.5 * (v - g.detach()).square().sum(), "sum-for-mean"),
        ("reinforce_loss", lambda log_prob, weight: -weight.detach() * log_prob, "not-reduced"),
        (
            "approx_kl",
            lambda new, old: ((new - old).exp() - 1 - (new - old)).detach().mean() / len(new),
            "mean-for-sum",
        ),
        ("probability_ratio", lambda new, old: (new - old.detach()).exp().flip(0), "reversed"),
        ("true_next_observations", lambda n, d, f: torch.where(d[:, None], f, n) if d.any() else n, "not-a-new-object"),
    ],
)
def test_what_else_is_the_same_everywhere(id: str, wrong: Callable[..., Any], name: str) -> None:
    assert run(id, wrong).misconception == name


def test_a_reference_called_wrongly_is_recognised() -> None:
    """td_errors lists its own names for the flags, so the exchange of two inputs is what is left to be seen."""
    from pgcourse.returns import gae

    def exchanged(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
        return gae(next_values, values, rewards, terminated, truncated, gamma=gamma, gae_lambda=gae_lambda)

    def without_gamma(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
        return gae(rewards, values, next_values, terminated, truncated, gamma=1.0, gae_lambda=gae_lambda)

    assert run("gae", exchanged).misconception == "rewards-and-next_values-exchanged"
    assert run("gae", without_gamma).misconception == "gamma-ignored"


def test_a_wrong_formula_without_a_detach_keeps_its_name() -> None:
    def attempt(log_prob, old_log_prob, advantages, *, clip_coef):
        return -((log_prob - old_log_prob).exp() * advantages).mean()  # no clip, and nothing detached

    assert run("ppo_clip_loss", attempt).misconception == "not-clipped"
