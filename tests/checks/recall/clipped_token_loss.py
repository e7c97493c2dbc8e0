"""Answers to clipped_token_loss, written from the lesson and the stub alone."""

import torch


def wrong_mean_over_the_mask(log_prob, old_log_prob, advantages, mask, *, clip_coef):
    """Divides by the number of tokens that count."""
    ratio = (log_prob - old_log_prob.detach()).exp()
    adv = advantages.detach().unsqueeze(1)
    objective = torch.minimum(ratio * adv, ratio.clamp(1 - clip_coef, 1 + clip_coef) * adv)
    return -objective[mask].mean()


def wrong_mean_of_each_answer(log_prob, old_log_prob, advantages, mask, *, clip_coef):
    """Averages within each answer first, so that a token of a long answer counts less."""
    ratio = torch.exp(log_prob - old_log_prob.detach())
    adv = advantages.detach()[:, None]
    objective = torch.min(ratio * adv, ratio.clamp(1 - clip_coef, 1 + clip_coef) * adv).masked_fill(~mask, 0.0)
    return -(objective.sum(1) / mask.sum(1).clamp(min=1)).mean()


def wrong_divided_by_answers_alone(log_prob, old_log_prob, advantages, mask, *, clip_coef):
    """Sums over an answer's tokens and averages over the answers."""
    ratio = torch.exp(log_prob - old_log_prob.detach())
    adv = advantages.detach()[:, None]
    objective = torch.min(ratio * adv, ratio.clamp(1 - clip_coef, 1 + clip_coef) * adv).masked_fill(~mask, 0.0)
    return -objective.sum(1).mean()


def wrong_divided_by_the_longest(log_prob, old_log_prob, advantages, mask, *, clip_coef):
    """Takes the longest answer of the batch for T."""
    ratio = torch.exp(log_prob - old_log_prob.detach())
    adv = advantages.detach()[:, None]
    objective = torch.min(ratio * adv, ratio.clamp(1 - clip_coef, 1 + clip_coef) * adv).masked_fill(~mask, 0.0)
    longest = mask.sum(1).max().clamp(min=1)
    return -objective.sum() / (len(advantages) * longest)


def wrong_no_mask(log_prob, old_log_prob, advantages, mask, *, clip_coef):
    """Averages over all places."""
    ratio = (log_prob - old_log_prob.detach()).exp()
    adv = advantages.detach().unsqueeze(1)
    return -torch.minimum(ratio * adv, ratio.clamp(1 - clip_coef, 1 + clip_coef) * adv).mean()


def wrong_ratio_one_on_the_filling(log_prob, old_log_prob, advantages, mask, *, clip_coef):
    """Zeroes the log-ratio of the filling, whose ratio is then 1 and still counts."""
    log_ratio = (log_prob - old_log_prob.detach()).masked_fill(~mask, 0.0)
    ratio = log_ratio.exp()
    adv = advantages.detach().unsqueeze(1)
    return -torch.minimum(ratio * adv, ratio.clamp(1 - clip_coef, 1 + clip_coef) * adv).mean()


def wrong_ratio_of_the_answer(log_prob, old_log_prob, advantages, mask, *, clip_coef):
    """One ratio an answer, the product over its tokens."""
    log_ratio = torch.where(mask, log_prob - old_log_prob.detach(), 0.0).sum(1)
    ratio = log_ratio.exp()
    adv = advantages.detach()
    objective = torch.minimum(ratio * adv, ratio.clamp(1 - clip_coef, 1 + clip_coef) * adv)
    return -(objective * mask.sum(1)).sum() / mask.numel()


def wrong_advantages_along_the_tokens(log_prob, old_log_prob, advantages, mask, *, clip_coef):
    """Leaves the advantages [B], and they spread along the tokens: an error, or worse, none if B is T."""
    ratio = (log_prob - old_log_prob.detach()).exp()
    adv = advantages.detach()
    objective = torch.minimum(ratio * adv, ratio.clamp(1 - clip_coef, 1 + clip_coef) * adv)
    return -torch.where(mask, objective, 0.0).sum() / mask.numel()


def wrong_maximum(log_prob, old_log_prob, advantages, mask, *, clip_coef):
    """Takes the larger term: the rule for the loss, used on the objective."""
    ratio = (log_prob - old_log_prob.detach()).exp()
    adv = advantages.detach().unsqueeze(1)
    objective = torch.maximum(ratio * adv, ratio.clamp(1 - clip_coef, 1 + clip_coef) * adv)
    return -torch.where(mask, objective, 0.0).sum() / mask.numel()


def wrong_clipped_term_alone(log_prob, old_log_prob, advantages, mask, *, clip_coef):
    """Leaves out the minimum."""
    ratio = (log_prob - old_log_prob.detach()).exp()
    objective = ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages.detach().unsqueeze(1)
    return -torch.where(mask, objective, 0.0).sum() / mask.numel()


def wrong_objective_not_loss(log_prob, old_log_prob, advantages, mask, *, clip_coef):
    """Forgets the minus."""
    ratio = (log_prob - old_log_prob.detach()).exp()
    adv = advantages.detach().unsqueeze(1)
    objective = torch.minimum(ratio * adv, ratio.clamp(1 - clip_coef, 1 + clip_coef) * adv)
    return torch.where(mask, objective, 0.0).sum() / mask.numel()


def wrong_old_with_gradient(log_prob, old_log_prob, advantages, mask, *, clip_coef):
    """Lets the gradient into the old log-probabilities."""
    ratio = (log_prob - old_log_prob).exp()
    adv = advantages.detach().unsqueeze(1)
    objective = torch.minimum(ratio * adv, ratio.clamp(1 - clip_coef, 1 + clip_coef) * adv)
    return -torch.where(mask, objective, 0.0).sum() / mask.numel()


def wrong_advantages_with_gradient(log_prob, old_log_prob, advantages, mask, *, clip_coef):
    """Lets the gradient into the advantages."""
    ratio = (log_prob - old_log_prob.detach()).exp()
    adv = advantages.unsqueeze(1)
    objective = torch.minimum(ratio * adv, ratio.clamp(1 - clip_coef, 1 + clip_coef) * adv)
    return -torch.where(mask, objective, 0.0).sum() / mask.numel()


def wrong_filling_emptied_in_place(log_prob, old_log_prob, advantages, mask, *, clip_coef):
    """Takes detach for a copy, and writes zeros into the old log-probabilities."""
    old = old_log_prob.detach()
    old[~mask] = 0.0
    ratio = torch.where(mask, log_prob - old, 0.0).exp()
    adv = advantages.detach().unsqueeze(1)
    objective = torch.minimum(ratio * adv, ratio.clamp(1 - clip_coef, 1 + clip_coef) * adv)
    return -torch.where(mask, objective, 0.0).sum() / mask.numel()


def right_times_the_mask(log_prob, old_log_prob, advantages, mask, *, clip_coef):
    """Multiplies by the mask at the end."""
    ratio = (log_prob - old_log_prob.detach()).exp()
    adv = advantages.detach().unsqueeze(1)
    objective = torch.minimum(ratio * adv, ratio.clamp(1 - clip_coef, 1 + clip_coef) * adv)
    return -(objective * mask).sum() / mask.numel()


def wrong_sum(log_prob, old_log_prob, advantages, mask, *, clip_coef):
    """Sums over the tokens of the mask, and never divides."""
    ratio = (log_prob - old_log_prob.detach()).exp()
    adv = advantages.detach().unsqueeze(1)
    objective = torch.minimum(ratio * adv, ratio.clamp(1 - clip_coef, 1 + clip_coef) * adv)
    return -objective[mask].sum()


def right_tokens_picked_first(log_prob, old_log_prob, advantages, mask, *, clip_coef):
    """Picks the tokens that count, in one long row, and only then thinks about ratios."""
    counts = mask.sum(1)
    adv = advantages.detach().repeat_interleave(counts)
    ratio = (log_prob[mask] - old_log_prob.detach()[mask]).exp()
    worst = torch.stack([ratio * adv, ratio.clip(1 - clip_coef, 1 + clip_coef) * adv]).amin(0)
    return worst.sum().div(log_prob.shape[0] * log_prob.shape[1]).neg()


def right_hinge(log_prob, old_log_prob, advantages, mask, *, clip_coef):
    """The surrogate, less what it gains beyond the interval on the side that the advantage asks for."""
    ratio = (log_prob - old_log_prob.data).masked_fill(~mask, 0.0).exp()
    adv = advantages.data.view(-1, 1).expand_as(ratio).masked_fill(~mask, 0.0)
    beyond = torch.relu(adv.sign() * (ratio - 1) - clip_coef)
    return torch.mean(adv.abs() * beyond - adv * ratio)


def right_answer_by_answer(log_prob, old_log_prob, advantages, mask, *, clip_coef):
    """Loops over answers of their own lengths; a good answer is cut above, a bad one below."""
    total = log_prob.new_zeros(())
    for new, old, adv, kept in zip(log_prob, old_log_prob.detach(), advantages.tolist(), mask, strict=True):
        ratio = torch.exp(new[kept] - old[kept])
        cut = ratio.clamp(max=1 + clip_coef) if adv > 0 else ratio.clamp(min=1 - clip_coef)
        total = total - adv * cut.sum()
    return total / mask.numel()


def right_mean_twice(log_prob, old_log_prob, advantages, mask, *, clip_coef):
    """The loss as the larger of two losses, in double precision; a mean over T, then a mean over B."""
    old, adv = old_log_prob.detach().double(), -advantages.detach().double()[:, None]
    ratio = torch.exp(torch.where(mask, log_prob.double() - old, 0.0))
    loss = torch.maximum(ratio * adv, ratio.clamp(1 - clip_coef, 1 + clip_coef) * adv)
    return (loss * mask).mean(dim=1).mean(dim=0).to(log_prob.dtype)
