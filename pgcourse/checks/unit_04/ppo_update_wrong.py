"""Wrong answers to ppo_update. Each is the right update with one thing changed, for either standard deviation."""

from __future__ import annotations

from torch import Tensor, nn

from pgcourse.checks.unit_04.ppo_update_parts import mistake, standardize
from pgcourse.checks.unit_04.ppo_update_wrong_report import REPORT_MISTAKES
from pgcourse.checks.unit_04.ppo_update_wrong_rows import ROW_MISTAKES
from pgcourse.losses import ppo_clip_loss


def _raw(advantages: Tensor, correction: int) -> Tensor:
    return advantages


def _joint(policy: nn.Module, critic: nn.Module, limit: float) -> None:
    nn.utils.clip_grad_norm_([*policy.parameters(), *critic.parameters()], limit)


def _by_value(policy: nn.Module, critic: nn.Module, limit: float) -> None:
    nn.utils.clip_grad_value_([*policy.parameters(), *critic.parameters()], limit)


def _policy_only(policy: nn.Module, critic: nn.Module, limit: float) -> None:
    nn.utils.clip_grad_norm_(policy.parameters(), limit)


def _unclipped(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
    return ppo_clip_loss(log_prob, old_log_prob, advantages, clip_coef=None)


def _score(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
    return -(log_prob * advantages).mean()


def _uphill(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
    return -ppo_clip_loss(log_prob, old_log_prob, advantages, clip_coef=clip_coef)


MISCONCEPTIONS = (
    *ROW_MISTAKES,
    mistake(
        "gradients-not-cleared",
        "The first step is right and the second is not: the old gradient is still there, and backward adds to it. Clear "
        "the gradients of both networks before each step.",
        clear=False,
    ),
    mistake(
        "backward-missing",
        "No parameter moves. Between clearing the gradients and the step, backward has to compute them.",
        {"backward": False, "clear": False},
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
        {"each": lambda a, c: a - a.mean()},
        {"each": lambda a, c: a / (a.std(correction=c) + 1e-8)},
        each=_raw,
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
    mistake(
        "old-log-prob-recomputed",
        "Your ratio is 1 all the time: you recomputed the old log-probability with the policy of now. The old one is the "
        "policy that collected the data; it stands in the batch and stays as it is through all epochs.",
        recompute_old=True,
    ),
    mistake(
        "no-ratio",
        "You weighted log-probabilities, as in A2C. After the first step the data are no longer from the policy that is "
        "being changed. The ratio to batch.log_prob corrects for that, and the clip keeps it honest.",
        loss_fn=_score,
    ),
    mistake(
        "not-clipped",
        "Your loss does not clip the ratio. The first steps are right; where the ratio leaves the interval, yours goes "
        "on pushing.",
        loss_fn=_unclipped,
    ),
    mistake(
        "downhill",
        "Your update makes the better actions less likely. Optimizers minimise: the policy's loss is minus the clipped "
        "objective.",
        loss_fn=_uphill,
    ),
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
