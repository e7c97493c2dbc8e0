"""Bugs in the optimiser and in the gradient step."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ... import optim
from .trap import CARTPOLE, PENDULUM, Trap


def joint_clipping_step(
    policy_loss: Tensor,
    value_loss: Tensor,
    policy: nn.Module,
    critic: nn.Module,
    policy_optimizer: torch.optim.Optimizer,
    critic_optimizer: torch.optim.Optimizer,
    *,
    max_grad_norm: float | None,
) -> tuple[Tensor, Tensor]:
    """`optim.actor_critic_step` with one norm for both networks: the critic's gradient shrinks the policy's."""
    policy_optimizer.zero_grad(set_to_none=True)
    critic_optimizer.zero_grad(set_to_none=True)
    (policy_loss + value_loss).backward()
    policy_norm, critic_norm = (
        nn.utils.get_total_norm([p.grad for p in network.parameters() if p.grad is not None])
        for network in (policy, critic)
    )
    if max_grad_norm is not None:
        nn.utils.clip_grad_norm_([*policy.parameters(), *critic.parameters()], max_grad_norm)
    policy_optimizer.step()
    critic_optimizer.step()
    return policy_norm, critic_norm


joint_clipping_step.clips_jointly = True  # type: ignore[attr-defined]  # so that runs with it can be part of a batch


def adam_of_matrices(parameters: Iterator[nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
    """Adam with the weight matrices alone: the group of the vectors, biases and log_std, is forgotten."""
    matrices = (parameter for parameter in parameters if parameter.ndim >= 2)
    return optim.adam(matrices, learning_rate)


def copied_adam(parameters: Iterator[nn.Parameter], learning_rate: float) -> torch.optim.Adam:
    """Adam on copies: gradients reach the network's own parameters, and the copies have none to step along."""
    return optim.adam((nn.Parameter(parameter.detach().clone()) for parameter in parameters), learning_rate)


JOINT_CLIPPING = Trap(
    id="joint-clipping",
    title="One clipping norm for both networks",
    base=CARTPOLE,
    seams={"gradient_step_fn": joint_clipping_step},
    explanation="The critic's gradient is a hundred times the policy's. Clipped together, the policy's part shrinks as much as "
    "the critic's. Under plain gradient descent that is a tiny learning rate. Adam divides by the gradient's size, which "
    "takes part of it back: not what its eps stands against, and not what changes from step to step.",
    symptom="A smaller KL in the first updates. Whether the return suffers depends on the settings: here no difference is seen, "
    "with a policy rate of 3e-4 and few gradient steps much of the return is lost.",
    fix="Clip the gradient of each network by its own norm.",
    shown_by="the gradient norms of both networks, and the policy's KL an update under plain gradient descent",
)
MISSING_PARAMETERS = Trap(
    id="missing-parameters",
    title="Parameters that the optimiser does not know",
    base=PENDULUM,
    seams={"optimizer_fn": adam_of_matrices},
    explanation="Parameters were sorted into matrices and vectors, to treat them differently, and the vectors never reach the "
    "optimiser: their group is left out, or empty. Biases and log_std keep their first values for ever.",
    symptom="The update norm of policy.log_std is exactly 0 and the standard deviation never moves, while the rest learns.",
    fix="Hand module.parameters() to the optimiser, or check that the groups add up to them.",
    shown_by="update norms by parameter group",
    alarms=frozenset({"part-not-updated", "std-pinned", "explained-variance-low", "value-offset"}),
)
