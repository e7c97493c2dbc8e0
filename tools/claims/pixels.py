"""Lesson 04, section 12.1: a policy that sees. PPO on Catch with convolutions, with plain layers, and on shuffled pixels."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from pgcourse import ppo
from pgcourse.envs.catch import SIZE
from pgcourse.networks import CategoricalPolicy, ConvolutionalCritic, ConvolutionalPolicy, ValueNetwork
from pgcourse.study.seeds import Run

from .study import IQM, TO_THRESHOLD, Metric, Study, episodes_to, held_out

PICTURE, ACTIONS = (SIZE, SIZE, 1), 3
PIXELS = SIZE * SIZE
# Half the channels of the package's default. With plain layers of 64 both policies then have about 10,800 weights.
CHANNELS, PLAIN = (8, 16), (64, 64)
CONFIG = replace(ppo.CARTPOLE, env_id="Catch-v0", total_timesteps=24 * 1024, policy_lr=3e-3, critic_lr=3e-3)
# One order of the pixels for all runs: a picture that holds as much as before, and whose neighbours are no neighbours.
ORDER = torch.randperm(PIXELS, generator=torch.Generator().manual_seed(0))


class FlatPolicy(CategoricalPolicy):
    """Plain layers on the pixels as a vector: pictures [B, 10, 10, 1] -> Categorical with logits [B, 3]."""

    def forward(self, obs: Tensor) -> Distribution:
        return super().forward(obs.flatten(-3))


class FlatCritic(ValueNetwork):
    """Plain layers on the pixels as a vector: pictures [B, 10, 10, 1] -> values [B]."""

    def forward(self, obs: Tensor) -> Tensor:
        return super().forward(obs.flatten(-3))


def shuffled(obs: Tensor) -> Tensor:
    """The same pixels at other places, the same ones in every picture."""
    return obs.flatten(-3)[..., ORDER].view(obs.shape)


class ShuffledPolicy(ConvolutionalPolicy):
    """Convolutions that are given the pixels in another order."""

    def forward(self, obs: Tensor) -> Distribution:
        return super().forward(shuffled(obs))


class ShuffledCritic(ConvolutionalCritic):
    """Convolutions that are given the pixels in another order."""

    def forward(self, obs: Tensor) -> Tensor:
        return super().forward(shuffled(obs))


def convolutional_policy() -> nn.Module:
    """Two layers of 3 x 3 convolutions, then 64 units."""
    return ConvolutionalPolicy(PICTURE, ACTIONS, channels=CHANNELS)


def convolutional_critic() -> nn.Module:
    """The same for values."""
    return ConvolutionalCritic(PICTURE, channels=CHANNELS)


def flat_policy() -> nn.Module:
    """Two layers of 64 units with the same activation."""
    return FlatPolicy(PIXELS, ACTIONS, PLAIN, activation="relu")


def flat_critic() -> nn.Module:
    """The same for values."""
    return FlatCritic(PIXELS, PLAIN, activation="relu")


def shuffled_policy() -> nn.Module:
    """The network of `convolutional_policy` on shuffled pixels."""
    return ShuffledPolicy(PICTURE, ACTIONS, channels=CHANNELS)


def shuffled_critic() -> nn.Module:
    """The same for values."""
    return ShuffledCritic(PICTURE, channels=CHANNELS)


SEAMS: dict[str, dict[str, Any]] = {
    "convolutions": {"policy": convolutional_policy, "critic": convolutional_critic},
    "plain": {"policy": flat_policy, "critic": flat_critic},
    "shuffled": {"policy": shuffled_policy, "critic": shuffled_critic},
}
GOOD = 0.8  # a mean return: nine balls of ten
LAST = 200  # episodes


def caught(mean_return: float) -> float:
    """Share of balls that are caught, in percent: a return is 1 for one, else -1."""
    return 50 * (mean_return + 1)


def late_caught(run: Run) -> float:
    """Of the last 200 balls of training."""
    return caught(float(run.episodes["episodic_return"][-LAST:].mean()))


def steps_to_good(run: Run) -> int | None:
    """Environment steps when nine of the last 100 balls in ten had been caught for the first time."""
    episode = episodes_to(run, GOOD)
    return None if episode is None else int(run.episodes["env_step"][episode - 1])


def weights(run: Run) -> int:
    """Numbers in the policy that are trained."""
    return sum(int(array.size) for array in run.policy.values())


STUDY = Study(
    description=f"PPO on Catch-v0 for {CONFIG.total_timesteps:,} environment steps: convolutions, plain layers with about as "
    "many weights, and the same convolutions on pixels in another order.",
    variants=dict.fromkeys(SEAMS, CONFIG),
    seams=SEAMS,
    metrics={
        "late_caught": Metric("percent", [IQM], late_caught),
        "held_out_caught": Metric("percent", [IQM], lambda run: caught(held_out(run))),
        "steps_to_90": Metric("environment steps", TO_THRESHOLD, steps_to_good),
        "weights": Metric("weights", [IQM], weights),
    },
    x="env_step",
    every=1024,
    until=CONFIG.total_timesteps or 0,
    window=100,
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/pixels.json`."""
    return STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
