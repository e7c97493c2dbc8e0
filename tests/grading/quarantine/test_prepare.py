"""What a child is run with: inputs that travel whole and are hidden, and a package without answers."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import pgcourse
from pgcourse.checks.exercise import exercises
from pgcourse.grading.quarantine import client
from pgcourse.grading.quarantine.prepare import EXAMPLES, inputs, same, sources
from pgcourse.grading.quarantine.sandbox import wire


@given(
    arrays.arrays(dtype=st.sampled_from(["float32", "float64", "int64", "bool"]), shape=arrays.array_shapes(min_dims=0))
)
def test_an_array_comes_back_as_it_was(array: np.ndarray) -> None:
    back = wire.decode_array(json.loads(json.dumps(wire.encode_array(array))))
    assert back.dtype == array.dtype
    assert np.array_equal(back, array, equal_nan=array.dtype.kind == "f")


@pytest.mark.parametrize("exercise", exercises(), ids=lambda exercise: exercise.id)
def test_every_case_of_the_course_travels_whole(exercise) -> None:  # type: ignore[no-untyped-def]
    for case in inputs(exercise, 1).cases:
        sent = json.loads(json.dumps({name: wire.encode_case(value) for name, value in case.items()}))
        assert same(case, wire.decode_case({"dict": sent}))


@pytest.mark.parametrize(
    "message",
    [
        3, ["float32"], ["object", [1], "AAAA"], ["float32", [2], "AAAA"], ["float32", [-1], ""], ["float32", [True], "AAAAAA=="],
        ["float32", [10**12], "AAAAAA=="], ["text", [2], ["one"]], ["text", [1], [1]], ["float64", [1], "?" * 12],
        ["V8", [1], "AAAA"],
    ],
)  # fmt: skip
def test_what_no_child_writes_is_refused(message: object) -> None:
    with pytest.raises(wire.BadMessage):
        wire.decode_array(message)


def test_text_from_a_child_is_such_as_a_file_can_hold_and_small() -> None:
    assert wire.decode_arrays({"a": ["text", [1], ["x\ud800"]]})["a"].tolist() == ["x?"]
    with pytest.raises(wire.BadMessage, match="another size"):
        wire.decode_array(["text", [200_001], ["x" * 2000] + [""] * 200_000])
    # A frame of 300 kB that would be 1.2 GB: each text of an array takes as much as its longest.
    padded = ["text", [1000], ["x" * 2000] + [""] * 999]
    with pytest.raises(wire.BadMessage, match="too much text"):
        wire.decode_arrays({f"array {number}": padded for number in range(150)})


def test_an_observation_has_a_size_whatever_it_is_made_of() -> None:
    each = ["text", [500], ["x" * 2000] + [""] * 499]  # as large as an array may be: 4 MB
    assert len(wire.decode_arrays({f"array {number}": each for number in range(16)})) == 16
    with pytest.raises(wire.BadMessage, match="more than 64 MB"):
        wire.decode_arrays({f"array {number}": each for number in range(17)})


@pytest.mark.parametrize("exercise", exercises(), ids=lambda exercise: exercise.id)
def test_every_exercise_has_hidden_inputs_that_change_with_the_seed(exercise) -> None:  # type: ignore[no-untyped-def]
    one, other = inputs(exercise, 1), inputs(exercise, 2)
    assert one.groups == other.groups
    hidden = [i for i, group in enumerate(one.groups) if group != EXAMPLES]
    assert hidden
    assert [not same(one.cases[i], other.cases[i]) for i in hidden].count(True) >= len(hidden) / 2
    assert all(same(one.cases[i], other.cases[i]) for i in range(one.visible))


def test_the_package_in_a_child_holds_what_the_notebook_imports_and_no_answer() -> None:
    package = sources(["import torch\nfrom pgcourse.returns import normalize\nfrom pgcourse.show import finale"])
    assert "def normalize" in package["pgcourse.returns"]
    text = "".join(package.values())
    assert not [name for name in ("gae", "discounted_returns") if f"def {name}" in text]
    answers = ("pgcourse.checks.unit", "pgcourse.algorithms", "pgcourse.show")
    assert not [name for name in package if name.startswith(answers)]


def test_no_observer_imports_an_answer() -> None:
    package = sources([])
    found = re.findall(r"^\s*(?:from|import) +(pgcourse\S*)", "\n".join(package.values()), re.MULTILINE)
    assert set(found) <= set(package) | {"pgcourse.rollout"}


def test_the_package_that_is_covered_in_a_child_is_this_one() -> None:
    package = Path(pgcourse.__file__).parent
    covered = client._given(client.Limits())["settings"]["covered"]
    assert covered == [os.path.realpath(package), str(package)]
