"""Wrong answers to ppo_update. Each is the right update with one thing changed, for either standard deviation."""

from __future__ import annotations

from torch import Tensor, nn

from pgcourse.checks.unit_04.ppo_update_parts import mistake, standardize
from pgcourse.checks.unit_04.ppo_update_wrong_ratio import RATIO_MISTAKES
from pgcourse.checks.unit_04.ppo_update_wrong_report import REPORT_MISTAKES
from pgcourse.checks.unit_04.ppo_update_wrong_rows import ROW_MISTAKES


def _raw(advantages: Tensor, correction: int) -> Tensor:
    return advantages


def _joint(policy: nn.Module, critic: nn.Module, limit: float) -> None:
    nn.utils.clip_grad_norm_([*policy.parameters(), *critic.parameters()], limit)


def _by_value(policy: nn.Module, critic: nn.Module, limit: float) -> None:
    nn.utils.clip_grad_value_([*policy.parameters(), *critic.parameters()], limit)


def _policy_only(policy: nn.Module, critic: nn.Module, limit: float) -> None:
    nn.utils.clip_grad_norm_(policy.parameters(), limit)


def _critic_only(policy: nn.Module, critic: nn.Module, limit: float) -> None:
    nn.utils.clip_grad_norm_(critic.parameters(), limit)


MISCONCEPTIONS = (
    *ROW_MISTAKES,
    mistake(
        "gradients-not-cleared",
        "The first step is right and the second is not: the old gradient is still there, and backward adds to it. Clear "
        "the gradients of both networks before each step.",
        {"clear": ("policy",)},
        {"clear": ("critic",)},
        clear=(),
    ),
    mistake(
        "gradient-cleared-before-the-step",
        "One of your networks steps without moving: its gradient was cleared after backward, or backward was never called "
        "for it. The order is zero_grad, backward, clip, step, for each network.",
        {"clear_late": ("critic",)},
        clear_late=("policy",),
    ),
    mistake(
        "backward-missing",
        "No parameter moves. Between clearing the gradients and the step, backward has to compute them.",
        {"backward": False, "clear": ()},
        backward=False,
    ),
    mistake(
        "critic-never-steps",
        "The critic stays as it is: its optimizer takes no step. Each network has its own optimizer here, and both need "
        "zero_grad, backward and step.",
        step_critic=False,
    ),
    mistake(
        "policy-never-steps",
        "The policy stays as it is: its optimizer takes no step. Each network has its own optimizer here, and both need "
        "zero_grad, backward and step.",
        step_policy=False,
    ),
    mistake(
        "not-normalised",
        "You used the advantages as they are. The step's size then follows the reward's scale, and where most advantages "
        "of a minibatch have one sign, all its actions are pushed the same way.",
        each=_raw,
    ),
    mistake(
        "only-centred",
        "You subtracted the mean advantage of the minibatch and did not divide by the standard deviation. The step's size "
        "still follows the scale of the rewards. Normalised means both.",
        each=lambda a, c: a - a.mean(),
    ),
    mistake(
        "only-scaled",
        "You divided the advantages by their standard deviation and did not subtract their mean. A minibatch of mostly "
        "positive ones then pushes nearly all its actions up. Normalised means both, the mean first.",
        each=lambda a, c: a / (a.std(correction=c) + 1e-8),
    ),
    mistake(
        "normalised-over-the-batch",
        "You normalised the advantages once over the whole batch. Others do, too, and it learns as well; this contract "
        "normalises within each minibatch, so that every step sees mean 0 and standard deviation 1.",
        whole=standardize,
        each=_raw,
    ),
    mistake(
        "returns-for-advantages",
        "You weighted the policy's step with the returns, not with the advantages. Returns are what the critic is fitted "
        "to; whether an action was better than expected is in the advantages.",
        weights_of=lambda batch: batch.returns,
    ),
    mistake(
        "critic-fitted-to-advantages",
        "You fitted the critic to the advantages. Its target is the return: the advantage is what is left after the "
        "critic's own value has been subtracted.",
        targets_of=lambda batch: batch.advantages,
    ),
    *RATIO_MISTAKES,
    mistake(
        "entropy-bonus-reversed",
        "Your loss goes up with the entropy, so the policy is punished for trying things. A bonus is subtracted from a "
        "loss.",
        entropy_of=lambda entropy: -entropy.mean(),
    ),
    mistake(
        "entropy-bonus-missing",
        "The entropy bonus is missing: ent_coef changes nothing in your update. It belongs to the policy's loss, as a mean over "
        "the minibatch.",
        entropy_of=lambda entropy: 0 * entropy.mean(),
    ),
    mistake(
        "entropy-summed",
        "You summed the entropy over the minibatch. The loss is a mean over rows, so the bonus must be one, or it "
        "drowns the rest.",
        entropy_of=lambda entropy: entropy.sum(),
    ),
    mistake(
        "value-loss-scaled",
        "The policy is right, but the critic's step is not: its loss is half the mean squared error, with no further "
        "coefficient. One that multiplies both losses belongs where both share one optimizer.",
        {"value_scale": 0.5},
        {"value_scale": 0.25},
        value_scale=2.0,
    ),
    mistake(
        "clipped-together",
        "You clipped the gradients of both networks by one common norm. The critic's gradient is by far the larger, so "
        "the policy's is cut down with it. Clip each network by its own norm.",
        clip_gradients=_joint,
    ),
    mistake(
        "gradients-not-clipped",
        "The gradients are not clipped, or not when it counts: backward first, then clip, then the step.",
        {"clip_late": True},
        {"clip_gradients": _policy_only},
        {"clip_gradients": _critic_only},
        clip_gradients=lambda policy, critic, limit: None,
    ),
    mistake(
        "clipped-by-value",
        "You clipped each entry of the gradient by itself, which bends its direction. clip_grad_norm_ shortens the whole "
        "vector and keeps the direction.",
        clip_gradients=_by_value,
    ),
    *REPORT_MISTAKES,
)
