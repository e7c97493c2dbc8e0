"""Answers to probability_of_improvement, written from the lesson and the stub alone."""

import itertools
import math
from fractions import Fraction

import numpy as np
import torch
from scipy import stats


def wrong_ties_lost(x, y):
    """Counts the wins alone; a tie is a pair that X did not win."""
    return (x[:, None] > y[None, :]).float().mean()


def wrong_ties_won(x, y):
    """At least as good counts as better: ties are whole wins."""
    wins = sum(1 for a in x.tolist() for b in y.tolist() if a >= b)
    return wins / (len(x) * len(y))


def wrong_ties_left_out(x, y):
    """Only decided pairs count; without any the answer is 0.5."""
    wins = (x.unsqueeze(1) > y.unsqueeze(0)).sum()
    losses = (x.unsqueeze(1) < y.unsqueeze(0)).sum()
    decided = wins + losses
    return 0.5 if decided == 0 else (wins / decided).item()


def wrong_pairs_by_seed(x, y):
    """Compares run i with run i, as if the runs were paired."""
    points = [1.0 if a > b else 0.5 if a == b else 0.0 for a, b in zip(x.tolist(), y.tolist(), strict=False)]
    return sum(points) / len(points)


def wrong_compares_means(x, y):
    """The method with the higher mean wins, with certainty."""
    gap = x.double().mean() - y.double().mean()
    return float((torch.sign(gap) + 1) / 2)


def wrong_y_over_x(x, y):
    """Axes exchanged: how often a run of Y beats one of X."""
    x, y = x[None, :], y[:, None]
    return (y > x).double().mean() + 0.5 * (y == x).double().mean()


def wrong_divides_by_r_squared(x, y):
    """Divides by the square of the number of runs of X, as for equally many runs."""
    R = len(x)
    total = 0.0
    for i in range(R):
        for j in range(len(y)):
            total += 1.0 * (x[i] > y[j]).item() + 0.5 * (x[i] == y[j]).item()
    return total / R**2


def wrong_gaussian_formula(x, y):
    """Takes both for Gaussians, and evaluates the normal distribution at the standardised difference."""
    x, y = x.double(), y.double()
    spread = math.sqrt(x.var(correction=0) + y.var(correction=0))
    gap = float(x.mean() - y.mean())
    if spread == 0.0:
        return 0.5 * (1 + (gap > 0) - (gap < 0))
    return 0.5 * (1 + math.erf(gap / spread / math.sqrt(2)))


def wrong_one_minus_p_value(x, y):
    """One minus the p value of a Mann-Whitney test: confidence taken for a probability of winning."""
    test = stats.mannwhitneyu(x.numpy(), y.numpy(), alternative="greater", method="asymptotic")
    return float(1 - np.nan_to_num(test.pvalue, nan=0.5))


def wrong_cliffs_delta(x, y):
    """Wins minus losses over all pairs: Cliff's delta, from -1 to 1."""
    return torch.sign(x[:, None] - y[None, :]).mean()


def wrong_half_ties_rounded_down(x, y):
    """Halves the number of ties with //, so an odd tie is lost."""
    grid_x, grid_y = torch.meshgrid(x, y, indexing="ij")
    wins = int((grid_x > grid_y).sum())
    ties = int((grid_x == grid_y).sum())
    return (wins + ties // 2) / grid_x.numel()


def wrong_elo(x, y):
    """The chance of winning as in chess: the sigmoid of the difference, averaged over the pairs."""
    return torch.sigmoid(x[:, None] - y).mean()


def wrong_nearly_equal_is_a_tie(x, y):
    """Floats are not compared with ==, so isclose decides what a tie is."""
    a, b = np.meshgrid(x.numpy(), y.numpy(), indexing="ij")
    tie = np.isclose(a, b)
    return float(np.where(tie, 0.5, a > b).mean())


def wrong_rank_against_rank(x, y):
    """Sorts both, and compares best with best, second with second, as far as both go."""
    n = min(len(x), len(y))
    a = x.sort(descending=True).values[:n]
    b = y.sort(descending=True).values[:n]
    return torch.where(a == b, 0.5, (a > b).double()).mean()


def wrong_against_the_mean_of_y(x, y):
    """How many runs of X are above the average run of Y."""
    level = y.mean()
    return ((x > level).to(x.dtype) + 0.5 * (x == level)).mean()


def wrong_ties_not_halved(x, y):
    """P(X > Y) + P(X = Y) / 2, with the half applied to the wins as well."""
    above = (x.view(-1, 1) > y.view(1, -1)).double()
    level = (x.view(-1, 1) == y.view(1, -1)).double()
    return (0.5 * (above + level)).mean()


def right_searchsorted(x, y):
    """Position of each run of X among the sorted runs of Y, once before and once behind its equals."""
    ordered = y.sort().values
    below = torch.searchsorted(ordered, x.contiguous(), right=False)
    not_above = torch.searchsorted(ordered, x.contiguous(), right=True)
    return (below + not_above).double().mean() / (2 * len(y))


def right_rank_sum(x, y):
    """Mann and Whitney's U from the rank sum, where ties share their rank, divided by the number of pairs."""
    ranks = stats.rankdata(torch.cat([x, y]).numpy())
    R, S = len(x), len(y)
    return float((ranks[:R].sum() - R * (R + 1) / 2) / (R * S))


def right_fractions(x, y):
    """Exact fractions over itertools.product, a float at the very end."""
    half = Fraction(1, 2)
    points = [(a > b) + half * (a == b) for a, b in itertools.product(x.tolist(), y.tolist())]
    return float(sum(points, Fraction(0)) / len(points))


def right_one_minus_losses(x, y):
    """Half of: pairs won, plus one minus pairs lost. The ties come out as halves by themselves."""
    a, b = x.numpy()[:, np.newaxis], y.numpy()
    return float(0.5 * ((a > b).mean() + 1 - (a < b).mean()))


def right_bool_arithmetic(x, y):
    """Integer arithmetic on the two comparisons, one division at the end; a 0-d tensor in float32."""
    twice = torch.ge(x[:, None], y).long() + torch.gt(x[:, None], y).long()
    return twice.sum() / (2 * twice.numel())
