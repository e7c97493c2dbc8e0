"""Wrong answers to optimal_constant_baseline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from pgcourse.checks.exercise import Misconception

Formula = Callable[[Tensor, Tensor], Any]


def _guarded(formula: Formula) -> Formula:
    """The formula, with 0 for scores that are all 0."""
    return lambda scores, returns: formula(scores, returns) if scores.any() else torch.zeros((), dtype=scores.dtype)


def _mistake(id: str, explanation: str, *formulas: Formula) -> Misconception:
    """A misconception in all spellings, each with and without the case of zero scores taken care of."""
    wrong, *variants = [spelling for formula in formulas for spelling in (_guarded(formula), formula)]
    return Misconception(id, explanation, wrong, tuple(variants))


def _weights(scores: Tensor) -> Tensor:
    return scores.square().sum(dim=1)


def _weighted(weights: Callable[[Tensor], Tensor]) -> Formula:
    return lambda scores, returns: (weights(scores) * returns).sum() / weights(scores).sum()


def _right(scores: Tensor, returns: Tensor) -> Tensor:
    return _weighted(_weights)(scores, returns)


def _sum_is_tested(scores: Tensor, returns: Tensor) -> Tensor:
    return torch.zeros((), dtype=scores.dtype) if scores.sum() == 0 else _right(scores, returns)


def _with_eps(eps: float, *, sums: bool) -> Formula:
    def formula(scores: Tensor, returns: Tensor) -> Tensor:
        weights, share = _weights(scores), 1 if sums else len(scores)
        return (weights * returns).sum() / share / (weights.sum() / share + eps)

    return formula


MISCONCEPTIONS = (
    Misconception(
        "division-by-zero",
        "Your formula is right where a score differs from 0. Where all of them are 0 it computes 0 / 0, which is NaN, "
        "and one NaN in a loss destroys every weight of a network. The contract asks for 0 there.",
        _right,
    ),
    Misconception(
        "the-mean-where-the-scores-are-zero",
        "Where all scores are 0 you fall back to the mean return. Any number would leave the variance as it is, "
        "because the gradient is 0 anyway; the contract settles on 0, so that the answer is the same for everyone.",
        lambda scores, returns: _right(scores, returns) if scores.any() else returns.mean(),
    ),
    _mistake(
        "plain-mean-of-the-returns",
        "This is the mean return: every sample counts alike, and the scores have no say. It is a good baseline, but "
        "not the best constant: a sample with a long score moves the gradient more, so it should count more. The "
        "expectation of the product is not the product of the expectations.",
        lambda scores, returns: returns.mean(),
        lambda scores, returns: _weights(scores).mean() * returns.mean() / _weights(scores).mean(),
    ),
    _mistake(
        "length-not-squared",
        "You weighted each return by the length of its score. The variance is a mean of squares, and minimising it "
        "leaves the squared length as the weight: the square root is one step too many.",
        _weighted(lambda scores: scores.norm(dim=1)),
    ),
    _mistake(
        "sum-squared-instead-of-squares-summed",
        "You summed the entries of each score and squared the sum, so entries of opposite sign cancel: a score of "
        "[1, -1] would have no length. Square every entry first, then sum.",
        _weighted(lambda scores: scores.sum(dim=1).square()),
    ),
    _mistake(
        "scores-not-squared",
        "You used the scores themselves as weights. They have both signs and average to 0, so the divisor is near 0 "
        "and the result can be any number. Weights are squared lengths, which are never negative.",
        _weighted(lambda scores: scores.sum(dim=1)),
        lambda scores, returns: (scores * returns[:, None]).mean() / scores.mean(),
    ),
    _mistake(
        "absolute-values",
        "You measured a score by its absolute values. Minimising a variance, a mean of squares, leaves the sum of the "
        "squared entries as the weight.",
        _weighted(lambda scores: scores.abs().sum(dim=1)),
        _weighted(lambda scores: scores.abs().sum(dim=1).square()),
        _weighted(lambda scores: scores.abs().amax(dim=1)),
    ),
    _mistake(
        "not-divided",
        "You stopped at the mean of squared length times return. It has the unit of a score squared times a reward, "
        "and it doubles when every score grows by 1.41. Divide by the mean squared length: the result then lies "
        "between the smallest and the largest return.",
        lambda scores, returns: (_weights(scores) * returns).mean(),
        lambda scores, returns: (_weights(scores) * returns).sum(),
    ),
    _mistake(
        "sum-over-mean",
        "You have a sum in one place and a mean in the other, so the result is wrong by a factor of M, or of P. With "
        "all returns equal to 7 the best baseline is 7: try that. Take the sum in both places or the mean in both.",
        lambda scores, returns: (_weights(scores) * returns).sum() / _weights(scores).mean(),
        lambda scores, returns: (_weights(scores) * returns).mean() / _weights(scores).sum(),
        lambda scores, returns: (_weights(scores) * returns).mean() / scores.square().mean(),
        lambda scores, returns: (scores.square() * returns[:, None]).mean() / _weights(scores).mean(),
    ),
    _mistake(
        "fraction-upside-down",
        "Your fraction stands on its head: its unit is 1 over reward. The mean of squared length times return belongs "
        "above, the mean squared length below.",
        lambda scores, returns: _weights(scores).sum() / (_weights(scores) * returns).sum(),
    ),
    _mistake(
        "one-baseline-for-each-parameter",
        "You kept the parameters apart and returned P baselines, one for each. That is a good idea and lowers the "
        "variance further, but here one number is asked for: sum the squares over the parameters before you average.",
        lambda scores, returns: (scores.square() * returns[:, None]).mean(0) / scores.square().mean(0),
    ),
    _mistake(
        "returns-along-the-wrong-axis",
        "You paired the returns with the parameters instead of the samples. [M] against [M, P] broadcasts along the "
        "last axis: an error where M and P differ, a wrong number without an error where they are equal. Reduce the "
        "scores to [M] first, or give the returns a second axis.",
        lambda scores, returns: (scores.square() * returns).sum() / scores.square().sum(),
        lambda scores, returns: (scores.square() * returns).mean() / scores.square().mean(),
        lambda scores, returns: (scores.square() * returns).mean() / _weights(scores).mean(),
        lambda scores, returns: (returns * scores.square()).sum() / scores.square().sum(),
        _weighted(lambda scores: scores.square().sum(dim=0)),
        lambda scores, returns: (returns * scores.square().sum(0)).sum() / scores.square().sum(),
    ),
    _mistake(
        "weighted-by-the-gradient",
        "Your weights hold the return as well as the score: they are squared lengths of score times return, the "
        "gradient estimate. The baseline that makes the variance least depends on the length of the score alone.",
        lambda scores, returns: (_weights(scores) * returns**3).sum() / (_weights(scores) * returns**2).sum(),
    ),
    Misconception(
        "sum-of-scores-tested-for-zero",
        "You return 0 whenever the scores sum to 0. Scores have both signs and sum to about 0 in any large sample, so "
        "that says nothing. Ask whether the divisor, the sum of the squared lengths, is 0.",
        _sum_is_tested,
    ),
    _mistake(
        "large-eps",
        "The number that you add to the divisor is so large that it changes ordinary results: with all returns equal "
        "to 7 you get less than 7. Use one of about 1e-8, or ask for 0 before you divide.",
        *(_with_eps(eps, sums=sums) for eps in (1.0, 0.1, 0.01, 0.001) for sums in (True, False)),
    ),
)
