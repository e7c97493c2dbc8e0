"""Wrong answers to ppo_update about when it stops and what it returns."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from pgcourse.checks.unit_04.ppo_update_parts import mistake


def _k1(log_prob: Tensor, old_log_prob: Tensor) -> float:
    return float((old_log_prob - log_prob).mean())


def _kl_reversed_sign(log_prob: Tensor, old_log_prob: Tensor) -> float:
    return float((log_prob - old_log_prob).mean())


def _tuple(kl: Any, fraction: Any, epochs: Any) -> Any:
    return kl, fraction, epochs


REPORT_MISTAKES = (
    mistake(
        "target-kl-ignored",
        "Your update never stops early: target_kl changes nothing. After each epoch, compare the divergence over the "
        "whole batch with it.",
        stop="never",
    ),
    mistake(
        "stops-one-epoch-late",
        "You stopped by a divergence that was measured before the last step, on the last minibatch. It is one step old, "
        "and of a few rows only. After the epoch, measure on the whole batch, with the policy as it is then.",
        stop="by the last minibatch",
    ),
    mistake(
        "stops-inside-an-epoch",
        "You left the loop over minibatches in the middle of an epoch, by the divergence of a single minibatch. The "
        "contract asks once an epoch, on the whole batch, so that every row is used equally often.",
        stop="inside the epoch",
    ),
    mistake(
        "plain-estimator-for-stopping",
        "You stopped by the mean of old_log_prob - log_prob, which can be negative on a batch while the policy moves far "
        "away. Use approx_kl, which cannot.",
        {"kl_fn": _kl_reversed_sign},
        kl_fn=_k1,
    ),
    mistake(
        "stops-when-below",
        "You stopped when the divergence was below target_kl. It is a limit: go on as long as the policy is near, stop "
        "when it has moved too far.",
        stop="when below",
    ),
    mistake(
        "last-minibatch-reported",
        "Your networks are right, but you report the numbers of the last minibatch only. They jump from update to "
        "update; return the mean over the update.",
        summary=lambda numbers: numbers[-1],
    ),
    mistake(
        "sums-reported",
        "Your networks are right, but you report sums over the minibatches. Return means, so that a divergence of 0.01 "
        "means the same with 4 minibatches and with 40.",
        summary=sum,
    ),
    mistake(
        "planned-epochs-reported",
        "You report the epochs that were planned. Return how many were done, so that a log shows how often the update "
        "stops early.",
        report_planned=True,
    ),
    mistake(
        "not-a-dict",
        "Your networks are right, but the numbers come back without names. Return a dict with the keys losses/approx_kl, "
        "losses/clipfrac and epochs.",
        {"answer": lambda kl, fraction, epochs: [kl, fraction, epochs]},
        {"answer": lambda kl, fraction, epochs: None},
        answer=_tuple,
    ),
)
