"""The finale of unit 05: the learner's Gaussian policy drives `ppo.train` on Pendulum."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from ...algorithms import ppo
from ...training import OnIteration, Progress, Result
from .engine import Plan, present, run
from .validation import Fault, describe, guarded, seeded_policy

OBS_DIM, ACTION_DIM = 3, 1  # of Pendulum: cosine and sine of the angle, angular velocity -> torque
NAME = "gaussian_policy"
LAST_STEP = 60_000  # of the 100,000 that the learning rates fall over: the rod is up long before, and the page waits


def continuous_ppo(
    *,
    gaussian_policy: Callable[..., Any] | None,
    last_step: int = LAST_STEP,
    seed: int = 1,
    seconds: float | None = None,
) -> None:
    """Train Pendulum with the learner's policy of unit 05, and show what came of it.

    It takes 20 s of computing at most, or `seconds`.

    Everything else is `ppo.PENDULUM`, the critic included, so the curve is comparable with the reference's; the run ends
    after `last_step` environment steps. A function that is still the stub is named in one line; a
    wrong one gives the curve as far as it got and a sentence.
    """
    plan = continuous_ppo_plan(gaussian_policy, last_step=last_step, seed=seed)
    present(plan, run(plan, seconds=seconds))


def continuous_ppo_plan(
    gaussian_policy: Callable[..., Any] | None, *, last_step: int = LAST_STEP, seed: int = 0
) -> Plan:
    """The finale of unit 05 as data."""
    config = replace(ppo.PENDULUM, seed=seed)
    notes: list[str] = []

    def make_policy() -> Any:
        return guarded(NAME, gaussian_policy)(OBS_DIM, ACTION_DIM)

    def fitting_policy() -> nn.Module:
        policy = seeded_policy(NAME, make_policy, OBS_DIM, seed)
        _require_actions(policy)
        _notice_fixed_spread(policy, notes)
        return policy

    def train(policy: nn.Module, on_iteration: OnIteration) -> Result:
        def watch(progress: Progress) -> bool:
            return bool(on_iteration(progress)) or progress.env_step >= last_step

        return ppo.train(config, policy=policy, on_iteration=watch)

    return Plan(
        functions={NAME: make_policy},
        make_policy=fitting_policy,
        train=train,
        notes=notes,
        env_id=config.env_id,
        good_return=-250.0,
        poor_return=-900.0,
        algorithm="ppo",
        curve=("pendulum", "pendulum"),
        x_unit="env_step",
        last_step=last_step,
        advice="Look at the standard deviation (exp of log_std, near 1 at the start), at a mean without tanh or clamp, and "
        "at log_prob, which must sum over the action's dimensions.",
        still_advice="The policy has the very weights it began with: are the mean and the standard deviation computed "
        "from parameters, without detach, no_grad or requires_grad=False?",
    )


def _require_actions(policy: nn.Module) -> None:
    """Raises: Fault where the distribution for 2 observations does not give actions [2, 1] and log_prob [2]."""
    distribution = policy(torch.zeros(2, OBS_DIM))
    try:
        action = distribution.sample()
        shapes = list(action.shape), list(distribution.log_prob(action).shape)
        distribution.entropy()
    except Exception as error:  # of the learner's distribution
        raise Fault(f"The distribution of `{NAME}` cannot be used: {describe(error)}") from error
    if shapes != ([2, ACTION_DIM], [2]):
        raise Fault(
            f"For 2 observations the distribution of `{NAME}` gives actions of shape {shapes[0]} and log-probabilities of "
            f"shape {shapes[1]}; expected [2, 1] and [2], as from Independent(Normal(...), 1)"
        )


def _notice_fixed_spread(policy: nn.Module, notes: list[str]) -> None:
    """A note where no gradient reaches the standard deviation: the run shows it only late, as noise that stays."""
    stddev = getattr(policy(torch.zeros(2, OBS_DIM)), "stddev", None)
    if isinstance(stddev, torch.Tensor) and not stddev.requires_grad:
        notes.append(
            "no gradient reaches your standard deviation, so the policy explores as widely at the end as at first"
        )
