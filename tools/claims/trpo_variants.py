"""What the study of lesson 08 runs: TRPO with its parts changed one by one, other policy steps in its loop, a bug."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import kl_divergence

from pgcourse import losses, natural_gradient, optim, ppo, trpo
from pgcourse.rollout import Batch

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

    optimizer: torch.optim.Optimizer | None = field(default=None, repr=False)
    parameters: list[nn.Parameter] = field(default_factory=list, repr=False)

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
