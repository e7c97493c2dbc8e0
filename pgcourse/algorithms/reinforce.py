"""REINFORCE: follow the score function, weighted by the return, over complete episodes of the current policy.

    grad J = E[ sum_t grad log pi(a_t|s_t) * weight_t ]

The weight is the reward-to-go G_t, or the advantage G_t - V(s_t) where a critic serves as baseline.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from gymnasium.vector import VectorEnv
from torch import Tensor, nn

from .. import losses, optim
from ..checkpoint import Checkpoint
from ..config import Activation
from ..diagnostics import explained_variance
from ..errors import require_budget, require_choice, require_integers, require_numbers, require_sizes
from ..networks import ACTIVATIONS
from ..returns import episode_returns, normalize
from ..rollout import Episode, collect_episodes
from ..runs import Result
from ..setup import OptimizerFn, prepare
from ..training import OnIteration, Recorder


@dataclass(frozen=True)
class ReinforceConfig:
    """REINFORCE hyperparameters. One update uses one complete episode of each of `num_envs` environments."""

    algorithm: ClassVar[str] = "reinforce"

    env_id: str = "CartPole-v1"
    seed: int = 0
    num_episodes: int | None = 1000
    total_timesteps: int | None = None
    num_envs: int = 4  # complete episodes in an update
    gamma: float = 0.99
    baseline: bool = True  # subtract a critic's V(s)
    normalize_weights: bool = True  # mean 0, standard deviation 1 over all steps of the batch
    policy_lr: float = 3e-3
    critic_lr: float = 5e-3
    critic_steps: int = 5  # gradient steps of the critic in an update
    max_grad_norm: float | None = 0.5  # None clips nothing
    hidden_sizes: tuple[int, ...] = (64, 64)
    activation: Activation = "tanh"  # between the layers of policy and critic

    def __post_init__(self) -> None:
        require_integers(self, "seed", at_least=0)
        require_integers(self, "num_envs", "critic_steps")
        require_integers(self, "num_episodes", "total_timesteps", optional=True)
        require_numbers(self, "gamma", high=1)
        require_numbers(self, "policy_lr", "critic_lr", above=True)
        require_numbers(self, "max_grad_norm", above=True, optional=True)
        require_sizes(self, "hidden_sizes")
        require_choice(self, "activation", *ACTIVATIONS)
        require_budget(self)


# Tuned presets.
CARTPOLE = ReinforceConfig()
CARTPOLE_NO_BASELINE = replace(CARTPOLE, baseline=False)
# What everyone writes first: one episode an update, raw returns as weights, no clipping, a large step.
CARTPOLE_NAIVE = replace(
    CARTPOLE, num_envs=1, baseline=False, normalize_weights=False, policy_lr=1e-2, max_grad_norm=None
)

AdvantageFn = Callable[[Tensor, Tensor], Tensor]
LossFn = Callable[[Tensor, Tensor], Tensor]


def returns_minus_values(returns: Tensor, values: Tensor) -> Tensor:
    """The advantage of REINFORCE with baseline, G_t - V(s_t). Args: [B] each. Returns: [B]."""
    return returns - values


def update(
    policy: nn.Module,
    critic: nn.Module | None,
    policy_optimizer: torch.optim.Optimizer,
    critic_optimizer: torch.optim.Optimizer | None,
    episodes: list[Episode],
    config: ReinforceConfig,
    *,
    advantage_fn: AdvantageFn = returns_minus_values,
    policy_loss_fn: LossFn = losses.reinforce_loss,
    gradient_step_fn: Callable[..., Tensor] = optim.gradient_step,
) -> dict[str, Tensor]:
    """One policy step, and `critic_steps` critic steps, on complete episodes of this policy.

    Returns: metrics of the update.
    """
    obs = torch.cat([episode.obs for episode in episodes])  # [B, D]
    actions = torch.cat([episode.actions for episode in episodes])  # [B]
    returns = episode_returns([episode.rewards for episode in episodes], gamma=config.gamma)  # [B]
    metrics = {"charts/return_mean": returns.mean()}

    weight = returns
    if critic is not None:
        with torch.no_grad():
            values = critic(obs)  # [B], before the critic is fitted to these very returns
        weight = advantage_fn(returns, values)
        metrics["charts/value_mean"] = values.mean()
        metrics["losses/explained_variance"] = explained_variance(values, returns)
    if config.normalize_weights:
        weight = normalize(weight)

    distribution = policy(obs)
    policy_loss = policy_loss_fn(distribution.log_prob(actions), weight)
    metrics["losses/policy_grad_norm"] = gradient_step_fn(
        policy_loss, policy, policy_optimizer, max_grad_norm=config.max_grad_norm
    )
    metrics["losses/policy_loss"] = policy_loss.detach()
    metrics["losses/entropy"] = distribution.entropy().detach().mean()

    if critic is not None and critic_optimizer is not None:
        value_losses, norms = [], []
        for _ in range(config.critic_steps):
            loss = losses.value_loss(critic(obs), returns)
            norms.append(gradient_step_fn(loss, critic, critic_optimizer, max_grad_norm=config.max_grad_norm))
            value_losses.append(loss.detach())
        metrics["losses/value_loss"] = torch.stack(value_losses).mean()
        metrics["losses/critic_grad_norm"] = torch.stack(norms).mean()
    return metrics


def train(
    config: ReinforceConfig = CARTPOLE,
    *,
    device: str | torch.device = "auto",
    on_iteration: OnIteration | None = None,
    checkpoint: Checkpoint | None = None,
    policy: nn.Module | None = None,
    critic: nn.Module | None = None,
    envs: VectorEnv | None = None,
    collect_fn: Callable[[nn.Module, VectorEnv], list[Episode]] = collect_episodes,
    advantage_fn: AdvantageFn = returns_minus_values,
    policy_loss_fn: LossFn = losses.reinforce_loss,
    optimizer_fn: OptimizerFn = optim.adam,
    gradient_step_fn: Callable[..., Tensor] = optim.gradient_step,
    update_fn: Callable[..., dict[str, Tensor]] = update,
) -> Result:
    """Train until the budget is used up, `on_iteration` returns True, or an interrupt.

    What a learner may replace:
      policy, critic      networks of their own: obs [B, D] -> Distribution, obs [B, D] -> values [B]
      envs                a vector environment in SAME_STEP mode, in place of `make_envs(config.env_id, ...)`
      collect_fn          (policy, envs) -> list of complete episodes
      advantage_fn        (returns [B], values [B]) -> [B]
      policy_loss_fn      (log_prob [B], weight [B]) -> scalar
      optimizer_fn        (parameters, learning_rate) -> optimizer
      gradient_step_fn    (loss, module, optimizer, *, max_grad_norm) -> norm before clipping
      update_fn           the signature of `update`

    Same config, same machine, same curve, bit for bit on the CPU. Raises: InvalidInput for what cannot be trained,
    TrainingDiverged for numbers that are not finite.
    """
    with optim.seeded(config.seed), optim.single_thread():
        run = prepare(
            config, device=device, policy=policy, critic=critic, envs=envs, optimizer_fn=optimizer_fn,
            needs_critic=config.baseline,
        )  # fmt: skip
        config = run.config
        with Recorder(run, on_iteration=on_iteration, checkpoint=checkpoint) as recorder:
            while recorder.running:
                episodes = collect_fn(run.policy, run.envs)
                recorder.record_episodes([episode.rewards for episode in episodes])
                recorder.require_finite(
                    observations=torch.cat([episode.obs for episode in episodes]),
                    rewards=torch.cat([episode.rewards for episode in episodes]),
                )
                metrics = update_fn(
                    run.policy, run.critic, run.policy_optimizer, run.critic_optimizer, episodes, config,
                    advantage_fn=advantage_fn, policy_loss_fn=policy_loss_fn, gradient_step_fn=gradient_step_fn,
                )  # fmt: skip
                recorder.end_iteration(metrics)
        return recorder.result()
