"""Names of students: which are taken as they are, when two are the same, and how a sentence lists many."""

import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise

MAX_NAME = 245  # bytes of a student's name: with an ending it is the name of a file, which has 255 at most
PUBLISHED = "(published solution)"
MOST_LISTED = 5  # names in a sentence
# What takes no room, or looks like a blank: of two names that differ in it alone, nobody sees which is which.
UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U00016fe4\U0001d159\U000e0000-\U000e0fff]"
)
MOST_MARKS = 3  # accents on one letter; more cover the lines above and below
FORMULA = "=+-@\uff1d\uff0b\uff0d\uff20"  # how a text begins that a spreadsheet computes; some take the wide forms too


def wrong_name(name: str) -> str:
    """Why a folder or file of this name is not filed under it; "" for a name that is taken as it is.

    Tables are written and read by people too: a name that looks like another one there would earn its marks.
    """
    if name != name.strip():
        return "begins or ends with a blank, which no table shows"
    if not name.isprintable():
        return "holds a character that cannot be printed"
    if name[0] in FORMULA:
        return f"begins with {name[0]!r}, as a spreadsheet's formula does"
    if ";" in name:
        return "holds a semicolon, at which many spreadsheets begin another cell"
    if UNSEEN.search(name):
        return "holds a character that is not seen"
    if any(one.isspace() and two.isspace() for one, two in pairwise(name)):
        return "holds two blanks in a row, which most tables show as one"
    if _covers(name):
        return "holds accents that cover what stands around them"
    if name == PUBLISHED:
        return "is what tables call the key"
    size = len(name.encode())
    return f"is {size} bytes long, of at most {MAX_NAME}" if size > MAX_NAME else ""


def _covers(name: str) -> bool:
    marks = 0
    for place, letter in enumerate(unicodedata.normalize("NFD", name)):
        marks = marks + 1 if unicodedata.combining(letter) else 0
        if marks > MOST_MARKS or (marks and place == 0):
            return True
    return False


def composed(name: str) -> str:
    """The name in Unicode's form NFC: some systems write é as one character, some as two."""
    return unicodedata.normalize("NFC", name)


def folded(name: str) -> str:
    """The same text for names that differ in nothing but upper and lower case or Unicode's form."""
    return composed(composed(name).casefold())


def some(names: Iterable[str]) -> str:
    """The first names, and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - MOST_LISTED} more" if len(listed) > MOST_LISTED else ""
    return ", ".join(listed[:MOST_LISTED]) + more
