"""Which solutions of a class are alike, and which are the published ones, whatever their names and comments."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from pgcourse.grading.quarantine.prepare import ClassWork
from pgcourse.grading.quarantine.reader.form import features, form
from pgcourse.grading.quarantine.reader.notebook import code_cells
from pgcourse.grading.quarantine.reading import Form

PUBLISHED = "(published solution)"
MIN_TOKENS = 60  # shorter solutions are alike because there is only one way to write them
ALIKE = 0.8


@dataclass(frozen=True)
class Pair:
    """Two students whose solutions of an exercise share this much. `common`: how many others have the very same form."""

    exercise: str
    first: str
    second: str
    similarity: float
    common: int


def of_class(work: ClassWork) -> list[Pair]:
    """The solutions of a class that are alike, exercise by exercise."""
    found: list[Pair] = []
    for name, prepared in work.prepared.items():
        key = work.folder / "teacher" / "key" / f"{name}.ipynb"
        solved = code_cells(json.loads(key.read_text(encoding="utf-8"))) if key.is_file() else []
        own = [each for each in work.works if each.prepared is prepared]
        for id in prepared.exercises:
            published = [cell.source for cell in solved if cell.grade_id == id]
            forms = {PUBLISHED: form_of(published[-1])} if published else {}
            forms |= {each.submission.student: each.reading.forms.get(id, Form()) for each in own}
            stub = next((cell.source for cell in prepared.released if cell.grade_id == id), "")
            found += pairs(id, forms, form_of(stub))
    return found


def form_of(source: str) -> Form:
    """Of a source that is ours."""
    found = features(form(source))
    return Form(found["tokens"], found["whole"], tuple(found["runs"]))


def pairs(exercise: str, forms: Mapping[str, Form], stub: Form | None = None) -> list[Pair]:
    """The pairs that are alike, most alike first.

    Args: forms: of each student (or `PUBLISHED`). stub: of what was handed out; whoever left it so is not compared.
    """
    untouched = stub.whole if stub else ""
    forms = {
        who: each for who, each in forms.items() if each.whole != untouched and each.tokens >= MIN_TOKENS and each.runs
    }
    runs = {who: set(each.runs) for who, each in forms.items()}
    same = Counter(each.whole for each in forms.values())
    found = []
    for first, second in combinations(sorted(forms), 2):
        shared = len(runs[first] & runs[second]) / len(runs[first] | runs[second])
        if shared >= ALIKE:
            common = same[forms[first].whole] - 2 if forms[first].whole == forms[second].whole else 0
            found.append(Pair(exercise, first, second, round(shared, 3), common))
    return sorted(found, key=lambda pair: (-pair.similarity, pair.common, pair.first, pair.second))
