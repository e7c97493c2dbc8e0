"""Answers to patient_01, written from the lesson and the opened patient alone."""

import copy

import torch


def wrong_before_as_detached_log_prob(policy, obs, actions, old_log_prob, advantages, *, clip_coef):
    """Thinks the second forward pass was the bug: saves it, and takes the detached log_prob as the old one."""
    log_prob = policy(obs).log_prob(actions)
    before = log_prob.detach()
    log_ratio = log_prob - before
    ratio = log_ratio.exp()
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    loss = -torch.minimum(ratio * advantages, clipped * advantages).mean()
    return loss, log_ratio.detach()


def wrong_before_with_gradient(policy, obs, actions, old_log_prob, advantages, *, clip_coef):
    """Thinks no_grad was the bug and removes it; both terms now have a gradient, and the two cancel."""
    log_prob = policy(obs).log_prob(actions)
    before = policy(obs).log_prob(actions)
    log_ratio = log_prob - before
    ratio = log_ratio.exp()
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    loss = -torch.minimum(ratio * advantages, clipped * advantages).mean()
    return loss, log_ratio.detach()


def wrong_new_log_prob_under_no_grad(policy, obs, actions, old_log_prob, advantages, *, clip_coef):
    """Uses old_log_prob, and leaves the remaining forward pass inside no_grad."""
    with torch.no_grad():
        log_prob = policy(obs).log_prob(actions)
    log_ratio = log_prob - old_log_prob
    ratio = log_ratio.exp()
    loss = -torch.min(ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages).mean()
    return loss, log_ratio


def wrong_ratio_upside_down(policy, obs, actions, old_log_prob, advantages, *, clip_coef):
    """Puts old_log_prob in the place of the first term instead of the second: old over new."""
    before = policy(obs).log_prob(actions)
    log_ratio = old_log_prob - before
    ratio = torch.exp(log_ratio)
    clipped = torch.clamp(ratio, 1 - clip_coef, 1 + clip_coef)
    loss = -torch.minimum(ratio * advantages, clipped * advantages).mean()
    return loss, log_ratio.detach()


def wrong_log_ratio_keeps_its_gradient(policy, obs, actions, old_log_prob, advantages, *, clip_coef):
    """Mends the ratio and drops the detach of the diagnostics on the way."""
    log_ratio = policy(obs).log_prob(actions) - old_log_prob
    ratio = log_ratio.exp()
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    return -torch.minimum(ratio * advantages, clipped * advantages).mean(), log_ratio


def wrong_returns_the_ratio(policy, obs, actions, old_log_prob, advantages, *, clip_coef):
    """Returns the ratio for the diagnostics, not its logarithm."""
    dist = policy(obs)
    ratio = (dist.log_prob(actions) - old_log_prob).exp()
    surr1 = ratio * advantages
    surr2 = torch.clamp(ratio, 1.0 - clip_coef, 1.0 + clip_coef) * advantages
    return -torch.min(surr1, surr2).mean(), ratio.detach()


def wrong_logarithm_of_the_clipped_ratio(policy, obs, actions, old_log_prob, advantages, *, clip_coef):
    """Reports the logarithm of the ratio after the clip, so the diagnostics never see how far it went."""
    ratio = (policy(obs).log_prob(actions) - old_log_prob).exp()
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    loss = -torch.minimum(ratio * advantages, clipped * advantages).mean()
    return loss, clipped.log().detach()


def wrong_clipped_objective_under_no_grad(policy, obs, actions, old_log_prob, advantages, *, clip_coef):
    """Moves no_grad to the clipped branch because 'the clip has no gradient'; at a tie half the gradient is lost."""
    log_prob = policy(obs).log_prob(actions)
    log_ratio = log_prob - old_log_prob
    ratio = log_ratio.exp()
    with torch.no_grad():
        clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    loss = -torch.minimum(ratio * advantages, clipped * advantages).mean()
    return loss, log_ratio.detach()


def wrong_larger_of_the_two_objectives(policy, obs, actions, old_log_prob, advantages, *, clip_coef):
    """Mends the ratio, and copies torch.max from the other way of writing the loss."""
    log_ratio = policy(obs).log_prob(actions) - old_log_prob.detach()
    ratio = log_ratio.exp()
    loss = -torch.max(ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages).mean()
    return loss, log_ratio.detach()


def wrong_mean_of_the_log_ratios(policy, obs, actions, old_log_prob, advantages, *, clip_coef):
    """Gives the diagnostics one number, the mean, where each row's own is asked for."""
    log_ratio = policy(obs).log_prob(actions) - old_log_prob
    ratio = log_ratio.exp()
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    loss = -torch.minimum(ratio * advantages, clipped * advantages).mean()
    return loss, log_ratio.detach().mean()


def wrong_only_the_diagnostics_are_mended(policy, obs, actions, old_log_prob, advantages, *, clip_coef):
    """Mends the reported log-ratio alone; the loss goes on with the recomputed one."""
    log_prob = policy(obs).log_prob(actions)
    frozen = copy.deepcopy(policy)
    with torch.no_grad():
        before = frozen(obs).log_prob(actions)
    ratio = (log_prob - before).exp()
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    loss = -torch.minimum(ratio * advantages, clipped * advantages).mean()
    return loss, (log_prob - old_log_prob).detach()


def wrong_no_clip_left(policy, obs, actions, old_log_prob, advantages, *, clip_coef):
    """Mends the ratio and 'simplifies' the loss to ratio times advantage."""
    log_ratio = policy(obs).log_prob(actions) - old_log_prob
    return -(log_ratio.exp() * advantages).mean(), log_ratio.detach()


def right_case_by_case(policy, obs, actions, old_log_prob, advantages, *, clip_coef):
    """Caps the ratio above where the advantage is positive, and below where it is negative, with torch.where."""
    log_ratio = policy(obs).log_prob(actions) - old_log_prob.detach()
    ratio = torch.exp(log_ratio)
    capped = torch.where(advantages > 0, ratio.clamp(max=1 + clip_coef), ratio.clamp(min=1 - clip_coef))
    loss = torch.mean(-advantages.detach() * capped)
    return loss, log_ratio.detach().clone()


def right_in_double_precision(policy, obs, actions, old_log_prob, advantages, *, clip_coef):
    """Stacks both objectives in double precision, and casts loss and log-ratio back."""
    log_prob = policy(obs).log_prob(actions)
    log_ratio = log_prob.double() - old_log_prob.detach().double()
    ratio = torch.expm1(log_ratio) + 1
    both = torch.stack([ratio, ratio.clip(1 - clip_coef, 1 + clip_coef)]) * advantages.detach().double()
    loss = both.amin(dim=0).neg().mean()
    return loss.to(log_prob.dtype), log_ratio.detach().to(log_prob.dtype)


def right_gradient_through_log_prob(policy, obs, actions, old_log_prob, advantages, *, clip_coef):
    """Works out the value and each row's weight without gradient, and hands the weight on through log_prob."""
    log_prob = policy(obs).log_prob(actions)
    with torch.no_grad():
        log_ratio = log_prob - old_log_prob
        ratio = log_ratio.exp()
        plain, clipped = ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages
        value = -torch.minimum(plain, clipped)
        weight = -plain * (plain <= clipped)
    loss = (value + weight * (log_prob - log_prob.detach())).mean()
    return loss, log_ratio
