"""91 The other side of the clip.

PPO's clip leaves one side open. Where the advantage is negative and the ratio has become large, the loss of that row has
no bound, and one row may decide the update. Dual-clip PPO (Ye et al. 2020, section 3.3) closes it.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.authoring import Call, Case, Exercise, Misconception, generator, normal


# The reference is the task: students get its signature and docstring, its body is the solution. It must stand on its
# own: imports of this file are copied where it uses them, other functions are not.
def dual_clip_loss(log_prob, old_log_prob, advantages, *, clip_coef, bound):
    """Minus the mean of PPO's clipped surrogate, which for negative advantages is at least bound times the advantage.

    log_prob: [B], differentiable. old_log_prob, advantages: [B], constants. clip_coef: float, such as 0.2. bound: float
    above 1. With r the ratio and s = min(r A, clip(r, 1 - clip_coef, 1 + clip_coef) A), a row counts max(s, bound A)
    where A < 0, and s elsewhere. Returns a scalar; no gradient flows into the two constants.

    Example: ratio 5, advantage -1, clip_coef 0.2 and bound 3 give 3; without the bound it would be 5.
    """
    old, weight = old_log_prob.detach(), advantages.detach()
    ratio = torch.exp(log_prob - old)
    surrogate = torch.min(ratio * weight, ratio.clamp(1 - clip_coef, 1 + clip_coef) * weight)
    bounded = torch.where(weight < 0, torch.max(surrogate, bound * weight), surrogate)
    return -bounded.mean()


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. The fixed ones can be worked by hand; those of the seed are new in every grading."""
    yield _case([5.0], [-1.0])
    yield _case([0.5, 1.5], [2.0, 2.0])
    yield _case([2.0, 4.0, 6.0], [-1.0, -1.0, 2.0])
    source = generator(seed)
    advantages = normal(source, 12) * 2
    # Every kind of row comes: ratios of 0.3 to 6, none on an edge, where two gradients would both be right.
    ratios = torch.tensor([0.3, 0.9, 1.1, 1.5, 2.5, 6.0]).repeat(2) * (1 + 0.05 * torch.rand(12, generator=source))
    yield _case(ratios.tolist(), advantages.tolist())


def _case(ratios: list[float], advantages: list[float]) -> Case:
    old = torch.linspace(-3.0, -2.0, len(ratios))
    return {
        "log_prob": old + torch.tensor(ratios).log(),
        "old_log_prob": old,
        "advantages": torch.tensor(advantages),
        "clip_coef": 0.2,
        "bound": 3.0,
    }


def _with_loop(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float, bound: float) -> Tensor:
    rows = []
    for new, old, advantage in zip(log_prob, old_log_prob.tolist(), advantages.tolist(), strict=True):
        ratio = torch.exp(new - old)
        row = torch.minimum(ratio * advantage, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantage)
        rows.append(row.clamp(min=bound * advantage) if advantage < 0 else row)
    return -torch.stack(rows).mean()


def _with_one_clamp(log_prob, old_log_prob, advantages, *, clip_coef, bound):
    ratio = (log_prob - old_log_prob.detach()).exp()
    weight = advantages.detach()
    held = torch.where(weight < 0, ratio.clamp(1 - clip_coef, bound), ratio.clamp(max=1 + clip_coef))
    return -(held * weight).mean()


def _in_double(log_prob, old_log_prob, advantages, *, clip_coef, bound):
    wide = (log_prob.double(), old_log_prob.double(), advantages.double())
    return dual_clip_loss(*wide, clip_coef=clip_coef, bound=bound).to(log_prob.dtype)


def _plain(log_prob, old_log_prob, advantages, *, clip_coef, bound):
    return dual_clip_loss(log_prob, old_log_prob, advantages, clip_coef=clip_coef, bound=1e9)


def _everywhere(log_prob, old_log_prob, advantages, *, clip_coef, bound):
    ratio = torch.exp(log_prob - old_log_prob)
    surrogate = torch.min(ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages)
    return -torch.max(surrogate, bound * advantages).mean()


def _as_ceiling(log_prob, old_log_prob, advantages, *, clip_coef, bound):
    ratio = torch.exp(log_prob - old_log_prob)
    surrogate = torch.min(ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages)
    return -torch.where(advantages < 0, torch.min(surrogate, bound * advantages), surrogate).mean()


EXERCISES = (
    Exercise(
        id="dual_clip_loss",
        unit="04",
        title="Dual clip",
        points=4,
        minutes=25,
        difficulty=2,
        cases=cases,
        observe=Call(
            "log_prob, old_log_prob, advantages, *, clip_coef, bound",
            differentiable=("log_prob",),
            constant=("old_log_prob", "advantages"),
        ),
        reference=dual_clip_loss,
        alternatives=(_with_loop, _with_one_clamp, _in_double),
        misconceptions=(
            Misconception(
                "no-bound",
                "This is PPO's own clip: a row with a negative advantage and a large ratio still has no bound. Work the "
                "docstring's example by hand.",
                _plain,
            ),
            Misconception(
                "bound-everywhere",
                "You applied the bound to positive advantages too. There bound times the advantage is larger than the "
                "clipped term, so it takes the clip away.",
                _everywhere,
            ),
            Misconception(
                "ceiling-for-floor",
                "You took the minimum with bound times the advantage. That makes every bad row at least as bad as the "
                "bound; wanted is the opposite, so take the maximum.",
                _as_ceiling,
            ),
            Misconception(
                "sign-missing",
                "This is the surrogate itself. Optimisers minimise, so the loss is minus its mean.",
                lambda *rows, clip_coef, bound: -dual_clip_loss(*rows, clip_coef=clip_coef, bound=bound),
            ),
            Misconception(
                "sum-for-mean",
                "You added the rows up. The step would grow with the batch; take the mean.",
                lambda log_prob, *rows, clip_coef, bound: (
                    len(log_prob) * dual_clip_loss(log_prob, *rows, clip_coef=clip_coef, bound=bound)
                ),
            ),
        ),
        hints=(
            "Start from ppo_clip_loss of unit 04. Which rows may become as negative as they like?",
            "Write the clipped surrogate s as one tensor, then choose per row with torch.where(advantages < 0, ..., s).",
            "torch.where(advantages < 0, torch.max(s, bound * advantages), s), then minus the mean.",
        ),
    ),
)
