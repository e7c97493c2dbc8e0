"""Right answers to approx_kl in other styles."""

import torch


def right_with_ratio(log_prob, old_log_prob):
    with torch.no_grad():
        log_ratio = log_prob - old_log_prob
        return ((log_ratio.exp() - 1) - log_ratio).mean()


def right_in_double_precision(log_prob, old_log_prob):
    log_ratio = log_prob.detach().double() - old_log_prob.detach().double()
    return torch.mean(torch.expm1(log_ratio) - log_ratio)


def right_with_control_variate(log_prob, old_log_prob):
    # The plain estimator -log r plus (r - 1), whose expectation under the old policy is 0.
    plain = (old_log_prob - log_prob).detach()
    control = (log_prob - old_log_prob).detach().exp().sub(1)
    return plain.mean() + control.mean()
