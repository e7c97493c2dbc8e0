"""Right answers to ppo_update in other styles."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from pgcourse.checks.unit_04.ppo_update_parts import build
from pgcourse.rollout import Batch

with_unbiased_std = build(1)
with_unbiased_std.__name__ = "with_unbiased_std"


def in_one_backward(
    policy: nn.Module,
    critic: nn.Module,
    policy_optimizer: torch.optim.Optimizer,
    critic_optimizer: torch.optim.Optimizer,
    batch: Batch,
    *,
    clip_coef: float,
    ent_coef: float,
    update_epochs: int,
    minibatch_size: int,
    target_kl: float | None,
    max_grad_norm: float,
    generator: torch.Generator,
) -> dict[str, Any]:
    """One backward pass over the sum of both losses; metrics measured on the whole batch after the last epoch."""
    size, epoch = len(batch.obs), 0
    while epoch < update_epochs:
        epoch += 1
        order = torch.randperm(size, generator=generator)
        for start in range(0, size, minibatch_size):
            part = Batch(*(column[order[start : start + minibatch_size]] for column in batch))
            distribution = policy(part.obs)
            ratio = torch.exp(distribution.log_prob(part.actions) - part.log_prob)
            weight = (part.advantages - part.advantages.mean()) / (part.advantages.std(unbiased=False) + 1e-8)
            clipped = torch.clamp(ratio, 1 - clip_coef, 1 + clip_coef)
            policy_loss = torch.max(-weight * ratio, -weight * clipped).mean()
            value_loss = nn.functional.mse_loss(critic(part.obs), part.returns) / 2
            for optimizer in (policy_optimizer, critic_optimizer):
                optimizer.zero_grad()
            (policy_loss - ent_coef * distribution.entropy().mean() + value_loss).backward()
            for module, optimizer in ((policy, policy_optimizer), (critic, critic_optimizer)):
                nn.utils.clip_grad_norm_(module.parameters(), max_grad_norm)
                optimizer.step()
        log_ratio = (policy(batch.obs).log_prob(batch.actions) - batch.log_prob).detach()
        kl = (log_ratio.exp() - 1 - log_ratio).mean()
        if target_kl is not None and kl.item() > target_kl:
            break
    fraction = ((log_ratio.exp() - 1).abs() > clip_coef).float().mean()
    return {
        "losses/approx_kl": kl,
        "losses/clipfrac": fraction,
        "epochs": float(epoch),
        "losses/value_loss": value_loss,
    }


def accumulating(
    policy: nn.Module,
    critic: nn.Module,
    policy_optimizer: torch.optim.Optimizer,
    critic_optimizer: torch.optim.Optimizer,
    batch: Batch,
    **settings: Any,
) -> dict[str, float]:
    """Row by row: one backward pass each, gradients added up, then the step; gradients are cleared after it."""
    kl: list[float] = []
    fractions: list[float] = []
    clip_coef, part = settings["clip_coef"], settings["minibatch_size"]
    policy.zero_grad()
    critic.zero_grad()
    epochs = 0
    for _ in range(settings["update_epochs"]):
        keys = torch.rand(len(batch.obs), generator=settings["generator"], dtype=torch.float64).argsort()
        for rows in keys.split(part):
            own = batch.advantages[rows].tolist()
            mean = sum(own) / len(own)
            std = math.sqrt(sum((one - mean) ** 2 for one in own) / len(own))
            for row, advantage in zip(rows.tolist(), own, strict=True):
                distribution = policy(batch.obs[row : row + 1])
                log_ratio = distribution.log_prob(batch.actions[row : row + 1]) - batch.log_prob[row : row + 1]
                weight, ratio = (advantage - mean) / (std + 1e-8), log_ratio.exp()
                bound = ratio.clamp(max=1 + clip_coef) if weight > 0 else ratio.clamp(min=1 - clip_coef)
                loss = -weight * bound - settings["ent_coef"] * distribution.entropy()
                (loss.sum() / len(own)).backward()
                error = critic(batch.obs[row : row + 1]) - batch.returns[row : row + 1]
                (0.5 * error.square().sum() / len(own)).backward()
                kl.append(float(ratio - 1 - log_ratio))
                fractions.append(float(abs(ratio - 1) > clip_coef))
            for module, optimizer in ((policy, policy_optimizer), (critic, critic_optimizer)):
                nn.utils.clip_grad_norm_(list(module.parameters()), settings["max_grad_norm"])
                optimizer.step()
                optimizer.zero_grad()
        epochs += 1
        with torch.no_grad():
            log_ratio = policy(batch.obs).log_prob(batch.actions) - batch.log_prob
            if settings["target_kl"] is not None and (log_ratio.expm1() - log_ratio).mean() > settings["target_kl"]:
                break
    return {"losses/approx_kl": sum(kl) / len(kl), "losses/clipfrac": sum(fractions) / len(fractions), "epochs": epochs}


def _clip(module: nn.Module, limit: float) -> None:
    gradients: list[Tensor] = [p.grad for p in module.parameters() if p.grad is not None]
    norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
    if norm > limit:
        for gradient in gradients:
            gradient.mul_(limit / norm)


def _clip_both(policy: nn.Module, critic: nn.Module, limit: float) -> None:
    for module in (policy, critic):
        _clip(module, limit)


with_manual_clipping = build(0, clip_gradients=_clip_both)
with_manual_clipping.__name__ = "with_manual_clipping"
