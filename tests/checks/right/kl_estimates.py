"""Right answers to kl_estimates in other styles."""

from collections import OrderedDict

import torch


def right_with_expm1(log_prob, reference_log_prob):
    log_ratio = reference_log_prob.detach() - log_prob  # log(q/p)
    return {"k3": torch.expm1(log_ratio) - log_ratio, "k2": log_ratio.pow(2).mul(0.5), "k1": -log_ratio}


def right_in_double_precision(log_prob, reference_log_prob):
    with torch.no_grad():
        reference = reference_log_prob.double().clone()
    d = log_prob.double() - reference
    estimates = {"k1": d, "k2": d * d / 2, "k3": torch.exp(-d) - 1 - (-d)}
    return {name: estimate.to(log_prob.dtype) for name, estimate in estimates.items()}


def right_with_loop(log_prob, reference_log_prob):
    k1, k2, k3 = [], [], []
    for log_p, log_q in zip(log_prob.reshape(-1), reference_log_prob.reshape(-1).tolist(), strict=True):
        difference = log_p - log_q
        k1.append(difference)
        k2.append(difference**2 / 2)
        k3.append((log_q - log_p).exp() - 1 - (log_q - log_p))
    shape = log_prob.shape
    return {
        "k1": torch.stack(k1).reshape(shape),
        "k2": torch.stack(k2).reshape(shape),
        "k3": torch.stack(k3).reshape(shape),
    }


def right_written_out(log_prob, reference_log_prob):
    reference_log_prob = reference_log_prob.detach()
    result = {}
    result["k1"] = torch.sub(log_prob, reference_log_prob)
    result["k2"] = 0.5 * result["k1"] * result["k1"]
    result["k3"] = torch.exp(-result["k1"]) + result["k1"] - 1
    return result


def right_never_below_zero(log_prob, reference_log_prob):
    # k3 is never negative but for rounding, so a limit at 0 changes nothing.
    log_ratio = reference_log_prob.detach() - log_prob
    k3 = torch.where(log_ratio == 0, 0 * log_ratio, log_ratio.exp() - 1 - log_ratio)
    return {"k1": -log_ratio, "k2": log_ratio.square() / 2, "k3": k3}


def right_with_ordered_dict(log_prob, reference_log_prob):
    difference = log_prob - reference_log_prob.detach()
    return OrderedDict(k1=difference, k2=difference.square() / 2, k3=torch.expm1(-difference) + difference)
