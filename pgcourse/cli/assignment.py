"""`pgcourse assignment make`: what a teacher hands out to a class."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path

from .. import __version__
from ..errors import InvalidInput
from .parsing import as_typed, parse


@dataclass
class AssignmentMake:
    """Write student notebooks, a teacher's key, nbgrader's source version and release.json into a folder.

    Example: pgcourse assignment make --units 1-5 --out class/ --due 2026-12-01 --late-per-day 0.1
    """

    units: str
    """Numbers and ranges: 1-5, or 0,2,4-5."""
    out: Path
    """Folder of the release. An existing one is kept unless it holds the same release."""
    due: str | None = None
    """Date, or date and time: 2026-12-01, 2026-12-01T18:00, 2026-12-01T18:00+01:00. A date alone means 23:59."""
    late_per_day: float = 0.0
    """Share of the score that each started day late costs: 0.1 is a tenth."""
    late_at_most: float = 1.0
    """The largest share that lateness can cost."""
    grace_minutes: int = 0
    """Minutes after the due time that cost nothing."""
    points: tuple[str, ...] = ()
    """Other points than the course's: gae=5 clip_fraction=0. With 0 an exercise stays in the notebook as practice."""
    exercises: Path | None = None
    """Folder with exercises of your own; docs/teaching.md says how to write them."""
    experiments: bool = True
    """One experiment a unit, in the student's own words, marked by a person."""
    libraries: tuple[str, ...] = ()
    """Installed libraries that answers may use besides NumPy, SciPy and PyTorch: einops. Nothing else can be imported then."""
    force: bool = False
    """Replace another release in the folder, and files changed by hand."""


def assignment(arguments: list[str]) -> int:
    """Run `pgcourse assignment make`."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print("usage: pgcourse assignment make OPTIONS\n\nExample: pgcourse assignment make --units 1-5 --out class/")
        return 0
    if arguments[0] != "make":
        raise InvalidInput(f"unknown command {arguments[0]!r} of assignment; use pgcourse assignment make")
    options = parse(AssignmentMake, arguments[1:], program="pgcourse assignment make")
    from ..grading.release.assignment import due_text, number
    from ..grading.release.make import Settings, make  # the exercises and nbgrader are slow to import
    from ..grading.release.manifest import Late

    with as_typed(per_day="--late-per-day", at_most="--late-at-most"):
        late = Late(options.late_per_day, options.late_at_most, options.grace_minutes)
    settings = Settings(
        out=options.out,
        units=parse_units(options.units),
        version=__version__,
        due=parse_due(options.due) if options.due else None,
        late=late,
        points=parse_points(options.points),
        exercises=options.exercises,
        experiments=options.experiments,
        libraries=options.libraries,
    )
    if settings.due is None and settings.late.per_day > 0:
        raise InvalidInput("--late-per-day without --due: nothing would ever be late; add --due 2026-12-01")
    made = make(settings, force=options.force)
    for part in made.release.assignments:
        manual = f", {len(part.manual)} marked by a person" if part.manual else ""
        print(f"{part.name}: {number(len(part.exercises), 'exercise')}{manual}, {number(part.max_score)}")
    print(due_text(made.release).replace("**", ""))
    if made.kept:
        print(f"kept as somebody changed them: {', '.join(made.kept)} (--force writes them anew)")
    if made.written:
        print(
            f"wrote {number(len(made.written), 'file')} to {options.out}; hand out {options.out / 'student'} and nothing else"
        )
    else:
        print(f"{options.out} holds this release already; nothing was written")
    return 0


def parse_units(text: str) -> tuple[int, ...]:
    """Numbers of units from `1-5` or `0,2,4-5`, in order. Raises: InvalidInput for anything else."""
    found: set[int] = set()
    for part in text.replace(" ", ",").split(","):
        if not part:
            continue
        match = re.fullmatch(r"(\d{1,2})(?:-(\d{1,2}))?", part)
        if match is None:
            raise InvalidInput(
                f"--units {text!r}: {part!r} is no unit; write numbers and ranges, such as 1-5 or 0,2,4-5"
            )
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise InvalidInput(f"--units {text!r}: {part} runs backwards; write {last}-{first}")
        found |= set(range(first, last + 1))
    if not found:
        raise InvalidInput("--units is empty; write numbers and ranges, such as 1-5 or 0,2,4-5")
    return tuple(sorted(found))


def parse_due(text: str) -> datetime:
    """The due time, to the minute. A date alone means 23:59; without an offset, the time is of this machine's zone.

    Raises: InvalidInput for what is no time.
    """
    try:
        due = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"--due {text!r} is no time; write 2026-12-01, or 2026-12-01T18:00+01:00") from None
    if re.fullmatch(r"[\d-]+", text):
        due = datetime.combine(due.date(), time(23, 59))
    return due.astimezone() if due.tzinfo is None else due


def parse_points(given: Sequence[str]) -> dict[str, float]:
    """Points by exercise from `gae=5`. Raises: InvalidInput for what is none, and for a negative number."""
    points: dict[str, float] = {}
    for each in given:
        match = re.fullmatch(r"(\w+)=(\d+(?:\.\d+)?)", each)
        if match is None:
            raise InvalidInput(f"--points {each!r}: write ID=NUMBER with a number of at least 0, such as gae=5")
        if match[1] in points:
            raise InvalidInput(f"--points gives {match[1]} twice; give it once")
        value = float(match[2])
        points[match[1]] = int(value) if value.is_integer() else value
    return points
