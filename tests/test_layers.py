"""The floors of the package: a file imports only from floors below its own, or from its own folder."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.house import FLOORS, circles, drawn_in, module_names, violations

# Slow to import, or of no use without a notebook: whoever needs one of them imports it where it is needed.
HEAVY = [
    "torch",
    "matplotlib",
    "ipywidgets",
    "jupyterlab",
    "jupyter_client",
    "IPython",
    "tyro",
    "PIL",
    "pygame",
    "joblib",
]


def test_no_file_imports_from_a_floor_above_its_own(repository: Path) -> None:
    assert violations(repository / "pgcourse", FLOORS) == []


def test_no_files_of_the_lower_floors_import_each_other_in_a_circle(repository: Path) -> None:
    low = {name for name, floor in FLOORS.items() if floor <= 6}
    assert [name for name in circles(repository / "pgcourse") if name.split(".")[0] in low] == []


@pytest.mark.parametrize(
    ("path", "source", "complaint"),
    [
        ("returns.py", "from . import training", "imports training"),
        ("returns.py", "from .training import Recorder", "imports training"),
        ("returns.py", "import pgcourse.training", "imports training"),
        ("returns.py", "from pgcourse.training import Recorder", "imports training"),
        ("envs/cartpole.py", "def f():\n    from ..training import Recorder", "imports training"),
        ("envs/cartpole.py", "from .. import training as t", "imports training"),
        ("algorithms/ppo.py", "from .. import __version__", "imports __init__"),
        ("study/traps/data.py", "from ...checks.unit_01 import x", "imports checks"),
        ("show/clip.py", "from ..grading import grader", "imports grading"),  # a room beside it
        ("envs/cartpole.py", "from ..networks import mlp", "imports networks"),
        ("training.py", "from .cli import main", "imports cli"),
        ("secret.py", "import math", "has no floor: place 'secret'"),
    ],
)
def test_a_file_that_reaches_up_is_named(tmp_path: Path, path: str, source: str, complaint: str) -> None:
    package = tmp_path / "pgcourse"
    for name in (
        "training.py", "networks.py", "cli/__init__.py", "checks/unit_01/__init__.py", "grading/grader.py", "__init__.py",
    ):  # fmt: skip
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text("")
    file = package / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source)
    assert [complaint in line for line in violations(package, FLOORS)] == [True]


def test_floors_and_their_table_name_what_is_there(repository: Path) -> None:
    package = repository / "pgcourse"
    assert [name for name in FLOORS if not (package / name).is_dir() and not (package / f"{name}.py").is_file()] == []
    (table,) = re.findall(r"^\| floor \|.*?\n\n", (repository / "CONTRIBUTING.md").read_text("utf-8"), re.M | re.S)
    named = re.findall(r"`([\w/]+(?:/|\.py))`", table)
    assert {"cli/", "study/traps/", "doctor.py"} <= set(named)
    assert [name for name in named if not (package / name).exists()] == []
    # A row for each floor, the highest first.
    assert [int(floor) for floor in re.findall(r"^\| (\d+) \|", table, re.M)] == sorted(
        {*FLOORS.values()}, reverse=True
    )


def test_a_circle_is_named(tmp_path: Path) -> None:
    package = tmp_path / "pgcourse"
    package.mkdir()
    (package / "losses.py").write_text("from . import returns")
    (package / "returns.py").write_text("def f():\n    from .losses import x")
    (package / "optim.py").write_text("from . import returns")
    assert circles(package) == ["losses", "returns"]


def test_the_picture_of_the_house_is_current(repository: Path, tmp_path: Path) -> None:
    text = (repository / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert text == drawn_in(text, repository / "pgcourse"), "draw it anew: .venv/bin/python -m tools.house"
    package = tmp_path / "pgcourse"
    package.mkdir()
    for name, source in {"losses": "", "networks": "", "rollout": "from . import losses"}.items():
        (package / f"{name}.py").write_text(source)
    before = drawn_in(text, package)
    assert before != text and "rollout --> losses" in before
    (package / "rollout.py").write_text("from . import losses, networks")
    assert "rollout --> networks" in drawn_in(before, package), "an import changes it"
    (package / "networks.py").write_text("from . import losses")
    assert "rollout --> losses" not in drawn_in(before, package), "what follows from two arrows is not drawn"


def test_importing_the_package_is_light(run_python: Callable[..., Any]) -> None:
    code = f"import sys, pgcourse; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    assert run_python(code).stdout.strip() == ""


def test_no_file_looks_for_a_device_when_it_is_imported(repository: Path, run_python: Callable[..., Any]) -> None:
    modules = [name for name in module_names(repository / "pgcourse") if name != "__init__"]
    code = f"""
        import importlib, torch

        def refuse(*_, **__):
            raise AssertionError("a device was asked for at import time")

        for name in ("is_available", "device_count", "current_device", "init", "set_device", "get_device_name"):
            setattr(torch.cuda, name, refuse)
        torch.set_default_device = torch.set_default_dtype = torch.set_num_threads = torch.manual_seed = refuse
        state = torch.get_rng_state()
        for name in {modules!r}:
            importlib.import_module("pgcourse." + name)
        assert torch.equal(state, torch.get_rng_state()), "random numbers were drawn at import time"
        print("done")
    """
    assert run_python(code).stdout == "done\n"


def test_no_file_names_a_device_outside_a_function(repository: Path) -> None:
    named = []
    for name, file in module_names(repository / "pgcourse").items():
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for statement in outside_functions(tree):
            for node in ast.walk(statement):
                text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
                call = isinstance(node, ast.Call) and ast.unparse(node.func) in ("torch.device", "device")
                if call or text.split(":")[0] in ("cuda", "mps"):
                    named.append(f"{name}:{node.lineno}")
    assert named == []


def outside_functions(tree: ast.Module | ast.ClassDef) -> Iterator[ast.stmt]:
    """Give the statements that run at import, those of class bodies included."""
    for statement in tree.body:
        if isinstance(statement, ast.ClassDef):
            yield from outside_functions(statement)
        elif not isinstance(statement, ast.FunctionDef):
            yield statement
