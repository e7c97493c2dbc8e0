"""Answers to rewards_with_kl, written from the lesson and the stub alone."""

import torch


def wrong_mark_in_the_last_column(rewards, log_prob, reference_log_prob, mask, *, kl_coef):
    """Puts the mark at the end of the row, behind the shorter answers."""
    of_tokens = torch.where(mask, -kl_coef * (log_prob - reference_log_prob).detach(), 0.0)
    of_tokens[:, -1] += rewards.detach()
    return of_tokens


def wrong_mark_one_too_late(rewards, log_prob, reference_log_prob, mask, *, kl_coef):
    """Takes the length for the index of the last token."""
    of_tokens = torch.where(mask, -kl_coef * (log_prob - reference_log_prob).detach(), 0.0)
    after = mask.sum(1).clamp(max=mask.shape[1] - 1)
    of_tokens[torch.arange(len(rewards)), after] += rewards.detach()
    return of_tokens


def wrong_mark_on_the_first_token(rewards, log_prob, reference_log_prob, mask, *, kl_coef):
    """Looks for the last token with argmax, which finds the first."""
    of_tokens = torch.where(mask, -kl_coef * (log_prob - reference_log_prob).detach(), 0.0)
    last = mask.int().argmax(dim=1)
    of_tokens[torch.arange(len(rewards)), last] += rewards.detach()
    return of_tokens


def wrong_mark_on_every_token(rewards, log_prob, reference_log_prob, mask, *, kl_coef):
    """Gives the mark to each token."""
    distance = (log_prob - reference_log_prob).detach()
    return torch.where(mask, rewards.detach().unsqueeze(1) - kl_coef * distance, 0.0)


def wrong_mark_in_every_row(rewards, log_prob, reference_log_prob, mask, *, kl_coef):
    """Indexes with a colon, so that each row gets marks at the last places of all answers."""
    of_tokens = torch.where(mask, -kl_coef * (log_prob - reference_log_prob).detach(), 0.0)
    last = mask.sum(1) - 1
    of_tokens[:, last] += rewards.detach()
    return of_tokens


def wrong_mark_replaces_the_distance(rewards, log_prob, reference_log_prob, mask, *, kl_coef):
    """Writes the mark over the last token's cost."""
    of_tokens = torch.where(mask, -kl_coef * (log_prob - reference_log_prob).detach(), 0.0)
    of_tokens[torch.arange(len(rewards)), mask.sum(1) - 1] = rewards.detach()
    return of_tokens


def wrong_sign(rewards, log_prob, reference_log_prob, mask, *, kl_coef):
    """Pays for the distance."""
    of_tokens = torch.where(mask, kl_coef * (log_prob - reference_log_prob).detach(), 0.0)
    of_tokens[torch.arange(len(rewards)), mask.sum(1) - 1] += rewards.detach()
    return of_tokens


def wrong_no_mask(rewards, log_prob, reference_log_prob, mask, *, kl_coef):
    """Charges the filling as well."""
    of_tokens = -kl_coef * (log_prob - reference_log_prob).detach()
    of_tokens[torch.arange(len(rewards)), mask.sum(1) - 1] += rewards.detach()
    return of_tokens


def wrong_all_at_the_end(rewards, log_prob, reference_log_prob, mask, *, kl_coef):
    """Charges the distance of the whole answer on the last token."""
    distance = torch.where(mask, (log_prob - reference_log_prob).detach(), 0.0).sum(1)
    of_tokens = torch.zeros_like(log_prob)
    of_tokens[torch.arange(len(rewards)), mask.sum(1) - 1] = rewards.detach() - kl_coef * distance
    return of_tokens


def wrong_k3(rewards, log_prob, reference_log_prob, mask, *, kl_coef):
    """Charges k3, which is never negative."""
    log_ratio = (reference_log_prob - log_prob).detach()
    k3 = log_ratio.exp() - 1 - log_ratio
    of_tokens = torch.where(mask, -kl_coef * k3, 0.0)
    of_tokens[torch.arange(len(rewards)), mask.sum(1) - 1] += rewards.detach()
    return of_tokens


def wrong_coefficient_on_the_mark(rewards, log_prob, reference_log_prob, mask, *, kl_coef):
    """Scales the mark too."""
    of_tokens = torch.where(mask, -(log_prob - reference_log_prob).detach(), 0.0)
    of_tokens[torch.arange(len(rewards)), mask.sum(1) - 1] += rewards.detach()
    return kl_coef * of_tokens


def wrong_to_go(rewards, log_prob, reference_log_prob, mask, *, kl_coef):
    """Sums what is still to come, and returns returns."""
    of_tokens = torch.where(mask, -kl_coef * (log_prob - reference_log_prob).detach(), 0.0)
    of_tokens[torch.arange(len(rewards)), mask.sum(1) - 1] += rewards.detach()
    return of_tokens.flip(1).cumsum(1).flip(1) * mask


def wrong_gradient_of_the_distance(rewards, log_prob, reference_log_prob, mask, *, kl_coef):
    """Keeps the gradient, so that the distance is in the loss a second time."""
    of_tokens = torch.where(mask, -kl_coef * (log_prob - reference_log_prob), 0.0)
    of_tokens[torch.arange(len(rewards)), mask.sum(1) - 1] += rewards.detach()
    return of_tokens


def wrong_gradient_of_the_marks(rewards, log_prob, reference_log_prob, mask, *, kl_coef):
    """Detaches the distance, and forgets the marks of a reward model."""
    of_tokens = torch.where(mask, -kl_coef * (log_prob - reference_log_prob).detach(), 0.0)
    of_tokens[torch.arange(len(rewards)), mask.sum(1) - 1] += rewards
    return of_tokens


def wrong_within_log_prob(rewards, log_prob, reference_log_prob, mask, *, kl_coef):
    """Takes detach for a copy, and works within the log-probabilities."""
    of_tokens = log_prob.detach()
    of_tokens -= reference_log_prob.detach()
    of_tokens *= -kl_coef
    of_tokens[~mask] = 0.0
    of_tokens[torch.arange(len(rewards)), mask.sum(1) - 1] += rewards.detach()
    return of_tokens


def wrong_zeros_of_float32(rewards, log_prob, reference_log_prob, mask, *, kl_coef):
    """Fills an array of zeros that is float32, whatever came in."""
    of_tokens = torch.zeros(mask.shape)
    for i, length in enumerate(mask.sum(1).tolist()):
        of_tokens[i, :length] = -kl_coef * (log_prob - reference_log_prob).detach()[i, :length]
        of_tokens[i, length - 1] += rewards[i].item()
    return of_tokens


def right_last_from_the_mask(rewards, log_prob, reference_log_prob, mask, *, kl_coef):
    """The last token is the one whose neighbour is not in the mask."""
    with torch.no_grad():
        neighbour = torch.cat([mask[:, 1:], torch.zeros_like(mask[:, :1])], dim=1)
        last = mask & ~neighbour
        cost = (kl_coef * (log_prob - reference_log_prob)).masked_fill(~mask, 0.0)
        return rewards[:, None].expand_as(cost).masked_fill(~last, 0.0) - cost


@torch.no_grad()
def right_scatter(rewards, log_prob, reference_log_prob, mask, *, kl_coef):
    """Adds the marks with scatter_add, without any gradient."""
    cost = torch.zeros_like(log_prob).masked_scatter(mask, kl_coef * (reference_log_prob - log_prob)[mask])
    last = mask.long().sum(dim=1, keepdim=True) - 1
    return cost.scatter_add(1, last, rewards.unsqueeze(1))


def right_answer_by_answer(rewards, log_prob, reference_log_prob, mask, *, kl_coef):
    """Lists in Python, each as long as its answer, filled up with zeros."""
    rows = []
    length = mask.shape[1]
    p, q = log_prob.tolist(), reference_log_prob.tolist()
    for i, mark in enumerate(rewards.tolist()):
        tokens = int(mask[i].sum())
        row = [kl_coef * (q[i][t] - p[i][t]) for t in range(tokens)]
        row[-1] += mark
        rows.append(row + [0.0] * (length - tokens))
    return torch.tensor(rows, dtype=log_prob.dtype)


def right_running_count(rewards, log_prob, reference_log_prob, mask, *, kl_coef):
    """Finds the last place with a running count, in double precision, and casts back."""
    distance = (log_prob.detach().double() - reference_log_prob.detach().double()).where(mask, 0.0)
    count = mask.cumsum(dim=1)
    last = mask & (count == count[:, -1:])
    marks = torch.zeros_like(distance)
    marks[last] = rewards.detach().double()
    return marks.sub(distance, alpha=kl_coef).to(log_prob.dtype)
