"""Wrong answers to ppo_clip_loss."""

from __future__ import annotations

import torch

from pgcourse.checks.exercise import Misconception
from pgcourse.checks.unit_04.ppo_clip_loss_parts import (
    build,
    clipped_around_zero,
    clipped_objective,
    clipped_objective_alone,
    means,
    means_first,
    smaller,
    standardised,
)
from pgcourse.checks.unit_04.spellings import Formula, detaching, mistake
from pgcourse.losses import ppo_clip_loss


def _mistake(id: str, explanation: str, *formulas: Formula) -> Misconception:
    return mistake(id, explanation, *formulas, constants=(1, 2))


_UNGUARDED = build()

MISCONCEPTIONS = (
    Misconception(
        "constants-not-detached",
        "The number is right, but a gradient flows into the advantages or into old_log_prob. Both are data of the policy "
        "that acted. A loss with a path into the advantages trains whatever computed them to flatter the policy. Detach "
        "both, so that log_prob alone is left.",
        detaching(_UNGUARDED, ()),
        (detaching(_UNGUARDED, (1,)), detaching(_UNGUARDED, (2,))),
    ),
    Misconception(
        "detached",
        "The number is right, but it is cut off from log_prob by detach, item, numpy or no_grad. No gradient reaches "
        "the policy, and it never changes. Only the advantages and the old log-probabilities are constants.",
        lambda *tensors, clip_coef: ppo_clip_loss(*tensors, clip_coef=clip_coef).detach(),
        (detaching(_UNGUARDED, (0,)),),
    ),
    _mistake(
        "minus-sign-missing",
        "The minus is missing. An optimizer minimises, so this loss makes good actions rarer, and the clip then guards "
        "the wrong side.",
        build(reduce=lambda objective: objective.mean()),
    ),
    _mistake(
        "larger-of-the-two",
        "You took the larger of the two objectives. That is the optimist: where the policy has moved too far, it keeps "
        "pushing. Take the smaller one, so that going beyond the interval never pays, but a way back always does. (With "
        "losses, which have a minus, it is the larger.)",
        build(combine=lambda ratio, clipped, a: torch.maximum(ratio * a, clipped * a)),
    ),
    _mistake(
        "clipped-ratio-alone",
        "You used the clipped ratio alone. Look at ratio 1.5 with a negative advantage: a bad action has become more "
        "likely, and your gradient is 0, so nothing brings it back. The minimum with the unclipped objective does.",
        build(combine=lambda ratio, clipped, a: clipped * a),
    ),
    _mistake(
        "not-clipped",
        "Your loss is not clipped anywhere. Its first step is right, but after several epochs on the same data the "
        "ratio runs away: nothing says that the data are only about policies near the old one.",
        build(combine=lambda ratio, clipped, a: ratio * a),
    ),
    _mistake(
        "objective-clipped",
        "You clipped the objective, ratio times advantage. Its size says nothing about how far the policy has moved: "
        "large advantages would be clipped at a ratio of 1. Clip the ratio, then multiply.",
        clipped_objective,
        clipped_objective_alone,
        clipped_around_zero,
    ),
    _mistake(
        "one-sided-clip",
        "You limited the ratio on one side only. With a positive advantage it must not go above 1 + clip_coef, with a "
        "negative one not below 1 - clip_coef: the interval has two ends.",
        build(clip_fn=lambda ratio, c: ratio.clamp(max=1 + c)),
        build(clip_fn=lambda ratio, c: ratio.clamp(min=1 - c)),
    ),
    _mistake(
        "interval-around-zero",
        "Your interval lies around 0. A ratio of 1 means that nothing has changed, so the interval goes from "
        "1 - clip_coef to 1 + clip_coef.",
        build(clip_fn=lambda ratio, c: ratio.clamp(-c, c)),
        build(clip_fn=lambda ratio, c: ratio.clamp(c, 1 + c)),
        build(clip_fn=lambda ratio, c: ratio.clamp(0, c)),
    ),
    _mistake(
        "logarithm-clipped",
        "You clipped the difference of the log-probabilities. exp(0.2) is 1.22 and exp(-0.2) is 0.82, so your interval "
        "is another one. Take the exponential first and clip the ratio.",
        lambda log_prob, old, a, *, clip_coef: (
            -smaller((log_prob - old).exp(), (log_prob - old).clamp(-clip_coef, clip_coef).exp(), a).mean()
        ),
    ),
    _mistake(
        "exponential-missing",
        "You used the difference of the log-probabilities as the ratio. It is the ratio's logarithm, 0 where nothing has "
        "changed. The exponential is missing.",
        build(ratio_fn=lambda log_prob, old: log_prob - old),
    ),
    _mistake(
        "ratio-of-logarithms",
        "You divided the log-probabilities. The logarithm of a ratio is a difference, so the ratio is "
        "exp(log_prob - old_log_prob).",
        build(ratio_fn=lambda log_prob, old: log_prob / old),
    ),
    _mistake(
        "probabilities-divided",
        "You turned both into probabilities and divided. With log-probabilities of -200 this is 0 / 0. Subtract the "
        "logarithms first and take the exponential last.",
        build(ratio_fn=lambda log_prob, old: log_prob.exp() / (old.exp() + 1e-8)),
        build(ratio_fn=lambda log_prob, old: log_prob.exp() / old.exp()),
    ),
    _mistake(
        "ratio-upside-down",
        "Your ratio is the old probability over the new one, so the step goes the wrong way: making a good action more "
        "likely lowers your objective. The new policy stands on top.",
        build(ratio_fn=lambda log_prob, old: (old - log_prob).exp()),
    ),
    _mistake(
        "no-ratio",
        "You weighted the log-probability by the advantage, as in A2C. That is right for one step on fresh data. The "
        "ratio is what makes the second and third step on the same data right, and there is nothing to clip without it.",
        build(ratio_fn=lambda log_prob, old: log_prob, combine=lambda ratio, clipped, a: ratio * a),
        build(ratio_fn=lambda log_prob, old: log_prob),
        build(ratio_fn=lambda log_prob, old: log_prob.exp()),
    ),
    _mistake(
        "sum-for-mean",
        "You summed where the mean is asked for. The step would grow with the minibatch size, and the learning rate "
        "would have to shrink with it.",
        build(reduce=lambda objective: -objective.sum()),
    ),
    _mistake(
        "not-reduced",
        "You returned one loss a row. backward needs a single number: take the mean over the batch.",
        build(reduce=lambda objective: -objective),
    ),
    _mistake(
        "means-before-the-minimum",
        "You took the means first and the minimum of the two numbers afterwards. Whether a row is clipped is then "
        "decided by all the others. Take the minimum row by row, the mean last.",
        means_first,
        lambda log_prob, old, a, *, clip_coef: -min(means(log_prob, old, a, clip_coef)),
        lambda log_prob, old, a, *, clip_coef: -min(means(log_prob, old, a, clip_coef)[::-1]),
    ),
    _mistake(
        "minimum-before-the-advantage",
        "You took the smaller of the two ratios and multiplied it by the advantage afterwards. A negative advantage turns "
        "smaller into larger: multiply both ratios first, then take the smaller product.",
        build(combine=lambda ratio, clipped, a: torch.minimum(ratio, clipped) * a),
    ),
    _mistake(
        "python-min",
        "Python's min compares two numbers, and a tensor of several has no single answer to which is smaller. "
        "torch.minimum goes row by row.",
        build(combine=lambda ratio, clipped, a: min(ratio * a, clipped * a)),
        build(combine=lambda ratio, clipped, a: min(ratio, clipped) * a),
    ),
    _mistake(
        "advantages-normalised-inside",
        "You normalised the advantages inside the loss. That is the update's business, minibatch by minibatch; the loss "
        "uses them as they are given, so that it can be tested and used without.",
        build(weight_fn=standardised(0)),
        build(weight_fn=standardised(1)),
        build(weight_fn=lambda a: a - a.mean()),
    ),
    _mistake(
        "clip-coefficient-fixed",
        "Your interval is always 0.8 to 1.2: the argument clip_coef is never used. The case that fails asks for another "
        "one.",
        build(fixed=0.2),
    ),
    _mistake(
        "every-row-with-every-row",
        "A column [B, 1] met a row [B], and broadcasting multiplied every ratio by every advantage, without an error. "
        "Look at the shape of your product before the mean: it must be [B].",
        build(combine=lambda ratio, clipped, a: smaller(ratio[:, None], clipped[:, None], a[None, :])),
    ),
)
