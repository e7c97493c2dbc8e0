"""Which solutions of a class share what is not everybody's, and which are the published ones, whatever their names."""

import json
import math
from collections import Counter
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass
from itertools import combinations

from pgcourse.grading.names import PUBLISHED
from pgcourse.grading.quarantine.prepare import ClassWork
from pgcourse.grading.quarantine.reader.form import features, form
from pgcourse.grading.quarantine.reader.notebook import code_cells
from pgcourse.grading.quarantine.reading import Form

MIN_TOKENS = 60  # shorter solutions are alike because there is only one way to write them
ALIKE = 0.8  # of 607 pairs of right answers in different styles (tests/checks), the two most alike share 0.74
MIN_SHARED = 20  # features of their own: one changed token makes RUN of them, and three happen to many
COMMON = 4  # right solutions


@dataclass(frozen=True)
class Pair:
    """Two students whose solutions of an exercise are alike, or one and the published solution.

    Fields: similarity: 0 to 1, of what is their own; beside the published solution, of all. common: how many others have
    the very same form.
    """

    exercise: str
    first: str
    second: str
    similarity: float
    common: int


def of_class(work: ClassWork, right: Collection[tuple[str, str]] = ()) -> list[Pair]:
    """The solutions of a class that are alike, exercise by exercise. Args: right: (student, exercise) of right answers."""
    found: list[Pair] = []
    for name, prepared in work.prepared.items():
        key = work.folder / "teacher" / "key" / f"{name}.ipynb"
        solved = code_cells(json.loads(key.read_text(encoding="utf-8"))) if key.is_file() else []
        own = [each for each in work.works if each.prepared is prepared]
        for id in prepared.exercises:
            published = [cell.source for cell in solved if cell.grade_id == id]
            forms = {each.submission.student: each.reading.forms.get(id, Form()) for each in own}
            forms |= {PUBLISHED: form_of(published[-1])} if published else {}
            stub = next((cell.source for cell in prepared.released if cell.grade_id == id), "")
            found += pairs(id, forms, form_of(stub), [student for student, exercise in right if exercise == id])
    return found


def form_of(source: str) -> Form:
    """Of a source that is ours."""
    found = features(form(source))
    return Form(found["tokens"], found["whole"], tuple(found["runs"]))


def pairs(
    exercise: str, forms: Mapping[str, Form], stub: Form | None = None, right: Collection[str] = ()
) -> list[Pair]:
    """The pairs that are alike, most alike first.

    Two students are a pair where what is their own is alike. What many have is nobody's own: features of the published
    solution, and those that a third of the right solutions share (but at least `COMMON`, or two who share an odd answer
    would make it common in a small class). A student whose whole solution is like the published one is a pair with it.

    Args: forms: of each student (or `PUBLISHED`). stub: of what was handed out; whoever left it so is not compared.
    right: students whose answer is right.
    """
    untouched = stub.whole if stub else ""
    runs = {who: frozenset(each.runs) for who, each in forms.items() if each.runs and each.whole != untouched}
    counts = Counter(run for who in runs.keys() & {*right} for run in runs[who])
    many = max(COMMON, math.ceil(len(runs.keys() & {*right}) / 3))
    public = runs.get(PUBLISHED, frozenset())
    shared = public | {run for run, count in counts.items() if count >= many}
    long = sorted(who for who in runs if who != PUBLISHED and forms[who].tokens >= MIN_TOKENS)
    same = Counter(forms[who].whole for who in long)
    found = []
    for who in long:
        if (alike := _likeness(runs[who], public)) >= ALIKE:
            found.append(Pair(exercise, PUBLISHED, who, round(alike, 3), 0))
    for first, second in combinations(long, 2):
        one, two = runs[first] - shared, runs[second] - shared
        if len(one & two) >= MIN_SHARED and (alike := _likeness(one, two)) >= ALIKE:
            common = same[forms[first].whole] - 2 if forms[first].whole == forms[second].whole else 0
            found.append(Pair(exercise, first, second, round(alike, 3), common))
    return sorted(found, key=lambda pair: (-pair.similarity, pair.common, pair.first, pair.second))


def _likeness(one: Set[int], two: Set[int]) -> float:
    """What both have as a share of what one of them has."""
    return len(one & two) / len(one | two) if one or two else 0.0
