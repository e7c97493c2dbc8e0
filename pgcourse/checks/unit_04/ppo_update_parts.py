"""A PPO update with exchangeable parts, from which the wrong answers to ppo_update are built."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from pgcourse.checks.exercise import Misconception
from pgcourse.diagnostics import approx_kl, clip_fraction
from pgcourse.losses import ppo_clip_loss, value_loss
from pgcourse.rollout import Batch

Update = Callable[..., Any]


def standardize(x: Tensor, correction: int) -> Tensor:
    """Mean 0, standard deviation 1."""
    return (x - x.mean()) / (x.std(correction=correction) + 1e-8)


def shuffled(size: int, part: int, generator: torch.Generator, epoch: int) -> Iterable[Tensor]:
    """Right: a new permutation each epoch."""
    return torch.randperm(size, generator=generator).split(part)


def clip_each(policy: nn.Module, critic: nn.Module, limit: float) -> None:
    """Right: each network by its own norm."""
    for module in (policy, critic):
        nn.utils.clip_grad_norm_(module.parameters(), limit)


def own_rows(batch: Batch, rows: Tensor) -> Batch:
    """Right: the same rows of every column."""
    return Batch(*(column[rows] for column in batch))


def k3(log_prob: Tensor, old_log_prob: Tensor) -> float:
    """Right: the estimate that PPO stops by."""
    return float(approx_kl(log_prob, old_log_prob))


def above(divergence: float, target_kl: float | None) -> bool:
    """Right: None is no limit."""
    return target_kl is not None and divergence > target_kl


def mean_of(numbers: list[float]) -> float:
    """Right: the mean over the update."""
    return sum(numbers) / len(numbers)


def build(
    correction: int,
    *,
    rows_fn: Callable[[int, int, torch.Generator, int], Iterable[Tensor]] = shuffled,
    take: Callable[[Batch, Tensor], Batch] = own_rows,
    whole: Callable[[Tensor, int], Tensor] = lambda advantages, correction: advantages,
    each: Callable[[Tensor, int], Tensor] = standardize,
    weights_of: Callable[[Batch], Tensor] = lambda batch: batch.advantages,
    targets_of: Callable[[Batch], Tensor] = lambda batch: batch.returns,
    loss_fn: Callable[..., Tensor] = ppo_clip_loss,
    entropy_of: Callable[[Tensor], Tensor] = lambda entropy: entropy.mean(),
    recompute_old: bool = False,
    renew: Callable[[int], bool] = lambda epoch: False,
    renew_gauge: bool = False,
    between: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]] = lambda new, old: (new, old),
    value_scale: float = 1.0,
    clip_gradients: Callable[[nn.Module, nn.Module, float], None] = clip_each,
    clip_late: bool = False,
    clear: tuple[str, ...] = ("policy", "critic"),
    clear_late: tuple[str, ...] = (),
    backward: bool = True,
    step_policy: bool = True,
    step_critic: bool = True,
    step_each_epoch: bool = False,
    kl_fn: Callable[[Tensor, Tensor], float] = k3,
    stop: str = "after the epoch",
    goes_on: bool = False,
    exceeds: Callable[[float, float | None], bool] = above,
    epochs_of: Callable[[int], int] = lambda update_epochs: update_epochs,
    summary: Callable[[list[float]], Any] = mean_of,
    report_planned: bool = False,
    answer: Callable[[Any, Any, Any], Any] = lambda kl, fraction, epochs: {
        "losses/approx_kl": kl,
        "losses/clipfrac": fraction,
        "epochs": epochs,
    },
) -> Update:
    """A PPO update with the given parts; the defaults are right, for the standard deviation with `correction`.

    Args: clear, clear_late: the networks whose gradients are cleared before backward, and after it. renew: whether the
    old log-probabilities are replaced before an epoch; renew_gauge: for the early stop too. between: what the gauges compare.
    stop: when the divergence is asked for. goes_on: whether only the loop over minibatches ends by it. exceeds: how the
    divergence is compared with its limit.
    """

    def update(
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
    ) -> Any:
        optimizers = {"policy": policy_optimizer, "critic": critic_optimizer}

        def step() -> None:
            for name in clear_late:
                optimizers[name].zero_grad()
            if not clip_late:
                clip_gradients(policy, critic, max_grad_norm)
            if step_policy:
                policy_optimizer.step()
            if step_critic:
                critic_optimizer.step()
            if clip_late:
                clip_gradients(policy, critic, max_grad_norm)

        batch = batch._replace(advantages=whole(weights_of(batch), correction), returns=targets_of(batch))
        kl: list[float] = []
        fraction: list[float] = []
        latest, epochs = 0.0, 0
        collected = batch.log_prob
        for epoch in range(epochs_of(update_epochs)):
            stopped, already = False, len(kl)
            if renew(epoch):
                with torch.no_grad():
                    batch = batch._replace(log_prob=policy(batch.obs).log_prob(batch.actions))
            for rows in rows_fn(len(batch.obs), minibatch_size, generator, epoch):
                part = take(batch, rows)
                distribution = policy(part.obs)
                log_prob = distribution.log_prob(part.actions)
                old_log_prob = log_prob.detach() if recompute_old else part.log_prob
                latest = k3(*between(log_prob, old_log_prob))
                if stop == "inside the epoch" and above(latest, target_kl):
                    stopped = not goes_on
                    break
                policy_loss = loss_fn(log_prob, old_log_prob, each(part.advantages, correction), clip_coef=clip_coef)
                policy_loss = policy_loss - ent_coef * entropy_of(distribution.entropy())
                for name in () if step_each_epoch and kl else clear:
                    optimizers[name].zero_grad()
                if backward:
                    (policy_loss + value_scale * value_loss(critic(part.obs), part.returns)).backward()
                if not step_each_epoch:
                    step()
                kl.append(latest)
                fraction.append(float(clip_fraction(*between(log_prob, old_log_prob), clip_coef=clip_coef)))
                if stop == "inside, after the step" and above(latest, target_kl):
                    stopped = not goes_on
                    break
            epochs += 1
            if step_each_epoch:
                step()
                policy_optimizer.zero_grad()
                critic_optimizer.zero_grad()
            if stop == "after the epoch":
                with torch.no_grad():
                    old_log_prob = batch.log_prob if renew_gauge else collected
                    latest = kl_fn(*between(policy(batch.obs).log_prob(batch.actions), old_log_prob))
            elif stop == "by the mean of the epoch":
                latest = mean_of(kl[already:])
            elif stop == "by the mean so far":
                latest = mean_of(kl)
            if stop == "when below":
                with torch.no_grad():
                    latest = -k3(policy(batch.obs).log_prob(batch.actions), batch.log_prob)
                stopped = target_kl is not None and latest > -target_kl
            elif not stop.startswith(("inside", "never")):
                stopped = exceeds(latest, target_kl)
            if stopped:
                break
        return answer(summary(kl), summary(fraction), update_epochs if report_planned else epochs)

    return update


def mistake(id: str, explanation: str, *more: dict[str, Any], **changes: Any) -> Misconception:
    """A misconception from the changed parts, in both standard deviations; `more` are further spellings."""
    builds = [build(correction, **change) for change in (changes, *more) for correction in (0, 1)]
    return Misconception(id, explanation, builds[0], tuple(builds[1:]))
