"""Reading what students handed in: which notebooks are found, which cells run, what a person should look at."""

import contextlib
import json
import os
import subprocess
import time
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from pgcourse.checks import exercises
from pgcourse.checks.exercise import Exercise
from pgcourse.grading.quarantine.reader.cells import MAX_CELLS, Cell, bound_names, inert, plan, used_names
from pgcourse.grading.quarantine.reader.review import review
from pgcourse.grading.quarantine.sandbox.packages import Inert
from pgcourse.grading.quarantine.submissions import find
from tests.checks.answers import right
from tests.grading.export import Unexportable, export


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
    bound = bound_names("import a.b, c as d\nx, (y, z.w) = 1, (2, 3)\nif x:\n    def f(): u = 1")
    assert bound == {"a", "d", "x", "y", "z", "f"}
    assert bound_names("%%time\ndef f(): pass") == {"f"}, "code under a clock still counts"


MAGICS = ("%matplotlib inline", "!rm -rf /", "x = !ls", "%%bash\nrm -rf /", "f?", "%run answers.py")


@pytest.mark.parametrize("exercise", exercises(), ids=lambda exercise: exercise.id)
def test_right_answers_compute(exercise: Exercise) -> None:
    for answer in (*exercise.alternatives, *right(exercise.id)):
        with contextlib.suppress(Unexportable):
            assert review(export(answer, exercise.id)) == [], answer


def test_solutions_compute(repository: Path) -> None:
    for path in (repository / "solutions").glob("*.ipynb"):
        for each in nbformat.read(path, as_version=4).cells:
            assert each.cell_type != "code" or review(each.source) == [], each.source


def test_of_what_a_student_wrote_a_remark_repeats_no_more_than_names() -> None:
    source = "import torch\ntorch[';=A1;'].x = 1\nclass A(B[';=A1;']): pass"
    assert [said for _, said in review(source)] == ["changes .x", "makes a class of another kind than answers need"]


@pytest.mark.parametrize("source", MAGICS)
def test_a_magic_does_nothing(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr(os, "system", started.append)
    monkeypatch.setattr(subprocess, "Popen", lambda *command, **_: started.append(command))
    names: dict[str, object] = {"get_ipython": Inert}
    exec(inert(source), names)
    assert started == []
    assert set(names) - {"get_ipython", "__builtins__"} == ({"x"} if source.startswith("x") else set())


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
        f"getattr(x, 0x{'f' * 5000})\nimport os", "class T: pass\nfrom torch import *\nT.numpy = None",
        "class T: pass\ndef f(T):\n    x = T()\n    x.numpy = None", "def f(x):\n    x.numpy = None",
        "class A:\n    def __new__(c): ...",
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
        "class Count:\n    made = 0\n    def __init__(self):\n        Count.made += 1\nhere = Count()\nhere.x = 1",
        "def f(x):\n    f.calls += 1\n    return x\nf.calls = 0",
        "def f(x):\n    '''print(x)'''\n    raise ValueError('no mean (x)')",
        "layer = nn.Linear(2, 3)\nlayer.weight = nn.Parameter(torch.zeros(3, 2))\nfor p in layer.parameters():\n  p.grad = None",
    ],
)  # fmt: skip
def test_code_that_computes_is_not(source: str) -> None:
    assert review(source) == []


@pytest.mark.parametrize(
    "source",
    [
        "%a\nx = !b\nif x:\n    c?\n", "!echo '''\ns = '''\n%no\n'''\n%yes", "!ls \\\n -l\nb = (1 %\n 2)\n%c", "!it's\n!ls\n",
        "def g():\n    !ls\n    return 1\n/f 1\n,f x\n", "x = [\n%a\n]\n",
    ],
)  # fmt: skip
def test_magics_become_what_ipython_makes_of_them(source: str) -> None:
    assert inert(source) == TransformerManager().transform_cell(source)


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


def test_a_notebook_of_magics_is_read_in_a_moment() -> None:
    """IPython reads a cell again for each of its magics: half a minute, for these 120 kB."""
    magics = "".join(f"a{line} = !x\n" for line in range(130))
    started = time.process_time()
    plan([], [Cell("", "", f"b = {number}\n{magics}", number) for number in range(100)], ["f"])
    assert time.process_time() - started < 10


def test_of_very_many_cells_the_first_are_looked_at() -> None:
    cells = [Cell("", "", f"f = {number}", number) for number in range(5000)]
    planned = plan([], cells, ["f"])
    assert len(planned.cells) == MAX_CELLS
    assert planned.notes[0] == f"Of 5000 cells of your own, the first {MAX_CELLS} were looked at."


def test_a_long_chain_of_helpers_is_read_once() -> None:
    """Each helper needs the next one, and is listed before it: whoever reads all again for each link takes minutes."""
    ballast = "\n".join(f"unused_{line} = [{line}, {line}]" for line in range(700))  # 20 kB
    chain = [Cell("", "", f"helper_{n} = helper_{n + 1}\n{ballast}", n) for n in range(1, 61)]
    solution = Cell("", "f", "def f(x):\n    return helper_1", 0)
    started = time.process_time()
    planned = plan([], [solution, *reversed(chain)], ["f"])
    assert len(planned.cells) == 61
    assert time.process_time() - started < 10


def test_submissions_are_found_in_every_layout(tmp_path: Path) -> None:
    notebook = json.dumps({"cells": []})
    for place in ("anna/01_a.ipynb", "ben/01_a/01_a.ipynb", "carl-01_a.ipynb", "dora/other.ipynb", "élodie/02_b.ipynb"):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(notebook)
    found, remarks = find(tmp_path, ["01_a", "02_b"])
    present = {(each.student, each.assignment) for each in found if each.path}
    assert present == {("anna", "01_a"), ("ben", "01_a"), ("carl", "01_a"), ("élodie", "02_b")}
    assert remarks == ["dora: other.ipynb is none of this release's notebooks, and was left out."]
    alone, remarks = find(tmp_path, ["01_a"])
    assert {each.student for each in alone if each.path} >= {"dora"}
    assert "dora: other.ipynb was taken for 01_a.ipynb." in remarks
