"""Lesson 03, sections 9 and 11: A2C on CartPole with one mistake at a time, for 400 episodes."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from pgcourse import a2c, losses, optim
from pgcourse.diagnostics import explained_variance
from pgcourse.returns import gae, normalize
from pgcourse.rollout import Batch
from pgcourse.study.seeds import Run

from .study import IQM, OF_RETURN, Metric, Study, metric_mean

EPISODES = 400
CONFIG = replace(
    a2c.CARTPOLE, num_episodes=EPISODES, anneal_lr=False
)  # falling rates would fall faster in a shorter run
LATE = 20  # updates
Update = Callable[..., dict[str, Tensor]]


def trace_not_cut(
    rewards: Tensor, values: Tensor, next_values: Tensor, terminated: Tensor, truncated: Tensor, **options: float
) -> Tensor:
    """GAE whose trace runs on into the next episode."""
    deltas = rewards + options["gamma"] * next_values * ~terminated - values
    no = torch.zeros_like(terminated)
    return gae(deltas, 0 * values, 0 * values, no, no, **options)


def rollout_ends(
    rewards: Tensor, values: Tensor, next_values: Tensor, terminated: Tensor, truncated: Tensor, **options: float
) -> Tensor:
    """GAE that takes the rollout's end for an episode's end."""
    ended = terminated.clone()
    ended[-1] = True
    return gae(rewards, values, next_values, ended, truncated, **options)


def advantages_transposed(*networks: Any, **functions: Any) -> dict[str, Tensor]:
    """`a2c.update` with the advantages in another order than the observations."""
    *others, batch, config = networks
    shuffled = batch.advantages.view(config.num_steps, config.num_envs).T.flatten()
    return a2c.update(*others, batch._replace(advantages=shuffled), config, **functions)


def critic_on_advantages(*networks: Any, **functions: Any) -> dict[str, Tensor]:
    """`a2c.update` whose critic is fitted to the advantages."""
    *others, batch, config = networks
    return a2c.update(*others, batch._replace(returns=batch.advantages), config, **functions)


def no_detach(
    policy: nn.Module,
    critic: nn.Module,
    policy_optimizer: torch.optim.Optimizer,
    critic_optimizer: torch.optim.Optimizer,
    batch: Batch,
    config: a2c.A2CConfig,
    **functions: Any,
) -> dict[str, Tensor]:
    """`a2c.update`, but the policy's loss reaches the critic through the advantages."""
    distribution, values = policy(batch.obs), critic(batch.obs)
    entropy = distribution.entropy().mean()
    policy_loss = -(normalize(batch.returns - values) * distribution.log_prob(batch.actions)).mean()
    policy_norm, critic_norm = optim.actor_critic_step(
        policy_loss - config.ent_coef * entropy, losses.value_loss(values, batch.returns), policy, critic,
        policy_optimizer, critic_optimizer, max_grad_norm=config.max_grad_norm,
    )  # fmt: skip
    return {
        "losses/entropy": entropy.detach(),
        "losses/explained_variance": explained_variance(values.detach(), batch.returns),
        "losses/policy_grad_norm": policy_norm,
        "losses/critic_grad_norm": critic_norm,
        "charts/value_mean": values.detach().mean(),
        "charts/return_mean": batch.returns.mean(),
    }


def entropy_sign(*networks: Any, **functions: Any) -> dict[str, Tensor]:
    """`a2c.update` with the entropy bonus subtracted."""
    *others, config = networks
    flipped = SimpleNamespace(**vars(config) | {"ent_coef": -config.ent_coef})
    return a2c.update(*others, flipped, **functions)  # type: ignore[arg-type]


def broadcast_loss(log_prob: Tensor, weight: Tensor) -> Tensor:
    """The policy's loss with [B, 1] against [B]: every advantage meets every log-probability."""
    return -(weight.detach()[:, None] * log_prob).mean()


def wrong_sign_loss(log_prob: Tensor, weight: Tensor) -> Tensor:
    """The policy's loss without its minus."""
    return -losses.reinforce_loss(log_prob, weight)


SEAMS: dict[str, dict[str, Any]] = {
    "trace_not_cut": {"advantage_fn": trace_not_cut},
    "rollout_ends": {"advantage_fn": rollout_ends},
    "transposed": {"update_fn": advantages_transposed},
    "critic_on_advantages": {"update_fn": critic_on_advantages},
    "no_detach": {"update_fn": no_detach},
    "broadcast": {"policy_loss_fn": broadcast_loss},
    "policy_sign": {"policy_loss_fn": wrong_sign_loss},
    "entropy_sign": {"update_fn": entropy_sign},
}


def first_20(run: Run) -> float:
    """Mean return of the first 20 episodes: about a random agent's."""
    return float(run.episodes["episodic_return"][:20].mean())


def last_50(run: Run) -> float:
    """Mean return of episodes 351 to 400."""
    return float(run.episodes["episodic_return"][EPISODES - 50 : EPISODES].mean())


STUDY = Study(
    description=f"A2C on CartPole-v1 for {EPISODES} episodes at constant learning rates, with one mistake at a time, and with an "
    "entropy coefficient of 0.5.",
    variants={
        "healthy": CONFIG,
        **dict.fromkeys(SEAMS, CONFIG),
        "entropy_large": replace(CONFIG, ent_coef=0.5),
    },
    seams=SEAMS,
    metrics={
        "first_20": Metric("return", [IQM], first_20),
        "last_50": Metric("return", OF_RETURN, last_50),
        "entropy": Metric("nats", [IQM], lambda run: metric_mean(run, "losses/entropy", last=LATE)),
        "value": Metric("reward", [IQM], lambda run: metric_mean(run, "charts/value_mean", last=LATE)),
        "target": Metric("reward", [IQM], lambda run: metric_mean(run, "charts/return_mean", last=LATE)),
        "policy_norm": Metric("gradient norm", [IQM], lambda run: metric_mean(run, "losses/policy_grad_norm")),
    },
    every=10,
    until=EPISODES,
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/a2c_mistakes.json`."""
    return STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
