"""Answers to categorical_entropy, written from the lesson and the stub alone."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch.distributions import Categorical


def wrong_zero_times_infinity(logits):
    """Multiplies p by log p without a thought for the forbidden actions."""
    log_p = F.log_softmax(logits, dim=-1)
    return -(log_p.exp() * log_p).sum(dim=-1)


def wrong_nan_removed_afterwards(logits):
    """Replaces the NaN terms after the product, where their gradient is NaN already."""
    p = logits.softmax(dim=-1)
    terms = p * logits.log_softmax(dim=-1)
    return -torch.where(p > 0, terms, torch.zeros_like(terms)).sum(dim=-1)


def wrong_minus_ten_thousand_for_forbidden(logits):
    """Lets -10,000 stand in for minus infinity, which is too little where the others are as low."""
    z = logits.masked_fill(logits == -torch.inf, -1e4)
    log_p = z.log_softmax(dim=-1)
    return -(log_p.exp() * log_p).sum(dim=-1)


def wrong_clamped_logits(logits):
    """Clips the logits to -50 ... 50 so that neither exp nor log can fail."""
    z = logits.clamp(-50.0, 50.0)
    p = z.exp() / z.exp().sum(dim=-1, keepdim=True)
    return -(p * p.log()).sum(dim=-1)


def wrong_only_infinities_masked(logits):
    """Masks the forbidden actions and overlooks that other probabilities become 0 as well."""
    allowed = logits > -torch.inf
    p = torch.softmax(logits, dim=-1)
    safe = torch.where(allowed, p, torch.ones_like(p))
    return -(safe * torch.log(safe)).sum(dim=-1)


def wrong_forgot_the_minus(logits):
    """Sum of p log p, which is never positive."""
    finite = logits.clamp(min=torch.finfo(logits.dtype).min / 4)
    log_p = finite.log_softmax(-1)
    return (log_p.exp() * log_p).sum(-1)


def wrong_mean_over_the_batch(logits):
    """Gives the one number that a training log shows."""
    return Categorical(logits=logits).entropy().mean()


def wrong_mean_over_actions(logits):
    """Averages the terms over the actions; the probabilities are the weights already."""
    log_p = logits.clamp(min=-1e30).log_softmax(dim=1)
    return (-log_p.exp() * log_p).mean(dim=1)


def wrong_in_bits(logits):
    """Logarithm to base two, as in information theory."""
    return Categorical(logits=logits).entropy() / math.log(2)


def wrong_share_of_the_maximum(logits):
    """Divides by log A, so that a uniform policy has entropy 1."""
    return Categorical(logits=logits).entropy() / math.log(max(2, logits.shape[-1]))


def wrong_softmax_down_the_batch(logits):
    """Normalises over the rows of the batch and sums over the actions."""
    log_p = logits.clamp(min=-1e30).log_softmax(dim=0)
    return -(log_p.exp() * log_p).sum(dim=1)


def wrong_softmax_twice(logits):
    """Gives probabilities to Categorical(logits=...)."""
    probs = torch.softmax(logits, -1)
    return Categorical(logits=probs).entropy()


def wrong_weights_are_constants(logits):
    """Detaches the probabilities, because weights are not to be differentiated."""
    log_p = logits.clamp(min=-1e30).log_softmax(dim=-1)
    p = log_p.exp().detach()
    return -torch.sum(p * log_p, dim=-1)


def wrong_without_gradient(logits):
    """Thinks of the entropy as something to log, and computes it outside the graph."""
    out = []
    for row in logits.tolist():
        top = max(row)
        weights = [math.exp(z - top) for z in row]
        probs = [w / sum(weights) for w in weights]
        out.append(-sum(p * math.log(p) for p in probs if p > 0))
    return torch.tensor(out, dtype=logits.dtype)


def wrong_always_single_precision(logits):
    """Casts to float32 at the door."""
    z = logits.float().clamp(min=-1e30)
    log_p = z - z.logsumexp(-1, keepdim=True)
    return -(log_p.exp() * log_p).sum(-1)


def wrong_forbidden_for_one_forbidden_for_all(logits):
    """Drops every action that some row of the batch forbids."""
    keep = torch.isfinite(logits).all(dim=0)
    log_p = logits[:, keep].log_softmax(dim=1)
    return -(log_p.exp() * log_p).sum(dim=1)


def wrong_plain_mean_of_the_logits(logits):
    """Entropy is log Z minus the mean logit, remembered with a plain mean and not the policy's own."""
    z = logits - logits.amax(dim=1, keepdim=True)
    allowed = z > -torch.inf
    mean = torch.where(allowed, z, torch.zeros_like(z)).sum(dim=1) / allowed.sum(dim=1)
    return z.logsumexp(dim=1) - mean


def wrong_surprise_of_the_favourite(logits):
    """Takes minus the log of the largest probability; right only for uniform rows."""
    return -logits.log_softmax(dim=-1).max(dim=-1).values


def right_library(logits):
    """Lets torch's Categorical do it, at home with -inf (in float32 off by 2e-4 at logits of 10,000)."""
    return Categorical(logits=logits).entropy()


def right_mask_before_and_after(logits):
    """Replaces the logarithm before the product, so that value and gradient are both finite."""
    log_p = F.log_softmax(logits, dim=-1)
    p = log_p.exp()
    return -(p * log_p.masked_fill(p == 0, 0.0)).sum(dim=-1)


def right_only_the_allowed_actions(logits):
    """Row by row, on the finite logits alone."""
    entropies = []
    for row in logits:
        log_p = row[torch.isfinite(row)].log_softmax(0)
        entropies.append(-torch.dot(log_p.exp(), log_p))
    return torch.stack(entropies)


def right_log_z_minus_mean_logit(logits):
    """log Z minus the policy's mean logit, both measured from the largest one."""
    z = logits - logits.amax(dim=1, keepdim=True).detach()
    forbidden = z.isneginf()
    e = z.exp()
    total = e.sum(dim=1)
    return total.log() - torch.einsum("ba,ba->b", e, z.masked_fill(forbidden, 0.0)) / total


class _Entropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits):
        z = logits.detach().numpy().astype(np.float64)
        z = z - z.max(axis=1, keepdims=True)
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        log_p = np.log(p, out=np.zeros_like(p), where=p > 0)
        entropy = -(p * log_p).sum(axis=1)
        ctx.save_for_backward(torch.tensor(-p * (log_p + entropy[:, None]), dtype=logits.dtype))
        return torch.tensor(entropy, dtype=logits.dtype)

    @staticmethod
    def backward(ctx, upstream):
        return upstream.unsqueeze(1) * ctx.saved_tensors[0]


def right_gradient_by_hand(logits):
    """Numpy in double precision, with the gradient -p (log p + H) worked out on paper."""
    return _Entropy.apply(logits)
