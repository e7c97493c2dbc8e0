"""A2C: short rollouts of many environments, advantages from a critic, one gradient step each, and on to fresh data.

    policy:  maximise  E[ log pi(a|s) * A ] + ent_coef * entropy      critic:  fit V(s) to A + V_old(s)

With one environment, one step and lambda = 0 it is the online one-step actor-critic.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from gymnasium.vector import VectorEnv
from torch import Tensor, nn

from .. import losses, optim
from ..checkpoint import Checkpoint
from ..config import Activation
from ..diagnostics import explained_variance
from ..errors import require_budget, require_choice, require_integers, require_numbers, require_sizes
from ..networks import ACTIVATIONS
from ..normalization import update_normalization
from ..returns import gae, normalize
from ..rollout import Batch, Rollout, collect_rollout, flatten
from ..runs import Result
from ..setup import OptimizerFn, prepare
from ..training import OnIteration, Recorder


@dataclass(frozen=True)
class A2CConfig:
    """A2C hyperparameters. One update uses `num_steps` steps of `num_envs` environments."""

    algorithm: ClassVar[str] = "a2c"

    env_id: str = "CartPole-v1"
    seed: int = 0
    total_timesteps: int | None = None
    num_episodes: int | None = 1000
    num_envs: int = 8
    num_steps: int = 16
    gamma: float = 0.99
    gae_lambda: float = 0.95
    normalize_advantages: bool = False
    ent_coef: float = 0.01
    policy_lr: float = 1e-3
    critic_lr: float = 5e-3
    anneal_lr: bool = False  # both rates fall over the budget
    lr_schedule: Literal["linear", "cosine", "exponential"] = "linear"  # how they fall: `optim.learning_rate`
    max_grad_norm: float | None = 0.5  # of policy and critic each, of all where they share a trunk; None clips nothing
    reward_scale: float = 1.0
    normalize_observations: bool = False
    normalize_rewards: bool = False  # divide by the running standard deviation of the return
    hidden_sizes: tuple[int, ...] = (64, 64)
    initial_std: float = 1.0  # of continuous actions
    activation: Activation = "tanh"  # between the layers of policy and critic
    # Policy and critic as two heads of one network. It has one optimiser, whose rate is policy_lr: critic_lr is not used.
    shared_trunk: bool = False
    # Weight of the value loss, which is half of the mean squared error. Two optimisers of their own hardly notice it; on a
    # shared trunk it says whose gradient is longer. 0.5 is CleanRL's; the 0.5 of Stable-Baselines3, which has no half, is 1.
    vf_coef: float = 1.0

    def __post_init__(self) -> None:
        require_integers(self, "seed", at_least=0)
        require_integers(self, "num_envs", "num_steps")
        require_integers(self, "num_episodes", "total_timesteps", optional=True)
        require_numbers(self, "gamma", "gae_lambda", high=1)
        require_numbers(self, "policy_lr", "critic_lr", "reward_scale", "initial_std", above=True)
        require_numbers(self, "ent_coef", "vf_coef")
        require_numbers(self, "max_grad_norm", above=True, optional=True)
        require_sizes(self, "hidden_sizes")
        require_choice(self, "activation", *ACTIVATIONS)
        require_choice(self, "lr_schedule", *optim.LR_SCHEDULES)
        require_budget(self)

    @property
    def batch_size(self) -> int:
        """Rows in an update."""
        return self.num_envs * self.num_steps


# Rewards of 1 add up to values of 100: on the way there all tanh units of the critic came to their limits on one seed in
# twenty, and stayed; it then said the same of every state, and the agent stopped getting better. Scaled rewards leave no
# such way to go. A policy_lr of 1e-3 then still lost the task for good on one seed in a hundred. Constant rates solve it as
# surely; falling ones let a finished run stand still.
CARTPOLE = A2CConfig(normalize_advantages=True, policy_lr=7e-4, anneal_lr=True, reward_scale=0.2)
# One environment, one step, lambda 0: the online actor-critic of the textbooks. It clips nothing: clipped row by row, a
# fall counts no more than any other step, and the critic learns a median instead of a mean (unit 03 measures it).
ONLINE = A2CConfig(num_envs=1, num_steps=1, gae_lambda=0.0, policy_lr=3e-4, critic_lr=1e-3, max_grad_norm=None)


def update(
    policy: nn.Module,
    critic: nn.Module,
    policy_optimizer: torch.optim.Optimizer,
    critic_optimizer: torch.optim.Optimizer,
    batch: Batch,
    config: A2CConfig,
    *,
    policy_loss_fn: Callable[[Tensor, Tensor], Tensor] = losses.reinforce_loss,
    gradient_step_fn: Callable[..., tuple[Tensor, ...]] = optim.actor_critic_step,
) -> dict[str, Tensor]:
    """One gradient step of policy and critic on a fresh batch. Returns: metrics of the update."""
    advantages = normalize(batch.advantages) if config.normalize_advantages else batch.advantages
    distribution = policy(batch.obs)
    entropy = distribution.entropy().mean()
    policy_loss = policy_loss_fn(distribution.log_prob(batch.actions), advantages)
    values = critic(batch.obs)
    value_loss = losses.value_loss(values, batch.returns)
    norms = gradient_step_fn(
        policy_loss - config.ent_coef * entropy, config.vf_coef * value_loss, policy, critic, policy_optimizer,
        critic_optimizer, max_grad_norm=config.max_grad_norm,
    )  # fmt: skip
    return {
        "losses/policy_loss": policy_loss.detach(),
        "losses/value_loss": value_loss.detach(),
        "losses/entropy": entropy.detach(),
        "losses/explained_variance": explained_variance(values, batch.returns),
        **dict(zip(optim.STEP_METRICS, norms, strict=False)),
        "charts/value_mean": values.detach().mean(),
        "charts/return_mean": batch.returns.mean(),
        "charts/advantage_mean": batch.advantages.mean(),
        "charts/advantage_std": batch.advantages.std(correction=0),
    }


def train(
    config: A2CConfig = CARTPOLE,
    *,
    device: str | torch.device = "auto",
    on_iteration: OnIteration | None = None,
    checkpoint: Checkpoint | None = None,
    policy: nn.Module | None = None,
    critic: nn.Module | None = None,
    envs: VectorEnv | None = None,
    collect_fn: Callable[..., tuple[Rollout, Tensor]] = collect_rollout,
    advantage_fn: Callable[..., Tensor] = gae,
    policy_loss_fn: Callable[[Tensor, Tensor], Tensor] = losses.reinforce_loss,
    optimizer_fn: OptimizerFn = optim.adam,
    gradient_step_fn: Callable[..., tuple[Tensor, ...]] = optim.actor_critic_step,
    update_fn: Callable[..., dict[str, Tensor]] = update,
) -> Result:
    """Train until the budget is used up, `on_iteration` returns True, or an interrupt.

    What a learner may replace:
      policy, critic      networks of their own: obs [B, D] -> Distribution, obs [B, D] -> values [B]; with shared_trunk
                          both on the same layers (`networks.share_trunk` puts a critic on a policy's)
      envs                a vector environment in SAME_STEP mode, in place of `make_envs(config.env_id, ...)`
      collect_fn          (policy, critic, envs, obs [N, D], num_steps) -> (Rollout, next obs [N, D])
      advantage_fn        (rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda) -> [T, N]
      policy_loss_fn      (log_prob [B], advantages [B]) -> scalar
      optimizer_fn        (parameters, learning_rate) -> optimizer
      gradient_step_fn    the signature of `optim.actor_critic_step`
      update_fn           the signature of `update`

    Same config, same machine, same curve, bit for bit on the CPU. Raises: InvalidInput for what cannot be trained,
    TrainingDiverged for numbers that are not finite.
    """
    with optim.seeded(config.seed), optim.single_thread():
        run = prepare(config, device=device, policy=policy, critic=critic, envs=envs, optimizer_fn=optimizer_fn)
        config = run.config
        assert run.critic is not None and run.policy_optimizer is not None and run.critic_optimizer is not None
        with Recorder(run, on_iteration=on_iteration, checkpoint=checkpoint) as recorder:
            obs = recorder.obs
            while recorder.running:
                run.anneal(recorder.progress_fraction)
                rollout, obs = collect_fn(run.policy, run.critic, run.envs, obs, config.num_steps)
                recorder.record_rollout(rollout)
                rollout = run.scale_rewards(rollout)
                advantages = advantage_fn(
                    rollout.rewards, rollout.values, rollout.next_values, rollout.terminated, rollout.truncated,
                    gamma=config.gamma, gae_lambda=config.gae_lambda,
                )  # fmt: skip
                metrics = update_fn(
                    run.policy, run.critic, run.policy_optimizer, run.critic_optimizer, flatten(rollout, advantages),
                    config, policy_loss_fn=policy_loss_fn, gradient_step_fn=gradient_step_fn,
                )  # fmt: skip
                update_normalization(run.networks, rollout.obs.flatten(0, 1))
                recorder.end_iteration(metrics)
        return recorder.result()
