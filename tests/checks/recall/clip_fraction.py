"""Answers to clip_fraction, written from the lesson and the stub alone."""

import math

import numpy as np
import torch


def wrong_upper_side_only(log_prob, old_log_prob, *, clip_coef):
    """Counts the ratios above 1 + clip_coef."""
    ratio = (log_prob - old_log_prob).detach().exp()
    return (ratio > 1 + clip_coef).float().mean()


def wrong_lower_side_only(log_prob, old_log_prob, *, clip_coef):
    """Takes the distance without abs, and the wrong way round."""
    ratio = (log_prob - old_log_prob).detach().exp()
    return (1 - ratio > clip_coef).float().mean()


def wrong_log_ratio_against_clip(log_prob, old_log_prob, *, clip_coef):
    """Compares the log-ratio, which near 1 is nearly the same."""
    return ((log_prob - old_log_prob).detach().abs() > clip_coef).float().mean()


def wrong_share_inside(log_prob, old_log_prob, *, clip_coef):
    """Counts the rows that have stayed inside."""
    ratio = torch.exp(log_prob.detach() - old_log_prob.detach())
    inside = (ratio >= 1 - clip_coef) & (ratio <= 1 + clip_coef)
    return inside.double().mean()


def wrong_count(log_prob, old_log_prob, *, clip_coef):
    """Counts rows and does not divide."""
    ratio = torch.exp(log_prob.detach() - old_log_prob.detach())
    return float(torch.count_nonzero((ratio - 1.0).abs() > clip_coef))


def wrong_border_counts(log_prob, old_log_prob, *, clip_coef):
    """At least clip_coef instead of more: with a clip_coef of 0, equal policies count."""
    ratio = torch.exp((log_prob - old_log_prob).detach())
    return ((ratio - 1).abs() >= clip_coef).float().mean().item()


def wrong_ratio_upside_down(log_prob, old_log_prob, *, clip_coef):
    """Old over new, which leaves the interval elsewhere."""
    ratio = (old_log_prob - log_prob).detach().exp()
    return ((ratio - 1).abs() > clip_coef).to(log_prob.dtype).mean()


def wrong_mean_of_bools(log_prob, old_log_prob, *, clip_coef):
    """Calls mean on a bool tensor, which torch refuses."""
    ratio = (log_prob - old_log_prob).detach().exp()
    return ((ratio - 1).abs() > clip_coef).mean()


def wrong_mean_distance_outside(log_prob, old_log_prob, *, clip_coef):
    """Asks if the mean distance is outside: 0 or 1."""
    distance = ((log_prob - old_log_prob).detach().exp() - 1).abs()
    return float(distance.mean() > clip_coef)


def wrong_exp_forgotten(log_prob, old_log_prob, *, clip_coef):
    """Takes the log-ratio for the ratio and its distance from 1."""
    ratio = log_prob.detach() - old_log_prob.detach()
    outside = torch.abs(ratio - 1) > clip_coef
    return outside.sum() / outside.numel()


def wrong_divides_probabilities(log_prob, old_log_prob, *, clip_coef):
    """Divides probabilities; at -200 the ratio is NaN, which is not outside of anything."""
    new, old = log_prob.detach().exp(), old_log_prob.detach().exp()
    ratio = new / old
    outside = (ratio < 1 - clip_coef) | (ratio > 1 + clip_coef)
    return outside.float().mean()


def wrong_reciprocal_lower_border(log_prob, old_log_prob, *, clip_coef):
    """Takes 1 / (1 + clip_coef) for the lower border."""
    x = (log_prob - old_log_prob).detach()
    return (x.abs() > math.log1p(clip_coef)).float().mean()


def wrong_mean_excess(log_prob, old_log_prob, *, clip_coef):
    """Averages how far the rows are outside instead of counting them."""
    distance = ((log_prob - old_log_prob).detach().exp() - 1).abs()
    return (distance - clip_coef).clamp(min=0).mean()


def wrong_half_the_width(log_prob, old_log_prob, *, clip_coef):
    """Takes clip_coef for the whole width of the interval."""
    ratio = np.exp((log_prob - old_log_prob).detach().numpy())
    return float(np.mean(np.abs(ratio - 1) > clip_coef / 2))


def wrong_in_percent(log_prob, old_log_prob, *, clip_coef):
    """A share in percent."""
    ratio = (log_prob - old_log_prob).detach().exp()
    return 100 * ((ratio - 1).abs() > clip_coef).float().mean()


def wrong_floor_division(log_prob, old_log_prob, *, clip_coef):
    """Divides the count by the number of rows with //, so that it is 0 unless all are outside."""
    outside = 0
    for new, old in zip(log_prob.tolist(), old_log_prob.tolist(), strict=True):
        if abs(math.exp(new - old) - 1) > clip_coef:
            outside += 1
    return float(outside // len(log_prob))


def right_changed_by_clamp(log_prob, old_log_prob, *, clip_coef):
    """A row is outside where clamp would change its ratio."""
    ratio = (log_prob.detach() - old_log_prob.detach()).exp()
    return ratio.ne(ratio.clamp(1 - clip_coef, 1 + clip_coef)).double().mean()


def right_count_in_python(log_prob, old_log_prob, *, clip_coef):
    """math.expm1 on lists, a generator of bools, and a division of ints."""
    gaps = (log_prob.detach().double() - old_log_prob.detach().double()).tolist()
    return sum(gap > 700 or abs(math.expm1(gap)) > clip_coef for gap in gaps) / len(gaps)


def right_numpy_histogram(log_prob, old_log_prob, *, clip_coef):
    """Numpy: one minus the share between two borders in the logarithm, the lower one only where it exists."""
    x = log_prob.detach().double().numpy() - old_log_prob.detach().double().numpy()
    lower = np.log1p(-clip_coef) if clip_coef < 1 else -np.inf
    return 1.0 - np.mean((x >= lower) & (x <= np.log1p(clip_coef)))


def right_relu_of_the_distance(log_prob, old_log_prob, *, clip_coef):
    """count_nonzero of the relu beyond the interval, divided by numel."""
    with torch.no_grad():
        beyond = torch.relu((log_prob - old_log_prob).exp().sub(1).abs() - clip_coef)
        return torch.count_nonzero(beyond) / beyond.numel()
