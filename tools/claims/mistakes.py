"""Lesson 04, table of section 11: mistakes in PPO's loss on CartPole, each beside the healthy runs of `claims/ppo.json`."""

from typing import Any

import torch
from torch import Tensor

from pgcourse import losses
from pgcourse.study.seeds import Run

from .ppo import CLIPFRAC, ENTROPY, KL, MILLI, SHORT, late_mean, mean_within, steps_within
from .study import IQM, OF_RETURN, TO_THRESHOLD, Metric, Study

POLICY_LOSS, EXPLAINED = "losses/policy_loss", "losses/explained_variance"


def upside_down(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
    """The clipped loss with the ratio pi_old / pi."""
    ratio = (old_log_prob - log_prob).exp()  # [B]
    return -torch.minimum(ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages).mean()


def wrong_sign(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
    """The objective itself, minimised."""
    return -losses.ppo_clip_loss(log_prob, old_log_prob, advantages, clip_coef=clip_coef)


def shuffled_apart(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
    """The clipped loss with the advantages of other rows."""
    elsewhere = torch.randperm(len(advantages)).to(advantages.device)
    return losses.ppo_clip_loss(log_prob, old_log_prob, advantages[elsewhere], clip_coef=clip_coef)


def renewed(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
    """The clipped loss with the log-probabilities of now taken for the old ones: every ratio is 1."""
    return losses.ppo_clip_loss(log_prob, log_prob.detach(), advantages, clip_coef=clip_coef)


def no_exp(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
    """The clipped loss with the logarithm of the ratio in place of the ratio."""
    ratio = log_prob - old_log_prob  # [B]
    return -torch.minimum(ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages).mean()


MISTAKES = {each.__name__: each for each in (upside_down, wrong_sign, shuffled_apart, renewed, no_exp)}


def mean_policy_loss(run: Run) -> float:
    """Mean of the policy loss over the updates within the budget, in thousandths."""
    return 1000 * mean_within(run, POLICY_LOSS)


STUDY = Study(
    description="PPO on CartPole-v1 for 100,000 environment steps, with a mistake in its loss.",
    variants={"cartpole": SHORT} | dict.fromkeys(MISTAKES, SHORT),
    seams={name: {"policy_loss_fn": function} for name, function in MISTAKES.items()},
    metrics={
        "steps_to_475": Metric("environment steps", TO_THRESHOLD, steps_within),
        "late": Metric("return", OF_RETURN, late_mean),
        "kl": Metric(MILLI, [IQM], lambda run: 1000 * mean_within(run, KL)),
        "clipfrac": Metric("of the rows", [IQM], lambda run: mean_within(run, CLIPFRAC)),
        "entropy": Metric("nats", [IQM], lambda run: mean_within(run, ENTROPY)),
        "policy_loss": Metric("thousandths", [IQM], mean_policy_loss),
        "explained_variance": Metric("of the variance", [IQM], lambda run: mean_within(run, EXPLAINED)),
    },
    every=2000,
    until=100_000,
    x="env_step",
    window=100,
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/mistakes.json`."""
    return STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
