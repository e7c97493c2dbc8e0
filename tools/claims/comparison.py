"""Lesson 07, table of section 3.5 and all of section 4: the course's five agents, 1,000 episodes each."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pgcourse.config import Config
from pgcourse.evaluation import evaluate
from pgcourse.statistics import moving_average
from pgcourse.study import comparison
from pgcourse.study.seeds import Run

from .runs import kept_runs
from .study import IQM, OF_RETURN, TO_THRESHOLD, Metric, Study, episodes_to, held_out, last_mean, rounded, steps_to

EPISODES = 1000
SOLVED = comparison.SOLVED
GYM_SOLVED = 195  # of CartPole-v0, whose episodes ended at 200 steps
VARIANTS = comparison.agents(EPISODES)
POLICY_LOSS, VALUE_LOSS, ENTROPY = "losses/policy_loss", "losses/value_loss", "losses/entropy"
EARLY_UPDATES = 5  # in the mean that a value loss begins with


def learning(run: Run, name: str) -> np.ndarray:
    """A metric's updates until 475 is reached; all of them in a run that never reaches it."""
    steps = steps_to(run, SOLVED) or np.inf
    return run.metrics[name][run.metrics["charts/env_step"] <= steps]


def sampled(run: Run, config: Config) -> float:
    """Mean return of the held-out start states when actions are drawn as in training, not the most probable ones."""
    policy = comparison.policy_of(run, config)
    return evaluate(policy, config.env_id, num_episodes=100, seed=run.seed, deterministic=False).mean


def value_loss_rise(run: Run) -> float | None:
    """Highest value loss while it learns, as a multiple of the first; each the mean of five updates."""
    if VALUE_LOSS not in run.metrics:
        return None
    smooth = moving_average(learning(run, VALUE_LOSS), EARLY_UPDATES)[EARLY_UPDATES - 1 :]
    return float(smooth.max() / smooth[0])


STUDY = Study(
    description=f"The course's five agents on CartPole-v1, each for {EPISODES:,} episodes and none stopped early: REINFORCE "
    "without and with baseline, A2C, PPO, and PPO with three traps (long rollouts, a slow critic, gradients clipped together).",
    variants=VARIANTS,
    seams=comparison.SEAMS,
    metrics={
        "last_100": Metric("return", OF_RETURN, lambda run: last_mean(run, EPISODES)),
        "held_out": Metric("return", OF_RETURN, held_out),
        "episodes_to_475": Metric("episodes", TO_THRESHOLD, lambda run: episodes_to(run, SOLVED, EPISODES)),
        "episodes_to_195": Metric("episodes", TO_THRESHOLD, lambda run: episodes_to(run, GYM_SOLVED, EPISODES)),
        "steps_to_475": Metric("environment steps", TO_THRESHOLD, lambda run: steps_to(run, SOLVED)),
        "steps": Metric("environment steps", [IQM], lambda run: int(run.episodes["env_step"][:EPISODES][-1])),
        "updates": Metric("updates", [IQM], lambda run: len(run.metrics[POLICY_LOSS])),
        "end_entropy": Metric("nats", [IQM], lambda run: float(run.metrics[ENTROPY][-5:].mean())),
        "positive_policy_loss": Metric(
            "of the updates", [IQM], lambda run: float((learning(run, POLICY_LOSS) > 0).mean())
        ),
        "value_loss_rise": Metric("times", [IQM, "count"], value_loss_rise),
    },
    every=10,
    until=EPISODES,
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/comparison.json`."""
    content = STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
    runs = kept_runs(VARIANTS, content["seeds"], seams=comparison.SEAMS, num_workers=num_workers)
    content["values"] |= {
        f"{name}/sampled": {
            "unit": "return",
            "statistics": list(OF_RETURN),
            "per_seed": [rounded(sampled(run, VARIANTS[name])) for run in group],
        }
        for name, group in runs.items()
    }
    content["curves"] |= step_curves(runs)
    content["policies"] = {name: stored_policy(comparison.middle_run(group)) for name, group in runs.items()}
    return content


def step_curves(runs: Mapping[str, Sequence[Run]]) -> dict[str, Any]:
    """Return by environment step, of each agent as far as its shortest run goes."""
    curves = {}
    for name, group in runs.items():
        until = min(int(run.episodes["env_step"][-1]) for run in group)
        by_step = replace(STUDY, x="env_step", every=max(until // 80, 1), until=until)
        curves[f"{name}/by_step"] = by_step.return_curve(group)
    return curves


def stored_policy(run: Run) -> dict[str, Any]:
    """The final policy of a run, so that a page can show it at work: weights as base64 of little-endian float32."""
    return {
        "seed": run.seed,
        "held_out": rounded(held_out(run)),
        "weights": {
            name: {"shape": list(array.shape), "float32": base64.b64encode(array.astype("<f4").tobytes()).decode()}
            for name, array in run.policy.items()
        },
    }
