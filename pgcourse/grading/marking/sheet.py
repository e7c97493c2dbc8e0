"""The marks of a class as they stand in `manual.csv` and `overrides.csv`, and the change of one of them at a time.

The files are the truth: each change reads the file anew, alters its own cell alone, and writes the file whole, so that what
a person or another page has written meanwhile stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pgcourse.errors import InvalidInput
from pgcourse.grading.marks.gradebook import ANSWER, ITEMS, MANUAL, NOT_YET, OVERRIDES, read_items
from pgcourse.grading.release.manifest import ManualCell
from pgcourse.grading.tables import locked, whole_table, write_rows

MOST_COMMENT = 10_000  # characters
Table = tuple[list[str], list[dict[str, str]]]


class NotAllowed(InvalidInput):
    """A change that cannot be made, whatever stands in the files."""


@dataclass(frozen=True)
class Mark:
    """What a person has given so far.

    Fields: items: of each line of the rubric, None where there is nothing yet. points: in all; None until every line has
    its points. remark: what is odd in the file. answer: fingerprint of what was marked.
    """

    items: tuple[float | None, ...]
    points: float | None = None
    comment: str = ""
    remark: str = ""
    answer: str = ""


@dataclass(frozen=True)
class Change:
    """One change of one mark: the points of one line of the rubric (None takes them away), or the comment."""

    item: int | None = None
    points: float | None = None
    comment: str | None = None

    def __post_init__(self) -> None:
        if (self.item is None) == (self.comment is None):
            raise NotAllowed("a change is either of one line of the rubric, or of the comment")
        if self.comment is not None and len(self.comment) > MOST_COMMENT:
            raise NotAllowed(f"the comment has {len(self.comment):,} characters; it may have {MOST_COMMENT:,}")

    def checked(self, most: Sequence[float]) -> None:
        """Raises: NotAllowed for a line or points that the rubric does not have. Args: most: points of each line."""
        if self.item is not None and not 0 <= self.item < len(most):
            raise NotAllowed(f"the rubric has {len(most)} lines; there is no number {self.item + 1}")
        if self.item is not None and self.points is not None and not 0 <= self.points <= most[self.item]:
            raise NotAllowed(f"{self.points:g} points for line {self.item + 1}; it has at most {most[self.item]:g}")

    @property
    def words(self) -> str:
        """The comment as it is stored: no control characters, which no table can hold, and no blanks at its ends."""
        kept = (c for c in (self.comment or "").replace("\r\n", "\n") if c in "\n\t" or c.isprintable())
        return "".join(kept).strip()


def experiments(path: Path, cells: Mapping[str, ManualCell]) -> dict[tuple[str, str], Mark]:
    """(student, cell) -> mark, from `manual.csv`. Raises: InvalidInput where the file cannot be read."""
    if not path.exists():
        return {}
    found: dict[tuple[str, str], Mark] = {}
    for row in whole_table(path, MANUAL, (ITEMS, ANSWER))[1]:
        key = row["student"], row["id"]
        if row["id"] in cells and (
            key not in found or row["points"]
        ):  # of two rows, the grader takes the one with points
            found[key] = _experiment(row, cells[row["id"]])
    return found


def _experiment(row: Mapping[str, str], cell: ManualCell) -> Mark:
    points, remark = None, ""
    if row["points"]:
        points = _number(row["points"], cell.points)
        if points is None:
            remark = f"manual.csv gives {row['points'][:40]!r} points, of {cell.points:g}: mark again."
    items = read_items(row.get(ITEMS, ""), cell, points)
    if not items:
        items = (None,) * len(cell.rubric)
        if points is not None:
            remark = f"manual.csv gives {points:g} points in all, and none for the single lines."
    return Mark(items, points, row["comment"], remark, row.get(ANSWER, ""))


def change_experiment(path: Path, cell: ManualCell, student: str, change: Change, answer: str = "") -> Mark:
    """Make one change in `manual.csv`. Returns: the mark as it now stands.

    Args: answer: fingerprint of what is marked. Raises: NotAllowed, or InvalidInput where the file cannot be read or written.
    """
    change.checked([line.points for line in cell.rubric])
    with locked(path):
        columns, standing = _table(path, (*MANUAL, ITEMS, *[ANSWER] * bool(answer)))
        mine = [row for row in standing if (row["student"], row["id"]) == (student, cell.id)]
        row = next((row for row in reversed(mine) if row["points"]), mine[-1] if mine else None)
        if row is None:
            row = dict.fromkeys(columns, "") | {"student": student, "id": cell.id}
            standing.append(row)
        before = _experiment(row, cell)
        if change.item is None:
            row["comment"] = change.words
        else:
            row |= {ANSWER: answer} if ANSWER in columns else {}
            items = [*before.items]
            items[change.item] = change.points
            row[ITEMS] = " ".join(NOT_YET if value is None else f"{value:g}" for value in items)
            given = [value for value in items if value is not None]
            if len(given) == len(items):
                row["points"] = f"{round(sum(given), 6):g}"
            elif None not in before.items or before.points is None:  # else a person gave the sum alone: it stays
                row["points"] = ""
        _write(path, columns, standing)
        return _experiment(row, cell)


def overrides(path: Path, most: Mapping[str, float]) -> dict[tuple[str, str], Mark]:
    """(student, exercise) -> mark, from `overrides.csv`. Args: most: points of each exercise. Raises: InvalidInput."""
    if not path.exists():
        return {}
    rows = [row for row in whole_table(path, OVERRIDES)[1] if row["exercise"] in most]
    return {(row["student"], row["exercise"]): _override(row, most[row["exercise"]]) for row in rows}


def _override(row: Mapping[str, str], most: float) -> Mark:
    points = _number(row["points"], most)
    remark = (
        "" if points is not None else f"overrides.csv gives {row['points'][:40]!r} points, of {most:g}: mark again."
    )
    return Mark((points,), points, row["reason"], remark)


def change_override(path: Path, exercise: str, most: float, student: str, change: Change) -> Mark:
    """Make one change in `overrides.csv`; without points, the row goes. Raises: as above, also for a reason alone."""
    change.checked([most])
    with locked(path):
        columns, standing = _table(path, OVERRIDES)
        mine = [row for row in standing if (row["student"], row["exercise"]) == (student, exercise)]
        others = [row for row in standing if row not in mine]
        if change.item is not None and change.points is None:
            _write(path, columns, others)
            return Mark((None,))
        if change.item is None and not mine:
            raise NotAllowed("give the points first, and then the reason")
        row = mine[-1] if mine else dict.fromkeys(columns, "") | {"student": student, "exercise": exercise}
        if change.item is None:
            row["reason"] = change.words
        else:
            row["points"] = f"{change.points:g}"
        _write(path, columns, standing if mine else [*standing, row])
        return _override(row, most)


def _table(path: Path, columns: Sequence[str]) -> Table:
    """All of a table, with these columns; one that is no column of its own yet is added."""
    if not path.exists():
        return [*columns], []
    needed = [name for name in columns if name not in (ITEMS, ANSWER)]
    names, standing = whole_table(path, needed, (ITEMS, ANSWER))
    names += [name for name in columns if name not in names]
    return names, [dict.fromkeys(names, "") | row for row in standing]


def _write(path: Path, columns: Sequence[str], standing: Sequence[Mapping[str, str]]) -> None:
    write_rows(path, columns, ([row[name] for name in columns] for row in standing))


def _number(text: str, most: float) -> float | None:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if 0 <= value <= most else None
