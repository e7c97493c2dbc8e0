"""Answers to patient_08, written from the lesson and the opened patient alone."""

import numpy as np
import torch


def wrong_minus_in_front_of_the_maximum(log_prob, old_log_prob, advantages, *, clip_coef):
    """Puts the lost minus in front of the whole: now it is the larger objective, not the larger loss."""
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    plain_loss = advantages * ratio
    clipped_loss = advantages * ratio.clamp(1 - clip_coef, 1 + clip_coef)
    return -torch.max(plain_loss, clipped_loss).mean()


def wrong_only_the_plain_loss_negated(log_prob, old_log_prob, advantages, *, clip_coef):
    """Turns the sign of the first loss and overlooks the second."""
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    plain_loss = -advantages * ratio
    clipped_loss = advantages * ratio.clamp(1 - clip_coef, 1 + clip_coef)
    return torch.max(plain_loss, clipped_loss).mean()


def wrong_smaller_of_the_two_losses(log_prob, old_log_prob, advantages, *, clip_coef):
    """Turns both signs, and the max into the min of the paper, which is of objectives."""
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    plain_loss = -advantages * ratio
    clipped_loss = -advantages * ratio.clamp(1 - clip_coef, 1 + clip_coef)
    return torch.min(plain_loss, clipped_loss).mean()


def wrong_ratio_turned_instead(log_prob, old_log_prob, advantages, *, clip_coef):
    """Looks for the sign in the exponent: old minus new turns the gradient round, and inverts the ratio."""
    advantages = advantages.detach()
    ratio = (old_log_prob.detach() - log_prob).exp()
    plain_loss = advantages * ratio
    clipped_loss = advantages * ratio.clamp(1 - clip_coef, 1 + clip_coef)
    return torch.max(plain_loss, clipped_loss).mean()


def wrong_sign_turned_twice(log_prob, old_log_prob, advantages, *, clip_coef):
    """Negates the advantages above and the losses below: twice is never."""
    advantages = -advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    plain_loss = -advantages * ratio
    clipped_loss = -advantages * ratio.clamp(1 - clip_coef, 1 + clip_coef)
    return torch.max(plain_loss, clipped_loss).mean()


def wrong_sum_over_the_minibatch(log_prob, old_log_prob, advantages, *, clip_coef):
    """Turns the signs in a loop over the rows, and never divides by their number."""
    total = torch.zeros((), dtype=log_prob.dtype)
    for i in range(len(log_prob)):
        ratio = torch.exp(log_prob[i] - old_log_prob[i].detach())
        clipped = torch.clamp(ratio, 1 - clip_coef, 1 + clip_coef)
        total = total + torch.max(-advantages[i].detach() * ratio, -advantages[i].detach() * clipped)
    return total


def wrong_larger_of_the_two_means(log_prob, old_log_prob, advantages, *, clip_coef):
    """Takes both means and then the larger of two numbers."""
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    plain_loss = (-advantages * ratio).mean()
    clipped_loss = (-advantages * ratio.clamp(1 - clip_coef, 1 + clip_coef)).mean()
    return torch.max(plain_loss, clipped_loss)


def wrong_clip_dropped(log_prob, old_log_prob, advantages, *, clip_coef):
    """Goes back to the plain surrogate with the right sign, and the clip is gone."""
    ratio = (log_prob - old_log_prob.detach()).exp()
    return -(advantages.detach() * ratio).mean()


def wrong_size_of_the_advantage_only(log_prob, old_log_prob, advantages, *, clip_coef):
    """Makes sure that the loss is negative with -|A|: bad actions are made more likely, too."""
    weights = -advantages.detach().abs()
    ratio = (log_prob - old_log_prob.detach()).exp()
    plain_loss = weights * ratio
    clipped_loss = weights * ratio.clamp(1 - clip_coef, 1 + clip_coef)
    return torch.max(plain_loss, clipped_loss).mean()


def wrong_normalises_on_the_way(log_prob, old_log_prob, advantages, *, clip_coef):
    """Turns the signs, and normalises the advantages as well, which the caller has done or not wanted."""
    adv = advantages.detach()
    adv = (adv - adv.mean()) / (adv.std() + 1e-8)
    ratio = (log_prob - old_log_prob.detach()).exp()
    return torch.max(-adv * ratio, -adv * ratio.clamp(1 - clip_coef, 1 + clip_coef)).mean()


def wrong_ratio_detached(log_prob, old_log_prob, advantages, *, clip_coef):
    """Thinks the ratio is a weight like that of importance sampling, and detaches it: no gradient is left."""
    ratio = (log_prob - old_log_prob).exp().detach()
    plain_loss = -advantages * ratio
    clipped_loss = -advantages * torch.clip(ratio, 1 - clip_coef, 1 + clip_coef)
    return torch.maximum(plain_loss, clipped_loss).mean()


def right_negated_at_the_top(log_prob, old_log_prob, advantages, *, clip_coef):
    """Turns the sign once, where the advantages come in, and leaves the rest as it is."""
    costs = advantages.detach().neg()
    ratio = (log_prob - old_log_prob.detach()).exp()
    plain_loss = costs * ratio
    clipped_loss = costs * ratio.clamp(1 - clip_coef, 1 + clip_coef)
    return torch.max(plain_loss, clipped_loss).mean()


def right_slopes_in_numpy(log_prob, old_log_prob, advantages, *, clip_coef):
    """Value and slope of each row in numpy, and log_prob brings the gradient in."""
    new, old, adv = (x.detach().cpu().double().numpy() for x in (log_prob, old_log_prob, advantages))
    ratio = np.exp(new - old)
    plain, clipped = -adv * ratio, -adv * ratio.clip(1 - clip_coef, 1 + clip_coef)
    larger = plain * (plain >= clipped) + clipped * (plain < clipped)
    slope = torch.from_numpy(plain * (plain >= clipped)).to(log_prob)
    value = torch.from_numpy(larger).to(log_prob)
    return (value + slope * (log_prob - log_prob.detach())).mean()


def right_sorted_pairs(log_prob, old_log_prob, advantages, *, clip_coef):
    """Stacks both losses as pairs, sorts each pair, and takes the mean of the last column."""
    ratio = torch.exp(log_prob - old_log_prob.detach())
    pairs = torch.stack([ratio, ratio.clamp(1 - clip_coef, 1 + clip_coef)], dim=1) * -advantages.detach()[:, None]
    return pairs.sort(dim=1).values[:, -1].mean()
