"""Make the hand-out of a class: student notebooks, the teacher's key, nbgrader's source version, `release.json`."""

import difflib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from pgcourse.errors import InvalidInput
from pgcourse.grading.folders import around_release
from pgcourse.grading.release.assignment import SolvedAssignment, due_text, of_private_file, of_unit
from pgcourse.grading.release.exercises import PrivateFile, checks_digest, read_folder
from pgcourse.grading.release.experiments import EXPERIMENTS
from pgcourse.grading.release.manifest import FILE, LIBRARIES, Late, Release, read
from pgcourse.grading.release.notebooks import require_nbgrader, units
from pgcourse.storage import atomic_write

NBGRADER_CONFIG = """c = get_config()

c.CourseDirectory.course_id = "pgcourse"
# The words in cleared cells are those of student/.
c.ClearSolutions.code_stub = {"python": 'raise NotImplementedError("write your code here, then run the check below")'}
c.ClearSolutions.text_stub = "*Write your answer here: double-click this cell.*"
# A cell of a submission may take this long, in seconds: an experiment trains nine agents.
c.Execute.timeout = 300
"""


@dataclass(frozen=True)
class Settings:
    """What a teacher decides.

    Fields: units: their numbers. points: id of an exercise -> its points in this class; 0 leaves it in the notebook as
    practice. exercises: folder of own exercises. experiments: whether each unit asks for one. version: of the package.
    libraries: further distributions that answers may use.
    """

    out: Path
    units: tuple[int, ...]
    version: str
    due: datetime | None = None
    late: Late = field(default_factory=Late)
    points: Mapping[str, float] = field(default_factory=dict)
    exercises: Path | None = None
    experiments: bool = True
    libraries: tuple[str, ...] = ()


@dataclass(frozen=True)
class Made:
    """The release, the files written, and those kept because somebody changed them."""

    release: Release
    written: Sequence[str]
    kept: Sequence[str]


def make(settings: Settings, *, force: bool = False) -> Made:
    """Write the release folder. The same settings again restore what is missing, and change nothing else.

    Args: force: write over another release, and over files that somebody changed.
    Raises: InvalidInput, one line, for a setting, a private exercise or a folder that will not do.
    """
    require_nbgrader()
    if (around := around_release(settings.out.resolve().parent)) is not None:
        raise InvalidInput(f"--out {settings.out} lies inside a release, {around}; give a folder beside it")
    for library in settings.libraries:
        _require_installed(library)
    known = units()
    if missing := [number for number in settings.units if number not in known]:
        raise InvalidInput(f"unit {missing[0]} has no exercises; there are units {', '.join(map(str, known))}")
    private = read_folder(settings.exercises, set(known.values())) if settings.exercises else []
    parts = [
        of_unit(known[number], settings.points, EXPERIMENTS.get(number) if settings.experiments else None)
        for number in sorted(set(settings.units))
    ]
    parts += [of_private_file(file, settings.points) for file in private]
    parts.sort(key=lambda part: part.assignment.name)
    _refuse_unknown(settings.points, parts)
    release = Release(
        version=settings.version,
        checks=checks_digest(exercise for part in parts for exercise in part.graded),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        due=settings.due.isoformat() if settings.due else None,
        late=settings.late,
        assignments=tuple(part.assignment for part in parts),
        libraries=tuple(dict.fromkeys([*LIBRARIES, *settings.libraries])),
    )
    old = standing(settings.out, release, force=force)
    if old is not None and not differing(old, release):
        release = replace(release, made=old.made)
    return write(settings.out, release, _files(release, parts, private), old, force=force)


def stamp(release: Release) -> str:
    """Eight hexadecimal digits that stand in each notebook and change when anything that decides a mark does."""
    data = {key: value for key, value in release.as_json().items() if key != "made"}
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode("utf-8")).hexdigest()[:8]


def _files(release: Release, parts: Sequence[SolvedAssignment], private: Sequence[PrivateFile]) -> dict[str, str]:
    files: dict[str, str] = {}
    for part in parts:
        files |= part.files(release, stamp(release))
    files |= {f"teacher/exercises/{file.name}.py": file.source for file in private}
    files["teacher/nbgrader_config.py"] = NBGRADER_CONFIG
    files["README.md"] = readme(release, private=bool(private))
    return files


def _refuse_unknown(points: Mapping[str, float], parts: Sequence[SolvedAssignment]) -> None:
    here = [exercise.id for part in parts for exercise in part.exercises]
    for id in points:
        if id not in here:
            close = difflib.get_close_matches(id, here, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(here)}"
            raise InvalidInput(f"--points: no exercise of these units is called {id!r}; {hint}")


def _require_installed(library: str) -> None:
    """The name of the package is meant, and grading needs the library here."""
    try:
        metadata.distribution(library)
    except (metadata.PackageNotFoundError, ValueError):
        installed = {each.name for each in metadata.distributions() if each.name}
        close = difflib.get_close_matches(library, installed, n=1)
        close = close or sorted(set(metadata.packages_distributions().get(library, ())))[:1]
        hint = f"did you mean {close[0]}?" if close else "install it first"
        raise InvalidInput(
            f"--libraries: {library!r} is not installed here, as grading needs it; {hint} "
            f"(a library's name is meant, as pip has it: --libraries einops)"
        ) from None


def standing(out: Path, release: Release, *, force: bool) -> Release | None:
    """The release that stands in `out`, or None where nothing stands in the way.

    Raises: InvalidInput unless `force`, where the folder holds another release or files that are none of ours.
    """
    if out.exists() and not out.is_dir():
        raise InvalidInput(f"{out} is a file; give a folder for the release")
    if not out.exists() or not any(out.iterdir()):
        return None
    if not (out / FILE).exists():
        if force:
            return None
        raise InvalidInput(f"{out} is not empty and holds no release; choose another --out, or add --force")
    try:
        old = read(out)
    except InvalidInput as error:
        if force:
            return None
        raise InvalidInput(f"{error} (or add --force to replace it)") from None
    changed = differing(old, release)
    if changed and not force:
        raise InvalidInput(
            f"{out} holds another release ({', '.join(changed)} differ); choose another --out, or add --force to replace it"
        )
    return old


def differing(old: Release, new: Release) -> list[str]:
    """Settings in which two releases differ, the moment they were made left aside."""
    left, right = old.as_json(), new.as_json()
    return [key for key in right if key != "made" and left[key] != right[key]]


def files_of(release: Release) -> list[str]:
    """The files of a release whose names follow from its assignments."""
    names = [assignment.name for assignment in release.assignments]
    own = {exercise.source for a in release.assignments for exercise in a.exercises if exercise.source}
    sources = [f"teacher/source/{name}/{name}.ipynb" for name in names]
    keys = [f"teacher/key/{name}.ipynb" for name in names]
    return [*(a.notebook for a in release.assignments), *keys, *sources, *sorted(own)]


def write(out: Path, release: Release, files: dict[str, str], old: Release | None, *, force: bool) -> Made:
    """Write what is missing or different. Where the same release stands, a file that somebody changed is kept.

    Args: old: what stands in the folder. force: write over changed files too.
    """
    same = old is not None and not differing(old, release)
    if old is not None and not same:
        for name in set(files_of(old)) - set(files):
            (out / name).unlink(missing_ok=True)
    written, kept = [], []
    for name, text in files.items():
        path = out / name
        if path.exists() and path.read_bytes() == text.encode("utf-8"):
            continue
        if same and path.exists() and not force:
            kept.append(name)
            continue
        atomic_write(path, text)
        written.append(name)
    if not same:  # last, so that a folder half written is no release
        release.write(out)
    return Made(release, written, kept)


def readme(release: Release, *, private: bool) -> str:
    """The README of the release folder."""
    rows, commands = [], []
    for assignment in release.assignments:
        ids = ", ".join(f"`{e.id}` {e.points:g}" for e in assignment.exercises)
        manual = ", ".join(f"`{cell.id}` {cell.points:g}" for cell in assignment.manual) or "none"
        rows.append(f"| `{assignment.name}` | {ids} | {manual} | {assignment.max_score:g} |\n")
        commands.append(f"nbgrader generate_assignment {assignment.name}\n")
    own = "| `teacher/exercises/` | your own exercises, with their answers |\n" if private else ""
    return f"""# Hand-out of pgcourse

{due_text(release)}

| folder | what |
|---|---|
| `student/` | the notebooks to hand out, and nothing else |
| `teacher/key/` | solutions, misconceptions, what to look for in the experiments |
| `teacher/source/` | nbgrader's source version; `teacher/` is a course folder of nbgrader |
{own}| `release.json` | version, points and times; `pgcourse grade` reads it |

Never hand out `teacher/`.

| assignment | exercises and points | marked by a person | sum |
|---|---|---|---|
{"".join(rows)}
Hand in: each student gives back the notebook under its own name. Put them into folders named by student: \
`submissions/STUDENT/NOTEBOOK.ipynb`, not inside this one.

From this folder, with submissions and grades beside it and not inside: grade, mark what waits for a person, export.

```sh
pgcourse grade ../submissions/ --release . --out ../grades/ --roster ../roster.csv
pgcourse mark ../grades/ --release .
pgcourse grades export ../grades/ --to moodle --roster ../roster.csv
```

- `roster.csv` lists the class, a line for each student, below the columns `student,name,email`. The table then says who is \
missing, and downloads of Moodle and Canvas are taken once they are unpacked. Without one, leave `--roster` away.
- `mark` opens a page in your browser. Ctrl-C ends it, and puts your marks into `../grades/class.csv` and into the feedback, a \
page for each student in `../grades/students/`.
- `export` takes `moodle`, `canvas`, `nbgrader` or `csv`; `csv` needs no roster.

Or hand out and collect with nbgrader:

```sh
cd teacher
{"".join(commands)}```
"""
