"""Right answers to probability_of_improvement in other styles."""

import statistics
from fractions import Fraction

import torch


def right_with_signs(x, y):
    return ((x.unsqueeze(1) - y).sign().mean() + 1) / 2


def right_with_search(x, y):
    # Where each run of x would stand among those of y: from the left and from the right, halfway for ties.
    ordered = y.sort().values
    places = torch.searchsorted(ordered, x) + torch.searchsorted(ordered, x, right=True)
    return places.double().mean() / (2 * len(y))


def right_with_statistics_library(x, y):
    return statistics.fmean((a > b) + (a == b) / 2 for a in x.tolist() for b in y.tolist())


def right_with_fraction(x, y):
    points = sum(2 * (one > two) + (one == two) for one in x.tolist() for two in y.tolist())
    return Fraction(points, 2 * len(x) * len(y))
