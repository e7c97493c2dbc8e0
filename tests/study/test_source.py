"""What a function is told by: it changes with all that the function uses, and with nothing else."""

import functools
import importlib
import subprocess
import sys
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from pgcourse import losses, ppo, reinforce
from pgcourse.errors import InvalidInput
from pgcourse.study import traps
from pgcourse.study.keep import source_key
from pgcourse.study.seeds import run_seeds
from pgcourse.study.source import code_of, describe, files_behind, imported_by

LEARNERS = """
from helpers import scaled

def advantage(rewards, **options):
    return scaled(rewards)
"""
HELPERS = "FACTOR = {factor}\n\ndef scaled(x):\n    return FACTOR * x\n"


def told(source: str, name: str = "f", *, module: str = "__main__", **names: Any) -> Any:
    """What describes a name after this code has run as a notebook's cells would."""
    namespace: dict[str, Any] = {"__name__": module, **names}
    exec(source, namespace)
    return describe(namespace[name])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that Python imports from, whose modules are forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


def imported(folder: Path, **sources: str) -> ModuleType:
    """The module `learners`, imported anew beside others of these sources."""
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(source)
        sys.modules.pop(name, None)
    importlib.invalidate_caches()
    sys.modules.pop("learners", None)
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    try:
        return importlib.import_module("learners")
    finally:
        sys.dont_write_bytecode = before


def key(function: Any) -> str:
    return source_key("mine", ppo.CARTPOLE, {"advantage_fn": function})


def test_a_helper_that_changes_in_another_file_changes_the_key(folder: Path) -> None:
    """The helper is called by the function that is handed over, and stands in a module that its module imports."""
    first = key(imported(folder, learners=LEARNERS, helpers=HELPERS.format(factor=1.0)).advantage)
    assert key(imported(folder, helpers=HELPERS.format(factor=1.0) + "# a comment\n").advantage) == first
    assert key(imported(folder, helpers=HELPERS.format(factor=100.0)).advantage) != first


def test_runs_made_with_a_helper_that_has_changed_are_made_anew(folder: Path, tmp_path: Path) -> None:
    """As in a notebook's cells: the function that is handed over stays as it is."""
    config, ends = replace(reinforce.CARTPOLE_NO_BASELINE, num_episodes=8), []
    for factor in (1.0, 100.0):
        cells: dict[str, Any] = {"__name__": "__main__", "reinforce_loss": losses.reinforce_loss}
        exec(f"def helper(x):\n    return {factor} * x", cells)
        exec("def loss(log_prob, weight):\n    return helper(reinforce_loss(log_prob, weight))", cells)
        seams = {"mine": {"policy_loss_fn": cells["loss"]}}
        (run,) = run_seeds({"mine": config}, [0], seams=seams, folder=tmp_path / "runs", progress=False)["mine"]
        ends.append(run.metrics["losses/policy_loss"][0])
    assert ends[1] == pytest.approx(100 * ends[0])


def test_an_import_within_a_function_and_in_a_package_of_its_own_is_followed(folder: Path) -> None:
    (folder / "box").mkdir()
    (folder / "box" / "__init__.py").write_text("")
    (folder / "box" / "inner.py").write_text("from . import deep\n")
    (folder / "box" / "deep.py").write_text("X = 1\n")
    learners = "def advantage(rewards):\n    import numpy\n    from box.inner import deep\n    return deep.X\n"
    first = key(imported(folder, learners=learners).advantage)
    names = {path.name for path in files_behind([folder / "learners.py"])}
    assert names == {"learners.py", "__init__.py", "inner.py", "deep.py"}, "and nothing that is installed"
    (folder / "box" / "deep.py").write_text("X = 1000\n")
    assert key(imported(folder, learners=learners).advantage) != first


def test_a_module_that_was_changed_in_memory_alone_is_told_from_what_its_file_says(folder: Path) -> None:
    learners = imported(
        folder, learners="import helpers\n\ndef f(x):\n    return helpers.scaled(x)\n", helpers=HELPERS.format(factor=1)
    )
    first = key(learners.f)
    sys.modules["helpers"].FACTOR = 2
    changed = key(learners.f)
    (folder / "helpers.py").write_text(HELPERS.format(factor=3))  # and not imported again
    assert len({first, changed, key(learners.f)}) == 3


def test_the_key_is_the_same_in_another_process_and_another_folder(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for name, source in {"learners": LEARNERS, "helpers": HELPERS.format(factor=1.5)}.items():
        (elsewhere / f"{name}.py").write_text(source)
    ask = (
        "import learners; from pgcourse import ppo; from pgcourse.study.keep import source_key; "
        "print(source_key('mine', ppo.CARTPOLE, {'advantage_fn': learners.advantage}))"
    )
    path = {"PYTHONPATH": f"{elsewhere}:{Path(__file__).resolve().parents[2]}", "PYTHONHASHSEED": "7"}
    done = subprocess.run([sys.executable, "-c", ask], env=path, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == key(
        imported(folder, learners=LEARNERS, helpers=HELPERS.format(factor=1.5)).advantage
    ), done.stderr


HELPER = "def helper(x):\n    return {} * x\ndef f(x):\n    return helper(x)\n"
# Each in a notebook: code, and the same with one thing changed that the function does not hold itself.
PAIRS = {
    "helper": (HELPER.format("1.0"), HELPER.format("100.0")),
    "helper of a helper": tuple(HELPER.format(a) + "g = f\ndef f(x): return g(x)" for a in (1.0, 2.0)),
    "plain global": ("A = 1\ndef f(x): return A * x", "A = 2\ndef f(x): return A * x"),
    "global of a nested function": (
        "A = 1\ndef f(x):\n    def g(): return A\n    return g()",
        "A = 2\ndef f(x):\n    def g(): return A\n    return g()",
    ),
    "global in a comprehension": ("A = 1\ndef f(x): return [A for _ in x]", "A = 2\ndef f(x): return [A for _ in x]"),
    "array": (
        "import numpy as np\nA = np.arange(3000)\ndef f(x): return A",
        "import numpy as np\nA = np.arange(3000); A[1500] = 0\ndef f(x): return A",
    ),
    "tensor": (
        "import torch\nA = torch.zeros(3000)\ndef f(x): return A",
        "import torch\nA = torch.zeros(3000); A[1500] = 1\ndef f(x): return A",
    ),
    "default": ("def f(x, y=1): return y", "def f(x, y=2): return y"),
    "keyword default": ("def f(x, *, y=1): return y", "def f(x, *, y=2): return y"),
    "closure": (
        "def make(a):\n    def f(x): return a * x\n    return f\nf = make(1)",
        "def make(a):\n    def f(x): return a * x\n    return f\nf = make(2)",
    ),
    "what a closure calls": (
        "def g(x): return x\ndef make(a):\n    def f(x): return a(x)\n    return f\nf = make(g)",
        "def g(x): return 2 * x\ndef make(a):\n    def f(x): return a(x)\n    return f\nf = make(g)",
    ),
    "lambda": ("f = lambda x: x + 1", "f = lambda x: x + 2"),
    "one of two lambdas in a line": ("g, f = lambda x: x + 1, lambda x: x + 2", "f, g = lambda x: x + 1, lambda x: x + 2"),
    "partial": (
        "from functools import partial\nf = partial(lambda x, y: x, 1, y=2)",
        "from functools import partial\nf = partial(lambda x, y: x, 1, y=3)",
    ),
    "state": (
        "class F:\n    def __init__(self, a): self.a = a\n    def __call__(self, x): return x\nf = F(1)",
        "class F:\n    def __init__(self, a): self.a = a\n    def __call__(self, x): return x\nf = F(2)",
    ),
    "slot": (
        "class F:\n    __slots__ = ('a',)\n    def __call__(self, x): return x\nf = F(); f.a = 1",
        "class F:\n    __slots__ = ('a',)\n    def __call__(self, x): return x\nf = F(); f.a = 2",
    ),
    "bound method": (
        "class F:\n    a = 1\n    def m(self, x): return self.a\nf = F().m",
        "class F:\n    a = 2\n    def m(self, x): return self.a\nf = F().m",
    ),
    "base class": (
        "class B:\n    def m(self): return 1\nclass F(B):\n    def __call__(self, x): return self.m()\nf = F()",
        "class B:\n    def m(self): return 2\nclass F(B):\n    def __call__(self, x): return self.m()\nf = F()",
    ),
    "class that is called": (
        "class A:\n    def __init__(self): self.x = 1\ndef f(x): return A().x",
        "class A:\n    def __init__(self): self.x = 2\ndef f(x): return A().x",
    ),
    "property": (
        "class F:\n    @property\n    def a(self): return 1\n    def __call__(self, x): return self.a\nf = F()",
        "class F:\n    @property\n    def a(self): return 2\n    def __call__(self, x): return self.a\nf = F()",
    ),
    "cached function": (
        "from functools import cache\n@cache\ndef g(x): return 1\ndef f(x): return g(x)",
        "from functools import cache\n@cache\ndef g(x): return 2\ndef f(x): return g(x)",
    ),
    "what a decorator wraps": (
        "from contextlib import contextmanager\n@contextmanager\ndef g(): yield 1\ndef f(x): return g()",
        "from contextlib import contextmanager\n@contextmanager\ndef g(): yield 2\ndef f(x): return g()",
    ),
    "function of the package": (
        "from pgcourse.losses import value_loss as g\ndef f(x): return g(x)",
        "from pgcourse.losses import reinforce_loss as g\ndef f(x): return g(x)",
    ),
    "exception that is caught": (
        "def f(x):\n    try: return x()\n    except ValueError: return 1",
        "def f(x):\n    try: return x()\n    except KeyError: return 1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_what_a_function_of_a_notebook_uses_changes_what_it_is_told_by(pair: tuple[str, str]) -> None:
    first, second = pair
    assert told(first) == told(first), "the same code run again"
    assert told(first) != told(second)


def test_layout_comments_docstrings_and_what_is_not_used_change_nothing() -> None:
    plain = told("def helper(x):\n    return x + 1\ndef f(x):\n    return helper(x)")
    rich = (
        'def f(x):\n    """Old words."""\n    # why\n    return helper(x)\n\n'
        'def helper(x):\n    """Words."""\n    return (x +\n      1)\n'
    )
    assert told(rich + "OTHER = 5\n") == plain


def test_functions_that_call_each_other_and_objects_that_hold_themselves_come_to_an_end() -> None:
    circle = "def even(n): return n == 0 or f(n - 1)\ndef f(n): return n != 0 and even(n - 1)\n"
    assert told(circle) == told(circle) != told(circle.replace("!= 0", "!= 1"))
    held: list[Any] = []
    held.append(held)
    assert describe(held) == describe(held)


def test_what_is_nested_too_deeply_is_one_line() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(InvalidInput, match=r"nested too deeply to be told from others; hold less"):
        describe(deep)


def test_networks_are_told_apart_by_their_weights() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        first, second = nn.Linear(3, 2), nn.Linear(3, 2)
    same = nn.Linear(3, 2)
    same.load_state_dict(first.state_dict())
    assert describe(first) == describe(same) != describe(second)


@dataclass
class Counter:
    """A callable that remembers the run that it is in, which is not what it is compared by."""

    size: float
    calls: int = field(default=0, repr=False, compare=False)

    def __call__(self, *parts: Any) -> None:
        self.calls += 1


def test_a_dataclass_is_told_by_the_fields_that_it_is_compared_by() -> None:
    counter = Counter(1.0)
    before = describe(counter)
    counter()
    assert describe(counter) == before != describe(Counter(2.0))


def test_what_no_one_can_look_into_is_told_by_its_class() -> None:
    assert describe({"lock": threading.Lock()}) == describe({"lock": threading.Lock()}) != describe({"lock": None})


def test_a_generator_is_told_by_its_state_and_a_set_in_no_order() -> None:
    assert (
        describe(np.random.default_rng(0)) == describe(np.random.default_rng(0)) != describe(np.random.default_rng(1))
    )
    assert describe({"ab", "cd", "ef"}) == describe({"ef", "ab", "cd"}) != describe({"ab", "cd"})


def test_every_trap_has_a_key_of_its_own_that_outlives_a_run() -> None:
    keys = {trap.id: source_key("x", ppo.CARTPOLE, {**trap.config_changes, **trap.seams}) for trap in traps.TRAPS}
    assert len(set(keys.values())) == len(keys)
    stale = next(trap for trap in traps.TRAPS if trap.base.algorithm == "reinforce" and "collect_fn" in trap.seams)
    before = describe(stale.seams)
    stale.train(seed=0, on_iteration=lambda progress: True)
    assert describe(stale.seams) == before


def test_a_traps_key_moves_with_the_code_of_its_own_module(repository: Path) -> None:
    """It lies in the package, and no run without the trap goes through it."""
    seams = {"f": next(iter(traps.JOINT_CLIPPING.seams.values()))}
    home = Path(sys.modules[seams["f"].__module__].__file__ or "")
    assert home.parent.name == "traps" and home in files_behind([home])
    assert repository / "pgcourse" / "optim.py" in files_behind([home])


def test_a_public_name_leads_to_the_file_behind_it_and_not_to_all_of_the_package(
    repository: Path, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text("from pgcourse import trpo, evaluate\nimport json, numpy.linalg\n")
    assert imported_by(script) >= {repository / "pgcourse/algorithms/trpo.py", repository / "pgcourse/evaluation.py"}
    assert repository / "pgcourse/algorithms/a2c.py" not in files_behind([script])


def test_layout_comments_and_docstrings_are_no_code() -> None:
    first = 'def f(x):\n    """Old words."""\n    # why\n    return (x +\n        1)'
    assert code_of(first) == code_of("def f(x):\n    return x + 1") != code_of("def f(x):\n    return x + 2")
    assert code_of('def f():\n    """Only words."""') == code_of("def f():\n    pass")


def test_an_installed_function_is_told_by_its_name_and_what_it_wraps() -> None:
    wrapped = functools.wraps(test_what_is_nested_too_deeply_is_one_line)(lambda: None)
    assert describe(torch.relu) == describe(torch.relu) != describe(torch.tanh)
    assert describe(np.sum) != describe(np.mean)
    assert describe(wrapped) == describe(wrapped)
