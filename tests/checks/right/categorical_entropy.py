"""Right answers to categorical_entropy in other styles."""

import torch


def right_with_distribution(logits):
    return torch.distributions.Categorical(logits=logits).entropy()


def right_with_mean_logit(logits):
    return logits.logsumexp(-1) - (logits.softmax(-1) * logits.clamp(min=-1e30)).sum(-1)


def right_with_small_number(logits):
    prob = logits.softmax(-1)
    return -(prob * (prob + 1e-10).log()).sum(-1)
