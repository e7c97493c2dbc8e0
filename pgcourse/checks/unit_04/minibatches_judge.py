"""Which properties of a shuffled partition does an observation of `Minibatches` violate?"""

from __future__ import annotations

import numpy as np

from pgcourse.checks.compare import CORRECT, Verdict
from pgcourse.checks.observe.record import Arrays, Case

LARGE = 32  # rows from which a true shuffle looks like none of the false ones, except about once in 10^9 epochs

Violation = tuple[str, str, str]


def judge(case: Case, arrays: Arrays) -> Verdict:
    """Judge one observation. The kind joins the ids of all violated properties."""
    found = _not_iterable(arrays) or [*_partition(case, arrays), *_sizes(case, arrays), *_shuffle(case, arrays)]
    if not found:
        return CORRECT
    return Verdict(False, "+".join(id for id, _, _ in found), found[0][1], found[0][2])


def _not_iterable(arrays: Arrays) -> list[Violation]:
    kind = str(arrays["result.kind"])
    if "entry.kind" in arrays:
        entry = str(arrays["entry.kind"])
        text = f"Iterating over your result gives a {entry}, expected 1-D index tensors of dtype int64."
        return [(f"entry-{entry}", text, "")]
    if "endless" in arrays:
        return [("endless", "Your function goes on giving minibatches when every row has been used.", "")]
    if "rows 0" not in arrays:
        missing = ": is a return or a yield missing?" if kind == "NoneType" else "."
        return [
            (f"returns-{kind}", f"Your function returned a {kind}, expected index tensors to loop over{missing}", "")
        ]
    return []


def _epochs(case: Case, arrays: Arrays, name: str) -> list[np.ndarray]:
    return [arrays[f"{name} {epoch}"] for epoch in range(case["epochs"])]


def _partition(case: Case, arrays: Arrays) -> list[Violation]:
    size: int = case["batch_size"]
    found: list[Violation] = []
    parts = zip(_epochs(case, arrays, "rows"), _epochs(case, arrays, "sizes"), strict=True)
    inside = any(len(set(part)) < len(part) for rows, sizes in parts for part in np.split(rows, np.cumsum(sizes)[:-1]))
    repeated = "repeated-in-a-minibatch" if inside else "repeated"
    for epoch, rows in enumerate(_epochs(case, arrays, "rows")):
        shown = f"Epoch {epoch + 1}: got the rows {_listed(rows)}."
        kinds = {id for id, _, _ in found}
        if rows.size and (rows.min() < 0 or rows.max() >= size):
            if "outside" not in kinds:
                found.append(("outside", f"Rows go from 0 to {size - 1}; yours leave that range.", shown))
            continue
        counts = np.bincount(rows, minlength=size)
        if (counts == 0).any() and "missing" not in kinds:
            text = "Some rows are in no minibatch; every epoch must use each row of the batch once."
            found.append(("missing", text, f"{shown} Missing: {_listed(np.flatnonzero(counts == 0))}."))
        if (counts > 1).any() and repeated not in kinds:
            text = "Some rows come more than once in an epoch; every epoch must use each row of the batch once."
            found.append((repeated, text, f"{shown} Repeated: {_listed(np.flatnonzero(counts > 1))}."))
    return found


def _sizes(case: Case, arrays: Arrays) -> list[Violation]:
    size, wanted = case["batch_size"], case["minibatch_size"]
    full, rest = divmod(size, wanted)
    expected = [wanted] * full + [rest] * (rest > 0)
    for sizes in _epochs(case, arrays, "sizes"):
        if sizes.tolist() != expected:
            text = "The minibatches have other sizes than asked for: each has minibatch_size rows, the last the rest."
            return [("sizes", text, f"Got sizes {_listed(sizes)}, expected {_listed(np.array(expected))}.")]
    return []


def _shuffle(case: Case, arrays: Arrays) -> list[Violation]:
    if case["batch_size"] < LARGE:
        return []
    epochs, sizes = _epochs(case, arrays, "rows"), _epochs(case, arrays, "sizes")
    found = []
    first = f"The first rows of epoch 1: {_listed(epochs[0][:8])}; of epoch 2: {_listed(epochs[1][:8])}."
    # A shuffle of 64 rows has about two neighbours that stay neighbours; a rotation or whole blocks have most of them.
    if np.mean(np.abs(np.diff(epochs[0])) == 1) > 0.25:
        found.append(("order", "The rows come in their old order, wholly or in long stretches.", first))
    elif _contiguous(epochs[0], sizes[0]):
        text = "Each minibatch holds neighbouring rows only, shuffled among themselves."
        found.append(("neighbours", text, first))
    if all(np.array_equal(epochs[0], other) for other in epochs[1:]):
        found.append(("same-order", "Every epoch has the same order; each needs a new one.", first))
    if not arrays["repeated with the same seed"]:
        text = "A generator with the same seed gives another order each time, so a run cannot be repeated."
        found.append(("not-repeatable", text, ""))
    if arrays["repeated with another seed"]:
        text = "Generators with different seeds give the same order, so seeds change nothing."
        found.append(("seed-ignored", text, ""))
    return found


def _contiguous(rows: np.ndarray, sizes: np.ndarray) -> bool:
    parts = np.split(rows, np.cumsum(sizes)[:-1])
    return all(part.size and part.max() - part.min() == part.size - 1 for part in parts)


def _listed(numbers: np.ndarray) -> str:
    text = ", ".join(str(int(number)) for number in numbers[:12])
    return f"[{text}{', ...' if len(numbers) > 12 else ''}]"
