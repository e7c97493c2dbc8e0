"""Marks into nbgrader's database, through nbgrader's own interface: its tables, exports and feedback then show them."""

from pathlib import Path
from typing import Any

from pgcourse.errors import InvalidInput
from pgcourse.grading.export.graded import Graded
from pgcourse.grading.marks.gradebook import NotebookMarks, Row
from pgcourse.grading.release.notebooks import require_nbgrader


def write(graded: Graded, database: Path) -> int:
    """Write all marks, and give the number of submissions. The same marks again change nothing.

    A marked exercise becomes the automatic score of its check, an override the manual one. A cell marked by hand becomes a
    manual score; one that is not marked yet keeps what stands there. Lateness becomes nbgrader's penalty. A notebook that
    was not handed in stays missing. Nothing is written before everything fits.
    Raises: InvalidInput where the database lacks a notebook of this release, or has other points for a cell.
    """
    require_nbgrader()
    from nbgrader.api import Gradebook, MissingEntry
    from sqlalchemy.exc import SQLAlchemyError

    made = "run nbgrader generate_assignment in teacher/ first, and give its gradebook.db"
    if not database.is_file():
        raise InvalidInput(f"there is no {database}; {made}")
    try:
        with Gradebook(f"sqlite:///{database.resolve()}") as book:
            return _write_all(book, graded, database, MissingEntry)
    except SQLAlchemyError as error:
        why = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise InvalidInput(f"{database} is no gradebook of nbgrader's that can be written ({why}); {made}") from None


def _write_all(book: Any, graded: Graded, database: Path, missing: type[Exception]) -> int:
    """As `write` does, into an open database. Args: missing: what nbgrader raises for an entry that is not there."""
    count = 0
    for part in graded.students[0].parts:
        for row in part.rows:
            try:
                possible = book.find_graded_cell(_cell(row), part.name, part.name).max_score
            except missing:
                said = f"run nbgrader generate_assignment {part.name} first"
                raise InvalidInput(f"{database} has no cell {_cell(row)} of {part.name}; {said}") from None
            if possible != row.max_points:
                raise InvalidInput(
                    f"{database} has {possible:g} points for {_cell(row)}, the marks {row.max_points:g}; "
                    f"run nbgrader generate_assignment {part.name} --force from the release that was graded"
                )
    # Its own functions ask the database while a submission is only half made: without this, SQLAlchemy warns of each.
    with book.db.no_autoflush:
        for student in graded.students:
            email = graded.person(student).email
            book.update_or_create_student(student.name, **({"email": email} if email else {}))
            for part in student.parts:
                if part.handed_in or any(row.points for row in part.rows):
                    _write(book, student.name, part, student.late)
                    count += 1
    book.db.commit()
    return count


def _write(book: Any, student: str, part: NotebookMarks, late: float) -> None:
    """The scores of one notebook; `write` commits them."""
    book.update_or_create_submission(part.name, student)
    for row in part.rows:
        grade = book.find_grade(_cell(row), part.name, part.name, student)
        if row.by_hand:
            grade.manual_score = grade.manual_score if row.open else row.points
            grade.needs_manual_grade = grade.manual_score is None
        else:
            grade.auto_score = grade.auto_score if row.given else row.points
            grade.manual_score = row.points if row.given else None
            grade.needs_manual_grade = row.open
    submitted = book.find_submission_notebook(part.name, part.name, student)
    submitted.late_submission_penalty = round(sum(row.points for row in part.rows) * late, 2)


def _cell(row: Row) -> str:
    """The cell of the notebook that bears the points."""
    return row.id if row.by_hand else f"check-{row.id}"
