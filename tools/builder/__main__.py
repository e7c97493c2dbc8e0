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
from .course import Course, package_digest

ROOT = Path(__file__).resolve().parents[2]


def course_here() -> Course:
    """This repository's course, with the package's figures and exercises."""
    from pgcourse.checks import exercises
    from pgcourse.study.claims import quote

    return Course(ROOT, quote, tuple(exercises()), package_digest(ROOT))


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
    options = parser.parse_args(arguments)
    try:
        course = course or course_here()
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
