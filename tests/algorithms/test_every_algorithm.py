"""What holds for each algorithm alike: settings are checked, replaceable parts are used, a seed is a run, CartPole is solved."""

from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from pgcourse import a2c, losses, optim, ppo, reinforce, trpo
from pgcourse.config import Config
from pgcourse.envs import make_envs
from pgcourse.networks import CategoricalPolicy, ValueNetwork
from pgcourse.rollout import collect_episodes, collect_rollout
from pgcourse.runs import Result
from tests.recording import refused

MODULES: dict[str, ModuleType] = {"reinforce": reinforce, "a2c": a2c, "ppo": ppo, "trpo": trpo}
NETWORK: dict[str, Any] = {"hidden_sizes": (8,), "num_envs": 4}
ROLLOUT = NETWORK | {"num_steps": 16, "num_episodes": None, "total_timesteps": 64 * 4}  # four iterations
TINY: dict[str, Any] = {
    "reinforce": replace(reinforce.CARTPOLE, **NETWORK, num_episodes=16, critic_steps=2),
    "a2c": replace(a2c.CARTPOLE, **ROLLOUT, anneal_lr=False),
    "ppo": replace(ppo.CARTPOLE, **ROLLOUT, minibatch_size=32, update_epochs=2),
    "trpo": replace(trpo.CARTPOLE, **ROLLOUT, critic_steps=2),
}


def train(config: Config, **parts: Any) -> Result:
    result: Result = MODULES[config.algorithm].train(config, **parts)
    return result


# Settings.


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("reinforce", {"gamma": 1.5}, "gamma=1.5 is not allowed; use a number of at least 0 and at most 1"),
        ("reinforce", {"gamma": -0.1}, "gamma=-0.1"),
        ("reinforce", {"seed": -1}, "seed=-1 is not allowed; use an integer of at least 0"),
        ("reinforce", {"num_envs": 0}, "num_envs=0 is not allowed; use an integer of at least 1"),
        ("reinforce", {"critic_steps": 0}, "critic_steps=0"),
        ("reinforce", {"num_episodes": -5}, "num_episodes=-5 is not allowed; use an integer of at least 1 or None"),
        ("reinforce", {"total_timesteps": 1.5}, "total_timesteps=1.5"),
        ("reinforce", {"policy_lr": 0.0}, "policy_lr=0.0 is not allowed; use a number above 0"),
        ("reinforce", {"critic_lr": float("nan")}, "critic_lr=nan"),
        ("reinforce", {"max_grad_norm": 0}, "max_grad_norm=0 is not allowed; use a number above 0, or None"),
        ("reinforce", {"hidden_sizes": (0,)}, r"hidden_sizes=\(0,\) is not allowed; use positive integers"),
        (
            "reinforce",
            {"activation": "sigmoid"},
            "activation='sigmoid' is not allowed; use 'tanh', 'relu', .* or 'silu'",
        ),
        ("a2c", {"activation": None}, "activation=None is not allowed; use 'tanh'"),
        ("ppo", {"activation": ""}, "activation='' is not allowed; use 'tanh'"),
        ("trpo", {"activation": "ReLU"}, "activation='ReLU' is not allowed; use 'tanh'"),
        ("reinforce", {"num_episodes": None}, "total_timesteps and num_episodes are both None; give at least one"),
        ("a2c", {"num_steps": 0}, "num_steps=0"),
        ("a2c", {"gamma": 1.01}, "gamma=1.01"),
        ("a2c", {"ent_coef": -0.1}, "ent_coef=-0.1"),
        ("a2c", {"reward_scale": 0.0}, "reward_scale=0.0"),
        ("a2c", {"critic_lr": float("nan")}, "critic_lr=nan"),
        ("ppo", {"minibatch_size": 65}, r"exceeds the batch of 64 \(num_envs 4 x num_steps 16\); use at most 64"),
        ("ppo", {"normalize_advantages": "always"}, "='always' is not allowed; use 'minibatch', 'batch' or 'never'"),
        ("ppo", {"lr_schedule": "step"}, "lr_schedule='step' is not allowed; use 'linear', 'cosine' or 'exponential'"),
        ("a2c", {"lr_schedule": "step"}, "lr_schedule='step'"),
        ("ppo", {"clip_coef": 0.0}, "clip_coef=0.0"),
        ("ppo", {"target_kl": -1.0}, "target_kl=-1.0"),
        ("ppo", {"update_epochs": 0}, "update_epochs=0"),
        ("ppo", {"gae_lambda": 1.5}, "gae_lambda=1.5"),
        ("ppo", {"total_timesteps": None}, "both None"),
        ("trpo", {"max_kl": 0.0}, "max_kl=0.0"),
        ("trpo", {"shrink": 1.0}, "shrink=1.0"),
        ("trpo", {"cg_iterations": 0}, "cg_iterations=0"),
        ("trpo", {"damping": -0.1}, "damping=-0.1"),
        ("trpo", {"backtracks": 0}, "backtracks=0"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_by_name(name: str, changes: dict[str, Any], message: str) -> None:
    with refused(message):
        replace(TINY[name], **changes)


@pytest.mark.parametrize("name", TINY)
def test_settings_cannot_be_changed_after_they_were_checked(name: str) -> None:
    with pytest.raises(FrozenInstanceError):
        TINY[name].gamma = 2.0


@pytest.mark.parametrize("name", ["a2c", "ppo"])
def test_learning_rates_fall_linearly_where_asked(name: str) -> None:
    """Four iterations: all, three quarters, half and a quarter of the rate."""
    falling = train(replace(TINY[name], anneal_lr=True, policy_lr=0.008, critic_lr=0.04)).metrics
    np.testing.assert_allclose(falling["charts/policy_lr"], [0.008, 0.006, 0.004, 0.002], rtol=1e-5)
    np.testing.assert_allclose(falling["charts/critic_lr"], [0.04, 0.03, 0.02, 0.01], rtol=1e-5)
    constant = train(TINY[name]).metrics["charts/policy_lr"]
    np.testing.assert_allclose(constant, [TINY[name].policy_lr] * 4, rtol=1e-6)


@pytest.mark.parametrize("name", ["a2c", "ppo"])
@pytest.mark.parametrize(
    ("schedule", "shares"),
    [
        ("cosine", [1, (1 + 2**-0.5) / 2, 0.5, (1 - 2**-0.5) / 2]),  # the cosine of 0, 45, 90 and 135 degrees
        ("exponential", [1, 10**-0.5, 0.1, 10**-1.5]),  # half of the way to a hundredth is a tenth
    ],
)
def test_learning_rates_fall_by_the_schedule_that_is_named(name: str, schedule: str, shares: list[float]) -> None:
    config = replace(TINY[name], anneal_lr=True, lr_schedule=schedule, policy_lr=0.008, critic_lr=0.04)
    falling = train(config).metrics
    np.testing.assert_allclose(falling["charts/policy_lr"], 0.008 * np.array(shares), rtol=1e-5)
    np.testing.assert_allclose(falling["charts/critic_lr"], 0.04 * np.array(shares), rtol=1e-5)
    constant = train(replace(config, anneal_lr=False)).metrics["charts/policy_lr"]
    np.testing.assert_allclose(constant, [0.008] * 4, rtol=1e-6)


# What a learner may replace.

PARTS: dict[str, dict[str, Callable[..., Any]]] = {
    "reinforce": {
        "collect_fn": collect_episodes, "advantage_fn": reinforce.returns_minus_values,
        "policy_loss_fn": losses.reinforce_loss, "gradient_step_fn": optim.gradient_step,
    },
    "a2c": {"policy_loss_fn": losses.reinforce_loss, "gradient_step_fn": optim.actor_critic_step},
    "ppo": {"policy_loss_fn": losses.ppo_clip_loss, "gradient_step_fn": optim.actor_critic_step},
    "trpo": {"policy_step_fn": trpo.policy_step, "gradient_step_fn": optim.gradient_step},
}  # fmt: skip
# What an iteration calls, in order.
ORDER = {
    "reinforce": "collect update advantage policy_loss gradient_step gradient_step gradient_step",
    "a2c": "collect advantage update policy_loss gradient_step",
    "ppo": "collect advantage update" + 4 * " policy_loss gradient_step",
    "trpo": "collect advantage update policy_step gradient_step gradient_step",
}


@pytest.mark.parametrize("name", TINY)
def test_every_replaceable_part_is_used_and_the_packages_own_is_the_default(name: str) -> None:
    used: list[str] = []

    def spied(part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *arguments, **keywords: (used.append(part), function(*arguments, **keywords))[1]

    module = MODULES[name]
    parts = {"collect_fn": collect_rollout, "advantage_fn": getattr(module, "gae", None), "optimizer_fn": optim.adam}
    parts |= {"update_fn": module.update, **PARTS[name]}
    result = train(TINY[name], **{part: spied(part.removesuffix("_fn"), function) for part, function in parts.items()})
    assert used == ["optimizer"] * (1 if name == "trpo" else 2) + ORDER[name].split() * 4
    assert np.array_equal(result.metrics["losses/policy_loss"], train(TINY[name]).metrics["losses/policy_loss"])


@pytest.mark.parametrize("name", TINY)
def test_networks_and_environments_of_the_learners_are_the_ones_that_are_trained(name: str) -> None:
    policy, critic, envs = CategoricalPolicy(4, 2, (8,)), ValueNetwork(4, (8,)), make_envs("CartPole-v1", 4, seed=5)
    parameters = [*policy.parameters(), *critic.parameters()]
    before = [parameter.clone() for parameter in parameters]
    result = train(TINY[name], policy=policy, critic=critic, envs=envs)
    assert result.policy is policy and result.critic is critic
    assert not any(map(torch.equal, before, parameters))
    assert envs.elapsed.any() or envs.episode.any()


# Learning.


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "seed"),
    [
        (a2c.CARTPOLE, 100),
        (replace(ppo.CARTPOLE, total_timesteps=150_000), 100),
        (replace(ppo.CARTPOLE, total_timesteps=150_000), 101),
        (replace(ppo.CARTPOLE, total_timesteps=150_000), 102),
        (trpo.CARTPOLE, 100),
    ],
    ids=["a2c in 1,000 episodes", *3 * ["ppo in 150,000 steps"], "trpo in 120,000 steps"],
)
def test_cartpole_is_solved_within_the_budget(config: Any, seed: int) -> None:
    def solved(progress: Any) -> bool:
        scores = progress.episodes["episodic_return"]
        return len(scores) >= 100 and scores[-100:].mean() >= 475

    result = train(replace(config, seed=seed), on_iteration=solved)
    assert result.episodes["episodic_return"][-100:].mean() >= 475
    assert config.num_episodes is None or len(result.episodes) < config.num_episodes
