"""diagnose(metrics): from the metrics of a PPO run on CartPole to alarms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pgcourse.checks.cases import generator
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe.alarms import PREFIX, Alarms
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_06.diagnose_parts import (
    ALARMS,
    CLIP_FRACTION,
    ENTROPY,
    EXPLAINED,
    KL,
    RETURN,
    VALUE,
)
from pgcourse.checks.unit_06.diagnose_wrong import MISCONCEPTIONS


def diagnose(metrics: Mapping[str, np.ndarray]) -> set[str]:
    """The alarms that ring, by the rules of the exercise's table."""
    ringing = set()

    def series(name: str) -> np.ndarray:
        return np.asarray(metrics.get(name, ()), dtype=float)

    kl, clipped, entropy, explained = (series(name) for name in (KL, CLIP_FRACTION, ENTROPY, EXPLAINED))
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
    if explained.size >= 25 and not np.isnan(explained).all() and np.nanmax(explained) < 0.9:
        ringing.add("explained-variance-low")
    value, returns = series(VALUE), series(RETURN)
    if min(value.size, returns.size) >= 25:
        late = value.size // 4
        if (np.abs(value - returns) / np.abs(returns))[-late:].mean() > 0.1:
            ringing.add("value-offset")
    updates = [np.asarray(values) for name, values in metrics.items() if name.startswith("updates/")]
    if any(values.size and values.max() < 1e-6 for values in updates):
        ringing.add("part-not-updated")
    return ringing


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
        numbers = [float(f"{number:.3g}") for number in values.tolist()]
        few = (
            str(numbers)
            if len(numbers) <= 6
            else f"<{len(numbers)} numbers: {numbers[0]}, {numbers[1]}, ... {numbers[-1]}>"
        )
        parts.append(f'"{name.removeprefix(PREFIX)}": {few}')
    return f"diagnose({{{', '.join(parts)}}})"


def _with_lists(metrics: Mapping[str, np.ndarray]) -> set[str]:
    lists = {name: [float(x) for x in values] for name, values in metrics.items()}
    found = set()
    kl, entropy = lists.get(KL), lists.get(ENTROPY)
    if kl:
        found |= {"kl-high"} if max(kl) > 0.05 else {"kl-zero"} if max(kl) < 1e-6 else set()
    if max(lists.get(CLIP_FRACTION) or [0.0]) > 0.5:
        found.add("clip-fraction-high")
    if entropy and any(x < 0.25 for x in entropy[:50]):
        found.add("entropy-collapsed")
    if entropy and len(entropy) >= 25 and all(x > 0.55 for x in entropy):
        found.add("entropy-never-falls")
    explained = lists.get(EXPLAINED, [])
    if len(explained) >= 25 and (real := [x for x in explained if x == x]) and max(real) < 0.9:
        found.add("explained-variance-low")
    if VALUE in lists and RETURN in lists and len(lists[VALUE]) >= 25:
        gaps = [abs(v - g) / abs(g) for v, g in zip(lists[VALUE], lists[RETURN], strict=True)]
        last = gaps[-(len(gaps) // 4) :]
        if sum(last) / len(last) > 0.1:
            found.add("value-offset")
    if any(name.startswith("updates/") and values and max(values) < 1e-6 for name, values in lists.items()):
        found.add("part-not-updated")
    return found


def _with_torch(metrics: Mapping[str, np.ndarray]) -> set[str]:
    tensors = {name: torch.as_tensor(np.array(values)) for name, values in metrics.items()}
    return diagnose({name: tensor.float().numpy() for name, tensor in tensors.items()})


def _frozen(metrics: Mapping[str, np.ndarray]) -> frozenset[str]:
    return frozenset(diagnose(metrics))


EXERCISE = Exercise(
    id="diagnose",
    unit="06",
    title="From metrics to alarms",
    points=3,
    minutes=25,
    difficulty=2,
    cases=cases,
    observe=Alarms(ALARMS),
    reference=diagnose,
    show_case=_shown,
    alternatives=(_with_lists, _with_torch, _frozen),
    hints=(
        "Each row of the table is an if of its own, and several can ring at once. Which rows ask for a highest "
        "number, which for a lowest, and which look at a part of the updates only?",
        "Take each metric with metrics.get, and leave its rows out where it is missing or too short. For explained "
        "variance use np.nanmax, after a look whether anything is left. For the offset, divide update by update, then "
        "average the last quarter.",
        'kl = metrics.get("losses/approx_kl"); if kl is not None and kl.max() > 0.05: ringing.add("kl-high"). The offset is '
        "(np.abs(v - g) / np.abs(g))[-(len(v) // 4):].mean() > 0.1, where there are 25 updates. For the last row, "
        "loop over "
        'the names that begin with "updates/".',
    ),
    misconceptions=MISCONCEPTIONS,
)
