"""Answers to categorical_log_prob, written from the lesson and the stub alone."""

import numpy as np
import torch
import torch.nn.functional as F
from scipy.special import log_softmax
from torch.distributions import Categorical


def wrong_log_of_softmax(logits, action):
    """Writes the formula down as it stands: first softmax, then log."""
    probs = torch.softmax(logits, dim=-1)
    return torch.log(probs)[torch.arange(len(action)), action]


def wrong_log_of_softmax_plus_small_number(logits, action):
    """Knows that log 0 is infinite, and adds a small number to the probability."""
    probs = logits.softmax(dim=1)
    picked = probs.gather(1, action.unsqueeze(1)).squeeze(1)
    return (picked + 1e-8).log()


def wrong_sum_of_exponentials_overflows(logits, action):
    """Derives logit minus log-sum-exp correctly, and computes the sum without taking the largest logit out."""
    chosen = logits.gather(1, action[:, None])[:, 0]
    normaliser = torch.log(torch.exp(logits).sum(dim=1))
    return chosen - normaliser


def wrong_largest_logit_of_the_whole_batch(logits, action):
    """Takes the largest logit out, but that of the whole batch and not that of each row."""
    shifted = logits - logits.max()
    log_z = shifted.exp().sum(dim=-1).log()
    rows = torch.arange(logits.shape[0])
    return shifted[rows, action] - log_z


def wrong_axis_kept_by_gather(logits, action):
    """Forgets that gather leaves an axis of size 1."""
    return F.log_softmax(logits, dim=-1).gather(-1, action.unsqueeze(-1))


def wrong_every_row_with_every_action(logits, action):
    """Thinks that [:, action] picks one entry in each row."""
    log_probs = torch.log_softmax(logits, dim=-1)
    return log_probs[:, action]


def wrong_softmax_down_the_batch(logits, action):
    """Takes axis 0 for the axis of the actions."""
    table = torch.log_softmax(logits, 0)
    return torch.stack([table[i, a] for i, a in enumerate(action)])


def wrong_forgot_the_log(logits, action):
    """Returns the probability of the action."""
    p = F.softmax(logits, dim=-1)
    return torch.stack([row[a] for row, a in zip(p, action, strict=True)])


def wrong_cross_entropy_as_it_is(logits, action):
    """Takes the cross entropy for the log-probability; it is minus that."""
    return F.cross_entropy(logits, action, reduction="none")


def wrong_mean_over_the_batch(logits, action):
    """Uses the loss of classification with its default reduction, one number for the batch."""
    return -F.cross_entropy(logits, action)


def wrong_softmax_before_logits(logits, action):
    """Gives probabilities to a distribution that asks for logits, so softmax is applied twice."""
    policy = Categorical(logits=torch.softmax(logits, dim=-1))
    return policy.log_prob(action)


def wrong_logits_as_first_argument(logits, action):
    """Thinks that the first argument of Categorical is the logits; it is the probabilities."""
    return Categorical(logits, validate_args=False).log_prob(action)


def wrong_logit_itself(logits, action):
    """Takes the network's output for log-probabilities already and never normalises."""
    return logits[torch.arange(logits.size(0)), action]


def wrong_through_numpy(logits, action):
    """Computes the right numbers in numpy, where the graph ends."""
    table = log_softmax(logits.detach().numpy(), axis=1)
    picked = table[np.arange(len(table)), action.numpy()]
    return torch.from_numpy(picked).requires_grad_(logits.requires_grad)


def wrong_left_in_double(logits, action):
    """Goes to double precision for safety and does not come back."""
    z = logits.to(torch.float64)
    return z.gather(1, action.view(-1, 1)).view(-1) - z.logsumexp(1)


def wrong_logits_clamped_to_fifty(logits, action):
    """Clips the logits so that exp cannot overflow."""
    z = logits.clamp(-50, 50)
    e = z.exp()
    return z[torch.arange(len(z)), action] - e.sum(dim=1).log()


def wrong_normaliser_detached(logits, action):
    """Thinks of the normaliser as a constant that no gradient needs to pass."""
    log_z = torch.logsumexp(logits, dim=1).detach()
    return (logits * F.one_hot(action, logits.shape[1])).sum(dim=1) - log_z


def wrong_shifts_the_given_logits(logits, action):
    """Subtracts the maximum in place, in the caller's own tensor."""
    with torch.no_grad():
        logits -= logits.max(dim=1, keepdim=True).values
    log_z = logits.exp().sum(dim=1).log()
    return logits.gather(1, action[:, None]).squeeze(1) - log_z


def right_minus_cross_entropy(logits, action):
    """Remembers that cross entropy with one target is minus its log-probability."""
    return F.cross_entropy(logits, action, reduction="none").neg()


def right_with_the_distribution(logits, action):
    """Lets torch's Categorical do it (in float32 off by 3e-4 at logits of 10,000)."""
    return Categorical(logits=logits).log_prob(action)


def right_differences_to_the_chosen(logits, action):
    """Minus the log-sum-exp of how much every logit exceeds the chosen one."""
    chosen = torch.take_along_dim(logits, action[:, None], dim=1)
    return -(logits - chosen).logsumexp(dim=1)


def right_one_hot_einsum(logits, action):
    """Shifts by the row's maximum by hand and picks with a one-hot matrix."""
    z = logits - logits.amax(dim=1, keepdim=True).detach()
    table = z - z.exp().sum(dim=1, keepdim=True).log()
    return torch.einsum("ba,ba->b", table, torch.eye(logits.shape[1], dtype=logits.dtype)[action])


def right_row_by_row_in_double(logits, action):
    """One row at a time in double precision, cast back at the end."""
    rows = []
    for z, a in zip(logits.double(), action.tolist(), strict=True):
        top = z.max()
        rows.append(z[a] - top - torch.log(torch.exp(z - top).sum()))
    return torch.stack(rows).to(logits.dtype)


class _LogProb(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, action):
        table = log_softmax(logits.detach().numpy().astype(np.float64), axis=1)
        score = np.eye(logits.shape[1])[action.numpy()] - np.exp(table)
        ctx.save_for_backward(torch.tensor(score, dtype=logits.dtype))
        return torch.tensor(table[np.arange(len(table)), action.numpy()], dtype=logits.dtype)

    @staticmethod
    def backward(ctx, upstream):
        (score,) = ctx.saved_tensors
        return upstream[:, None] * score, None


def right_gradient_by_hand(logits, action):
    """Values by scipy, and the gradient of the lesson, one-hot minus probabilities, given to autograd by hand."""
    return _LogProb.apply(logits, action)
