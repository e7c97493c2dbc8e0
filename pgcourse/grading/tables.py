"""CSV tables that people write and read beside the grades: UTF-8, comma or semicolon, written atomically."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pgcourse.errors import InvalidInput
from pgcourse.grading.folders import secret_mode
from pgcourse.grading.names import FORMULA
from pgcourse.storage import atomic_write

# Where a spreadsheet would compute a part of a text: at its beginning, and behind whatever may begin another cell, for many
# cut at semicolons, and end a quotation where we do not. A number that is the whole text may have its minus.
_COMPUTED = re.compile(rf"""(?!^-[\d.]+\Z)(^|[;\t\r\n])([ "]*)('*)(?=[\t\r{re.escape(FORMULA)}])""")


def rows(path: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> list[dict[str, str]]:
    """The rows of a CSV with these columns; an `optional` one that it lacks is empty.

    Raises: InvalidInput, one line, where the table cannot be read or lacks a column.
    """
    return [
        {name: row.get(name, "") for name in (*columns, *optional)} for row in whole_table(path, columns, optional)[1]
    ]


def whole_table(
    path: Path, columns: Sequence[str], optional: Sequence[str] = ()
) -> tuple[list[str], list[dict[str, str]]]:
    """All columns and rows of a CSV that has at least these columns; see `rows`. What `write_rows` wrote is read back."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InvalidInput(f"there is no {path}; give a CSV with the columns {','.join(columns)}") from None
    except (OSError, ValueError) as error:
        raise InvalidInput(f"cannot read {path} ({error}); save it as CSV in UTF-8") from None
    reader = csv.DictReader(io.StringIO(text), delimiter="," if "," in text.partition("\n")[0] else ";")
    written = [name for name in (reader.fieldnames or ()) if name]
    # What we ask for is found in any case: a spreadsheet's user writes Student.
    alike = {name.strip().casefold(): name for name in reversed(written)}
    ours = {alike[name]: name for name in (*columns, *optional) if name not in written and name in alike}
    reader.fieldnames = [ours.get(name, name) for name in (reader.fieldnames or ())]
    names = [ours.get(name, name) for name in written]
    if missing := [name for name in columns if name not in names]:
        holds = ", ".join(map(repr, names[:6])) + " ..." * (len(names) > 6) or "nothing"
        raise InvalidInput(
            f"{path} has no column {missing[0]!r}; its first line holds {holds}, and must hold {','.join(columns)}"
        )
    try:
        return names, [{name: _as_written((row[name] or "").strip()) for name in names} for row in reader]
    except csv.Error as error:
        raise InvalidInput(f"cannot read {path} ({error}); save it as CSV in UTF-8") from None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep everybody else from changing this table, be it another thread or another command. Raises: InvalidInput."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        lock = path.parent / f".{path.name}.lock"
        with FileLock(lock, timeout=30, poll_interval=0.01, mode=secret_mode(path.parent)):
            yield
    except Timeout:
        raise InvalidInput(f"another command has held {path} for 30 seconds; end it, and try again") from None
    except OSError as error:
        raise InvalidInput(f"cannot lock {path} ({error}); choose a folder that you may write to") from None


def write_rows(path: Path, columns: Sequence[str], table: Iterable[Sequence[object]]) -> None:
    """Write a CSV, atomically. What a spreadsheet would take for a formula in a text gets an apostrophe in front."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    for row in table:
        writer.writerow(_COMPUTED.sub(r"\1\2'\3", cell) if isinstance(cell, str) else cell for cell in row)
    atomic_write(path, file.getvalue())


def _as_written(text: str) -> str:
    """The text without the apostrophes that `write_rows` gave it."""
    return _COMPUTED.sub(lambda found: f"{found[1]}{found[2]}{found[3][1:]}", text)
