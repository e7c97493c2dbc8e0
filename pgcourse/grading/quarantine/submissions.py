"""Finding what students handed in."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pgcourse.errors import InvalidInput

MAX_NAME = 245  # bytes of a student's name: with an ending it is the name of a file, which has 255 at most
FORMULA = "=+-@"  # how a text begins that a spreadsheet computes


@dataclass(frozen=True)
class Submission:
    """One student's notebook for one assignment; without a path, none was handed in."""

    student: str
    assignment: str
    path: str = ""


def find(folder: Path, assignments: Sequence[str]) -> tuple[list[Submission], list[str]]:
    """All submissions, and what was left out, in words.

    One notebook; or a folder that holds `STUDENT.ipynb` (a release of one notebook) and folders `STUDENT/NAME.ipynb`,
    or nbgrader's `STUDENT/NAME/NAME.ipynb`. Links are not followed. Raises: InvalidInput where there is nothing.
    """
    if not folder.exists():
        raise InvalidInput(f"there is no {folder}; give a notebook, or a folder with one folder for each student")
    remarks: list[str] = []
    files: dict[tuple[str, str], Path] = {}
    entries = [folder] if folder.is_file() else sorted(folder.iterdir())
    for entry in entries:
        if entry.name.startswith("."):
            continue
        student = unicodedata.normalize("NFC", entry.stem if entry.suffix == ".ipynb" else entry.name)
        if entry.is_symlink():
            remarks.append(f"{_shown(entry)} is a link, and was left out.")
        elif wrong := wrong_name(student):
            remarks.append(f"{entry.name!r} {wrong}, and was left out; give it the student's name")
        elif entry.is_file():
            if entry.suffix != ".ipynb":
                continue
            if len(assignments) > 1:
                matching = [name for name in assignments if student.endswith(name)]
                if matching:
                    student = student.removesuffix(matching[0]).rstrip("-_ ") or matching[0]
                    _add(files, remarks, (student, matching[0]), entry)
                else:
                    what = "does not say which notebook it is"
                    remarks.append(f"{_shown(entry)} {what}; put it into {student}/NAME.ipynb")
            else:
                _add(files, remarks, (student, assignments[0]), entry)
        elif entry.is_dir():
            for name in assignments:
                for path in (entry / f"{name}.ipynb", entry / name / f"{name}.ipynb"):
                    if path.is_symlink() or path.parent.is_symlink():
                        remarks.append(f"{path.relative_to(folder)} is a link, and was left out.")
                    elif path.is_file():
                        _add(files, remarks, (student, name), path)
            known = {f"{name}.ipynb" for name in assignments}
            for path in sorted(entry.glob("*.ipynb")):
                if path.name in known or path.is_symlink():
                    continue
                if len(assignments) == 1 and (student, assignments[0]) not in files:
                    files[student, assignments[0]] = path
                    remarks.append(f"{student}: {_shown(path)} was taken for {assignments[0]}.ipynb.")
                else:
                    remarks.append(f"{student}: {_shown(path)} is none of this release's notebooks, and was left out.")
            files.setdefault((student, ""), entry)
    if not files:
        raise InvalidInput(f"{folder} holds no notebooks; it needs STUDENT/{assignments[0]}.ipynb for each student")
    found = []
    for key in ((student, name) for student in sorted({student for student, _ in files}) for name in assignments):
        found.append(Submission(*key, str(files[key]) if key in files else ""))
    return found, remarks


def wrong_name(name: str) -> str:
    """Why a folder or file of this name is not filed under it; "" for a name that is taken as it is.

    Tables are written and read by people too: a name that looks like another one there would earn its marks.
    """
    if name != name.strip():
        return "begins or ends with a blank, which no table shows"
    if not name.isprintable():
        return "holds a character that cannot be printed"
    if name[0] in FORMULA:
        return f"begins with {name[0]!r}, as a spreadsheet's formula does"
    size = len(name.encode())
    return f"is {size} bytes long, of at most {MAX_NAME}" if size > MAX_NAME else ""


def _shown(path: Path) -> str:
    """The file's name; one that could write over a terminal's lines, in quotes."""
    return path.name if path.name.isprintable() else repr(path.name)


def _add(files: dict[tuple[str, str], Path], remarks: list[str], key: tuple[str, str], path: Path) -> None:
    if key in files:
        taken, left = (f"{each.parent.name}/{_shown(each)}" for each in (files[key], path))
        remarks.append(f"{key[0]} handed in {key[1]} twice; {taken} was taken, {left} was left out.")
    else:
        files[key] = path
