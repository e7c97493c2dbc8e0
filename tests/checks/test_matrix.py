"""The proof of every exercise: right answers pass in every style, each wrong answer fails under its own name.

The cases are those of the notebooks; in the slow suite also some that a grader might draw, and all in double precision.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from pgcourse.checks import catalogue
from pgcourse.checks.exercise import Exercise, exercises, get
from pgcourse.checks.observe import from_json, observe, to_json
from pgcourse.checks.observe.record import Case
from pgcourse.checks.runner import judge_observations, run_exercise
from pgcourse.checks.sandbox import preserved_state
from tests.checks.answers import right, with_kept_cases

pytestmark = pytest.mark.usefixtures("known_answers_are_observed_once")

OTHER_SEEDS = (1, 2)


KEPT = [with_kept_cases(exercise) for exercise in exercises()]
ALL = [pytest.param(exercise, id=exercise.id) for exercise in KEPT]
ALTERNATIVES = [
    pytest.param(exercise, answer, id=f"{exercise.id}-{answer.__name__}")
    for exercise in KEPT
    for answer in right(exercise.id)
]
MISCONCEPTIONS = [
    pytest.param(exercise, misconception, id=f"{exercise.id}-{misconception.id}")
    for exercise in KEPT
    for misconception in exercise.misconceptions
]


def in_float64(exercise: Exercise) -> Exercise:
    """The same exercise with every floating-point input in double precision."""

    def cases(seed: int) -> Iterator[Case]:
        for case in exercise.cases(seed):
            yield {
                name: value.double() if isinstance(value, torch.Tensor) and value.is_floating_point() else value
                for name, value in case.items()
            }

    return with_kept_cases(replace(exercise, cases=cases))


@pytest.mark.parametrize("exercise", ALL)
def test_reference_is_correct(exercise: Exercise) -> None:
    result = run_exercise(exercise, exercise.reference)
    assert (result.status, result.misconception) == ("correct", None), result.message


@pytest.mark.parametrize(("exercise", "alternative"), ALTERNATIVES)
def test_alternative_is_correct(exercise: Exercise, alternative) -> None:
    result = run_exercise(exercise, alternative)
    assert result.status == "correct", result.message


@pytest.mark.parametrize(("exercise", "misconception"), MISCONCEPTIONS)
def test_misconception_is_named(exercise: Exercise, misconception) -> None:
    for wrong in (misconception.wrong, *misconception.variants):
        result = run_exercise(exercise, wrong)
        assert (result.status, result.misconception) == ("not yet", misconception.id), result.message
        assert misconception.explanation.split()[:6] == result.message.partition("What happened: ")[2].split()[:6]
        assert max(map(len, result.message.splitlines())) <= 100
        assert not any(noise in result.message for noise in ("Traceback", "0x", "ncorrect", "NameError"))


@pytest.mark.slow
@pytest.mark.parametrize("exercise", ALL)
@pytest.mark.parametrize("seed", OTHER_SEEDS)
def test_the_same_under_another_seed(exercise: Exercise, seed: int) -> None:
    for answer in (exercise.reference, *right(exercise.id)):
        result = run_exercise(exercise, answer, seed)
        assert result.status == "correct", result.message
    for misconception in exercise.misconceptions:
        for wrong in (misconception.wrong, *misconception.variants):
            result = run_exercise(exercise, wrong, seed)
            assert (result.status, result.misconception) == ("not yet", misconception.id), result.message


@pytest.mark.slow
@pytest.mark.parametrize("exercise", [item for item in ALL if item.values[0].judge is None])
def test_double_precision_changes_no_verdict(exercise: Exercise) -> None:
    exercise = in_float64(exercise)
    assert run_exercise(exercise, exercise.reference).status == "correct"
    for alternative in right(exercise.id):
        result = run_exercise(exercise, alternative)
        assert result.status == "correct", result.message
    for misconception in exercise.misconceptions:
        result = run_exercise(exercise, misconception.wrong)
        assert result.misconception == misconception.id, result.message


@pytest.mark.parametrize("exercise", ALL)
def test_stub_is_not_attempted(exercise: Exercise) -> None:
    def raising(*args, **kwargs):
        """What the exercise notebooks contain."""
        raise NotImplementedError(f"{exercise.id}: write your code here")

    def passing(*args, **kwargs):
        pass

    def dots(*args, **kwargs): ...

    def returning_none(*args, **kwargs):
        return None

    def returning_dots(*args, **kwargs):
        return ...

    for stub in (raising, passing, dots, returning_none, returning_dots, None, ...):
        result = run_exercise(exercise, stub)
        assert (result.status, result.misconception) == ("not attempted", None), result.message
        assert result.message.startswith(f"{exercise.id}: not attempted")


@pytest.mark.parametrize("exercise", ALL)
def test_exercise_is_complete(exercise: Exercise) -> None:
    assert len(exercise.misconceptions) >= 3
    assert len(right(exercise.id)) >= 3
    assert len(exercise.hints) == 3 and all(exercise.hints)
    assert exercise.points >= 1 and exercise.minutes >= 1 and exercise.difficulty in (1, 2, 3)
    ids = [misconception.id for misconception in exercise.misconceptions]
    assert len(set(ids)) == len(ids)
    for misconception in exercise.misconceptions:
        assert 80 <= len(misconception.explanation) <= 480, misconception.id


@pytest.mark.parametrize("exercise", ALL)
def test_cases_follow_from_the_seed_and_begin_with_the_same_small_ones(exercise: Exercise) -> None:
    first, again, other = (list(exercise.cases(seed)) for seed in (1, 1, 2))
    assert [repr(case) for case in first] == [repr(case) for case in again]
    assert [repr(case) for case in first] != [repr(case) for case in other]
    if exercise.judge is None:
        assert repr(first[0]) == repr(other[0])


@pytest.mark.parametrize("exercise", ALL)
def test_child_process_needs_only_the_observer_and_ships_plain_arrays(exercise: Exercise, tmp_path) -> None:
    """What the grader does: the observer travels as JSON, the observations come back as npz without pickle."""
    observer = from_json(to_json(exercise.observe))
    assert observer == exercise.observe
    cases = list(exercise.cases(5))
    shipped = []
    for case in cases:
        with preserved_state():
            np.savez(tmp_path / "arrays.npz", **observe(observer, exercise.reference, case))
        with np.load(tmp_path / "arrays.npz", allow_pickle=False) as arrays:
            shipped.append(dict(arrays))
    assert judge_observations(get(exercise.id), cases, shipped).status == "correct"


def test_the_catalogue_lists_the_exercises_in_course_order() -> None:
    assert [(entry.id, entry.unit, entry.points) for entry in catalogue.EXERCISES] == [
        (exercise.id, exercise.unit, exercise.points) for exercise in KEPT
    ]
    units = [entry.unit for entry in catalogue.EXERCISES]
    assert units == sorted(units) and len(set(catalogue.BY_ID)) == len(units)
