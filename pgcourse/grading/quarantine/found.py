"""Which files are whose: folders and files by their names, without opening one."""

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pgcourse.errors import InvalidInput
from pgcourse.grading.names import composed, some, wrong_name
from pgcourse.grading.quarantine import folders, layouts
from pgcourse.grading.quarantine.folders import ENDING, is_archive, is_notebook, shown
from pgcourse.grading.roster import Roster

MAX_UNNAMED = 10  # notebooks of one student that are looked into, since their names say nothing


@dataclass(frozen=True)
class Found:
    """One notebook file. Fields: assignment: "" where its name does not say which one it is."""

    student: str
    assignment: str
    path: Path


# Files -> of each (release, assignment) for which it was made, or nothing.
Stamps = Callable[[Sequence[Found]], Sequence[Sequence[str]]]


@dataclass
class Place:
    """What a folder of submissions holds.

    Fields: files: (student, assignment) -> the one file that counts. unnamed: student -> further notebooks, which bear no
    assignment's name. students: in order, those of the roster too. remarks: what was left out, doubled or strange.
    left_out: students of whom something was. notes: (student, assignment) -> what the table says of it.
    """

    folder: Path
    files: dict[tuple[str, str], Path] = field(default_factory=dict)
    unnamed: dict[str, list[Path]] = field(default_factory=dict)
    students: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)
    notes: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def records(self) -> list[Found]:
        """Every file that counts, student by student."""
        return [Found(student, name, path) for (student, name), path in sorted(self.files.items())]

    def add(self, found: Found) -> None:
        """Take a file for its assignment, or say that another one was taken before."""
        key = found.student, found.assignment
        if not found.assignment:
            self.unnamed.setdefault(found.student, []).append(found.path)
        elif key in self.files:
            taken, left = (self.shown(path) for path in (self.files[key], found.path))
            self.remarks.append(f"{key[0]} handed in {key[1]} twice; {taken} was taken, {left} was left out.")
        else:
            self.files[key] = found.path

    def heed(self, assignments: Sequence[str], stamps: Stamps) -> None:
        """Take each notebook whose stamp names another one of the release for that, if its place is free or becomes so.

        The places are the student's own. Where it is not free the notebook stays under its name, for what it is worth.
        """
        made_for = dict(zip(sorted(self.files), stamps(self.records), strict=True))
        wrong = {key: made[1] for key, made in made_for.items() if len(made) == 2 and made[1] != key[1]}
        moved: dict[tuple[str, str], tuple[str, str]] = {}  # new place -> old one
        for (student, name), other in wrong.items():
            if other in assignments:
                moved.setdefault((student, other), (student, name))
        while blocked := [new for new in moved if new in self.files and new not in moved.values()]:
            for new in blocked:
                del moved[new]
        taken = {new: self.files.pop(old) for new, old in moved.items()}
        for (student, name), other in wrong.items():
            goes = moved.get((student, other)) == (student, name)
            file = shown(Path((taken[student, other] if goes else self.files[student, name]).name))
            what = other if other in assignments else _other(other)
            self.remarks.append(f"{student}: {file} is the notebook {what}{', and was taken for it' * goes}.")
            if not goes:
                self.notes[student, name] = f"{name} is another notebook"
        self.files |= taken

    def take_unnamed(self, assignments: Sequence[str], stamps: Stamps) -> None:
        """Take notebooks of other names, `01_reinforce (1).ipynb`, for what their stamp says; say what becomes of each.

        Where the release has one notebook, one without a stamp is taken for it too. A notebook of the right name goes
        before. Of each student, the first `MAX_UNNAMED` are looked into.
        """
        looked_into = [
            Found(student, "", path) for student, paths in self.unnamed.items() for path in paths[:MAX_UNNAMED]
        ]

        made_for = [made[1] if len(made) == 2 else "" for made in stamps(looked_into)]
        for found, other in sorted(zip(looked_into, made_for, strict=True), key=lambda each: not each[1]):
            student, path = found.student, found.path
            name = other or (assignments[0] if len(assignments) == 1 else "")
            if name not in assignments:
                self.left_out.add(student)
                said = (
                    f"is the notebook {_other(other)}, and was left out."
                    if other
                    else "is none of this release's notebooks, and was left out."
                )
            elif (student, name) in self.files:
                said = f"was left out, since {self.shown(self.files[student, name])} was taken for {name}."
            else:
                self.files[student, name] = path
                said = f"was taken for {name}{ENDING}."
            self.remarks.append(f"{student}: {shown(Path(path.name))} {said}")
        for student, paths in self.unnamed.items():
            if len(paths) > MAX_UNNAMED:
                said = f"of {len(paths)} notebooks of other names the first {MAX_UNNAMED} were looked into."
                self.remarks.append(f"{student}: {said}")

    def keep(self, only: Sequence[str], roster: Roster | None) -> None:
        """Go on with the students of these names alone. Raises: InvalidInput, with names that are near, for one of nobody."""
        names = [(roster.called(name) if roster else "") or composed(name) for name in only]
        for given, name in zip(only, names, strict=True):
            if name not in self.students:
                near = difflib.get_close_matches(name, self.students, n=3) or self.students[:5]
                raise InvalidInput(f"--only {given!r}: nobody is called so; there is {', '.join(near)}")
        self.students = [student for student in self.students if student in names]
        self.files = {key: path for key, path in self.files.items() if key[0] in names}
        self.unnamed = {student: paths for student, paths in self.unnamed.items() if student in names}

    def shown(self, path: Path) -> str:
        """The file's place below the folder."""
        return shown(Path(path.name) if path == self.folder else path.relative_to(self.folder))


def discover(folder: Path, assignments: Sequence[str], roster: Roster | None = None) -> Place:
    """All notebooks of a class.

    One notebook; or a folder that holds `STUDENT.ipynb` (a release of one notebook), `STUDENT-NAME.ipynb` and folders
    `STUDENT/NAME.ipynb`, or nbgrader's `STUDENT/NAME/NAME.ipynb`; with a roster, what `layouts` knows too. Links are not
    followed. Of two files for one assignment counts the one that bears the student's own name, then `STUDENT-NAME.ipynb`,
    then the one that Canvas numbered last, then the first in the order of names. Deeper in a student's folder a notebook
    is taken where it is the one of its name. Raises: InvalidInput where there is nothing.
    """
    if not folder.exists():
        raise InvalidInput(f"there is no {folder}; give a notebook, or a folder with one folder for each student")
    place = Place(folder)
    ranked: list[tuple[tuple[int, int], Found]] = []
    present: set[str] = set()
    others: list[Path] = []
    for entry in _entries(folder):
        name = composed(entry.stem if is_notebook(entry) else entry.name)
        if entry.name.startswith("."):
            continue
        if entry.is_symlink():
            place.remarks.append(f"{place.shown(entry)} is a link, and was left out.")
        elif entry.is_file() and not is_notebook(entry):
            others.append(entry)
        elif wrong := wrong_name(name):
            place.remarks.append(f"{entry.name!r} {wrong}, and was left out; give it the student's name")
        elif entry.is_dir() and layouts.is_online_text(name):
            place.remarks.append(f"{place.shown(entry)} is Moodle's folder of a typed text, and was left out.")
        elif entry.is_dir():
            student = _of_folder(name, roster)
            present.add(student)
            ranked += [((2 * (name != student), 0), found) for found in _inside(place, student, entry, assignments)]
        elif entry.is_file():
            if (whose := _of_file(name, assignments, roster)) is None:
                said = f"does not say which notebook it is; put it into {name}/NAME{ENDING}"
                place.remarks.append(f"{place.shown(entry)} {said}")
                continue
            student, assignment, number = whose
            if wrong := wrong_name(student):
                place.remarks.append(f"{place.shown(entry)}: the name {wrong}; the file was left out")
                continue
            present.add(student)
            spelling = 0 if name == student else 1 if name == f"{student}-{assignment}" else 2
            ranked.append(((spelling, -number), Found(student, assignment, entry)))
        else:
            others.append(entry)
    for _, found in sorted(ranked, key=lambda each: each[0]):
        place.add(found)
    if not present:
        packed = [shown(Path(path.name)) for path in others if is_archive(path)]
        if packed:
            raise InvalidInput(f"{shown(folder)} holds no notebooks but {some(packed)}; unpack it first")
        if place.remarks:
            first, *rest = place.remarks
            further = f" (and {len(rest)} more such)" if rest else ""
            raise InvalidInput(f"{shown(folder)} holds no notebook that can be graded: {first}{further}")
        raise InvalidInput(f"{folder} holds no notebooks; it needs STUDENT/{assignments[0]}{ENDING} for each student")
    if said := folders.no_notebooks([path.relative_to(folder) for path in others]):
        place.remarks.append(said)
    of_class = {person.student for person in roster.people} if roster else present
    place.remarks += [
        f"{name!r} is nobody of {roster.source}, and was graded all the same; if it is a student's, make it an alias."
        for name in sorted(present - of_class)
        if roster
    ]
    place.students = sorted(present | of_class)
    return place


def _entries(folder: Path) -> list[Path]:
    """What lies in a folder of submissions, or the one notebook. Raises: InvalidInput for any other file, and a closed folder."""
    if folder.is_file():
        if is_archive(folder):
            raise InvalidInput(f"{shown(folder)} is packed; unpack it first, and give the folder")
        if not is_notebook(folder):
            raise InvalidInput(
                f"{shown(folder)} is no notebook; give a notebook, or a folder with one for each student"
            )
        return [folder]
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise InvalidInput(f"cannot read {shown(folder)} ({error.strerror}); give a folder that you may read") from None


def _other(name: str) -> str:
    """A notebook of another release, in words. Args: name: from its stamp, so it may be anything."""
    return f"{name[:60]!r}, which this release does not have"


def _of_folder(name: str, roster: Roster | None) -> str:
    """Whose folder it is: a student of the roster, else its own name."""
    if roster is None:
        return name
    known = layouts.named(name, roster)
    return roster.called(name) or (known.student if known else name)


def _of_file(name: str, assignments: Sequence[str], roster: Roster | None) -> tuple[str, str, int] | None:
    """Whose notebook a file beside the folders is: student, assignment ("": not said), number of Canvas's (else 0).

    Args: name: without its ending. None: nothing says which of several notebooks it is.
    """
    ends = max((each for each in assignments if name.endswith(each)), key=len, default="")
    student = (name.removesuffix(ends).rstrip("-_ ") if ends else name) or ends
    if roster:
        if called := roster.called(student):
            student = called
        elif known := layouts.named(name, roster):
            return known.student, known.original if known.original in assignments else "", known.number
    only = assignments[0] if len(assignments) == 1 else ""
    return (student, ends or only, 0) if ends or only else None


def _inside(place: Place, student: str, folder: Path, assignments: Sequence[str]) -> Iterator[Found]:
    """The notebooks of a student's folder: those of the release first, then all others. The rest gets remarks."""
    direct = {name: [folder / f"{name}{ENDING}", folder / name / f"{name}{ENDING}"] for name in assignments}
    found = folders.contents(folder, [path for paths in direct.values() for path in paths])
    if said := folders.remarks(found, folder):
        place.left_out.add(student)
        place.remarks += [f"{student}: {each}" for each in said]
    if folder in (path for path, _ in found.closed):
        place.notes[student, ""] = "the folder cannot be read"
    for name, paths in direct.items():
        named = [path for path in found.notebooks if path.stem == name]
        at_once = [path for path in named if path.with_suffix(ENDING) in paths]
        below = [path for path in named if path not in at_once]
        for path in sorted(at_once, key=lambda path: (paths.index(path.with_suffix(ENDING)), path.suffix != ENDING)):
            yield Found(student, name, path)
        names = [shown(path.relative_to(folder)) for path in below]
        if len(below) == 1 and not at_once:
            place.remarks.append(f"{student}: {names[0]} was taken for {name}{ENDING}.")
            yield Found(student, name, below[0])
        elif below:
            said_more = (
                "since one lies above" if at_once else f"since one alone could count; leave one, as {name}{ENDING}"
            )
            was = "was" if len(below) == 1 else "were"
            place.remarks.append(f"{student}: {some(names)} {was} left out, {said_more}.")
            place.left_out.add(student)
    for path in found.notebooks:
        if path.stem not in assignments:
            yield Found(student, "", path)
