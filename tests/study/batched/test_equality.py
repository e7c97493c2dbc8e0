"""A run of a batch is the run that `train` makes alone: first update, draws, episodes, metrics, ends, divergence."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgcourse import a2c, evaluate, ppo, reinforce, trpo
from pgcourse.algorithms.by_name import TRAIN
from pgcourse.config import Config
from pgcourse.runs import Result
from pgcourse.study.batched import batchable, evaluate_batch, structure, train_batch
from pgcourse.study.traps import JOINT_CLIPPING
from pgcourse.training import TrainingDiverged

# One update: 1 iteration of A2C and PPO, one round of episodes of REINFORCE.
SMALL_PPO = replace(
    ppo.CARTPOLE, num_envs=4, num_steps=16, minibatch_size=32, update_epochs=2, total_timesteps=64, hidden_sizes=(8, 8)
)
PPO_PENDULUM = replace(
    ppo.PENDULUM, num_envs=3, num_steps=20, minibatch_size=20, update_epochs=2, total_timesteps=60, hidden_sizes=(8, 8)
)
SMALL_A2C = replace(a2c.CARTPOLE, num_envs=4, num_steps=8, num_episodes=None, total_timesteps=32)
SMALL_REINFORCE = replace(reinforce.CARTPOLE, num_episodes=4)
ONE_UPDATE: dict[str, Any] = {
    "PPO": SMALL_PPO,
    "PPO, all options": replace(
        SMALL_PPO, ent_coef=0.02, anneal_lr=True, normalize_observations=True, normalize_rewards=True, reward_scale=0.5,
        normalize_advantages="batch", max_grad_norm=None, clip_coef=None,
    ),
    "PPO, early stop": replace(SMALL_PPO, target_kl=1e-4, update_epochs=6, policy_lr=1e-2),
    "PPO, Gaussian": PPO_PENDULUM,
    "A2C": SMALL_A2C,
    "A2C, Gaussian": replace(SMALL_A2C, env_id="Pendulum-v1", ent_coef=0.0),
    "A2C, online": replace(a2c.ONLINE, num_episodes=None, total_timesteps=1),
    "PPO, shared trunk": replace(SMALL_PPO, shared_trunk=True, vf_coef=0.01),
    "PPO, shared trunk, all options": replace(
        SMALL_PPO, shared_trunk=True, ent_coef=0.02, anneal_lr=True, normalize_observations=True, max_grad_norm=None,
        target_kl=1e-4,
    ),
    "PPO, Gaussian, shared trunk": replace(PPO_PENDULUM, shared_trunk=True, vf_coef=0.5),
    "A2C, shared trunk": replace(SMALL_A2C, shared_trunk=True, vf_coef=0.1),
    "REINFORCE": SMALL_REINFORCE,
    "REINFORCE without baseline": replace(reinforce.CARTPOLE_NO_BASELINE, num_episodes=4),
    "REINFORCE, naive": replace(reinforce.CARTPOLE_NAIVE, num_episodes=1),
}  # fmt: skip


def alone(config: Config, seams: Mapping[str, Any] | None = None) -> Result:
    return TRAIN[config.algorithm](config, device="cpu", **(seams or {}))


def require_same(batched: Any, single: Result, *, tolerance: float = 1e-5) -> None:
    """All numbers of two runs but those of the clock."""
    assert isinstance(batched, Result)
    assert batched.config == single.config
    for field in ("env_step", "episodic_return", "length"):
        np.testing.assert_allclose(batched.episodes[field], single.episodes[field], rtol=tolerance, err_msg=field)
    assert list(batched.metrics) and set(batched.metrics) == set(single.metrics)
    for name, values in single.metrics.items():
        if name != "charts/SPS":
            np.testing.assert_allclose(batched.metrics[name], values, rtol=1e-4, atol=tolerance, err_msg=name)
    for role in ("policy", "critic"):
        ours, theirs = getattr(batched, role), getattr(single, role)
        assert (ours is None) == (theirs is None)
        if ours is not None:
            assert type(ours) is type(theirs)
            for name, weights in theirs.state_dict().items():
                np.testing.assert_allclose(ours.state_dict()[name], weights, rtol=0, atol=tolerance, err_msg=name)


@pytest.mark.parametrize("name", ONE_UPDATE)
def test_the_first_update_of_every_seed_is_that_of_the_run_alone(name: str) -> None:
    configs = [replace(ONE_UPDATE[name], seed=seed) for seed in (0, 7, 12)]
    for batched, config in zip(train_batch(configs), configs, strict=True):
        require_same(batched, alone(config))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(["PPO", "PPO, Gaussian", "A2C", "REINFORCE"]),
    st.lists(st.integers(0, 2**31), min_size=1, max_size=4, unique=True),
    st.fixed_dictionaries({
        "gamma": st.floats(0.1, 1),
        "critic_lr": st.floats(1e-4, 1e-2),
        "policy_lr": st.floats(1e-4, 1e-2),
        "max_grad_norm": st.none() | st.floats(1e-3, 10),
    }),
)  # fmt: skip
def test_whatever_the_seeds_and_numbers(name: str, seeds: list[int], numbers: dict[str, Any]) -> None:
    # One gradient step: Adam makes a whole step of the learning rate of a gradient that is 0 but for rounding.
    single_step = {"update_epochs": 1, "minibatch_size": 60} if name.startswith("PPO") else {}
    configs = [replace(ONE_UPDATE[name], seed=seed, **numbers, **single_step) for seed in seeds]
    for batched, config in zip(train_batch(configs), configs, strict=True):
        require_same(batched, alone(config), tolerance=5e-5)


def test_rows_may_differ_in_numbers() -> None:
    base = replace(SMALL_PPO, total_timesteps=128)
    changes: list[dict[str, Any]] = [
        {}, {"gamma": 0.5}, {"gae_lambda": 0.1}, {"clip_coef": 0.05}, {"ent_coef": 0.1}, {"policy_lr": 1e-2},
        {"critic_lr": 1e-4}, {"max_grad_norm": 0.01}, {"reward_scale": 0.1}, {"anneal_lr": True},
        {"total_timesteps": 64}, {"total_timesteps": 192}, {"vf_coef": 0.01},
    ]  # fmt: skip
    configs = [replace(base, seed=seed, **change) for seed, change in enumerate(changes)]
    assert len({structure(config) for config in configs}) == 1
    for batched, config in zip(train_batch(configs), configs, strict=True):
        require_same(batched, alone(config))


def test_what_is_no_number_makes_another_batch() -> None:
    changes: tuple[dict[str, Any], ...] = (
        {"hidden_sizes": (4,)}, {"num_envs": 8}, {"clip_coef": None}, {"normalize_observations": True}, {"shared_trunk": True},
    )  # fmt: skip
    for change in changes:
        assert structure(SMALL_PPO) != structure(replace(SMALL_PPO, **change))
    assert structure(SMALL_PPO) == structure(replace(SMALL_PPO, seed=3, gamma=0.5))


def test_joint_clipping_is_the_bug_of_the_course() -> None:
    seams = JOINT_CLIPPING.seams
    config = replace(SMALL_PPO, seed=4, max_grad_norm=0.1)
    (batched,) = train_batch([config], seams=seams)
    require_same(batched, alone(config, seams))
    with pytest.raises(AssertionError):
        require_same(batched, alone(config))


@pytest.mark.parametrize(
    "config",
    [
        replace(a2c.CARTPOLE, num_episodes=40),
        replace(reinforce.CARTPOLE, num_episodes=24),
        replace(SMALL_PPO, total_timesteps=None, num_episodes=30),
    ],
    ids=lambda config: config.algorithm,
)
def test_runs_that_end_apart_do_not_disturb_each_other(config: Any) -> None:
    """Whole short runs, of which some end earlier; a run's draws do not depend on its neighbours."""
    changes = [{}, {"num_episodes": config.num_episodes // 3}, {}]
    configs = [replace(config, seed=seed, **change) for seed, change in enumerate(changes)]
    outcomes = train_batch(configs)
    for batched, own in zip(outcomes, configs, strict=True):
        require_same(batched, alone(own), tolerance=2e-4)
    (by_itself,) = train_batch(configs[2:])
    assert isinstance(by_itself, Result) and isinstance(outcomes[2], Result)
    assert by_itself.episodes["length"].tolist() == outcomes[2].episodes["length"].tolist()


def test_a_run_that_diverges_says_so_and_leaves_the_others_alone() -> None:
    good = replace(SMALL_PPO, total_timesteps=192)
    configs = [good, replace(good, seed=1, policy_lr=1e30, max_grad_norm=1e30), replace(good, seed=2)]
    with np.errstate(all="ignore"):
        outcomes = train_batch(configs)
    for index in (0, 2):
        require_same(outcomes[index], alone(configs[index]))
    with pytest.raises(TrainingDiverged) as caught:
        alone(configs[1])
    diverged = outcomes[1]
    assert isinstance(diverged, TrainingDiverged) and str(diverged) == str(caught.value)
    for name, weights in caught.value.result.policy.state_dict().items():
        np.testing.assert_allclose(diverged.result.policy.state_dict()[name], weights, atol=1e-5)
    assert all(parameter.isfinite().all() for parameter in diverged.result.policy.parameters())


@pytest.mark.parametrize(("config", "env_id"), [(SMALL_PPO, "CartPole-v1"), (PPO_PENDULUM, "Pendulum-v1")])
def test_evaluation_of_many_is_that_of_each(config: Any, env_id: str) -> None:
    policies = [alone(replace(config, seed=seed)).policy for seed in range(3)]
    together = evaluate_batch(policies, env_id, [5, 6, 7], num_episodes=4)
    for policy, seed, returns in zip(policies, (5, 6, 7), together, strict=True):
        np.testing.assert_allclose(returns, evaluate(policy, env_id, num_episodes=4, seed=seed).returns, rtol=1e-3)


def test_what_can_be_in_a_batch() -> None:
    assert batchable(SMALL_PPO, {}) and batchable(SMALL_A2C, {}) and batchable(SMALL_REINFORCE, {})
    assert batchable(SMALL_PPO, JOINT_CLIPPING.seams)
    assert not batchable(trpo.CARTPOLE, {})
    assert not batchable(replace(SMALL_PPO, env_id="Acrobot-v1"), {})
    assert not batchable(SMALL_PPO, {"advantage_fn": lambda *_, **__: None})
    assert not batchable(SMALL_REINFORCE, JOINT_CLIPPING.seams)


def test_a_batch_leaves_torchs_random_stream_and_threads_as_they_were() -> None:
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    train_batch([SMALL_PPO])
    assert torch.equal(torch.get_rng_state(), before) and torch.get_num_threads() == threads
