"""Answers to pass_at_k, written from the lesson and the stub alone."""

import math
import random
from fractions import Fraction

import numpy as np
import torch


def wrong_with_replacement(num_answers, num_right, k):
    """k independent tries at the measured rate."""
    if not 1 <= k <= num_answers:
        raise ValueError(f"k={k}")
    return 1 - (1 - num_right / num_answers) ** k


def wrong_share_of_right_answers(num_answers, num_right, k):
    """The rate of single answers, whatever k is."""
    if not 1 <= k <= num_answers:
        raise ValueError(f"k={k}")
    return num_right / num_answers


def wrong_k_times_the_rate(num_answers, num_right, k):
    """Adds up the rates of k answers, 1 at most."""
    if not 1 <= k <= num_answers:
        raise ValueError(f"k={k}")
    return min(1.0, k * num_right / num_answers)


def wrong_all_of_them_right(num_answers, num_right, k):
    """The share of the sets in which every answer is right."""
    if not 1 <= k <= num_answers:
        raise ValueError(f"k={k}")
    return math.comb(num_right, k) / math.comb(num_answers, k)


def wrong_exactly_one(num_answers, num_right, k):
    """The share of the sets with exactly one right answer."""
    if not 1 <= k <= num_answers:
        raise ValueError(f"k={k}")
    return num_right * math.comb(num_answers - num_right, k - 1) / math.comb(num_answers, k)


def wrong_share_that_fails(num_answers, num_right, k):
    """Forgets 1 minus."""
    if not 1 <= k <= num_answers:
        raise ValueError(f"k={k}")
    return math.comb(num_answers - num_right, k) / math.comb(num_answers, k)


def wrong_k_and_c_exchanged(num_answers, num_right, k):
    """Exchanges c and k in n - c."""
    if not 1 <= k <= num_answers:
        raise ValueError(f"k={k}")
    return 1 - math.comb(num_answers - k, k) / math.comb(num_answers, k)


def wrong_any_right_answer(num_answers, num_right, k):
    """Asks whether the sample of n holds a right answer."""
    if not 1 <= k <= num_answers:
        raise ValueError(f"k={k}")
    return float(num_right > 0)


def wrong_certain_one_too_early(num_answers, num_right, k):
    """The product form, with 1 already where exactly k answers are wrong."""
    if not 1 <= k <= num_answers:
        raise ValueError(f"k={k}")
    if num_answers - num_right <= k:
        return 1.0 if num_right else 0.0
    return float(1 - np.prod(1 - k / np.arange(num_answers - num_right + 1, num_answers + 1)))


def wrong_range_one_too_low(num_answers, num_right, k):
    """The product form, with a range that starts and ends one too early."""
    if not 1 <= k <= num_answers:
        raise ValueError(f"k={k}")
    if num_answers - num_right < k:
        return 1.0
    return float(1 - np.prod(1 - k / np.arange(num_answers - num_right, num_answers)))


def wrong_factorials_as_floats(num_answers, num_right, k):
    """Divides factorials into floats, which overflow long before n is 1000."""
    if not 1 <= k <= num_answers:
        raise ValueError(f"k={k}")
    wrong = num_answers - num_right
    if wrong < k:
        return 1.0
    failing = math.factorial(wrong) / math.factorial(wrong - k)
    return 1 - failing / (math.factorial(num_answers) / math.factorial(num_answers - k))


def wrong_no_error(num_answers, num_right, k):
    """Cuts k to what there is, and never complains."""
    k = min(max(k, 1), num_answers)
    return 1 - math.comb(num_answers - num_right, k) / math.comb(num_answers, k)


def wrong_zero_is_allowed(num_answers, num_right, k):
    """Complains about a k that is too large alone; the empty set holds no right answer."""
    if k > num_answers:
        raise ValueError(f"k={k} with {num_answers} answers")
    if k <= 0:
        return 0.0
    return 1 - math.comb(num_answers - num_right, k) / math.comb(num_answers, k)


def wrong_assertion(num_answers, num_right, k):
    """Complains with an AssertionError."""
    assert 1 <= k <= num_answers
    return 1 - math.comb(num_answers - num_right, k) / math.comb(num_answers, k)


def wrong_by_sampling(num_answers, num_right, k):
    """Draws 200 sets and counts."""
    if not 1 <= k <= num_answers:
        raise ValueError(f"k={k}")
    generator = random.Random(0)
    hits = sum(min(generator.sample(range(num_answers), k)) < num_right for _ in range(200))
    return hits / 200


def wrong_tensor(num_answers, num_right, k):
    """Returns a 0-d tensor."""
    if not 1 <= k <= num_answers:
        raise ValueError(f"k={k}")
    return torch.tensor(1 - math.comb(num_answers - num_right, k) / math.comb(num_answers, k))


def right_answer_after_answer(num_answers, num_right, k):
    """Draws one after the other without putting back: the chance that all k miss is a product."""
    if k < 1 or k > num_answers:
        raise ValueError("k must be from 1 to the number of answers")
    miss = 1.0
    for drawn in range(k):
        miss *= max(num_answers - num_right - drawn, 0) / (num_answers - drawn)
    return 1.0 - miss


def right_product_over_the_right_ones(num_answers, num_right, k):
    """The stable product over the right answers, as a Python float."""
    if k not in range(1, num_answers + 1):
        raise ValueError(f"k={k}")
    if num_answers - num_right < k:
        return 1.0
    return float(1.0 - np.prod(1.0 - k / np.arange(num_answers - num_right + 1, num_answers + 1)))


def right_fractions(num_answers, num_right, k):
    """Counts the sets with 1, 2, ... right answers, exactly, and divides at the end."""
    if not 0 < k <= num_answers:
        raise ValueError("no such set")
    wrong = num_answers - num_right
    holding = sum(math.comb(num_right, j) * math.comb(wrong, k - j) for j in range(1, min(num_right, k) + 1))
    return float(Fraction(holding, math.comb(num_answers, k)))


def right_logarithms(num_answers, num_right, k):
    """With logarithms of factorials, kept within 0 and 1."""
    if k < 1 or num_answers < k:
        raise ValueError(f"cannot choose {k} of {num_answers}")
    wrong = num_answers - num_right
    if wrong < k:
        return 1.0
    log_miss = math.lgamma(wrong + 1) - math.lgamma(wrong - k + 1)
    log_miss += math.lgamma(num_answers - k + 1) - math.lgamma(num_answers + 1)
    return max(0.0, -math.expm1(min(log_miss, 0.0)))
