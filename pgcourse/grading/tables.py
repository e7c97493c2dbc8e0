"""CSV tables that people write and read beside the grades: UTF-8, comma or semicolon, written atomically."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from pgcourse.errors import InvalidInput
from pgcourse.storage import atomic_write


def rows(path: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> list[dict[str, str]]:
    """The rows of a CSV with these columns; an `optional` one that it lacks is empty.

    Raises: InvalidInput, one line, where the table cannot be read or lacks a column.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise InvalidInput(f"cannot read {path} ({error}); save it as CSV in UTF-8") from None
    reader = csv.DictReader(io.StringIO(text), delimiter="," if "," in text.partition("\n")[0] else ";")
    if missing := [name for name in columns if name not in (reader.fieldnames or ())]:
        raise InvalidInput(f"{path} has no column {missing[0]!r}; its first line must be {','.join(columns)}")
    try:
        return [{name: (row.get(name) or "").strip() for name in (*columns, *optional)} for row in reader]
    except csv.Error as error:
        raise InvalidInput(f"cannot read {path} ({error}); save it as CSV in UTF-8") from None


def write_rows(path: Path, columns: Sequence[str], table: Iterable[Sequence[object]]) -> None:
    """Write a CSV, atomically. A text that a spreadsheet would take for a formula gets an apostrophe in front."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    for row in table:
        writer.writerow(
            f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "@", "\t")) else cell for cell in row
        )
    atomic_write(path, file.getvalue())
