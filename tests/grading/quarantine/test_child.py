"""How a cell is run in its child."""

import linecache
import sys
import threading
from types import ModuleType
from typing import Any

import pytest
import torch

from pgcourse.checks import sandbox
from pgcourse.checks.observe import TimeLimit
from pgcourse.grading.quarantine.sandbox.child import Child
from pgcourse.grading.quarantine.sandbox.packages import Inert, Packages, Refused, compiled, file_of, forget


class Observe:
    TimeLimit = TimeLimit


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> Child:
    made: Any = Child.__new__(Child)
    made.main, made.loop, made.left, made.request = ModuleType("__main__"), None, {}, {"seconds": 5.0}
    made.futures, made.refused, made.functions, made.observers, made.torch = 0, False, {}, {"gae": None}, torch
    made.observe, made.sandbox, made.calling = Observe, sandbox, threading.Lock()
    made.finder = Packages({}, ["numpy", "torch"], ["games"], {})
    monkeypatch.setattr(sys, "meta_path", [made.finder, *sys.meta_path])
    monkeypatch.setattr(sys, "modules", {**sys.modules})
    return made  # type: ignore[no-any-return]


def run(child: Child, *sources: str) -> list[list[str]]:
    return [child.run_cell({"id": str(number), "source": source}) for number, source in enumerate(sources)]


@pytest.mark.usefixtures("child")
def test_modules_of_ours_come_compiled_and_those_that_are_hidden_leave_nothing() -> None:
    sources = {"pgcourse.one": "def f():\n    raise KeyError", "pgcourse.two": "x = 2"}
    codes = {name: compiled(name, source) for name, source in sources.items()}
    finder, made = Packages(sources, [], [], codes), ModuleType("pgcourse.one")
    finder.exec_module(made)
    with pytest.raises(KeyError) as raised:
        made.f()
    assert str(raised.traceback[-1].path) == file_of("pgcourse.one")
    assert linecache.getline(file_of("pgcourse.one"), 2) == "    raise KeyError"
    sys.modules["pgcourse.one"] = made
    finder.hide("pgcourse.one")
    assert finder.sources.keys() == finder.codes.keys() == {"pgcourse.two"}
    assert not linecache.getline(file_of("pgcourse.one"), 2) and "pgcourse.one" not in sys.modules


@pytest.mark.usefixtures("child")
def test_a_module_is_forgotten_with_all_that_it_lies_in() -> None:
    sys.modules |= {name: ModuleType(name) for name in ("a", "a.b", "a.b.c", "a.d")}
    forget(["a.b.c", "nothing.of.that"])
    assert "a.d" in sys.modules and not {"a", "a.b", "a.b.c"} & {*sys.modules}


def test_a_cell_may_wait_at_its_top_level(child: Child) -> None:
    first = "import asyncio\nx = []\nasync def add(): x.append(1)\nlater = asyncio.ensure_future(add())"
    waits = "await asyncio.sleep(0)"
    assert run(child, f"import asyncio\n{waits}\n{first}", f"async with asyncio.Lock():\n    await later\n{waits}") == [
        [],
        [],
    ]
    assert vars(child.main)["x"] == [1], "one loop for all cells"


def test_what_goes_wrong_while_a_cell_waits_has_its_line(child: Child) -> None:
    assert run(child, "import asyncio\nawait asyncio.sleep(0)\n1 / 0") == [
        ["ZeroDivisionError", "division by zero", "3"]
    ]
    assert run(child, "1 / 0") == [["ZeroDivisionError", "division by zero", "1"]]
    assert run(child, "raise SystemExit", "import asyncio\nawait asyncio.sleep(0)\nraise SystemExit") == [
        ["SystemExit", "", "1"],
        ["SystemExit", "", "3"],
    ]
    assert run(child, "async def f():\n    await g(\n")[0][0] == "SyntaxError"
    assert run(child, "z = 3") == [[]]


def test_a_loop_that_waits_for_ever_is_stopped(child: Child) -> None:
    child.request["seconds"] = 0.3
    endless = "import asyncio\nwhile True:\n    try:\n        await asyncio.sleep(0)\n    except ValueError: pass"
    assert run(child, endless) == [["TimeLimit", "", ""]]
    assert run(child, "x = 1") == [[]]


def test_annotations_are_read_at_once_until_a_cell_asks_for_the_future(child: Child) -> None:
    define = "def f(x: missing): pass"
    error = ["NameError", "name 'missing' is not defined", "1"]
    assert run(child, define, "from __future__ import annotations\n1 / 0", define)[::2] == [error, []]


SAID = "No module named 'plotting' while grading; Python's standard library, numpy and torch can be used"
USES = (
    "p.plot([1])", "draw([1])", "@draw\ndef f(): ...", "class A(p.A): ...", "p.settings['width'] = 1", "2 * p.width",
    "for x in p.colours: ...", "float(p.width)", "p.a.b.c()",
)  # fmt: skip


@pytest.mark.parametrize("use", USES)
def test_a_library_that_answers_may_not_use_fails_where_it_is_used(child: Child, use: str) -> None:
    imports = "import plotting.lines as p\nfrom plotting import draw\nx = 1\ndef f(y: p.A | None = draw): ..."
    assert run(child, imports) == [[]]
    assert run(child, use) == [["ModuleNotFoundError", SAID, "1"]]
    assert run(child, "from games import make", "make()")[1][0] == "RuntimeError", "the notebook itself imports it"


def test_an_import_that_may_fail_does(child: Child) -> None:
    tries = "try:\n    import plotting\nexcept ImportError:\n    plotting = None"
    later = "def f():\n    import plotting"
    assert run(child, f"import plotting\n{later}", tries, "f()") == [[], [], ["ModuleNotFoundError", SAID, "1"]]
    assert vars(child.main)["plotting"] is None


@pytest.mark.parametrize(
    "cell",
    [
        "import plotting\nfigure, axes = plotting.subplots()\naxes.plot([1])\nplotting.show()",
        "import plotting\nframe = plotting.read('x')\nframe.head()\nframe['a'] = 1",
        "results = open('not/there').read()\nprint(results[:3])",
        "import importlib.metadata\nversion = importlib.metadata.version('nothing-of-that-name')\nprint(version)",
        "if 'IPKernelApp' in get_ipython().config:\n    raise KeyError",
        "files = !ls\nprint(len(files), '\\n'.join(files))".replace("!ls", "get_ipython().getoutput('ls')"),
        "handle = display('x', display_id=True)\nhandle.update('y')",
    ],
)
def test_what_follows_a_refused_statement_runs(child: Child, cell: str) -> None:
    vars(child.main).update(get_ipython=Inert, display=Inert())
    run(child, f"{cell}\nEPS = 1e-8")
    assert vars(child.main)["EPS"] == 1e-8


def test_a_name_that_a_refused_statement_would_have_defined_is_refused_and_one_that_was_there_stays(
    child: Child,
) -> None:
    first = "import plotting\nx = 1\nx, y = plotting.two()\nfor z in plotting.all(): ..."
    assert run(child, first)[0][0] == "ModuleNotFoundError"
    assert vars(child.main)["x"] == 1 and isinstance(vars(child.main)["y"], Refused)
    assert run(child, "float(y)")[0][:2] == [
        "RuntimeError",
        "y is not there while grading: write it yourself, or use Python's standard library, numpy and torch",
    ]


@pytest.mark.parametrize(
    "cell",
    [
        "from torch.utils.plotting import Writer\nwriter = Writer('runs')\nwriter.add(1)",
        "import games\nenv = games.make('x')\nsize = env.space.shape[0]\nnet = torch.nn.Linear(size, 2)\nnet.weight.shape",
        "import games\nlengths = []\nfor _ in range(3):\n    lengths.append(games.play())\nprint(sum(lengths) / len(lengths))",
        "import games\nobs, info = games.reset()\nprint(f'{obs[0]:.2f}')\nassert obs.shape == (4,)\nround(obs[0]) % 2",
        "import plotting\nif True:\n    import games.play\ngames.settings['size'] = 3\n3 // games.width",
        "import games\ntry:\n    env = games.make('x')\nexcept games.error.Missing:\n    env = games.make('y')",
        "import games\ndef setup():\n    global env\n    env = games.make('x')\nsetup()\nprint(env.space)",
    ],
)
def test_what_follows_from_a_refusal_ends_its_own_statement_alone(child: Child, cell: str) -> None:
    first, *rest = cell.split("\n")
    assert run(child, f"import torch\n{cell}\nEPS = 1e-8") != [[]]
    assert vars(child.main).pop("EPS") == 1e-8
    run(child, "import torch\n" + first, "\n".join(rest) + "\nEPS = 1e-8")
    assert vars(child.main)["EPS"] == 1e-8, "in two cells"


def test_where_nothing_was_refused_an_error_ends_its_cell(child: Child) -> None:
    assert run(child, "x = 1\n1 / 0\nx = 2") == [["ZeroDivisionError", "division by zero", "2"]]
    assert vars(child.main)["x"] == 1


def test_a_cell_that_runs_out_of_time_after_a_refusal_says_so(child: Child) -> None:
    child.request["seconds"] = 0.3
    assert run(child, "import games\ngames.make()\nwhile True: pass") == [["TimeLimit", "", ""]]


def test_an_experiment_that_is_cut_short_leaves_the_default_dtype_as_it_was(child: Child) -> None:
    tries = "import torch, games\ndef f():\n    torch.set_default_dtype(torch.float64)\n    games.play()\nf()"
    try:
        run(child, tries)
        assert torch.get_default_dtype() == torch.float32
    finally:
        torch.set_default_dtype(torch.float32)


def test_what_a_statement_has_done_before_it_was_refused_stays(child: Child) -> None:
    run(child, "import games\nEPS = 1.0\ndef choose():\n    global EPS\n    EPS = 1e-8\n    games.play()\nchoose()")
    assert vars(child.main)["EPS"] == 1e-8
    run(child, "def f(): return 1\nif True:\n    def f(): return 2\n    games.play()")
    assert vars(child.main)["f"]() == 2


@pytest.mark.parametrize("leaves", ["assert False, 'old attempts below'", "raise ValueError"])
def test_who_leaves_a_cell_leaves_it_after_a_refusal_too(child: Child, leaves: str) -> None:
    run(child, "import games\ngames.play()", f"def f(): return 1\n{leaves}\ndef f(): return 2")
    assert vars(child.main)["f"]() == 1


def test_an_exercise_stands_for_its_last_function(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(type(child), "say", lambda self, **message: said.append(message["event"]))
    monkeypatch.setattr("pgcourse.grading.quarantine.sandbox.wire.receive", lambda connection: None)
    monkeypatch.setattr(child, "connection", None, raising=False)
    sources = ["def gae(): return 1", "def gae(): return 2", "gae = gae()", "helper = 3"]
    child.request["cells"] = [{"id": str(n), "source": source} for n, source in enumerate(sources)]
    child.run()
    assert vars(child.main)["gae"]() == 2 and said[-1] == "ready"


def test_an_exercise_is_what_its_name_last_stood_for_as_an_answer(child: Child) -> None:
    run(
        child,
        "import torch\ndef gae():\n    return 1\ngae = gae()",
        "def gae():\n    return 2\ngae = torch.nn.Linear(1, 1)",
    )
    assert child.functions["gae"]() == 2
    child.functions.clear()
    run(child, "gae = torch.nn.Linear(1, 1)")
    assert isinstance(child.functions["gae"], torch.nn.Linear), "nothing else has been"


def test_a_stand_in_below_is_not_what_an_exercise_stands_for(child: Child) -> None:
    run(child, "def gae():\n    return 1", "import games\ngae = games.run().advantages", "gae = games.gae")
    assert child.functions["gae"]() == 1


@pytest.mark.parametrize(
    "used", ["len(games.players)", "int(games.score)", "def f(x):\n    return len(x)\nf(games.players)"]
)
def test_what_a_stand_in_is_handed_to_says_that_it_is_not_there(child: Child, used: str) -> None:
    ((kind, text, _),) = run(child, f"import games\n{used}\nkept = 1")
    assert kind == "RuntimeError" and "games" in text and "is not there while grading" in text
    assert child.main.kept == 1


def test_an_error_without_a_stand_in_is_its_own(child: Child) -> None:
    assert run(child, "import games\nlen(3)\nkept = 1")[0][0] == "TypeError"
    assert not hasattr(child.main, "kept")


@pytest.mark.parametrize(
    "below",
    [
        "import games\ngae = games.run['gae']",
        "import games\ngae, b = games.run['gae'], 1",
        "import games\nif True:\n    gae = games.gae",
        "from games import gae",
        "import games\n(gae := games.gae)",
    ],
)
def test_no_name_becomes_a_stand_in_that_was_something(child: Child, below: str) -> None:
    run(child, "def gae():\n    return 1", below)
    assert child.main.gae() == 1
    run(child, "import games\nother = games.gae")
    assert type(child.main.other) is Refused, "it was nothing before"
