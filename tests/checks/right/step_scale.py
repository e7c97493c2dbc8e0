"""Right answers to step_scale in other styles."""

import math

import numpy as np
import torch


def right_with_lists(natural_gradient, fisher_times_it, *, max_kl):
    curvature = sum(x * fx for x, fx in zip(natural_gradient.tolist(), fisher_times_it.tolist(), strict=True))
    return math.sqrt(2 * max_kl / curvature) if curvature > 0 else 0


def right_with_half(natural_gradient, fisher_times_it, *, max_kl):
    # As the constraint is written: s^2 times half the quadratic form is max_kl.
    model = 0.5 * torch.einsum("p,p->", natural_gradient, fisher_times_it)
    return max_kl**0.5 / model.sqrt() if model > 0 else model.new_zeros(())


def right_with_numpy(natural_gradient, fisher_times_it, *, max_kl):
    curvature = np.dot(natural_gradient.double().numpy(), fisher_times_it.double().numpy())
    return float(np.sqrt(2 * max_kl / curvature)) if curvature > 0 else 0.0
