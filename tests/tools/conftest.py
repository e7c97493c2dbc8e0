# ruff: noqa: E501  (nbgrader's metadata stand in one line of the percent format)
"""A tiny course in a temporary folder, with a registry and figures of its own."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pgcourse.errors import InvalidInput
from tools.builder.build import build
from tools.builder.check import check
from tools.builder.course import Course

LESSON = """\
# %% [markdown]
# # A lesson
# CartPole is solved after {{cartpole:episodes}} episodes; $\\frac{{a}}{b}$ stays.

# %%
numbers = [1, 2, 3]
print(sum(numbers))

# %%
numbers[0]
"""

# Defines its own `check`, so that a tiny course needs no torch and its kernels start at once.
EXERCISES = '''\
# %% [markdown]
# # Exercises

# %%
def run(name, attempt):
    try:
        value = attempt(2)
    except NotImplementedError:
        return type("Result", (), {"status": "not attempted"})
    return type("Result", (), {"status": "correct" if value == 4 else "not yet"})


def check(name, attempt):
    print(f"{name}: {run(name, attempt).status}")


# %% nbgrader={"grade": false, "grade_id": "double", "locked": false, "schema_version": 3, "solution": true, "task": false}
def double(number):
    """Twice the number: double(2) is 4."""
    ### BEGIN SOLUTION
    # the secret is to add
    twice = number + number
    return twice
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-double", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["nbval-check-output"]
check("double", double)
### BEGIN HIDDEN TESTS
assert run("double", double).status == "correct"
### END HIDDEN TESTS
'''

FIGURES = {"cartpole:episodes": "289 [274, 301]", "cartpole:episodes.value": "289"}


def quote(figure: str) -> str:
    """Stand in for pgcourse.study.claims.quote."""
    try:
        return FIGURES[figure]
    except KeyError:
        raise InvalidInput(f"no figure {figure}") from None


@dataclass
class TinyCourse:
    """What a test changes (sources, registry) and does (build, check)."""

    root: Path
    exercises: list[Any] = field(default_factory=list)  # the registry; at first the exercise `double`
    package: str = "package-1"
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.exercises.append(self.exercise())

    @staticmethod
    def exercise(name: str = "double", **changes: Any) -> SimpleNamespace:
        """Make a registered exercise."""
        record = {"unit": "01", "points": 2, "minutes": 5, "difficulty": 1, "hints": ("a", "b", "c")}
        return SimpleNamespace(id=name, **(record | changes))

    @property
    def course(self) -> Course:
        return Course(self.root, quote, tuple(self.exercises), self.package)

    def write(self, name: str, text: str) -> Path:
        path = self.root / "course" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def edit(self, name: str, old: str, new: str) -> None:
        """Change one piece of a source; a piece that is not there is a mistake of the test."""
        path = self.root / "course" / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def build(self, *names: str, **options: Any) -> list[str]:
        self.said.clear()
        return build(self.course, names, say=self.said.append, **options)

    def check(self, *names: str) -> list[str]:
        self.said.clear()
        return check(self.course, names, say=self.said.append)

    def files(self) -> dict[str, bytes]:
        """Return every built notebook's bytes, by its path."""
        paths = (path for folder in ("notebooks", "solutions", "exercises") for path in (self.root / folder).glob("*"))
        return {path.relative_to(self.root).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture
def tiny(tmp_path: Path) -> TinyCourse:
    """Return a course with one lesson and one exercise."""
    root = tmp_path / "project"
    root.mkdir()
    course = TinyCourse(root)
    course.write("01_tiny.py", LESSON)
    course.write("01_tiny.exercises.py", EXERCISES)
    return course
