"""Each trap differs from its healthy run in the way that its name says, and in nothing else."""

import math
import pickle
from dataclasses import asdict, replace
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pgcourse import InvalidInput, Result, a2c, losses, make_envs, optim, ppo, reinforce
from pgcourse.algorithms.by_name import made_fresh
from pgcourse.envs import PendulumVectorEnv
from pgcourse.networks import CategoricalPolicy, GaussianPolicy, ValueNetwork
from pgcourse.returns import gae, normalize
from pgcourse.rollout import Batch, Episode, collect_episodes, collect_rollout
from pgcourse.study import traps
from pgcourse.study.alarms import BY_ID as ALARMS
from pgcourse.study.traps import TRAPS, Trap, data, distributions
from pgcourse.study.traps import losses as wrong_losses
from pgcourse.study.traps.losses import MinibatchLosses, update_with
from pgcourse.study.traps.optimizers import joint_clipping_step

IDS = [trap.id for trap in TRAPS]


def stop_after(count: int) -> dict[str, Any]:
    return {"on_iteration": lambda progress: progress.iteration >= count}


def first_updates(train: Any, count: int = 2) -> Result:
    return train(seed=3, **stop_after(count))


def same_weights(first: nn.Module, second: nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


@pytest.fixture
def batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    obs = torch.randn(64, 4, generator=generator)
    actions = torch.randint(2, (64,), generator=generator)
    advantages, returns = torch.randn(2, 64, generator=generator)
    return Batch(obs, actions, torch.full((64,), -math.log(2)), advantages, returns)


def make_networks() -> tuple[nn.Module, nn.Module]:
    with optim.seeded(0):
        return CategoricalPolicy(4, 2, (8,)), ValueNetwork(4, (8,))


def sgd_of(*networks: nn.Module) -> list[torch.optim.Optimizer]:
    return [torch.optim.SGD(network.parameters(), lr=1.0) for network in networks]


def test_the_list_has_every_bug_of_the_unit_once() -> None:
    assert len(IDS) == len(set(IDS)) == 22
    assert [traps.find(trap_id) for trap_id in IDS] == list(TRAPS)
    for trap in TRAPS:
        assert getattr(traps, trap.id.replace("-", "_").upper()) is trap
    with pytest.raises(InvalidInput, match="no trap 'joint'; known are joint-clipping"):
        traps.find("joint")


@pytest.mark.parametrize("trap", TRAPS, ids=IDS)
def test_a_trap_is_one_change_says_what_it_is_and_travels_to_another_process(trap: Trap) -> None:
    assert len(trap.config_changes) + len(trap.seams) == 1 or trap.id == "long-rollouts"
    for text in (trap.explanation, trap.symptom, trap.fix):
        assert len(text) > 20 and text.endswith(".")
    assert trap.title and trap.shown_by
    assert trap.alarms <= ALARMS.keys()
    assert trap.visible == bool(trap.alarms)
    differing = {key for key, value in asdict(trap.config).items() if value != asdict(trap.base)[key]}
    assert differing == set(trap.config_changes)
    again = pickle.loads(pickle.dumps(trap))
    assert again.id == trap.id and again.config == trap.config
    for name, seam in trap.seams.items():
        assert again.seams[name] is seam or type(again.seams[name]) is type(seam)


@pytest.fixture(scope="module")
def healthy_runs() -> dict[str, Result]:
    """The first update of each healthy run, made once."""
    return {}


@pytest.mark.parametrize("trap", TRAPS, ids=IDS)
def test_a_trap_trains_and_moves_off_the_healthy_run(trap: Trap, healthy_runs: dict[str, Result]) -> None:
    # Ratios leave the interval in the first updates; until one does, an unused clip changes nothing.
    count = 4 if trap.id == "unused-setting" else 1
    key = f"{trap.base}{trap.base_seams}{count}"
    if key not in healthy_runs:
        healthy_runs[key] = first_updates(trap.train_healthy, count)
    ill, healthy = first_updates(trap.train, count), healthy_runs[key]
    assert len(ill.metrics["charts/env_step"]) == len(healthy.metrics["charts/env_step"]) == count
    names = healthy.metrics.keys() - {"charts/SPS"}
    differs = [not np.array_equal(ill.metrics[name], healthy.metrics[name]) for name in names]
    assert any(differs), "the bug has to change something"


def test_the_fix_is_the_healthy_run() -> None:
    trap = traps.OLD_LOG_PROB_RECOMPUTED
    plain = ppo.train(replace(trap.base, seed=3), device="cpu", **stop_after(2))
    healthy = first_updates(trap.train_healthy)
    assert same_weights(plain.policy, healthy.policy) and same_weights(plain.critic, healthy.critic)
    ill = ppo.train(replace(trap.config, seed=3), device="cpu", **stop_after(2), **trap.seams)
    assert same_weights(ill.policy, first_updates(trap.train).policy)


def right_losses(policy: nn.Module, critic: nn.Module, batch: Batch, config: ppo.PPOConfig) -> MinibatchLosses:
    distribution = policy(batch.obs)
    log_prob, entropy = distribution.log_prob(batch.actions), distribution.entropy().mean()
    policy_loss = losses.ppo_clip_loss(log_prob, batch.log_prob, batch.advantages, clip_coef=config.clip_coef)
    value_loss = losses.value_loss(critic(batch.obs), batch.returns)
    return MinibatchLosses(policy_loss - config.ent_coef * entropy, value_loss, log_prob, batch.log_prob, entropy)


def test_the_update_around_the_losses_is_ppos_own() -> None:
    """With the right losses it gives PPO's weights bit for bit, so what a trap's losses change is all that changes."""

    def update(*arguments: Any, **functions: Any) -> dict[str, Tensor | float]:
        return update_with(right_losses, *arguments, **functions)

    config = replace(ppo.CARTPOLE, seed=3, ent_coef=0.05)
    stop = {"device": "cpu"} | stop_after(3)
    ours, theirs = ppo.train(config, update_fn=update, **stop), ppo.train(config, **stop)
    assert same_weights(ours.policy, theirs.policy) and same_weights(ours.critic, theirs.critic)
    assert ours.metrics.keys() == theirs.metrics.keys()
    for name in theirs.metrics.keys() - {"charts/SPS"}:
        np.testing.assert_allclose(ours.metrics[name], theirs.metrics[name], rtol=1e-4, atol=1e-6, err_msg=name)


def test_broadcasting_fits_every_value_to_every_return(batch: Batch) -> None:
    policy, critic = make_networks()
    values = critic(batch.obs).detach()
    found = wrong_losses.broadcasting_losses(policy, critic, batch, ppo.CARTPOLE)
    pairs = [0.5 * (v - g) ** 2 for v in values.numpy() for g in batch.returns.numpy()]
    assert found.value.item() == pytest.approx(np.mean(pairs), rel=1e-4)
    perfect = batch._replace(returns=values)
    assert wrong_losses.broadcasting_losses(policy, critic, perfect, ppo.CARTPOLE).value.item() > 1e-4
    assert right_losses(policy, critic, perfect, ppo.CARTPOLE).value.item() == 0


def test_the_entropy_has_the_other_sign(batch: Batch) -> None:
    arguments: Any = *make_networks(), batch, replace(ppo.CARTPOLE, ent_coef=0.5)
    wrong, right = wrong_losses.entropy_sign_losses(*arguments), right_losses(*arguments)
    assert float(wrong.policy - right.policy) == pytest.approx(2 * 0.5 * float(right.entropy), rel=1e-5)
    assert float(wrong.value) == float(right.value)


def test_a_recomputed_log_prob_is_that_of_today(batch: Batch) -> None:
    found = wrong_losses.recomputed_losses(*make_networks(), batch, ppo.CARTPOLE)
    assert torch.equal(found.log_prob, found.old_log_prob) and not found.old_log_prob.requires_grad
    assert not torch.equal(found.old_log_prob, batch.log_prob)


def test_flipped_advantages_push_the_other_way() -> None:
    log_prob = torch.zeros(2, requires_grad=True)
    loss = wrong_losses.flipped_advantage_loss(log_prob, torch.zeros(2), torch.tensor([1.0, -3.0]), clip_coef=0.2)
    loss.backward()
    assert log_prob.grad is not None and log_prob.grad.tolist() == [0.5, -1.5]  # right: [-0.5, 1.5]


def test_the_unused_setting_is_not_used() -> None:
    log_prob, old, advantages = torch.tensor([0.7, -0.7]), torch.zeros(2), torch.tensor([1.0, -1.0])
    wrong = [wrong_losses.unclipped_loss(log_prob, old, advantages, clip_coef=clip).item() for clip in (0.1, 0.5)]
    right = [losses.ppo_clip_loss(log_prob, old, advantages, clip_coef=clip).item() for clip in (0.1, 0.5)]
    assert wrong[0] == wrong[1] == pytest.approx(-(math.exp(0.7) - math.exp(-0.7)) / 2, rel=1e-5)
    assert right[0] != right[1]


def test_without_detach_the_policys_loss_moves_the_critic(batch: Batch) -> None:
    moved = {}
    for name, update in {"wrong": wrong_losses.missing_detach_update, "right": a2c.update}.items():
        policy, critic = make_networks()
        learnt = batch._replace(returns=critic(batch.obs).detach())  # nothing left for the critic to learn
        before = [parameter.detach().clone() for parameter in critic.parameters()]
        config = replace(a2c.CARTPOLE, normalize_advantages=False)
        update(policy, critic, *sgd_of(policy, critic), learnt, config)
        moved[name] = max(float((a - b).abs().max()) for a, b in zip(before, critic.parameters(), strict=True))
    assert moved["right"] < 1e-6 < 1e-2 < moved["wrong"]


def test_joint_clipping_shrinks_the_policys_step_by_the_critics_gradient() -> None:
    steps = {}
    for name, step in {"joint": joint_clipping_step, "own": optim.actor_critic_step}.items():
        policy, critic = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
        before = float(policy.weight), float(critic.weight)
        loss = 0.3 * policy.weight.sum(), 40 * critic.weight.sum()
        norms = step(*loss, policy, critic, *sgd_of(policy, critic), max_grad_norm=0.5)
        assert [float(norm) for norm in norms] == pytest.approx([0.3, 40]), "norms are those before clipping"
        steps[name] = before[0] - float(policy.weight), before[1] - float(critic.weight)
    assert steps["own"] == pytest.approx((0.3, 0.5), rel=1e-4)
    assert steps["joint"] == pytest.approx((0.3 * 0.5 / 40.001, 0.5), rel=1e-3)


def test_what_the_optimiser_does_not_know_stays_as_it_was() -> None:
    trap = traps.MISSING_PARAMETERS
    ill, healthy = first_updates(trap.train, 1), first_updates(trap.train_healthy, 1)
    assert ill.metrics["updates/policy.log_std"].tolist() == [0] < healthy.metrics["updates/policy.log_std"].tolist()
    for name, parameter in ill.policy.named_parameters():
        if parameter.ndim == 1 and name != "log_std":
            assert not parameter.any(), f"{name} begins at 0 and stays there"
    assert ill.metrics["updates/policy.mean"].min() > 0


def test_stale_episodes_go_on_under_the_next_policy() -> None:
    envs = make_envs("CartPole-v1", 8, seed=1)
    collect = data.StaleCollector()

    class Constant(nn.Module):
        def __init__(self, action: int) -> None:
            super().__init__()
            self.logits = torch.full((2,), -100.0).index_fill(0, torch.tensor(action), 100.0)

        def forward(self, obs: Tensor) -> torch.distributions.Distribution:
            return torch.distributions.Categorical(logits=self.logits.expand(len(obs), 2))

    first = collect(Constant(0), envs)
    assert 1 <= len(first) < 8, "it does not wait for all"
    mixed = collect(Constant(1), envs)
    assert any(set(episode.actions.tolist()) == {0, 1} for episode in mixed), "actions of two policies in one episode"
    on_policy = collect_episodes(Constant(1), envs)
    assert len(on_policy) == 8 and all(set(episode.actions.tolist()) == {1} for episode in on_policy)


def test_a_time_limit_taken_for_an_end_has_no_future() -> None:
    one, ten, yes, no = torch.ones(1, 1), torch.full((1, 1), 10.0), torch.ones(1, 1).bool(), torch.zeros(1, 1).bool()
    numbers = {"gamma": 0.9, "gae_lambda": 0.95}
    assert float(gae(one, ten, ten, no, yes, **numbers)) == pytest.approx(1 + 0.9 * 10 - 10)
    assert float(data.truncation_as_termination(one, ten, ten, no, yes, **numbers)) == pytest.approx(1 - 10)
    for terminated in (yes, no):
        wrong = data.truncation_as_termination(one, ten, ten, terminated, no, **numbers)
        assert torch.equal(wrong, gae(one, ten, ten, terminated, no, **numbers)), "no time limit, no bug"


def test_reset_rows_are_those_of_gymnasiums_next_step_mode() -> None:
    """The same rules as Gymnasium's own vector environment, step by step, from the same states."""
    ours = data.NextStepCartPole(3)
    obs, _ = ours.reset(seed=[1, 2, 3])
    theirs = gymnasium.make_vec("CartPole-v1", num_envs=3, vectorization_mode="sync")
    assert theirs.metadata["autoreset_mode"] == gymnasium.vector.AutoresetMode.NEXT_STEP
    theirs.reset(seed=0)
    for single, state in zip(theirs.envs, obs.numpy(), strict=True):
        single.unwrapped.state = tuple(float(x) for x in state)
    waiting, resets = np.zeros(3, bool), 0
    for actions in np.random.default_rng(0).integers(2, size=(60, 3)):
        next_obs, rewards, terminated, truncated, info = ours.step(torch.tensor(actions))
        their_obs, their_rewards, their_terminated, their_truncated, _ = theirs.step(actions)
        resets += waiting.sum()
        assert rewards.tolist() == pytest.approx(their_rewards.tolist())
        assert terminated.tolist() == their_terminated.tolist() and truncated.tolist() == their_truncated.tolist()
        np.testing.assert_allclose(next_obs[~waiting], their_obs[~waiting], rtol=1e-3, atol=1e-5)
        assert (next_obs[waiting].abs() <= 0.05).all(), "a reset row ends in a start state"
        assert torch.equal(info["final_obs"], next_obs)
        for index in np.flatnonzero(waiting):  # go on from the same start state
            theirs.envs[index].unwrapped.state = tuple(float(x) for x in next_obs[index])
        waiting = their_terminated | their_truncated
    assert resets >= 3


def test_with_reset_rows_an_episode_is_a_step_longer_than_its_return() -> None:
    ill, healthy = (first_updates(train) for train in (traps.RESET_ROWS.train, traps.RESET_ROWS.train_healthy))
    assert (healthy.episodes["length"] == healthy.episodes["episodic_return"]).all()
    extra = ill.episodes["length"] - ill.episodes["episodic_return"]
    assert set(extra.tolist()) == {0, 1}
    assert (extra == 0).sum() == traps.RESET_ROWS.base.num_envs, "all but the first of each environment"


def test_clipped_actions_are_stored_with_their_own_log_prob() -> None:
    collected: dict[Any, Any] = {}
    for collect in (data.collect_clipped, collect_rollout):
        with optim.seeded(0):
            policy, critic = GaussianPolicy(3, 1, initial_std=1.5), ValueNetwork(3)
            envs = make_envs("Pendulum-v1", 16, seed=0)
            collected[collect], _ = collect(policy, critic, envs, envs.reset(seed=1)[0], 20)
    rollout, right = collected.values()
    beyond = right.actions.abs() > 2
    assert 0.1 < beyond.float().mean() < 0.3 and float(rollout.actions.abs().max()) == 2
    assert torch.equal(rollout.actions[~beyond], right.actions[~beyond])
    with torch.no_grad():
        expected = policy(rollout.obs.flatten(0, 1)).log_prob(rollout.actions.flatten(0, 1))
    torch.testing.assert_close(rollout.log_prob.flatten(), expected)
    assert (rollout.log_prob > right.log_prob)[beyond[..., 0]].all(), "the bound is always the likelier action"


def test_every_episode_begins_in_the_same_state() -> None:
    starts = []
    for seed in (0, 1):
        envs = data.one_start_pendulum(seed)
        starts += [envs.reset(seed=seed)[0], envs.reset()[0]]
    assert all(torch.equal(start, starts[0]) and torch.equal(start[0], start[-1]) for start in starts)
    usual = PendulumVectorEnv(12).reset(seed=0)[0]
    assert usual[:, 0].std() > 0.3


def test_each_episode_has_mean_weight_0() -> None:
    policy, _ = make_networks()
    episodes = [Episode(torch.randn(n, 4), torch.zeros(n, dtype=torch.int64), torch.ones(n)) for n in (5, 40)]
    weights = {}
    for name, update in {"wrong": data.normalized_by_episode_update, "right": reinforce.update}.items():

        def loss(log_prob: Tensor, weight: Tensor, name: str = name) -> Tensor:
            weights[name] = weight
            return losses.reinforce_loss(log_prob, weight)

        optimizer = torch.optim.SGD(policy.parameters(), lr=0.0)
        update(policy, None, optimizer, None, episodes, reinforce.CARTPOLE_NO_BASELINE, policy_loss_fn=loss)
    for piece in weights["wrong"].split([5, 40]):
        torch.testing.assert_close(piece, normalize(torch.arange(len(piece), 0, -1).float()), rtol=0.2, atol=0.2)
        assert float(piece.mean()) == pytest.approx(0, abs=1e-5)
    short, long = weights["right"].split([5, 40])
    assert float(short.mean()) < -1 < 0 < float(long.mean())


def test_a_softmax_of_a_softmax_is_never_sure() -> None:
    policy = distributions.softmax_twice_policy()
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.mul_(1000)
        probs = policy(torch.randn(200, 4)).probs
    assert float(probs.max()) == pytest.approx(math.e / (1 + math.e), rel=1e-3)
    floor = torch.distributions.Categorical(probs=torch.tensor([math.e, 1.0])).entropy()
    assert float(floor) == pytest.approx(0.58, abs=0.005), "as the symptom says"


def test_a_gaussians_entropy_is_impossible_for_two_actions() -> None:
    policy = distributions.gaussian_entropy_policy()
    with torch.no_grad():
        distribution = policy(torch.zeros(1, 4))
    assert distribution.probs[0].tolist() == pytest.approx([0.5, 0.5], abs=1e-6)
    assert float(distribution.entropy()) == pytest.approx(0.5 * math.log(2 * math.pi * math.e / 4), rel=1e-5)
    assert float(distribution.entropy()) > math.log(2)


def test_averaged_log_probs_are_a_quarter_of_the_sum() -> None:
    right, wrong = distributions.four_motors(), distributions.averaged_log_prob_policy()
    wrong.load_state_dict(right.state_dict())
    obs, actions = torch.randn(7, 3), torch.randn(7, 4)
    with torch.no_grad():
        torch.testing.assert_close(4 * wrong(obs).log_prob(actions), right(obs).log_prob(actions))
        torch.testing.assert_close(wrong(obs).entropy(), right(obs).entropy())


def test_networks_are_made_fresh_for_each_seed() -> None:
    trap = traps.SOFTMAX_TWICE
    made = [made_fresh(replace(trap.config, seed=seed), trap.seams)["policy"] for seed in (0, 0, 1)]
    assert same_weights(made[0], made[1]) and not same_weights(made[0], made[2])
