"""PPO: several epochs of minibatch steps on the same rollout, with the ratio to the acting policy clipped.

    maximise  E[ min( r A, clip(r, 1 - eps, 1 + eps) A ) ] + ent_coef * entropy,     r = pi(a|s) / pi_old(a|s)

Discrete and continuous actions differ in the policy's distribution and nowhere else.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
from gymnasium.vector import VectorEnv
from torch import Tensor, nn

from .. import losses, optim
from ..checkpoint import Checkpoint
from ..config import Activation
from ..diagnostics import approx_kl, clip_fraction, explained_variance
from ..errors import InvalidInput, require_budget, require_choice, require_integers, require_numbers, require_sizes
from ..networks import ACTIVATIONS
from ..normalization import update_normalization
from ..returns import gae, normalize
from ..rollout import Batch, Rollout, collect_rollout, flatten
from ..runs import Result
from ..setup import OptimizerFn, prepare
from ..training import OnIteration, Recorder


@dataclass(frozen=True)
class PPOConfig:
    """PPO hyperparameters. One update uses `num_steps` steps of `num_envs` environments, `update_epochs` times over."""

    algorithm: ClassVar[str] = "ppo"

    env_id: str = "CartPole-v1"
    seed: int = 0
    total_timesteps: int | None = 200_000
    num_episodes: int | None = None
    num_envs: int = 32
    num_steps: int = 32
    update_epochs: int = 6
    minibatch_size: int = 512  # few large gradient steps: a batch of 512 costs less than two of 256
    gamma: float = 0.99
    gae_lambda: float = 0.95
    normalize_advantages: Literal["minibatch", "batch", "never"] = "minibatch"
    clip_coef: float | None = 0.2  # None leaves the ratio unclipped
    target_kl: float | None = None  # stop the epochs of an update once the approximate KL exceeds it
    ent_coef: float = 0.0
    policy_lr: float = 1.5e-3
    critic_lr: float = 1e-2
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
        require_integers(self, "num_envs", "num_steps", "update_epochs", "minibatch_size")
        require_integers(self, "num_episodes", "total_timesteps", optional=True)
        require_numbers(self, "gamma", "gae_lambda", high=1)
        require_numbers(self, "policy_lr", "critic_lr", "reward_scale", "initial_std", above=True)
        require_numbers(self, "ent_coef", "vf_coef")
        require_numbers(self, "clip_coef", "target_kl", "max_grad_norm", above=True, optional=True)
        require_sizes(self, "hidden_sizes")
        require_choice(self, "activation", *ACTIVATIONS)
        require_choice(self, "normalize_advantages", "minibatch", "batch", "never")
        require_choice(self, "lr_schedule", *optim.LR_SCHEDULES)
        require_budget(self)
        if self.minibatch_size > self.batch_size:
            raise InvalidInput(
                f"minibatch_size={self.minibatch_size} exceeds the batch of {self.batch_size} (num_envs {self.num_envs} x "
                f"num_steps {self.num_steps}); use at most {self.batch_size}"
            )

    @property
    def batch_size(self) -> int:
        """Rows in an update."""
        return self.num_envs * self.num_steps


# Tuned presets.
# Layers of 32 take a fifth less time to the solved task than layers of 64, although they need a few more steps.
CARTPOLE = PPOConfig(hidden_sizes=(32, 32))
# A rollout is as long as an episode, so it holds swings and balancing alike. Torques go up to 2, and so does the first
# standard deviation: narrower, the swing is found later. A discount of 0.9 sees half a second ahead, a swing takes longer: with
# it the policy keeps one swing too many from some starts for long, and a few seeds in a hundred need half as many steps again.
PENDULUM = PPOConfig(
    env_id="Pendulum-v1", total_timesteps=100_000, num_envs=12, num_steps=200, minibatch_size=400, update_epochs=15,
    gamma=0.93, gae_lambda=0.98, policy_lr=3e-3, critic_lr=3e-3, anneal_lr=True, reward_scale=0.1, initial_std=2.0,
    hidden_sizes=(32, 32),
)  # fmt: skip
ACROBOT = replace(
    CARTPOLE, env_id="Acrobot-v1", total_timesteps=100_000, num_envs=16, num_steps=128, update_epochs=4, policy_lr=1e-3,
    critic_lr=3e-3, hidden_sizes=(64, 64), normalize_observations=True,
)  # fmt: skip
LUNAR_LANDER = replace(
    CARTPOLE, env_id="LunarLander-v3", total_timesteps=500_000, num_steps=128, update_epochs=4, gamma=0.995,
    gae_lambda=0.97, ent_coef=0.01, policy_lr=1e-3, critic_lr=2e-3, reward_scale=0.05, hidden_sizes=(64, 64),
)  # fmt: skip
INVERTED_PENDULUM = replace(
    PENDULUM, env_id="InvertedPendulum-v5", total_timesteps=60_000, num_envs=8, num_steps=128, minibatch_size=256,
    update_epochs=10, gamma=0.99, gae_lambda=0.95, policy_lr=1e-3, initial_std=0.5, hidden_sizes=(64, 64),
)  # fmt: skip
HALF_CHEETAH = replace(
    PENDULUM, env_id="HalfCheetah-v5", total_timesteps=500_000, num_envs=16, num_steps=128, minibatch_size=256,
    update_epochs=10, gamma=0.98, gae_lambda=0.95, policy_lr=1e-3, critic_lr=1e-3, reward_scale=1.0, initial_std=1.0,
    hidden_sizes=(64, 64), normalize_observations=True, normalize_rewards=True,
)  # fmt: skip
# Settings that together look like a broken algorithm when the budget is 1,000 episodes: long rollouts and a slow critic.
# The third trap, one clipping norm for both networks, is code: `gradient_step_fn`. At this policy_lr the slow critic does
# nearly all of the harm; at 3e-4, the rate of lesson 06's patient, all three do.
BUGGY = replace(
    CARTPOLE, total_timesteps=None, num_episodes=1000, num_envs=16, num_steps=128, update_epochs=4, policy_lr=1e-3,
    critic_lr=3e-4,
)  # fmt: skip


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
    gradient_step_fn: Callable[..., tuple[Tensor, ...]] = optim.actor_critic_step,
) -> dict[str, Tensor | float]:
    """Epochs of minibatch steps, ended early where the policy has moved by more than target_kl.

    Returns: metrics, each the mean over all gradient steps of the update, but for those of the advantages and explained
    variance, taken once before the first step, and the counts of epochs and early stops.
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
            with torch.set_grad_enabled(config.ent_coef > 0):  # without a bonus it is only measured
                entropy = distribution.entropy().mean()
            policy_loss = policy_loss_fn(log_prob, old_log_prob, advantages, clip_coef=config.clip_coef)
            value_loss = losses.value_loss(critic(obs), returns)
            norms = gradient_step_fn(
                policy_loss - config.ent_coef * entropy, config.vf_coef * value_loss, policy, critic, policy_optimizer,
                critic_optimizer, max_grad_norm=config.max_grad_norm,
            )  # fmt: skip
            history["losses/policy_loss"].append(policy_loss.detach())
            history["losses/value_loss"].append(value_loss.detach())
            history["losses/entropy"].append(entropy.detach())
            for name, norm in zip(optim.STEP_METRICS, norms, strict=False):
                history[name].append(norm)
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
    gradient_step_fn: Callable[..., tuple[Tensor, ...]] = optim.actor_critic_step,
    update_fn: Callable[..., dict[str, Tensor | float]] = update,
) -> Result:
    """Train until the budget is used up, `on_iteration` returns True, or an interrupt.

    What a learner may replace:
      policy, critic      networks of their own: obs [B, D] -> Distribution, obs [B, D] -> values [B]; with shared_trunk
                          both on the same layers (`networks.share_trunk` puts a critic on a policy's)
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
