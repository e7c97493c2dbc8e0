"""ppo_update(policy, critic, ..., generator): epochs of minibatch steps on one batch, with all of PPO's guards."""

from __future__ import annotations

import torch
from torch import nn

from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe.ppo_update import PpoUpdate
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_04.minibatches import minibatches
from pgcourse.checks.unit_04.ppo_update_cases import cases_for
from pgcourse.checks.unit_04.ppo_update_right import (
    accumulating,
    in_one_backward,
    with_manual_clipping,
    with_unbiased_std,
)
from pgcourse.checks.unit_04.ppo_update_wrong import MISCONCEPTIONS
from pgcourse.checks.wording import value
from pgcourse.diagnostics import approx_kl, clip_fraction
from pgcourse.losses import ppo_clip_loss, value_loss
from pgcourse.returns import normalize
from pgcourse.rollout import Batch


def ppo_update(
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
) -> dict[str, float]:
    """Epochs of minibatch steps, ended after an epoch that has moved the policy by more than target_kl."""
    kl, fraction, epochs = [], [], 0
    for _ in range(update_epochs):
        for rows in minibatches(len(batch.obs), minibatch_size, generator=generator):
            obs, actions, old_log_prob, advantages, returns = (column[rows] for column in batch)
            distribution = policy(obs)
            log_prob = distribution.log_prob(actions)
            loss = ppo_clip_loss(log_prob, old_log_prob, normalize(advantages), clip_coef=clip_coef)
            loss = loss - ent_coef * distribution.entropy().mean()
            policy_optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
            policy_optimizer.step()

            critic_optimizer.zero_grad()
            value_loss(critic(obs), returns).backward()
            nn.utils.clip_grad_norm_(critic.parameters(), max_grad_norm)
            critic_optimizer.step()

            kl.append(float(approx_kl(log_prob, old_log_prob)))
            fraction.append(float(clip_fraction(log_prob, old_log_prob, clip_coef=clip_coef)))
        epochs += 1
        with torch.no_grad():
            log_prob = policy(batch.obs).log_prob(batch.actions)
        if target_kl is not None and approx_kl(log_prob, batch.log_prob) > target_kl:
            break
    return {"losses/approx_kl": sum(kl) / len(kl), "losses/clipfrac": sum(fraction) / len(fraction), "epochs": epochs}


def _show(case: Case) -> str:
    settings = ("clip_coef", "ent_coef", "update_epochs", "minibatch_size", "target_kl", "max_grad_norm")
    listed = ", ".join(f"{name}={value(case[name])}" for name in settings)
    rates = "learning rates of 0, so that nothing moves" if case["look_at"] == "metrics" else "plain SGD"
    columns = ""
    if len(case["obs"]) <= 2:
        names = ("obs", "actions", "log_prob", "advantages", "returns")
        columns = ": " + ", ".join(f"{name} {value(case[name])}" for name in names)
    kind = "equal rows but for their advantages" if case["look_at"] == "stillness" else "rows"
    return f"ppo_update(..., {listed}) with {rates}, on a batch of {len(case['obs'])} {kind}{columns}"


EXERCISE = Exercise(
    id="ppo_update",
    unit="04",
    title="One PPO update",
    points=5,
    minutes=35,
    difficulty=3,
    cases=cases_for(ppo_update),
    observe=PpoUpdate(),
    show_case=_show,
    reference=ppo_update,
    also_correct=(with_unbiased_std,),
    alternatives=(with_unbiased_std, in_one_backward, accumulating, with_manual_clipping),
    hints=(
        "Two loops: epochs outside, minibatches inside. What belongs into the inner one (everything that takes a step), "
        "and what is asked only once an epoch? Draw new minibatches for each epoch.",
        "Inside: take the same rows of all five columns, normalise these advantages, compute log_prob anew and use the "
        "batch's own log_prob as the old one. Policy: loss minus ent_coef times the mean entropy; zero_grad, backward, "
        "clip_grad_norm_ of policy.parameters(), step. Critic: the same with its own loss, parameters and optimizer. After "
        "the inner loop: log_prob of the whole batch under no_grad, its approx_kl, and break if it exceeds target_kl.",
        "for _ in range(update_epochs): for rows in minibatches(len(batch.obs), minibatch_size, generator=generator): obs, "
        "actions, old, advantages, returns = (column[rows] for column in batch); ... two steps ...; kl.append(...). Then "
        "epochs += 1; with torch.no_grad(): new = policy(batch.obs).log_prob(batch.actions); if target_kl is not None and "
        "approx_kl(new, batch.log_prob) > target_kl: break. Return the means of the lists, and epochs, in a dict.",
    ),
    misconceptions=MISCONCEPTIONS,
)
