"""Lesson 05, section 12 (table of "Two robots"): PPO on HalfCheetah and Hopper, a million environment steps each.

Needs the extra "mujoco".
"""

from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import torch
from torch import nn

from pgcourse import ppo
from pgcourse.study.comparison import policy_of
from pgcourse.study.seeds import Run

from .pendulum import KL, STD, last_std
from .runs import kept_runs
from .study import IQM, OF_RETURN, Metric, Study, held_out, last_mean, metric_mean, rounded

STEPS = 1_000_000  # the budget of the published numbers
VARIANTS = {
    "half_cheetah": replace(ppo.HALF_CHEETAH, total_timesteps=STEPS),
    # The discount and the rate that CleanRL has. Over 300,000 steps of seeds 1 to 3 the last episodes returned 1,294 with this
    # rate and 1,496 with the cheetah's 1e-3, at 1,254 to 1,329 and 995 to 2,311: too little to choose by.
    "hopper": replace(ppo.HALF_CHEETAH, env_id="Hopper-v5", total_timesteps=STEPS, gamma=0.99, policy_lr=3e-4),
}


def half_way(run: Run) -> float:
    """Mean return of the last 100 episodes that ended in the first half of the budget."""
    return float(run.episodes["episodic_return"][run.episodes["env_step"] <= STEPS // 2][-100:].mean())


STUDY = Study(
    description=f"PPO on HalfCheetah-v5 and Hopper-v5 (Gymnasium, MuJoCo), {STEPS:,} environment steps, with the setting of "
    "`ppo.HALF_CHEETAH`; Hopper with a discount of 0.99 and a policy rate of 3e-4. Held-out returns: 100 episodes from fresh "
    "starts, most probable actions.",
    variants=VARIANTS,
    metrics={
        "held_out": Metric("return", OF_RETURN, held_out),
        "last_100": Metric("return", OF_RETURN, last_mean),
        "half_way": Metric("return", OF_RETURN, half_way),
        "last_std": Metric("torque", [IQM], last_std),
        "kl": Metric("nats", [IQM], lambda run: metric_mean(run, KL)),
    },
    x="env_step",
    every=20_000,
    until=STEPS,
    window=50,
    diagnosed=dict.fromkeys(VARIANTS, (STD,)),
    updates_a_point=10,
)


def upside_down(policy: nn.Module, *, episodes: int = 5) -> float:
    """Share of the cheetah's steps in which its back is below, when it takes the most probable actions."""
    env = gymnasium.make(ppo.HALF_CHEETAH.env_id)
    tilt = []  # of the torso [rad]; 0 is upright, pi on its back
    for seed in range(episodes):
        obs, _ = env.reset(seed=seed)
        over = False
        while not over:
            with torch.no_grad():
                action = policy(torch.as_tensor(obs, dtype=torch.float32)[None]).mode[0]
            obs, _, terminated, truncated, _ = env.step(action.numpy())
            tilt.append(obs[1])
            over = terminated or truncated
    env.close()
    return float((np.cos(tilt) < 0).mean())


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/mujoco.json`."""
    content = STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
    config = VARIANTS["half_cheetah"]
    runs = kept_runs(VARIANTS, content["seeds"], seams={}, num_workers=num_workers)["half_cheetah"]
    shares = [upside_down(policy_of(run, config)) for run in runs]
    entries = {"upside_down": ("of the steps", list(zip(content["seeds"], shares, strict=True)))}
    for name, wanted in (("on_its_back", True), ("on_its_feet", False)):
        group = [(run.seed, held_out(run)) for run, share in zip(runs, shares, strict=True) if (share > 0.5) == wanted]
        entries[name] = ("return", group)
    for name, (unit, numbers) in entries.items():
        content["values"][f"half_cheetah/{name}"] = {
            "unit": unit,
            "statistics": list(OF_RETURN),
            "seeds": [seed for seed, _ in numbers],
            "per_seed": [rounded(number) for _, number in numbers],
        }
    return content
