"""Lesson 08, tables of sections 7 and 8.1: TRPO on CartPole with its parts changed one by one, and PPO's step in its loop.

What its conjugate gradient and its line search do inside (sections 7.2 and 7.3) is the run `looked_at`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import kl_divergence

from pgcourse import losses, natural_gradient, optim, ppo, trpo
from pgcourse.rollout import Batch
from pgcourse.study.seeds import Run

from .study import IQM, OF_RETURN, TO_THRESHOLD, Metric, Study, held_out, last_mean, metric_mean, steps_to

LOOKED_AT = 60  # updates, within which the policy learns: afterwards the gradient is almost 0
VARIANTS: dict[str, trpo.TRPOConfig] = {
    "cartpole": trpo.CARTPOLE,
    "kl_0003": replace(trpo.CARTPOLE, max_kl=0.003),
    "kl_002": replace(trpo.CARTPOLE, max_kl=0.02),
    "kl_01": replace(trpo.CARTPOLE, max_kl=0.1),
    "one_cg_iteration": replace(trpo.CARTPOLE, cg_iterations=1),
    "three_cg_iterations": replace(trpo.CARTPOLE, cg_iterations=3),
    "no_damping": replace(trpo.CARTPOLE, damping=0.0),
    "damping_1": replace(trpo.CARTPOLE, damping=1.0),
    "no_line_search": trpo.CARTPOLE,
    "clipped_step": trpo.CARTPOLE,
    "patient": trpo.CARTPOLE,
    "looked_at": replace(trpo.CARTPOLE, total_timesteps=LOOKED_AT * 1024),
}


def unchecked_step(policy: nn.Module, batch: Batch, advantages: Tensor, config: trpo.TRPOConfig) -> dict[str, Tensor]:
    """`trpo.policy_step` without its line search: the whole step that the quadratic model asks for, whatever it does."""
    return trpo.policy_step(policy, batch, advantages, config, line_search_fn=whole_step)


def whole_step(evaluate: Callable[[Tensor], tuple[float, float]], step: Tensor, **limits: float) -> Tensor:
    """In place of a line search: the step as it is."""
    return step


def flat_fisher_vector_product(policy: nn.Module, obs: Tensor, vector: Tensor, *, damping: float) -> Tensor:
    """The lesson's patient: gradients flow into both policies of the KL divergence, which is then 0 everywhere."""
    distribution = policy(obs)
    kl = kl_divergence(policy(obs), distribution).mean()
    parameters = list(policy.parameters())
    gradient = natural_gradient.flatten_gradients(
        torch.autograd.grad(kl, parameters, create_graph=True, materialize_grads=True), parameters
    )
    product = torch.autograd.grad(gradient @ vector, parameters, materialize_grads=True)
    return natural_gradient.flatten_gradients(product, parameters) + damping * vector


def flat_step(policy: nn.Module, batch: Batch, advantages: Tensor, config: trpo.TRPOConfig) -> dict[str, Tensor]:
    """`trpo.policy_step` with the patient's Fisher-vector product."""
    return trpo.policy_step(policy, batch, advantages, config, fisher_vector_product_fn=flat_fisher_vector_product)


def observed_step(policy: nn.Module, batch: Batch, advantages: Tensor, config: trpo.TRPOConfig) -> dict[str, Tensor]:
    """`trpo.policy_step`, with metrics of its inner steps.

    "charts/cosine" between gradient and natural gradient; "charts/cg_residual" ||b - A x|| / ||b||; "charts/first_kl"
    of the whole step, before the line search shortens it; "charts/tried" steps of the line search.
    """
    seen: dict[str, Tensor] = {}

    def solve(matvec: Callable[[Tensor], Tensor], b: Tensor, **options: Any) -> Tensor:
        x = natural_gradient.conjugate_gradient(matvec, b, **options)
        seen["charts/cosine"] = torch.cosine_similarity(b, x, dim=0)
        seen["charts/cg_residual"] = (b - matvec(x)).norm() / b.norm()
        return x

    def search(evaluate: Callable[[Tensor], tuple[float, float]], step: Tensor, **options: Any) -> Tensor:
        divergences: list[float] = []

        def watched(candidate: Tensor) -> tuple[float, float]:
            improvement, kl = evaluate(candidate)
            divergences.append(kl)
            return improvement, kl

        accepted = natural_gradient.line_search(watched, step, **options)
        seen["charts/first_kl"] = torch.tensor(divergences[0])
        seen["charts/tried"] = torch.tensor(float(len(divergences)))
        return accepted

    metrics = trpo.policy_step(policy, batch, advantages, config, conjugate_gradient_fn=solve, line_search_fn=search)
    return metrics | seen


@dataclass
class ClippedSteps:
    """PPO's policy step in TRPO's loop: epochs of minibatches on the clipped loss, with the settings of `ppo.CARTPOLE`.

    Everything else (rollouts, networks, critic) stays TRPO's, so that a difference is the policy step's.
    """

    optimizer: torch.optim.Optimizer | None = field(default=None, repr=False, compare=False)
    parameters: list[nn.Parameter] = field(default_factory=list, repr=False, compare=False)

    def __call__(
        self, policy: nn.Module, batch: Batch, advantages: Tensor, config: trpo.TRPOConfig
    ) -> dict[str, Tensor]:
        settings = ppo.CARTPOLE
        parameters = list(policy.parameters())
        if self.optimizer is None or self.parameters[0] is not parameters[0]:  # another run
            self.parameters, self.optimizer = parameters, optim.adam(iter(parameters), settings.policy_lr)
        with torch.no_grad():
            old = policy(batch.obs)
        history: list[tuple[Tensor, Tensor]] = []
        for _ in range(settings.update_epochs):
            for rows in ppo.minibatches(len(batch.obs), settings.minibatch_size, device=batch.obs.device):
                log_prob = policy(batch.obs[rows]).log_prob(batch.actions[rows])
                loss = losses.ppo_clip_loss(
                    log_prob, batch.log_prob[rows], advantages[rows], clip_coef=settings.clip_coef
                )
                norm = optim.gradient_step(loss, policy, self.optimizer, max_grad_norm=settings.max_grad_norm)
                history.append((loss.detach(), norm))
        with torch.no_grad():
            new = policy(batch.obs)
            ratio = (new.log_prob(batch.actions) - batch.log_prob).exp()
        policy_losses, norms = (torch.stack(column) for column in zip(*history, strict=True))
        return {
            "losses/policy_loss": policy_losses.mean(),
            "losses/policy_grad_norm": norms.mean(),
            "losses/approx_kl": kl_divergence(old, new).mean(),
            "losses/entropy": old.entropy().mean(),
            "charts/surrogate_improvement": ((ratio - 1) * advantages).mean(),
            "charts/step_accepted": torch.tensor(1.0),
        }


SEAMS: dict[str, dict[str, Any]] = {
    "no_line_search": {"policy_step_fn": unchecked_step},
    "clipped_step": {"policy_step_fn": ClippedSteps()},
    "patient": {"policy_step_fn": flat_step},
    "looked_at": {"policy_step_fn": observed_step},
}


KL, ENTROPY, ACCEPTED = SHOWN = ("losses/approx_kl", "losses/entropy", "charts/step_accepted")
IMPROVEMENT = "charts/surrogate_improvement"
EARLY = 60  # updates: half of the budget, within which a healthy run learns
SOLVED = 475
MILLI = "0.001 nat"


def early_mean(run: Run, name: str) -> float:
    """Mean of a metric over the updates of the first half."""
    return float(run.metrics[name][:EARLY].mean())


def ends_above(run: Run) -> float | None:
    """Mean return of the last 100 episodes where it is at least 475; else None."""
    return last_mean(run) if last_mean(run) >= SOLVED else None


def seen(run: Run, name: str) -> float:
    """Median over the updates of a metric that the observed variant alone reports; NaN for the others."""
    return float(np.median(run.metrics[name])) if name in run.metrics else np.nan


def share_of_first(run: Run) -> float:
    """Share of the updates whose whole step the line search took; NaN where that was not observed."""
    return float((run.metrics["charts/tried"] == 1).mean()) if "charts/tried" in run.metrics else np.nan


TRAINING = {
    "steps_to_475": Metric("environment steps", TO_THRESHOLD, lambda run: steps_to(run, SOLVED)),
    "ends_above_475": Metric("return", ["count"], ends_above),
    "last_100": Metric("return", OF_RETURN, last_mean),
    "held_out": Metric("return", OF_RETURN, held_out),
    "kl": Metric(MILLI, [IQM], lambda run: 1000 * early_mean(run, KL)),
    "largest_kl": Metric(MILLI, [IQM, "worst"], lambda run: 1000 * float(run.metrics[KL].max())),
    "accepted": Metric("of the updates", [IQM, "best", "worst"], lambda run: metric_mean(run, ACCEPTED)),
    "accepted_early": Metric("of the updates", [IQM], lambda run: early_mean(run, ACCEPTED)),
    "improvement": Metric("of the surrogate", [IQM], lambda run: early_mean(run, IMPROVEMENT)),
    "end_entropy": Metric("nats", [IQM], lambda run: metric_mean(run, ENTROPY, last=10)),
}
OBSERVED = {
    "first_kl": Metric(MILLI, [IQM], lambda run: 1000 * seen(run, "charts/first_kl")),
    "largest_first_kl": Metric(
        MILLI, [IQM, "worst"], lambda run: 1000 * float(run.metrics.get("charts/first_kl", np.array([np.nan])).max())
    ),
    "tried": Metric("steps", [IQM], lambda run: float(np.mean(run.metrics.get("charts/tried", np.nan)))),
    "whole_step": Metric("of the updates", [IQM], share_of_first),
    "cosine": Metric("cosine", [IQM], lambda run: seen(run, "charts/cosine")),
    "cg_residual": Metric("0.000001 of the norm", [IQM, "worst"], lambda run: 1e6 * seen(run, "charts/cg_residual")),
}
STUDY = Study(
    description="TRPO on CartPole-v1 for 120,000 steps: as it is, with other limits of the KL divergence, numbers of "
    f"conjugate-gradient iterations and dampings, without its line search, with PPO's policy step in its loop; a bug; and "
    f"{LOOKED_AT} updates of it observed.",
    variants=VARIANTS,
    seams=SEAMS,
    metrics=TRAINING | OBSERVED,
    every=2000,
    until=120_000,
    x="env_step",
    window=100,
    diagnosed={
        "cartpole": SHOWN,
        "kl_01": SHOWN,
        "one_cg_iteration": SHOWN,
        "no_line_search": SHOWN,
        "clipped_step": SHOWN,
        "patient": SHOWN,
        "looked_at": ("charts/first_kl", "charts/tried", "charts/cosine", "charts/cg_residual"),
    },
    updates_a_point=5,
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/trpo.json`, each variant with the numbers that it has."""
    content = STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
    content["values"] = {
        name: entry
        for name, entry in content["values"].items()
        if name.startswith("looked_at/") == (name.partition("/")[2] in OBSERVED)
    }
    del content["curves"]["looked_at"]  # the same episodes as those of "cartpole", cut short
    return content
