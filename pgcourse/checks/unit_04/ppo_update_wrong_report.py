"""Wrong answers to ppo_update about when it stops and what it returns."""

from __future__ import annotations

from typing import Any

import torch
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
        "You stopped by what was measured inside the loop over minibatches: the divergence of the last one, or their mean. "
        "Each is of a few rows, and of the policy before a step. After the epoch, measure once on the whole batch, with the "
        "policy as it is then.",
        {"stop": "by the mean of the epoch"},
        {"stop": "by the mean so far"},
        stop="by the last minibatch",
    ),
    mistake(
        "compared-with-none",
        "target_kl may be None, for never stopping early, and a number cannot be compared with None. Ask for that first: "
        "if target_kl is not None and ... > target_kl.",
        {"exceeds": lambda kl, target: bool(torch.tensor(kl) > target)},
        {"exceeds": lambda kl, target: kl > target, "stop": "by the last minibatch"},
        exceeds=lambda kl, target: kl > target,
    ),
    mistake(
        "stops-inside-an-epoch",
        "You left the loop over minibatches in the middle of an epoch, by the divergence of a single minibatch. The "
        "contract asks once an epoch, on the whole batch, so that every row is used equally often. And a break there leaves "
        "the inner loop alone.",
        {"stop": "inside the epoch", "goes_on": True},
        {"stop": "inside, after the step"},
        {"stop": "inside, after the step", "goes_on": True},
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
        answer=_tuple,
    ),
)
