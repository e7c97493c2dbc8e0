"""The parts of the grader one by one: which cells run, what travels, which inputs are hidden, what a person looks at."""

import json
import os
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pgcourse.checks.exercise import exercises, get
from pgcourse.checks.observe import observe
from pgcourse.checks.sandbox import preserved_state
from pgcourse.errors import InvalidInput
from pgcourse.grading import similarity, stripped, tables
from pgcourse.grading.cells import MAX_CELLS, Cell, bound_names, plan, used_names
from pgcourse.grading.hidden import EXAMPLES, inputs, same
from pgcourse.grading.judge import Answers
from pgcourse.grading.review import review
from pgcourse.grading.sandbox import wire
from pgcourse.grading.source import inert
from pgcourse.grading.submissions import find
from tests.checks.answers import right

KNOWN_BEFOREHAND = {
    "policy_network", "minibatches", "ppo_update", "gaussian_policy", "bootstrap_interval", "episodes_to_threshold",
}  # fmt: skip


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


@pytest.mark.parametrize("exercise", exercises(), ids=lambda exercise: exercise.id)
def test_every_exercise_has_hidden_inputs_that_change_with_the_seed(exercise) -> None:  # type: ignore[no-untyped-def]
    one, other = inputs(exercise, 1), inputs(exercise, 2)
    assert one.groups == other.groups
    hidden = [i for i, group in enumerate(one.groups) if group != EXAMPLES]
    assert hidden
    assert [not same(one.cases[i], other.cases[i]) for i in hidden].count(True) >= len(hidden) / 2
    assert all(same(one.cases[i], other.cases[i]) for i in range(one.visible))


@pytest.mark.parametrize("id", ["discounted_returns", "standardize", "value_loss", "gae"])
def test_whoever_knows_only_the_examples_earns_nothing(id: str) -> None:
    """A function with a table of the public cases, and an error for everything else."""
    exercise = get(id)
    answers = Answers(exercise, inputs(exercise, 3))
    right = [each[0] for each in answers.expected[: answers.inputs.visible]]
    raised = {"error": np.array(["ValueError", "", "", "", ""])}
    judgement = answers.judge([*right, *[raised] * (len(answers.expected) - len(right))])
    assert (judgement.status, judgement.share) == ("not yet", 0.0)


@pytest.mark.slow
@pytest.mark.parametrize("exercise", exercises(), ids=lambda exercise: exercise.id)
def test_a_right_answer_is_right_for_every_hidden_seed(exercise) -> None:  # type: ignore[no-untyped-def]
    for base in range(3):
        answers = Answers(exercise, inputs(exercise, base))
        for answer in (exercise.reference, *right(exercise.id)):
            with preserved_state():
                seen = [observe(exercise.observe, answer, case) for case in answers.inputs.cases]
            assert all(verdict.ok for verdict in answers.verdicts(seen)), (base, answer)


def test_forgeable_exercises_are_those_judged_by_facts() -> None:
    ids = {
        "policy_network",
        "minibatches",
        "gaussian_policy",
        "episodes_to_threshold",
        "gae",
        "value_loss",
        "reinforce_update",
    }
    found = {id for id in ids if Answers(get(id), inputs(get(id), 3)).known_beforehand}
    assert found == ids & KNOWN_BEFOREHAND


def test_part_of_the_hidden_groups_gives_part_of_the_points() -> None:
    exercise = get("discounted_returns")
    answers = Answers(exercise, inputs(exercise, 3))

    def one_dimension_only(rewards: torch.Tensor, *, gamma: float) -> torch.Tensor:
        if rewards.ndim > 1:
            raise IndexError
        return exercise.reference(rewards, gamma=gamma)

    judgement = answers.judge([observe(exercise.observe, one_dimension_only, case) for case in answers.inputs.cases])
    # One of the two hidden groups; of the five examples one has two dimensions: 1/2 * (1/2 + 1/2 * 4/5).
    assert judgement.share == pytest.approx(0.45)
    assert "Part of it is right: 45% of the points." in judgement.message


def cell(number: int, source: str, grade_id: str = "") -> Cell:
    return Cell(f"c{number}", grade_id, source, number)


def test_only_cells_that_a_solution_needs_run() -> None:
    released = [
        cell(1, "import torch"), cell(2, "def f(x):\n    raise NotImplementedError", "f"), cell(3, 'check("f", f)', "check-f"),
        cell(4, "train(f)"),
    ]  # fmt: skip
    submitted = [
        cell(1, "import torch"), cell(2, "import numpy as np\nscale = 2"), cell(3, "while True: pass"),
        cell(4, "def f(x):\n    return scale * torch.abs(x)", "f"), cell(5, 'check("f", f)', "check-f"), cell(6, "train(f)"),
    ]  # fmt: skip
    planned = plan(released, submitted, ["f"])
    assert [each.id for each in planned.cells] == ["released-1", "2", "4"]
    assert planned.solutions == {"f": ("4",)}
    assert planned.notes == ()


def test_names_of_parameters_and_locals_need_no_cell() -> None:
    source = "def f(a, *, b=c):\n    d = a + e\n    return [g for g in d if h(g)]"
    assert used_names(source) == {"c", "e", "h"}
    assert bound_names("import a.b, c as d\nx, (y, z.w) = 1, (2, 3)\nif x:\n    def f(): u = 1") == {
        "a",
        "d",
        "x",
        "y",
        "z",
        "f",
    }


@pytest.mark.parametrize(
    "source", ["%matplotlib inline", "!rm -rf /", "x = !ls", "%%bash\nrm -rf /", "f?", "%run answers.py"]
)
def test_a_magic_does_nothing(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from pgcourse.grading.sandbox.child import Inert

    started: list[object] = []
    monkeypatch.setattr(os, "system", started.append)
    monkeypatch.setattr(subprocess, "Popen", lambda *command, **_: started.append(command))
    names: dict[str, object] = {"get_ipython": Inert}
    exec(inert(source), names)
    assert started == []
    assert set(names) - {"get_ipython", "__builtins__"} == ({"x"} if source.startswith("x") else set())


def test_code_under_a_clock_still_counts() -> None:
    assert bound_names("%%time\ndef f(): pass") == {"f"}


@pytest.mark.parametrize(
    "source",
    [
        "import sys", "from os import path", "import torch.testing", "from pgcourse.checks.observe import observe",
        "f.__globals__", "eval('1')", "torch.abs = None", "Categorical.log_prob = f\nfrom torch.distributions import Categorical",
        "class A(torch.Tensor): pass", "getattr(x, name)", "setattr(x, 'y', 1)", "frame.f_back", "__import__('os')",
        "class A(metaclass=B): pass", "del np.abs", "import torch as t\nt.nn.Linear.forward = None",
        "torch.builtins.exec('')", "from torch import builtins as b", "t = torch\nt.sys.modules",
        "type('Categorical', (Categorical,), {})", "make = type", "g = getattr", "from functools import update_wrapper",
        "from torch.distributions import Categorical as Module\nclass Sure(Module): pass",
        "class A: pass\nA = Categorical\nclass B(A): pass", "object = Categorical\nclass Sure(object): pass",
        "import typing\ntyping.get_type_hints(f)", "operator.attrgetter('__globals__')(f)", "x.__class__('A', (x,), {})",
        "d = Categorical(logits=x)\nd.log_prob = f", "class A: pass\nclass B(A[0]): pass", "torch" + ".b" * 20_000 + " = 1",
    ],
)  # fmt: skip
def test_code_that_reaches_for_the_interpreter_is_pointed_out(source: str) -> None:
    assert review(source)


@pytest.mark.parametrize(
    "source",
    [
        "from torch import nn\nclass P(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.w = 1",
        "import numpy as np\nx = np.zeros(3)\nx[0] = 1\nx += 2", "from torch.distributions import Categorical, Normal",
        "import itertools, functools\nfrom collections import defaultdict", "d = {}\nd['losses/approx_kl'] = 1",
        "p = f(4, 2)\np.weight.data = torch.zeros(2)", "class Problem(ValueError): pass",
        "assert type(x) is int, x.__class__.__name__", "getattr(self, 'x')", "import torch.nn as nn\nimport numpy as np",
    ],
)  # fmt: skip
def test_code_that_computes_is_not(source: str) -> None:
    assert review(source) == []


@pytest.mark.parametrize(
    "source",
    ["(" + "\n" * 199_000, "\n".join(f"a{n} = !x" for n in range(9_000)), "if a:\n    pass\n" + "elif a:\n    f = 1\n" * 9_000],
    ids=["newlines", "magics", "elif"],
)  # fmt: skip
def test_a_cell_made_to_keep_the_grader_busy_is_read_in_a_moment(source: str) -> None:
    started = time.process_time()
    bound_names(source)
    used_names(source)
    assert time.process_time() - started < 5


def test_of_very_many_cells_the_first_are_looked_at() -> None:
    cells = [Cell("", "", f"f = {number}", number) for number in range(5000)]
    planned = plan([], cells, ["f"])
    assert len(planned.cells) == MAX_CELLS
    assert planned.notes[0] == f"Of 5000 cells of your own, the first {MAX_CELLS} were looked at."


def test_text_from_a_child_is_such_as_a_file_can_hold_and_small() -> None:
    assert wire.decode_arrays({"a": ["text", [1], ["x\ud800"]]})["a"].tolist() == ["x?"]
    with pytest.raises(wire.BadMessage, match="another size"):
        wire.decode_array(["text", [200_001], ["x" * 2000] + [""] * 200_000])


def test_the_package_in_a_child_holds_what_the_notebook_imports_and_no_answer() -> None:
    sources = stripped.sources(
        ["import torch\nfrom pgcourse.returns import normalize\nfrom pgcourse.show import finale"]
    )
    assert "def normalize" in sources["pgcourse.returns"]
    assert "def gae" not in "".join(sources.values())
    assert "def discounted_returns" not in "".join(sources.values())
    assert not any(
        name.startswith(("pgcourse.checks.unit", "pgcourse.algorithms", "pgcourse.show")) for name in sources
    )


def test_no_observer_imports_an_answer() -> None:
    sources = stripped.sources([])
    lines = [
        line.strip()
        for text in sources.values()
        for line in text.splitlines()
        if "import" in line and "pgcourse" in line
    ]
    modules = {line.split()[1] for line in lines if line.startswith(("from", "import"))}
    assert modules <= set(sources) | {"pgcourse.rollout"}


def test_renamed_copies_are_alike_and_other_solutions_are_not() -> None:
    one = (
        "def f(rewards, gamma):\n    '''Text.'''\n    out = torch.empty_like(rewards)\n    acc = 0.0\n"
        "    for t in reversed(range(len(rewards))):\n        acc = rewards[t] + gamma * acc\n        out[t] = acc\n"
        "    mean, std = out.mean(), out.std()\n    return (out - mean) / (std + 1e-8)\n"
    )
    copy = one.replace("out", "result").replace("acc", "running").replace("'''Text.'''", "# mine")
    other = (
        "def f(rewards, gamma):\n    n = len(rewards)\n    powers = gamma ** torch.arange(n)\n    total = []\n"
        "    for start in range(n):\n        total.append((powers[: n - start] * rewards[start:]).sum(0))\n"
        "    both = torch.stack(total)\n    return standardize(both, eps=1e-8, dim=0, keepdim=True)\n"
    )
    pairs = similarity.pairs("f", {"anna": one, "ben": copy, "carl": other, "dora": "def f(): pass"})
    assert [(pair.first, pair.second, pair.similarity) for pair in pairs] == [("anna", "ben", 1.0)]


def test_submissions_are_found_in_every_layout(tmp_path: Path) -> None:
    notebook = json.dumps({"cells": []})
    for place in ("anna/01_a.ipynb", "ben/01_a/01_a.ipynb", "carl-01_a.ipynb", "dora/other.ipynb", "élodie/02_b.ipynb"):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(notebook)
    found, remarks = find(tmp_path, ["01_a", "02_b"])
    present = {(each.student, each.assignment) for each in found if not each.problem}
    assert present == {("anna", "01_a"), ("ben", "01_a"), ("carl", "01_a"), ("élodie", "02_b")}
    assert remarks == ["dora: other.ipynb is none of this release's notebooks, and was left out."]
    alone, remarks = find(tmp_path, ["01_a"])
    assert {each.student for each in alone if not each.problem} >= {"dora"}
    assert "dora: other.ipynb was taken for 01_a.ipynb." in remarks


def test_a_table_that_lacks_a_column_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "times.csv"
    table.write_text("name;when\nanna;now\n")
    with pytest.raises(InvalidInput, match="no column 'student'; its first line must be student,handed_in"):
        tables.rows(table, tables.TIMES)
    table.write_text("student;handed_in\nanna;2026-12-01T12:00:00+00:00\n")
    assert tables.rows(table, tables.TIMES) == [{"student": "anna", "handed_in": "2026-12-01T12:00:00+00:00"}]


def test_no_cell_of_a_table_is_a_formula(tmp_path: Path) -> None:
    tables.write_rows(tmp_path / "t.csv", ["what"], [["=1+1"], ["@x"], ["fine"]])
    assert (tmp_path / "t.csv").read_text() == "what\n'=1+1\n'@x\nfine\n"
