"""Right answers to pass_at_k in other styles."""

import math
from fractions import Fraction

import numpy as np


def right_running_product(num_answers, num_right, k):
    # As the paper on Codex writes it.
    if k < 1 or num_answers < k:
        raise ValueError(f"k must be from 1 to {num_answers}")
    if num_answers - num_right < k:
        return 1.0
    return 1.0 - np.prod(1.0 - k / np.arange(num_answers - num_right + 1, num_answers + 1))


def right_with_loop(num_answers, num_right, k):
    if k not in range(1, num_answers + 1):
        raise ValueError("k is out of range")
    none_right = 1.0
    for drawn in range(k):
        none_right *= max(num_answers - num_right - drawn, 0) / (num_answers - drawn)
    return 1 - none_right


def right_with_logarithms(num_answers, num_right, k):
    if not 0 < k <= num_answers:
        raise ValueError
    wrong = num_answers - num_right
    if wrong < k:
        return 1.0

    def log_comb(n):
        return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)

    return 1 - math.exp(log_comb(wrong) - log_comb(num_answers))


def right_summed_over_the_right_ones(num_answers, num_right, k):
    if k < 1:
        raise ValueError("k is below 1")
    if k > num_answers:
        raise ValueError("k is above n")
    wrong = num_answers - num_right
    held = sum(math.comb(num_right, i) * math.comb(wrong, k - i) for i in range(1, min(k, num_right) + 1))
    return float(Fraction(held, math.comb(num_answers, k)))


def right_with_whole_factorials(num_answers, num_right, k):
    class KOutOfRange(ValueError):
        pass

    if k > num_answers or k <= 0:
        raise KOutOfRange(k)

    def choose(n):
        return 0 if k > n else math.factorial(n) // (math.factorial(k) * math.factorial(n - k))

    every = choose(num_answers)
    return (every - choose(num_answers - num_right)) / every
