"""The links of docs/asked_for.md, the table of topics and where the course treats them.

    .venv/bin/python -m tools.asked_for    write the links anew, after a section was renamed, renumbered or added

A place is written as `03 §5.2`, `00 Temperature` where the heading has no number, or `exercise gae`, and more than one with
`<br>` between them. This adds title and link. A heading is known by its title: where only its number has changed, the number
is mended. GitHub shows a notebook without anchors and opens it at its top, so the text of a link says the section too.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pgcourse.checks.catalogue import BY_ID

from .builder.course import SourceFile, raw_notebook

ROOT = Path(__file__).resolve().parents[1]
PAGE = Path("docs/asked_for.md")
NOT_YET = "not yet"
FURTHER = " · further"
HEADING = re.compile(r"^(#{2,4}) (.+)$")
NUMBERED = re.compile(r"^(\d+(?:\.\d+)*)\.? (.+)$")
PLACE = re.compile(r"^(\d\d) (?:§(\d+(?:\.\d+)*)(?: (.+))?|(.+))$")
EXERCISE = re.compile(r"^exercise `?(\w+)`?$")
LINK = re.compile(r"^\[(.+)\]\([^()]+\)$")


@dataclass(frozen=True)
class Section:
    """A heading of a lesson with all that stands below it, smaller headings included."""

    unit: str  # "03"
    file: str  # "03_a2c_gae"
    number: str  # "5.2", "" where the heading has none
    title: str  # without the number and the mark of what goes further
    heading: str  # as it is written
    text: str  # Markdown and code
    runs: bool  # whether a cell of code stands in it

    @property
    def place(self) -> str:
        """What a reader sees: `03 §5.2 The truncation bug, measured`."""
        return f"{self.unit} §{self.number} {self.title}" if self.number else f"{self.unit} {self.title}"

    @property
    def link(self) -> str:
        """The place with its link, from a file in docs/."""
        return f"[{self.place}](../notebooks/{self.file}.ipynb#{anchor(self.heading)})"


@dataclass(frozen=True)
class Row:
    """A row of the table."""

    group: str  # the heading above it
    topic: str
    where: tuple[str, ...]  # places as they are written; none where the topic is not there yet
    how: str


def anchor(heading: str) -> str:
    """The anchor that the site gives a heading: GitHub's rule, where formulas leave nothing behind."""
    text = re.sub(r"\$[^$]*\$|`", "", heading)
    return re.sub(r"[^\w\- ]", "", text.lower().replace(" ", "-"))


@cache
def sections(root: Path = ROOT) -> tuple[Section, ...]:
    """All sections of all lessons, in the order of the course."""
    files = [SourceFile(path) for path in sorted((root / "course").glob("*.py"))]
    return tuple(section for file in files if not file.is_exercises for section in _sections_of(file))


def _sections_of(file: SourceFile) -> list[Section]:
    lines: list[str] = []
    headings: list[tuple[int, int, str]] = []  # line, level, text
    code: list[int] = []  # lines at which a cell of code begins
    for cell in raw_notebook(file).cells:
        code += [len(lines)] * (cell.cell_type == "code")
        fenced = False
        for line in cell.source.split("\n"):
            fenced ^= line.startswith("```")
            if cell.cell_type == "markdown" and not fenced and (found := HEADING.match(line)):
                headings.append((len(lines), len(found[1]), found[2]))
            lines.append(line)
    made = []
    for index, (start, level, heading) in enumerate(headings):
        end = next((later for later, other, _ in headings[index + 1 :] if other <= level), len(lines))
        numbered = NUMBERED.match(heading.removesuffix(FURTHER))
        number, title = numbered.groups() if numbered else ("", heading.removesuffix(FURTHER))
        text = "\n".join(lines[start:end])
        runs = any(start < line < end for line in code)
        made.append(Section(file.name[:2], file.name, number, title, heading, text, runs))
    return made


def find(place: str) -> Section:
    """The section that `03 §5.2`, `03 §5.2 Its title` or `00 Its title` means. Raises: LookupError, in words."""
    match = PLACE.match(place)
    if match is None:
        raise LookupError(f"{place!r} is no place; write it like `03 §5.2`, `00 Temperature` or `exercise gae`")
    unit, number, title = match[1], match[2] or "", match[3] or match[4]
    there = [section for section in sections() if section.unit == unit]
    if title is None:
        wanted = [section for section in there if section.number == number]
    else:
        named = [section for section in there if section.title == title]
        wanted = [section for section in named if section.number == number] or named
    if len(wanted) == 1:
        return wanted[0]
    now = next((section.place for section in there if number and section.number == number), None)
    hint = f"; that number is now {now!r}" if now else ""
    raise LookupError(f"{place!r} names {len(wanted)} sections of course/{unit}_*.py{hint}")


def linked(place: str) -> str:
    """A place with its title and its link. Raises: LookupError for one that is not there."""
    if exercise := EXERCISE.match(place):
        entry = BY_ID.get(exercise[1])
        if entry is None:
            raise LookupError(f"there is no exercise {exercise[1]!r}")
        file = next(section.file for section in sections() if section.unit == entry.unit)
        return f"[exercise `{entry.id}`](../exercises/{file}.ipynb)"
    return find(place).link


def rows(page: str) -> list[Row]:
    """The rows of all tables of the page whose first column is "asked for"."""
    return [row for _, row in _rows(page)]


def _rows(page: str) -> Iterator[tuple[int, Row]]:
    group, reading = "", False
    for number, line in enumerate(page.splitlines()):
        if line.startswith("## "):
            group = line.removeprefix("## ")
        cells = [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split(" | ")]
        if not line.startswith("|"):
            reading = False
        elif cells[0] == "asked for":
            reading = True
        elif reading and not set(line) <= set("|- "):
            if len(cells) != 3:
                raise ValueError(f"line {number + 1} has {len(cells)} cells, and a row has three: {line}")
            pieces = tuple(_unlinked(piece.strip()) for piece in cells[1].split("<br>"))
            yield number, Row(group, cells[0], () if pieces == (NOT_YET,) else pieces, cells[2])


def _unlinked(piece: str) -> str:
    return found[1] if (found := LINK.match(piece)) else piece


def completed(page: str) -> str:
    """The page with title and link at every place. Raises: LookupError that names every place that is not there."""
    lines, missing = page.splitlines(), []
    for number, row in _rows(page):
        places = []
        for place in row.where:
            try:
                places.append(linked(place))
            except LookupError as error:
                missing.append(f"{row.topic}: {error}")
        lines[number] = f"| {row.topic} | {'<br>'.join(places) or NOT_YET} | {row.how} |"
    if missing:
        raise LookupError("\n".join(missing))
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the page anew."""
    path = ROOT / PAGE
    try:
        path.write_text(completed(path.read_text(encoding="utf-8")), encoding="utf-8")
    except LookupError as error:
        print(error.args[0], file=sys.stderr)
        return 1
    print(f"{PAGE}: {len(rows(path.read_text(encoding='utf-8')))} rows")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
