"""Right answers to gradient_variance in other styles."""

import numpy as np
import torch


def right_with_covariance_matrix(gradients):
    return torch.cov(gradients.T).reshape(gradients.shape[1], -1).trace()


def right_with_pairs(gradients):
    # Half the mean squared distance of two different samples.
    samples = len(gradients)
    squared = (gradients[:, None] - gradients[None]).square().sum(-1)
    return squared.sum() / (2 * samples * (samples - 1))


def right_with_second_moment(gradients):
    gradients, samples = gradients.double().numpy(), len(gradients)
    return np.sum(np.square(gradients).mean(0) - gradients.mean(0) ** 2) * samples / (samples - 1)
