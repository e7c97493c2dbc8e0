"""Complete episodes of the acting policy, one from each environment, whatever their length; and rollouts over their ends."""

import math

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from torch import Tensor, nn

from pgcourse.envs import ShortCorridorVectorEnv, TensorVectorEnv, as_tensor_envs, make_envs
from pgcourse.networks import CategoricalPolicy
from pgcourse.rollout import collect_episodes, collect_rollout, flatten


class Coin(TensorVectorEnv):
    """The start decides the length: in half of the episodes 1 step, in the other half 20. Observation: steps left."""

    start_size = 1

    def __init__(self, num_envs: int) -> None:
        super().__init__(num_envs, max_episode_steps=100)

    def spaces(self):
        return spaces.Box(0, 20, (1,)), spaces.Discrete(2)

    def start_states(self, numbers: Tensor) -> Tensor:
        return torch.where(numbers < 0.5, 1.0, 20.0)

    def dynamics(self, state: Tensor, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        state = state - 1
        return state, torch.ones(len(state)), state[:, 0] <= 0

    def observe(self, state: Tensor) -> Tensor:
        return state


@pytest.mark.parametrize("env_id", ["CartPole-v1", "MountainCar-v0"])
def test_an_episode_holds_what_the_policy_saw_and_did_in_one_environment(env_id: str) -> None:
    torch.manual_seed(0)
    envs = make_envs(env_id, 3, seed=0)
    policy = CategoricalPolicy(*envs.single_observation_space.shape, int(envs.single_action_space.n))
    seen: list[Tensor] = []
    done: list[Tensor] = []

    class Recording(nn.Module):
        def forward(self, obs: Tensor):
            distribution = policy(obs)
            inner = distribution.sample

            def sample(*shape):
                seen.append(obs.clone())
                done.append(inner(*shape))
                return done[-1].clone()

            distribution.sample = sample
            return distribution

    episodes = collect_episodes(Recording(), envs)
    assert len(episodes) == 3
    for n, episode in enumerate(episodes):
        length = len(episode.rewards)
        assert torch.equal(episode.obs, torch.stack(seen)[:length, n])  # of [T, N, D]
        assert torch.equal(episode.actions, torch.stack(done)[:length, n])  # of [T, N]


def test_an_episode_is_complete_and_begins_at_its_start() -> None:
    """Replayed in an environment of its own, it begins where it says and ends with its last step, not before."""
    torch.manual_seed(1)
    envs = make_envs("CartPole-v1", 5, seed=0)
    for episode in collect_episodes(CategoricalPolicy(4, 2), envs):
        replay = make_envs("CartPole-v1", 1, seed=0)
        replay.reset()
        replay.state = episode.obs[:1].clone()
        assert (episode.obs[0].abs() <= 0.05).all()
        for t, action in enumerate(episode.actions):
            obs, reward, terminated, truncated, _ = replay.step(action[None])
            assert reward.item() == episode.rewards[t].item()
            last = t == len(episode.actions) - 1
            assert bool(terminated | truncated) == last
            if not last:
                torch.testing.assert_close(obs[0], episode.obs[t + 1])


def test_a_truncated_episode_is_complete_too() -> None:
    envs = ShortCorridorVectorEnv(2, max_episode_steps=4)
    envs.reset(seed=0)

    class AlwaysRight(nn.Module):
        def forward(self, obs: Tensor):
            return torch.distributions.Categorical(logits=torch.tensor([-math.inf, 0.0]).expand(len(obs), 2))

    assert [len(episode.rewards) for episode in collect_episodes(AlwaysRight(), envs)] == [4, 4]


def test_short_episodes_are_not_preferred() -> None:
    """Half of the starts last 1 step, half 20. The first 200 to finish are nearly all short; one per start is fair."""
    envs = Coin(400)
    envs.reset(seed=0)
    lengths = np.array([len(episode.rewards) for episode in collect_episodes(CategoricalPolicy(1, 2), envs)])
    assert set(lengths) == {1, 20}
    assert abs((lengths == 1).mean() - 0.5) < 4 * 0.5 / math.sqrt(400)

    # What the rule avoids, shown with the same environment: stop when as many episodes have finished.
    envs.reset()
    finished: list[int] = []
    running = torch.zeros(400, dtype=torch.int64)
    while len(finished) < 400:
        running += 1
        _, _, terminated, _, _ = envs.step(torch.zeros(400))
        finished += running[terminated].tolist()
        running[terminated] = 0
    assert np.mean(np.array(finished[:400]) == 1) > 0.7


def test_the_next_batch_has_new_start_states() -> None:
    envs = make_envs("CartPole-v1", 4, seed=0)
    policy = CategoricalPolicy(4, 2)
    starts = [tuple(episode.obs[0].tolist()) for _ in range(3) for episode in collect_episodes(policy, envs)]
    assert len(set(starts)) == 12


def test_what_is_collected_can_be_used_in_a_loss() -> None:
    envs = make_envs("CartPole-v1", 2, seed=0)
    policy = CategoricalPolicy(4, 2)
    episode = collect_episodes(policy, envs)[0]
    assert not episode.obs.requires_grad
    (policy(episode.obs).log_prob(episode.actions) * episode.rewards).sum().backward()
    assert all(parameter.grad is not None for parameter in policy.parameters())


def test_a_box_action_keeps_its_axis_and_its_unclipped_value() -> None:
    base = SyncVectorEnv(
        [lambda: gymnasium.make("MountainCarContinuous-v0", max_episode_steps=30)] * 2,
        autoreset_mode=AutoresetMode.SAME_STEP,
    )

    class Far(nn.Module):
        def forward(self, obs: Tensor):
            normal = torch.distributions.Normal(torch.full((len(obs), 1), 7.0), 0.1)
            return torch.distributions.Independent(normal, 1)

    episodes = collect_episodes(Far(), as_tensor_envs(base))
    assert [episode.actions.shape for episode in episodes] == [(30, 1), (30, 1)]
    assert all((episode.actions > 5).all() for episode in episodes)  # the environment itself takes at most 1


class StepsLeft(nn.Module):
    """A critic that gives `Coin`'s observation back."""

    def forward(self, obs: Tensor) -> Tensor:
        return obs[:, 0]


@pytest.mark.parametrize("limit", [100, 7], ids=["terminated", "truncated too"])
def test_the_next_value_is_of_the_true_last_observation_and_never_of_the_next_start(limit: int) -> None:
    """One step is left after each than before it, at an episode's end too; a start would have 1 or 20."""
    envs = Coin(16)
    envs.max_episode_steps = limit
    start, _ = envs.reset(seed=0)
    policy = CategoricalPolicy(1, 2)
    first, obs = collect_rollout(policy, StepsLeft(), envs, start, 45)
    assert first.terminated.any() and bool(first.truncated.any()) == (limit == 7)
    assert torch.equal(first.values, first.obs[..., 0])
    assert torch.equal(first.next_values, first.values - 1)
    assert (first.next_values[first.terminated] == 0).all() and (first.next_values[first.truncated] == 13).all()
    # Rows go on from one another, but for those after an end, and so does the next rollout.
    done = first.terminated | first.truncated
    assert torch.equal(first.obs[0], start)
    assert torch.equal(first.obs[1:, :, 0][~done[:-1]], first.next_values[:-1][~done[:-1]])
    assert set(first.obs[1:, :, 0][done[:-1]].tolist()) == {1.0, 20.0}
    second, _ = collect_rollout(policy, StepsLeft(), envs, obs, 2)
    assert torch.equal(second.obs[0], obs)
    assert torch.equal(obs[:, 0][~done[-1]], first.next_values[-1][~done[-1]])


def test_a_rollout_holds_the_log_probabilities_of_the_policy_that_acted() -> None:
    torch.manual_seed(0)
    envs, policy = make_envs("CartPole-v1", 4, seed=0), CategoricalPolicy(4, 2)
    rollout, _ = collect_rollout(policy, lambda obs: obs[:, 0], envs, envs.reset()[0], 8)
    with torch.no_grad():
        logits = policy(rollout.obs.flatten(0, 1)).logits.view(8, 4, 2)
    expected = logits.log_softmax(dim=-1).gather(-1, rollout.actions[..., None]).squeeze(-1)
    torch.testing.assert_close(rollout.log_prob, expected)
    assert rollout.log_prob.shape == rollout.rewards.shape == (8, 4)


def test_the_batch_of_a_rollout_has_targets_of_advantages_plus_values() -> None:
    envs = Coin(3)
    start, _ = envs.reset(seed=0)
    rollout, _ = collect_rollout(CategoricalPolicy(1, 2), StepsLeft(), envs, start, 5)
    advantages = torch.arange(15.0).view(5, 3)
    batch = flatten(rollout, advantages)
    assert torch.equal(batch.advantages, torch.arange(15.0))
    assert torch.equal(batch.returns, torch.arange(15.0) + rollout.obs.flatten())
    assert torch.equal(batch.obs[:, 0], rollout.obs.flatten()) and torch.equal(batch.actions, rollout.actions.flatten())
