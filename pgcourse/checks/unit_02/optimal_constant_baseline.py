"""optimal_constant_baseline(scores, returns): the one number to subtract that leaves the least variance."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.compare import Tolerance
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case

Formula = Callable[[Tensor, Tensor], Tensor]


def optimal_constant_baseline(scores: Tensor, returns: Tensor) -> Tensor:
    """The mean of the returns, each weighted by the squared length of its score: E[|g|^2 G] / E[|g|^2].

    Args: scores: [M, P]. returns: [M]. Returns: scalar, in units of reward; 0 where all scores are 0.
    """
    weights = lengths_squared(scores)
    total = weights.sum()
    if total == 0:
        return torch.zeros_like(total)
    return (weights * returns).sum() / total


def lengths_squared(scores: Tensor) -> Tensor:
    """[M, P] -> [M]."""
    return scores.square().sum(dim=1)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"scores": torch.tensor([[1.0], [2.0]]), "returns": torch.tensor([1.0, 6.0])}
    # As many samples as parameters: a weight that is paired with the wrong axis raises no error here.
    yield {"scores": torch.tensor([[3.0, 4.0], [0.0, 1.0]]), "returns": torch.tensor([2.0, 28.0])}
    yield {"scores": torch.tensor([[1.0, 2.0]]), "returns": torch.tensor([-3.0])}
    yield {"scores": torch.zeros(3, 2), "returns": torch.tensor([1.0, 2.0, 6.0])}
    # The scores sum to 0, as they do on average, but they are not 0.
    yield {"scores": torch.tensor([[1.0, -1.0], [-2.0, 2.0], [0.0, 0.0]]), "returns": torch.tensor([5.0, 10.0, 40.0])}
    # Scores of a policy that is nearly sure: short, one of them 0, and the weights are what they were.
    yield {"scores": torch.tensor([[0.001], [0.002], [0.0]]), "returns": torch.tensor([1.0, 6.0, 40.0])}
    source = generator(seed)
    yield {"scores": random_scores(source, 12, 5), "returns": normal(source, 12) * 10 + 30}
    yield {
        "scores": random_scores(source, 9, 4, dtype=torch.float64),
        "returns": normal(source, 9, dtype=torch.float64) * 3 - 5,
    }


def random_scores(source: torch.Generator, samples: int, parameters: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Scores of lengths from short to long, so that every way of weighting gives another number."""
    return normal(source, samples, parameters, dtype=dtype) * torch.linspace(0.2, 2, samples, dtype=dtype)[:, None]


def weighted(weights: Callable[[Tensor], Tensor]) -> Formula:
    """The mean of the returns with other weights; NaN where these sum to 0."""
    return lambda scores, returns: (weights(scores) * returns).sum() / weights(scores).sum()


right = weighted(lengths_squared)


def zero_where(condition: Callable[[Tensor], Tensor], formula: Formula) -> Formula:
    """The formula, with 0 where the scores meet the condition."""
    return lambda scores, returns: scores.new_zeros(()) if condition(scores) else formula(scores, returns)


def guarded(formula: Formula) -> Formula:
    """The formula, with 0 where all scores are 0 and where it gives 0 / 0."""
    return zero_where(lambda scores: ~scores.any(), lambda *inputs: formula(*inputs).nan_to_num(0.0, posinf=torch.inf))


def mistake(id: str, explanation: str, *formulas: Formula) -> Misconception:
    """A misconception about the formula, for those who take care of the 0 and for those who do not."""
    wrong, *variants = (spelling for formula in formulas for spelling in (guarded(formula), formula))
    return Misconception(id, explanation, wrong, tuple(variants))


def with_eps(eps: float, *, mean: bool) -> Formula:
    """The right formula with a small number added to the divisor, the mean or the sum of the weights."""
    count: Callable[[Tensor], int] = len if mean else lambda scores: 1
    return lambda scores, returns: (
        (lengths_squared(scores) * returns).sum() / (lengths_squared(scores).sum() + eps * count(scores))
    )


def covariance_over_variance(scores: Tensor, returns: Tensor) -> Tensor:
    """The coefficient of a regression of the returns on the squared lengths."""
    centred = lengths_squared(scores) - lengths_squared(scores).mean()
    return (centred * returns).sum() / centred.square().sum()


def of_each_parameter(scores: Tensor, returns: Tensor) -> Tensor:
    """P baselines."""
    return (scores.square() * returns[:, None]).mean(0) / scores.square().mean(0)


EXERCISE = Exercise.listed(
    "optimal_constant_baseline",
    cases=cases,
    observe=Call("scores, returns"),
    reference=optimal_constant_baseline,
    tolerance=Tolerance(number_for_scalar=True),
    hints=(
        "It is a weighted mean of the returns, so it lies between the smallest and the largest of them. Which samples should "
        "count most: those whose score, the direction of the step, is long or short?",
        "One weight for each sample: the sum of the squares of its row of scores, [M, P] -> [M]. Then the sum of weight times "
        "return, divided by the sum of the weights. Ask first whether that divisor is 0.",
        "weights = scores.square().sum(dim=1); if weights.sum() == 0: return torch.zeros_like(weights.sum()); return (weights * "
        "returns).sum() / weights.sum().",
    ),
    misconceptions=(
        Misconception(
            "division-by-zero",
            "Your formula is right where a score differs from 0. Where all of them are 0 it computes 0 / 0, which is NaN, and "
            "one NaN in a loss destroys every weight of a network. The contract asks for 0 there.",
            right,
        ),
        Misconception(
            "the-mean-where-the-scores-are-zero",
            "Where all scores are 0 you fall back to the mean return. Any number would leave the variance as it is, because the "
            "gradient is 0 anyway; the contract settles on 0, so that the answer is the same for everyone.",
            lambda scores, returns: right(scores, returns) if scores.any() else returns.mean(),
        ),
        Misconception(
            "another-zero-tested",
            "You return 0 where the scores sum to 0, or as soon as one of them is 0. Scores have both signs and sum to about 0 "
            "in any large sample, and the others still count where one is 0. Ask whether the divisor, the sum of the squared "
            "lengths, is 0.",
            zero_where(lambda scores: scores.sum() == 0, right),
            variants=(zero_where(lambda scores: (lengths_squared(scores) == 0).any(), right),),
        ),
        Misconception(
            "large-eps",
            "The number that you add to the divisor is too large beside it: the result shrinks towards 0 where scores are short, "
            "as those of a policy that is nearly sure. With all returns equal to 7 the best constant is 7, however short the "
            "scores. Ask for 0 before you divide, and add nothing.",
            with_eps(1e-8, mean=False),
            variants=tuple(with_eps(eps, mean=mean) for eps in (1e-8, 1e-6, 1e-3, 0.01, 1.0) for mean in (True, False)),
        ),
        mistake(
            "plain-mean-of-the-returns",
            "This is the mean of the returns, or their sum: every sample counts alike, and the scores have cancelled. A long "
            "score moves the gradient more, so it should count more. Weights of shape [M, 1] times returns [M], too, pair each "
            "weight with each return: the expectation of the product is not the product of the expectations.",
            lambda scores, returns: returns.mean(),
            lambda scores, returns: returns.sum(),
        ),
        mistake(
            "length-not-squared",
            "You weighted each return by the length of its score, or by its absolute values. The variance is a mean of squares, "
            "and minimising it leaves the squared length as the weight: the sum of the squared entries.",
            weighted(lambda scores: scores.norm(dim=1)),
            weighted(lambda scores: scores.abs().sum(dim=1)),
        ),
        mistake(
            "scores-summed-before-squaring",
            "You summed the entries of each score, and squared the sum or not at all. Entries of opposite sign then cancel: a "
            "score of [1, -1] would have no length, and unsquared weights average to 0. Square every entry first, then sum.",
            weighted(lambda scores: scores.sum(dim=1).square()),
            weighted(lambda scores: scores.sum(dim=1)),
        ),
        mistake(
            "covariance-over-variance",
            "You divided a covariance by a variance: the coefficient of a control variate, or of a regression. The parabola in b "
            "has its lowest point at E[|g|^2 G] / E[|g|^2], with no means subtracted.",
            covariance_over_variance,
        ),
        mistake(
            "not-divided",
            "You stopped at the mean of squared length times return. It has the unit of a score squared times a reward, and it "
            "doubles when every score grows by 1.41. Divide by the mean squared length: the result then lies between the "
            "smallest and the largest return.",
            lambda scores, returns: (lengths_squared(scores) * returns).mean(),
            lambda scores, returns: (lengths_squared(scores) * returns).sum(),
        ),
        mistake(
            "one-baseline-for-each-parameter",
            "You kept the parameters apart: P baselines, one for each, or their mean. Apart they lower the variance further, but "
            "here one number is asked for: sum the squares over the parameters before you average.",
            of_each_parameter,
            lambda scores, returns: of_each_parameter(scores, returns).mean(),
        ),
        mistake(
            "returns-along-the-wrong-axis",
            "You paired the returns with the parameters instead of the samples. [M] against [M, P] broadcasts along the last "
            "axis: an error where M and P differ, a wrong number without an error where they are equal. Reduce the scores to [M] "
            "first, or give the returns a second axis.",
            lambda scores, returns: (scores.square() * returns).sum() / scores.square().sum(),
            lambda scores, returns: (returns * scores.square()).sum() / scores.square().sum(),
            weighted(lambda scores: scores.square().sum(dim=0)),
        ),
    ),
)
