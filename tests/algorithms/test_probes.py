"""Each algorithm on environments with known answers, in order of what they ask for; see pgcourse/envs/probes.py."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from pgcourse import a2c, ppo, reinforce, returns, trpo
from pgcourse.algorithms.by_name import TRAIN
from pgcourse.envs import probes
from pgcourse.runs import Result
from pgcourse.study.probing import probe_algorithm

SMALL: dict[str, Any] = {"hidden_sizes": (16,), "gamma": 0.9}  # which tells a discount from none within two steps
BATCH = SMALL | {"num_envs": 16}
ROLLOUT = BATCH | {"num_steps": 8, "total_timesteps": 128 * 25}
CONFIGS: dict[str, Any] = {
    "reinforce": replace(
        reinforce.CARTPOLE, **BATCH, total_timesteps=None, num_episodes=16 * 50, policy_lr=2e-2, critic_lr=3e-2
    ),
    "a2c": replace(
        a2c.CARTPOLE, **BATCH, num_steps=4, total_timesteps=64 * 100, num_episodes=None, ent_coef=0.0, policy_lr=2e-2,
        critic_lr=3e-2, max_grad_norm=None, reward_scale=1.0,
    ),
    "online": replace(
        a2c.ONLINE, **SMALL, total_timesteps=500, num_episodes=None, ent_coef=0.0, policy_lr=1e-2, critic_lr=1e-2,
        max_grad_norm=None,
    ),
    "ppo": replace(ppo.CARTPOLE, **ROLLOUT, minibatch_size=64, policy_lr=1e-2, critic_lr=2e-2),
    "trpo": replace(trpo.CARTPOLE, **ROLLOUT, max_kl=0.02, critic_lr=2e-2, critic_steps=10),
}  # fmt: skip
batched = pytest.mark.parametrize("name", ["reinforce", "a2c", "ppo", "trpo"])
# The time limit is further below. One environment sees too little of most probes.
PAIRS = [
    (name, probe) for name in CONFIGS for probe in probes.PROBES if probe is not probes.Endless and name != "online"
]
PAIRS += [("online", probes.DelayedReward), ("online", probes.ObservationAndAction)]


def solve(name: str, probe: type[probes.Probe], **parts: Any) -> Result:
    config = CONFIGS[name]
    return TRAIN[config.algorithm](config, envs=probe(config.num_envs), **parts)


@pytest.mark.parametrize(("name", "probe"), PAIRS)
def test_values_and_actions_are_the_known_ones(name: str, probe: type[probes.Probe]) -> None:
    (finding,) = probe_algorithm(TRAIN[CONFIGS[name].algorithm], CONFIGS[name], probes=[probe])
    assert finding.answers and finding.passed, finding
    if probe in (probes.ConstantReward, probes.DelayedReward):
        assert all(abs(answer.found - float(answer.expected)) < 0.05 for answer in finding.answers)


@batched
def test_a_continuous_policy_moves_its_mean_to_the_best_action(name: str) -> None:
    result = solve(name, probes.ContinuousTarget)
    with torch.no_grad():
        distribution = result.policy(torch.ones(1, 1))
    assert distribution.mean.item() == pytest.approx(0.5, abs=0.15)
    assert distribution.stddev.item() < 0.95  # from 1: less noise is better here


def as_if_terminated(
    rewards: Tensor, values: Tensor, next_values: Tensor, terminated: Tensor, truncated: Tensor, **settings: float
) -> Tensor:
    return returns.gae(rewards, values, next_values, terminated | truncated, truncated, **settings)


@pytest.mark.parametrize("name", ["a2c", "ppo", "trpo"])
def test_a_time_limit_does_not_end_the_future(name: str) -> None:
    """V = 1 / (1 - 0.9) = 10. Whoever takes the limit for an end finds the mean of (1 - 0.9^k) / 0.1, k = 1 to 8: 3.6."""
    wrong = sum((1 - 0.9**k) / 0.1 for k in range(1, 9)) / 8
    assert wrong == pytest.approx(3.59, abs=0.01)
    right, cut_off = (
        solve(name, probes.Endless, **parts).critic(torch.ones(1, 1)).item()
        for parts in ({}, {"advantage_fn": as_if_terminated})
    )
    assert right == pytest.approx(10.0, abs=0.5) and cut_off < 5
