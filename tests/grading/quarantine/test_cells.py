"""Reading what students handed in: which notebooks are found, which cells run, what a person should look at."""

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from pgcourse.checks import exercises
from pgcourse.checks.exercise import Exercise
from pgcourse.grading.quarantine.reader.cells import MAX_CELLS, Cell, plan
from pgcourse.grading.quarantine.reader.changes import statements
from pgcourse.grading.quarantine.reader.names import bound_names, used_names
from pgcourse.grading.quarantine.reader.python import inert
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


@pytest.mark.parametrize("used", ["f", "g"])
def test_a_stub_as_handed_out_counts_for_nothing_beside_an_answer(used: str) -> None:
    stub = "def f(x):\n    raise NotImplementedError"
    released = [cell(1, stub, "f"), cell(2, "def g(x): ...", "g")]
    answer = f"def f(x):\n    return {used}(x - 1) if x else 0"
    submitted = [cell(1, answer), cell(2, stub, "f"), cell(3, "def g(x):\n    return f(x)", "g"), cell(4, stub)]
    planned = plan(released, submitted, ["f", "g"])
    assert [each.id for each in planned.cells] == ["1", "3"]
    assert planned.solutions == {"f": ("1",), "g": ("3",)}
    alone = plan(released, [cell(1, stub, "f")], ["f"])
    assert alone.solutions == {"f": ("1",)}, "where there is no other, it is not attempted"


def test_names_of_parameters_and_locals_need_no_cell() -> None:
    source = "def f(a, *, b=c):\n    d = a + e\n    return [g for g in d if h(g)]"
    assert used_names(source) == {"c", "e", "h"}
    bound = bound_names("import a.b, c as d\nx, (y, z.w) = 1, (2, 3)\nif x:\n    def f(): u = 1")
    assert bound == {"a", "d", "x", "y", "z", "f"}
    assert bound_names("%%time\ndef f(): pass") == {"f"}, "code under a clock still counts"


def runs(*cells: str, answer: str = "def f(x):\n    return made(x)", released: Sequence[Cell] = ()) -> set[int]:
    """Which of the learner's cells beside an answer run; the answer comes last."""
    own = [cell(number, source) for number, source in enumerate(cells, 1)]
    planned = plan([*released], [*own, cell(len(own) + 1, answer, "f")], ["f"])
    return {each.number for each in planned.cells} - {len(own) + 1}


CHANGES = {
    "a method": ("made = []", "made.append(1)"),
    "a method in a loop": ("made = []", "for i in range(3):\n    if i:\n        made.append(i)"),
    "an item": ("made = {}", "made['x'] = 1"),
    "an attribute": ("class made: ...", "made.x = 1"),
    "del": ("made = [1]", "del made[0]"),
    "setattr": ("class made: ...", "setattr(made, 'x', 1)"),
    "a decorator of its own": (
        "import functools\n@functools.singledispatch\ndef made(x): ...", "@made.register\ndef _(x: int): ...",
    ),
    "a decorator that keeps": (
        "made = {}\ndef rule(name):\n    def keep(g):\n        made[name] = g\n    return keep", "@rule('x')\ndef _(): ...",
    ),
    "a function that fills": ("made = []\ndef fill():\n    made.append(1)", "fill()"),
    "a function that calls one": ("made = []\ndef fill():\n    made.append(1)", "def both():\n    fill()", "both()"),
    "a function that is handed it": ("made = []", "def fill(x):\n    x.append(1)", "fill(made)"),
    "a function that hands it on": ("made = []", "def fill(x):\n    x.append(1)", "def both(x):\n    fill(x)", "both(made)"),
    "a function that is handed on": ("made = []\ndef fill(x):\n    made.append(x)", "list(map(fill, [1]))"),
    "a method that is handed on": ("made = []", "list(map(made.append, [1]))"),
    "a method of its type": ("made = []", "list.append(made, 1)"),
    "getattr": ("made = []", "getattr(made, 'append')(1)"),
    "with": ("class Made: ...\nmade = Made()", "with made as opened:\n    opened.x = 1"),
    "a list of it": ("made = []", "several = [made]", "several[0].append(1)"),
    "next": ("made = iter([1, 2])", "next(made)"),
    "a class that keeps": ("made = []\nclass R:\n    def __init_subclass__(cls):\n        made.append(cls)", "class A(R): ..."),
    "await": ("made = []\nasync def fill():\n    made.append(1)", "await fill()"),
    "a function of Python's": ("made = [1, 2]", "import random", "random.shuffle(made)"),
    "another name": ("made = []", "other = made", "other.append(1)"),
    "a method's name": ("made = []", "add = made.append", "add(1)"),
    "a loop's name": ("made = [[]]", "for each in made:\n    each.append(1)"),
    "an instance": ("made = []\nclass Rule:\n    def keep(self):\n        made.append(self)", "rule = Rule()", "rule.keep()"),
    "a class of it": ("class made: ...", "class Other(made): ..."),
    "global": ("def fill():\n    global made\n    made = len", "fill()"),
    "the namespace": ("globals()['made'] = len",),
    "the namespace, updated": ("globals().update(made=len)",),
    "the namespace, at run time": ("for name in ('made',):\n    globals()[name] = len",),
    "exec": ("exec('made = len')",),
    "exec at run time": ("exec('ma' + 'de = len')",),
    "exec that needs a cell": ("base = len", "exec('made = base')"),
    "a case": ("match 3:\n    case 3:\n        def made(x): ...",),
    "a pattern": ("match (1, 2):\n    case (made, *rest):\n        pass",),
    "a pattern of the rest": ("match {}:\n    case {**made}:\n        pass",),
    "a magic that times": ("%time made = len",),
    "a magic around it": ("%%prun -s cumulative\nmade = len",),
    "+= to a parameter": ("made = []", "def more(xs):\n    xs += [1]", "more(made)"),
    "a function that gives it": ("made = {}\ndef table():\n    return made", "table()['x'] = 1"),
    "a function that gives back what it is handed": (
        "made = [1]\ndef same(x):\n    return x", "box = same(made)", "box.append(2)",
    ),
    "a function of Python's, with a result": ("import heapq\nmade = [1, 2]", "first = heapq.heappop(made)"),
    "out=": ("import torch\nmade = torch.zeros(3)", "torch.add(torch.ones(3), 1, out=made)"),
    "a method of an inherited class": (
        "made = []\nclass A:\n    def go(self):\n        made.append(1)", "class B(A):\n    pass", "B().go()",
    ),
    "a list of functions": ("made = []\ndef one():\n    made.append(1)", "for step in (one,):\n    step()"),
    "a table of functions": ("made = []\nops = {'a': lambda x: made.append(x)}", "ops['a'](3)"),
    "a function made by a function": (
        "made = []\ndef adder():\n    def add(x):\n        made.append(x)\n    return add", "add = adder()", "add(3)",
    ),
    "partial": (
        "import functools\nmade = []\ndef put(k, x):\n    made.append(x)", "p = functools.partial(put, 1)", "p(3)",
    ),
    "an object that holds it": (
        "made = [1]", "class Box:\n    def __init__(self, x):\n        self.x = x\nbox = Box(made)", "box.x.append(2)",
    ),
    "dict(...)": ("made = [1]", "box = dict(a=made)", "box['a'].append(2)"),
    "one of two": ("made = []\nother = []", "(made if True else other).append(1)"),
    "the longest": ("made = [[1], []]", "max(made, key=len).append(1)"),
    "a second name in a pair": ("made = []", "other, k = made, 1\nother.append(k)"),
    "an operator": ("made = []\nclass A:\n    def __lshift__(self, x):\n        made.append(x)\na = A()", "a << 3"),
}  # fmt: skip


@pytest.mark.parametrize("kind", CHANGES)
def test_a_cell_that_changes_what_an_answer_uses_runs(kind: str) -> None:
    assert runs(*CHANGES[kind]) == {*range(1, len(CHANGES[kind]) + 1)}


def test_a_list_in_a_class_that_its_method_fills_is_changed_by_a_call() -> None:
    kept = "class made:\n    limits = []\n    def keep(self, x):\n        self.limits.append(x)"
    assert runs(kept, "made().keep(1)") == {1, 2}


READS = {
    "globals()": "def f(x):\n    return globals()['made'](x)",
    "eval": "def f(x):\n    return eval('made(x)')",
    "an annotation": "import typing\ndef f(x: 'made'):\n    return typing.get_type_hints(f)",
}


@pytest.mark.parametrize("kind", READS)
def test_a_cell_that_an_answer_reads_by_a_text_runs(kind: str) -> None:
    assert runs("def made(x):\n    return x", answer=READS[kind]) == {1}


def test_a_cell_that_changes_what_is_imported_runs_where_an_answer_uses_that() -> None:
    changed = "import torch\ntorch.Tensor.mine = len"
    assert runs(changed, answer="def f(x):\n    return x.mine()") == {1}
    assert runs(changed, answer="def f(x):\n    return x.mean()") == set()
    assert runs("setattr(torch.Tensor, 'mine', len)", "import torch", answer="def f(x):\n    return x.mine()") == {1, 2}
    assert runs(
        "import torch\ntorch.set_default_dtype(torch.float64)", answer="def f(x):\n    return torch.zeros(3)"
    ) == {1}


OTHERS = {
    "tests": "for x in map(f, (1, 2)):\n    print(x.mean(), f(x), made(x))\nassert f(3) == 1",
    "a test in a function": "def compare(g, h):\n    return abs(g(1) - h(1)).max()\nprint(compare(f, made))",
    "plots": "import matplotlib.pyplot as plt\nplt.plot(made)\nplt.show()",
    "a check": "from pgcourse.checks import check\ncheck('f', f)",
    "a training": "net = torch.nn.Linear(2, 2)\nfor _ in range(10**6):\n    f(net).backward()\n    net.zero_grad()",
    "a library's settings": "torch.manual_seed(0)\nx = torch.randn(3)\nx.add_(1)\ntorch.softmax(x, 0)",
    "a game": "from pgcourse.show import finale\nfinale.reinforce(f=f, made=made)",
    "reading": "print(len(made), made, sorted(made))",
    "losses": "losses = [f(net) for net in nets]\nhistory = train(made)\nhistory.append(f(made))",
    "a training in a function": "def train(steps):\n    for _ in range(steps):\n        f(made(steps))\ncurve = train(10**6)",
    "a class of its own": "class Net:\n    def __init__(self):\n        self.calls = made(1)\nnet = Net()\nnet.calls = f(net)",
}  # fmt: skip


@pytest.mark.parametrize("kind", OTHERS)
def test_a_cell_that_tries_trains_or_draws_does_not(kind: str) -> None:
    answer = (
        "import torch\nfrom pgcourse.show import finale\ndef f(x):\n    made.calls = 0\n    return torch.abs(made(x))"
    )
    assert runs("def made(x):\n    return x", OTHERS[kind], answer=answer) == {1}


def test_what_a_cell_makes_for_itself_draws_in_no_other() -> None:
    assert runs("x.sort()", answer="def f(x):\n    return x\nx = [2, 1]\nprint(f(x))") == set()


def test_no_changed_cell_of_the_release_runs_for_what_it_changes() -> None:
    released = [cell(2, "made.append(1)")]
    assert runs("made = []", "made.append(2)", released=released) == {1}
    assert runs("made = []", "made.append(2)") == {1, 2}


def test_of_cells_that_do_not_run_those_are_named_that_do_something() -> None:
    sources = ("# nothing", "import os", "print(f(3))", "mde = 1e-8", "y = f(2)\ny.sort()")
    planned = plan(
        [],
        [*(cell(n, source) for n, source in enumerate(sources, 1)), cell(9, "def f(x):\n    return made", "f")],
        ["f"],
    )
    assert planned.left_out == (4, 5)


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
    ["(" + "\n" * 199_000, "\n".join(f"a{n} = !x" for n in range(9_000)), "if a:\n    pass\n" + "elif a:\n    f = 1\n" * 9_000,
     '"""' * 66_000 + "x", ">>> x = (\n" * 19_000, "\n".join(f"exec('a{n} = 1')" for n in range(9_000)),
     "\n".join(f"for x{n} in x{n - 1}: x{n}.m()" for n in range(7_000))],
    ids=["newlines", "magics", "elif", "quotes", "prompts", "texts", "loops"],
)  # fmt: skip
def test_a_cell_made_to_keep_the_grader_busy_is_read_in_a_moment(source: str) -> None:
    started = time.process_time()
    bound_names(source)
    used_names(source)
    statements(1, source)
    assert time.process_time() - started < 5


def test_a_cell_is_read_as_a_notebook_reads_it() -> None:
    plain = "def f(x):\n    return x\n"
    assert inert("".join(f"    {line}\n" for line in plain.splitlines())) == plain
    assert inert(">>> def f(x):\n...     return x\n") == plain
    assert inert("In [3]: def f(x):\n   ...:     return x\n") == plain
    assert inert("    %%time\n    def f(x):\n        return x\n") == plain
    assert inert("%%capture\n%%time\n" + plain) == plain
    assert inert("%%bash\nls") == TransformerManager().transform_cell("%%bash\nls"), "no Python"
    assert inert("if x:\n  (") == "if x:\n  (", "its own error, in its own line"


def test_what_a_magic_times_stays() -> None:
    assert (
        inert("%time x = 1\ny = %time x + 1\nif y:\n    %prun -l 5 z = 3\n") == "x = 1\ny = (x + 1)\nif y:\n    z = 3\n"
    )
    for source in ("%timeit x = 1\n", "%time !ls\n", "%time x = (\n", "y = %time x = 1\n", "%time\n", "%run a.py\n"):
        assert inert(source) == TransformerManager().transform_cell(source)


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


def test_many_cells_that_call_each_other_are_read_in_a_moment() -> None:
    functions = "".join(f"def g{n}():\n    g{n + 1}()\n" for n in range(4_000)) + "def g4000():\n    made.append(1)\n"
    cells = [Cell("", "", f"g{n}()\nx{n} = 1", n) for n in range(2, 450)]
    started = time.process_time()
    planned = plan(
        [], [Cell("", "f", "made = []\ndef f(x):\n    return made", 0), Cell("", "", functions, 1), *cells], ["f"]
    )
    assert len(planned.cells) == 450
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
