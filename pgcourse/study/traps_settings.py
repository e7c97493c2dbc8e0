"""Bugs in settings, in the optimiser and in the gradient step."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from .. import optim
from .traps_base import CARTPOLE, EPISODE_BUDGET, PENDULUM, Trap


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


def adam_of_matrices(parameters: Iterator[nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
    """Adam with the weight matrices alone: the group of the vectors, biases and log_std, is forgotten."""
    matrices = (parameter for parameter in parameters if parameter.ndim >= 2)
    return optim.adam(matrices, learning_rate)


JOINT_CLIPPING = Trap(
    id="joint-clipping",
    title="One clipping norm for both networks",
    base=CARTPOLE,
    seams={"gradient_step_fn": joint_clipping_step},
    explanation="The critic's gradient is a hundred times the policy's. Clipped together, the policy's part shrinks as much as "
    "the critic's. Under plain gradient descent that is a tiny learning rate; Adam divides by the gradient's size and "
    "undoes most of it.",
    symptom="Under Adam next to nothing: a smaller KL in the first updates.",
    fix="Clip the gradient of each network by its own norm.",
    shown_by="the gradient norms of both networks, and the policy's KL an update under plain gradient descent",
)
LONG_ROLLOUTS = Trap(
    id="long-rollouts",
    title="Long rollouts against a budget of episodes",
    base=EPISODE_BUDGET,
    config_changes={"num_steps": 128},
    explanation="In the beginning episodes are short, so a rollout of 128 steps of 32 environments swallows 200 of them for one "
    "update. A budget counted in episodes is used up before the policy has been updated often enough.",
    symptom="Many episodes, few updates: 200 episodes an update at the start, where a healthy run has 50.",
    fix="Count the updates that a budget allows before you start; shorten the rollout, or count environment steps.",
    shown_by="episodes divided by updates",
    alarms=frozenset({"few-updates"}),
)
SLOW_CRITIC = Trap(
    id="slow-critic",
    title="A critic that cannot keep up",
    base=CARTPOLE,
    config_changes={"critic_lr": 3e-4},
    explanation="Returns grow from 10 to 100 within a few updates. A critic with a small learning rate stays behind, so its "
    "values are no baseline, and advantages are returns with noise.",
    symptom="The mean of V stays far below the mean of the returns; explained variance stays near 0.",
    fix="Give the critic its own optimiser with a larger learning rate: it is a regression, and a large step does little harm.",
    shown_by="the means of V and of the returns side by side",
    alarms=frozenset({"explained-variance-low", "value-offset"}),
)
STD_TOO_SMALL = Trap(
    id="std-too-small",
    title="Too small an initial standard deviation",
    base=PENDULUM,
    config_changes={"initial_std": 0.05},
    explanation="Torques go up to 2. With a standard deviation of 0.05 the pendulum never swings high enough to earn a reward "
    "that would teach it to swing higher, and the standard deviation grows only if larger actions paid.",
    symptom="Standard deviation and entropy far below a healthy run from the first update on; the return hardly moves.",
    fix="Start near half the action's range, or scale the actions.",
    shown_by="a histogram of the actions against their bounds",
    alarms=frozenset({"std-low", "std-collapsed"}),
)
STD_TOO_LARGE = Trap(
    id="std-too-large",
    title="Too large an initial standard deviation",
    base=PENDULUM,
    config_changes={"initial_std": 7.0},
    explanation="Nearly every sample lies outside the bounds and is clipped by the environment: actions are full left or full "
    "right, and the mean has next to no influence.",
    symptom="Standard deviation and entropy far above a healthy run.",
    fix="Start near half the action's range, or scale the actions.",
    shown_by="the share of the actions that lie outside the bounds",
    alarms=frozenset({"std-high"}),
)
REWARD_SCALE = Trap(
    id="reward-scale",
    title="Rewards on a scale that the critic cannot follow",
    base=CARTPOLE,
    config_changes={"reward_scale": 100.0},
    explanation="Values are 100 times as large, and Adam's steps are not: the critic needs 100 times as many to get there. "
    "Normalised advantages hide the scale from the policy's loss, but not what a useless critic makes of them.",
    symptom="The critic's loss and gradient norm are hundreds of times as large; V stays near 0 beside the returns.",
    fix="Scale rewards so that returns are of the order of 1 to 100, or divide by their running standard deviation.",
    shown_by="the standard deviation of the returns",
    alarms=frozenset({"explained-variance-low", "value-offset", "critic-gradient-huge"}),
)
MISSING_PARAMETERS = Trap(
    id="missing-parameters",
    title="Parameters that the optimiser does not know",
    base=PENDULUM,
    seams={"optimizer_fn": adam_of_matrices},
    explanation="Parameters were sorted into matrices and vectors, to treat them differently, and the second group was never "
    "handed over. Biases and log_std keep their first values for ever.",
    symptom="The update norm of policy.log_std is exactly 0 and the standard deviation never moves, while the rest learns.",
    fix="Hand module.parameters() to the optimiser, or check that the groups add up to them.",
    shown_by="update norms by parameter group",
    alarms=frozenset({"part-not-updated", "std-pinned", "explained-variance-low", "value-offset"}),
)
