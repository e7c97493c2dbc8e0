"""bootstrap_interval(x, *, statistic, confidence, num_resamples, generator): how far a statistic can be trusted."""

import itertools
import math
from collections.abc import Callable, Iterator
from functools import cache
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from pgcourse.checks.authoring import Arrays, Case, Exercise, edits_of, integers, normal
from pgcourse.checks.authoring import generator as seeded
from pgcourse.checks.compare import CORRECT, Verdict, left_behind
from pgcourse.checks.observe.statistics import STATISTICS, Resampling
from pgcourse.checks.wording import number, value

DEVIATIONS = 5.5  # standard errors of a quantile that are allowed: a right answer fails once in 10^7 checks
REFERENCE_RESAMPLES = 20_000
OF_RESAMPLES = 0.1  # may hold the same numbers, where x has many
OFF_PLACE = 2  # by so many of its own sorted values an end may be off: quantiles are defined in several ways
ENDS_IN_WORDS = {"low": "lower", "high": "upper"}
EXACT = 5  # up to this many runs all resamples are listed

Statistic = Callable[[Tensor], Any]
Violation = tuple[str, str, str]  # id, sentence, got against expected


def bootstrap_interval(
    x: Tensor, *, statistic: Statistic, confidence: float, num_resamples: int, generator: Generator
) -> tuple[float, float]:
    """Percentile bootstrap: how far the statistic moves when the runs had been other ones.

    Args: x: [R]. statistic: [R] -> number. confidence: in (0, 1). Returns: (low, high).
    """
    picks = torch.randint(len(x), (num_resamples, len(x)), generator=generator)  # [K, R], with replacement
    values = torch.tensor([float(statistic(x[pick])) for pick in picks], dtype=torch.float64)  # [K]
    tail = (1 - confidence) / 2
    return float(values.quantile(tail)), float(values.quantile(1 - tail))


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. With two runs few statistics are possible, and the ends can be told in advance."""
    source = seeded(seed)
    pair = torch.tensor([0.0, 10.0])
    yield _case(source, pair, "mean", 0.9, 200)
    yield _case(source, pair, "mean", 0.1, 200)
    yield _case(source, torch.tensor([1.0, 4.0]), "largest", 0.9, 200)
    yield _case(source, torch.tensor([1.0, 4.0]), "largest", 0.1, 200)
    yield _case(source, normal(source, 12).exp() * 50, "mean", 0.8, 500, repeat=True)
    yield _case(source, normal(source, 9, dtype=torch.float64) * 30 - 200, "median", 0.5, 300)
    yield _case(source, normal(source, 12) * 20 + 100, "mean", 0.95, 2000)
    # Equal results, as runs that reach the limit of 500 have.
    yield _case(source, torch.tensor([500.0, 500.0, 100.0, 500.0]), "mean", 0.3, 1000)
    low, high = 10.0 * int(integers(source, 20)), 300.0 + 10 * int(integers(source, 20))
    yield _case(source, torch.tensor([low, high]), "largest", (0.1, 0.9)[int(integers(source, 2))], 200)
    results = torch.cat([torch.full((6,), 500.0), 100 + 50 * normal(source, 4)])
    yield _case(source, results, "mean", 0.3, 1000)
    yield _case(source, normal(source, 12) * 20 + 100, "largest", (0.1, 0.5, 0.9)[int(integers(source, 3))], 2000)


def _case(
    source: Generator, x: Tensor, statistic: str, confidence: float, num_resamples: int, *, repeat: bool = False
) -> Case:
    settings = {"statistic": statistic, "confidence": confidence, "num_resamples": num_resamples}
    return {"x": x, **settings, "seed": int(integers(source, 2**31)), "repeat": repeat}


def _show(case: Case) -> str:
    settings = f"confidence={number(case['confidence'])}, num_resamples={case['num_resamples']}, generator=..."
    return f"bootstrap_interval({value(case['x'])}, statistic={case['statistic']}, {settings})"


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
    """Is this the percentile interval, within what so many resamples can tell? The kind joins all violated properties.

    Where the statistic was given something else than resamples, nothing is said about the interval that came of it.
    """
    if arrays["mutated"].size:
        return Verdict(False, "mutated", "Your function changed its input x in place.")
    if text := left_behind(arrays):
        return Verdict(False, "left behind", text)
    found = _pair(arrays) or _samples(case, arrays)
    if "low" in arrays and not found:
        found = [*_ends(case, arrays), *_count(case, arrays), *_randomness(case, arrays)] or _places(case, arrays)
    if not found:
        return CORRECT
    return Verdict(False, "+".join(id for id, _, _ in found), found[0][1], found[0][2])


def ranges(case: Case) -> tuple[Range, Range]:
    """Where the two ends may lie, from the distribution over all resamples."""
    values = _distribution(tuple(case["x"].tolist()), case["statistic"])
    confidence, resamples = case["confidence"], case["num_resamples"]
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
    sizes = arrays["sizes"]
    if odd := sizes[sizes != runs][:1].tolist():
        known = {case["num_resamples"]: "num_resamples", runs - 1: "one less", 1: "one"}
        text = f"Your resamples hold {odd[0]} numbers; a resample is as large as x, {runs} here."
        found.append((f"size {known.get(odd[0], 'other')}", text, ""))
    if arrays["foreign"]:
        text = "Your resamples hold numbers that are not in x; a resample is drawn from x itself."
        found.append(("foreign", text, ""))
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
    shown = f"Got {number(got[0])} and {number(got[1])}, expected {allowed[0]} and {allowed[1]}."
    if not all(math.isfinite(end) for end in got):
        return [("not finite", "An end of your interval is not a finite number.", shown)]
    if got[0] > got[1] and not allowed[0].side(got[1]) and not allowed[1].side(got[0]):
        return [("swapped", "The two ends are in the wrong order; low comes first.", shown)]
    found = []
    for name, end, allowed_range in zip(("lower", "upper"), got, allowed, strict=True):
        if side := allowed_range.side(end):
            # With few runs only few values are possible: which of them it is tells the mistake.
            place = number(end) if len(case["x"]) <= EXACT and np.isclose(arrays["values"], end).any() else ""
            found.append((f"{name} {side} {place}", f"The {name} end of your interval is {side}.", shown))
    return found


def _places(case: Case, arrays: Arrays) -> list[Violation]:
    """Where the ends lie among the statistics of the attempt's own resamples."""
    values, confidence = np.sort(arrays["values"]), case["confidence"]
    found = []
    for name, share in (("low", (1 - confidence) / 2), ("high", (1 + confidence) / 2)):
        place = share * (len(values) - 1)
        first, last = max(math.floor(place) - OFF_PLACE, 0), min(math.ceil(place) + OFF_PLACE, len(values) - 1)
        here = Range(float(values[first]), float(values[last]))
        if side := here.side(float(arrays[name])):
            text = f"The {ENDS_IN_WORDS[name]} end of your interval is {side} for the statistics of your resamples."
            found.append((f"{name} place {side}", text, f"Got {number(float(arrays[name]))}, expected {here}."))
    return found


def _count(case: Case, arrays: Arrays) -> list[Violation]:
    calls, wanted = len(arrays["values"]), case["num_resamples"]
    # One call more is the statistic of x itself.
    if arrays["odd inputs"].size or calls in (wanted, wanted + 1):
        return []
    return [("count", f"You took the statistic of {calls} resamples, expected num_resamples={wanted}.", "")]


def _randomness(case: Case, arrays: Arrays) -> list[Violation]:
    if not arrays["moved"]:
        text = "The generator is as it was before, so the next call with it would draw the same resamples."
        return [("unmoved", text, "")]
    if arrays.get("alike", 0) > OF_RESAMPLES:
        return [("alike", "Many of your resamples hold the same numbers; each must be drawn anew.", "")]
    if arrays.get("shared", 0) > OF_RESAMPLES:
        text = "A generator with another seed gives many of the same resamples; all must be drawn from it."
        return [("shared", text, "")]
    if not case["repeat"]:
        return []
    if not arrays["repeated with the same seed"]:
        text = "A generator with the same seed gives another interval each time, so a figure cannot be repeated."
        return [("not-repeatable", text, "")]
    names = {"with another seed": "with another seed", "after other draws": "that has been drawn from before"}
    for name, which in names.items():
        if arrays[f"repeated {name}"]:
            text = f"A generator {which} gives the same interval to the last digit, so nothing is drawn from it."
            return [(f"the same {name}", text, "")]
    return []


ENDS = "float(values.quantile(tail)), float(values.quantile(1 - tail))"
mistake = edits_of(bootstrap_interval, NormalDist=NormalDist)


def around(half: str, middle: str = "statistic(x)") -> dict[str, str]:
    """Edits: the interval goes from the middle minus to the middle plus a width."""
    z = "NormalDist().inv_cdf((1 + confidence) / 2)"
    return {"tail =": f"z, middle = {z}, {middle}\n    tail =", ENDS: f"middle - {half}, middle + {half}"}


FACTORS = ("z * ", "1.96 * ", "2 * ", "")  # of a standard error: from the confidence, or fixed
NO_RESAMPLES = {"[float(statistic(x[pick])) for pick in picks]": "x.tolist()"}

EXERCISE = Exercise.listed(
    "bootstrap_interval",
    cases=cases,
    observe=Resampling(),
    judge=judge,
    show_case=_show,
    reference=bootstrap_interval,
    hints=(
        "You cannot repeat the experiment, but you can pretend: the R runs you have stand for all runs there could be. Which "
        "four resamples of [0, 10] are equally likely, and what are their means?",
        "num_resamples times: draw R indices with torch.randint(len(x), (len(x),), generator=generator), some of them twice, "
        "and take statistic(x[indices]). Then the quantiles of these statistics at (1 - confidence) / 2 and at 1 minus that.",
        "values = torch.stack([statistic(x[torch.randint(len(x), (len(x),), generator=generator)]) for _ in "
        "range(num_resamples)]); tail = (1 - confidence) / 2; return values.quantile(tail), values.quantile(1 - tail)",
    ),
    misconceptions=(
        mistake(
            "another-share-on-each-side",
            "You left out 1 - confidence, or half of the confidence, on each side. Left out is the rest, 1 - confidence, half of "
            "it on each side: an interval of 95 % leaves out 2.5 % below and 2.5 % above.",
            {"(1 - confidence) / 2": "1 - confidence"},
            {"(1 - confidence) / 2": "confidence / 2"},
        ),
        mistake(
            "confidence-not-used",
            "Your interval is the same for every confidence. The shares follow from it: (1 - confidence) / 2 on each side.",
            *({"(1 - confidence) / 2": share} for share in ("0.025", "0.05", "0.0")),
        ),
        mistake(
            "one-sided",
            "You left something out on one side only. Of the statistics, (1 - confidence) / 2 are left out on either side.",
            {"quantile(1 - tail)": "max()"},
            {"quantile(tail)": "min()"},
            {"quantile(tail)": "quantile(2 * tail)", "quantile(1 - tail)": "max()"},
        ),
        mistake(
            "without-replacement",
            "You drew without replacement. A resample is then x in another order and its statistic never changes. Draw each "
            "of the R numbers from all of x, so that some runs come twice and others not at all.",
            {"randint(len(x), (": "rand((", "generator)": "generator).argsort()"},
        ),
        mistake(
            "last-run-never-drawn",
            "One run is never drawn. Indices begin with 0 and randint leaves out its upper end: torch.randint(len(x), ...).",
            {"randint(len(x)": "randint(len(x) - 1"},
            {"randint(len(x)": "randint(1, len(x)"},
        ),
        mistake(
            "equal-results-counted-once",
            "You counted equal results once, as unique and set do. Three runs that reach 500 are three results, and a resample "
            "draws each of them as often as any other run.",
            {
                "picks =": "runs, x = len(x), x.unique()\n    picks =",
                "(num_resamples, len(x))": "(num_resamples, runs)",
            },
            {"picks =": "x = x.unique()\n    picks ="},
        ),
        mistake(
            "another-size",
            "Your resamples are smaller or larger than x, so this answers for another experiment: draw as many as x has.",
            *(
                {"(num_resamples, len(x))": f"(num_resamples, {size})"}
                for size in ("len(x) - 1", "1", "2 * len(x)", "num_resamples")
            ),
            {"(num_resamples, len(x))": "(num_resamples,)"},
        ),
        mistake(
            "statistic-of-the-whole-table",
            "You gave the statistic all resamples at once, or numbers across resamples, num_resamples of them. It takes one "
            "resample, a row of R numbers, and gives one number: call it for each row.",
            {"x[pick]": "x[picks]"},
            {"x[pick]": "x[picks], dim=1"},
            {"in picks": "in picks.T"},
        ),
        mistake(
            "statistic-not-used",
            "You took the mean, whatever the statistic. It is an argument and may be a median: call statistic(resample).",
            {"statistic(x[pick])": "x[pick].mean()"},
        ),
        mistake(
            "spread-of-the-runs",
            "Your interval is that of single numbers: percentiles of the data or a standard deviation. It says how much runs "
            "differ, and does not narrow with more runs. Take the percentiles of the resamples' statistics.",
            {ENDS: "x.quantile(tail), x.quantile(1 - tail)"},
            {"[float(statistic(x[pick])) for pick in picks]": "x[picks].flatten().tolist()"},
            {
                "(num_resamples, len(x))": "(num_resamples,)",
                "[float(statistic(x[pick])) for pick in picks]": "x[picks].tolist()",
            },
            *(around(f"{z}x.std()") for z in ("", "z * ", "1.96 * ", "2 * ")),
        ),
        mistake(
            "normal-distribution-assumed",
            "You went a multiple of a standard error to both sides, or drew from a normal distribution. Returns are rarely "
            "normal, and nothing has to be assumed: draw from x, and take shares of the statistics of these resamples.",
            *(around(f"{z}values.std()", middle) for z in FACTORS for middle in ("statistic(x)", "values.mean()")),
            *(
                around(f"{z}x.std() / len(x) ** 0.5", middle)
                for z in FACTORS
                for middle in ("statistic(x)", "x.mean()")
            ),
            *(around(f"{z}x.std() / len(x) ** 0.5") | NO_RESAMPLES for z in FACTORS),
            *(around(f"{z}values.std() / num_resamples**0.5", "values.mean()") for z in ("z * ", "1.96 * ")),
            {"x[pick]": "x.mean() + x.std() * torch.randn_like(x)"},
        ),
        mistake(
            "measured-from-the-statistic",
            "You returned distances from the statistic of x, or mirrored the percentiles at it, which is another bootstrap, the "
            "basic one. The percentile interval takes the percentiles as they are and stays within the range of the data.",
            {"tail =": "values = values - statistic(x)\n    tail ="},
            {"tail =": "values = 2 * statistic(x) - values\n    tail ="},
        ),
        mistake(
            "ends-exchanged",
            "You returned the upper end first. The result is (low, high), as everybody unpacks it.",
            {ENDS: "values.quantile(1 - tail), values.quantile(tail)"},
        ),
        mistake(
            "generator-not-used",
            "You do not draw from the generator that was handed in, but from torch's own, or from a new one with a fixed seed or "
            "with the seed of the other. Hand it on, wherever it stands: torch.randint(..., generator=generator).",
            {", generator=generator": ""},
            {"=generator)": "=torch.Generator().manual_seed(0))"},
            {"=generator)": "=torch.Generator().manual_seed(generator.initial_seed()))"},
        ),
    ),
)
