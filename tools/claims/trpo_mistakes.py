"""Lesson 08, section 12: TRPO on CartPole with one mistake at a time, for 40 updates."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from pgcourse import natural_gradient, trpo
from pgcourse.rollout import Batch

from .study import IQM, OF_RETURN, Metric, Study, last_mean, metric_mean

UPDATES = 40
CONFIG = replace(trpo.CARTPOLE, total_timesteps=UPDATES * 1024)


def solve_for_minus_g(matvec: Callable[[Tensor], Tensor], b: Tensor, **options: Any) -> Tensor:
    """Conjugate gradient with the wrong sign on the right-hand side."""
    return natural_gradient.conjugate_gradient(matvec, -b, **options)


def no_root(natural: Tensor, fvp: Tensor, *, max_kl: float) -> Tensor:
    """The length of the step without its root."""
    return 2 * max_kl / (natural @ fvp).clamp(min=1e-30)


def no_two(natural: Tensor, fvp: Tensor, *, max_kl: float) -> Tensor:
    """The length of the step without its 2."""
    return natural_gradient.step_scale(natural, fvp, max_kl=max_kl / 2)


def blind_search(evaluate: Callable[[Tensor], tuple[float, float]], step: Tensor, **options: Any) -> Tensor:
    """A line search whose divergence is always 0: both distributions are those of the new policy."""
    return natural_gradient.line_search(lambda candidate: (evaluate(candidate)[0], 0.0), step, **options)


def kept_search(
    evaluate: Callable[[Tensor], tuple[float, float]], step: Tensor, *, backtracks: int, shrink: float, **limit: float
) -> Tensor:
    """A line search that leaves the policy at the last length that was tried where no length qualifies."""
    found = natural_gradient.line_search(evaluate, step, backtracks=backtracks, shrink=shrink, **limit)
    return found if found.any() else step * shrink ** (backtracks - 1)


def _with(**functions: Any) -> Callable[[nn.Module, Batch, Tensor, trpo.TRPOConfig], dict[str, Tensor]]:
    def step(policy: nn.Module, batch: Batch, advantages: Tensor, config: trpo.TRPOConfig) -> dict[str, Tensor]:
        return trpo.policy_step(policy, batch, advantages, config, **functions)

    return step


SEAMS: dict[str, dict[str, Any]] = {
    "sign": {"policy_step_fn": _with(conjugate_gradient_fn=solve_for_minus_g)},
    "no_root": {"policy_step_fn": _with(step_scale_fn=no_root)},
    "no_two": {"policy_step_fn": _with(step_scale_fn=no_two)},
    "blind_search": {"policy_step_fn": _with(line_search_fn=blind_search)},
    "kept": {"policy_step_fn": _with(line_search_fn=kept_search)},
}
STUDY = Study(
    description=f"TRPO on CartPole-v1 for {UPDATES} updates, with one mistake at a time.",
    variants=dict.fromkeys(["healthy", *SEAMS], CONFIG),
    seams=SEAMS,
    metrics={
        "last_100": Metric("return", OF_RETURN, last_mean),
        "kl": Metric("0.001 nat", [IQM], lambda run: 1000 * metric_mean(run, "losses/approx_kl")),
        "entropy": Metric("nats", [IQM], lambda run: metric_mean(run, "losses/entropy", last=10)),
        "accepted": Metric("of the updates", [IQM], lambda run: metric_mean(run, "charts/step_accepted")),
    },
    every=1024,
    until=UPDATES * 1024,
    x="env_step",
    window=100,
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/trpo_mistakes.json`."""
    return STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
