"""`import pgcourse`: every public name is there, the environments are registered, and nothing slow is loaded before use."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pgcourse


def test_every_public_name_can_be_had_and_is_listed(repository: Path) -> None:
    assert set(pgcourse.__all__) <= set(dir(pgcourse))
    for name in pgcourse.__all__:
        assert getattr(pgcourse, name) is not None
    with pytest.raises(AttributeError, match="module 'pgcourse' has no attribute 'dqn'"):
        _ = pgcourse.dqn
    # What editors and mypy read is what is there at run time.
    tree = ast.parse((repository / "pgcourse/__init__.py").read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    seen = {
        alias.name: (node.module or alias.name if node.module != "algorithms" else f"algorithms.{alias.name}")
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == pgcourse._HOMES
    assert sorted({*seen, "register_envs"}) == pgcourse.__all__


@pytest.mark.parametrize(
    "code",
    [
        "import pgcourse, gymnasium as gym",
        "import gymnasium as gym, pgcourse",
        "import gymnasium as gym, pgcourse.envs",
        "import gymnasium as gym; from pgcourse import ppo",
    ],
)
def test_a_fresh_process_can_make_our_environments(code: str, run_python: Callable[..., Any]) -> None:
    made = "envs = gym.make_vec('pgcourse/CartPole-v1', num_envs=3); print(type(envs).__name__, envs.num_envs)"
    assert run_python(f"{code}; {made}").stdout == "CartPoleVectorEnv 3\n"


@pytest.mark.parametrize(
    "arguments",
    [
        "", "--help", "--version", "progress", "lab --help", "doctor --help", "demo --help", "resume --help",
        "evaluate --help", "gif --help", "compare --help", "check --help", "progress --help", "assignment --help",
        "grade --help", "assignment make --help",
    ],
)  # fmt: skip
def test_help_and_progress_do_not_wait_for_torch(arguments: str, run_python: Callable[..., Any]) -> None:
    """Torch alone takes ten times as long to import as these take in all."""
    code = f"""
import contextlib, io, sys
from pgcourse.cli import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    assert main({arguments.split()!r}) == 0
slow = ("torch", "matplotlib", "scipy", "joblib", "PIL", "pygame", "IPython", "nbclient", "nbgrader")
print([name for name in slow if name in sys.modules])"""
    assert run_python(code).stdout == "[]\n"


def test_the_doctor_speaks_before_torch_is_loaded(run_python: Callable[..., Any]) -> None:
    code = "import sys; from pgcourse.doctor import examine; print(next(examine()).subject, 'torch' in sys.modules)"
    assert run_python(code).stdout == "Python False\n"


def test_the_doctor_looks_on_where_torch_cannot_be_imported(run_python: Callable[..., Any]) -> None:
    code = """
import sys
sys.modules["torch"] = None
from pgcourse.doctor import examine
print([finding.subject for finding in examine() if not finding.works])"""
    assert run_python(code).stdout == "['environments', 'device', 'rendering']\n"
