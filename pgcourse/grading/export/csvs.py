"""Marks as the CSVs that Moodle and Canvas import, and as one plain table.

Moodle (Grades, Import, CSV): one column finds the student, and is mapped to `Email address` or `ID number`; each notebook
has its points and its feedback, which Moodle wants together (docs.moodle.org, Grade import).

Canvas (Grades, Import): the columns of its own export. It finds a student by `ID`, then `SIS User ID`, then `SIS Login ID`,
and an assignment by the number in brackets behind its title, then by the title (`lib/gradebook_importer.rb`).
"""

from pgcourse.errors import InvalidInput
from pgcourse.grading.export.graded import Graded, Table, feedback, most, points
from pgcourse.grading.names import some


def moodle(graded: Graded) -> Table:
    """Identifiers, then points and feedback of each notebook. Raises: InvalidInput where nothing finds everybody."""
    source = graded.require_roster("Moodle", "email or id")
    fields = {"Email address": "email", "ID number": "id"}
    usable = {title: field for title, field in fields.items() if not graded.without(field)}
    if not usable:
        lacking = " and ".join(f"no {field} of {some(graded.without(field))}" for field in fields.values())
        raise InvalidInput(f"{source} has {lacking}; Moodle needs the one or the other of everybody")
    head = list(usable)
    for notebook in graded.notebooks:
        head += [graded.heading(notebook), f"{graded.heading(notebook)} feedback"]
    table: list[list[object]] = []
    for student in graded.students:
        person = graded.person(student)
        row: list[object] = [getattr(person, field) for field in usable.values()]
        for part in student.parts:
            row += [points(student, part), feedback(student, part)]
        table.append(row)
    return head, table


def canvas(graded: Graded) -> Table:
    """Canvas's five columns and one for each notebook. Raises: InvalidInput where nothing finds somebody."""
    source = graded.require_roster("Canvas", "canvas, id or login")
    people = [graded.person(student) for student in graded.students]
    if unknown := [each.student for each in people if not (each.canvas or each.id or each.login)]:
        raise InvalidInput(
            f"{source} has none of canvas, id and login of {some(unknown)}; Canvas finds students by one of them"
        )
    head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *map(graded.heading, graded.notebooks)]
    possible: list[object] = ["    Points Possible", "", "", "", "", *map(most, graded.students[0].parts)]
    table = [possible]
    for student, person in zip(graded.students, people, strict=True):
        known = [person.name or person.student, person.canvas, person.id, person.login, person.section]
        table.append([*known, *(points(student, part) for part in student.parts)])
    return head, table


def plain(graded: Graded) -> Table:
    """What the roster and the marks hold, a row for each student; open points are in a column of their own."""
    head = ["student", "name", "id", "email", "section"]
    for notebook in graded.notebooks:
        head += [graded.heading(notebook), f"{graded.heading(notebook)} max"]
    head += ["score", "max_score", "open_points", "late", "note"]
    table: list[list[object]] = []
    for student in graded.students:
        person = graded.person(student)
        row: list[object] = [student.name, person.name, person.id, person.email, person.section]
        for part in student.parts:
            row += [points(student, part), most(part)]
        table.append([*row, student.score, student.max_score, student.open_points, student.late, student.note])
    return head, table
