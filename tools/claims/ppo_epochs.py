"""One update looked at epoch by epoch: how far the policy goes on one batch, with the clip and without."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pgcourse import diagnostics, optim, ppo
from pgcourse.returns import normalize
from pgcourse.rollout import Batch

from .ppo_variants import sampled_return
from .summary import band

LOOKED_AT = 10  # the policy is on its way up then: its advantages are large, and there is something to lose
EPOCHS = 30
CLIPS = {"clip": 0.2, "no_clip": None}
QUANTITIES = ("kl", "clipfrac", "surrogate", "return")

Moment = tuple[nn.Module, nn.Module, torch.optim.Optimizer, torch.optim.Optimizer, Batch, ppo.PPOConfig]


def epoch_curves(seeds: list[int]) -> dict[str, Any]:
    """Curves of a claims file, "epochs/CLIP/QUANTITY": a value before the update and after each of its epochs."""
    measured = [measure_epochs(seed) for seed in seeds]
    epochs = np.arange(EPOCHS + 1)
    return {
        f"epochs/{name}": band(epochs, "epoch", np.array([each[name] for each in measured])) for name in measured[0]
    }


def measure_epochs(seed: int) -> dict[str, list[float]]:
    """ "CLIP/QUANTITY" -> [EPOCHS + 1] for one training run, both from the same weights, batch and order of rows."""
    moment = moment_of_training(seed)
    curves: dict[str, list[float]] = {}
    for name, clip_coef in CLIPS.items():
        with optim.seeded(seed):
            rows = follow_epochs(moment, clip_coef)
        for quantity, column in zip(QUANTITIES, zip(*rows, strict=True), strict=True):
            curves[f"{name}/{quantity}"] = list(column)
    return curves


def follow_epochs(moment: Moment, clip_coef: float | None) -> list[tuple[float, ...]]:
    """KL, clip fraction at 0.2, surrogate and return of a copy, before the update and after each epoch."""
    # One deepcopy for all, so that the copied optimisers hold the copied networks' parameters.
    policy, critic, policy_optimizer, critic_optimizer, batch, config = copy.deepcopy(moment)
    one_epoch = replace(config, update_epochs=1, clip_coef=clip_coef)
    rows = [look_at(policy, batch, config)]
    for _ in range(EPOCHS):
        ppo.update(policy, critic, policy_optimizer, critic_optimizer, batch, one_epoch)
        rows.append(look_at(policy, batch, config))
    return rows


def look_at(policy: nn.Module, batch: Batch, config: ppo.PPOConfig) -> tuple[float, ...]:
    """Quantities of the policy against the one that collected the batch."""
    with torch.no_grad():
        log_prob = policy(batch.obs).log_prob(batch.actions)
    surrogate = ((log_prob - batch.log_prob).exp() * normalize(batch.advantages)).mean()
    return (
        float(diagnostics.approx_kl(log_prob, batch.log_prob)),
        float(diagnostics.clip_fraction(log_prob, batch.log_prob, clip_coef=0.2)),
        float(surrogate),
        sampled_return(policy, config),
    )


def moment_of_training(seed: int, at_update: int = LOOKED_AT) -> Moment:
    """Networks, optimisers and batch of a training run as they are when update number `at_update` is due."""
    kept: list[Moment] = []
    updates = 0

    def keep(*arguments: Any, **functions: Callable[..., Any]) -> dict[str, Tensor | float]:
        nonlocal updates
        updates += 1
        if updates < at_update:
            return ppo.update(*arguments, **functions)
        kept.append(copy.deepcopy(arguments))  # type: ignore[arg-type]
        return {}

    ppo.train(
        replace(ppo.CARTPOLE, seed=seed),
        device="cpu",
        update_fn=keep,
        on_iteration=lambda progress: progress.iteration >= at_update,
    )
    return kept[0]
