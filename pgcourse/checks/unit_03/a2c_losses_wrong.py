"""Wrong answers to a2c_losses. Each is the right pair with one thing changed, detached and not detached."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from pgcourse.checks.exercise import Misconception
from pgcourse.checks.unit_03.a2c_losses_parts import Inputs, bonus_term, build, mistake, policy_term, value_term


def _normalised(i: Inputs, correction: int, eps: float = 1e-8, *, one_row: bool = True) -> Tensor:
    spread = i.advantages.std(correction=correction) if not one_row or len(i.advantages) > correction else 0
    return -((i.advantages - i.advantages.mean()) / (spread + eps) * i.log_prob).mean()


MISCONCEPTIONS = (
    mistake(
        "entropy-sign",
        "You added the entropy term to the loss. An optimiser would then make the entropy small, and the policy would stop "
        "exploring early. A bonus makes the loss smaller: subtract it.",
        bonus=lambda i: -bonus_term(i),
    ),
    mistake(
        "entropy-left-out",
        "The entropy has no influence on your policy loss. It is what keeps the policy from making up its mind too early: "
        "subtract ent_coef times its mean.",
        {"bonus": lambda i: 0 * i.entropy.mean()},
        bonus=lambda i: 0 * i.log_prob.mean(),
    ),
    mistake(
        "entropy-coefficient-ignored",
        "Your entropy bonus does not depend on ent_coef. It says how much undecidedness is worth, and is usually small, "
        "such as 0.01: multiply by what is given.",
        {"bonus": lambda i: 0.01 * i.entropy.mean()},
        bonus=lambda i: i.entropy.mean(),
    ),
    mistake(
        "entropy-summed",
        "You summed the entropy over the batch. The bonus would grow with the batch beside a policy term that is a mean. "
        "Take the mean of both.",
        {"bonus": lambda i: i.ent_coef * i.entropy},
        bonus=lambda i: i.ent_coef * i.entropy.sum(),
    ),
    mistake(
        "entropy-in-the-value-loss",
        "The entropy bonus is in the wrong loss. It belongs to the policy; the critic's optimiser cannot change how "
        "undecided the policy is.",
        bonus=lambda i: 0 * i.log_prob.mean(),
        value=lambda i: value_term(i) - bonus_term(i),
    ),
    mistake(
        "policy-sign",
        "The minus is missing before the weighted log-probabilities. An optimiser minimises, so this loss makes good "
        "actions rarer.",
        {"policy": lambda i: -policy_term(i), "bonus": lambda i: -bonus_term(i)},
        policy=lambda i: -policy_term(i),
    ),
    mistake(
        "sum-for-mean",
        "You summed over the batch where a mean is asked for. The size of the step would then grow with the number of "
        "environments and steps.",
        {"policy": lambda i: len(i.values) * policy_term(i)},
        {"value": lambda i: len(i.values) * value_term(i)},
        {"value": lambda i: 2 * len(i.values) * value_term(i)},
        {
            part: lambda i, f=f: len(i.values) * f(i)
            for part, f in (("policy", policy_term), ("value", value_term), ("bonus", bonus_term))
        },
        policy=lambda i: len(i.values) * policy_term(i),
        value=lambda i: len(i.values) * value_term(i),
    ),
    mistake(
        "half-missing",
        "Your value loss is twice as large as asked: half the mean squared error is. With the half its gradient is the plain "
        "error. Adam hardly minds the factor, the clipped gradient norm does.",
        value=lambda i: 2 * value_term(i),
    ),
    mistake(
        "not-squared",
        "Your value loss is not a squared error. Differences without a square cancel, and absolute ones pull the critic "
        "towards the median return; the value is the mean, which the squared error finds.",
        {"value": lambda i: 0.5 * (i.values - i.returns).mean()},
        {"value": lambda i: (i.returns - i.values).mean()},
        {"value": lambda i: 0.5 * (i.returns - i.values).mean()},
        {"value": lambda i: (i.values - i.returns).abs().mean()},
        {"value": lambda i: 0.5 * (i.values - i.returns).abs().mean()},
        {"value": lambda i: functional.smooth_l1_loss(i.values, i.returns)},
        value=lambda i: (i.values - i.returns).mean(),
    ),
    mistake(
        "critic-fitted-to-advantages",
        "Your value loss squares the advantages, or compares the values with them. The advantages are detached data, and the "
        "critic learns nothing from their size. Its loss compares values with returns.",
        {"value": lambda i: i.advantages.square().mean()},
        {"value": lambda i: 0.5 * (i.values - i.advantages).square().mean()},
        {"value": lambda i: (i.values - i.advantages).square().mean()},
        value=lambda i: 0.5 * i.advantages.square().mean(),
    ),
    mistake(
        "advantages-not-used",
        "You weighted the log-probabilities by something other than the given advantages: the returns, or returns minus "
        "values, or nothing. The advantages come from GAE and are ready to use.",
        {"policy": lambda i: -((i.returns - i.values) * i.log_prob).mean()},
        {"policy": lambda i: -((i.returns - i.values.detach()) * i.log_prob).mean()},
        {"policy": lambda i: -((i.advantages - i.values) * i.log_prob).mean()},
        {"policy": lambda i: -((i.advantages - i.values.detach()) * i.log_prob).mean()},
        {"policy": lambda i: -i.log_prob.mean()},
        policy=lambda i: -(i.returns * i.log_prob).mean(),
    ),
    mistake(
        "every-step-with-every-advantage",
        "Your policy term is the mean log-probability times the mean advantage: which action earned which advantage is lost. "
        "A column [B, 1] that meets a row [B] does this without an error. The product must be [B].",
        policy=lambda i: -i.log_prob.mean() * i.advantages.mean(),
    ),
    mistake(
        "probability-not-logarithm",
        "You turned the log-probabilities back into probabilities. The gradient of log p is what the policy gradient needs; "
        "with p, likely actions would count twice.",
        policy=lambda i: -(i.advantages * i.log_prob.exp()).mean(),
    ),
    mistake(
        "normalised-inside",
        "You normalised the advantages inside the loss. The training loop standardises them, as a step of its own before the "
        "losses: use them as they are given.",
        {"policy": lambda i: _normalised(i, 1)},
        {"policy": lambda i: _normalised(i, 1, one_row=False)},
        {"policy": lambda i: _normalised(i, 1, 0.0, one_row=False)},
        {"policy": lambda i: _normalised(i, 0, 0.0, one_row=False)},
        {"policy": lambda i: -((i.advantages - i.advantages.mean()) * i.log_prob).mean()},
        policy=lambda i: _normalised(i, 0),
    ),
    mistake(
        "losses-joined",
        "You joined the two losses. With an optimiser for each network, the pieces are kept apart: a weight such as 0.5 "
        "between them, and one norm for clipping both, would tie two learning rates together.",
        {"finish": lambda i, p, v: p + 0.5 * v},
        {"finish": lambda i, p, v: (p + v, v)},
        {"finish": lambda i, p, v: (p + v, p + v)},
        {"finish": lambda i, p, v: (p + 0.5 * v, v)},
        finish=lambda i, p, v: p + v,
    ),
    mistake(
        "order-exchanged",
        "You returned the value loss first. The policy's loss comes first, so each optimiser would follow the other "
        "network's loss.",
        finish=lambda i, p, v: (v, p),
    ),
    mistake(
        "parts-returned-separately",
        "You returned the entropy as a third part. Its bonus belongs into the policy loss, and two losses are asked for.",
        {"finish": lambda i, p, v: (p, v, i.entropy.mean())},
        {"bonus": lambda i: 0 * i.log_prob.mean(), "finish": lambda i, p, v: (p, v, bonus_term(i))},
        bonus=lambda i: 0 * i.log_prob.mean(),
        finish=lambda i, p, v: (p, v, i.entropy.mean()),
    ),
    mistake(
        "not-a-loss-to-follow",
        "The numbers are right, but no gradient reaches log_prob, entropy or values: they are cut off by detach, item or "
        "no_grad. Only advantages and returns are constants.",
        {"finish": lambda i, p, v: (p, v.detach())},
        {"finish": lambda i, p, v: (p.detach(), v)},
        {"change": lambda i: i._replace(entropy=i.entropy.detach())},
        {"finish": lambda i, p, v: (p.item(), v.item())},
        finish=lambda i, p, v: (p.detach(), v.detach()),
    ),
    Misconception(
        "constants-not-detached",
        "The numbers are right, but a gradient flows into the advantages or the returns. Where they were computed with the "
        "critic, the policy's loss would train the critic, and the critic would move its own target. Detach both.",
        build(constant=()),
        (build(constant=("advantages",)), build(constant=("returns",))),
    ),
)
