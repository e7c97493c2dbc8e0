"""A PPO update around one function, so that a bug in the losses can be read in a few lines."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..algorithms import ppo
from ..diagnostics import approx_kl, clip_fraction, explained_variance
from ..returns import normalize
from ..rollout import Batch


class MinibatchLosses(NamedTuple):
    """What one minibatch of B rows gives."""

    policy: Tensor  # scalar, with the entropy's part
    value: Tensor  # scalar
    log_prob: Tensor  # [B]
    old_log_prob: Tensor  # [B], as the ratio uses it
    entropy: Tensor  # scalar, nats


LossesFn = Callable[[nn.Module, nn.Module, Batch, ppo.PPOConfig], MinibatchLosses]


def update_with(
    losses_fn: LossesFn,
    policy: nn.Module,
    critic: nn.Module,
    policy_optimizer: torch.optim.Optimizer,
    critic_optimizer: torch.optim.Optimizer,
    batch: Batch,
    config: ppo.PPOConfig,
    *,
    gradient_step_fn: Callable[..., tuple[Tensor, Tensor]],
    **_: Any,
) -> dict[str, Tensor | float]:
    """`ppo.update`, but for `losses_fn`, which gets a minibatch with normalised advantages; the same metrics."""
    history: dict[str, list[Tensor]] = defaultdict(list)
    values = batch.returns - batch.advantages  # of the critic that acted
    for _epoch in range(config.update_epochs):
        for rows in ppo.minibatches(len(batch.obs), config.minibatch_size, device=batch.obs.device):
            minibatch = Batch(*(column[rows] for column in batch))
            minibatch = minibatch._replace(advantages=normalize(minibatch.advantages))
            found = losses_fn(policy, critic, minibatch, config)
            norms = gradient_step_fn(
                found.policy, found.value, policy, critic, policy_optimizer, critic_optimizer,
                max_grad_norm=config.max_grad_norm,
            )  # fmt: skip
            for name, number in zip(
                ("policy_loss", "value_loss", "entropy", "policy_grad_norm", "critic_grad_norm"),
                (found.policy + config.ent_coef * found.entropy, found.value, found.entropy, *norms),
                strict=True,
            ):
                history[f"losses/{name}"].append(number.detach())
            history["log_prob"].append(found.log_prob.detach())
            history["old_log_prob"].append(found.old_log_prob.detach())
    log_prob, old_log_prob = torch.cat(history.pop("log_prob")), torch.cat(history.pop("old_log_prob"))
    ratio = (log_prob - old_log_prob).exp()
    metrics: dict[str, Tensor | float] = {name: torch.stack(numbers).mean() for name, numbers in history.items()}
    return metrics | {
        "losses/approx_kl": approx_kl(log_prob, old_log_prob),
        "losses/clipfrac": clip_fraction(log_prob, old_log_prob, clip_coef=config.clip_coef or 0.2),
        "losses/explained_variance": explained_variance(values, batch.returns),
        "charts/ratio_mean": ratio.mean(),
        "charts/ratio_std": ratio.std(correction=0),
        "charts/value_mean": values.mean(),
        "charts/return_mean": batch.returns.mean(),
        "charts/advantage_mean": batch.advantages.mean(),
        "charts/advantage_std": batch.advantages.std(correction=0),
        "charts/epochs": float(config.update_epochs),
        "charts/early_stop": 0.0,
    }
