"""Build the course's notebooks from course/*.py: `python -m tools.builder [NAMES...]`.

Lessons and solutions are executed, but only where their source or the package changed; stubs come out byte
for byte the same from the same source. Exit status: 0 done, 1 differences found by --check, 2 a source was
refused or a cell failed, 130 interrupted.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pgcourse.errors import InvalidInput

from .build import build
from .check import check
from .comparisons import REASONS, placed, report, unplaced
from .course import Course, package_digest, raw_notebook
from .minutes import minutes_of
from .visible import report as report_of_visible
from .visible import visible

ROOT = Path(__file__).resolve().parents[2]


def course_here() -> Course:
    """This repository's course, with the package's figures and exercises."""
    from pgcourse.checks import exercises
    from pgcourse.study.claims import quote

    return Course(ROOT, quote, tuple(exercises()), package_digest(ROOT))


def list_comparisons(course: Course, names: Sequence[str]) -> int:
    """Print every comparison of the sources. Returns: 1 where a sentence has neither data nor a reason."""
    files = course.select(names)
    sources = [(raw_notebook(file), file.label) for file in files]
    found = [each for source in sources for each in placed(*source)]
    left = [each for source in sources for each in unplaced(*source)]
    print(report(found, left))
    return int(any(each.reason not in REASONS for each in left))


def list_minutes(course: Course, names: Sequence[str]) -> int:
    """Print the minutes of the lessons. Returns: 0."""
    for file in course.select(names):
        if not file.is_exercises:
            minutes = minutes_of(raw_notebook(file))
            print(f"{file.name:30} core {minutes.core:5.0f}   further {minutes.further:5.0f}")
    return 0


def list_visible(course: Course, names: Sequence[str]) -> int:
    """Print what the visible code of each source is about, and the cells that mostly do not teach. Returns: 0."""
    for file in course.select(names):
        cells = visible(raw_notebook(file))
        print(report_of_visible(file.path.stem, cells))
        for cell in cells if names else []:
            if cell.beside:
                print(f"    cell {cell.number:3}: {cell.beside:2} of {cell.total:2} lines   {cell.first[:70]}")
    return 0


def main(arguments: Sequence[str] | None = None, *, course: Course | None = None) -> int:
    """Run the command. Returns: its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.builder",
        description="Build notebooks/, solutions/ and exercises/ from course/.",
        epilog="example: python -m tools.builder 01_reinforce --force",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="units or sources to build (default: all)")
    parser.add_argument("--force", action="store_true", help="execute even where the stored outputs still hold")
    parser.add_argument("--check", action="store_true", help="write nothing; report what differs from the sources")
    parser.add_argument("--no-execute", action="store_true", help="leave new or changed notebooks without outputs")
    parser.add_argument("--comparisons", action="store_true", help="list what the text compares, and what decides it")
    parser.add_argument("--minutes", action="store_true", help="say how long each lesson takes, by the course's rule")
    parser.add_argument("--visible", action="store_true", help="say how much of the visible code does not teach")
    options = parser.parse_args(arguments)
    try:
        course = course or course_here()
        if options.comparisons:
            return list_comparisons(course, options.names)
        if options.minutes:
            return list_minutes(course, options.names)
        if options.visible:
            return list_visible(course, options.names)
        if options.check:
            problems = check(course, options.names)
        else:
            problems = build(course, options.names, force=options.force, execute=not options.no_execute)
    except InvalidInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: notebooks written so far are whole, the others are as they were", file=sys.stderr)
        return 130
    for problem in problems:
        print(problem if options.check else f"error: {problem}", file=sys.stderr)
    if problems:
        return 1 if options.check else 2
    if options.check:
        print("all notebooks are what their sources give")
    return 0


if __name__ == "__main__":
    sys.exit(main())
