"""The gradebook: judgements, and what people write beside them (overrides, marks by hand, times), put together."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pgcourse.errors import InvalidInput
from pgcourse.grading.marks.judge import Judged
from pgcourse.grading.release.manifest import ManualCell, Release, parse_time
from pgcourse.grading.tables import locked, rows, whole_table, write_rows

OVERRIDES = ("student", "exercise", "points", "reason")
MANUAL = ("student", "id", "points", "comment")
ITEMS = "items"  # a further column of manual.csv: the points of each line of the rubric, as in 1 0.5 1
ANSWER = "answer"  # and another: the fingerprint of what was marked, see `marked_answers`
NOT_YET = "?"  # in `items`, for a line without points
TIMES = ("student", "handed_in")


@dataclass(frozen=True)
class Given:
    """Points that a person gave, and why. `items`: of each line of the rubric, where they are known."""

    points: float
    reason: str
    items: tuple[float, ...] = ()


@dataclass(frozen=True)
class Tables:
    """What people wrote: (student, id) -> points, student -> share that is lost, and what there is to say about it."""

    overrides: Mapping[tuple[str, str], Given]
    manual: Mapping[tuple[str, str], Given]
    late: Mapping[str, float]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class RubricRow:
    """One line of a rubric, and what it earned; None where nobody has said."""

    text: str
    points: float | None
    max_points: float


@dataclass(frozen=True)
class Row:
    """One exercise, or one cell marked by hand (`by_hand`, by its `rubric`), of one student.

    Fields: automatic: the points of an exercise before a person changed them; None where nobody has.
    """

    id: str
    status: str
    points: float
    max_points: float
    message: str
    misconception: str | None = None
    given: Given | None = None
    by_hand: bool = False
    rubric: tuple[RubricRow, ...] = ()
    automatic: float | None = None

    @property
    def open(self) -> bool:
        """Whether it waits for a person: its points are neither earned nor lost."""
        return self.given is None and self.status in ("not marked yet", "withheld")

    def as_json(self) -> dict[str, Any]:
        """What stands under its id in the student's JSON file."""
        data = {name: value for name, value in vars(self).items() if name not in ("id", "given", "rubric", "automatic")}
        data |= {"rubric": [asdict(line) for line in self.rubric]} if self.rubric else {}
        data |= {} if self.automatic is None else {"automatic": self.automatic}
        return data | ({"changed_by_hand": self.given.reason} if self.given else {})


@dataclass(frozen=True)
class NotebookMarks:
    """One notebook of one student. Fields: look_at: for the teacher, what a person should look at."""

    name: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    look_at: tuple[str, ...] = ()
    handed_in: bool = True


@dataclass(frozen=True)
class Sum:
    """Points and the most they can be. What is open is in neither."""

    points: float
    max_points: float

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Sum":
        """The sum of the rows that are not open."""
        closed = [row for row in rows if not row.open]
        return cls(round(sum(row.points for row in closed), 2), round(sum(row.max_points for row in closed), 2))


@dataclass(frozen=True)
class Student:
    """All of one student.

    Fields: late: the share of the score that is lost. note: what the table says of the student. attempts: the last rows of
    `history.csv`. full_name: of the roster; "" where it has none.
    """

    name: str
    parts: tuple[NotebookMarks, ...]
    late: float = 0.0
    note: str = ""
    attempts: tuple[Mapping[str, str], ...] = ()
    full_name: str = ""

    @property
    def title(self) -> str:
        """`Anna Berg (anna)`, or the name in the tables where there is no other."""
        return f"{self.full_name} ({self.name})" if self.full_name not in ("", self.name) else self.name

    @property
    def rows(self) -> list[Row]:
        """Every exercise and every cell marked by hand."""
        return [row for part in self.parts for row in part.rows]

    @property
    def score(self) -> float:
        """Points of all rows, less what lateness costs; two decimals."""
        return self.score_of(self.rows)

    @property
    def max_score(self) -> float:
        """What a faultless student has."""
        return round(sum(row.max_points for row in self.rows), 2)

    @property
    def automatic(self) -> Sum:
        """Points of the exercises, before lateness."""
        return Sum.of(row for row in self.rows if not row.by_hand)

    @property
    def by_hand(self) -> Sum:
        """Points of the cells that a person has marked, before lateness."""
        return Sum.of(row for row in self.rows if row.by_hand)

    @property
    def open(self) -> list[Row]:
        """What still waits for a person."""
        return [row for row in self.rows if row.open]

    @property
    def open_points(self) -> float:
        """The most that what is open can bring. automatic, by hand and this add up to `max_score`."""
        return round(sum(row.max_points for row in self.open), 2)

    @property
    def decided(self) -> float:
        """The most that can be had without what is open: what a score is to be read against."""
        return round(self.max_score - self.open_points, 2)

    @property
    def split(self) -> str:
        """`automatic 57 of 57, by hand 12 of 16, open 4`; of by hand and open, only what there is."""
        hand, waiting = self.by_hand, sum(row.max_points for row in self.open if row.by_hand)
        withheld = self.open_points - waiting
        parts = [f"automatic {self.automatic.points:g} of {self.automatic.max_points:g}"]
        parts[0] += f" (withheld {withheld:g})" if withheld else ""
        if hand.max_points or waiting:
            marked = f" {hand.points:g} of {hand.max_points:g}" if hand.max_points else ""
            parts.append(f"by hand{marked}{',' * bool(marked and waiting)}" + (f" open {waiting:g}" if waiting else ""))
        return ", ".join(parts)

    def score_of(self, rows: Iterable[Row]) -> float:
        """Points of these rows, less what lateness costs; two decimals."""
        return round(sum(row.points for row in rows) * (1 - self.late), 2)

    def as_json(self) -> dict[str, Any]:
        """What stands in the student's JSON file. Without what is open, `automatic` and `by_hand` make up the score."""
        return {
            "student": self.name,
            "full_name": self.full_name,
            "score": self.score,
            "max_score": self.max_score,
            "late": self.late,
            "note": self.note,
            "automatic": self.automatic.points,
            "automatic_max": self.automatic.max_points,
            "by_hand": self.by_hand.points,
            "by_hand_max": self.by_hand.max_points,
            "open": [row.id for row in self.open],
            "open_points": self.open_points,
            "exercises": {row.id: row.as_json() for row in self.rows},
            "notebooks": {
                part.name: {"handed_in": part.handed_in, "exercises": [row.id for row in part.rows]}
                for part in self.parts
            },
            "notes": {part.name: list(part.notes) for part in self.parts if part.notes},
            "attempts": [dict(each) for each in self.attempts],
        }


def student(
    name: str,
    release: Release,
    judged: Mapping[str, Judged],
    tables: Tables,
    missing: Collection[str] = (),
    note: str = "",
    full_name: str = "",
) -> Student:
    """Put one student's marks together. Args: judged: by assignment. missing: assignments without a notebook."""
    parts = []
    for assignment in release.assignments:
        own, rows = judged[assignment.name], []
        for exercise in assignment.exercises:
            judgement, most = own.judgements[exercise.id], exercise.points * exercise.weight
            given = tables.overrides.get((name, exercise.id))
            points = round(most * judgement.share, 2)
            row = Row(exercise.id, judgement.status, points, most, judgement.message, judgement.misconception)
            rows.append(replace(row, points=given.points, given=given, automatic=points) if given else row)
        for cell in assignment.manual:
            given = tables.manual.get((name, cell.id))
            waiting = "not attempted" if assignment.name in missing else "not marked yet"
            text = cell.title + (f"\n{given.reason}" if given and given.reason else "")
            points = given.points if given else 0.0
            status, rubric = "marked by hand" if given else waiting, _rubric(cell, given)
            rows.append(Row(cell.id, status, points, cell.points, text, given=given, by_hand=True, rubric=rubric))
        here = assignment.name not in missing
        parts.append(NotebookMarks(assignment.name, tuple(rows), own.notes, own.look_at, here))
    return Student(name, tuple(parts), tables.late.get(name, 0.0), note, full_name=full_name)


def _rubric(cell: ManualCell, given: Given | None) -> tuple[RubricRow, ...]:
    items: Sequence[float | None] = given.items if given and given.items else [None] * len(cell.rubric)
    return tuple(RubricRow(line.text, got, line.points) for line, got in zip(cell.rubric, items, strict=True))


def require_tables(folder: Path, times: Path | None, release: Release) -> None:
    """Read all tables that are there, before any notebook runs; nothing is written. Raises: InvalidInput."""
    if (path := folder / "overrides.csv").exists():
        overrides(path, release)
    if (path := folder / "manual.csv").exists():
        manual(path, release, ())
    if times is not None:
        for row in rows(times, TIMES):
            _handed_in(row, times)


def read_tables(
    folder: Path, times: Path | None, release: Release, students: Sequence[str], others: Sequence[str] = ()
) -> Tables:
    """Read `overrides.csv` and `manual.csv` of the folder, and the times of handing in. Raises: InvalidInput.

    Args: students: who handed in something. others: further students of the class.
    """
    changed = overrides(folder / "overrides.csv", release)
    by_hand = manual(folder / "manual.csv", release, students)
    shares, untimed = late_shares(times, release, students, others)
    return Tables(changed, by_hand, shares, (*unknown_students(folder, [*students, *others]), *untimed))


def overrides(path: Path, release: Release) -> dict[tuple[str, str], Given]:
    """(student, exercise) -> what it counts instead. An empty table is made where there is none."""
    if not path.exists():
        write_rows(path, OVERRIDES, [])
    known = {each.id: each.points * each.weight for a in release.assignments for each in a.exercises}
    found = {}
    for row in rows(path, OVERRIDES):
        if row["exercise"] not in known:
            said = f"no exercise of this release is called {row['exercise']!r}"
            raise InvalidInput(f"{path}, in the row of {row['student']!r}: {said}")
        points = _at_most(known[row["exercise"]], row["points"], row["exercise"], row["student"], path)
        found[row["student"], row["exercise"]] = Given(points, row["reason"])
    return found


def manual(path: Path, release: Release, students: Sequence[str]) -> dict[tuple[str, str], Given]:
    """(student, cell) -> marks given so far. The table gets a row for each student and cell; what stands in it stays."""
    known = {cell.id: cell for assignment in release.assignments for cell in assignment.manual}
    if not known:
        return {}
    with locked(path):
        columns, standing = whole_table(path, MANUAL, (ITEMS, ANSWER)) if path.exists() else ([*MANUAL, ITEMS], [])
        present = {(row["student"], row["id"]) for row in standing}
        added = [(student, id) for student in students for id in known if (student, id) not in present]
        if added or not path.exists():
            rows_added = [{"student": student, "id": id} for student, id in added]
            write_rows(path, columns, ([row.get(name, "") for name in columns] for row in [*standing, *rows_added]))
    found = {}
    for row in standing:
        if row["points"] and row["id"] not in known:
            raise InvalidInput(
                f"{path}, in the row of {row['student']!r}: nothing marked by a person is called {row['id']!r} in this "
                f"release; it has {', '.join(known)}"
            )
        if row["points"]:
            cell = known[row["id"]]
            points = _at_most(cell.points, row["points"], row["id"], row["student"], path)
            items = tuple(value for value in read_items(row.get(ITEMS, ""), cell, points) if value is not None)
            whole = items if len(items) == len(cell.rubric) else ()
            found[row["student"], row["id"]] = Given(points, row["comment"], whole)
    return found


def read_items(text: str, cell: ManualCell, points: float | None) -> tuple[float | None, ...]:
    """The points of each line of the rubric, from the column `items`; None where there are none yet.

    Args: points: what the row gives in all. Returns: [lines of the rubric]; empty where the text does not fit rubric and
    points, as after somebody has changed the points by hand.
    """
    try:
        values = [None if word == NOT_YET else float(word.replace(",", ".")) for word in text.split()]
    except ValueError:
        return ()
    most = [line.points for line in cell.rubric]
    if len(values) != len(most) or any(v is not None and not 0 <= v <= m for v, m in zip(values, most, strict=True)):
        return ()
    given = [value for value in values if value is not None]
    if len(given) == len(most) and (points is None or abs(sum(given) - points) > 1e-6):
        return ()
    return tuple(values)


def late_shares(
    path: Path | None, release: Release, students: Sequence[str], others: Sequence[str] = ()
) -> tuple[dict[str, float], list[str]]:
    """Student -> share of the score that is lost; and a remark for each time that is missing, or is nobody's.

    Without a table nothing is late: the time of a file proves nothing.
    """
    if release.due_time is None:
        return {}, []
    if path is None:
        said = "The release has a due time; without --times FILE nothing counts as late."
        return {}, [said] if release.late.per_day else []
    shares = {}
    for row in rows(path, TIMES):
        handed_in = _handed_in(row, path)
        shares[row["student"]] = release.late.lost((handed_in - release.due_time).total_seconds() / 60)
    remarks = [f"{path.name} has no time of {name!r}: counted as in time." for name in students if name not in shares]
    nobody = [name for name in shares if name not in {*students, *others}]
    return shares, remarks + [f"{path.name} has a time of {name!r}, who is nobody of the class." for name in nobody]


def _handed_in(row: Mapping[str, str], path: Path) -> datetime:
    return parse_time(row["handed_in"], f"{path}: handed_in of {row['student']}")


def unknown_students(folder: Path, students: Sequence[str]) -> list[str]:
    """A remark for each student whom the teacher's tables name, and who has handed in nothing."""
    tables = [path for name in ("overrides.csv", "manual.csv") if (path := folder / name).exists()]
    named = [(path, row["student"]) for path in tables for row in rows(path, ("student", "points")) if row["points"]]
    return [
        f"{path.name} gives points to {student!r}, of whom there is no submission: they count for nobody."
        for path, student in dict.fromkeys(named)
        if student not in students
    ]


def _at_most(most: float, text: str, id: str, student: str, path: Path) -> float:
    try:
        points = float(text.replace(",", "."))
    except ValueError:
        points = -1.0
    if not 0 <= points < 1e6:
        raise InvalidInput(f"{path}: {text!r} is no number of points for {id} of {student!r}; use one of at least 0")
    if points > most:
        raise InvalidInput(f"{path}: {points:g} points for {id} of {student!r}; it has at most {most:g}")
    return points
