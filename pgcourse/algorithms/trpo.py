"""TRPO: the largest step along the natural gradient that keeps the KL divergence to the acting policy within a limit.

    maximise  E[ r A ]   subject to   E[ KL(pi_old || pi) ] <= max_kl

The direction solves F x = g with conjugate gradient (F is the Fisher information, g the gradient of the surrogate), its
length comes from the quadratic model of the KL, and a line search makes the constraint hold: it is hard, not a penalty.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from gymnasium.vector import VectorEnv
from torch import Tensor, nn
from torch.distributions import kl_divergence
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from .. import losses, natural_gradient, optim
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
class TRPOConfig:
    """TRPO hyperparameters. One update uses `num_steps` steps of `num_envs` environments."""

    algorithm: ClassVar[str] = "trpo"

    env_id: str = "CartPole-v1"
    seed: int = 0
    total_timesteps: int | None = 120_000
    num_episodes: int | None = None
    num_envs: int = 16
    num_steps: int = 64
    gamma: float = 0.99
    gae_lambda: float = 0.95
    max_kl: float = 0.01  # nats, mean over the batch
    damping: float = 0.1  # added to the Fisher information's diagonal
    cg_iterations: int = 10
    cg_tolerance: float = 1e-5
    backtracks: int = 10
    shrink: float = 0.8
    critic_lr: float = 5e-3
    critic_steps: int = 20  # gradient steps of the critic in an update, on the whole batch
    max_grad_norm: float | None = 0.5  # of the critic; None clips nothing
    reward_scale: float = 1.0
    normalize_observations: bool = False
    normalize_rewards: bool = False  # divide by the running standard deviation of the return
    hidden_sizes: tuple[int, ...] = (64, 64)
    initial_std: float = 1.0  # of continuous actions
    activation: Activation = "tanh"  # between the layers of policy and critic

    def __post_init__(self) -> None:
        require_integers(self, "seed", at_least=0)
        require_integers(self, "num_envs", "num_steps", "cg_iterations", "backtracks", "critic_steps")
        require_integers(self, "num_episodes", "total_timesteps", optional=True)
        require_numbers(self, "gamma", "gae_lambda", high=1)
        require_numbers(self, "max_kl", "critic_lr", "reward_scale", "initial_std", above=True)
        require_numbers(self, "damping", "cg_tolerance")
        require_numbers(self, "shrink", high=0.999, above=True)
        require_numbers(self, "max_grad_norm", above=True, optional=True)
        require_sizes(self, "hidden_sizes")
        require_choice(self, "activation", *ACTIVATIONS)
        require_budget(self)


CARTPOLE = TRPOConfig()


def policy_step(
    policy: nn.Module, batch: Batch, advantages: Tensor, config: TRPOConfig, *,
    conjugate_gradient_fn: Callable[..., Tensor] = natural_gradient.conjugate_gradient,
    fisher_vector_product_fn: Callable[..., Tensor] = natural_gradient.fisher_vector_product,
    step_scale_fn: Callable[..., Tensor] = natural_gradient.step_scale,
    line_search_fn: Callable[..., Tensor] = natural_gradient.line_search,
) -> dict[str, Tensor]:  # fmt: skip
    """Move the policy once, in place, within the trust region. Returns: metrics of the step."""
    parameters = list(policy.parameters())
    start = parameters_to_vector(parameters).detach().clone()  # [P]

    def surrogate_loss(log_prob: Tensor) -> Tensor:
        return losses.ppo_clip_loss(log_prob, batch.log_prob, advantages, clip_coef=None)

    distribution = policy(batch.obs)
    loss_before = surrogate_loss(distribution.log_prob(batch.actions))
    gradient = natural_gradient.flatten_gradients(torch.autograd.grad(loss_before, parameters), parameters)
    with torch.no_grad():
        old = policy(batch.obs)

    def fisher(vector: Tensor) -> Tensor:
        return fisher_vector_product_fn(policy, batch.obs, vector, damping=config.damping)

    direction = conjugate_gradient_fn(fisher, -gradient, iterations=config.cg_iterations, tolerance=config.cg_tolerance)
    length = step_scale_fn(direction, fisher(direction), max_kl=config.max_kl)

    def evaluate(step: Tensor) -> tuple[float, float]:
        with torch.no_grad():
            vector_to_parameters(start + step, parameters)
            new = policy(batch.obs)
            improvement = loss_before - surrogate_loss(new.log_prob(batch.actions))
            return float(improvement), float(kl_divergence(old, new).mean())

    settings = {"max_kl": config.max_kl, "backtracks": config.backtracks, "shrink": config.shrink}
    step = line_search_fn(evaluate, length * direction, **settings)
    improvement, kl = evaluate(step)  # leaves the policy at the accepted step, or where it was
    return {
        "losses/policy_loss": loss_before.detach(),
        "losses/policy_grad_norm": gradient.norm(),
        "losses/approx_kl": torch.tensor(kl),
        "losses/entropy": distribution.entropy().detach().mean(),
        "charts/surrogate_improvement": torch.tensor(improvement),
        "charts/step_accepted": (step != 0).any().float(),
    }


def update(
    policy: nn.Module,
    critic: nn.Module,
    critic_optimizer: torch.optim.Optimizer,
    batch: Batch,
    config: TRPOConfig,
    *,
    policy_step_fn: Callable[..., dict[str, Tensor]] = policy_step,
    gradient_step_fn: Callable[..., Tensor] = optim.gradient_step,
) -> dict[str, Tensor]:
    """One constrained policy step, then `critic_steps` critic steps. Returns: metrics of the update."""
    metrics = policy_step_fn(policy, batch, normalize(batch.advantages), config)
    value_losses, norms = [], []
    for _ in range(config.critic_steps):
        loss = losses.value_loss(critic(batch.obs), batch.returns)
        norms.append(gradient_step_fn(loss, critic, critic_optimizer, max_grad_norm=config.max_grad_norm))
        value_losses.append(loss.detach())
    values = batch.returns - batch.advantages  # before the critic was fitted
    return metrics | {
        "losses/value_loss": torch.stack(value_losses).mean(),
        "losses/critic_grad_norm": torch.stack(norms).mean(),
        "losses/explained_variance": explained_variance(values, batch.returns),
        "charts/value_mean": values.mean(),
        "charts/return_mean": batch.returns.mean(),
        "charts/advantage_mean": batch.advantages.mean(),
        "charts/advantage_std": batch.advantages.std(correction=0),
    }


def train(
    config: TRPOConfig = CARTPOLE,
    *,
    device: str | torch.device = "auto",
    on_iteration: OnIteration | None = None,
    checkpoint: Checkpoint | None = None,
    policy: nn.Module | None = None,
    critic: nn.Module | None = None,
    envs: VectorEnv | None = None,
    collect_fn: Callable[..., tuple[Rollout, Tensor]] = collect_rollout,
    advantage_fn: Callable[..., Tensor] = gae,
    policy_step_fn: Callable[..., dict[str, Tensor]] = policy_step,
    optimizer_fn: OptimizerFn = optim.adam,
    gradient_step_fn: Callable[..., Tensor] = optim.gradient_step,
    update_fn: Callable[..., dict[str, Tensor]] = update,
) -> Result:
    """Train until the budget is used up, `on_iteration` returns True, or an interrupt.

    What a learner may replace: as in `ppo.train`, but for
      policy_step_fn      (policy, batch, advantages [B], config) -> metrics; moves the policy in place. For a part of it:
                          functools.partial(policy_step, line_search_fn=...)
      gradient_step_fn    (loss, module, optimizer, *, max_grad_norm) -> norm; of the critic
      update_fn           the signature of `update`; the policy has no optimiser

    Same config, same machine, same curve, bit for bit on the CPU. Raises: InvalidInput for what cannot be trained,
    TrainingDiverged for numbers that are not finite.
    """
    with optim.seeded(config.seed), optim.single_thread():
        run = prepare(config, device=device, policy=policy, critic=critic, envs=envs, optimizer_fn=optimizer_fn)
        config = run.config
        assert run.critic is not None
        with Recorder(run, on_iteration=on_iteration, checkpoint=checkpoint) as recorder:
            obs = recorder.obs
            while recorder.running:
                rollout, obs = collect_fn(run.policy, run.critic, run.envs, obs, config.num_steps)
                recorder.record_rollout(rollout)
                rollout = run.scale_rewards(rollout)
                advantages = advantage_fn(
                    rollout.rewards, rollout.values, rollout.next_values, rollout.terminated, rollout.truncated,
                    gamma=config.gamma, gae_lambda=config.gae_lambda,
                )  # fmt: skip
                metrics = update_fn(
                    run.policy, run.critic, run.critic_optimizer, flatten(rollout, advantages), config,
                    policy_step_fn=policy_step_fn, gradient_step_fn=gradient_step_fn,
                )  # fmt: skip
                update_normalization(run.policy, rollout.obs.flatten(0, 1))
                update_normalization(run.critic, rollout.obs.flatten(0, 1))
                recorder.end_iteration(metrics)
        return recorder.result()
