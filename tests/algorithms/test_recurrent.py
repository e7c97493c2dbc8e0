"""PPO with a memory: what is computed anew is what acted, episodes know nothing of each other, and it learns to remember."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import Tensor, nn

from pgcourse import Checkpoint, evaluate, load, losses, make_envs, ppo, record_gif
from pgcourse.algorithms import recurrent
from pgcourse.algorithms.recurrent import RecurrentCritic, RecurrentPolicy
from pgcourse.envs import TensorVectorEnv, env_seeds, make_single_env
from pgcourse.errors import InvalidInput
from pgcourse.evaluation import play
from pgcourse.returns import gae, normalize
from pgcourse.rollout import Batch, Rollout, flatten
from tests.algorithms.test_resume import same

TASK = "CartPolePositions-v0"
N, T = 5, 12
TINY: Any = replace(
    recurrent.CARTPOLE, num_envs=N, num_steps=T, minibatch_size=2 * T, update_epochs=2, hidden_sizes=(6, 5),
    total_timesteps=N * T * 6,
)  # fmt: skip


def networks(seed: int = 0) -> tuple[RecurrentPolicy, RecurrentCritic]:
    """With weights so large that a state left out or left over is seen at once."""
    torch.manual_seed(seed)
    policy, critic = RecurrentPolicy(2, 2, (6, 5)), RecurrentCritic(2, (6, 5))
    with torch.no_grad():
        for parameter in (*policy.parameters(), *critic.parameters()):
            parameter.copy_(torch.randn_like(parameter))
    return policy, critic


def rollouts(
    policy: RecurrentPolicy, critic: RecurrentCritic, *, steps: int = T, count: int = 1, limit: int = 500
) -> list[Rollout]:
    """Of five environments, one after the other; CartPole lasts about ten steps under a policy like these."""
    envs: Any = make_envs(TASK, N, seed=3)
    envs.max_episode_steps = limit
    torch.manual_seed(1)
    obs, found = envs.reset(seed=3)[0], []
    for _ in range(count):
        rollout, obs = recurrent.collect(policy, critic, envs, obs, steps)
        found.append(rollout)
    return found


def episodes(ended: Tensor) -> list[tuple[int, slice]]:
    """(environment, steps) of every episode, or part of one, in a rollout [T, N]."""
    found = []
    for n in range(ended.shape[1]):
        start = 0
        for t in range(len(ended)):
            if ended[t, n] or t == len(ended) - 1:
                found.append((n, slice(start, t + 1)))
                start = t + 1
    return found


def one_by_one(network: Any, obs: Tensor, first: Tensor, ended: Tensor) -> Tensor:
    """States [T, N, H], every episode by itself with nothing but the cell: from `first` at the rollout's start, else zeros."""
    rows: dict[tuple[int, int], Tensor] = {}
    for n, steps in episodes(ended):
        state = first[n : n + 1] if steps.start == 0 else torch.zeros(1, first.shape[1], dtype=first.dtype)
        for t in range(steps.start, steps.stop):
            state = network.memory.cell(obs[t, n : n + 1], state)
            rows[t, n] = state[0]
    return torch.stack([torch.stack([rows[t, n] for n in range(ended.shape[1])]) for t in range(len(ended))])


# Unrolling.


def test_unroll_by_hand() -> None:
    inputs = torch.ones(4, 2, 1)
    ended = torch.tensor([[False, False], [True, False], [False, False], [False, True]])
    outputs, state = recurrent.unroll(lambda x, h: x + h / 2, inputs, torch.tensor([[4.0], [0.0]]), ended)
    assert outputs[..., 0].T.tolist() == [[3.0, 2.5, 1.0, 1.5], [1.0, 1.5, 1.75, 1.875]]
    assert state.tolist() == [[1.5], [0.0]]


def test_unroll_equals_its_episodes_one_by_one_in_values_and_gradients() -> None:
    generator = torch.Generator().manual_seed(0)
    policy = RecurrentPolicy(3, 2, (4, 4)).double()
    obs = torch.randn(9, 5, 3, generator=generator, dtype=torch.float64)
    first = torch.randn(5, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    ended = torch.rand(9, 5, generator=generator) < 0.25
    assert ended.any() and len(episodes(ended)) > 10
    wanted = [first, *policy.memory.cell.parameters()]
    outputs, _ = recurrent.unroll(policy.remember, obs, first, ended)
    expected = one_by_one(policy, obs, first, ended)
    assert torch.allclose(outputs, expected)
    weight = torch.randn(outputs.shape, generator=generator, dtype=torch.float64)
    for one, other in zip(
        torch.autograd.grad((outputs * weight).sum(), wanted), torch.autograd.grad((expected * weight).sum(), wanted),
        strict=True,
    ):  # fmt: skip
        assert torch.allclose(one, other) and one.any()


# Collecting.


def test_log_probabilities_computed_anew_are_those_of_acting() -> None:
    """In the second rollout, which begins in the middle of episodes, and within which some end."""
    policy, critic = networks()
    rollout = rollouts(policy, critic, count=2)[-1]
    ended, first = policy.memory.ended, policy.memory.first
    assert ended.equal(rollout.terminated | rollout.truncated) and ended.any() and first.any(dim=-1).any()

    def log_prob(first: Tensor, ended: Tensor) -> Tensor:
        states, _ = recurrent.unroll(policy.remember, rollout.obs, first, ended)
        return policy.decide(states).log_prob(rollout.actions)

    assert (log_prob(first, ended) - rollout.log_prob).abs().max() < 1e-5
    assert (log_prob(0 * first, ended) - rollout.log_prob).abs().max() > 0.01
    assert (log_prob(first, ended & False) - rollout.log_prob).abs().max() > 0.01
    assert (log_prob(first, ended.roll(1, 0)) - rollout.log_prob).abs().max() > 0.01


def test_two_rollouts_are_one_of_twice_the_length() -> None:
    halves = rollouts(*networks(), count=2)
    (whole,) = rollouts(*networks(), steps=2 * T)
    for column, parts in zip(whole, zip(*halves, strict=True), strict=True):
        assert torch.allclose(column.float(), torch.cat(parts).float(), atol=1e-5)


def test_a_memory_is_empty_when_the_environments_are_reset() -> None:
    policy, critic = networks()
    first = rollouts(policy, critic, count=2)[0]
    assert policy.memory.state.any()
    again = rollouts(policy, critic)[0]  # other environments, with the same networks
    assert not policy.memory.first.any() and not critic.memory.first.any()
    assert all(one.equal(other) for one, other in zip(first, again, strict=True))


def test_the_next_value_is_of_the_episode_that_ends() -> None:
    """Where the time limit ends it, that value is all that is known of its future."""
    policy, critic = networks()
    (rollout,) = rollouts(policy, critic, limit=5)
    ended = rollout.terminated | rollout.truncated
    assert (rollout.truncated & ~rollout.terminated).any()
    running = ~ended[:-1]
    assert torch.allclose(rollout.next_values[:-1][running], rollout.values[1:][running], atol=1e-5)
    # A limit that is not there: the same episodes, and what the limit hid.
    (longer,) = rollouts(*networks(), limit=500)
    before = int(ended.any(dim=1).int().argmax())  # the first step with an end; up to it all is equal
    cut = rollout.truncated[before] & ~longer.terminated[before]
    assert cut.any()
    assert torch.allclose(rollout.next_values[before][cut], longer.values[before + 1][cut], atol=1e-5)


# The update.


def sgd(parameters: Any, learning_rate: float) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=1.0)


def batch_of(rollout: Rollout) -> Batch:
    columns = rollout[3:]
    return flatten(rollout, gae(*columns, gamma=0.9, gae_lambda=0.8))


def test_an_update_follows_the_gradient_of_every_episode_by_itself() -> None:
    policy, critic = networks()
    batch = batch_of(rollouts(policy, critic, count=2)[-1])
    config = replace(TINY, update_epochs=1, minibatch_size=N * T, max_grad_norm=None, ent_coef=0.1)
    before = [parameter.detach().clone() for parameter in (*policy.parameters(), *critic.parameters())]

    obs, ended = batch.obs.view(T, N, -1), policy.memory.ended
    distribution = policy.decide(one_by_one(policy, obs, policy.memory.first, ended).flatten(0, 1))
    log_prob = distribution.log_prob(batch.actions)
    assert torch.allclose(log_prob, batch.log_prob, atol=1e-5)
    # The derivative of the ratio where it is 1 is that of the log-probability.
    loss = -(normalize(batch.advantages) * log_prob).mean() - config.ent_coef * distribution.entropy().mean()
    values = critic.judge(one_by_one(critic, obs, critic.memory.first, ended).flatten(0, 1))
    expected = [
        *torch.autograd.grad(loss, list(policy.parameters())),
        *torch.autograd.grad(losses.value_loss(values, batch.returns), list(critic.parameters())),
    ]

    optimizers = sgd(policy.parameters(), 0), sgd(critic.parameters(), 0)
    metrics = recurrent.update(policy, critic, *optimizers, batch, config)
    moved = [old - new for old, new in zip(before, (*policy.parameters(), *critic.parameters()), strict=True)]
    for one, other in zip(moved, expected, strict=True):
        assert torch.allclose(one, other, rtol=1e-3, atol=2e-5)
    assert float(metrics["charts/recomputed_log_prob"]) < 1e-5


def test_a_minibatch_is_whole_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    policy, critic = networks()
    batch = batch_of(rollouts(policy, critic)[0])
    seen: list[Tensor] = []

    def watched(cell: Any, inputs: Tensor, state: Tensor, ended: Tensor) -> tuple[Tensor, Tensor]:
        seen.append(inputs)
        return unroll(cell, inputs, state, ended)

    unroll = recurrent.unroll
    monkeypatch.setattr(recurrent, "unroll", watched)
    optimizers = sgd(policy.parameters(), 0), sgd(critic.parameters(), 0)
    recurrent.update(policy, critic, *optimizers, batch, replace(TINY, update_epochs=1))
    columns = {tuple(column.flatten().tolist()) for column in batch.obs.view(T, N, -1).unbind(1)}
    found = [tuple(column.flatten().tolist()) for inputs in seen[::2] for column in inputs.unbind(1)]
    assert len(found) == N and set(found) == columns


def test_a_minibatch_of_parts_of_sequences_is_refused() -> None:
    with pytest.raises(InvalidInput, match="minibatch_size=30 is not a multiple of num_steps=12"):
        recurrent.train(replace(TINY, minibatch_size=30))


def test_spaces_without_a_recurrent_network_are_refused() -> None:
    for env_id in ("Pendulum-v1", "Catch-v0"):
        with pytest.raises(InvalidInput, match="flat observations and Discrete actions"):
            recurrent.train(replace(TINY, env_id=env_id))


# Whole runs.


class Recall(TensorVectorEnv):
    """The first observation is 1 or -1, the others are 0; the third action is right where it tells which it was."""

    start_size = 1

    def __init__(self, num_envs: int) -> None:
        super().__init__(num_envs, max_episode_steps=10)

    def spaces(self) -> tuple[spaces.Box, spaces.Discrete]:
        return spaces.Box(-1, 1, (1,), np.float32), spaces.Discrete(2)

    def start_states(self, numbers: Tensor) -> Tensor:
        return torch.cat([(numbers > 0.5) * 2.0 - 1, torch.zeros_like(numbers)], dim=-1)

    def dynamics(self, state: Tensor, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        cue, step = state.unbind(-1)
        last = step == 2
        return torch.stack([cue, step + 1], -1), (last & (actions == (cue > 0))).float(), last

    def observe(self, state: Tensor) -> Tensor:
        return (state[:, 0] * (state[:, 1] == 0))[:, None]


def test_it_learns_to_remember_and_a_network_without_memory_does_not() -> None:
    config = replace(
        recurrent.CARTPOLE, num_envs=16, num_steps=8, minibatch_size=128, update_epochs=4, hidden_sizes=(16, 16),
        policy_lr=1e-2, critic_lr=1e-2, reward_scale=1.0, total_timesteps=128 * 60,
    )  # fmt: skip
    result = recurrent.train(config, envs=Recall(16))
    assert result.episodes["episodic_return"][-200:].mean() > 0.9
    assert evaluate(result.policy, Recall(100), seed=0).mean > 0.95
    without = ppo.train(config, envs=Recall(16))
    assert abs(without.episodes["episodic_return"][-200:].mean() - 0.5) < 0.2


def test_an_episode_is_played_the_same_way_after_another_one() -> None:
    policy, _ = networks()
    env = make_single_env(TASK)
    other = env_seeds(0, 2, "evaluation")[1]
    alone = len(list(play(policy, env, start=other, deterministic=True))) - 1
    assert alone > 2
    policy.memory.state = torch.randn(7, 6)  # that of training has no part in it
    second = evaluate(policy, env, num_episodes=2, seed=0).lengths[1]
    assert second == alone


def test_a_run_is_saved_loaded_evaluated_and_filmed(tmp_path: Any) -> None:
    result = recurrent.train(TINY)
    again = load(result.save(tmp_path / "run"))
    assert isinstance(again.policy, RecurrentPolicy) and isinstance(again.critic, RecurrentCritic)
    before, after = (evaluate(run.policy, TASK, num_episodes=20, seed=1).returns for run in (result, again))
    assert before.tolist() == after.tolist()
    assert record_gif(again.policy, TASK, tmp_path / "agent.gif", seed=0, max_steps=5).stat().st_size > 1000


def test_looking_at_the_agent_does_not_change_its_training() -> None:
    def looked_at(progress: Any) -> None:
        evaluate(progress.policy, TASK, num_episodes=3, seed=0)

    assert same(recurrent.train(TINY), recurrent.train(TINY, on_iteration=looked_at))


def test_a_run_goes_on_from_its_checkpoint_bit_for_bit(tmp_path: Any) -> None:
    whole = recurrent.train(TINY)
    stopped = recurrent.train(
        TINY, checkpoint=Checkpoint(tmp_path, every=3), on_iteration=lambda progress: progress.iteration == 3
    )
    assert stopped.policy.memory.state.any()  # type: ignore[union-attr]
    assert same(whole, recurrent.train(TINY, checkpoint=Checkpoint(tmp_path, every=3, resume=True)))


def test_stock_ppo_takes_the_networks_and_forgets_at_every_row() -> None:
    """The classic bug runs without an error: rows dealt one by one start from an empty memory, and the ratio is not 1."""
    config = replace(TINY, update_epochs=1, minibatch_size=N * T)
    policy, critic = networks()
    result = recurrent.train(config, policy=policy, critic=critic, update_fn=ppo.update)
    assert (np.abs(result.metrics["charts/ratio_mean"] - 1) > 1e-3).all()
    assert isinstance(policy, nn.Module)
