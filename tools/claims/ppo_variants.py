"""What the study of lesson 04 runs: PPO's parts taken out or changed one by one, and one step too large."""

from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from pgcourse import ppo
from pgcourse.diagnostics import approx_kl
from pgcourse.evaluation import evaluate
from pgcourse.networks import CategoricalPolicy, ValueNetwork
from pgcourse.optim import set_learning_rate
from pgcourse.rollout import Batch

COMPARED = 100_000  # environment steps within which the versions are compared
STEP_SIZES = (1, 30, 100, 300, 1000, 10_000)  # times the learning rate
AT_UPDATE = 30  # the one that is made of a single step
MANY_EPOCHS = 20

SHORT = replace(ppo.CARTPOLE, total_timesteps=COMPARED)
# Each changes one thing, but for the second of a pair. Those of `ppo.CARTPOLE`'s own budget go on to 200,000 steps.
CHANGED: dict[str, ppo.PPOConfig] = {
    "cartpole": ppo.CARTPOLE,
    "no_clip": replace(ppo.CARTPOLE, clip_coef=None),
    "many_epochs": replace(SHORT, update_epochs=MANY_EPOCHS),
    "no_clip_many_epochs": replace(SHORT, clip_coef=None, update_epochs=MANY_EPOCHS),
    "one_epoch": replace(SHORT, update_epochs=1),
    "wide_clip": replace(SHORT, clip_coef=0.5),
    "normalize_batch": replace(SHORT, normalize_advantages="batch"),
    "normalize_never": replace(SHORT, normalize_advantages="never"),
    "target_kl": replace(SHORT, target_kl=0.015),
    "anneal_lr": replace(SHORT, anneal_lr=True),
    "default_init": SHORT,
    "large_last_layer": SHORT,
    "adam_eps_1e_8": SHORT,
    "no_min": SHORT,
    # A pair of its own: how much the clip matters depends on how far a gradient step takes the policy.
    "wide_network": replace(ppo.CARTPOLE, hidden_sizes=(64, 64)),
    "no_clip_wide_network": replace(ppo.CARTPOLE, hidden_sizes=(64, 64), clip_coef=None),
    "patient": SHORT,
}
# 50 updates of the usual kind follow the large step.
STEPS = {f"step_{size}": replace(ppo.CARTPOLE, total_timesteps=80 * 1024) for size in STEP_SIZES}
VARIANTS = CHANGED | STEPS


def default_policy() -> nn.Module:
    """CartPole's policy with torch's own initial weights and biases in every layer."""
    return with_default_weights(CategoricalPolicy(4, 2, ppo.CARTPOLE.hidden_sizes))


def default_critic() -> nn.Module:
    """CartPole's critic with torch's own initial weights and biases in every layer."""
    return with_default_weights(ValueNetwork(4, ppo.CARTPOLE.hidden_sizes))


def with_default_weights(network: nn.Module) -> nn.Module:
    """The network with the weights that `nn.Linear` gives itself."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            module.reset_parameters()
    return network


def large_last_layer() -> nn.Module:
    """CartPole's policy with a last layer a hundred times as large: it starts with preferences."""
    policy = CategoricalPolicy(4, 2, ppo.CARTPOLE.hidden_sizes)
    last = [module for module in policy.modules() if isinstance(module, nn.Linear)][-1]
    with torch.no_grad():
        last.weight *= 100  # the package's has a gain of 0.01
    return policy


def adam_eps_1e_8(parameters: Any, learning_rate: float) -> torch.optim.Optimizer:
    """Adam with torch's own eps."""
    return torch.optim.Adam(parameters, lr=learning_rate, eps=1e-8, fused=True)


def clip_without_min(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
    """Minus the mean of the clipped term alone: beyond the clip no gradient, not even the one that leads back."""
    ratio = (log_prob - old_log_prob).exp()  # [B]
    return -(ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages).mean()


def optimist_loss(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
    """The lesson's patient: the larger of the two terms, where PPO takes the smaller."""
    ratio = (log_prob - old_log_prob).exp()  # [B]
    return -torch.maximum(ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages).mean()


@dataclass
class OneLargeStep:
    """`ppo.update`, but update number `at` is one gradient step with a learning rate `size` times as large.

    That update also reports what the step did: "charts/return_before" and "charts/return_after", means of 64 episodes
    with sampled actions, and as "losses/approx_kl" the divergence after the step.
    """

    size: float
    at: int = AT_UPDATE
    optimizer: torch.optim.Optimizer | None = field(default=None, repr=False)

    def __call__(
        self,
        policy: nn.Module,
        critic: nn.Module,
        policy_optimizer: torch.optim.Optimizer,
        critic_optimizer: torch.optim.Optimizer,
        batch: Batch,
        config: ppo.PPOConfig,
        **functions: Any,
    ) -> dict[str, Tensor | float]:
        networks = (policy, critic, policy_optimizer, critic_optimizer)
        if policy_optimizer is not self.optimizer:  # another run
            self.optimizer, self.updates = policy_optimizer, 0
        self.updates += 1
        if self.updates != self.at:
            return ppo.update(*networks, batch, config, **functions)
        before = sampled_return(policy, config)
        set_learning_rate(policy_optimizer, config.policy_lr * self.size)
        single = replace(config, update_epochs=1, minibatch_size=config.batch_size)
        metrics = ppo.update(*networks, batch, single, **functions)
        set_learning_rate(policy_optimizer, config.policy_lr)
        with torch.no_grad():
            log_prob = policy(batch.obs).log_prob(batch.actions)
        return metrics | {
            "losses/approx_kl": approx_kl(log_prob, batch.log_prob),
            "charts/return_before": before,
            "charts/return_after": sampled_return(policy, config),
        }


def sampled_return(policy: nn.Module, config: ppo.PPOConfig) -> float:
    """Mean return of 64 held-out episodes in which the policy acts as in training."""
    return evaluate(policy, config.env_id, num_episodes=64, seed=config.seed, deterministic=False).mean


SEAMS: dict[str, dict[str, Any]] = {
    "default_init": {"policy": default_policy, "critic": default_critic},
    "large_last_layer": {"policy": large_last_layer},
    "adam_eps_1e_8": {"optimizer_fn": adam_eps_1e_8},
    "no_min": {"policy_loss_fn": clip_without_min},
    "patient": {"policy_loss_fn": optimist_loss},
    **{f"step_{size}": {"update_fn": OneLargeStep(size)} for size in STEP_SIZES},
}
