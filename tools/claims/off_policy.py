"""Lesson 05, section 12: Stable-Baselines3's SAC, TD3 and DDPG on Pendulum, off-policy methods beside PPO.

Needs the extra "bench". Each run is a fresh process of one thread, the methods alternate seed by seed, and finished runs
are kept in build/claims: interrupt it, and the next start goes on. To time all runs again, delete build/claims/off_policy-*.
"""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from pgcourse import ppo
from pgcourse.runs import versions
from pgcourse.storage import atomic_write
from pgcourse.study.source import digest_of, files_behind
from tools.bench import off_policy as bench

from .runs import KEPT, ROOT
from .study import IQM, OF_RETURN, SEEDS, TO_THRESHOLD, Study, band, rounded

OFF_POLICY = ("sac", "td3", "ddpg")
EARLY = 10_000  # environment steps
POINTS = 40  # of a curve over seconds
STUDY = Study(
    description="Stable-Baselines3's SAC, TD3 and DDPG on Pendulum-v1 beside ppo.PENDULUM and Stable-Baselines3's PPO, with the "
    "settings that RL Baselines3 Zoo publishes. Held-out returns: 100 episodes from fresh starts, most probable actions, every "
    f"{bench.GRID.every} environment steps or at the next update. Solved: at least -200, confirmed on 100 more. Seconds: "
    "processor time of the one thread, evaluation left out, taken beside other work with the methods alternating by seed: ratios "
    "hold, another machine has other seconds.",
    variants={},  # nothing that `run_seeds` could train
    metrics={},
    every=bench.GRID.every,
    until=ppo.PENDULUM.total_timesteps,
    x="env_step",
)


def kept(method: str, seed: int) -> dict[str, Any]:
    """The run of this method and seed, from build/claims where it is there."""
    # This file is no part of the key: what is made of the runs may change while they are measured.
    code = digest_of(files_behind([Path(bench.__file__)]))
    identity = [method, bench.SETTINGS.get(method), version("stable-baselines3"), versions(), code]
    key = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:12]
    path = KEPT / f"off_policy-{method}-{seed}-{key}.json"
    if not path.exists():
        found = fresh_process(method, seed)
        atomic_write(path, json.dumps(found))
        steps, seconds = found["solved_steps"], found["solved_seconds"]
        solved = f"at {steps:,} steps, {seconds:.1f} s" if steps else "never"
        print(
            f"{method}, seed {seed}: solved {solved}; {found['final']:.0f} after {found['seconds']:.0f} s", flush=True
        )
    return json.loads(path.read_text())


def fresh_process(method: str, seed: int) -> dict[str, Any]:
    """Train in a process of its own, so that no run warms up another."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tools.bench.off_policy", method, str(seed)]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def score_at(run: dict[str, Any], step: int) -> float:
    """Held-out return at the last look not behind this environment step."""
    return [score for at, _, score in run["curve"] if at <= step][-1]


def over_seconds(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The curve over training seconds: at each point, every run's last look by then."""
    times = [np.array([seconds for _, seconds, _ in run["curve"]]) for run in runs]
    first, last = max(each[0] for each in times), min(each[-1] for each in times)
    grid = np.geomspace(first, last, POINTS).round(2)
    grid[0], grid[-1] = np.ceil(first * 100) / 100, np.floor(last * 100) / 100
    curves = np.stack(
        [
            np.array([score for *_, score in run["curve"]])[np.searchsorted(each, grid, side="right") - 1]
            for run, each in zip(runs, times, strict=True)
        ]
    )
    return band(grid, "s", curves)


def break_even(one: dict[str, Any], other: dict[str, Any]) -> float | None:
    """Milliseconds that a step of the environment must cost for two methods to take the same time until they solve it.

    The first takes fewer steps and more seconds: N s + t = N' s + t' gives s = (t - t') / (N' - N). None where one of
    them never gets there, or the first takes no fewer steps.
    """
    if one["solved_steps"] is None or other["solved_steps"] is None or one["solved_steps"] >= other["solved_steps"]:
        return None
    seconds, steps = (one[name] - other[name] for name in ("solved_seconds", "solved_steps"))
    return float(1000 * seconds / -steps)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/off_policy.json`."""
    seeds = SEEDS[:num_seeds]
    found: dict[str, list[dict[str, Any]]] = {method: [] for method in bench.METHODS}
    for seed in seeds:
        for method, runs in found.items():
            runs.append(kept(method, seed))
    values, curves = {}, {}
    for method, runs in found.items():
        numbers = {
            "steps_to_solved": ("environment steps", TO_THRESHOLD, [run["solved_steps"] for run in runs]),
            "seconds_to_solved": ("s", TO_THRESHOLD, [run["solved_seconds"] for run in runs]),
            "held_out": ("return", OF_RETURN, [run["final"] for run in runs]),
            "early": ("return", OF_RETURN, [score_at(run, EARLY) for run in runs]),
            "steps_per_second": ("environment steps/s", [IQM], [run["steps_per_second"] for run in runs]),
            "seconds": ("s", [IQM], [run["seconds"] for run in runs]),
        }
        for peer in ("ppo", "sb3_ppo"):
            if method in OFF_POLICY:
                numbers[f"break_even_{peer}"] = ("ms a step", [IQM], list(map(break_even, runs, found[peer])))
        for name, (unit, statistics, per_seed) in numbers.items():
            values[f"{method}/{name}"] = {
                "unit": unit,
                "statistics": list(statistics),
                "per_seed": [rounded(x) for x in per_seed],
            }
        steps = np.array([at for at, *_ in runs[0]["curve"]])
        scores = np.array([[score for *_, score in run["curve"]] for run in runs]).round(1)
        curves[method] = {**band(steps, "env_step", scores), "per_seed": scores.tolist()}
        curves[f"{method}/seconds"] = over_seconds(runs)
    return {
        "description": STUDY.description,
        "seeds": list(seeds),
        "configs": {},
        "settings": {"ppo": asdict(ppo.PENDULUM), **bench.SETTINGS, "stable-baselines3": version("stable-baselines3")},
        "values": values,
        "curves": curves,
        "prefixes": {},
    }
