"""Right answers to line_search in other styles."""

import itertools

import torch


def right_with_while(evaluate, step, *, max_kl, backtracks, shrink):
    tried, scale = 0, 1.0
    while tried < backtracks:
        improvement, kl = evaluate(scale * step)
        if kl <= max_kl and improvement > 0:
            break
        tried, scale = tried + 1, scale * shrink
    else:
        scale = 0.0
    return step * scale


def right_with_generator(evaluate, step, *, max_kl, backtracks, shrink):
    candidates = itertools.islice((step * shrink**power for power in itertools.count()), backtracks)
    outcomes = ((candidate, *evaluate(candidate)) for candidate in candidates)
    return next((candidate for candidate, gain, kl in outcomes if gain > 0 and kl <= max_kl), torch.zeros_like(step))


def right_looking_at_all(evaluate, step, *, max_kl, backtracks, shrink):
    # Every step evaluated, then the first that fits; wasteful, and right.
    scales = torch.tensor([shrink**power for power in range(backtracks)], dtype=step.dtype)
    outcomes = torch.tensor([evaluate(scale * step) for scale in scales], dtype=torch.float64)
    fitting = ((outcomes[:, 0] > 0) & (outcomes[:, 1] <= max_kl)).nonzero().flatten()
    return scales[fitting[0]] * step if len(fitting) else step.new_zeros(step.shape)
