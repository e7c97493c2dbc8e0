"""Answers to patient_12, written from the lesson and the opened patient alone."""

import math

import torch
from torch.distributions import Categorical


def wrong_variance_with_a_floor(logits):
    """Takes minus infinity for the whole problem, and keeps the variance above 1 / (2 pi e)."""
    probs = logits.softmax(dim=-1)
    number = torch.arange(probs.shape[-1])
    mean = (probs * number).sum(-1, keepdim=True)
    variance = (probs * (number - mean).square()).sum(-1)
    return 0.5 * (1 + 2 * math.pi * math.e * variance).log()


def wrong_capped_at_log_of_the_number(logits):
    """Sees 0.73 above log 2, and holds the Gaussian's formula between 0 and log A."""
    probs = logits.softmax(dim=-1)
    number = torch.arange(probs.shape[-1])
    mean = (probs * number).sum(-1, keepdim=True)
    variance = (probs * (number - mean).square()).sum(-1)
    gaussian = 0.5 * (2 * math.pi * math.e * variance).log()
    return gaussian.clamp(0.0, math.log(logits.shape[-1]))


def wrong_in_bits(logits):
    """The right sum with log2: bits instead of nats."""
    probs = logits.softmax(dim=-1)
    return -(probs * probs.log2()).sum(-1)


def wrong_sign(logits):
    """Forgets the minus: the sum of p log p is negative."""
    log_probs = logits.log_softmax(dim=-1)
    return (log_probs.exp() * log_probs).sum(-1)


def wrong_mean_over_the_actions(logits):
    """Averages p log p over the actions, and so divides by their number."""
    log_probs = torch.log_softmax(logits, dim=-1)
    return -(log_probs.exp() * log_probs).mean(dim=-1)


def wrong_mean_over_the_batch(logits):
    """Returns the one number that the loss wants, the mean over the rows."""
    return Categorical(logits=logits).entropy().mean()


def wrong_logits_for_log_probabilities(logits):
    """Takes the logits themselves for log-probabilities: the normaliser is missing."""
    probs = torch.softmax(logits, dim=-1)
    return -(probs * logits).sum(-1)


def wrong_every_action_weighs_the_same(logits):
    """Takes the mean of -log p with equal weights, which is right where the actions are equally likely."""
    return -logits.log_softmax(dim=-1).mean(dim=-1)


def wrong_weights_detached(logits):
    """Sums -p log p with p detached 'as weights': the value is right, and the gradient is 0."""
    log_probs = logits.log_softmax(dim=-1)
    with torch.no_grad():
        probs = log_probs.exp()
    return -(probs * log_probs).sum(dim=-1)


def wrong_share_of_the_largest_entropy(logits):
    """Divides by log A, so that it runs from 0 to 1."""
    entropy = Categorical(logits=logits).entropy()
    return entropy / math.log(logits.shape[-1])


def wrong_surprise_of_the_best_action(logits):
    """Takes -log p of the likeliest action, which is the min-entropy."""
    return -logits.log_softmax(dim=-1).amax(dim=-1)


def wrong_softmax_over_the_batch(logits):
    """Normalises over dim=0, and sums over the actions all the same."""
    probs = torch.softmax(logits, dim=0)
    return -(probs * probs.log()).sum(dim=-1)


def wrong_logits_given_as_probabilities(logits):
    """Applies the softmax and passes the result on as logits, patient 6's bug: softmax twice."""
    return Categorical(logits=logits.softmax(dim=-1)).entropy()


def right_plain_sum(logits):
    """-p log p; the smallest p is about exp(-40), and its logarithm is finite in float32."""
    probs = logits.softmax(dim=-1)
    return -(probs * probs.log()).sum(-1)


def right_special_entr(logits):
    """torch.special.entr is -p log p by itself."""
    return torch.special.entr(torch.softmax(logits, -1)).sum(-1)


def right_logsumexp_minus_mean_logit(logits):
    """log of the normaliser minus the mean logit, after the largest logit is subtracted."""
    shifted = logits - logits.amax(dim=-1, keepdim=True).detach()
    return shifted.logsumexp(-1) - torch.einsum("ba,ba->b", shifted.softmax(-1), shifted)


def right_distance_from_uniform(logits):
    """log A minus the KL divergence to the uniform distribution, in double precision, cast back."""
    log_probs = torch.log_softmax(logits.double(), dim=-1)
    uniform = torch.full_like(log_probs, -math.log(logits.shape[-1]))
    divergence = torch.nn.functional.kl_div(uniform, log_probs, reduction="none", log_target=True).sum(-1)
    return (math.log(logits.shape[-1]) - divergence).to(logits.dtype)
