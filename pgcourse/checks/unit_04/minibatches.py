"""minibatches(batch_size, minibatch_size, *, generator): each row once, in random order, a few rows at a time."""

from collections import Counter
from collections.abc import Iterator
from math import comb, factorial, log

import numpy as np
import torch
from scipy.stats import binom, chi2
from torch import Generator, Tensor

from pgcourse.checks.authoring import Arrays, Case, Exercise, edits_of, integers
from pgcourse.checks.authoring import generator as seeded
from pgcourse.checks.compare import CORRECT, Verdict
from pgcourse.checks.observe.minibatches import Minibatches
from pgcourse.checks.wording import with_article


def minibatches(batch_size: int, minibatch_size: int, *, generator: Generator) -> tuple[Tensor, ...]:
    """Index tensors that partition range(batch_size) in random order, each of minibatch_size but the last."""
    return torch.randperm(batch_size, generator=generator).split(minibatch_size)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. Small batches show what a partition is, large ones whether it is random."""
    source = seeded(seed)
    names = ("batch_size", "minibatch_size", "epochs")
    large = [(LARGE + int(integers(source, 40)), 5 + int(integers(source, 4)), 20) for _ in range(2)]
    many = (2 * LARGE + int(integers(source, 40)), LARGE - 1 - int(integers(source, 8)), 30)
    small = (6 + int(integers(source, 10)), 2 + int(integers(source, 3)), 20)
    often = [(10 + int(integers(source, 6)), 3 + int(integers(source, 3)), MANY) for _ in range(2)]
    fixed = ((4, 2, 20), (5, 2, 20), (1, 1, 2), (3, 3, 12), (3, 5, 2), (64, 16, 3))
    buffer = (
        300 + int(integers(source, 20)),
        70 + int(integers(source, 8)),
        20,
    )  # more rows than any buffer, or byte, holds
    for sizes in (*fixed, *large, many, small, *often, buffer):
        yield {**dict(zip(names, sizes, strict=True)), "seed": int(integers(source, 2**31))}


LARGE = 32  # rows from which a true shuffle looks like none of the false ones, except about once in 10^9 epochs
FEW = 20  # epochs from which all pairs together say something
MANY = 200  # epochs from which a small batch shows which rows are together too often, and which too seldom

Violation = tuple[str, str, str]


def judge(case: Case, arrays: Arrays) -> Verdict:
    """Judge one observation. The kind joins the ids of all violated properties."""
    found = _not_iterable(arrays)
    if not found:
        found = [*_partition(case, arrays), *_sizes(case, arrays)]
        found += _shuffle(case, arrays, whole=not found)
    if not found:
        return CORRECT
    return Verdict(False, "+".join(id for id, _, _ in found), found[0][1], found[0][2])


def _not_iterable(arrays: Arrays) -> list[Violation]:
    kind = str(arrays["result.kind"])
    if "entry.kind" in arrays:
        entry = str(arrays["entry.kind"])
        text = f"Iterating over your result gives {with_article(entry)}, expected 1-D index tensors of dtype int64."
        return [(f"entry-{entry}", text, "")]
    if "endless" in arrays:
        return [("endless", "Your function goes on giving minibatches when every row has been used.", "")]
    if "rows 0" not in arrays:
        missing = ": is a return or a yield missing?" if kind == "NoneType" else "."
        text = f"Your function returned {with_article(kind)}, expected index tensors to loop over{missing}"
        return [(f"returns-{kind}", text, "")]
    return []


def _epochs(case: Case, arrays: Arrays, name: str) -> list[np.ndarray]:
    return [arrays[f"{name} {epoch}"] for epoch in range(case["epochs"])]


def _partition(case: Case, arrays: Arrays) -> list[Violation]:
    size: int = case["batch_size"]
    found: list[Violation] = []
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
        if (counts > 1).any() and not kinds & {"repeated", "repeated-in-a-minibatch"}:
            parts = zip(_epochs(case, arrays, "rows"), _epochs(case, arrays, "sizes"), strict=True)
            inside = any(len({*part}) < len(part) for each in parts for part in _parts(*each))
            repeated = "repeated-in-a-minibatch" if inside else "repeated"
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


def _shuffle(case: Case, arrays: Arrays, *, whole: bool) -> list[Violation]:
    """Args: whole: whether all rows come once, in minibatches of the right sizes, so that each has its place."""
    size: int = case["batch_size"]
    if size < LARGE and not whole:
        return []
    rows, sizes = _epochs(case, arrays, "rows"), _epochs(case, arrays, "sizes")
    members = _members(rows, sizes, size)
    shared = members @ members.transpose(0, 2, 1) > 0  # [epochs, rows, rows]: who is together with whom
    found: list[Violation] = []
    shown = f"The first rows of epoch 1: {_listed(rows[0][:8])}; of epoch 2: {_listed(rows[1][:8])}."
    different = len({each.tobytes() for each in shared})
    if size < LARGE:
        if _too_few(different, len(rows), sizes[0]):
            return [_same_minibatches(different, len(rows), shown)]
        return [_same_place(shown)] if len(rows) >= MANY and _keep_their_place(members, shared, sizes[0]) else []
    # The share of rows that have the next one in their minibatch: by chance a third of all at most.
    if shared.diagonal(1, 1, 2).mean(1).max() > 0.6:
        old_order = np.mean(np.diff(rows[0]) == 1) > 0.6  # or the old pieces in another one
        text = "Neighbouring rows stay together: they share a minibatch, most of them."
        found.append(("order" if old_order else "neighbours", text, shown))
    if different < len(rows):
        found.append(_same_minibatches(different, len(rows), shown))
    if whole and _keep_their_place(members, shared, sizes[0]):
        found.append(_same_place(shown))
    if not arrays["repeated with the same seed"]:
        text = "A generator with the same seed gives another order each time, so a run cannot be repeated."
        found.append(("not-repeatable", text, ""))
    if arrays["repeated with another seed"]:
        text = "Generators with different seeds give the same order, so seeds change nothing."
        found.append(("seed-ignored", text, ""))
    if arrays["repeated after other draws"]:
        text = "A generator that has been drawn from before gives the same order, so nothing is drawn from it."
        found.append(("state-ignored", text, ""))
    return found


def _same_minibatches(different: int, epochs: int, shown: str) -> Violation:
    if different == 1:
        return "same-minibatches", "Every epoch has the same minibatches; each needs new ones.", shown
    text = f"Of {epochs} epochs only {different} have different minibatches; each needs new ones."
    return "few-orders", text, shown


def _same_place(shown: str) -> Violation:
    text = "Some rows keep coming in the same minibatch, or together; each must be as likely anywhere as any other."
    return "same-place", text, shown


def _parts(rows: np.ndarray, sizes: np.ndarray) -> list[np.ndarray]:
    return np.split(rows, np.cumsum(sizes)[:-1])


def _members(rows: list[np.ndarray], sizes: list[np.ndarray], size: int) -> np.ndarray:
    """[epochs, rows, minibatches]: 1 where the row is in the minibatch of that place. What is no row is left out."""
    members = np.zeros((len(rows), size, max(map(len, sizes))))
    for epoch, (found, each) in enumerate(zip(rows, sizes, strict=True)):
        place, known = np.repeat(np.arange(len(each)), each), (found >= 0) & (found < size)
        members[epoch, found[known], place[known]] = 1
    return members


def _too_few(different: int, epochs: int, sizes: np.ndarray) -> bool:
    """Whether a true shuffle has no more different partitions than these less than once in 10^8 cases."""
    ways = factorial(int(sizes.sum()))
    for size, times in Counter(sizes.tolist()).items():
        ways //= factorial(size) ** times * factorial(times)
    # All epochs lie among so many partitions: for each choice of these.
    chance = log(comb(ways, different)) + epochs * (log(different) - log(ways))
    return different < ways and chance < log(1e-8)


def _keep_their_place(members: np.ndarray, shared: np.ndarray, sizes: np.ndarray) -> bool:
    """Whether rows are in the same minibatches, or together, more often than a true shuffle has them once in 10^8 cases.

    Or so evenly, or unevenly, together, all pairs taken into account.
    """
    epochs, rows, _ = members.shape
    counts, together = members.sum(0), shared.sum(0, dtype=float)
    np.fill_diagonal(together, 0)
    expected = epochs * sizes / rows
    often = binom.isf(1e-8 / counts.size, epochs, sizes / rows)  # a single row in a single minibatch
    pair = (sizes * (sizes - 1)).sum() / (rows * (rows - 1))  # the probability that two rows share a minibatch
    freedom = (rows - 1) * (len(sizes) - 1)
    all_together = ((counts - expected) ** 2 / expected).sum() * (rows - 1) / rows
    pairs = together.max() > binom.isf(1e-8 / together.size, epochs, pair)
    if len(sizes) > 1 and epochs >= FEW and not _within(together, pair, sizes, epochs):
        return True
    return bool((counts > often).any() or pairs or all_together > chi2.isf(1e-8, freedom))


def _within(together: np.ndarray, pair: float, sizes: np.ndarray, epochs: int) -> bool:
    """Whether the pairs are as uneven as chance has it, but for once in 10^8 cases on either side.

    How often a row is in a large minibatch moves all its pairs alike. What is left when that has been taken out varies
    equally in all rows (rows - 3) / 2 directions, so that its square is chi-square distributed.
    """
    rows = len(together)
    off = together - epochs * pair * (1 - np.eye(rows))
    own = off.sum(1) / (rows - 2)
    rest = (off - own[:, None] - own[None, :]) * (1 - np.eye(rows))
    freedom = rows * (rows - 3) / 2
    each = np.repeat(sizes - 1, sizes).var()
    variance = (rows * (rows - 1) / 2 * pair * (1 - pair) - rows * each / (rows - 2)) / freedom
    found = (rest**2).sum() / 2 / (epochs * variance)
    return bool(chi2.ppf(1e-8, freedom) < found < chi2.isf(1e-8, freedom))


def _listed(numbers: np.ndarray) -> str:
    text = ", ".join(str(int(number)) for number in numbers[:12])
    return f"[{text}{', ...' if len(numbers) > 12 else ''}]"


mistake = edits_of(minibatches)

EXERCISE = Exercise.listed(
    "minibatches",
    cases=cases,
    observe=Minibatches(),
    judge=judge,
    show_case=lambda case: (
        f"minibatches({case['batch_size']}, {case['minibatch_size']}, generator=...), called {case['epochs']} times, "
        "once for each epoch"
    ),
    reference=minibatches,
    hints=(
        "Think of a deck of batch_size cards: shuffle it once, then deal minibatch_size cards at a time until none is "
        "left. Which function of torch shuffles the numbers from 0 to batch_size - 1?",
        "torch.randperm gives the shuffled deck; hand it your generator too. Then deal: a tensor has a method that cuts it "
        "into pieces of a given length, the last one shorter if need be. Or write a loop whose start goes up by "
        "minibatch_size, and yield one slice at a time.",
        "return torch.randperm(batch_size, generator=generator).split(minibatch_size)",
    ),
    misconceptions=(
        mistake(
            "with-replacement",
            "Some rows come several times in an epoch and others never: you drew with replacement, or drew each minibatch afresh "
            "from all rows. Draw one permutation of all rows, and cut that into pieces.",
            {"randperm(batch_size": "randint(batch_size, (batch_size,)"},
            lambda size, part, *, generator: [
                torch.randperm(size, generator=generator)[: len(rows)] for rows in torch.arange(size).split(part)
            ],
        ),
        mistake(
            "last-dropped",
            "You dropped the last minibatch, always or where it is shorter than the others. Those rows were collected at the "
            "same price as all the rest, so use them: the last one may be smaller. In a loop, the starts go on to batch_size.",
            {".split": "[: batch_size // minibatch_size * minibatch_size].split"},
            {".split(minibatch_size)": ".split(minibatch_size)[:-1]"},
        ),
        mistake(
            "last-filled-up",
            "You filled the last minibatch up with rows that have been used already. It may be smaller than the others.",
            {".split": "[torch.arange(batch_size + -batch_size % minibatch_size) % batch_size].split"},
        ),
        mistake(
            "rows-from-one",
            "Your rows are counted from 1. An index of Python begins with 0, so row 0 would never be used, and the last number "
            "points behind the batch.",
            {".split": ".add(1).split"},
        ),
        mistake(
            "not-shuffled",
            "You cut the batch in its old order. Neighbouring rows are neighbouring steps of the same episodes, so each "
            "minibatch would be of one kind and push the policy its own way. Shuffle before you cut.",
            {"randperm(batch_size, generator=generator)": "arange(batch_size)"},
        ),
        mistake(
            "cut-before-the-shuffle",
            "You cut first, and shuffled the pieces or the rows inside of each. Neighbouring rows are steps of the same "
            "episodes, and they stay together in every epoch. Shuffle all rows, then cut.",
            lambda size, part, *, generator: [
                torch.arange(size).split(part)[i] for i in torch.randperm(-(-size // part), generator=generator)
            ],
            lambda size, part, *, generator: [
                rows[torch.randperm(len(rows), generator=generator)] for rows in torch.arange(size).split(part)
            ],
        ),
        mistake(
            "generator-not-used",
            "The shuffle does not come from the generator that was handed in, but from the global random numbers. The same "
            "seed then gives another run, and nobody can repeat yours. Most functions of torch take generator=generator.",
            {", generator=generator": ""},
        ),
        mistake(
            "one-order-for-all-epochs",
            "Each call starts the random numbers anew, so all epochs are alike. Draw from the generator as it stands.",
            {"=generator": "=generator.manual_seed(0)"},
            {"=generator": "=generator.manual_seed(generator.initial_seed())"},
            {"=generator": "=torch.Generator().set_state(generator.get_state())"},
        ),
        mistake(
            "number-for-size",
            "You cut the batch into minibatch_size pieces, or into equal ones. The argument is the number of rows in a piece, "
            "and the last has the rest: split takes that size, chunk and tensor_split the number of pieces.",
            {"split": "chunk"},
            {"split(minibatch_size)": "tensor_split(-(-batch_size // minibatch_size))"},
        ),
        mistake(
            "no-index-tensors",
            "Your minibatches are not 1-D tensors of dtype int64: lists, NumPy arrays, another dtype, or an axis too many. The "
            "contract asks for index tensors, which select rows of every column of the batch on any device.",
            *(
                {"return ": f"return [rows{change} for rows in ", "split(minibatch_size)": "split(minibatch_size)]"}
                for change in (".tolist()", ".numpy()", ".int()", ".float()", "[:, None]")
            ),
        ),
    ),
)
