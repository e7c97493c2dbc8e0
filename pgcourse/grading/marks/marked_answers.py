"""Whether what a person has marked is still what was handed in: beside the points, `manual.csv` has a fingerprint of it."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from pgcourse.grading.marks.gradebook import ANSWER, ITEMS, MANUAL
from pgcourse.grading.names import some
from pgcourse.grading.tables import locked, whole_table, write_rows


def changed(path: Path, current: Mapping[tuple[str, str], str]) -> list[str]:
    """One remark where marked answers are others by now; a mark that has no fingerprint yet gets that of today.

    Args: path: of `manual.csv`. current: (student, cell) -> fingerprint of what counts now. Raises: InvalidInput.
    """
    if not path.exists():
        return []
    with locked(path):
        columns, standing = whole_table(path, MANUAL, (ITEMS, ANSWER))
        marked = [row for row in standing if row["points"] and (row["student"], row["id"]) in current]
        new = [row for row in marked if not row.get(ANSWER)]
        for row in new:
            row[ANSWER] = current[row["student"], row["id"]]
        if new:
            columns += [] if ANSWER in columns else [ANSWER]
            write_rows(path, columns, ([row.get(name, "") for name in columns] for row in standing))
    others: dict[str, list[str]] = defaultdict(list)
    for row in marked:
        if row[ANSWER] != current[row["student"], row["id"]]:
            others[row["id"]].append(row["student"])
    said = "; ".join(f"{id} of {some(sorted(names))}" for id, names in sorted(others.items()))
    again = (
        f"Look again with pgcourse mark, or empty the column `{ANSWER}` of {path.name} to leave the marks as they are"
    )
    return [f"Handed in anew since it was marked by hand: {said}. {again}."] if said else []
