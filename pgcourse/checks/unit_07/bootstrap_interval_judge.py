"""Is an observed interval the percentile interval of the bootstrap, within what so many resamples can tell?"""

from __future__ import annotations

import itertools
import math
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from pgcourse.checks.compare import CORRECT, Verdict
from pgcourse.checks.observe.record import Arrays, Case
from pgcourse.checks.observe.statistics import STATISTICS
from pgcourse.checks.wording import number

DEVIATIONS = 5.5  # standard errors of a quantile that are allowed: a right answer fails once in 10^7 checks
REFERENCE_RESAMPLES = 20_000
EXACT = 5  # up to this many runs all resamples are listed

Violation = tuple[str, str, str]


class Range(NamedTuple):
    """Where an end of the interval may lie."""

    low: float
    high: float

    def side(self, value: float) -> str:
        """`too low`, `too high`, or nothing where the value is allowed."""
        slack = 1e-5 + 1e-4 * max(abs(self.low), abs(self.high))
        return "" if self.low - slack <= value <= self.high + slack else "too low" if value < self.low else "too high"

    def __str__(self) -> str:
        low, high = number(self.low), number(self.high)
        return low if low == high else f"{low} to {high}"


def judge(case: Case, arrays: Arrays) -> Verdict:
    """Judge one observation. The kind joins the ids of all violated properties."""
    if arrays["mutated"].size:
        return Verdict(False, "mutated", "Your function changed its input x in place.")
    found = [*_pair(arrays), *_samples(case, arrays)]
    if "low" in arrays:
        found += [*_ends(case, arrays), *_count(case, arrays), *_randomness(case, arrays)]
    if not found:
        return CORRECT
    return Verdict(False, "+".join(id for id, _, _ in found), found[0][1], found[0][2])


def ranges(case: Case) -> tuple[Range, Range]:
    """Where the two ends may lie, from the distribution over all resamples."""
    values = _distribution(tuple(case["x"].tolist()), case["statistic"])
    return _ranges(values, case["confidence"], case["num_resamples"])


def _ranges(values: NDArray[np.float64], confidence: float, resamples: int) -> tuple[Range, Range]:
    found = []
    for share in ((1 - confidence) / 2, (1 + confidence) / 2):
        error = math.sqrt(share * (1 - share) * (1 / resamples + 1 / REFERENCE_RESAMPLES))
        margin = DEVIATIONS * error + 1.5 / resamples  # the second: quantiles are defined in several ways
        low, high = np.quantile(values, [max(share - margin, 0), min(share + margin, 1)], method="nearest")
        found.append(Range(float(low), float(high)))
    return found[0], found[1]


@cache
def _distribution(x: tuple[float, ...], statistic: str) -> NDArray[np.float64]:
    """The statistic of every resample, or of many."""
    runs = torch.tensor(x, dtype=torch.float64)
    if len(x) <= EXACT:
        picks = torch.tensor(list(itertools.product(range(len(x)), repeat=len(x))))
    else:
        generator = torch.Generator().manual_seed(0)
        picks = torch.randint(len(x), (REFERENCE_RESAMPLES, len(x)), generator=generator)
    return torch.vmap(STATISTICS[statistic])(runs[picks]).numpy()


def _pair(arrays: Arrays) -> list[Violation]:
    if "low" in arrays:
        return []
    kind = str(arrays["result.kind"])
    if kind == "NoneType":
        return [("returns None", "Your function returned None, expected (low, high): is a return missing?", "")]
    article = "an" if kind[0] in "aeiou" else "a"
    return [(f"returns {kind}", f"Your result is {article} {kind}, expected two numbers, (low, high).", "")]


def _samples(case: Case, arrays: Arrays) -> list[Violation]:
    """What the statistic was given."""
    runs = len(case["x"])
    if arrays["odd inputs"].size:
        shown = str(arrays["odd inputs"][0])
        text = f"The statistic was given a {shown}; it takes one resample at a time, a tensor of shape [{runs}]."
        return [(f"given a {shown.partition(' of')[0]}", text, "")]
    found: list[Violation] = []
    odd = [int(size) for size in arrays["sizes"] if size != runs]
    if odd:
        known = {case["num_resamples"]: "num_resamples", runs - 1: "one less", 1: "one"}
        text = f"Your resamples hold {odd[0]} numbers; a resample is as large as x, {runs} here."
        found.append((f"size {known.get(odd[0], 'other')}", text, ""))
    if arrays["foreign"]:
        found.append(
            ("foreign", "Your resamples hold numbers that are not in x; a resample is drawn from x itself.", "")
        )
    values = arrays["values"]
    if len(values) > 50 and np.ptp(values) < 1e-6 * max(1, abs(values[0])):
        original = float(STATISTICS[case["statistic"]](case["x"]))
        same = "as x itself" if math.isclose(values[0], original, rel_tol=1e-5, abs_tol=1e-6) else "as each other"
        text = f"All your resamples have the same {case['statistic']} {same}, so the interval has no width."
        found.append((f"constant {same}", text, ""))
    return found


def _ends(case: Case, arrays: Arrays) -> list[Violation]:
    got = float(arrays["low"]), float(arrays["high"])
    allowed = ranges(case)
    expected = f"expected {allowed[0]} and {allowed[1]}"
    shown = f"Got {_shown(got[0])} and {_shown(got[1])}, {expected}."
    if not all(math.isfinite(end) for end in got):
        return [("not finite", "An end of your interval is not a finite number.", shown)]
    if got[0] > got[1] and not allowed[0].side(got[1]) and not allowed[1].side(got[0]):
        return [("swapped", "The two ends are in the wrong order; low comes first.", shown)]
    found = []
    for name, end, range_, upper in zip(("lower", "upper"), got, allowed, (False, True), strict=True):
        if side := range_.side(end):
            place = _place(case, arrays["values"], end, upper)
            found.append((f"{name} {side} {place}", f"The {name} end of your interval is {side}.", shown))
    return found


def _place(case: Case, values: NDArray[np.float64], end: float, upper: bool) -> str:
    """Which share of the attempt's own statistics lies beyond this end, where it is one that people take by mistake."""
    if len(case["x"]) <= EXACT:  # few possible values: the number itself says it
        return number(end) if np.isclose(values, end).any() else ""
    if len(values) < 50:
        return ""
    share = float(np.mean(values < end) + np.mean(values == end) / 2)
    share = 1 - share if upper else share
    confidence = case["confidence"]
    known = {
        "whole": 1 - confidence, "confidence": confidence, "half": confidence / 2, "95": 0.025, "90": 0.05, "end": 0.0,
        "other end": 1.0, "middle": 0.5, "percent": (1 - confidence / 100) / 2,
    }  # fmt: skip
    nearest = min(known, key=lambda name: abs(known[name] - share))
    return nearest if abs(known[nearest] - share) <= 2 / len(values) else ""


def _count(case: Case, arrays: Arrays) -> list[Violation]:
    calls, wanted = len(arrays["values"]), case["num_resamples"]
    # One call more is the statistic of x itself. Through torch.vmap the statistic is called once for all.
    if arrays["mapped"] or arrays["odd inputs"].size or calls <= 1 or calls in (wanted, wanted + 1):
        return []
    return [("count", f"You took the statistic of {calls} resamples, expected num_resamples={wanted}.", "")]


def _randomness(case: Case, arrays: Arrays) -> list[Violation]:
    if not case["repeat"]:
        return []
    found = []
    if not arrays["repeated with the same seed"]:
        text = "A generator with the same seed gives another interval each time, so a figure cannot be repeated."
        found.append(("not-repeatable", text, ""))
    if arrays["repeated with another seed"]:
        text = (
            "Generators with different seeds give the same interval to the last digit, so nothing is drawn from them."
        )
        found.append(("seed-ignored", text, ""))
    return found


def _shown(value: float) -> str:
    return number(value) if math.isfinite(value) else str(value)
