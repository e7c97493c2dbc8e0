"""PPO: several epochs of minibatch steps on the same rollout, with the ratio to the acting policy clipped.

    maximise  E[ min( r A, clip(r, 1 - eps, 1 + eps) A ) ] + ent_coef * entropy,     r = pi(a|s) / pi_old(a|s)

Discrete and continuous actions differ in the policy's distribution and nowhere else.
"""

from collections import defaultdict
from collections.abc import Callable

import torch
from gymnasium.vector import VectorEnv
from torch import Tensor, nn

from .. import losses, optim
from ..checkpoint import Checkpoint
from ..diagnostics import approx_kl, clip_fraction, explained_variance
from ..normalization import update_normalization
from ..results import Result
from ..returns import gae, normalize
from ..rollout import Batch, Rollout, collect_rollout, flatten
from ..setup import OptimizerFn, prepare
from ..training import OnIteration, Recorder
from .ppo_settings import (
    ACROBOT,
    BUGGY,
    CARTPOLE,
    HALF_CHEETAH,
    INVERTED_PENDULUM,
    LUNAR_LANDER,
    PENDULUM,
    PPOConfig,
)

__all__ = [
    "ACROBOT",
    "BUGGY",
    "CARTPOLE",
    "HALF_CHEETAH",
    "INVERTED_PENDULUM",
    "LUNAR_LANDER",
    "PENDULUM",
    "PPOConfig",
    "minibatches",
    "train",
    "update",
]


def minibatches(batch_size: int, minibatch_size: int, *, device: torch.device) -> tuple[Tensor, ...]:
    """Index tensors that partition range(batch_size) in random order, each of minibatch_size but the last."""
    # Drawn on the CPU, so that a seed gives the same order on every device.
    return torch.randperm(batch_size).to(device).split(minibatch_size)


def update(
    policy: nn.Module,
    critic: nn.Module,
    policy_optimizer: torch.optim.Optimizer,
    critic_optimizer: torch.optim.Optimizer,
    batch: Batch,
    config: PPOConfig,
    *,
    policy_loss_fn: Callable[..., Tensor] = losses.ppo_clip_loss,
    gradient_step_fn: Callable[..., tuple[Tensor, Tensor]] = optim.actor_critic_step,
) -> dict[str, Tensor | float]:
    """Epochs of minibatch steps, ended early where the policy has moved by more than target_kl.

    Returns: metrics, each the mean over all gradient steps of the update.
    """
    history: dict[str, list[Tensor]] = defaultdict(list)
    values = batch.returns - batch.advantages  # of the critic that acted, before it is fitted to these returns
    advantage_mean, advantage_std = batch.advantages.mean(), batch.advantages.std(correction=0)
    if config.normalize_advantages == "batch":
        batch = batch._replace(advantages=normalize(batch.advantages))
    epochs, stopped = 0, False
    while epochs < config.update_epochs and not stopped:
        for rows in minibatches(len(batch.obs), config.minibatch_size, device=batch.obs.device):
            obs, actions, old_log_prob, advantages, returns = (column[rows] for column in batch)
            if config.normalize_advantages == "minibatch":
                advantages = normalize(advantages)
            distribution = policy(obs)
            log_prob = distribution.log_prob(actions)
            entropy = distribution.entropy().mean()
            policy_loss = policy_loss_fn(log_prob, old_log_prob, advantages, clip_coef=config.clip_coef)
            value_loss = losses.value_loss(critic(obs), returns)
            policy_norm, critic_norm = gradient_step_fn(
                policy_loss - config.ent_coef * entropy, value_loss, policy, critic, policy_optimizer, critic_optimizer,
                max_grad_norm=config.max_grad_norm,
            )  # fmt: skip
            history["losses/policy_loss"].append(policy_loss.detach())
            history["losses/value_loss"].append(value_loss.detach())
            history["losses/entropy"].append(entropy.detach())
            history["losses/policy_grad_norm"].append(policy_norm)
            history["losses/critic_grad_norm"].append(critic_norm)
            # Kept whole, and looked at after the update: diagnostics cost less on all steps at once.
            history["log_prob"].append(log_prob.detach())
            history["old_log_prob"].append(old_log_prob)
        epochs += 1
        if config.target_kl is not None:
            with torch.no_grad():
                log_prob = policy(batch.obs).log_prob(batch.actions)
            stopped = float(approx_kl(log_prob, batch.log_prob)) > config.target_kl

    log_prob, old_log_prob = torch.cat(history.pop("log_prob")), torch.cat(history.pop("old_log_prob"))
    ratio = (log_prob - old_log_prob).exp()
    metrics: dict[str, Tensor | float] = {name: torch.stack(values).mean() for name, values in history.items()}
    return metrics | {
        "losses/approx_kl": approx_kl(log_prob, old_log_prob),
        "losses/clipfrac": clip_fraction(log_prob, old_log_prob, clip_coef=config.clip_coef or 0.2),
        "losses/explained_variance": explained_variance(values, batch.returns),
        "charts/ratio_mean": ratio.mean(),
        "charts/ratio_std": ratio.std(correction=0),
        "charts/value_mean": values.mean(),
        "charts/return_mean": batch.returns.mean(),
        "charts/advantage_mean": advantage_mean,
        "charts/advantage_std": advantage_std,
        "charts/epochs": float(epochs),
        "charts/early_stop": float(epochs < config.update_epochs),
    }


def train(
    config: PPOConfig = CARTPOLE,
    *,
    device: str | torch.device = "auto",
    on_iteration: OnIteration | None = None,
    checkpoint: Checkpoint | None = None,
    policy: nn.Module | None = None,
    critic: nn.Module | None = None,
    envs: VectorEnv | None = None,
    collect_fn: Callable[..., tuple[Rollout, Tensor]] = collect_rollout,
    advantage_fn: Callable[..., Tensor] = gae,
    policy_loss_fn: Callable[..., Tensor] = losses.ppo_clip_loss,
    optimizer_fn: OptimizerFn = optim.adam,
    gradient_step_fn: Callable[..., tuple[Tensor, Tensor]] = optim.actor_critic_step,
    update_fn: Callable[..., dict[str, Tensor | float]] = update,
) -> Result:
    """Train until the budget is used up, `on_iteration` returns True, or an interrupt.

    What a learner may replace:
      policy, critic      networks of their own: obs [B, D] -> Distribution, obs [B, D] -> values [B]
      envs                a vector environment in SAME_STEP mode, in place of `make_envs(config.env_id, ...)`
      collect_fn          (policy, critic, envs, obs [N, D], num_steps) -> (Rollout, next obs [N, D])
      advantage_fn        (rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda) -> [T, N]
      policy_loss_fn      (log_prob [B], old_log_prob [B], advantages [B], *, clip_coef) -> scalar
      optimizer_fn        (parameters, learning_rate) -> optimizer
      gradient_step_fn    the signature of `optim.actor_critic_step`
      update_fn           the signature of `update`

    Same config, same machine, same curve, bit for bit on the CPU. Raises: InvalidInput for what cannot be trained,
    TrainingDiverged for numbers that are not finite.
    """
    with optim.seeded(config.seed), optim.single_thread():
        run = prepare(config, device=device, policy=policy, critic=critic, envs=envs, optimizer_fn=optimizer_fn)
        assert run.critic is not None and run.policy_optimizer is not None and run.critic_optimizer is not None
        with Recorder(run, on_iteration=on_iteration, checkpoint=checkpoint) as recorder:
            obs = recorder.obs
            while recorder.running:
                if config.anneal_lr:
                    remaining = 1 - recorder.progress_fraction
                    optim.set_learning_rate(run.policy_optimizer, config.policy_lr * remaining)
                    optim.set_learning_rate(run.critic_optimizer, config.critic_lr * remaining)
                rollout, obs = collect_fn(run.policy, run.critic, run.envs, obs, config.num_steps)
                rollout = recorder.take(rollout)
                advantages = advantage_fn(
                    rollout.rewards, rollout.values, rollout.next_values, rollout.terminated, rollout.truncated,
                    gamma=config.gamma, gae_lambda=config.gae_lambda,
                )  # fmt: skip
                metrics = update_fn(
                    run.policy, run.critic, run.policy_optimizer, run.critic_optimizer, flatten(rollout, advantages),
                    config, policy_loss_fn=policy_loss_fn, gradient_step_fn=gradient_step_fn,
                )  # fmt: skip
                update_normalization(run.policy, rollout.obs.flatten(0, 1))
                update_normalization(run.critic, rollout.obs.flatten(0, 1))
                recorder.end_iteration(metrics)
        return recorder.result()
