"""Wrong answers to gaussian_log_prob."""

from __future__ import annotations

from torch import Tensor
from torch.distributions import Normal

from pgcourse.checks.exercise import Misconception
from pgcourse.checks.unit_05.gaussian_log_prob_wrong_terms import TERM_MISTAKES
from pgcourse.checks.unit_05.gaussian_parts import HALF_LOG_2PI, each_dimension, of_terms, total


def _constant_once(mean: Tensor, log_std: Tensor, action: Tensor) -> Tensor:
    return total(mean, log_std, action) + HALF_LOG_2PI * (mean.shape[-1] - 1)


def _log_std_of_the_whole_batch(mean: Tensor, log_std: Tensor, action: Tensor) -> Tensor:
    z = (action - mean) / log_std.exp()
    return -0.5 * z.square().sum(-1) - log_std.sum() - HALF_LOG_2PI * mean.shape[-1]


MISCONCEPTIONS = (
    *TERM_MISTAKES,
    Misconception(
        "dimensions-not-summed",
        "You returned one number for each dimension, [B, D]. An action is one event: its density is the product over "
        "its dimensions, so its log-density is the sum. Unsummed, each dimension would get a ratio and a clip of its "
        "own.",
        each_dimension,
        variants=(lambda mean, log_std, action: Normal(mean, log_std.exp()).log_prob(action),),
    ),
    Misconception(
        "averaged-over-dimensions",
        "You took the mean over the dimensions where the sum belongs. The densities of independent dimensions multiply, "
        "so their logarithms add up; a mean makes the ratio of PPO the D-th root of what it is.",
        lambda mean, log_std, action: each_dimension(mean, log_std, action).mean(-1),
    ),
    Misconception(
        "summed-over-the-batch",
        "You reduced the batch too. Each action needs a log-density of its own, because each gets its own advantage. "
        "Only the last axis, the dimensions of one action, is summed.",
        lambda mean, log_std, action: each_dimension(mean, log_std, action).sum(),
        variants=(
            lambda mean, log_std, action: each_dimension(mean, log_std, action).mean(),
            lambda mean, log_std, action: total(mean, log_std, action).mean(),
        ),
    ),
    Misconception(
        "summed-over-the-wrong-axis",
        "You summed over the batch and kept the dimensions. A row is one action: the sum runs over the last axis of "
        "[B, D].",
        lambda mean, log_std, action: each_dimension(mean, log_std, action).sum(0),
    ),
    Misconception(
        "multiplied-log-densities",
        "You multiplied the dimensions' log-densities. Densities multiply, and that is why their logarithms add up.",
        lambda mean, log_std, action: each_dimension(mean, log_std, action).prod(-1),
    ),
    Misconception(
        "std-for-log-std",
        "You used log_std where the standard deviation belongs. The parameter is its logarithm, so that any real number "
        "is allowed: a log_std of 0 is a standard deviation of 1, and a negative one is below 1. One exp is missing.",
        of_terms(lambda distance, std: -0.5 * (distance / std).square() - std.log() - HALF_LOG_2PI),
        variants=(
            lambda mean, log_std, action: Normal(mean, log_std).log_prob(action).sum(-1),
            lambda mean, log_std, action: Normal(mean, log_std, validate_args=False).log_prob(action).sum(-1),
            of_terms(lambda distance, std: -0.5 * distance.square() / std.square() - std.log() - HALF_LOG_2PI),
            of_terms(lambda distance, std: -0.5 * (distance / std).square() - std - HALF_LOG_2PI),
        ),
    ),
    Misconception(
        "variance-for-std",
        "You used the variance, exp(log_std) squared, where the standard deviation belongs. torch's Normal takes the "
        "standard deviation; in the formula, the distance to the mean is divided by it before it is squared.",
        lambda mean, log_std, action: total(mean, 2 * log_std, action),
    ),
    Misconception(
        "log-std-taken-for-log-variance",
        "You read log_std as the logarithm of the variance: your standard deviation is exp(log_std / 2). The square is "
        "already done by (...)^2; the parameter is the logarithm of the standard deviation itself.",
        lambda mean, log_std, action: total(mean, 0.5 * log_std, action),
    ),
    Misconception(
        "std-not-squared",
        "You divided the squared distance by the standard deviation; the variance belongs there. Divide first and "
        "square afterwards, and both are squared.",
        of_terms(lambda distance, log_std: -0.5 * distance.square() / log_std.exp() - log_std - HALF_LOG_2PI),
    ),
    Misconception(
        "half-missing",
        "The distance term has no 1/2: you return -z^2 where -z^2 / 2 belongs. Its gradient is then twice too large, "
        "and the balance with -log_std is lost.",
        of_terms(lambda distance, log_std: -(distance / log_std.exp()).square() - log_std - HALF_LOG_2PI),
    ),
    Misconception(
        "log-std-missing",
        "The term -log_std is missing. A wide Gaussian must be lower everywhere, or it would not integrate to 1. "
        "Without this term the gradient can only push the standard deviation up when an action was good.",
        of_terms(lambda distance, log_std: -0.5 * (distance / log_std.exp()).square() - HALF_LOG_2PI),
        variants=(of_terms(lambda distance, log_std: -0.5 * (distance / log_std.exp()).square()),),
    ),
    Misconception(
        "log-std-added",
        "You added log_std where it is subtracted. The density is divided by the standard deviation: the wider, the "
        "lower.",
        of_terms(lambda distance, log_std: -0.5 * (distance / log_std.exp()).square() + log_std - HALF_LOG_2PI),
    ),
    Misconception(
        "std-subtracted",
        "You subtracted the standard deviation itself, not its logarithm. The logarithm of 1 / std is -log_std: no exp "
        "there.",
        of_terms(lambda distance, log_std: -0.5 * (distance / log_std.exp()).square() - log_std.exp() - HALF_LOG_2PI),
    ),
    Misconception(
        "constant-missing",
        "The term log(2 pi) / 2 of each dimension is missing. It changes no gradient and cancels in PPO's ratio, so "
        "training would not notice. It is part of the density all the same: exp of your result does not integrate to 1.",
        of_terms(lambda distance, log_std: -0.5 * (distance / log_std.exp()).square() - log_std),
    ),
    Misconception(
        "constant-once",
        "You subtracted log(2 pi) / 2 once for the whole action. Every dimension has a density of its own, so the "
        "constant comes D times: is it inside the sum?",
        _constant_once,
    ),
    Misconception(
        "log-std-halved",
        "Your log_std counts only half, as if it stood under the 1/2 of the square. There belongs the logarithm of the "
        "variance, which is 2 log_std; outside the 1/2 it is log_std in full.",
        of_terms(lambda distance, log_std: -0.5 * ((distance / log_std.exp()).square() + log_std) - HALF_LOG_2PI),
    ),
    Misconception(
        "log-std-summed-over-the-batch",
        "You summed log_std over everything it holds. For [D] that is right; when a network gives one log_std for each "
        "row, [B, D], the rows leak into each other. Sum over the last axis.",
        _log_std_of_the_whole_batch,
    ),
    Misconception(
        "negative-log-likelihood",
        "You returned minus the log-density, as a regression loss does. Here the log-density itself is asked for: it "
        "is largest at the mean.",
        lambda mean, log_std, action: -total(mean, log_std, action),
    ),
    Misconception(
        "density-not-logarithm",
        "You returned the density. The policy gradient needs its logarithm; 60 standard deviations from the mean the "
        "density is rounded to 0.",
        lambda mean, log_std, action: total(mean, log_std, action).exp(),
        variants=(
            lambda mean, log_std, action: each_dimension(mean, log_std, action).exp().prod(-1),
            lambda mean, log_std, action: each_dimension(mean, log_std, action).exp().sum(-1),
        ),
    ),
    Misconception(
        "logarithm-of-a-rounded-density",
        "You computed the density first and its logarithm afterwards. Far from the mean the density is rounded to 0, "
        "whose logarithm is minus infinity, and its gradient NaN. Take the logarithm on paper: exp and log cancel.",
        lambda mean, log_std, action: each_dimension(mean, log_std, action).exp().log().sum(-1),
        variants=(
            lambda mean, log_std, action: each_dimension(mean, log_std, action).exp().prod(-1).log(),
            lambda mean, log_std, action: (each_dimension(mean, log_std, action).exp() + 1e-8).log().sum(-1),
            lambda mean, log_std, action: (each_dimension(mean, log_std, action).exp() + 1e-10).log().sum(-1),
        ),
    ),
    Misconception(
        "action-clipped",
        "You clipped the action before asking for its density. What was sampled is what the policy is credited for; "
        "the environment clips, and the density of a clipped action belongs to something that was never drawn.",
        lambda mean, log_std, action: total(mean, log_std, action.clamp(-1, 1)),
        variants=(lambda mean, log_std, action: total(mean, log_std, action.clamp(-2, 2)),),
    ),
    Misconception(
        "axis-of-one-kept",
        "Your numbers are right, but the result is a column, [B, 1]. Multiplied by advantages of shape [B], it would "
        "broadcast to [B, B] without an error.",
        lambda mean, log_std, action: each_dimension(mean, log_std, action).sum(-1, keepdim=True),
    ),
    Misconception(
        "std-cut-off",
        "The numbers are right, but log_std gets no gradient or only a part of it: somewhere it is taken as a plain "
        "number, by detach, item, float or no_grad. The policy could then never learn how much to explore.",
        lambda mean, log_std, action: total(mean, log_std.detach(), action),
        variants=(
            of_terms(
                lambda distance, log_std: -0.5 * (distance / log_std.detach().exp()).square() - log_std - HALF_LOG_2PI
            ),
            of_terms(
                lambda distance, log_std: -0.5 * (distance / log_std.exp()).square() - log_std.detach() - HALF_LOG_2PI
            ),
        ),
    ),
    Misconception(
        "detached",
        "The numbers are right, but they are cut off from mean and log_std by detach, item, numpy or no_grad. Without "
        "a path back, the policy cannot learn. Compute the result with torch operations only.",
        lambda mean, log_std, action: total(mean, log_std, action).detach(),
        variants=(lambda mean, log_std, action: total(mean.detach(), log_std, action),),
    ),
)
