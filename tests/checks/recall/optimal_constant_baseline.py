"""Answers to optimal_constant_baseline, written from the lesson and the stub alone."""

import numpy as np
import torch


def wrong_mean_return(scores, returns):
    """Takes the mean return for the best constant."""
    if not scores.any():
        return returns.new_zeros(())
    return returns.mean()


def wrong_length_not_squared(scores, returns):
    """Weighs with the length of the score, not with its square."""
    length = scores.norm(dim=1)
    total = length.sum()
    return (length * returns).sum() / total if total > 0 else total


def wrong_sum_then_square(scores, returns):
    """Adds the entries of a score and squares the sum."""
    weight = scores.sum(dim=1) ** 2
    if weight.sum() == 0:
        return torch.tensor(0.0, dtype=returns.dtype)
    return (weight * returns).mean() / weight.mean()


def wrong_zero_scores_give_nan(scores, returns):
    """Writes the formula and forgets that all scores may be 0."""
    squared = scores.square().sum(dim=1)
    return (squared * returns).mean() / squared.mean()


def wrong_small_number_in_the_denominator(scores, returns):
    """Adds 1e-8 below against the division by 0, which drowns small scores."""
    squared = (scores**2).sum(dim=-1)
    return (squared * returns).mean() / (squared.mean() + 1e-8)


def wrong_denominator_forgotten(scores, returns):
    """Stops at the numerator."""
    return torch.einsum("mp,mp,m->", scores, scores, returns) / len(returns)


def wrong_each_parameter_then_mean(scores, returns):
    """Finds the best constant of every parameter and averages these."""
    squared = scores**2
    above = (squared * returns[:, None]).mean(dim=0)
    below = squared.mean(dim=0)
    best = torch.where(below > 0, above / below.clamp(min=1e-30), torch.zeros_like(below))
    return best.mean()


def wrong_kept_axis_pairs_everything(scores, returns):
    """Keeps the axis of the sum, and every squared length meets every return."""
    squared = scores.pow(2).sum(dim=1, keepdim=True)
    if squared.sum() == 0:
        return torch.zeros((), dtype=returns.dtype)
    return (squared * returns).mean() / squared.mean()


def wrong_control_variate(scores, returns):
    """Remembers the coefficient of a control variate, covariance over variance."""
    squared = scores.square().sum(dim=1)
    centred = squared - squared.mean()
    below = centred.square().mean()
    if below == 0:
        return torch.zeros_like(below)
    return (centred * (returns - returns.mean())).mean() / below


def wrong_score_not_squared(scores, returns):
    """Weighs with the score itself, summed over the parameters."""
    weight = scores.sum(dim=1)
    below = weight.mean()
    return (weight * returns).mean() / below if below != 0 else torch.zeros_like(below)


def wrong_lost_the_two(scores, returns):
    """Loses one of the two 2s of the derivative on the way."""
    lengths = (scores * scores).sum(dim=1).tolist()
    above = sum(length * g for length, g in zip(lengths, returns.tolist(), strict=True))
    below = 2 * sum(lengths)
    return above / below if below else 0.0


def wrong_vector_of_one(scores, returns):
    """A matrix product leaves the result with an axis of size 1."""
    squared = (scores**2).sum(dim=1)
    if squared.max() == 0:
        return torch.zeros(1, dtype=returns.dtype)
    return squared[None, :] @ returns / squared.sum()


def wrong_mean_return_where_scores_vanish(scores, returns):
    """Falls back to the mean return where all scores are 0."""
    squared = (scores**2).sum(dim=1)
    if float(squared.sum()) == 0.0:
        return returns.mean()
    return torch.dot(squared, returns) / squared.sum()


def wrong_zero_as_soon_as_one_score_is_zero(scores, returns):
    """Returns 0 where any sample's score is 0, and not only where all are."""
    squared = (scores**2).sum(dim=1)
    if (squared == 0).any():
        return torch.zeros((), dtype=returns.dtype)
    return (squared * returns).sum() / squared.sum()


def wrong_steps_formula_on_samples(scores, returns):
    """Uses A.S / S.S of the lesson's sum over steps, with the samples in the place of the steps."""
    a = (scores * returns[:, None]).sum(dim=0)
    s = scores.sum(dim=0)
    below = torch.dot(s, s)
    return torch.dot(a, s) / below if below > 0 else torch.zeros_like(below)


def wrong_norm_of_the_whole_matrix(scores, returns):
    """Takes the squared norm of all scores together for every sample."""
    squared = scores.norm() ** 2
    if squared == 0:
        return squared
    return (squared * returns).sum() / squared


def right_vector_norm(scores, returns):
    """Squared vector norms as weights, a Python float out."""
    squared = torch.linalg.vector_norm(scores.double(), dim=1).square()
    total = squared.sum().item()
    return (squared @ returns.double()).item() / total if total else 0.0


def right_mean_over_parameters(scores, returns):
    """Takes the mean over the P parameters above and below, where P cancels."""
    weight = scores.square().mean(dim=1)
    below = weight.mean()
    return (weight * returns).mean() / torch.where(below == 0, torch.ones_like(below), below)


def right_numpy_average(scores, returns):
    """numpy.average with weights, which refuses weights that sum to 0."""
    weights = np.einsum("mp,mp->m", scores.numpy(), scores.numpy())
    try:
        return float(np.average(returns.numpy(), weights=weights))
    except ZeroDivisionError:
        return 0.0


def right_least_squares(scores, returns):
    """The constant that fits |g| b to |g| G with least squares; the pseudo-inverse of 0 is 0."""
    length = scores.double().norm(dim=1, keepdim=True)
    solution = torch.linalg.pinv(length) @ (length * returns.double()[:, None])
    return solution[0, 0].to(returns.dtype)


def right_one_newton_step(scores, returns):
    """One Newton step from 0 to the bottom of the parabola, slope and curvature by autograd."""
    b = torch.zeros((), dtype=torch.float64, requires_grad=True)
    estimates = scores.double() * (returns.double() - b)[:, None]
    (slope,) = torch.autograd.grad(estimates.square().sum(dim=1).mean(), b, create_graph=True)
    (curvature,) = torch.autograd.grad(slope, b)
    return (-slope / curvature).detach().to(returns.dtype) if curvature > 0 else torch.zeros((), dtype=returns.dtype)
