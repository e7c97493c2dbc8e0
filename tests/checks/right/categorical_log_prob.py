"""Right answers to categorical_log_prob in other styles."""

import torch


def right_with_distribution(logits, action):
    return torch.distributions.Categorical(logits=logits).log_prob(action)


def right_with_cross_entropy(logits, action):
    return -torch.nn.functional.cross_entropy(logits, action, reduction="none")


def right_in_double_precision(logits, action):
    return logits.double().log_softmax(1)[torch.arange(len(action)), action].to(logits.dtype)
