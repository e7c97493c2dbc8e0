"""What the site says of each unit, read from the table in the README: the one place where it is written."""

import re
from dataclasses import dataclass
from pathlib import Path

COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
ROW = re.compile(r"^\| (\d\d) ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$")


@dataclass(frozen=True)
class Unit:
    """A row of the table. Minutes are of the lesson's core path, of what it keeps folded, and of the exercises."""

    number: str  # "01"
    title: str  # "REINFORCE"
    able_to: str  # what a reader can do after it
    core: int
    further: int
    exercises: int
    name: str  # "01_reinforce", of the notebooks

    @property
    def label(self) -> str:
        """Short name for menus: "01 REINFORCE"."""
        return f"{self.number} {self.title.partition(':')[0]}"


def read_units(root: Path) -> list[Unit]:
    """The units in the order of the README. Raises: SystemExit where table and folder of notebooks disagree."""
    names = {path.stem[:2]: path.stem for path in sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))}
    units = []
    for line in (root / "README.md").read_text(encoding="utf-8").splitlines():
        if row := ROW.match(COMMENT.sub("", line)):
            number, title, able_to, *minutes = (cell.strip() for cell in row.groups())
            if number not in names:
                raise SystemExit(f"tools.site: README.md names unit {number}, and notebooks/ has no {number}_*.ipynb")
            units.append(Unit(number, title, able_to, *map(int, minutes), name=names.pop(number)))
    if names or not units:
        raise SystemExit(f"tools.site: README.md has no row for {', '.join(names.values()) or 'any unit'}")
    return units
