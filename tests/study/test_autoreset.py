"""Three autoreset modes, one truth: each environment by itself, episode by episode, step by step."""

from collections.abc import Callable
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from torch import Tensor, nn

from pgcourse import returns
from pgcourse.envs import as_tensor_envs
from pgcourse.errors import InvalidInput
from pgcourse.networks import ValueNetwork
from pgcourse.rollout import Rollout, collect_rollout
from pgcourse.study import autoreset

SEEDS = [11, 12, 13]
GAMMA, GAE_LAMBDA = 0.97, 0.9


class Scripted(nn.Module):
    """Always the same action in the same state, so that every mode plays the same episodes."""

    def __init__(self, env_id: str) -> None:
        super().__init__()
        self.discrete = env_id == "CartPole-v1"

    def forward(self, obs: Tensor) -> torch.distributions.Distribution:
        if self.discrete:  # pushes with the cart: falls after about 10 steps, at different ones in each episode
            right = 1e4 * (obs[..., 1] + obs[..., 2]).sign()
            return torch.distributions.Categorical(logits=torch.stack([-right, right], dim=-1))
        mean = torch.tanh(3 * obs[..., :1])
        return torch.distributions.Independent(torch.distributions.Normal(mean, 1e-30), 1, validate_args=False)


class Row(NamedTuple):
    obs: np.ndarray
    action: np.ndarray
    reward: float
    next_obs: np.ndarray
    terminated: bool
    truncated: bool


def make(env_id: str, limit: int) -> Callable[[], gymnasium.Env]:
    return lambda: gymnasium.make(env_id, max_episode_steps=limit)


def alone(env_id: str, limit: int, seed: int, num_rows: int, policy: nn.Module) -> list[Row]:
    """The life of one environment by itself, in which nothing resets but the loop below."""
    env, rows = make(env_id, limit)(), []
    obs, _ = env.reset(seed=seed)
    for _ in range(num_rows):
        action = policy(torch.tensor(obs[None], dtype=torch.float32)).sample()[0].numpy()
        next_obs, reward, terminated, truncated, _ = env.step(action)
        rows.append(Row(obs, action, float(reward), next_obs, terminated, truncated))
        obs = env.reset()[0] if terminated or truncated else next_obs
    return rows


def brute_force(rows: list[Row], critic: nn.Module) -> list[float]:
    """Advantages of consecutive rows, each as the sum over the rest of its episode: sum_k (gamma lambda)^k delta_k."""

    def value(obs: np.ndarray) -> float:
        with torch.no_grad():
            return critic(torch.tensor(obs[None], dtype=torch.float32)).item()

    deltas = [row.reward + (0.0 if row.terminated else GAMMA * value(row.next_obs)) - value(row.obs) for row in rows]
    advantages = []
    for start in range(len(rows)):
        total, weight = 0.0, 1.0
        for row, delta in zip(rows[start:], deltas[start:], strict=True):
            total += weight * delta
            weight *= GAMMA * GAE_LAMBDA
            if row.terminated or row.truncated:
                break
        advantages.append(total)
    return advantages


def collected(
    mode: AutoresetMode, env_id: str, limit: int, policy: nn.Module, critic: nn.Module, lengths: list[int]
) -> list[tuple[Rollout, Tensor]]:
    """Rollouts of these lengths one after the other, with their valid rows."""
    envs = SyncVectorEnv([make(env_id, limit)] * len(SEEDS), autoreset_mode=mode)
    out: list[tuple[Rollout, Tensor]] = []
    if mode == AutoresetMode.SAME_STEP:  # the collector that the package trains with
        ours = as_tensor_envs(envs)
        obs, _ = ours.reset(seed=SEEDS)
        for length in lengths:
            rollout, obs = collect_rollout(policy, critic, ours, obs, length)
            out.append((rollout, torch.ones_like(rollout.terminated)))
        return out
    is_next_step = mode == AutoresetMode.NEXT_STEP
    collect: Any = autoreset.collect_next_step if is_next_step else autoreset.collect_disabled
    carry = autoreset.begin(envs, seed=SEEDS)
    for length in lengths:
        rollout, valid, carry = collect(policy, critic, envs, carry, length)
        out.append((rollout, valid))
    return out


def advantages_of(rollout: Rollout) -> Tensor:
    fields = rollout.rewards, rollout.values, rollout.next_values, rollout.terminated, rollout.truncated
    return returns.gae(*fields, gamma=GAMMA, gae_lambda=GAE_LAMBDA)


MODES = [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED]
World = tuple[str, int, nn.Module, nn.Module]


@pytest.fixture(params=[("CartPole-v1", 9), ("Pendulum-v1", 7)], ids=lambda world: world[0])
def world(request: pytest.FixtureRequest) -> World:
    env_id, limit = request.param
    torch.manual_seed(3)
    critic = ValueNetwork(4 if env_id == "CartPole-v1" else 3, (16,))
    return env_id, limit, Scripted(env_id), critic


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
@pytest.mark.parametrize("lengths", [[60], [3] * 20, [1] * 40, [8, 1, 3, 20, 2]], ids=str)
def test_valid_rows_and_their_advantages_are_those_of_the_environment_alone(
    mode: AutoresetMode, lengths: list[int], world: World
) -> None:
    """Rollout by rollout, also where one begins with a reset row or ends with an episode."""
    env_id, limit, policy, critic = world
    rollouts = collected(mode, env_id, limit, policy, critic, lengths)
    began_with_a_reset_row = any(not valid[0].all() for _, valid in rollouts)
    for n, seed in enumerate(SEEDS):
        truth = alone(env_id, limit, seed, sum(lengths), policy)
        position = 0
        for rollout, valid in rollouts:
            keep = valid[:, n]
            rows = truth[position : position + int(keep.sum())]
            position += len(rows)
            if not rows:
                continue
            expected = [[getattr(row, name) for row in rows] for name in ("obs", "reward", "terminated", "truncated")]
            found = rollout.obs, rollout.rewards, rollout.terminated, rollout.truncated
            for column, values in zip(found, expected, strict=True):
                np.testing.assert_allclose(column[keep, n], values, rtol=1e-5, atol=1e-6)
            ours = advantages_of(rollout)[keep, n].numpy()
            np.testing.assert_allclose(ours, brute_force(rows, critic), rtol=1e-4, atol=1e-4)
        assert (ends := sum(row.terminated or row.truncated for row in truth[:position])) >= 3
        missing = sum(lengths) - position  # the reset rows, one for each end but the very last row's
        assert missing == 0 if mode != AutoresetMode.NEXT_STEP else ends - 1 <= missing <= ends
    if mode == AutoresetMode.NEXT_STEP and len(lengths) > 5:
        assert began_with_a_reset_row


def test_both_kinds_of_end_come_up() -> None:
    rows = [row for seed in SEEDS for row in alone("CartPole-v1", 9, seed, 60, Scripted("CartPole-v1"))]
    assert min(sum(row.terminated for row in rows), sum(row.truncated for row in rows)) >= 3
    assert all(row.truncated for row in alone("Pendulum-v1", 7, 1, 70, Scripted("Pendulum-v1"))[6::7])


def test_the_three_modes_agree_on_every_complete_episode(world: World) -> None:
    env_id, limit, policy, critic = world
    found = []
    for mode in MODES:
        ((rollout, valid),) = collected(mode, env_id, limit, policy, critic, [80])
        advantages, done = advantages_of(rollout), rollout.terminated | rollout.truncated
        found.append([advantages[valid[:, n], n][: int(done[valid[:, n], n].nonzero()[-1]) + 1] for n in range(3)])
    for n in range(3):
        shortest = min(len(columns[n]) for columns in found)
        assert shortest > 40
        for columns in found[1:]:
            torch.testing.assert_close(columns[n][:shortest], found[0][n][:shortest], rtol=1e-5, atol=1e-5)


def test_a_reset_row_that_is_kept_is_experience_that_never_was() -> None:
    """The counter-example: reward 0, and a step from the last observation of one episode to the first of the next."""
    policy, critic = Scripted("Pendulum-v1"), ValueNetwork(3, (16,))
    ((rollout, valid),) = collected(AutoresetMode.NEXT_STEP, "Pendulum-v1", 7, policy, critic, [40])
    reset_rows = ~valid
    assert reset_rows.sum() == 3 * 5  # after every seventh step
    assert torch.equal(rollout.rewards == 0, reset_rows)
    assert not (rollout.terminated | rollout.truncated)[reset_rows].any()


@pytest.mark.parametrize(
    ("wrong", "right"), [("SAME_STEP", "NEXT_STEP"), ("DISABLED", "NEXT_STEP"), ("NEXT_STEP", "DISABLED")]
)
def test_environments_in_another_mode_are_refused_with_the_line_that_makes_them(wrong: str, right: str) -> None:
    collect: Any = getattr(autoreset, f"collect_{right.lower()}")
    envs = SyncVectorEnv([make("CartPole-v1", 9)], autoreset_mode=AutoresetMode[wrong])
    with pytest.raises(InvalidInput, match=f"{wrong}, this collector is for {right}: .*AutoresetMode.{right}"):
        collect(Scripted("CartPole-v1"), ValueNetwork(4), envs, autoreset.begin(envs, seed=0), 3)
