"""Lesson 04, section 12.2: actions that are not allowed, with a mask, without one, and with a mask in one place of two."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from gymnasium.vector import VectorEnv
from torch import Tensor, nn

from pgcourse import ppo
from pgcourse.diagnostics import approx_kl
from pgcourse.envs import env_seeds
from pgcourse.envs.tensor import TensorVectorEnv
from pgcourse.networks import CategoricalPolicy, MaskedPolicy, ValueNetwork
from pgcourse.optim import seeded
from pgcourse.rollout import collect_rollout
from pgcourse.study.seeds import Run

from .runs import kept_runs
from .study import IQM, Metric, Study, metric_mean, rounded

ROWS, COLUMNS = 4, 5
SQUARES = ROWS * COLUMNS
LIMIT = 50  # steps of an episode
GOAL = SQUARES - 1  # a corner
OBS = 2 * SQUARES
MASK_START = SQUARES


def neighbours() -> Tensor:
    """Which squares touch at an edge: [20, 20] bool, two to four in a row."""
    row, column = torch.arange(SQUARES) // COLUMNS, torch.arange(SQUARES) % COLUMNS
    return (row[:, None] - row).abs() + (column[:, None] - column).abs() == 1


class Board(TensorVectorEnv):
    """N tokens, each on a board of 4 x 5 squares. An action names the square to go to; only neighbours are allowed.

    The goal is a corner, the start any other square. State [N, 1]: the square. Observation [N, 40]: the square, one-hot, and the
    mask of the 20 actions. A step costs 1; an action that is not allowed changes nothing, and costs `penalty` besides.
    """

    start_size = 1

    def __init__(self, num_envs: int = 1, *, penalty: float = 0.0) -> None:
        super().__init__(num_envs, max_episode_steps=LIMIT)
        self.penalty = penalty
        self.allowed = neighbours()
        self.seen = torch.cat([torch.eye(SQUARES), self.allowed.float()], dim=-1)  # [20, 40]

    def spaces(self) -> tuple[spaces.Box, spaces.Discrete]:
        return spaces.Box(0.0, 1.0, (OBS,), np.float32), spaces.Discrete(SQUARES)

    def start_states(self, numbers: Tensor) -> Tensor:
        return (numbers * GOAL).floor()

    def dynamics(self, state: Tensor, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        square = state[:, 0].long()
        allowed = self.allowed[square, actions]  # [N]
        square = torch.where(allowed, actions, square)
        return square[:, None].to(state.dtype), -1.0 - self.penalty * ~allowed, square == GOAL

    def observe(self, state: Tensor) -> Tensor:
        return self.seen[state[:, 0].long()]


class HalfMasked(MaskedPolicy):
    """The bug: a mask on the policy that acts and none on the one that is trained, or the other way round.

    Collecting and evaluating run without gradients, an update with them: so it knows which of the two it is in.
    """

    def __init__(self, *, acts_masked: bool) -> None:
        super().__init__(OBS, SQUARES, HIDDEN, mask_start=MASK_START)
        self.acts_masked = acts_masked

    def forward(self, obs: Tensor) -> Any:
        acting = not torch.is_grad_enabled()
        return super().forward(obs) if acting == self.acts_masked else CategoricalPolicy.forward(self, obs)


CONFIG = replace(
    ppo.CARTPOLE, env_id="Board", total_timesteps=10 * 1024, num_envs=64, num_steps=16, policy_lr=3e-3, reward_scale=0.1
)
HIDDEN = CONFIG.hidden_sizes


def masked() -> nn.Module:
    """Allowed actions alone, in acting and in learning."""
    return MaskedPolicy(OBS, SQUARES, HIDDEN, mask_start=MASK_START)


def unmasked() -> nn.Module:
    """All actions. It sees the mask, as all others do."""
    return CategoricalPolicy(OBS, SQUARES, HIDDEN)


def masked_in_acting() -> nn.Module:
    """The mask is forgotten in the update."""
    return HalfMasked(acts_masked=True)


def masked_in_learning() -> nn.Module:
    """The mask is forgotten in the rollout."""
    return HalfMasked(acts_masked=False)


def boards(seed: int, penalty: float = 0.0) -> VectorEnv:
    """As many as the settings take."""
    envs = Board(CONFIG.num_envs, penalty=penalty)
    envs.reset(seed=env_seeds(seed, envs.num_envs))
    return envs


def boards_with_penalty(seed: int) -> VectorEnv:
    """The same, where an action that is not allowed costs 1 more than the step."""
    return boards(seed, penalty=1.0)


MAKERS = {
    "mask": masked,
    "nothing": unmasked,
    "penalty": unmasked,
    "acting_only": masked_in_acting,
    "learning_only": masked_in_learning,
}
SEAMS: dict[str, dict[str, Any]] = {
    name: {"policy": maker, "envs": boards_with_penalty if name == "penalty" else boards}
    for name, maker in MAKERS.items()
}
KL = "losses/approx_kl"
LAST = 100  # episodes


def late_steps(run: Run) -> float:
    """Steps of an episode, mean of the last 100; the limit where the goal is not reached."""
    return float(run.episodes["length"][-LAST:].mean())


def late_reached(run: Run) -> float:
    """Share of the last 100 episodes that end before the limit."""
    return float((run.episodes["length"][-LAST:] < LIMIT).mean())


STUDY = Study(
    description=f"PPO for {CONFIG.total_timesteps:,} environment steps on a board of 4 x 5 squares whose 20 actions name the "
    "square to go to, of which two to four are allowed: with a mask; without one, where another action does nothing, or is "
    "fined; and with a mask in acting or in learning alone.",
    variants=dict.fromkeys(MAKERS, CONFIG),
    seams=SEAMS,
    metrics={
        "late_steps": Metric("steps", [IQM], late_steps),
        "late_reached": Metric("of the episodes", [IQM], late_reached),
        "end_entropy": Metric("nats", [IQM], lambda run: metric_mean(run, "losses/entropy", last=3)),
        "kl": Metric("nats", [IQM], lambda run: metric_mean(run, KL)),
        "clipfrac": Metric("of the rows", [IQM], lambda run: metric_mean(run, "losses/clipfrac")),
    },
    x="env_step",
    every=1024,
    until=CONFIG.total_timesteps or 0,
)


def first_look(name: str, seed: int) -> dict[str, float]:
    """The first batch of a run, before any gradient step: mean ratio, approximate KL, allowed share of the actions."""
    with seeded(seed):
        policy, critic = MAKERS[name](), ValueNetwork(OBS, HIDDEN)
        envs = boards(seed)
        start, _ = envs.reset(seed=env_seeds(seed, envs.num_envs))
        rollout, _ = collect_rollout(policy, critic, envs, start, CONFIG.num_steps)
    log_prob = policy(rollout.obs).log_prob(rollout.actions).detach().flatten()  # with gradients, as an update has it
    old = rollout.log_prob.flatten()
    allowed = rollout.obs[..., MASK_START:].gather(-1, rollout.actions[..., None])
    return {
        "first_ratio": float((log_prob - old).exp().mean()),
        "first_kl": float(approx_kl(log_prob, old)),
        "first_allowed": float(allowed.mean()),
    }


UNITS = {"first_ratio": "probability by probability", "first_kl": "nats", "first_allowed": "of the actions"}


def with_lengths(runs: Sequence[Run]) -> list[Run]:
    """The same runs with an episode's steps in the place of its return, which would hold the fines."""
    changed = []
    for run in runs:
        episodes = run.episodes.copy()
        episodes["episodic_return"] = episodes["length"]
        changed.append(replace(run, episodes=episodes))
    return changed


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/masks.json`."""
    content = STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
    seeds = content["seeds"]
    runs = kept_runs(STUDY.variants, seeds, seams=SEAMS, num_workers=num_workers)
    for name in MAKERS:
        content["curves"][f"{name}/steps"] = STUDY.return_curve(with_lengths(runs[name]))
        looks = [first_look(name, seed) for seed in seeds]
        for key, unit in UNITS.items():
            per_seed = [rounded(look[key]) for look in looks]
            content["values"][f"{name}/{key}"] = {"unit": unit, "statistics": [IQM], "per_seed": per_seed}
    return content
