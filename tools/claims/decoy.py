"""Lesson 03, section 9.1: a small sure prize beside a large one at the end of a walk, A2C with several entropy bonuses."""

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch
from gymnasium import spaces
from gymnasium.envs.registration import register
from torch import Tensor

from pgcourse import a2c
from pgcourse.envs import TensorVectorEnv
from pgcourse.registration import NAMESPACE
from pgcourse.study.seeds import Run

from .study import IQM, OF_RETURN, Metric, Study, held_out, metric_mean

SMALL, LARGE = 1.0, 10.0
WALK = 1  # the action; the other one, 0, leaves


class DecoyVectorEnv(TensorVectorEnv):
    """N walks. State [N, 1]: the square, 0 the start; observation [N, SQUARES]: 1 at the square, all 0 after the end.

    Action 1 walks on by one square, and from the last one to the large prize. Action 0 ends the episode: with the small
    prize in the start square, with nothing in the others.
    """

    start_size = 1
    squares: ClassVar[int] = 8

    def __init__(self, num_envs: int = 1, *, max_episode_steps: int = 1000, device: str | torch.device = "cpu") -> None:
        super().__init__(num_envs, max_episode_steps=max_episode_steps, device=device)

    def spaces(self) -> tuple[spaces.Box, spaces.Discrete]:
        return spaces.Box(0.0, 1.0, (self.squares,), np.float32), spaces.Discrete(2)

    def start_states(self, numbers: Tensor) -> Tensor:
        return torch.zeros_like(numbers)

    def dynamics(self, state: Tensor, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        square, walks = state[:, 0], actions == WALK
        arrived = walks & (square == self.squares - 1)
        rewards = SMALL * (~walks & (square == 0)) + LARGE * arrived
        return (square + 1)[:, None], rewards, ~walks | arrived

    def observe(self, state: Tensor) -> Tensor:
        square = state[:, 0].long()  # [N]
        obs = torch.zeros(len(state), self.squares, device=state.device)
        return obs.scatter(1, square.clamp(max=self.squares - 1)[:, None], (square < self.squares).float()[:, None])


class FarDecoyVectorEnv(DecoyVectorEnv):
    """The same with a walk that a coin finishes once in a million episodes."""

    squares = 20


register(f"{NAMESPACE}Decoy-v0", vector_entry_point=DecoyVectorEnv)
register(f"{NAMESPACE}FarDecoy-v0", vector_entry_point=FarDecoyVectorEnv)

# Tables in place of networks, as in the long corridor. No advantage is standardised, so the bonus is in units of reward.
DECOY = a2c.A2CConfig(
    env_id="Decoy-v0", num_envs=16, num_steps=8, num_episodes=None, total_timesteps=51_200, gamma=1.0, gae_lambda=0.95,
    policy_lr=2e-2, critic_lr=5e-2, hidden_sizes=(),
)  # fmt: skip
VARIANTS = {
    "bonus_0": replace(DECOY, ent_coef=0.0),
    "bonus_01": replace(DECOY, ent_coef=0.1),
    "bonus_03": replace(DECOY, ent_coef=0.3),
    "bonus_1": replace(DECOY, ent_coef=1.0),
    "bonus_3": replace(DECOY, ent_coef=3.0),
    "far_0": replace(DECOY, ent_coef=0.0, env_id="FarDecoy-v0"),
    "far_1": replace(DECOY, ent_coef=1.0, env_id="FarDecoy-v0"),
}
ENTROPY = "losses/entropy"
LAST = 500  # episodes


def last_return(run: Run) -> float:
    """Mean return of the last 500 training episodes, whose actions are sampled."""
    return float(run.episodes["episodic_return"][-LAST:].mean())


def large(run: Run) -> float | None:
    """The held-out return where the most probable actions lead to the large prize; else None."""
    return held_out(run) if held_out(run) == LARGE else None


def finds(run: Run) -> int:
    """Training episodes that reached the large prize."""
    return int((run.episodes["episodic_return"] == LARGE).sum())


def first_find(run: Run) -> int | None:
    """The first of them; None where there is none."""
    return int(np.argmax(run.episodes["episodic_return"] == LARGE)) + 1 if finds(run) else None


def last_find(run: Run) -> int:
    """Environment step at which the last of them ended; 0 where there is none."""
    ended = run.episodes["env_step"][run.episodes["episodic_return"] == LARGE]
    return int(ended[-1]) if len(ended) else 0


STUDY = Study(
    description="A2C with tables for 51,200 environment steps in a walk of 8 squares to a prize of 10, with a sure prize of 1 "
    "at its start, and in one of 20 squares: entropy bonus 0, 0.1, 0.3, 1 and 3.",
    variants=VARIANTS,
    metrics={
        "last_500": Metric("return", OF_RETURN, last_return),
        "large": Metric("return", ["count"], large),
        "first_find": Metric("episodes", [IQM, "count"], first_find),
        "finds": Metric("episodes", [IQM, "worst"], finds),
        "last_find": Metric("environment steps", ["worst"], last_find),
        "last_entropy": Metric("nats", [IQM], lambda run: metric_mean(run, ENTROPY, last=20)),
    },
    x="env_step",
    every=1024,
    until=51_200,
    window=200,
    diagnosed=dict.fromkeys(VARIANTS, (ENTROPY,)),
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/decoy.json`."""
    return STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
