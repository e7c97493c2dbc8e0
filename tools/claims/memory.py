"""Lesson 04, section 12.3: CartPole without velocities, with frames stacked, with a GRU, and with three bugs of the GRU."""

from dataclasses import replace
from typing import Any

import torch
from gymnasium.vector import VectorEnv
from torch import Tensor, nn

from pgcourse import ppo
from pgcourse.algorithms import recurrent
from pgcourse.algorithms.recurrent import RecurrentCritic, RecurrentPolicy
from pgcourse.envs import FrameStack, TensorVectorEnv, make_envs
from pgcourse.rollout import Rollout

from .study import IQM, OF_RETURN, TO_THRESHOLD, Metric, Study, held_out, last_mean, metric_mean, steps_to

STEPS = 200_000
SEEN = 2  # numbers of an observation: position and angle
GRU = replace(recurrent.CARTPOLE, total_timesteps=STEPS)
FULL = replace(ppo.CARTPOLE, total_timesteps=STEPS)
POSITIONS = replace(FULL, env_id=GRU.env_id, normalize_observations=True)
VARIANTS = {
    "full": FULL,
    "positions": POSITIONS,
    "frames_2": POSITIONS,
    "frames_4": POSITIONS,
    "gru": GRU,
    "gru_not_reset": GRU,
    "gru_zero_start": GRU,
    "gru_rows": GRU,
}
KL = "losses/approx_kl"


def stacked(seed: int, num_frames: int) -> VectorEnv:
    """The environments of a run, with the last observations side by side."""
    envs = make_envs(POSITIONS.env_id, POSITIONS.num_envs, seed=seed)
    assert isinstance(envs, TensorVectorEnv)
    return FrameStack(envs, num_frames)


def two_frames(seed: int) -> VectorEnv:
    """The last two observations."""
    return stacked(seed, 2)


def four_frames(seed: int) -> VectorEnv:
    """The last four observations."""
    return stacked(seed, 4)


def gru_policy() -> nn.Module:
    """The package's, of the study's size."""
    return RecurrentPolicy(SEEN, 2, GRU.hidden_sizes, normalize_observations=GRU.normalize_observations)


def gru_critic() -> nn.Module:
    """The package's, of the study's size."""
    return RecurrentCritic(SEEN, GRU.hidden_sizes, normalize_observations=GRU.normalize_observations)


class Unheard:
    """Environments that tell of no episode's end, and keep the flags back."""

    def __init__(self, envs: VectorEnv) -> None:
        self.envs = envs
        self.flags: list[tuple[Tensor, Tensor]] = []

    def step(self, actions: Tensor) -> Any:
        obs, rewards, terminated, truncated, info = self.envs.step(actions)
        self.flags.append((terminated, truncated))
        never = torch.zeros_like(terminated)
        return obs, rewards, never, never, info


def collect_without_reset(
    policy: RecurrentPolicy, critic: RecurrentCritic, envs: VectorEnv, obs: Tensor, num_steps: int
) -> tuple[Rollout, Tensor]:
    """`recurrent.collect`, where the states go on over the ends of episodes, as they then do in the update."""
    unheard: Any = Unheard(envs)
    rollout, obs = recurrent.collect(policy, critic, unheard, obs, num_steps)
    terminated, truncated = (torch.stack(column) for column in zip(*unheard.flags, strict=True))
    return rollout._replace(terminated=terminated, truncated=truncated), obs


def update_from_zeros(policy: RecurrentPolicy, critic: RecurrentCritic, *rest: Any, **seams: Any) -> Any:
    """`recurrent.update`, where every sequence begins with an empty memory, whatever the agent had in its own."""
    for memory in (policy.memory, critic.memory):
        memory.first = torch.zeros_like(memory.first)
    return recurrent.update(policy, critic, *rest, **seams)


NETWORKS = {"policy": gru_policy, "critic": gru_critic, "collect_fn": recurrent.collect, "update_fn": recurrent.update}
STUDY = Study(
    description=f"PPO on CartPole-v1 for {STEPS:,} environment steps: with the whole state, with positions only, with the last "
    "two and four observations stacked, and with a GRU in policy and critic; and with that GRU not emptied where an episode "
    "ends, started from zeros in every update, and updated by ordinary PPO on shuffled rows.",
    variants=VARIANTS,
    seams={
        "frames_2": {"envs": two_frames},
        "frames_4": {"envs": four_frames},
        "gru": NETWORKS,
        "gru_not_reset": NETWORKS | {"collect_fn": collect_without_reset},
        "gru_zero_start": NETWORKS | {"update_fn": update_from_zeros},
        "gru_rows": NETWORKS | {"update_fn": ppo.update},
    },
    metrics={
        "steps_to_475": Metric("environment steps", TO_THRESHOLD, lambda run: steps_to(run, 475)),
        "late": Metric("return", OF_RETURN, last_mean),
        "held_out": Metric("return", OF_RETURN, held_out),
        "kl": Metric("nats", [IQM], lambda run: metric_mean(run, KL)),
    },
    every=4000,
    until=STEPS,
    x="env_step",
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/memory.json`."""
    return STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
