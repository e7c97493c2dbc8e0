"""The floors of the package: a file imports only from floors below its own, or from its own folder."""

import ast
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

# The first part of a module's name below `pgcourse` -> floor. `__init__` is the package's own face: it gathers the public
# names of the floors up to 5.
FLOORS: dict[str, int] = {
    "errors": 1, "config": 1, "storage": 1, "registration": 1,
    "returns": 1, "losses": 1, "diagnostics": 1, "statistics": 1, "natural_gradient": 1,
    "networks": 2, "normalization": 2, "optim": 2, "envs": 2,
    "rollout": 3, "evaluation": 3, "render": 3, "setup": 3,
    "training": 4, "runs": 4, "episodes": 4, "checkpoint": 4,
    "algorithms": 5, "language": 5,
    "study": 6,
    "checks": 7,
    "show": 8, "grading": 8, "doctor": 8, "__init__": 8,
    "cli": 9,
}  # fmt: skip
# Slow to import, or of no use without a notebook: whoever needs one of them imports it where it is needed.
HEAVY = (
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
)


def module_names(package: Path) -> dict[str, Path]:
    """Return dotted names below the package -> file; `__init__` for the package's own file."""
    names = {}
    for file in sorted(package.rglob("*.py")):
        parts = list(file.relative_to(package).with_suffix("").parts)
        if parts[-1] == "__init__" and len(parts) > 1:
            parts.pop()
        names[".".join(parts)] = file
    return names


def imported(file: Path, package: Path, known: set[str]) -> Iterator[tuple[int, str]]:
    """Give (line, module of the package) for every import in the file, inside functions too."""
    here = list(file.relative_to(package).parent.parts)
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        bases: list[tuple[list[str], list[str]]] = []  # (module below the package, names taken from it)
        if isinstance(node, ast.Import):
            bases = [
                (alias.name.split(".")[1:], []) for alias in node.names if alias.name.split(".")[0] == package.name
            ]
        elif isinstance(node, ast.ImportFrom):
            module = node.module.split(".") if node.module else []
            names = [alias.name for alias in node.names]
            if node.level:
                start = here[: len(here) - (node.level - 1)]
                assert node.level - 1 <= len(here), f"{file}:{node.lineno} reaches above the package"
                bases = [(start + module, names)]
            elif module[:1] == [package.name]:
                bases = [(module[1:], names)]
        for base, names in bases:
            for name in names or [""]:
                longest = [*base, name] if name and ".".join([*base, name]) in known else base
                yield node.lineno, ".".join(longest) or "__init__"


def violations(package: Path, floors: dict[str, int]) -> list[str]:
    known = module_names(package)
    rooms = {file.parent.name for file in known.values() if file.parent.parent == package}  # folders
    found = []
    for name, file in known.items():
        top = name.split(".")[0]
        if top not in floors:
            found.append(f"{name} has no floor: place {top!r} in FLOORS of tests/test_layers.py")
            continue
        for line, target in imported(file, package, set(known)):
            below = target.split(".")[0]
            if below == top:
                continue
            if below not in floors:
                found.append(f"{name}:{line} imports {target}, which has no floor: place it in FLOORS")
            elif floors[below] > floors[top] or (floors[below] == floors[top] and {top, below} & rooms):
                found.append(f"{name}:{line} (floor {floors[top]}) imports {target} (floor {floors[below]})")
    return found


def circles(package: Path) -> list[str]:
    """Return the modules that cannot be put in an order in which each comes after all that it imports."""
    known = module_names(package)
    needs = {
        name: {target for _, target in imported(file, package, set(known))} - {name} for name, file in known.items()
    }
    while ready := [name for name, targets in needs.items() if not targets & needs.keys()]:
        for name in ready:
            del needs[name]
    # What imports a circle is left over as well: keep those that somebody in the rest imports.
    return sorted(name for name in needs if any(name in targets for targets in needs.values()))


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


def test_a_circle_is_named(tmp_path: Path) -> None:
    package = tmp_path / "pgcourse"
    package.mkdir()
    (package / "losses.py").write_text("from . import returns")
    (package / "returns.py").write_text("def f():\n    from .losses import x")
    (package / "optim.py").write_text("from . import returns")
    assert circles(package) == ["losses", "returns"]


def run_python(code: str, repository: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=repository, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_the_package_is_light(repository: Path) -> None:
    code = f"import sys, pgcourse; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    assert run_python(code, repository) == ""


def test_no_file_looks_for_a_device_when_it_is_imported(repository: Path) -> None:
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
    assert run_python(code, repository) == "done"


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
