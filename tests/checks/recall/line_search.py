"""Answers to line_search, written from the lesson and the stub alone."""

import itertools

import numpy as np
import torch


def wrong_kl_strictly_below(evaluate, step, *, max_kl, backtracks, shrink):
    """The divergence has to be below the limit, not at it."""
    for k in range(backtracks):
        candidate = step * shrink**k
        improvement, kl = evaluate(candidate)
        if improvement > 0 and kl < max_kl:
            return candidate
    return torch.zeros_like(step)


def wrong_no_loss_is_enough(evaluate, step, *, max_kl, backtracks, shrink):
    """A step that changes nothing is accepted: improvement >= 0."""
    scale = 1.0
    for _ in range(backtracks):
        gain, kl = evaluate(scale * step)
        if gain >= 0 and kl <= max_kl:
            return scale * step
        scale *= shrink
    return torch.zeros_like(step)


def wrong_nan_slips_through(evaluate, step, *, max_kl, backtracks, shrink):
    """Asks what disqualifies a step; every comparison with NaN is false, so NaN does not."""
    for k in range(backtracks):
        trial = step * shrink**k
        improvement, kl = evaluate(trial)
        if improvement <= 0 or kl > max_kl:
            continue
        return trial
    return torch.zeros_like(step)


def wrong_one_more_try(evaluate, step, *, max_kl, backtracks, shrink):
    """backtracks counts the shortened steps, and the full one comes on top."""
    for k in range(backtracks + 1):
        s = step * shrink**k
        improvement, kl = evaluate(s)
        if improvement > 0 and kl <= max_kl:
            return s
    return step * 0


def wrong_full_step_never_tried(evaluate, step, *, max_kl, backtracks, shrink):
    """Shortens first and looks afterwards."""
    current = step.clone()
    for _ in range(backtracks):
        current = current * shrink
        improvement, kl = evaluate(current)
        if improvement > 0 and kl <= max_kl:
            return current
    return torch.zeros_like(step)


def wrong_last_try_stands(evaluate, step, *, max_kl, backtracks, shrink):
    """Where nothing qualifies the shortest step is taken, it can do the least harm."""
    candidate = torch.zeros_like(step)
    for k in range(backtracks):
        candidate = step * (shrink**k)
        improvement, kl = evaluate(candidate)
        if improvement > 0 and kl <= max_kl:
            break
    return candidate


def wrong_shrinks_the_callers_step(evaluate, step, *, max_kl, backtracks, shrink):
    """Shortens in place: step *= shrink changes the tensor of the caller."""
    for _ in range(backtracks):
        improvement, kl = evaluate(step)
        if improvement > 0 and kl <= max_kl:
            return step
        step *= shrink
    return torch.zeros_like(step)


def wrong_none_for_nothing(evaluate, step, *, max_kl, backtracks, shrink):
    """Falls off the end of the loop where nothing qualifies."""
    for exponent in range(backtracks):
        candidate = step * shrink**exponent
        improvement, kl = evaluate(candidate)
        if improvement > 0 and kl <= max_kl:
            return candidate


def wrong_best_of_all(evaluate, step, *, max_kl, backtracks, shrink):
    """Tries all lengths and takes the one with the largest improvement within the limit."""
    best, answer = 0.0, torch.zeros_like(step)
    for k in range(backtracks):
        improvement, kl = evaluate(step * shrink**k)
        if kl <= max_kl and improvement > best:
            best, answer = improvement, step * shrink**k
    return answer


def wrong_linear_shrinking(evaluate, step, *, max_kl, backtracks, shrink):
    """Shortens by the same piece each time: 1, shrink, 2 shrink - 1, ..."""
    for k in range(backtracks):
        factor = max(1 - k * (1 - shrink), 0.0)
        improvement, kl = evaluate(factor * step)
        if improvement > 0 and kl <= max_kl:
            return factor * step
    return torch.zeros_like(step)


def wrong_power_on_shortened(evaluate, step, *, max_kl, backtracks, shrink):
    """Multiplies the already shortened step by shrink**k: the powers 0, 1, 3, 6, ..."""
    for k in range(backtracks):
        step = step * shrink**k
        improvement, kl = evaluate(step)
        if improvement > 0 and kl <= max_kl:
            return step
    return torch.zeros_like(step)


def wrong_limit_forgotten(evaluate, step, *, max_kl, backtracks, shrink):
    """The length has been computed from the limit, so only the improvement is checked."""
    for k in range(backtracks):
        gain, _ = evaluate(step * shrink**k)
        if gain > 0:
            return step * shrink**k
    return torch.zeros_like(step)


def wrong_improvement_forgotten(evaluate, step, *, max_kl, backtracks, shrink):
    """Stays within the limit, and trusts the gradient for the rest."""
    candidates = [step * shrink**k for k in range(backtracks)]
    for candidate in candidates:
        if evaluate(candidate)[1] <= max_kl:
            return candidate
    return torch.zeros_like(step)


def wrong_either_is_enough(evaluate, step, *, max_kl, backtracks, shrink):
    """`or` between the two conditions, exchanged when a negation was taken apart."""
    length = 1.0
    while backtracks > 0:
        improvement, kl = evaluate(length * step)
        if improvement > 0 or kl <= max_kl:
            return length * step
        length *= shrink
        backtracks -= 1
    return torch.zeros_like(step)


def wrong_half_more_allowed(evaluate, step, *, max_kl, backtracks, shrink):
    """As in a well-known implementation: up to 1.5 times the limit is let through."""
    stepsize = 1.0
    for _ in range(backtracks):
        improve, kl = evaluate(stepsize * step)
        if kl > max_kl * 1.5 or not np.isfinite([improve, kl]).all() or improve <= 0:
            stepsize *= shrink
            continue
        return stepsize * step
    return torch.zeros_like(step)


def wrong_zeros_in_default_dtype(evaluate, step, *, max_kl, backtracks, shrink):
    """New tensors in float32, whatever the dtype of the step: the trial steps are rounded, and so is the answer."""
    trial = torch.zeros(len(step))
    for k in range(backtracks):
        trial.copy_(step * shrink**k)
        improvement, kl = evaluate(trial)
        if improvement > 0 and kl <= max_kl:
            return trial
    return torch.zeros(len(step))


def wrong_returns_the_factor(evaluate, step, *, max_kl, backtracks, shrink):
    """Returns by how much the step was shortened, and not the step."""
    for k in range(backtracks):
        improvement, kl = evaluate(shrink**k * step)
        if improvement > 0 and kl <= max_kl:
            return shrink**k
    return 0.0


def wrong_gives_up_at_nan(evaluate, step, *, max_kl, backtracks, shrink):
    """A NaN means that the network is broken, so the search ends there although a shorter step may do."""
    for k in range(backtracks):
        improvement, kl = evaluate(step * shrink**k)
        if np.isnan(improvement) or np.isnan(kl):
            break
        if improvement > 0 and kl <= max_kl:
            return step * shrink**k
    return torch.zeros_like(step)


def wrong_max_swallows_nan(evaluate, step, *, max_kl, backtracks, shrink):
    """max(0.0, kl) against rounding errors below 0; with a NaN it is 0."""
    for k in range(backtracks):
        candidate = step.mul(shrink**k)
        improvement, kl = evaluate(candidate)
        if improvement > 0 and max(0.0, kl) <= max_kl:
            return candidate
    return step.new_zeros(step.shape)


def wrong_empty_for_nothing(evaluate, step, *, max_kl, backtracks, shrink):
    """Answers with a single 0 instead of P zeros where nothing qualifies."""
    for k in range(backtracks):
        candidate = step * shrink**k
        improvement, kl = evaluate(candidate)
        if improvement > 0 and kl <= max_kl:
            return candidate
    return torch.zeros(1, dtype=step.dtype)


def right_next_with_default(evaluate, step, *, max_kl, backtracks, shrink):
    """A lazy generator of candidates; next with the zeros as its default."""

    def qualifies(candidate):
        improvement, kl = evaluate(candidate)
        return improvement > 0 and kl <= max_kl

    candidates = (step * shrink**k for k in range(backtracks))
    return next(filter(qualifies, candidates), torch.zeros_like(step))


def right_row_of_a_table(evaluate, step, *, max_kl, backtracks, shrink):
    """All candidates as the rows of a table; the answer is a view of one of them."""
    powers = torch.tensor([float(shrink) ** k for k in range(backtracks)], dtype=step.dtype)
    for row in torch.outer(powers, step):
        improvement, kl = evaluate(row)
        if 0 < improvement and max_kl >= kl:
            return row
    return step.new_zeros(step.size())


def right_the_step_itself(evaluate, step, *, max_kl, backtracks, shrink):
    """Hands the caller's own tensor to evaluate first, and returns that very tensor if it qualifies."""
    candidate = step
    while backtracks:
        improvement, kl = evaluate(candidate)
        if not (improvement <= 0 or improvement != improvement or kl > max_kl or kl != kl):
            return candidate
        candidate = candidate * shrink
        backtracks -= 1
    return torch.zeros_like(step)


def right_accumulate(evaluate, step, *, max_kl, backtracks, shrink):
    """itertools.accumulate makes the lengths; a for-else gives the zeros."""
    lengths = itertools.accumulate(itertools.repeat(shrink), lambda a, b: a * b, initial=1.0)
    for length in itertools.islice(lengths, backtracks):
        taken = torch.lerp(torch.zeros_like(step), step, length)
        improvement, kl = evaluate(taken)
        if improvement > 0 and kl <= max_kl:
            break
    else:
        taken = torch.zeros_like(step)
    return taken


def right_numpy_in_double(evaluate, step, *, max_kl, backtracks, shrink):
    """Keeps the full step in double precision as a numpy array, and casts each candidate back."""
    full = step.detach().numpy().astype(np.float64)
    for power in np.power(float(shrink), np.arange(backtracks)):
        candidate = torch.from_numpy(full * power).to(step.dtype)
        gain, divergence = evaluate(candidate)
        if bool(np.greater(gain, 0)) & bool(np.less_equal(divergence, max_kl)):
            return candidate
    return torch.from_numpy(0 * full).to(step.dtype)
