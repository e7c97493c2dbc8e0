"""Answers to masked_log_prob, written from the lesson and the stub alone."""

import torch
from torch.distributions import Categorical


def wrong_no_renormalisation(logits, mask, action):
    """Takes the softmax over all actions and sets the forbidden ones to 0, without sharing out what is left."""
    probabilities = logits.softmax(-1) * mask
    return probabilities.gather(-1, action[:, None]).squeeze(-1).clamp_min(1e-12).log()


def wrong_mask_after_log_softmax(logits, mask, action):
    """Masks the log-probabilities in place of the logits."""
    log_prob = logits.log_softmax(-1).masked_fill(~mask, -1e8)
    return log_prob.gather(-1, action[:, None]).squeeze(-1)


def wrong_mask_ignored(logits, mask, action):
    """The action is allowed anyway, so the mask seems to change nothing."""
    return Categorical(logits=logits).log_prob(action)


def wrong_inverted_mask(logits, mask, action):
    """Reads True as "is masked out"."""
    return logits.masked_fill(mask, -1e8).log_softmax(-1).gather(-1, action[:, None]).squeeze(-1)


def wrong_masked_logits_are_zero(logits, mask, action):
    """A forbidden action gets the logit 0."""
    return (logits * mask).log_softmax(-1).gather(-1, action[:, None]).squeeze(-1)


def wrong_small_penalty(logits, mask, action):
    """Takes 10 from the logits that are not allowed."""
    return (logits - 10.0 * ~mask).log_softmax(-1).gather(-1, action[:, None]).squeeze(-1)


def wrong_penalty_smaller_than_the_logits(logits, mask, action):
    """Takes a thousand from the logits that are not allowed, which a logit of ten thousand outweighs."""
    return (logits - 1000.0 * ~mask).log_softmax(-1).gather(-1, action[:, None]).squeeze(-1)


def wrong_exponentials_as_they_are(logits, mask, action):
    """Divides by the sum over the allowed actions, in probabilities that underflow."""
    weights = logits.exp() * mask
    return (weights.gather(-1, action[:, None]).squeeze(-1) / weights.sum(-1)).log()


def wrong_log_of_mask(logits, mask, action):
    """Adds the logarithm of the mask, after a softmax whose product with 0 has no logarithm."""
    log_prob = (logits.softmax(-1) * mask).log()
    log_prob = log_prob - log_prob.logsumexp(-1, keepdim=True)
    return log_prob.gather(-1, action[:, None]).squeeze(-1)


def wrong_probability(logits, mask, action):
    """Returns the probability in place of its logarithm."""
    return logits.masked_fill(~mask, -1e8).softmax(-1).gather(-1, action[:, None]).squeeze(-1)


def wrong_column_kept(logits, mask, action):
    """Forgets to take the last axis away: [B, 1]."""
    return logits.masked_fill(~mask, -1e8).log_softmax(-1).gather(-1, action[:, None])


def wrong_all_pairs(logits, mask, action):
    """Indexes the columns by all actions at once: [B, B]."""
    return logits.masked_fill(~mask, -1e8).log_softmax(-1)[:, action]


def wrong_over_the_batch(logits, mask, action):
    """Normalises over the rows of the batch."""
    return logits.masked_fill(~mask, -1e8).log_softmax(0).gather(-1, action[:, None]).squeeze(-1)


def wrong_detached(logits, mask, action):
    """Computes it as if acting, without a graph."""
    with torch.no_grad():
        return Categorical(logits=logits.masked_fill(~mask, -1e8)).log_prob(action)


def wrong_in_place(logits, mask, action):
    """Masks the logits that it was given."""
    logits.data.masked_fill_(~mask, -1e8)
    return logits.log_softmax(-1).gather(-1, action[:, None]).squeeze(-1)


def wrong_float32(logits, mask, action):
    """Computes in single precision, whatever came in."""
    return logits.float().masked_fill(~mask, -1e8).log_softmax(-1).gather(-1, action[:, None]).squeeze(-1)


def wrong_mean(logits, mask, action):
    """Returns the mean over the rows, as a loss would."""
    return logits.masked_fill(~mask, -1e8).log_softmax(-1).gather(-1, action[:, None]).mean()


def wrong_negative(logits, mask, action):
    """Returns the cross-entropy, which is minus the log-probability."""
    return torch.nn.functional.cross_entropy(logits.masked_fill(~mask, -1e8), action, reduction="none")


def wrong_unshifted(logits, mask, action):
    """Sums the exponentials of the allowed logits as they are, which overflow."""
    total = (logits.exp() * mask).sum(-1)
    return logits.gather(-1, action[:, None]).squeeze(-1) - total.log()


def right_row_by_row(logits, mask, action):
    """Each row alone, with the allowed columns cut out."""
    rows = []
    for row, allowed, chosen in zip(logits, mask, action, strict=True):
        rows.append(row[chosen] - row[allowed].logsumexp(0))
    return torch.stack(rows)


def right_minus_infinity(logits, mask, action):
    """The forbidden logits are minus infinity; only finite entries are gathered."""
    log_prob = torch.where(mask, logits, -torch.inf).log_softmax(-1)
    return log_prob.gather(-1, action.unsqueeze(-1)).squeeze(-1)


def right_categorical(logits, mask, action):
    """torch's own distribution over masked logits."""
    return Categorical(logits=logits.masked_fill(~mask, torch.finfo(logits.dtype).min / 2)).log_prob(action)


def right_cross_entropy(logits, mask, action):
    """Minus the cross-entropy, row by row."""
    return -torch.nn.functional.cross_entropy(logits.masked_fill(~mask, -1e9), action, reduction="none")


def right_logsumexp_by_hand(logits, mask, action):
    """Shifts by the largest allowed logit, so that no exponential overflows."""
    highest = logits.detach().masked_fill(~mask, -torch.inf).amax(-1, keepdim=True)
    shifted = torch.where(mask, logits - highest, torch.zeros_like(logits))
    total = (shifted.exp() * mask).sum(-1)
    return shifted[torch.arange(len(action)), action] - total.log()


def right_in_double_precision(logits, mask, action):
    """In double precision and back."""
    wide = logits.double().masked_fill(~mask, -1e12)
    chosen = torch.nn.functional.one_hot(action, logits.shape[-1]).bool()
    return (wide - wide.logsumexp(-1, keepdim=True)).masked_fill(~chosen, 0).sum(-1).to(logits.dtype)
