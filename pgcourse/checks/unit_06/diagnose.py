"""diagnose(metrics): from the metrics of a PPO run on CartPole to alarms."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from pgcourse.checks.cases import generator
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe.alarms import PREFIX, Alarms
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_06.patient import mistake

KL, CLIP_FRACTION, ENTROPY, EXPLAINED = (
    f"losses/{name}" for name in ("approx_kl", "clipfrac", "entropy", "explained_variance")
)
VALUE, RETURN = "charts/value_mean", "charts/return_mean"
Series = Any  # an array [updates]


class Row(NamedTuple):
    """A row of the exercise's table: the number of these metrics is compared with the limit, in runs that are long enough."""

    number: Callable[..., float]
    rings: Callable[[float, float], bool]
    limit: float
    metrics: tuple[str, ...]
    at_least: int = 1


def offset(value: Series, returns: Series) -> float:
    """Each update's distance in units of its return, averaged over the last quarter."""
    return float((np.abs(value - returns) / np.abs(returns))[-(len(value) // 4) :].mean())


ROWS = {
    "kl-high": Row(np.max, operator.gt, 0.05, (KL,)),
    "kl-zero": Row(np.max, operator.lt, 1e-6, (KL,)),
    "clip-fraction-high": Row(np.max, operator.gt, 0.5, (CLIP_FRACTION,)),
    "entropy-collapsed": Row(lambda x: x[:50].min(), operator.lt, 0.25, (ENTROPY,)),
    "entropy-never-falls": Row(np.min, operator.gt, 0.55, (ENTROPY,), 25),
    "explained-variance-low": Row(np.fmax.reduce, operator.lt, 0.9, (EXPLAINED,), 25),  # NaN only where all are
    "value-offset": Row(offset, operator.gt, 0.1, (VALUE, RETURN), 25),
}
ALARMS = (*ROWS, "part-not-updated")


def diagnose_with(
    changes: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    parts: str = "updates/",
    of_part: Callable[[Series], float] = np.max,
    enough: Callable[..., bool] = any,
    required: bool = False,
    first_alone: bool = False,
    gather: Callable[[list[str]], Any] = set,
) -> Callable[[Mapping[str, Series]], Any]:
    """The function; the defaults are right.

    Args: changes: alarm -> fields of its row. parts, of_part, enough: the last row's names, number, and whether any part
    will do. required: a missing metric is an error. first_alone: the first alarm ends it.
    """
    rows = {alarm: row._replace(**(changes or {}).get(alarm, {})) for alarm, row in ROWS.items()}

    def attempt(metrics: Mapping[str, Series]) -> Any:
        found = []
        for alarm, row in rows.items():
            series = [np.asarray(metrics[name] if required else metrics.get(name, ())) for name in row.metrics]
            if min(map(len, series)) >= row.at_least and row.rings(row.number(*series), row.limit):
                found.append(alarm)
        moved = [of_part(values) for name, values in metrics.items() if name.startswith(parts)]
        if moved and enough(number < 1e-6 for number in moved):
            found.append("part-not-updated")
        return gather(found[:1] if first_alone else found)

    return attempt


diagnose = diagnose_with()


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first: one metric alone, around its limits; then whole runs."""
    yield _case({KL: [0.01, 0.06, 0.01]})
    yield _case({KL: [0.0, 0.0]})
    yield _case({KL: [0.004, 0.0, 0.01]})
    yield _case({KL: [3e-8, 1e-7]})  # rounding alone
    yield _case({CLIP_FRACTION: [0.1, 0.6, 0.2]})
    yield _case({CLIP_FRACTION: [0.4, 0.3]})
    yield _case({ENTROPY: [0.69, 0.2, 0.6]})
    yield _case({})
    falling = np.linspace(0.69, 0.3, 50)
    yield _case({ENTROPY: [*falling, *np.linspace(0.3, 0.1, 30)]})
    yield _case({ENTROPY: [0.5] * 49 + [0.2]})
    yield _case({ENTROPY: [0.5] * 50 + [0.2]})
    yield _case({ENTROPY: [0.69] * 24})
    yield _case({ENTROPY: [0.69] * 25})
    yield _case({ENTROPY: [*np.linspace(0.69, 0.5, 30), 0.6, 0.62]})
    yield _case({EXPLAINED: [0.0] * 24})
    yield _case({EXPLAINED: [0.1] * 24 + [0.4]})
    yield _case({EXPLAINED: [float("nan")] * 3 + [0.2] * 25 + [0.95, 0.4]})
    yield _case({EXPLAINED: [float("nan")] * 2 + [-0.5] * 30})
    yield _case({EXPLAINED: [float("nan")] * 30})
    late = [10.0] * 30 + [19.5] * 10
    yield _case({VALUE: late, RETURN: [20.0] * 40})  # the last quarter alone is healthy
    yield _case({VALUE: [20.0] * 30 + [17.0] * 10, RETURN: [20.0] * 40})
    yield _case({VALUE: [-20.0] * 30 + [-17.0] * 10, RETURN: [-20.0] * 40})
    yield _case({VALUE: [20.0] * 30 + [16.0, 24.0] * 5, RETURN: [20.0] * 40})
    yield _case({VALUE: [20.0] * 30 + [14.0] * 5 + [20.0] * 5, RETURN: [20.0] * 40})
    yield _case({VALUE: [20.0] * 39 + [14.0], RETURN: [20.0] * 40})
    yield _case({VALUE: [18.05] * 40, RETURN: [20.0] * 40})  # 10.8 % of V, 9.75 % of G
    yield _case({VALUE: [2.0] * 24, RETURN: [20.0] * 24})
    yield _case({VALUE: [0.0] * 30})
    yield _case({"updates/policy.log_std": [0.0] * 4, "updates/policy.mean": [0.1] * 4})
    yield _case({"updates/policy.mean": [0.0, 0.2, 0.0], "updates/critic.values": [0.3, 0.0, 0.1]})
    yield _case({"updates/policy.mean": [0.0, 0.0, 0.0, 3e-6]})
    yield _case({"charts/updates": [0.0, 0.0]})
    yield _case({EXPLAINED: [float("nan")] * 10 + [0.2] * 20})  # 30 updates, of which NaN counts for nothing
    yield _case({"updates/policy.logits": [0.1, 0.2], "updates/critic.values": [0.0, 0.0]})
    yield _case({CLIP_FRACTION: [0.5, 0.1], ENTROPY: [0.25, 0.3]})  # on the limit, in any precision
    source = generator(seed)
    for _ in range(4):
        yield _run(source)


def _case(metrics: Mapping[str, Any]) -> Case:
    return {PREFIX + name: torch.tensor(values, dtype=torch.float64) for name, values in metrics.items()}


def _run(source: torch.Generator) -> Case:
    """All metrics of 60 updates, each near one side or the other of its limit."""

    def side(low: float, high: float) -> float:
        return high if torch.rand(1, generator=source) < 0.5 else low

    def wave(size: float) -> Tensor:
        return size * torch.rand(60, generator=source, dtype=torch.float64)

    returns = 20 + wave(2).cumsum(0)
    return {
        PREFIX + KL: wave(side(0.04, 0.2)),
        PREFIX + CLIP_FRACTION: wave(side(0.4, 1.0)),
        PREFIX + ENTROPY: torch.linspace(0.69, side(0.3, 0.05), 60, dtype=torch.float64),
        PREFIX + EXPLAINED: wave(side(0.85, 1.0)) - 0.01,
        PREFIX + VALUE: returns * side(0.97, 0.7),
        PREFIX + RETURN: returns,
        PREFIX + "updates/policy.logits": wave(side(0.0, 0.1)),
    }


def _shown(case: Case) -> str:
    parts = []
    for name, values in case.items():
        x = [float(f"{number:.3g}") for number in values.tolist()]
        few = str(x) if len(x) <= 6 else f"<{len(x)} numbers: {x[0]}, {x[1]}, ... {x[-1]}>"
        parts.append(f'"{name.removeprefix(PREFIX)}": {few}')
    return f"diagnose({{{', '.join(parts)}}})"


def numbers(number: Callable[[Series], float], *alarms: str) -> dict[str, dict[str, Any]]:
    """Another number in these rows; without a name, in all but the offset's."""
    return {alarm: {"number": number} for alarm in alarms or [alarm for alarm in ROWS if alarm != "value-offset"]}


def offsets(number: Callable[[Series, Series], Series]) -> Callable[..., Any]:
    """Another offset in each update, averaged over the last quarter."""
    return diagnose_with({"value-offset": {"number": lambda v, g: number(v, g)[-(len(v) // 4) :].mean()}})


def last(x: Series) -> float:
    """That of the last update."""
    return float(x[-1])


def nothing_left(highest: Callable[[Series], float]) -> Callable[..., Any]:
    """The highest of what is no NaN."""
    return diagnose_with(numbers(lambda x: highest(x[~np.isnan(x)]), "explained-variance-low"))


EXERCISE = Exercise.listed(
    "diagnose",
    cases=cases,
    observe=Alarms(ALARMS),
    reference=diagnose,
    show_case=_shown,
    hints=(
        "Each row of the table is an if of its own, and several can ring at once. Which rows ask for a highest number, which for "
        "a lowest, and which look at a part of the updates only?",
        "Take each metric with metrics.get, and leave its rows out where it is missing or too short. For explained variance use "
        "np.nanmax, after a look whether anything is left. For the offset, divide update by update, then average the last "
        "quarter.",
        'kl = metrics.get("losses/approx_kl"); if kl is not None and kl.max() > 0.05: ringing.add("kl-high"). The offset is '
        "(np.abs(v - g) / np.abs(g))[-(len(v) // 4):].mean() > 0.1, where there are 25 updates. For the last row, loop over "
        'the names that begin with "updates/".',
    ),
    misconceptions=(
        mistake(
            "means-instead-of-extremes",
            "You compared the mean over the updates. One update that moves the policy too far is enough to ruin a run, and "
            "disappears in a mean of hundreds. The table asks for the highest or the lowest number.",
            diagnose_with(numbers(np.nanmean), of_part=np.nanmean),
            diagnose_with(numbers(np.nanmean)),
            diagnose_with(numbers(np.nanmean, "kl-high", "clip-fraction-high")),
            diagnose_with(numbers(np.nanmean, "kl-high", "kl-zero", "clip-fraction-high")),
        ),
        mistake(
            "last-update-alone",
            "You looked at the last update alone. An alarm that rang and fell silent again is still a finding: take the highest "
            "or the lowest number of all the updates that the row names.",
            diagnose_with(numbers(last), of_part=last),
            diagnose_with(numbers(last)),
            diagnose_with(numbers(last, "entropy-never-falls")),
        ),
        mistake(
            "collapse-at-any-time",
            "You looked for a collapse of the entropy in all updates. A healthy policy becomes sure of itself in the end; the "
            "alarm is about the first 50 updates, when it cannot know yet.",
            diagnose_with(numbers(np.min, "entropy-collapsed")),
        ),
        mistake(
            "no-waiting",
            "Rules that are about what never happens ring here after a few updates, when it has not had the time to happen. Wait "
            "for the 25 updates that the table names.",
            diagnose_with({alarm: {"at_least": min(row.at_least, 4)} for alarm, row in ROWS.items()}),
        ),
        mistake(
            "waits-too-long",
            "You wait longer than the table says: for more than 25 updates, where 25 are enough, or in rows that name no wait. A "
            "KL that is too high is a finding in the first update.",
            diagnose_with({alarm: {"at_least": 25} for alarm in ROWS}),
            diagnose_with({alarm: {"at_least": 26} for alarm, row in ROWS.items() if row.at_least > 1}),
            lambda metrics: diagnose(metrics) if metrics and min(map(len, metrics.values())) >= 25 else set(),
        ),
        mistake(
            "nan-poisons-the-maximum",
            "The first explained variances can be NaN, and the maximum of an array with a NaN is NaN, which is below nothing: "
            "the alarm can never ring in such a run. NumPy has a maximum that leaves NaN out.",
            diagnose_with(numbers(np.max, "explained-variance-low")),
        ),
        mistake(
            "nan-taken-for-zero",
            "You replaced NaN by 0. Where returns are constant, explained variance says nothing, and a run in which it is never "
            "anything else gives no reason for an alarm. Leave NaN out.",
            diagnose_with(numbers(lambda x: np.nan_to_num(x).max(), "explained-variance-low")),
        ),
        mistake(
            "nothing-left-without-nan",
            "Where all explained variances are NaN, nothing is left when you have thrown them out, and the maximum of nothing is "
            "an error. Look first whether one is left.",
            nothing_left(np.max),
            nothing_left(max),
        ),
        mistake(
            "once-for-never",
            "You rang where it was so in one update: a KL of 0, a part that stood still, a low explained variance. Healthy runs "
            "have such updates. These rows ask for what was never otherwise: compare the highest number.",
            diagnose_with(numbers(np.fmin.reduce, "explained-variance-low")),
            diagnose_with(numbers(np.min, "kl-zero")),
            diagnose_with(of_part=np.min),
        ),
        mistake(
            "offset-of-the-whole-run",
            "You averaged the offset over other updates than the last quarter: over all, or all but the first quarter. At the "
            "start, values lag behind in every run; the last n // 4 of n updates are those from -(n // 4) on.",
            diagnose_with({"value-offset": {"number": lambda v, g: (np.abs(v - g) / np.abs(g)).mean()}}),
            diagnose_with({"value-offset": {"number": lambda v, g: (np.abs(v - g) / np.abs(g))[len(v) // 4 :].mean()}}),
        ),
        mistake(
            "offsets-cancel",
            "You took differences without their sign removed first, or means of both first: a critic that is too high in one "
            "update and too low in the next then looks exact. Take the absolute difference in each update.",
            diagnose_with(
                {"value-offset": {"number": lambda v, g: abs(((v - g) / np.abs(g))[-(len(v) // 4) :].mean())}}
            ),
            offsets(lambda v, g: (v - g) / np.abs(g)),
            offsets(lambda v, g: (g - v) / np.abs(g)),
            offsets(lambda v, g: (g - v) / g),
        ),
        mistake(
            "negative-returns",
            "You divided by the mean return with its sign. In Pendulum, returns are negative, and the offset would be too, which "
            "no limit notices. Divide by its absolute value.",
            offsets(lambda v, g: np.abs(v - g) / g),
        ),
        mistake(
            "offset-in-reward",
            "You compared the difference in units of reward. A distance of 3 is much at a return of 20 and nothing at 500: "
            "divide by the size of the return.",
            offsets(lambda v, g: np.abs(v - g)),
        ),
        mistake(
            "parts-not-apart",
            "You took all parts of the networks together, or looked at one name alone. A part that moves then hides another that "
            "does not: ask for each metric whose name begins with updates/ by itself.",
            diagnose_with(enough=all),
            diagnose_with(parts="updates/policy"),
            diagnose_with(parts="updates/policy.logits"),
        ),
        mistake(
            "limit-rings",
            "A number that lies on its limit rings here. The table says above and below: > and <, without =.",
            diagnose_with(
                {a: {"rings": operator.ge if r.rings is operator.gt else operator.le} for a, r in ROWS.items()}
            ),
        ),
        mistake(
            "first-alarm-ends-it",
            "You returned after the first alarm, or chained the rules with elif. Most bugs ring several, and which ones ring "
            "together is what tells them apart.",
            diagnose_with(first_alone=True),
        ),
        mistake(
            "missing-metrics-not-expected",
            "Your function fails where a metric is missing. REINFORCE has no clip fraction and a run may be short: leave out the "
            "rows whose numbers are not there.",
            diagnose_with(required=True),
        ),
        mistake(
            "list-for-set",
            "The alarms are right, but you returned a list. A set is asked for: the order means nothing, and whoever calls it "
            "wants to ask whether an alarm is in it.",
            diagnose_with(gather=list),
            diagnose_with(gather=tuple),
        ),
    ),
)
