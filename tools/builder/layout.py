"""Where the sources and the built notebooks lie, and what the builder has to know from outside."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pgcourse.errors import InvalidInput

REBUILD = "run `make notebooks`"


class ExerciseRecord(Protocol):
    """What the builder reads of an exercise in `pgcourse.checks.exercises()`."""

    @property
    def id(self) -> str: ...
    @property
    def unit(self) -> str | int: ...
    @property
    def points(self) -> float: ...
    @property
    def minutes(self) -> float: ...
    @property
    def difficulty(self) -> int: ...
    @property
    def hints(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class SourceFile:
    """One file of course/: a lesson (`01_name.py`) or a unit's exercises (`01_name.exercises.py`)."""

    path: Path

    @property
    def label(self) -> str:
        return f"course/{self.path.name}"

    @property
    def is_exercises(self) -> bool:
        return self.path.name.endswith(".exercises.py")

    @property
    def name(self) -> str:
        """The unit's name, `01_reinforce`, which all its notebooks bear."""
        return self.path.name.removesuffix(".py").removesuffix(".exercises")

    @property
    def unit(self) -> int:
        return unit_number(self.name)

    @property
    def products(self) -> tuple[str, ...]:
        """The notebooks made from this file, relative to the root of the project."""
        if self.is_exercises:
            return f"solutions/{self.name}.ipynb", f"exercises/{self.name}.ipynb"
        return (f"notebooks/{self.name}.ipynb",)


@dataclass(frozen=True)
class Course:
    """A course on disk, with the three things that come from the package: its text, its figures and its
    exercises.

    Args: root: folder that holds course/. quote: a figure's name -> its text. exercises: the registry of
    exercises. package: digest of everything that can change an output without a change of the source.
    """

    root: Path
    quote: Callable[[str], str]
    exercises: Sequence[ExerciseRecord] = field(default_factory=tuple)
    package: str = ""

    def sources(self) -> list[SourceFile]:
        """All sources in course order, lessons first in a unit. Raises: InvalidInput for a wrong name."""
        files = [SourceFile(path) for path in (self.root / "course").glob("*.py")]
        for file in files:
            if not re.fullmatch(r"\d\d_[a-z0-9_]+(\.exercises)?\.py", file.path.name):
                raise InvalidInput(f"{file.label}: name it like 03_a2c_gae.py or 03_a2c_gae.exercises.py")
        return sorted(files, key=lambda file: (file.name, file.is_exercises))

    def select(self, names: Sequence[str]) -> list[SourceFile]:
        """The sources meant by `01`, `01_reinforce`, `01_reinforce.exercises` or a path; all if none."""
        everything = self.sources()
        if not names:
            return everything
        chosen: set[SourceFile] = set()
        for name in names:
            stem = Path(name).name.removesuffix(".py").removesuffix(".ipynb")
            matches = {
                file for file in everything if stem in (file.name, file.name[:2], file.path.name.removesuffix(".py"))
            }
            if not matches:
                known = ", ".join(sorted({file.name for file in everything})) or "none yet"
                raise InvalidInput(f"no source in course/ is called {name!r}; there are: {known}")
            chosen |= matches
        return [file for file in everything if file in chosen]

    def orphans(self) -> list[str]:
        """Built notebooks that no source gives any more, relative to the root."""
        wanted = {product for file in self.sources() for product in file.products}
        found = (
            f"{folder}/{path.name}"
            for folder in ("notebooks", "solutions", "exercises")
            for path in (self.root / folder).glob("*.ipynb")
        )
        return sorted(set(found) - wanted)


def unit_number(name: str | int) -> int:
    """Number of a unit given as `1`, `"01"` or `"01_reinforce"`. Raises: InvalidInput where none is there."""
    match = re.match(r"\d+", str(name))
    if match is None:
        raise InvalidInput(f"unit {name!r} does not start with its number; write it like 01_reinforce")
    return int(match.group())


def digest(*parts: bytes | str) -> str:
    """Sixteen hexadecimal digits that change when any part, or the way they are divided, does."""
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8") if isinstance(part, str) else part
        whole.update(len(data).to_bytes(8, "big") + data)
    return whole.hexdigest()[:16]


def package_digest(root: Path) -> str:
    """Digest of pgcourse/**/*.py and claims/*.json, on which every executed notebook depends."""
    files = sorted([*(root / "pgcourse").rglob("*.py"), *(root / "claims").glob("*.json")])
    parts: list[bytes | str] = []
    for path in files:
        # A checkout with Windows line ends must not make every output look old.
        parts += [path.relative_to(root).as_posix(), path.read_bytes().replace(b"\r\n", b"\n")]
    return digest(*parts)
