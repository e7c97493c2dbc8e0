"""Answers to ppo_clip_loss, written from the lesson and the stub alone."""

import math

import torch


def wrong_maximum(log_prob, old_log_prob, advantages, *, clip_coef):
    """Takes the larger of the two terms, as the patient of the lesson."""
    ratio = (log_prob - old_log_prob.detach()).exp()
    adv = advantages.detach()
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    return -torch.max(ratio * adv, clipped * adv).mean()


def wrong_clipped_term_alone(log_prob, old_log_prob, advantages, *, clip_coef):
    """Leaves out the minimum."""
    r = torch.exp(log_prob - old_log_prob.detach())
    return -(torch.clamp(r, 1.0 - clip_coef, 1.0 + clip_coef) * advantages.detach()).mean()


def wrong_no_clip(log_prob, old_log_prob, advantages, *, clip_coef):
    """The plain surrogate."""
    ratio = (log_prob - old_log_prob.detach()).exp()
    return -torch.mean(ratio * advantages.detach())


def wrong_objective_not_loss(log_prob, old_log_prob, advantages, *, clip_coef):
    """Returns the objective without the minus."""
    ratio = torch.exp(log_prob - old_log_prob.detach())
    weights = advantages.detach()
    one, two = ratio * weights, ratio.clip(1 - clip_coef, 1 + clip_coef) * weights
    return torch.minimum(one, two).mean()


def wrong_log_ratio_as_ratio(log_prob, old_log_prob, advantages, *, clip_coef):
    """Forgets exp."""
    ratio = log_prob - old_log_prob.detach()
    advantages = advantages.detach()
    surrogate = ratio * advantages
    clipped = torch.clamp(ratio, 1 - clip_coef, 1 + clip_coef) * advantages
    return -torch.min(surrogate, clipped).mean()


def wrong_ratio_upside_down(log_prob, old_log_prob, advantages, *, clip_coef):
    """Old over new."""
    ratio = torch.exp(old_log_prob.detach() - log_prob)
    a = advantages.detach()
    return torch.max(-a * ratio, -a * ratio.clamp(1 - clip_coef, 1 + clip_coef)).mean()


def wrong_sum(log_prob, old_log_prob, advantages, *, clip_coef):
    """Sums over the batch."""
    ratio = (log_prob - old_log_prob.detach()).exp()
    adv = advantages.detach()
    return torch.maximum(-adv * ratio, -adv * ratio.clamp(1 - clip_coef, 1 + clip_coef)).sum()


def wrong_normalises_inside(log_prob, old_log_prob, advantages, *, clip_coef):
    """Standardises the advantages within the loss."""
    adv = advantages.detach()
    adv = (adv - adv.mean()) / (adv.std(unbiased=False) + 1e-8)
    ratio = torch.exp(log_prob - old_log_prob.detach())
    return -torch.minimum(ratio * adv, ratio.clamp(1 - clip_coef, 1 + clip_coef) * adv).mean()


def wrong_advantages_with_gradient(log_prob, old_log_prob, advantages, *, clip_coef):
    """Lets the gradient into the advantages."""
    ratio = torch.exp(log_prob - old_log_prob.detach())
    return -torch.minimum(ratio * advantages, torch.clamp(ratio, 1 - clip_coef, 1 + clip_coef) * advantages).mean()


def wrong_old_with_gradient(log_prob, old_log_prob, advantages, *, clip_coef):
    """Lets the gradient into the old log-probabilities."""
    advantages = advantages.detach()
    ratio = torch.exp(log_prob - old_log_prob)
    terms = torch.stack([ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages])
    return -terms.amin(dim=0).mean()


def wrong_clipped_above_only(log_prob, old_log_prob, advantages, *, clip_coef):
    """Clips at 1 + clip_coef alone, because ratios cannot run away downwards."""
    ratio = (log_prob - old_log_prob.detach()).exp()
    adv = advantages.detach()
    clipped = ratio.clamp(max=1 + clip_coef)
    return -torch.min(ratio * adv, clipped * adv).mean()


def wrong_minimum_of_the_ratios(log_prob, old_log_prob, advantages, *, clip_coef):
    """Takes the smaller ratio and multiplies by the advantage afterwards."""
    ratio = torch.exp(log_prob - old_log_prob.detach())
    pessimistic = torch.minimum(ratio, ratio.clamp(1 - clip_coef, 1 + clip_coef))
    return -(pessimistic * advantages.detach()).mean()


def wrong_clipped_copy_detached(log_prob, old_log_prob, advantages, *, clip_coef):
    """Makes the clipped term a constant; inside the interval, where both are equal, half the gradient is lost."""
    ratio = (log_prob - old_log_prob.detach()).exp()
    clipped = ratio.detach().clamp(1 - clip_coef, 1 + clip_coef)
    advantages = advantages.detach()
    return -torch.minimum(ratio * advantages, clipped * advantages).mean()


def wrong_divides_probabilities(log_prob, old_log_prob, advantages, *, clip_coef):
    """Divides probabilities, which are 0 in float32 at -200."""
    ratio = torch.exp(log_prob) / torch.exp(old_log_prob.detach())
    clipped = torch.clamp(ratio, 1 - clip_coef, 1 + clip_coef)
    weight = advantages.detach()
    return -torch.minimum(ratio * weight, clipped * weight).mean()


def wrong_minimum_of_the_means(log_prob, old_log_prob, advantages, *, clip_coef):
    """Averages both terms over the batch and takes the smaller mean."""
    ratio = (log_prob - old_log_prob.detach()).exp()
    adv = advantages.detach()
    surrogate = (ratio * adv).mean()
    clipped = (ratio.clamp(1 - clip_coef, 1 + clip_coef) * adv).mean()
    return -torch.minimum(surrogate, clipped)


def wrong_half_the_width(log_prob, old_log_prob, advantages, *, clip_coef):
    """Halves clip_coef, taking it for the whole width of the interval."""
    half = clip_coef / 2
    ratio = (log_prob - old_log_prob.detach()).exp()
    adv = advantages.detach()
    return -torch.minimum(ratio * adv, ratio.clamp(1 - half, 1 + half) * adv).mean()


def wrong_symmetric_in_the_logarithm(log_prob, old_log_prob, advantages, *, clip_coef):
    """Clips the log-ratio, so that the lower end is 1 / (1 + clip_coef)."""
    log_ratio = log_prob - old_log_prob.detach()
    bound = math.log(1 + clip_coef)
    adv = advantages.detach()
    return -torch.minimum(log_ratio.exp() * adv, log_ratio.clamp(-bound, bound).exp() * adv).mean()


def wrong_mean_over_open_rows(log_prob, old_log_prob, advantages, *, clip_coef):
    """Throws the rows outside the interval out of the batch and averages over the others."""
    ratio = torch.exp(log_prob - old_log_prob.detach())
    inside = (ratio - 1).abs() <= clip_coef
    if not inside.any():
        return (log_prob * 0).sum()
    return -(ratio[inside] * advantages.detach()[inside]).mean()


def wrong_number_without_gradient(log_prob, old_log_prob, advantages, *, clip_coef):
    """Loops over Python floats and wraps the result in a tensor, without a gradient."""
    total = 0.0
    rows = list(zip(log_prob.tolist(), old_log_prob.tolist(), advantages.tolist(), strict=True))
    for new, old, a in rows:
        r = math.exp(new - old)
        total += min(r * a, min(max(r, 1 - clip_coef), 1 + clip_coef) * a)
    return torch.tensor(-total / len(rows), dtype=log_prob.dtype, requires_grad=True)


def right_case_by_case(log_prob, old_log_prob, advantages, *, clip_coef):
    """A good row's ratio is cut from above, a bad row's from below; no other case exists."""
    ratio = (log_prob - old_log_prob.detach()).exp()
    adv = advantages.detach()
    good = ratio.clamp(max=1 + clip_coef) * adv
    bad = ratio.clamp(min=1 - clip_coef) * adv
    return torch.where(adv > 0, good, bad).mean().neg()


def right_smallest_of_a_stack(log_prob, old_log_prob, advantages, *, clip_coef):
    """Stacks both terms and takes amin, in double precision, cast back."""
    ratio = torch.exp((log_prob - old_log_prob.detach()).double())
    both = torch.stack((ratio, ratio.clip(1 - clip_coef, 1 + clip_coef))) * advantages.detach().double()
    return both.amin(dim=0).mean().mul(-1).to(log_prob.dtype)


def right_hinge(log_prob, old_log_prob, advantages, *, clip_coef):
    """Surrogate minus the profit beyond the interval, which is a relu on the side that the advantage asks for."""
    r = torch.exp(log_prob - old_log_prob.data)
    a = advantages.data
    too_far = torch.relu(torch.sign(a) * (r - 1) - clip_coef)
    return torch.mean(a.abs() * too_far - a * r)


def right_loop_over_rows(log_prob, old_log_prob, advantages, *, clip_coef):
    """Row by row, with Python's own min on 0-d tensors."""
    total = torch.zeros((), dtype=log_prob.dtype)
    old, adv = old_log_prob.tolist(), advantages.tolist()
    for i, new in enumerate(log_prob.unbind()):
        ratio = (new - old[i]).exp()
        total = total + min(ratio * adv[i], ratio.clamp(1 - clip_coef, 1 + clip_coef) * adv[i])
    return -total / len(adv)
