"""Answers to patient_03, written from the lesson and the opened patient alone."""

import torch


def wrong_clipped_objective_alone(log_prob, old_log_prob, advantages, *, clip_coef):
    """Keeps the result of clamp and goes on with it; the minimum with the plain objective is missing."""
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    ratio = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    objective = ratio * advantages
    return -objective.mean()


def wrong_clamp_in_place(log_prob, old_log_prob, advantages, *, clip_coef):
    """Adds an underscore so that clamp does something: it overwrites what exp keeps for its gradient."""
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    unclipped = ratio * advantages
    ratio.clamp_(1 - clip_coef, 1 + clip_coef)
    objective = torch.minimum(unclipped, ratio * advantages)
    return -objective.mean()


def wrong_larger_objective(log_prob, old_log_prob, advantages, *, clip_coef):
    """Takes the larger of the two objectives, which rewards going far."""
    ratio = (log_prob - old_log_prob.detach()).exp()
    plain = ratio * advantages.detach()
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages.detach()
    return -torch.maximum(plain, clipped).mean()


def wrong_the_usual_0_2(log_prob, old_log_prob, advantages, *, clip_coef):
    """Writes the minimum, and the 0.2 of the paper into it: the setting is still never read."""
    ratio = torch.exp(log_prob - old_log_prob.detach())
    adv = advantages.detach()
    return -torch.min(ratio * adv, torch.clamp(ratio, 0.8, 1.2) * adv).mean()


def wrong_interval_on_the_log_ratio(log_prob, old_log_prob, advantages, *, clip_coef):
    """Clamps the logarithm between -clip_coef and clip_coef: near the interval of the ratio, and not the same."""
    advantages = advantages.detach()
    log_ratio = log_prob - old_log_prob.detach()
    clipped = log_ratio.clamp(-clip_coef, clip_coef).exp()
    objective = torch.minimum(log_ratio.exp() * advantages, clipped * advantages)
    return -objective.mean()


def wrong_interval_around_zero(log_prob, old_log_prob, advantages, *, clip_coef):
    """Clamps the ratio between -clip_coef and clip_coef, as if it lay around 0."""
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    clipped = ratio.clamp(-clip_coef, clip_coef)
    return -torch.minimum(ratio * advantages, clipped * advantages).mean()


def wrong_clamps_the_objective(log_prob, old_log_prob, advantages, *, clip_coef):
    """Assigns the clamp to the product with the advantage instead of the ratio."""
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    objective = ratio * advantages
    clipped = objective.clamp(1 - clip_coef, 1 + clip_coef)
    return -torch.minimum(objective, clipped).mean()


def wrong_upper_limit_only(log_prob, old_log_prob, advantages, *, clip_coef):
    """Cuts the ratio off above and forgets that a bad action may have become rare enough."""
    adv = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    return -torch.minimum(ratio * adv, ratio.clamp(max=1 + clip_coef) * adv).mean()


def wrong_smaller_of_the_two_means(log_prob, old_log_prob, advantages, *, clip_coef):
    """Averages both objectives over the batch, and takes the smaller of the two numbers."""
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    plain = (ratio * advantages).mean()
    clipped = (ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages).mean()
    return -min(plain, clipped)


def wrong_lower_limit_is_one_over_the_upper(log_prob, old_log_prob, advantages, *, clip_coef):
    """Makes the interval symmetric for quotients: from 1 / (1 + clip_coef) to 1 + clip_coef."""
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    high = 1 + clip_coef
    clipped = ratio.clamp(1 / high, high)
    objective = torch.stack([ratio * advantages, clipped * advantages]).min(dim=0).values
    return -objective.mean()


def wrong_minus_is_lost(log_prob, old_log_prob, advantages, *, clip_coef):
    """Writes the minimum and returns the objective itself, to be maximised."""
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    return torch.minimum(ratio * advantages, clipped * advantages).mean()


def wrong_throws_clipped_rows_out(log_prob, old_log_prob, advantages, *, clip_coef):
    """Leaves rows outside the interval out of the batch: a clip as a filter, whichever way the advantage points."""
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    inside = (ratio - 1).abs() <= clip_coef
    return -(ratio * advantages * inside).mean()


def right_one_sided_caps(log_prob, old_log_prob, advantages, *, clip_coef):
    """A good action's ratio is capped above, a bad one's below; no minimum is left to take."""
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    good, bad = advantages.clamp(min=0), advantages.clamp(max=0)
    gain = good * torch.minimum(ratio, torch.full_like(ratio, 1 + clip_coef))
    cost = bad * torch.maximum(ratio, torch.full_like(ratio, 1 - clip_coef))
    return -(gain + cost).mean()


def right_mean_of_the_larger_loss(log_prob, old_log_prob, advantages, *, clip_coef):
    """The larger of the two losses, row by row in a list, summed and divided."""
    losses = []
    for new, old, advantage in zip(log_prob, old_log_prob.detach(), advantages.detach(), strict=True):
        ratio = torch.exp(new - old)
        losses.append(max(-advantage * ratio, -advantage * ratio.clip(1 - clip_coef, 1 + clip_coef)))
    return sum(losses) / len(losses)


class _ClippedLoss(torch.autograd.Function):
    """The loss with its gradient written by hand."""

    @staticmethod
    def forward(ctx, log_prob, old_log_prob, advantages, clip_coef):
        ratio = (log_prob - old_log_prob).exp()
        plain, clipped = ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages
        ctx.save_for_backward(torch.where(plain <= clipped, -plain / len(plain), torch.zeros_like(plain)))
        return -torch.minimum(plain, clipped).mean()

    @staticmethod
    def backward(ctx, grad):
        (slope,) = ctx.saved_tensors
        return grad * slope, None, None, None


def right_own_autograd_function(log_prob, old_log_prob, advantages, *, clip_coef):
    """A torch.autograd.Function whose backward is the table of lesson 04."""
    return _ClippedLoss.apply(log_prob, old_log_prob.detach(), advantages.detach(), clip_coef)
