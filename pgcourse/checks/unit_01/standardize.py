"""standardize(x): mean 0 and standard deviation 1 over a whole tensor."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case


def standardize(x: Tensor) -> Tensor:
    """(x - mean) / (std + 1e-8) over all elements. Any shape; zeros where x is constant or has one element."""
    centred = x - x.mean()
    return centred / (centred.square().mean().sqrt() + 1e-8)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"x": torch.tensor([1.0, 3.0])}
    yield {"x": torch.tensor([1.0, 2.0, 3.0, 6.0])}
    yield {"x": torch.tensor([[1.0, 10.0], [3.0, 50.0]])}
    # Constants that floating point averages without rounding: then every place for the eps gives exactly 0.
    yield {"x": torch.tensor([2.0, 2.0, 2.0, 2.0])}
    yield {"x": torch.tensor([5.0])}
    source = generator(seed)
    yield {"x": normal(source, 9) * 20 + 50}
    yield {"x": normal(source, 5, 3, dtype=torch.float64) * 4 - 7}
    # A standard deviation of 0.11, and one element that lies 11 of them off.
    yield {"x": torch.tensor([1.25] + [0.0] * 120).view(11, 11)}


def _unbiased(x: Tensor) -> Tensor:
    return torch.zeros_like(x) if x.numel() < 2 else (x - x.mean()) / (x.std() + 1e-8)


def mistake(id: str, explanation: str, *formulas: Callable[[Tensor, int], Tensor]) -> Misconception:
    """A misconception as formulas of x and c, the correction: 0 for the biased standard deviation, 1 for the unbiased one."""
    wrong, *variants = (lambda x, f=formula, c=c: f(x, c) for formula in formulas for c in (0, 1))
    return Misconception(id, explanation, wrong, tuple(variants))


def _along(x: Tensor, c: int, dim: int) -> Tensor:
    dim = min(dim, x.ndim - 1)
    return (x - x.mean(dim, keepdim=True)) / (x.std(dim, keepdim=True, correction=c) + 1e-8)


EXERCISE = Exercise.listed(
    "standardize",
    cases=cases,
    observe=Call("x"),
    reference=standardize,
    also_correct=(_unbiased,),
    hints=(
        "Two steps: move the numbers so that their mean is 0, then stretch them so that their standard deviation is 1. What does "
        "the second step do when all the numbers are equal?",
        "Subtract x.mean(), divide by the standard deviation plus 1e-8. Without a dim argument both run over the whole tensor. "
        "Mind a single element: torch's std divides by n - 1 unless you pass correction=0.",
        "centred = x - x.mean(); return centred / (x.std(correction=0) + 1e-8).",
    ),
    misconceptions=(
        mistake(
            "division-by-zero",
            "A constant input has standard deviation 0, and you divide by it: 0 / 0 is NaN. It happens in training when every "
            "episode of a batch scores the same. A tiny number beside the standard deviation keeps the result at 0.",
            lambda x, c: (x - x.mean()) / x.std(correction=c),
        ),
        Misconception(
            "one-element",
            "With a single element your standard deviation is NaN: torch's std divides by n - 1, here by 0, and adding a small "
            "number does not help against NaN. Divide by n, or treat the single element on its own.",
            lambda x: (x - x.mean()) / (x.std() + 1e-8),
        ),
        mistake(
            "constant-left-as-it-is",
            "Where all elements are equal you return them as they are. They lie 0 standard deviations from their mean, so the "
            "result is 0 everywhere: such a batch says nothing about which action was better.",
            lambda x, c: x.clone() if x.std(correction=0) == 0 else _along(x.flatten(), c, 0).view(x.shape),
        ),
        mistake(
            "each-column-by-itself",
            "You standardised each column, or each row, by itself. That erases which environment or episode did better: each of "
            "them ends up with mean 0. The mean and the standard deviation are of the whole tensor.",
            lambda x, c: _along(x, c, 0),
            lambda x, c: _along(x, c, 1),
        ),
        mistake(
            "divided-by-the-variance",
            "You divided by the variance. It has the unit of x squared, so the result still depends on the scale of x: multiply "
            "the input by 10 and look. A square root is missing.",
            lambda x, c: (x - x.mean()) / (x.var(correction=c) + 1e-8),
        ),
        mistake(
            "not-centred",
            "You scaled without subtracting the mean first. All-positive returns stay all positive, and then every sampled "
            "action is pushed up.",
            lambda x, c: x / (x.std(correction=c) + 1e-8),
        ),
        Misconception(
            "not-scaled",
            "You subtracted the mean and left the scale as it was. Returns of 10 and returns of 500 would then need different "
            "learning rates.",
            lambda x: x - x.mean(),
        ),
        Misconception(
            "scaled-by-minimum-and-maximum",
            "You mapped the smallest number to 0, or -1, and the largest to 1. A single outlier then decides how far apart all "
            "the others lie. Asked for are mean 0 and standard deviation 1.",
            lambda x: (x - x.min()) / (x.max() - x.min() + 1e-8),
            (
                lambda x: (x - x.min()) / (x.max() - x.min()),
                lambda x: 2 * (x - x.min()) / (x.max() - x.min() + 1e-8) - 1,
            ),
        ),
        Misconception(
            "another-measure-of-spread",
            "You divided by another measure of spread: the mean distance from the mean, or the length of the vector, which grows "
            "with the batch. The standard deviation is the root of the mean of the squared distances.",
            lambda x: (x - x.mean()) / ((x - x.mean()).abs().mean() + 1e-8),
            (lambda x: (x - x.mean()) / ((x - x.mean()).norm() + 1e-8),),
        ),
        mistake(
            "mean-subtracted-last",
            "You divided first and subtracted the mean of the original numbers afterwards. Scale changes the mean too, so the "
            "result is off-centre: look at the order, or at the brackets.",
            lambda x, c: x / (x.std(correction=c) + 1e-8) - x.mean(),
            lambda x, c: x - x.mean() / (x.std(correction=c) + 1e-8),
        ),
        mistake(
            "large-eps",
            "The number that you add to the standard deviation, or below which you do not let it fall, is so large that it "
            "changes ordinary results: your standard deviation is not 1. 1e-8 is enough to keep the division finite.",
            lambda x, c: (x - x.mean()) / (x.std(correction=c) + 1.0),
            lambda x, c: (x - x.mean()) / (x.std(correction=c) + 1e-2),
            lambda x, c: (x - x.mean()) / x.std(correction=c).clamp(min=1.0),
            lambda x, c: (x - x.mean()) / (x.var(correction=c) + 1e-5).sqrt(),
        ),
        mistake(
            "clipped",
            "You cut off what lies many standard deviations from the mean. Observations are treated so in some libraries; what "
            "is asked for here has standard deviation 1, and says how much better the best step was.",
            lambda x, c: _along(x.flatten(), c, 0).view(x.shape).clamp(-5, 5),
            lambda x, c: _along(x.flatten(), c, 0).view(x.shape).clamp(-10, 10),
        ),
        mistake(
            "flattened",
            "The numbers are right, but the result lies in one row, whatever the shape of x was. Without a dim argument, mean "
            "and std run over all elements anyway: there is no need to flatten.",
            lambda x, c: _along(x.flatten(), c, 0),
        ),
    ),
)
