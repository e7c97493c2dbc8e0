"""The list of a class: who is in it, under which names they hand in, and how learning systems know them."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pgcourse.errors import InvalidInput
from pgcourse.grading.names import composed, folded, wrong_name
from pgcourse.grading.tables import rows

COLUMNS = ("student",)
OPTIONAL = ("name", "id", "email", "login", "canvas", "section", "aliases")
UNIQUE = ("id", "email", "login", "canvas")  # what a learning system finds a person by


@dataclass(frozen=True)
class Person:
    """One student of the class.

    Fields: student: the name in all tables. name: the full name. id: the number at the university, `ID number` in Moodle
    and `SIS User ID` in Canvas. login: `SIS Login ID` in Canvas. canvas: Canvas's own number. aliases: other names of
    folders and files.
    """

    student: str
    name: str = ""
    id: str = ""
    email: str = ""
    login: str = ""
    canvas: str = ""
    section: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Roster:
    """A class. Fields: source: the file it came from, for messages."""

    people: tuple[Person, ...]
    source: str = "the roster"

    @cached_property
    def by_student(self) -> dict[str, Person]:
        """Student -> person."""
        return {person.student: person for person in self.people}

    @cached_property
    def _by_alias(self) -> dict[str, str]:
        return {folded(each): person.student for person in self.people for each in (person.student, *person.aliases)}

    def called(self, name: str) -> str:
        """The student of this name or alias; "" where there is none. Upper and lower case are alike; nothing else is."""
        return self._by_alias.get(folded(name), "")

    def matching(self, forms: Callable[[Person], Iterable[str]], wanted: str) -> set[str]:
        """The students one of whose forms is the wanted one."""
        return {person.student for person in self.people if wanted and wanted in forms(person)}


def read_roster(path: Path) -> Roster:
    """Read the list of a class. Raises: InvalidInput, one line, for a name that cannot be one and for one that two share."""
    people: list[Person] = []
    owner: dict[tuple[str, str], str] = {}  # (kind, folded text) -> whose it is
    for line, row in enumerate(rows(path, COLUMNS, OPTIONAL), 2):
        student = composed(row["student"])
        if not student:
            raise InvalidInput(f"{path}, line {line}: no student; write the name that the tables shall show")
        if wrong := wrong_name(student) or _no_file_name(student):
            raise InvalidInput(f"{path}, line {line}: {student!r} {wrong}; choose another name and make this an alias")
        aliases = tuple(alias for part in re.split("[;|]", row["aliases"]) if (alias := composed(part.strip())))
        fields = {name: row[name] for name in OPTIONAL if name != "aliases"}
        person = Person(student, aliases=aliases, **fields)
        if any(student == other.student for other in people):
            raise InvalidInput(f"{path}, line {line}: {student!r} is there twice; give each student one line")
        claims = [("name", each) for each in (student, *aliases)]
        claims += [(name, getattr(person, name)) for name in UNIQUE if getattr(person, name)]
        for kind, text in claims:
            other = owner.setdefault((kind, folded(text)), student)
            if other != student:
                what = "name or alias" if kind == "name" else kind
                said = f"{text!r} is the {what} of both {other} and {student}; give it to one of them"
                raise InvalidInput(f"{path}, line {line}: {said}")
        people.append(person)
    if not people:
        raise InvalidInput(f"{path} lists nobody; write a line for each student below the first one")
    return Roster(tuple(people), path.name)


def _no_file_name(name: str) -> str:
    """Why no file can have this name; "" where one can."""
    return "holds a character that no file's name may have" if set(name) & set("/\\") or name in (".", "..") else ""
