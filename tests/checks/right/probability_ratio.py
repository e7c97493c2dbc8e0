"""Right answers to probability_ratio in other styles."""

import torch


def right_by_quotient_of_small_differences(log_prob, old_log_prob):
    # Probabilities relative to the old one: exp(log p - c) / exp(log q - c) with c = log q.
    anchor = old_log_prob.detach()
    return torch.exp(log_prob - anchor) / torch.exp(anchor - anchor)


def right_in_double_precision(log_prob, old_log_prob):
    # Double precision still holds e^-200, so even the division is right.
    return (log_prob.double().exp() / old_log_prob.detach().double().exp()).to(log_prob.dtype)


def right_with_expm1(log_prob, old_log_prob):
    with torch.no_grad():
        constant = old_log_prob.clone()
    return 1 + torch.expm1(torch.sub(log_prob, constant))
