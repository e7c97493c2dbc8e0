"""The course's sources: which files course/ has, and each of them read as a notebook, the same on every machine."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import jupytext
import nbformat
from nbformat import NotebookNode

from pgcourse.errors import InvalidInput

from .claims import fill_placeholders
from .comparisons import COMMENT, placed
from .minutes import FURTHER, minutes_of

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
    """Digest of the package, scripts and styles included, and of claims/*.json: every executed notebook depends on them."""
    package = [path for path in (root / "pgcourse").rglob("*") if path.suffix in (".py", ".js", ".css", ".json")]
    files = sorted([*package, *(root / "claims").glob("*.json")])
    parts: list[bytes | str] = []
    for path in files:
        # A checkout with Windows line ends must not make every output look old.
        parts += [path.relative_to(root).as_posix(), path.read_bytes().replace(b"\r\n", b"\n")]
    return digest(*parts)


# --- Reading a source ---------------------------------------------------------------------------------------------------

# Versions of Python and of the kernel stay out: builds on 3.11 and on 3.13 must agree.
NOTEBOOK_METADATA: dict[str, Any] = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# What a folded cell is called, by the first of these that its code holds.
FOLDS = (
    (r"\A(?:import|from) ", "Imports"),
    (r"^questions\.(?:quiz|predict|calibration)\(", "Question"),
    (r"^watch\(", "Agents at work"),
    (r"page\.(?:figure|gif)\(|\.show\(\)", "Figure"),
)
NBGRADER_KEYS = {"grade": False, "locked": False, "solution": False, "task": False, "schema_version": 3}


def read_source(course: Course, file: SourceFile) -> NotebookNode:
    """The notebook that `file` describes: not executed, figures filled in, stable ids, the smallest metadata.

    Raises: InvalidInput naming file and cell when the text is no valid source.
    """
    raw = raw_notebook(file)
    placed(raw, file.label)  # a comparison that the data contradict stops the build, in a cell's code too
    cells = [_clean_cell(part) for cell in raw.cells for part in _heading_apart(cell)]
    if not cells:
        raise InvalidInput(f"{file.label}: holds no cells; start each with a line `# %%` or `# %% [markdown]`")
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=nbformat.from_dict(NOTEBOOK_METADATA))
    notebook.nbformat_minor = 5
    set_ids(notebook, file)
    quote = _with_minutes(course, file, notebook)
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            cell.source = fill_placeholders(cell.source, quote, where(file, index, cell))
            if FURTHER.match(cell.source.split("\n", 1)[0]):
                cell.metadata["jp-MarkdownHeadingCollapsed"] = True  # JupyterLab shows the section folded
        elif cell.cell_type == "code" and cell.source.rstrip().endswith(";"):
            # The test runner shows the value that the semicolon hides in JupyterLab.
            raise InvalidInput(
                f"{where(file, index, cell)}: ends with `;`; end a plotting cell with plt.show() instead"
            )
    return notebook


def raw_notebook(file: SourceFile) -> NotebookNode:
    """The cells of a source as they are written, placeholders and all. Raises: InvalidInput where it cannot be read."""
    try:
        raw = jupytext.reads(file.path.read_text(encoding="utf-8"), fmt="py:percent")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InvalidInput(f"{file.label}: cannot be read as py:percent text ({error}); repair the file") from error
    raw.cells = [cell for cell in raw.cells if cell.source.strip()]
    return raw


def _with_minutes(course: Course, file: SourceFile, notebook: NotebookNode) -> Callable[[str], str]:
    """`course.quote`, which also knows `minutes:core`, `minutes:further` and `minutes:exercises` of this unit."""

    def quote(figure: str) -> str:
        name, _, part = figure.partition(":")
        if name != "minutes":
            return course.quote(figure)
        return str(_exercise_minutes(course, file.unit)) if part == "exercises" else minutes_of(notebook).quote(part)

    return quote


def quote_of_readme(course: Course) -> Callable[[str], str]:
    """`course.quote`, which also knows `minutes:03/core`, `minutes:03/further` and `minutes:03/exercises`."""

    def quote(figure: str) -> str:
        name, _, key = figure.partition(":")
        if name != "minutes":
            return course.quote(figure)
        unit, _, part = key.partition("/")
        (file,) = (file for file in course.select([unit]) if not file.is_exercises)
        if part == "exercises":
            return str(_exercise_minutes(course, file.unit))
        return minutes_of(raw_notebook(file)).quote(part)

    return quote


def _exercise_minutes(course: Course, unit: int) -> int:
    """The sum of what the tasks of a unit say they take, written ones included."""
    (file,) = (file for file in course.sources() if file.is_exercises and file.unit == unit)
    text = file.path.read_text(encoding="utf-8")
    return sum(int(minutes) for minutes in re.findall(r"^# \*[^*]*?(\d+) minutes[^*]*\*", text, re.MULTILINE))


def _heading_apart(cell: NotebookNode) -> list[NotebookNode]:
    """A heading of what goes further in a cell of its own: JupyterLab folds the cells below a heading, not its own text."""
    heading, _, text = cell.source.partition("\n")
    if cell.cell_type != "markdown" or not FURTHER.match(heading) or not text.strip():
        return [cell]
    return [nbformat.v4.new_markdown_cell(heading), nbformat.v4.new_markdown_cell(text.strip("\n"))]


def _clean_cell(cell: NotebookNode) -> NotebookNode:
    metadata = {key: value for key, value in cell.metadata.items() if key != "lines_to_next_cell"}
    make = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
    source = COMMENT.sub("", cell.source) if cell.cell_type == "code" else cell.source
    new = make.get(cell.cell_type, nbformat.v4.new_raw_cell)(source=source.rstrip())
    new.metadata = nbformat.from_dict(metadata)
    if cell.cell_type == "code" and metadata.get("jupyter", {}).get("source_hidden"):
        new.source = _named(new.source)
    return new


def _named(source: str) -> str:
    """The code of a folded cell under a line that says what it is: JupyterLab shows the first line in the cell's place."""
    source = source.lstrip("\n")
    if source.startswith(("#", "%")):
        return source
    words = next((words for pattern, words in FOLDS if re.search(pattern, source, re.MULTILINE)), "Preparation")
    return f"# {words}\n{source}"


def grade_id(cell: NotebookNode) -> str | None:
    """The nbgrader id of a cell, or None."""
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def flag(cell: NotebookNode, name: str) -> bool:
    """Whether nbgrader's metadata of `cell` says `grade`, `solution` or `locked`."""
    return bool(cell.metadata.get("nbgrader", {}).get(name, False))


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell, none where it has no such metadata."""
    return list(cell.metadata.get("tags", []))


def set_ids(notebook: NotebookNode, file: SourceFile) -> None:
    """Give each cell its stable id: the grade_id, else a hash of type and source; text formats cannot store
    ids.

    Raises: InvalidInput when a grade_id is used twice or cannot be a cell's id.
    """
    seen: set[str] = set()
    for index, cell in enumerate(notebook.cells):
        nbgrader = cell.metadata.get("nbgrader")
        if nbgrader is not None:
            _complete_nbgrader(nbgrader, where(file, index, cell))
        given = grade_id(cell)
        if given is not None:
            if given in seen:
                place = where(file, index, cell)
                raise InvalidInput(f"{place}: grade_id {given!r} is used twice; give each cell its own")
            cell.id = given
        else:
            base = "c-" + hashlib.sha1((cell.cell_type + cell.source).encode("utf-8")).hexdigest()[:12]
            number = 1
            cell.id = base
            while cell.id in seen:
                number += 1
                cell.id = f"{base}-{number}"
        seen.add(cell.id)


def _complete_nbgrader(nbgrader: NotebookNode, place: str) -> None:
    for key, value in NBGRADER_KEYS.items():
        nbgrader.setdefault(key, value)
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", str(nbgrader.get("grade_id", ""))):
        raise InvalidInput(
            f"{place}: grade_id {nbgrader.get('grade_id')!r} is no cell id; use 1 to 64 of A-Z a-z 0-9 _ -"
        )


def where(file: SourceFile, index: int, cell: NotebookNode) -> str:
    """How messages name a cell: file, number from 1, and its grade_id or first line."""
    first = cell.source.strip().split("\n", 1)[0][:50]
    return f"{file.label}, cell {index + 1} ({grade_id(cell) or repr(first)})"


def text_of(notebook: NotebookNode) -> str:
    """The notebook as it is written to disk. Raises: InvalidInput where it is not valid nbformat 4.5."""
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        raise InvalidInput(f"the notebook is not valid nbformat 4.5: {error.message}") from error
    return nbformat.writes(notebook).rstrip("\n") + "\n"
