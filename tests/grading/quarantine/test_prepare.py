"""What a child is run with: inputs that travel whole and are hidden, and a package without answers."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as np_arrays

import pgcourse
from pgcourse.checks.exercise import exercises, get
from pgcourse.grading.quarantine.prepare import EXAMPLES, SEEDS, inputs, same, sources
from pgcourse.grading.quarantine.sandbox import arrays, wire
from pgcourse.grading.quarantine.view import view
from pgcourse.grading.release.assignment import of_unit
from pgcourse.grading.release.experiments import EXPERIMENTS
from pgcourse.grading.release.notebooks import units


@given(
    np_arrays.arrays(
        dtype=st.sampled_from(["float32", "float64", "int64", "bool"]), shape=np_arrays.array_shapes(min_dims=0)
    )
)
def test_an_array_comes_back_as_it_was(array: np.ndarray) -> None:
    back = arrays.decode_array(json.loads(json.dumps(arrays.encode_array(array))))
    assert back.dtype == array.dtype
    assert np.array_equal(back, array, equal_nan=array.dtype.kind == "f")


@pytest.mark.parametrize("exercise", exercises(), ids=lambda exercise: exercise.id)
def test_every_case_of_the_course_travels_whole(exercise) -> None:  # type: ignore[no-untyped-def]
    for case in inputs(exercise, 1).cases:
        sent = json.loads(json.dumps({name: arrays.encode_case(value) for name, value in case.items()}))
        assert same(case, arrays.decode_case({"dict": sent}))


@pytest.mark.parametrize(
    "message",
    [
        3, ["float32"], ["object", [1], "AAAA"], ["float32", [2], "AAAA"], ["float32", [-1], ""], ["float32", [True], "AAAAAA=="],
        ["float32", [10**12], "AAAAAA=="], ["text", [2], ["one"]], ["text", [1], [1]], ["float64", [1], "?" * 12],
        ["V8", [1], "AAAA"], ["float32", [2**28, 0], ""], ["float32", [3000, 0, 3000], ""], ["text", [10**9, 0], []],
    ],
)  # fmt: skip
def test_what_no_child_writes_is_refused(message: object) -> None:
    with pytest.raises(wire.BadMessage):
        arrays.decode_array(message)


def test_text_from_a_child_is_such_as_a_file_can_hold_and_small() -> None:
    assert arrays.decode_arrays({"a": ["text", [1], ["x\ud800"]]})["a"].tolist() == ["x?"]
    with pytest.raises(wire.BadMessage, match="another size"):
        arrays.decode_array(["text", [200_001], ["x" * 2000] + [""] * 200_000])
    # A frame of 300 kB that would be 1.2 GB: each text of an array takes as much as its longest.
    padded = ["text", [1000], ["x" * 2000] + [""] * 999]
    with pytest.raises(wire.BadMessage, match="too much text"):
        arrays.decode_arrays({f"array {number}": padded for number in range(150)})


def test_an_observation_has_a_size_whatever_it_is_made_of() -> None:
    each = ["text", [100], ["x" * 2000] + [""] * 99]  # 0.8 MB
    assert len(arrays.decode_arrays({f"array {number}": each for number in range(6)})) == 6
    with pytest.raises(wire.BadMessage, match="more than 5 MB"):
        arrays.decode_arrays({f"array {number}": each for number in range(7)})


@pytest.mark.parametrize("exercise", exercises(), ids=lambda exercise: exercise.id)
def test_every_exercise_has_hidden_inputs_that_change_with_the_seed(exercise) -> None:  # type: ignore[no-untyped-def]
    one, other = inputs(exercise, 1), inputs(exercise, 2)
    assert one.groups == other.groups
    hidden = [i for i, group in enumerate(one.groups) if group != EXAMPLES]
    assert hidden
    assert [not same(one.cases[i], other.cases[i]) for i in hidden].count(True) >= len(hidden) / 2
    for case, again in list(zip(one.cases, other.cases, strict=True))[: one.visible]:
        assert all(same(case[name], again[name]) for name in case if name not in SEEDS)


def test_the_package_in_a_child_holds_what_answers_may_use_and_no_answer() -> None:
    package = sources(["pgcourse.returns.normalize"], [])
    assert "def normalize" in package["pgcourse.returns"]
    text = "".join(package.values())
    assert not [name for name in ("gae", "discounted_returns") if f"def {name}" in text]
    answers = ("pgcourse.checks.unit", "pgcourse.algorithms", "pgcourse.show")
    assert not [name for name in package if name.startswith(answers)]


@pytest.mark.parametrize("number", units())
def test_no_released_notebook_hands_out_an_answer(number: int) -> None:
    """Neither do the cells of the experiment, which run whole algorithms."""
    part = of_unit(units()[number], {}, EXPERIMENTS.get(number))
    ids = [exercise.id for exercise in part.graded]
    text = "".join(sources(part.assignment.may_use, [get(id).observe for id in ids]).values())
    assert not [id for id in ids if re.search(rf"^def {id}\b", text, re.MULTILINE)]
    assert not re.search(r"class (Categorical|Gaussian)Policy|class RunningMeanStd|def train\b", text)


def test_no_observer_imports_an_answer() -> None:
    package = sources([], [exercise.observe for exercise in exercises()])
    found = re.findall(r"^\s*(?:from|import) +(pgcourse\S*)", "\n".join(package.values()), re.MULTILINE)
    assert set(found) <= set(package) | {"pgcourse.rollout"}


def test_the_package_and_the_class_are_covered_wherever_they_lie(tmp_path: Path) -> None:
    package = Path(pgcourse.__file__).parent
    covered = {path for step, path in view(["numpy"], [str(tmp_path)]) if step == "cover"}
    assert {os.path.realpath(package), str(package), str(tmp_path)} <= covered


def test_only_libraries_that_answers_may_use_are_on_the_disk() -> None:
    shown = {Path(path).name for step, path in view(["numpy", "scipy", "torch"], []) if step == "show"}
    assert {"numpy", "scipy", "torch", "sympy"} <= shown
    assert not shown & {"gymnasium", "matplotlib", "pgcourse", "stable_baselines3", "site-packages"}
