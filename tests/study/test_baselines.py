"""The study of lesson 02 measures what it says: nothing but what is named is subtracted, and the ladder's formulas hold."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from pgcourse import losses, make_envs, optim, reinforce
from pgcourse.networks import CategoricalPolicy, ValueNetwork
from pgcourse.returns import discounted_returns
from pgcourse.rollout import Episode, collect_episodes
from tools.claims import baselines as study
from tools.claims.baselines import RunningMeanUpdate, fit, flat, scaled_loss

Played = tuple[Any, list[Episode]]
CONFIG = replace(reinforce.CARTPOLE_NO_BASELINE, normalize_weights=False)


@pytest.fixture(scope="module")
def played() -> Played:
    with optim.seeded(0):
        policy = CategoricalPolicy(4, 2)
        return policy, collect_episodes(policy, make_envs("CartPole-v1", 24, seed=0))


def test_scaled_weights_keep_their_sign_and_their_offset() -> None:
    log_prob, weight = torch.tensor([-1.0, -2.0]), torch.tensor([10.0, 14.0])  # standard deviation 2
    torch.testing.assert_close(scaled_loss(log_prob, weight), losses.reinforce_loss(log_prob, torch.tensor([5.0, 7.0])))


def test_the_running_mean_is_that_of_the_batches_before_and_begins_anew_with_another_policy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used: list[float] = []

    def recorded(log_prob: Tensor, weight: Tensor) -> Tensor:
        used.append(float(weight))
        return losses.reinforce_loss(log_prob, weight)

    monkeypatch.setattr("tools.claims.baselines.scaled_loss", recorded)
    update = RunningMeanUpdate(share=0.5)
    first, second = CategoricalPolicy(4, 2), CategoricalPolicy(4, 2)
    for policy, reward in ((first, 4.0), (first, 8.0), (first, 6.0), (second, 9.0)):
        episode = Episode(torch.zeros(1, 4), torch.zeros(1, dtype=torch.int64), torch.tensor([reward]))
        optimizer: Any = torch.optim.SGD(policy.parameters(), lr=0.0)
        update(policy, None, optimizer, None, [episode], replace(CONFIG, gamma=1.0))
    # 0 before the first batch; then 4; then 4 + (8 - 4) / 2 = 6; then another run.
    assert used == [4.0, 4.0, 0.0, 9.0]


def test_a_paired_value_loss_teaches_the_mean_and_nothing_else(played: Played) -> None:
    episodes = played[1]
    config = replace(reinforce.CARTPOLE, critic_steps=300, max_grad_norm=None)
    obs, returns = flat(episodes, config.gamma)
    explained = {}
    for paired in (True, False):
        with optim.seeded(0):
            critic = ValueNetwork(4)
        fit(critic, optim.adam(critic.parameters(), 1e-2), episodes, config, paired=paired)
        values = critic(obs).detach()
        assert values.mean() == pytest.approx(float(returns.mean()), rel=0.05)
        explained[paired] = float(1 - (returns - values).var() / returns.var())
    assert abs(explained[True]) < 0.02 < 0.3 < explained[False]


def test_each_row_of_weights_gives_its_own_gradient(played: Played) -> None:
    policy, episodes = played
    episode = episodes[0]
    weights = torch.stack([torch.ones_like(episode.rewards), torch.arange(len(episode.rewards)).float()])
    rows = study.episode_gradients(policy, episode, weights)
    for row, weight in zip(rows, weights, strict=True):
        parts = torch.autograd.grad((policy(episode.obs).log_prob(episode.actions) * weight).sum(), policy.parameters())
        torch.testing.assert_close(row, torch.cat([part.flatten() for part in parts]), rtol=1e-4, atol=1e-5)


def test_no_other_constant_leaves_less_than_the_best_one(played: Played) -> None:
    policy, episodes = played
    best = study.best_constants(policy, episodes)[0.99]
    returns = [discounted_returns(episode.rewards, gamma=0.99) for episode in episodes]

    def second_moment(constant: float) -> float:
        return sum(
            float(study.episode_gradients(policy, episode, (weights - constant)[None]).square().sum())
            for episode, weights in zip(episodes, returns, strict=True)
        )

    assert second_moment(best) < min(second_moment(best - 0.5), second_moment(best + 0.5))


def test_every_rung_is_relative_to_reward_to_go_and_subtracting_a_constant_helps(played: Played) -> None:
    policy, episodes = played
    with optim.seeded(0):
        rungs = study.measure_rungs(policy, ValueNetwork(4), episodes[:12], episodes[12:])
    assert rungs["to_go"] == rungs["undiscounted/to_go"] == 1.0
    assert rungs["undiscounted/whole"] > 1.0 > rungs["mean"]
