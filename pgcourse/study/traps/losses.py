"""Bugs in the losses: the wrong sign, the wrong shape, the wrong tensor."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ... import losses
from ...algorithms import a2c, ppo
from ...diagnostics import approx_kl, clip_fraction, explained_variance
from ...returns import normalize
from ...rollout import Batch
from .trap import A2C, CARTPOLE, ENTROPY_BONUS, Trap


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


def broadcasting_losses(policy: nn.Module, critic: nn.Module, batch: Batch, config: ppo.PPOConfig) -> MinibatchLosses:
    """The critic's values keep the last axis of its network."""
    distribution = policy(batch.obs)
    log_prob = distribution.log_prob(batch.actions)  # [B]
    entropy = distribution.entropy().mean()
    policy_loss = losses.ppo_clip_loss(log_prob, batch.log_prob, batch.advantages, clip_coef=config.clip_coef)
    values = critic(batch.obs)[:, None]  # [B, 1], as a network without squeeze(-1) gives them
    value_loss = 0.5 * (values - batch.returns).square().mean()  # [B, 1] - [B] is [B, B]
    return MinibatchLosses(policy_loss - config.ent_coef * entropy, value_loss, log_prob, batch.log_prob, entropy)


def entropy_sign_losses(policy: nn.Module, critic: nn.Module, batch: Batch, config: ppo.PPOConfig) -> MinibatchLosses:
    """The bonus for entropy is added to a loss, which is minimised."""
    distribution = policy(batch.obs)
    log_prob = distribution.log_prob(batch.actions)  # [B]
    entropy = distribution.entropy().mean()
    policy_loss = losses.ppo_clip_loss(log_prob, batch.log_prob, batch.advantages, clip_coef=config.clip_coef)
    value_loss = losses.value_loss(critic(batch.obs), batch.returns)
    return MinibatchLosses(policy_loss + config.ent_coef * entropy, value_loss, log_prob, batch.log_prob, entropy)


def recomputed_losses(policy: nn.Module, critic: nn.Module, batch: Batch, config: ppo.PPOConfig) -> MinibatchLosses:
    """The old log-probability is computed anew, by the policy that is being updated."""
    distribution = policy(batch.obs)
    log_prob = distribution.log_prob(batch.actions)  # [B]
    with torch.no_grad():
        old_log_prob = policy(batch.obs).log_prob(batch.actions)  # batch.log_prob is of the policy that acted
    entropy = distribution.entropy().mean()
    policy_loss = losses.ppo_clip_loss(log_prob, old_log_prob, batch.advantages, clip_coef=config.clip_coef)
    value_loss = losses.value_loss(critic(batch.obs), batch.returns)
    return MinibatchLosses(policy_loss - config.ent_coef * entropy, value_loss, log_prob, old_log_prob, entropy)


def broadcasting_update(*arguments: Any, **functions: Any) -> dict[str, Tensor | float]:
    """`ppo.update` with `broadcasting_losses`."""
    return update_with(broadcasting_losses, *arguments, **functions)


def entropy_sign_update(*arguments: Any, **functions: Any) -> dict[str, Tensor | float]:
    """`ppo.update` with `entropy_sign_losses`."""
    return update_with(entropy_sign_losses, *arguments, **functions)


def recomputed_update(*arguments: Any, **functions: Any) -> dict[str, Tensor | float]:
    """`ppo.update` with `recomputed_losses`."""
    return update_with(recomputed_losses, *arguments, **functions)


def flipped_advantage_loss(
    log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float | None
) -> Tensor:
    """`losses.ppo_clip_loss` for advantages of the wrong sign, V - G in place of G - V."""
    return losses.ppo_clip_loss(log_prob, old_log_prob, -advantages, clip_coef=clip_coef)


def unclipped_loss(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float | None) -> Tensor:
    """A loss that accepts `clip_coef` and never uses it."""
    ratio = (log_prob - old_log_prob).exp()  # [B]
    return -(ratio * advantages).mean()


def missing_detach_update(
    policy: nn.Module,
    critic: nn.Module,
    policy_optimizer: torch.optim.Optimizer,
    critic_optimizer: torch.optim.Optimizer,
    batch: Batch,
    config: a2c.A2CConfig,
    **functions: Any,
) -> dict[str, Tensor]:
    """`a2c.update` whose advantages carry the critic's graph into the policy's loss."""

    def loss(log_prob: Tensor, _: Tensor) -> Tensor:
        advantages = batch.returns - critic(batch.obs)  # without .detach()
        return -(log_prob * advantages).mean()

    functions["policy_loss_fn"] = loss
    return a2c.update(policy, critic, policy_optimizer, critic_optimizer, batch, config, **functions)


BROADCASTING = Trap(
    id="broadcasting",
    title="(N, 1) against (N,) in the critic's loss",
    base=CARTPOLE,
    seams={"update_fn": broadcasting_update},
    explanation="Values [B, 1] minus returns [B] give [B, B]: every value is fitted to every return, and the best that the "
    "critic can do is the mean return, the same for all states. The loss falls and no error is raised.",
    symptom="Explained variance stays near 0, although the mean of V follows the mean of the returns.",
    fix="Squeeze the critic's last axis, and refuse shapes that differ before you subtract.",
    shown_by="the shape of values - returns, which has to be [B]",
    alarms=frozenset({"explained-variance-low"}),
)
MISSING_DETACH = Trap(
    id="missing-detach",
    title="An advantage that is not detached",
    base=A2C,
    seams={"update_fn": missing_detach_update},
    explanation="The advantage G - V carries the critic's graph, so the policy's loss -log pi * (G - V) has a gradient in V "
    "too: it pushes every value up by as much as the action was improbable, whatever the return was.",
    symptom="Next to nothing: the push is small beside the critic's own errors.",
    fix="Detach the advantages, or compute them under torch.no_grad().",
    shown_by="the critic's gradient after policy_loss.backward() alone: it has to be None or 0",
)
ENTROPY_SIGN = Trap(
    id="entropy-sign",
    title="The entropy bonus with the wrong sign",
    base=ENTROPY_BONUS,
    seams={"update_fn": entropy_sign_update},
    explanation="A loss is minimised, so a bonus is subtracted from it. Added, it rewards certainty: the policy commits "
    "itself before it has seen what its actions are worth.",
    symptom="The entropy falls faster than in a healthy run.",
    fix="loss = policy_loss - ent_coef * entropy.",
    shown_by="the entropy of a run with a large ent_coef, which has to stay near its maximum",
    alarms=frozenset({"entropy-collapsed"}),
)
ADVANTAGE_SIGN = Trap(
    id="advantage-sign",
    title="Advantages with the wrong sign",
    base=CARTPOLE,
    seams={"policy_loss_fn": flipped_advantage_loss},
    explanation="With V - G in place of G - V, or with a minus lost on the way, the policy learns to do what was worse than "
    "expected. The loss falls, the KL is healthy, and the critic fits well: everything works, backwards.",
    symptom="The return falls below that of the untrained policy and stays there.",
    fix="advantages = returns - values, and a minus in front of the objective.",
    shown_by="a one-step probe with two actions, of which one pays",
    alarms=frozenset({"return-falls", "entropy-collapsed"}),
)
OLD_LOG_PROB_RECOMPUTED = Trap(
    id="old-log-prob-recomputed",
    title="The old log-probability computed anew",
    base=CARTPOLE,
    seams={"update_fn": recomputed_update},
    explanation="The ratio compares the policy with the one that acted. If the old log-probability is computed in the same "
    "step, the two are equal, the ratio is 1 in every epoch, and the clip holds nothing back.",
    symptom="Ratio exactly 1, approximate KL and clip fraction exactly 0, in every update.",
    fix="Store log pi(a|s) while collecting, and use it unchanged in all epochs.",
    shown_by="the ratio in the second epoch: it has to differ from 1",
    alarms=frozenset({"kl-zero", "ratio-always-one"}),
)
UNUSED_SETTING = Trap(
    id="unused-setting",
    title="A setting that is accepted and never used",
    base=CARTPOLE,
    seams={"policy_loss_fn": unclipped_loss},
    explanation="The loss takes clip_coef and never reads it. Each experiment on clip_coef then compares a run with itself, "
    "and each update goes as far as its epochs take it.",
    symptom="Here the KL is several times as high; with another setting there may be nothing to see.",
    fix="torch.min of the plain and the clipped term; and delete settings that nothing reads.",
    shown_by="two runs that differ in this setting alone: equal to the last bit, they prove that it is not used",
    alarms=frozenset({"kl-high", "entropy-jumps"}),
)
