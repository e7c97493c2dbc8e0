"""The marks of a graded class once more, with what people have written since. Of the submissions, nothing is run or read."""

from pathlib import Path

from pgcourse.grading.marks import kept, report
from pgcourse.grading.marks.gradebook import Student, Tables, manual, overrides, student
from pgcourse.grading.release.manifest import Release
from pgcourse.grading.tables import locked


def renew(out: Path, release: Release) -> list[Student]:
    """Put `manual.csv` and `overrides.csv` into the tables and the feedback; all else is as the last run left it.

    Raises: InvalidInput, one line, where what people wrote, or what the last run left, cannot be read.
    """
    with locked(out / report.TABLE):
        before = kept.read_students(out)
        kept.require_same_release(before, release, out)
        late = {each.name: each.late for each in before}
        tables = Tables(overrides(out / "overrides.csv", release), manual(out / "manual.csv", release, ()), late)
        students = [_marked(each, release, tables) for each in before]
        return report.write(out, students, run=None)


def _marked(before: Student, release: Release, tables: Tables) -> Student:
    missing = [part.name for part in before.parts if not part.handed_in]
    return student(before.name, release, kept.judged(before), tables, missing, before.note, before.full_name)
