"""Comparisons of measured figures, decided by one rule; lesson 07, section 3.6, explains it.

A difference is *seen* where the 95 % bootstrap interval of the difference leaves out 0. Where all figures come from the
same seeds it is the interquartile mean of the differences within each seed (paired), else the difference of the
interquartile means, each resampled by itself. Of counts it is the difference of the shares. Where the interval holds 0, the
text has to say that no difference is seen.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidInput
from ..statistics import Statistic, bootstrap_interval, interquartile_mean
from .claims import FIGURE, format_number, load_claims, nearest

Relation = Literal["<", ">", "~"]
RESAMPLES = 2000
TAILS = (0.025, 0.975)
TERM = re.compile(rf"(?:(\d[\d.]*) \* )?({FIGURE})|(\d[\d_,]*(?:\.\d+)?)")
# What a word says of which number is larger. "Better" and "faster" turn round where fewer is better.
WORDS: dict[str, Sequence[str]] = {
    ">": ("more", "higher", "larger", "greater", "above", "later", "longer", "wider", "exceeds"),
    "<": ("less", "fewer", "lower", "smaller", "below", "earlier", "sooner", "shorter", "narrower"),
    "~": ("no difference", "no effect", "alike", "the same", "no more", "no worse", "no better"),
}


@dataclass(frozen=True)
class Decision:
    """How one comparison came out.

    Fields: text: the relation as written. relation: what the text says. seen: what the data say. value, low, high: the
    difference left minus right with its interval. n: seeds, the fewest of the figures. paired: within seeds.
    """

    text: str
    relation: Relation
    seen: Relation
    value: float
    low: float
    high: float
    n: int
    paired: bool
    unit: str

    @property
    def holds(self) -> bool:
        """Whether the data say what the text says."""
        return self.relation == self.seen

    def __str__(self) -> str:
        """The interval in words: what a reader sees on hovering."""
        right = re.split(r" [<>~] ", self.text)[1].strip()
        term = TERM.fullmatch(right)  # a long sum would tell a reader nothing
        to = f" to {right}:" if term and (term[1] or term[3]) else ""
        numbers = (
            f"difference{to} {_number(self.value)} [{_number(self.low)}, {_number(self.high)}] {self.unit}".rstrip()
        )
        verdict = "the interval holds 0" if self.seen == "~" else "the interval leaves out 0"
        return f"{numbers}, {self.n} seeds{', paired' if self.paired else ''}: {verdict}"


def compared(words: str, relation: str) -> str:
    """The words, if the data carry them.

    Args: relation: "LEFT < RIGHT", "LEFT > RIGHT" or "LEFT ~ RIGHT" (no difference seen); several are joined by commas.
    A side is a sum of numbers, figures "NAME:FIGURE" and "2 * NAME:FIGURE", with spaces around + and -.
    Raises: InvalidInput where the data say otherwise, or the words do.
    """
    decide_all(words, relation)
    return words


def decide_all(words: str, relation: str) -> list[Decision]:
    """The decisions of a relation that the words state. Raises: InvalidInput as `compared`."""
    decisions = [decide(part) for part in relation.split(", ")]
    for decision in decisions:
        if not decision.holds:
            raise InvalidInput(
                f"{words!r} is not what the data say: {decision.text!r}, but {decision}; write "
                f"{decision.text.replace(f' {decision.relation} ', f' {decision.seen} ')!r} and say so"
            )
    said = {sign for sign, known in WORDS.items() if any(re.search(rf"\b{word}\b", words.lower()) for word in known)}
    if len(decisions) == 1 and len(said) == 1 and said != {decisions[0].relation}:
        raise InvalidInput(
            f"{words!r} says {said.pop()!r} where its relation says {relation!r}; exchange the two sides"
        )
    return decisions


@cache
def decide(relation: str) -> Decision:
    """Hold one relation against the data. Raises: InvalidInput for one that cannot be read, or for unknown figures."""
    found = re.fullmatch(r"(.+?) ([<>~]) (.+)", relation.strip())
    if found is None:
        raise InvalidInput(f"cannot read the relation {relation!r}; write LEFT < RIGHT, LEFT > RIGHT or LEFT ~ RIGHT")
    left, sign, right = found.groups()
    constant, terms = 0.0, []
    for side, factor in ((left, 1.0), (right, -1.0)):
        for coefficient, figure in _terms(side, relation):
            if figure is None:
                constant += factor * coefficient
            else:
                terms.append((factor * coefficient, figure))
    if not terms:
        raise InvalidInput(f"{relation!r} compares no figure; write at least one NAME:FIGURE")
    entries = [_per_seed(figure) for _, figure in terms]
    kinds = {kind for _, _, kind, _ in entries}
    if len(kinds) > 1:
        raise InvalidInput(f"{relation!r} compares a share with a mean; compare figures of one kind")
    share = kinds == {"share"}
    statistic: Statistic = partial(np.mean, axis=-1) if share else interquartile_mean
    seeds = [seeds for _, seeds, _, _ in entries]
    columns = [coefficient * numbers for (coefficient, _), (numbers, *_) in zip(terms, entries, strict=True)]
    paired = all(seed == seeds[0] for seed in seeds)
    with np.errstate(invalid="ignore"):
        if paired:
            columns = [_without_nan(np.sum(columns, axis=0))]
        value = constant + float(_without_nan(sum(statistic(column) for column in columns)))
        low, high = (constant + bound for bound in _interval(columns, statistic, share=share))
    seen: Relation = ">" if low > 0 else "<" if high < 0 else "~"
    unit = "of the seeds" if share else entries[0][3]
    n = min(len(numbers) for numbers, *_ in entries)
    wanted: Any = sign
    return Decision(relation, wanted, seen, value, low, high, n, paired and len(terms) > 1, unit)


def _terms(side: str, relation: str) -> list[tuple[float, str | None]]:
    """The terms of a sum, as coefficient and figure; a number is a coefficient of None."""
    found: list[tuple[float, str | None]] = []
    signs = [" + ", *re.findall(r" [+-] ", side)]
    for sign, text in zip(signs, re.split(r" [+-] ", side), strict=True):
        match = TERM.fullmatch(text.strip())
        if match is None:
            raise InvalidInput(f"cannot read {text!r} in {relation!r}; write a number, NAME:FIGURE or 2 * NAME:FIGURE")
        factor, figure, number = match.groups()
        size = float((number or factor or "1").replace("_", "").replace(",", ""))
        found.append((size if sign == " + " else -size, figure))
    return found


@cache
def _per_seed(reference: str) -> tuple[NDArray[np.float64], tuple[Any, ...], str, str]:
    """A figure's numbers, one a seed, with the seeds, "mean" or "share", and the unit. None counts as infinitely large."""
    name, _, figure = reference.partition(":")
    claims = load_claims(name)
    metric, _, last = figure.rpartition("/")
    share = figure not in claims["values"] and last in ("count", "share")
    metric = metric if share else figure
    if metric not in claims["values"]:
        raise InvalidInput(
            f"{reference!r} has no numbers by seed to compare; {nearest(figure, claims['values'], name)}"
        )
    entry = claims["values"][metric]
    numbers = np.array([np.inf if number is None else number for number in entry["per_seed"]], dtype=np.float64)
    seeds = entry.get("seeds", claims["seeds"])
    if len(seeds) != len(numbers):  # a metric of some of the runs
        seeds = [f"{metric} {index}" for index in range(len(numbers))]
    if share:
        return np.isfinite(numbers).astype(np.float64), tuple(seeds), "share", ""
    return numbers, tuple(seeds), "mean", entry["unit"]


def _without_nan(numbers: Any) -> Any:
    """0 for NaN, which comes of two runs that never got there: no difference between them."""
    return np.nan_to_num(numbers, nan=0.0, posinf=np.inf, neginf=-np.inf)


def _interval(columns: Sequence[NDArray[np.float64]], statistic: Statistic, *, share: bool) -> tuple[float, float]:
    """The bootstrap interval of the sum of the columns' statistics."""
    if share and len({len(column) for column in columns}) == 1:
        return _interval_of_shares(columns)
    if len(columns) == 1 and np.isfinite(columns[0]).all():  # the very interval that the figure itself is quoted with
        low, high = bootstrap_interval(columns[0], statistic=statistic)
        return float(low), float(high)
    resampled = _without_nan(sum(_resampled(column, statistic) for column in columns))
    low, high = (float(np.quantile(resampled, tail, method="nearest")) for tail in TAILS)
    return low, high


def _resampled(column: NDArray[np.float64], statistic: Statistic) -> NDArray[np.float64]:
    """The statistic of runs drawn anew, again and again. Each figure has its own draws, the same in every build."""
    generator = np.random.default_rng(np.abs(np.nan_to_num(column, posinf=1e9, neginf=-1e9)).view(np.uint64).tolist())
    resampled: NDArray[np.float64] = statistic(column[generator.integers(len(column), size=(RESAMPLES, len(column)))])
    return resampled


def _interval_of_shares(columns: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    """The bootstrap interval of a sum of shares, worked out: with so few values, luck in drawing would decide at the edge."""
    n = len(columns[0])
    chances = {0.0: 1.0}  # of each sum over the resampled runs
    for column in [column for column in columns for _ in range(n)]:
        drawn: dict[float, float] = {}
        for total, chance in chances.items():
            for value, count in zip(*np.unique(column, return_counts=True), strict=True):
                key = round(total + float(value), 9)
                drawn[key] = drawn.get(key, 0.0) + chance * float(count) / n
        chances = drawn
    totals = sorted(chances)
    below = np.cumsum([chances[total] for total in totals])
    low, high = (totals[min(int(np.searchsorted(below, tail)), len(totals) - 1)] for tail in TAILS)
    return low / n, high / n


def _number(value: float) -> str:
    if np.isinf(value):
        return "infinite" if value > 0 else "-infinite"  # one of the two never got there
    return format_number(round(value, 6))
