"""The marks of a class with what its roster knows of each student, ready to be written for a learning system."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pgcourse.errors import InvalidInput
from pgcourse.grading.marks.gradebook import NotebookMarks, Row, Student
from pgcourse.grading.marks.kept import read_students
from pgcourse.grading.names import some
from pgcourse.grading.roster import Person, Roster

Table = tuple[list[str], list[list[object]]]  # the first line, and the rows below it


@dataclass(frozen=True)
class Graded:
    """A graded class. Fields: headings: notebook -> what its column is called in the learning system."""

    students: tuple[Student, ...]
    roster: Roster | None
    headings: Mapping[str, str]

    @property
    def notebooks(self) -> list[str]:
        """The notebooks of the release."""
        return [part.name for part in self.students[0].parts]

    def heading(self, notebook: str) -> str:
        """What the notebook's column is called."""
        return self.headings.get(notebook, notebook)

    def person(self, student: Student) -> Person:
        """What the roster knows of a student; of one who is not in it, only the name."""
        known = self.roster.by_student if self.roster else {}
        return known.get(student.name, Person(student.name))

    def without(self, field: str) -> list[str]:
        """The students whose field of the roster is empty."""
        return [student.name for student in self.students if not getattr(self.person(student), field)]

    def require_roster(self, system: str, fields: str) -> str:
        """The roster's name. Raises: InvalidInput where there is none to find students with."""
        if self.roster is None:
            raise InvalidInput(f"{system} finds students by {fields}, which a roster holds; add --roster roster.csv")
        return self.roster.source


def read_graded(folder: Path, roster: Roster | None, headings: Sequence[str] = ()) -> Graded:
    """The class in a folder of grades. Args: headings: such as `01_reinforce=Week 1 (4711)`. Raises: InvalidInput."""
    students = tuple(read_students(folder))
    if not students:
        raise InvalidInput(f"{folder / 'class.csv'} lists nobody; grade the class first")
    graded = Graded(students, roster, {})
    found: dict[str, str] = {}
    for each in headings:
        notebook, separator, heading = (part.strip() for part in each.partition("="))
        if not separator or not heading or notebook not in graded.notebooks:
            known = ", ".join(graded.notebooks)
            raise InvalidInput(f"--column {each!r}: write NOTEBOOK=HEADING, with one of the notebooks {known}")
        found[notebook] = heading
    return Graded(students, roster, found)


def require_closed(students: Iterable[Student]) -> None:
    """Raises: InvalidInput, naming the students, where marks still wait for a person: as a sum they would look lost."""
    waiting = {student.name: student.open for student in students if student.open}
    if waiting:
        ids = sorted({row.id for rows in waiting.values() for row in rows})
        raise InvalidInput(
            f"marks of {some(waiting)} wait for a person ({some(ids)}); give them with pgcourse mark, "
            "or add --provisional to write the points so far"
        )


def points(student: Student, part: NotebookMarks) -> float:
    """The points of a notebook, less what lateness costs."""
    return student.score_of(part.rows)


def most(part: NotebookMarks) -> float:
    """What a faultless notebook has."""
    return round(sum(row.max_points for row in part.rows), 2)


def feedback(student: Student, part: NotebookMarks) -> str:
    """One line on a notebook: what each exercise got, what the teacher said of it, and what lateness costs."""
    if not part.handed_in and not any(row.given for row in part.rows):
        return "Nothing was handed in."
    late = [f"late: {100 * student.late:g} % lost"] if student.late else []
    return "; ".join([*map(_of_row, part.rows), *late])


def _of_row(row: Row) -> str:
    if row.open:
        return f"{row.id}: open"
    reason = " ".join(row.given.reason.split()) if row.given else ""
    return f"{row.id}: {row.points:g} of {row.max_points:g}, {row.status}{f' ({reason})' if reason else ''}"
