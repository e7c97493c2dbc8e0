"""Right answers to patient_06 in other styles."""

import torch


def right_with_library_function(scores):
    return torch.nn.functional.log_softmax(scores, dim=1)


def right_with_logarithm(scores):
    return scores.double().softmax(-1).log().to(scores.dtype)


def right_with_loop(scores):
    return torch.stack([row - row.max() - (row - row.max()).exp().sum().log() for row in scores])
