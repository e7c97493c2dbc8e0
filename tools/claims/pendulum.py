"""The study behind lesson 05: what continuous actions need and what Pendulum wants, each change over ten seeds."""

from typing import Any

from pgcourse.algorithms.ppo import PENDULUM
from pgcourse.statistics import episodes_to_threshold
from pgcourse.study.seeds import Run

from .pendulum_variants import SEAMS, VARIANTS
from .summary import IQM, OF_RETURN, TO_THRESHOLD, Metric, Study, held_out, last_mean, metric_mean

SOLVED = -200.0  # return of an episode
WINDOW = 2 * PENDULUM.num_envs  # episodes: two rounds, so that every point holds whole rounds
STD, ENTROPY, KL, NORM = "charts/action_std", "losses/entropy", "losses/approx_kl", "losses/policy_grad_norm"
EXPLAINED, VALUES, RETURNS = "losses/explained_variance", "charts/value_mean", "charts/return_mean"
WIDTH = (STD, ENTROPY, KL, NORM)
CRITIC = (VALUES, RETURNS, EXPLAINED)


def solved(run: Run) -> float | None:
    """The held-out return where it is good enough, else None."""
    return held_out(run) if held_out(run) >= SOLVED else None


def steps_to_solved(run: Run) -> int | None:
    """Environment steps taken when the mean of the last 48 training episodes first reached the threshold."""
    episode = episodes_to_threshold(run.episodes["episodic_return"], threshold=SOLVED, window=2 * WINDOW)
    return None if episode is None else int(run.episodes["env_step"][episode - 1])


def last_std(run: Run) -> float | None:
    """Standard deviation of the policy at the end; None where it is no single number."""
    return float(run.metrics[STD][-1]) if STD in run.metrics else None


def early_explained_variance(run: Run) -> float:
    """Mean explained variance over the first half of the training."""
    numbers = run.metrics[EXPLAINED]
    return float(numbers[: len(numbers) // 2].mean())


STUDY = Study(
    description="PPO on Pendulum-v1 for 100,000 environment steps: the package's settings, each of them taken back to "
    "CartPole's, other policies for the same actions, and four ways to spoil it.",
    variants=VARIANTS,
    seams=SEAMS,
    metrics={
        "held_out": Metric("return", OF_RETURN, held_out),
        "solved": Metric("return", ["count"], solved),
        "last_100": Metric("return", OF_RETURN, last_mean),
        "steps_to_solved": Metric("environment steps", TO_THRESHOLD, steps_to_solved),
        "last_std": Metric("N m", [IQM], last_std),
        "grad_norm": Metric("norm", [IQM], lambda run: metric_mean(run, NORM)),
        "kl": Metric("nats", [IQM], lambda run: metric_mean(run, KL)),
        "early_explained_variance": Metric("of the variance", [IQM], early_explained_variance),
    },
    x="env_step",
    every=PENDULUM.batch_size,
    until=100_800,
    window=WINDOW,
    diagnosed={
        "pendulum": (*WIDTH, *CRITIC),
        **dict.fromkeys(("constant_lr", "clipped_actions", "frozen_std", "std_01"), WIDTH),
        **dict.fromkeys(("all", "all_but_reward_scale"), CRITIC),
    },
    updates_a_point=2,
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/pendulum.json`."""
    return STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
