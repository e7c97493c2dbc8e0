"""diagnose(metrics): from the metrics of a PPO run on CartPole to alarms."""

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pgcourse.checks.authoring import Case, Exercise, edits_of, generator, integers
from pgcourse.checks.observe.alarms import PREFIX, Alarms

KL, CLIP_FRACTION, ENTROPY, EXPLAINED = (
    f"losses/{name}" for name in ("approx_kl", "clipfrac", "entropy", "explained_variance")
)
VALUE, RETURN = "charts/value_mean", "charts/return_mean"
Series = Any  # an array [updates]


ALARMS = (
    "kl-high", "kl-zero", "clip-fraction-high", "entropy-collapsed", "entropy-never-falls", "explained-variance-low",
    "value-offset", "part-not-updated",
)  # fmt: skip


def diagnose(metrics: Mapping[str, Series]) -> set[str]:
    """The alarms that ring, by the rules of the exercise's table."""

    def series(name: str) -> Series:
        return np.asarray(metrics.get(name, ()))

    ringing = set()
    kl, clipped, entropy = series("losses/approx_kl"), series("losses/clipfrac"), series("losses/entropy")
    if kl.size and kl.max() > 0.05:
        ringing.add("kl-high")
    if kl.size and kl.max() < 1e-6:
        ringing.add("kl-zero")
    if clipped.size and clipped.max() > 0.5:
        ringing.add("clip-fraction-high")
    if entropy.size and entropy[:50].min() < 0.25:
        ringing.add("entropy-collapsed")
    if entropy.size >= 25 and entropy.min() > 0.55:
        ringing.add("entropy-never-falls")
    explained = series("losses/explained_variance")
    if explained.size >= 25 and not np.isnan(explained).all() and np.nanmax(explained) < 0.9:
        ringing.add("explained-variance-low")
    value, returns = series("charts/value_mean"), series("charts/return_mean")
    if min(value.size, returns.size) >= 25:
        offset = np.abs(value - returns) / np.abs(returns)
        if offset[-(len(offset) // 4) :].mean() > 0.1:
            ringing.add("value-offset")
    updates = [np.asarray(values) for name, values in metrics.items() if name.startswith("updates/")]
    if any(values.size and values.max() < 1e-6 for values in updates):
        ringing.add("part-not-updated")
    return ringing


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first: one metric alone, around its limits; then whole runs."""
    yield _case({KL: [0.01, 0.06, 0.01]})
    yield _case({KL: [0.0, 0.0]})
    yield _case({KL: [0.06]})
    yield _case({KL: [0.004, 0.01, 0.0]})
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
    yield _case({VALUE: [0.41] * 25, RETURN: [0.5] * 25})  # returns below 1
    yield _case({VALUE: [10.0, 160.0] * 14, RETURN: [10.0, 190.0] * 14})  # 9 % on average, 15 % of the mean return
    yield _case({VALUE: [0.0] * 30})
    yield _case({RETURN: [20.0] * 30})  # without values, as of an agent that has no critic
    yield _case({"updates/policy.log_std": [0.0] * 4, "updates/policy.mean": [0.1] * 4})
    yield _case({"updates/policy.mean": [0.0, 0.2, 0.0], "updates/critic.values": [0.3, 0.0, 0.1]})
    yield _case({"updates/policy.mean": [0.0, 0.0, 0.0, 3e-6]})
    yield _case({"charts/updates/all": [0.0, 0.0]})
    yield _case({EXPLAINED: [float("nan")] * 10 + [0.2] * 20})  # 30 updates, of which NaN counts for nothing
    yield _case({"updates/policy.logits": [0.1, 0.2], "updates/critic.values": [0.0, 0.0]})
    yield _case({CLIP_FRACTION: [0.5, 0.1], ENTROPY: [0.25, 0.3]})  # on the limit, in any precision
    # On the limits, and a little above the smallest: nothing rings.
    yield _case({KL: [0.05], ENTROPY: [0.55] * 25, EXPLAINED: [0.9] * 25})
    yield _case({KL: [1e-6], "updates/policy.mean": [1e-6]})
    yield _case({KL: [1.5e-6], "updates/policy.mean": [1.5e-6]})
    # Just beyond every limit, in 25 updates.
    beyond = {KL: 0.0501, CLIP_FRACTION: 0.501, ENTROPY: 0.5501, EXPLAINED: 0.8999, VALUE: 17.99, RETURN: 20.0}
    yield _case({name: [value] * 25 for name, value in (beyond | {"updates/critic.values": 0.99e-6}).items()})
    yield _case({KL: [0.99e-6], ENTROPY: [0.2499], VALUE: [2.0], RETURN: [20.0]})  # and in one
    ramp = np.linspace(20, 200, 40)
    yield _case({VALUE: 0.9005 * ramp, RETURN: ramp})  # just within 10 %, of each update's own return
    yield _case({VALUE: [20.0] * 20 + [40.0] + [20.0] * 6, RETURN: [20.0] * 27})  # 27 // 4 is six, too
    # The last quarter of 25 updates is six of them.
    yield _case({VALUE: [20.0] * 19 + [40.0] + [20.0] * 5, RETURN: [20.0] * 25})
    source = generator(seed)
    for _ in range(4):
        yield _run(source)
    yield from _edges(source)


def _case(metrics: Mapping[str, Any]) -> Case:
    return {PREFIX + name: torch.tensor(values, dtype=torch.float64) for name, values in metrics.items()}


def _run(source: torch.Generator) -> Case:
    """All metrics of 60 updates, each near a side of its limit. Where one update decides, it is an early or a late one."""

    def side(low: float, high: float) -> float:
        return high if torch.rand(1, generator=source) < 0.5 else low

    def wave(size: float) -> Tensor:
        return size * torch.rand(60, generator=source, dtype=torch.float64)

    def once(low: float, high: float) -> Tensor:
        values, place = wave(low), int(integers(source, 10)) + int(side(0, 50))
        values[place] = side(low, high) * (0.95 + 0.05 * torch.rand(1, generator=source))
        return values

    returns = 20 + wave(2).cumsum(0)
    return {
        PREFIX + KL: once(0.04, 0.2),
        PREFIX + CLIP_FRACTION: once(0.4, 1.0),
        PREFIX + ENTROPY: torch.linspace(0.69, side(0.3, 0.05), 60, dtype=torch.float64),
        PREFIX + EXPLAINED: once(0.85, 1.0) - 0.01,
        PREFIX + VALUE: returns * side(0.97, 0.7),
        PREFIX + RETURN: returns,
        PREFIX + "updates/policy.logits": once(0.0, 0.1),
    }


def _edges(source: torch.Generator) -> Iterator[Case]:
    """Four runs, in each of which every metric meets another of its edges; which ones meet is drawn."""
    little, off = (0.01 * (0.1 + torch.rand(2, generator=source))).tolist()
    low, nan, moving = [0.2, 0.8, 0.1 + off], float("nan"), [0.0, 0.1 + off, 0.0]
    negative, much = [-20 - off] * 21, 10 + off
    edges: tuple[tuple[dict[str, list[float]], ...], ...] = (
        (
            {KL: [0.0, 0.05 + little, 0.01]},
            {KL: [0.0, 0.05, off]},
            {KL: [0.0, 9e-7 + 1e-6 * off]},
            {KL: [2e-6 + off, 0.0]},
        ),
        ({CLIP_FRACTION: [0.1, 0.5 + little, off]}, {CLIP_FRACTION: [0.5, off]}, {CLIP_FRACTION: [0.5 - little]}, {}),
        (
            {ENTROPY: [0.5] * 49 + [0.25 - little] + [0.6] * 9},
            {ENTROPY: [0.5] * 50 + [0.25 - little] + [0.6] * 9},
            {ENTROPY: [0.55 + little] * 25},
            {ENTROPY: [0.55 + little] * 24},
        ),
        (
            {EXPLAINED: [nan] * 10 + low * 5},
            {EXPLAINED: [nan] * 2 + low * 8 + [0.9 + little, 0.1]},
            {EXPLAINED: [nan] * 30},
            {EXPLAINED: low * 8},
        ),
        (
            {VALUE: negative + [-16.0, -24.0] * 3, RETURN: negative + [-20.0] * 6},
            # The last quarter: right at 10 and 15 % off at 190, a mean of 7.5 %.
            {VALUE: [much] * 30 + [10.0, 161.5 - off] * 5, RETURN: [20.0] * 30 + [10.0, 190.0] * 5},
            {VALUE: [0.41 + off] * 25, RETURN: [0.5] * 25},
            {VALUE: [much] * 24, RETURN: [20.0] * 24},
        ),
        (
            {"updates/policy.mean": moving, "updates/critic.values": [0.0, 9e-7 + 1e-6 * off]},
            {"updates/policy.mean": moving, "updates/policy.log_std": [0.0] * 3},
            {"updates/policy.mean": moving, "updates/critic.values": moving},
            {"updates/policy.mean": [0.0, 2e-6]},
        ),
    )
    orders = [torch.randperm(4, generator=source).tolist() for _ in edges]
    for run in range(4):
        together: dict[str, list[float]] = {}
        for order, metric in zip(orders, edges, strict=True):
            together |= metric[order[run]]
        yield _case(together)


def _shown(case: Case) -> str:
    parts = []
    for name, values in case.items():
        x = [float(f"{number:.3g}") for number in values.tolist()]
        few = str(x) if len(x) <= 6 else f"<{len(x)} numbers: {x[0]}, {x[1]}, ... {x[-1]}>"
        parts.append(f'"{name.removeprefix(PREFIX)}": {few}')
    return f"diagnose({{{', '.join(parts)}}})"


LAST_QUARTER = "[-(len(offset) // 4) :]"
LEFT = "not np.isnan(explained).all() and np.nanmax(explained)"


def extremes(new: str) -> dict[str, str]:
    """Another number of the updates in place of the highest or lowest one."""
    extreme = ("kl.max() >", "kl.max() <", "clipped.max()", "entropy[:50].min()", "entropy.min()", "values.max()")
    return {old: re.sub(r"(\[:50\])?\.m..\(\)", new, old) for old in extreme}


NEVER = {"entropy.size >": "entropy.size", "explained.size >": "explained.size", "returns.size) >": "returns.size)"}
# At once, or one update too late: one of the rows that wait, or several of them.
WAITS = [
    {f"{old}= 25": f"{new}{instead}" for old, new in rows}
    for many in range(1, len(NEVER) + 1)
    for rows in itertools.combinations(NEVER.items(), many)
    for instead in ("", " > 25")
]


mistake = edits_of(diagnose)
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
            "extremes-not-asked-for",
            "You compared the mean of the updates, or the last one. One update that moves the policy too far can ruin a run: "
            "it disappears in a mean of hundreds and may be over at the end. Take the highest or lowest number of them all.",
            extremes(".mean()") | {"np.nanmax": "np.nanmean"},
            {"kl.max() >": "kl.mean() >", "clipped.max()": "clipped.mean()"},
            {"kl.max() >": "kl.mean() >", "kl.max() <": "kl.mean() <", "clipped.max()": "clipped.mean()"},
            extremes("[-1]") | {"np.nanmax(explained)": "explained[-1]"},
            extremes("[-1]") | {"np.nanmax(explained)": "explained[-1]", "values.max()": "values.max()"},
            {"entropy.min()": "entropy[-1]"},
        ),
        mistake(
            "waits-otherwise",
            "You wait for more or fewer updates than the table says. Rows about what never happens need 25; "
            "a KL that is too high is a finding in the first update. NaN updates count towards the 25.",
            *WAITS,
            {"entropy.size >= 25": "entropy.size", "explained.size >= 25": "explained.size", ") >= 25": ") >= 4"},
            {"explained.size >= 25": "np.sum(~np.isnan(explained)) >= 25"},
            {"metrics.get(name, ())": "metrics[name] if len(metrics.get(name, ())) >= 25 else ()"},
            {"entropy.size >=": "entropy.size >", "explained.size >=": "explained.size >", ") >= 25": ") > 25"},
            lambda metrics: diagnose(metrics) if metrics and min(map(len, metrics.values())) >= 25 else set(),
        ),
        mistake(
            "nan-not-left-out",
            "The first explained variances can be NaN, and so is the maximum of an array with one: the alarm never rings. NaN is "
            "not 0, either, and where all are NaN, nothing is left that has a maximum. Leave NaN out, and ask what is left.",
            {"np.nanmax(explained)": "explained.max()"},
            {LEFT: "np.nan_to_num(explained).max()"},
            {LEFT: "explained[~np.isnan(explained)].max()"},
            {LEFT: "max(explained[~np.isnan(explained)])"},
        ),
        mistake(
            "once-for-never",
            "You rang where it was so in one update: a KL of 0, a part that stood still, a low explained variance. Healthy runs "
            "have such updates. These rows ask for what was never otherwise: compare the highest number.",
            {"np.nanmax": "np.nanmin"},
            {"kl.max() <": "kl.min() <"},
            {"values.max()": "values.min()"},
        ),
        mistake(
            "another-part-of-the-run",
            "You looked at more of the run than the row names. A healthy policy becomes sure of itself in the end, so a collapse "
            "is one in the first 50 updates; values lag behind at the start, so the offset is of the last n // 4 of n.",
            {"[:50]": ""},
            {LAST_QUARTER: ""},
            {LAST_QUARTER: "[len(offset) // 4 :]"},
        ),
        mistake(
            "another-offset",
            "In each update, the offset is |V - G| / |G|. Without the first bars, too high and too low cancel; without the "
            "others, Pendulum's negative returns never ring; and undivided, 3 is as much at a return of 500 as at 20.",
            {"np.abs(value - returns)": "(value - returns)", "if offset": "if abs(offset", ".mean() >": ".mean()) >"},
            {"np.abs(value - returns)": "(value - returns)"},
            {"np.abs(value - returns)": "(returns - value)"},
            {"np.abs(value - returns) / np.abs(returns)": "(returns - value) / returns"},
            {"/ np.abs(returns)": "/ returns"},
            {" / np.abs(returns)": ""},
        ),
        mistake(
            "parts-not-apart",
            "You took all parts of the networks together, or looked at one name alone. A part that moves then hides another that "
            "does not: ask for each metric whose name begins with updates/ by itself.",
            {"if any(values": "if updates and all(values"},
            {"updates/": "updates/policy"},
            {"updates/": "updates/policy.logits"},
        ),
        mistake(
            "limit-rings",
            "A number that lies on its limit rings here. The table says above and below: > and <, without =.",
            {"max() > 0.5:": "max() >= 0.5:", "< 0.25": "<= 0.25"},
        ),
        mistake(
            "first-alarm-ends-it",
            "You returned after the first alarm, or chained the rules with elif. Most bugs ring several, and which ones ring "
            "together is what tells them apart.",
            lambda metrics: set(sorted(diagnose(metrics), key=ALARMS.index)[:1]),
        ),
        mistake(
            "missing-metrics-not-expected",
            "Your function fails where a metric is missing. REINFORCE has no clip fraction and a run may be short: leave out the "
            "rows whose numbers are not there.",
            {"metrics.get(name, ())": "metrics[name]"},
        ),
    ),
)
