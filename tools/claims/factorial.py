"""Lesson 06, tables of sections 3.2, 3.3 and 4: three suspects in PPO on CartPole, in every combination, Adam or plain SGD.

The suspects: long rollouts, a slow critic, gradients of both networks clipped together.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations, product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pgcourse import ppo
from pgcourse.study import traps
from pgcourse.study.seeds import Run

from .runs import kept_runs
from .study import IQM, OF_RETURN, Metric, Study, band, last_mean, rounded

EPISODES = 1000  # the first budget
STEPS = 100_000  # the second, under Adam
SGD_STEPS = 61_440  # 120 rollouts of 512 steps, 30 of 2,048
FACTORS = ("rollout", "critic", "clipping")  # in the order of a corner's key
# What each level is called in a variant's name: the healthy one, then the trap.
LEVELS = (("32", "128"), ("fast", "slow"), ("separate", "joint"))
CORNERS: dict[tuple[bool, ...], str] = {
    key: "_".join(level[trap] for level, trap in zip(LEVELS, key, strict=True))
    for key in product((False, True), repeat=len(FACTORS))
}
# Every set of factors has an effect: one alone a main effect, several together an interaction.
EFFECTS = tuple(names for size in (1, 2, 3) for names in combinations(FACTORS, size))

CRITIC_LR = {"fast": 1e-2, "slow": 3e-4}
# Plain SGD has no rates of its own in the literature. These did best on the corner without a trap, on seeds that the
# study does not use (`SEARCH`); the slow critic is as many times slower as under Adam.
SGD_POLICY_LR, SGD_CRITIC_LR = 0.1, 0.3
SLOWER = CRITIC_LR["slow"] / CRITIC_LR["fast"]


def sgd(parameters: Iterator[nn.Parameter], learning_rate: float) -> torch.optim.SGD:
    """Plain stochastic gradient descent: a step is the gradient times the rate, with nothing rescaled."""
    return torch.optim.SGD(parameters, lr=learning_rate)


def config_of(corner: str, *, optimizer: str) -> ppo.PPOConfig:
    """Settings of a corner; the third factor is no setting but a replaced function."""
    rollout, critic, _ = corner.split("_")
    if optimizer == "sgd":
        critic_lr = SGD_CRITIC_LR * (1 if critic == "fast" else SLOWER)
        budget: dict[str, Any] = {"num_episodes": None, "total_timesteps": SGD_STEPS}
        return replace(
            ppo.BUGGY, num_steps=int(rollout), policy_lr=SGD_POLICY_LR, critic_lr=round(critic_lr, 6), **budget
        )
    # Runs that learn late have short episodes: more of them, so that each also reaches the budget of steps.
    episodes = EPISODES if critic == "fast" else 1200
    return replace(ppo.BUGGY, num_steps=int(rollout), critic_lr=CRITIC_LR[critic], num_episodes=episodes)


def seams_of(corner: str, *, optimizer: str) -> dict[str, Callable[..., Any]]:
    """Functions that a corner's run replaces."""
    seams: dict[str, Callable[..., Any]] = {"optimizer_fn": sgd} if optimizer == "sgd" else {}
    return seams | (dict(traps.JOINT_CLIPPING.seams) if corner.endswith("joint") else {})


OPTIMIZERS = ("adam", "sgd")
VARIANTS = {f"{name}_{corner}": config_of(corner, optimizer=name) for name in OPTIMIZERS for corner in CORNERS.values()}
SEAMS: Mapping[str, Mapping[str, Any]] = {
    f"{name}_{corner}": seams_of(corner, optimizer=name) for name in OPTIMIZERS for corner in CORNERS.values()
}

# The search for SGD's rates, on seeds of its own.
SEARCH_SEEDS = tuple(range(90, 95))
SEARCH_STEPS = 40_960
SEARCH = {
    f"sgd_search_{policy_lr:g}_{critic_lr:g}": replace(
        ppo.BUGGY,
        num_steps=32,
        policy_lr=policy_lr,
        critic_lr=critic_lr,
        num_episodes=None,
        total_timesteps=SEARCH_STEPS,
    )
    for policy_lr in (0.03, 0.1, 0.3)
    for critic_lr in (0.1, 0.3, 1.0, 3.0)
}
SEARCH_SEAMS = {name: {"optimizer_fn": sgd} for name in SEARCH}


KL, EXPLAINED = "losses/approx_kl", "losses/explained_variance"
POLICY_NORM, CRITIC_NORM = "losses/policy_grad_norm", "losses/critic_grad_norm"
POLICY_MOVE = "updates/policy.logits"
VALUE, RETURN = "charts/value_mean", "charts/return_mean"
EARLY_STEPS = 20_480  # 40 updates of 512 steps, 10 of 2,048
MILLI = "0.001 nat"
# Outcomes whose effects are told, by optimiser.
OUTCOMES = {
    "adam": ("at_1000", "area", "late", "at_60k", "early_kl", "policy_move"),
    "sgd": ("at_60k", "area_60k", "early_kl", "policy_move"),
}
BATCHES = {"32": 512, "128": 2048}


def batch_size(run: Run) -> int:
    """Environment steps of an update."""
    return int(run.metrics["charts/env_step"][0])


def at_1000(run: Run) -> float | None:
    """Mean return of episodes 901 to 1,000; None for a run with fewer."""
    return last_mean(run, EPISODES) if len(run.episodes) >= EPISODES else None


def between(run: Run, first: int, last: int) -> float | None:
    """Mean return of the episodes that ended within these steps; None for a run that stopped before."""
    ended = run.episodes["env_step"]
    inside = (ended > first) & (ended <= last)
    return float(run.episodes["episodic_return"][inside].mean()) if run.metrics["charts/env_step"][-1] >= last else None


def within(run: Run, name: str, steps: int) -> NDArray[np.float64]:
    """A metric's updates within the first so many steps."""
    return run.metrics[name][run.metrics["charts/env_step"] <= steps]


def clipping_factor(run: Run) -> float:
    """Median factor by which one norm over both networks would shrink, or shrinks, the policy's gradient."""
    norm = np.hypot(within(run, POLICY_NORM, SGD_STEPS), within(run, CRITIC_NORM, SGD_STEPS))
    return float(np.median(np.minimum(1, 0.5 / norm)))


METRICS = {
    "at_1000": Metric("return", OF_RETURN, at_1000),
    "area": Metric("return", [IQM], lambda run: float(run.episodes["episodic_return"][:EPISODES].mean())),
    "late": Metric("return", OF_RETURN, lambda run: between(run, STEPS - 20_000, STEPS)),
    "at_60k": Metric("return", OF_RETURN, lambda run: between(run, SGD_STEPS - 10_000, SGD_STEPS)),
    "area_60k": Metric("return", [IQM], lambda run: between(run, 0, SGD_STEPS)),
    "steps_at_1000": Metric("environment steps", [IQM], lambda run: int(run.episodes["env_step"][:EPISODES][-1])),
    "updates_at_1000": Metric(
        "updates", [IQM], lambda run: int(run.episodes["env_step"][:EPISODES][-1]) // batch_size(run)
    ),
    "early_kl": Metric(MILLI, [IQM], lambda run: 1000 * float(within(run, KL, EARLY_STEPS).mean())),
    "policy_norm": Metric("gradient norm", [IQM], lambda run: float(np.median(within(run, POLICY_NORM, SGD_STEPS)))),
    "critic_norm": Metric("gradient norm", [IQM], lambda run: float(np.median(within(run, CRITIC_NORM, SGD_STEPS)))),
    "clipping_factor": Metric("factor", [IQM], clipping_factor),
    # Per 512 steps of experience, so that one update of a long rollout counts as four of a short one.
    "policy_move": Metric(
        "parameter norm", [IQM], lambda run: float(within(run, POLICY_MOVE, EARLY_STEPS).mean()) * 512 / batch_size(run)
    ),
    "explained": Metric("of the variance", [IQM], lambda run: float(np.nanmean(within(run, EXPLAINED, SGD_STEPS)))),
    "value_gap": Metric(
        "reward", [IQM], lambda run: float((within(run, RETURN, SGD_STEPS) - within(run, VALUE, SGD_STEPS)).mean())
    ),
}
OF_EPISODES = (
    "at_1000",
    "area",
    "late",
    "steps_at_1000",
    "updates_at_1000",
)  # an SGD run has fewer than 1,000 episodes
SHOWN = (KL, "losses/clipfrac", "losses/entropy", EXPLAINED, VALUE, RETURN, POLICY_NORM, CRITIC_NORM, POLICY_MOVE)
PANELS = ("adam_32_fast_separate", "adam_128_slow_joint")  # the healthy run and the story's patient
STUDY = Study(
    description="PPO on CartPole-v1 with rollouts of 32 or 128 steps, a fast or a slow critic, and gradients clipped apart or "
    f"together, in every combination: under Adam for at least {EPISODES:,} episodes, under plain SGD for {SGD_STEPS:,} "
    "steps; the effect of each factor and of each set of factors on the return.",
    variants=VARIANTS,
    seams=SEAMS,
    metrics=METRICS,
    every=25,
    until=EPISODES,
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/factorial.json`."""
    search = kept_runs(SEARCH, SEARCH_SEEDS[:num_seeds], seams=SEARCH_SEAMS, num_workers=num_workers)
    content = STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
    runs = kept_runs(VARIANTS, content["seeds"], seams=SEAMS, num_workers=num_workers)
    content["values"] = {
        name: entry
        for name, entry in content["values"].items()
        if not (name.startswith("sgd") and name.partition("/")[2] in OF_EPISODES)
    }
    content["values"] |= effect_values(content["values"])
    content["curves"] = {name: curve for name, curve in content["curves"].items() if name.startswith("adam")}
    content["curves"] |= step_curves(runs)
    content["search"] = {
        name: {"seeds": [run.seed for run in found], "late_return": [rounded(late_in_search(run)) for run in found]}
        for name, found in search.items()
    }
    return content


def late_in_search(run: Run) -> float | None:
    """What a pair of rates is judged by: mean return of the last fifth of the steps."""
    return between(run, int(0.8 * SEARCH_STEPS), SEARCH_STEPS)


def step_curves(runs: Mapping[str, Sequence[Run]]) -> dict[str, Any]:
    """Return by environment step of every variant, and the diagnostics of the healthy run and of the patient."""
    curves = {}
    for name, found in runs.items():
        until = STEPS if name.startswith("adam") else SGD_STEPS
        by_step = replace(STUDY, x="env_step", every=2000, until=until, window=50)
        curves[f"{name}/by_step"] = by_step.return_curve(found)
    for name in PANELS:
        curves |= {f"{name}/{metric}": diagnosed(runs[name], metric) for metric in SHOWN}
    return curves


def diagnosed(runs: Sequence[Run], metric: str) -> dict[str, Any]:
    """A metric's band within `STEPS`, one point for 2,048 steps of experience."""
    step = 2048 // batch_size(runs[0])
    length = int((runs[0].metrics["charts/env_step"] <= STEPS).sum()) // step * step
    lines = np.stack([run.metrics[metric][:length].reshape(-1, step).mean(axis=1) for run in runs])
    return band(runs[0].metrics["charts/env_step"][step - 1 : length : step].astype(int), "env_step", lines)


def effect_values(values: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Entries "effects/OPTIMISER/OUTCOME/FACTORS": what a factor does, in each seed by itself.

    Each seed has all eight corners, from the same initial weights and start states. The effect of a factor is the mean
    of the four corners with the trap minus the mean of the four without. Of several factors, joined by "_x_", it is
    the mean of the corners with an even number of them left out minus that of the others: of two, half of what the
    second adds to the effect of the first. "alone/..." and "all/..." are single corners minus the one without a trap.
    """
    found = {}
    for optimizer, outcomes in OUTCOMES.items():
        for outcome in outcomes:
            entries = {key: values[f"{optimizer}_{corner}/{outcome}"] for key, corner in CORNERS.items()}
            table = np.array([[entries[key]["per_seed"]] for key in CORNERS], dtype=np.float64)[:, 0]  # [8, seeds]
            unit = entries[(False,) * len(FACTORS)]["unit"]
            for factors in EFFECTS:
                name = f"effects/{optimizer}/{outcome}/{'_x_'.join(factors)}"
                found[name] = entry(unit, signs(factors) @ table / (len(CORNERS) / 2))
            healthy = table[list(CORNERS).index((False, False, False))]
            for factor in FACTORS:
                only = tuple(name == factor for name in FACTORS)
                found[f"alone/{optimizer}/{outcome}/{factor}"] = entry(unit, table[list(CORNERS).index(only)] - healthy)
            found[f"all/{optimizer}/{outcome}"] = entry(unit, table[list(CORNERS).index((True, True, True))] - healthy)
    return found


def signs(factors: Sequence[str]) -> NDArray[np.float64]:
    """+1 or -1 for each corner: the product over the factors, +1 where the trap is there and -1 where it is not."""
    columns = [FACTORS.index(name) for name in factors]
    return np.prod([[1.0 if key[column] else -1.0 for column in columns] for key in CORNERS], axis=1)


def entry(unit: str, per_seed: NDArray[np.float64]) -> dict[str, Any]:
    """An entry of "values"."""
    return {"unit": unit, "statistics": [IQM], "per_seed": [rounded(float(number)) for number in per_seed]}
