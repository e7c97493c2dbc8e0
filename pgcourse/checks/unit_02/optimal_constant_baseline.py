"""optimal_constant_baseline(scores, returns): the one number to subtract that leaves the least variance."""

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.authoring import Call, Case, Exercise, Misconception, edits_of, generator, normal
from pgcourse.checks.compare import Tolerance


def optimal_constant_baseline(scores: Tensor, returns: Tensor) -> Tensor:
    """The mean of the returns, each weighted by the squared length of its score: E[|psi|^2 G] / E[|psi|^2].

    Args: scores: [M, P]. returns: [M]. Returns: scalar, in units of reward; 0 where all scores are 0.
    """
    weights = scores.square().sum(dim=1)  # [M], squared lengths
    total = weights.sum()
    if total == 0:
        return torch.zeros_like(total)
    return (weights * returns).sum() / total


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
    # Short scores that sum to 0, exactly, and one of 0.
    half = (8 * random_scores(source, 4, 3)).round() / 2**30
    yield {"scores": torch.cat([half, -half, torch.zeros(1, 3)]), "returns": normal(source, 9) * 10 + 30}
    yield {"scores": torch.zeros(4, 3), "returns": normal(source, 4) * 10 + 30}


def random_scores(source: torch.Generator, samples: int, parameters: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Scores of lengths from short to long, so that every way of weighting gives another number."""
    return normal(source, samples, parameters, dtype=dtype) * torch.linspace(0.2, 2, samples, dtype=dtype)[:, None]


edited = edits_of(optimal_constant_baseline)


def mistake(id: str, explanation: str, *edits: dict[str, str]) -> Misconception:
    """A misconception about the formula, of those who take care of the 0 and of those who do not."""
    return edited(id, explanation, *(each | more for each in edits for more in ({}, {"total == 0": "False"})))


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
        edited(
            "division-by-zero",
            "Your formula is right where a score differs from 0. Where all of them are 0 it computes 0 / 0, which is NaN, and "
            "one NaN in a loss destroys every weight of a network. The contract asks for 0 there.",
            {"total == 0": "False"},
        ),
        edited(
            "the-mean-where-the-scores-are-zero",
            "Where all scores are 0 you fall back to the mean return. Any number would leave the variance as it is; the "
            "contract settles on 0, so that the answer is the same for everyone.",
            {"torch.zeros_like(total)": "returns.mean()"},
        ),
        edited(
            "another-zero-tested",
            "You return 0 where the scores sum to 0, or as soon as one of them is 0. Scores have both signs and sum to about "
            "0 in any large sample. Ask whether the divisor, the sum of the squared lengths, is 0.",
            {"total == 0": "scores.sum() == 0"},
            {"total == 0": "(weights == 0).any()"},
        ),
        edited(
            "large-eps",
            "The number that you add to the divisor is too large beside it: the result shrinks towards 0 where scores are "
            "short, as those of a policy that is nearly sure. Ask for 0 before you divide, and add nothing.",
            {"/ total": "/ (total + 1e-8)"},
            *({"/ total": f"/ (total + {eps} * len(scores))"} for eps in (1e-8, 1e-6, 1e-3, 0.01, 1.0)),
            *({"/ total": f"/ (total + {eps})"} for eps in (1e-6, 1e-3, 0.01, 1.0)),
        ),
        mistake(
            "plain-mean-of-the-returns",
            "This is the mean of the returns, or their sum: the scores have cancelled. A long score moves the gradient more, "
            "so it should count more. Weights [M, 1] times returns [M], too, pair each weight with each return.",
            {"(weights * returns).sum() / total": "returns.mean()"},
            {"(weights * returns).sum() / total": "returns.sum()"},
            {"(weights * returns)": "(weights[:, None] * returns)"},
            {"(weights * returns).sum() / total": "(weights[:, None] * returns).mean() / weights.mean()"},
        ),
        mistake(
            "squares-not-summed",
            "You squared the scores and did not sum over the P entries. Then [M, P] times [M] is an error, or pairs weights with "
            "returns of other samples. The squared length of a score is one number a sample, [M].",
            *(
                {".sum(dim=1)": "", "(weights * returns).sum() / total": formula}
                for formula in (
                    "(weights * returns).mean() / weights.mean()",
                    "(weights * returns).sum() / total",
                    "torch.mean(weights * returns) / (total / len(returns))",
                )
            ),
        ),
        mistake(
            "weights-not-of-squared-entries",
            "Your weights are not the squared lengths: you did not square, or summed first, so that opposite signs cancel and "
            "a score of [1, -1] has no length. The variance is a mean of squares: square every entry, then sum.",
            {"square().sum(dim=1)": "norm(dim=1)"},
            {"scores.square": "scores.abs"},
            {"square().sum(dim=1)": "sum(dim=1).square()"},
            {"square().sum(dim=1)": "sum(dim=1)"},
            {"scores.square().sum(dim=1)": "scores @ scores.sum(dim=0)"},
        ),
        mistake(
            "covariance-over-variance",
            "You divided a covariance by a variance: the coefficient of a control variate, or of a regression. The parabola in b "
            "has its lowest point at E[|psi|^2 G] / E[|psi|^2], with no means subtracted.",
            {"weights.sum()": "(weights - weights.mean()).square().sum()", "weights *": "(weights - weights.mean()) *"},
        ),
        mistake(
            "not-divided",
            "You stopped at the mean of squared length times return, which has the unit of a score squared times a reward. "
            "Divide by the mean squared length: the result then lies between the smallest and the largest return.",
            {"sum() / total": "mean()"},
            {" / total": ""},
        ),
        mistake(
            "one-baseline-for-each-parameter",
            "You kept the parameters apart: P baselines, one for each, or their mean. Apart they lower the variance further, but "
            "here one number is asked for: sum the squares over the parameters before you average.",
            {"(weights * returns).sum() / total": "returns @ scores.square() / scores.square().sum(0)"},
            {"(weights * returns).sum() / total": "(returns @ scores.square() / scores.square().sum(0)).mean()"},
        ),
    ),
)
