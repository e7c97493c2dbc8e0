"""What the study of lesson 02 runs: what is subtracted, how the critic is trained, and a silent bug."""

from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from pgcourse import losses, optim, reinforce
from pgcourse.returns import episode_returns
from pgcourse.rollout import Episode

EPISODES = 400
CRITIC = replace(reinforce.CARTPOLE, num_episodes=EPISODES)
NO_CRITIC = replace(reinforce.CARTPOLE_NO_BASELINE, num_episodes=EPISODES)
SLOW = 3e-4  # a common rate for a critic; from returns near 0 it takes long to get to returns near 100

# The first two are those of lesson 01, run for longer there. Standardised weights have the batch's mean subtracted, so
# "no_baseline" has a constant baseline in truth; the uncentred ones have nothing subtracted but what they name.
VARIANTS = {
    "no_baseline": reinforce.CARTPOLE_NO_BASELINE,
    "baseline": reinforce.CARTPOLE,
    "uncentred": replace(NO_CRITIC, normalize_weights=False),
    "running_mean": replace(NO_CRITIC, normalize_weights=False),
    "uncentred_critic": replace(CRITIC, normalize_weights=False),
    "uncentred_slow_critic": replace(CRITIC, normalize_weights=False, critic_lr=SLOW),
    "slow_critic": replace(CRITIC, critic_lr=SLOW),
    "one_critic_step": replace(CRITIC, critic_steps=1),
    "fitted_first": CRITIC,
    "patient": CRITIC,
}


def scaled_loss(log_prob: Tensor, weight: Tensor) -> Tensor:
    """Weights divided by their standard deviation and not centred: of the usual size, with nothing subtracted."""
    return losses.reinforce_loss(log_prob, weight / (weight.std(correction=0) + 1e-8))


@dataclass
class RunningMeanUpdate:
    """`reinforce.update` with a running mean of the batches before as baseline: a constant that owes nothing to this one.

    The first batch has no mean before it, and is used as it is.
    """

    share: float = 0.1  # of the newest batch in the running mean
    policy: nn.Module | None = field(default=None, repr=False)
    num_batches: int = field(default=0, repr=False)
    mean: float = field(default=0.0, repr=False)

    def __call__(self, policy: nn.Module, *parts: Any, **functions: Any) -> dict[str, Tensor]:
        if policy is not self.policy:  # another run
            self.policy, self.num_batches, self.mean = policy, 0, 0.0

        def loss(log_prob: Tensor, weight: Tensor) -> Tensor:
            return scaled_loss(log_prob, weight - self.mean)

        metrics = reinforce.update(policy, *parts, **{**functions, "policy_loss_fn": loss})
        self.num_batches += 1
        # Early on the plain mean of all batches, so that the start at 0 is forgotten at once.
        share = max(self.share, 1 / self.num_batches)
        self.mean += share * (float(metrics["charts/return_mean"]) - self.mean)
        return metrics


def flat(episodes: list[Episode], gamma: float) -> tuple[Tensor, Tensor]:
    """Observations [B, D] and discounted returns [B] of all steps of the batch."""
    returns = episode_returns([episode.rewards for episode in episodes], gamma=gamma)
    return torch.cat([episode.obs for episode in episodes]), returns


def fit(
    critic: nn.Module,
    optimizer: torch.optim.Optimizer,
    episodes: list[Episode],
    config: reinforce.ReinforceConfig,
    *,
    paired: bool = False,
) -> dict[str, Tensor]:
    """The critic's steps of `reinforce.update`, by themselves. paired: compare every value with every return."""
    obs, returns = flat(episodes, config.gamma)
    value_losses, norms = [], []
    for _ in range(config.critic_steps):
        values = critic(obs)
        # The bug: values [B, 1] against returns [B] make a table [B, B].
        loss = 0.5 * (values[:, None] - returns).square().mean() if paired else losses.value_loss(values, returns)
        norms.append(optim.gradient_step(loss, critic, optimizer, max_grad_norm=config.max_grad_norm))
        value_losses.append(loss.detach())
    return {
        "losses/value_loss": torch.stack(value_losses).mean(),
        "losses/critic_grad_norm": torch.stack(norms).mean(),
    }


def update_fitted_first(
    policy: nn.Module,
    critic: nn.Module,
    policy_optimizer: torch.optim.Optimizer,
    critic_optimizer: torch.optim.Optimizer,
    episodes: list[Episode],
    config: reinforce.ReinforceConfig,
    **functions: Any,
) -> dict[str, Tensor]:
    """`reinforce.update` with the critic fitted to the batch before its values serve as the batch's baseline."""
    metrics = fit(critic, critic_optimizer, episodes, config)
    return metrics | reinforce.update(policy, critic, policy_optimizer, None, episodes, config, **functions)


def update_paired_critic(
    policy: nn.Module,
    critic: nn.Module,
    policy_optimizer: torch.optim.Optimizer,
    critic_optimizer: torch.optim.Optimizer,
    episodes: list[Episode],
    config: reinforce.ReinforceConfig,
    **functions: Any,
) -> dict[str, Tensor]:
    """The lesson's patient: `reinforce.update` with a value loss that pairs every value with every return."""
    metrics = reinforce.update(policy, critic, policy_optimizer, None, episodes, config, **functions)
    return metrics | fit(critic, critic_optimizer, episodes, config, paired=True)


SEAMS: dict[str, dict[str, Any]] = {
    "uncentred": {"policy_loss_fn": scaled_loss},
    "uncentred_critic": {"policy_loss_fn": scaled_loss},
    "uncentred_slow_critic": {"policy_loss_fn": scaled_loss},
    "running_mean": {"update_fn": RunningMeanUpdate()},
    "fitted_first": {"update_fn": update_fitted_first},
    "patient": {"update_fn": update_paired_critic},
}
