"""`pgcourse grades export`: marks into a learning system."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from ..errors import InvalidInput
from .parsing import parse


@dataclass
class GradesExport:
    """Write the marks of a class as Moodle, Canvas or nbgrader takes them, or as one plain table.

    Example: pgcourse grades export grades/ --to moodle --roster roster.csv
    """

    grades: tyro.conf.Positional[Path]
    """The folder that `pgcourse grade` wrote."""
    to: Literal["moodle", "canvas", "csv", "nbgrader"]
    """moodle, canvas and csv write a CSV; nbgrader writes into an existing gradebook.db."""
    roster: Path | None = None
    """CSV of the class, the one that was graded with; it holds what the system finds students by."""
    out: Path | None = None
    """The CSV to write, GRADES/moodle.csv and so on if it is left away; for nbgrader the gradebook.db."""
    column: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """What a notebook is called in the system: 01_reinforce="Week 1 (4711)". May be given several times."""
    provisional: bool = False
    """Write points though some marks still wait for a person."""


def grades(arguments: list[str]) -> int:
    """Run `pgcourse grades export`."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print("usage: pgcourse grades export GRADES OPTIONS\n\nExample: pgcourse grades export grades/ --to csv")
        return 0
    if arguments[0] != "export":
        raise InvalidInput(
            f"unknown command {arguments[0]!r} of grades; use pgcourse grades export, or pgcourse grade to mark a class"
        )
    options = parse(GradesExport, arguments[1:], program="pgcourse grades export")
    from ..grading.export import csvs, nbgrader
    from ..grading.export.graded import read_graded, require_closed
    from ..grading.release.assignment import number
    from ..grading.roster import read_roster
    from ..grading.tables import write_rows

    graded = read_graded(options.grades, read_roster(options.roster) if options.roster else None, options.column)
    if options.to == "nbgrader":
        if options.out is None:
            raise InvalidInput(
                "--to nbgrader needs --out: the gradebook.db of the course, such as class/teacher/gradebook.db"
            )
        count = nbgrader.write(graded, options.out)
        print(f"wrote the marks of {count} submissions into {options.out}")
        return 0
    if options.to != "csv" and not options.provisional:
        require_closed(graded.students)
    head, table = {"moodle": csvs.moodle, "canvas": csvs.canvas, "csv": csvs.plain}[options.to](graded)
    out = options.out or options.grades / f"{options.to}.csv"
    write_rows(out, head, table)
    students, notebooks = number(len(graded.students), "student"), number(len(graded.notebooks), "notebook")
    print(f"wrote {students}, {notebooks} to {out}")
    return 0
