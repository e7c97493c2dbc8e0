"""The markers of solutions and hidden tests, read strictly: a misspelt one would publish a solution."""

import re
from dataclasses import dataclass

from nbformat import NotebookNode

from pgcourse.errors import InvalidInput

SOLUTION, HIDDEN = "SOLUTION", "HIDDEN TESTS"
MARKERS = {f"### {edge} {kind}": (edge, kind) for edge in ("BEGIN", "END") for kind in (SOLUTION, HIDDEN)}
# nbgrader takes its words anywhere in a line; people also write them in lower case, joined or in the plural.
NEARLY = re.compile(
    r"(BEGIN|END) (SOLUTION|HIDDEN TESTS)|^\s*#.*\b(?i:begin|end)[\s_-]*(?i:solution|hidden[\s_-]*test)"
)


@dataclass(frozen=True)
class Region:
    """Lines between two markers of one cell; `start` and `stop` number the marker lines, from 0."""

    kind: str
    start: int
    stop: int
    lines: tuple[str, ...]


def regions(cell: NotebookNode, place: str) -> list[Region]:
    """The marked regions of a cell. Raises: InvalidInput for misspelt, nested, unbalanced or empty ones."""
    found: list[Region] = []
    opened: tuple[str, int] | None = None
    lines = cell.source.split("\n")
    for number, line in enumerate(lines):
        marker = MARKERS.get(line.strip())
        if marker is None:
            if NEARLY.search(line):
                raise InvalidInput(f"{place}: {line.strip()!r} is no marker; write one of {', '.join(MARKERS)}")
            continue
        edge, kind = marker
        if edge == "BEGIN":
            if opened is not None:
                raise InvalidInput(f"{place}: {line.strip()} inside another region; close the first one before it")
            opened = (kind, number)
        elif opened is None or opened[0] != kind:
            raise InvalidInput(f"{place}: {line.strip()} closes nothing; put ### BEGIN {kind} before it")
        else:
            inner = tuple(lines[opened[1] + 1 : number])
            if not any(text.strip() for text in inner):
                raise InvalidInput(f"{place}: nothing stands between the {kind} markers; write it or remove them")
            found.append(Region(kind, opened[1], number, inner))
            opened = None
    if opened is not None:
        raise InvalidInput(f"{place}: ### BEGIN {opened[0]} is never closed; add ### END {opened[0]}")
    return found


def without(cell: NotebookNode, place: str, *, kind: str, keep_lines: bool) -> str:
    """Source of `cell` less the markers of `kind`, and less what stands between them unless `keep_lines`."""
    lines = cell.source.split("\n")
    dropped: set[int] = set()
    for region in regions(cell, place):
        if region.kind == kind:
            dropped |= {region.start, region.stop} if keep_lines else set(range(region.start, region.stop + 1))
    return "\n".join(line for number, line in enumerate(lines) if number not in dropped).rstrip()
