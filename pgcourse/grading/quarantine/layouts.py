"""How Moodle and Canvas name what they pack into a download of all submissions, and whom of a roster such a name means.

Moodle (`mod/assign/classes/downloader.php`): folders `Ada Lovelace_12345_assignsubmission_file`, or files
`Ada Lovelace_12345_assignsubmission_file_01_reinforce.ipynb`. The number is the participant's in this one assignment; with
names hidden the folder is `Participant_12345_...`. Some characters are left out, and some systems write `_` for a blank.

Canvas (`lib/content_zipper.rb`): files `lovelaceada_LATE_123_456_01_reinforce.ipynb`, that is the sortable name in lower
case without blanks and commas, `LATE` where it is, Canvas's number of the person, the number of the file, and the file's
own name, to which Canvas adds `-1`, `-2`, ... where it was handed in again.

The student chose what stands behind the system's own part, and may have written what looks like another such part there. So
the first one in a name counts.
"""

import re
from dataclasses import dataclass

from pgcourse.grading.names import folded
from pgcourse.grading.roster import Person, Roster

_MOODLE = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<original>.*))?")
_CANVAS = re.compile(r"(?P<name>\w+?)(?:_LATE)?_(?P<number>\d+)_(?P<file>\d+)_(?P<original>.+)")
_DROPPED = re.compile(r"[\x00-\x1f\x7f&<>\"`|':\\/]")  # by Moodle, from the names of files


@dataclass(frozen=True)
class Named:
    """What a name of a download says.

    Fields: student: of the roster. original: the file's own name without its ending; "" of a folder. number: of the file,
    where the system gives one; later files have greater ones.
    """

    student: str
    original: str = ""
    number: int = 0


def is_online_text(name: str) -> bool:
    """Whether Moodle made this folder for something else than files, such as a text typed into the page."""
    match = _MOODLE.fullmatch(name)
    return match is not None and match["kind"] != "file"


def named(name: str, roster: Roster) -> Named | None:
    """What the name of a folder, or of a notebook without its ending, says. None: no such name, or not of one student.

    The number decides, where the roster has it; the name decides where one student alone bears it. Where they disagree,
    nobody is meant.
    """
    matches = [match for each in (_MOODLE, _CANVAS) if (match := each.fullmatch(name))]
    if not matches:
        return None
    match = min(matches, key=lambda each: each.end("name"))
    if match.re is _MOODLE:
        numbered = {roster.called(f"Participant {match['number']}")} - {""}
        bearing = roster.matching(_moodle_forms, _moodle_form(match["name"]))
        original, number = match["original"] or "", 0
    else:
        numbered = roster.matching(lambda person: (person.canvas,), match["number"])
        bearing = roster.matching(_canvas_forms, _canvas_form(match["name"]))
        original, number = re.sub(r"-\d+$", "", match["original"]), int(match["file"])
    meant = numbered & bearing if numbered and bearing else numbered | bearing
    return Named(meant.pop(), original, number) if len(meant) == 1 else None


def _moodle_form(name: str) -> str:
    """`Lovelace, Ada` is `Ada Lovelace`: rosters write both, and Moodle shows what its site prefers."""
    last, comma, first = name.partition(",")
    name = f"{first} {last}" if comma else name
    return folded(" ".join(_DROPPED.sub("", name).replace("_", " ").split()))


def _moodle_forms(person: Person) -> set[str]:
    return {_moodle_form(each) for each in (person.name, person.student, *person.aliases) if each}


def _canvas_form(name: str) -> str:
    return re.sub(r"[\W_]", "", folded(name))


def _canvas_forms(person: Person) -> set[str]:
    """Canvas sorts by the last name, which may be of several words: Anna van der Berg is `vanderberganna`."""
    words = person.name.split()
    orders = [" ".join(words[start:] + words[:start]) for start in range(len(words))]
    return {_canvas_form(each) for each in (*orders, person.student, *person.aliases) if each}
