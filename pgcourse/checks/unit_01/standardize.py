"""standardize(x): mean 0 and standard deviation 1 over a whole tensor."""

from __future__ import annotations

from collections.abc import Iterator

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


def _unbiased(x: Tensor) -> Tensor:
    if x.numel() < 2:
        return torch.zeros_like(x)
    return (x - x.mean()) / (x.std() + 1e-8)


def _with_eps_in_the_root(x: Tensor) -> Tensor:
    return (x - x.mean()) / torch.sqrt(x.var(correction=0) + 1e-8)


def _with_clamp(x: Tensor) -> Tensor:
    return (x - x.mean()) / x.std(correction=0).clamp(min=1e-8)


def _with_loop(x: Tensor) -> Tensor:
    numbers = x.flatten().tolist()
    mean = sum(numbers) / len(numbers)
    variance = sum((number - mean) ** 2 for number in numbers) / len(numbers)
    return torch.tensor([(number - mean) / (variance**0.5 + 1e-8) for number in numbers], dtype=x.dtype).view(x.shape)


def _with_layer_norm(x: Tensor) -> Tensor:
    return torch.nn.functional.layer_norm(x.double(), x.shape, eps=1e-8).to(x.dtype)


def _in_place(x: Tensor) -> Tensor:
    x -= x.mean()
    x /= x.std(correction=0) + 1e-8
    return x


def _over_rows(x: Tensor, *, dim: int, correction: int) -> Tensor:
    if x.ndim == 1:
        return _unbiased(x) if correction else standardize(x)
    return (x - x.mean(dim, keepdim=True)) / (x.std(dim, keepdim=True, correction=correction) + 1e-8)


EXERCISE = Exercise(
    id="standardize",
    unit="01",
    title="Standardise a batch of returns",
    points=1,
    minutes=8,
    difficulty=1,
    cases=cases,
    observe=Call("x"),
    reference=standardize,
    also_correct=(_unbiased,),
    alternatives=(_unbiased, _with_eps_in_the_root, _with_clamp, _with_loop, _with_layer_norm),
    hints=(
        "Two steps: move the numbers so that their mean is 0, then stretch them so that their standard deviation is 1. "
        "What does the second step do when all the numbers are equal?",
        "Subtract x.mean(), divide by the standard deviation plus 1e-8. Without a dim argument both run over the whole "
        "tensor. Mind a single element: torch's std divides by n - 1 unless you pass correction=0.",
        "centred = x - x.mean(); return centred / (x.std(correction=0) + 1e-8).",
    ),
    misconceptions=(
        Misconception(
            "division-by-zero",
            "A constant input has standard deviation 0, and you divide by it: 0 / 0 is NaN. It happens in training "
            "when every episode of a batch scores the same. A tiny number beside the standard deviation keeps the "
            "result at 0.",
            lambda x: (x - x.mean()) / x.std(correction=0),
            variants=(lambda x: (x - x.mean()) / x.std(),),
        ),
        Misconception(
            "one-element",
            "With a single element your standard deviation is NaN: torch's std divides by n - 1, here by 0, and "
            "adding a small number does not help against NaN. Divide by n, or treat the single element on its own.",
            lambda x: (x - x.mean()) / (x.std() + 1e-8),
            variants=(
                lambda x: (x - x.mean()) / x.std().clamp(min=1e-8),
                lambda x: (x - x.mean()) / (x.var() + 1e-8).sqrt(),
            ),
        ),
        Misconception(
            "each-column-by-itself",
            "You standardised each column by itself. That erases which environment or episode did better: each of "
            "them ends up with mean 0. The mean and the standard deviation are of the whole tensor.",
            lambda x: _over_rows(x, dim=0, correction=0),
            variants=(
                lambda x: _over_rows(x, dim=0, correction=1),
                lambda x: (x - x.mean(0)) / (x.std(0) + 1e-8),
                lambda x: (x - x.mean(0)) / (x.std(0, correction=0) + 1e-8),
            ),
        ),
        Misconception(
            "each-row-by-itself",
            "You standardised each row by itself. The mean and the standard deviation are of the whole tensor, "
            "whatever its shape.",
            lambda x: _over_rows(x, dim=1, correction=0),
            variants=(lambda x: _over_rows(x, dim=1, correction=1),),
        ),
        Misconception(
            "divided-by-the-variance",
            "You divided by the variance. It has the unit of x squared, so the result still depends on the scale of x: "
            "multiply the input by 10 and look. A square root is missing.",
            lambda x: (x - x.mean()) / (x.var(correction=0) + 1e-8),
            variants=(lambda x: (x - x.mean()) / (x.var() + 1e-8),),
        ),
        Misconception(
            "not-centred",
            "You scaled without subtracting the mean first. All-positive returns stay all positive, and then every "
            "sampled action is pushed up.",
            lambda x: x / (x.std(correction=0) + 1e-8),
            variants=(lambda x: x / (x.std() + 1e-8),),
        ),
        Misconception(
            "not-scaled",
            "You subtracted the mean and left the scale as it was. Returns of 10 and returns of 500 would then need "
            "different learning rates.",
            lambda x: x - x.mean(),
        ),
        Misconception(
            "squeezed-between-0-and-1",
            "You mapped the smallest number to 0 and the largest to 1. No result is negative then, so no action is "
            "ever discouraged. Asked for are mean 0 and standard deviation 1.",
            lambda x: (x - x.min()) / (x.max() - x.min() + 1e-8),
            variants=(lambda x: (x - x.min()) / (x.max() - x.min()),),
        ),
        Misconception(
            "divided-by-the-length",
            "You divided by the length of the vector, the root of the sum of squares. The standard deviation is the "
            "root of the mean of squares: yours shrinks every number as the batch grows.",
            lambda x: (x - x.mean()) / ((x - x.mean()).norm() + 1e-8),
            variants=(lambda x: torch.nn.functional.normalize((x - x.mean()).flatten(), dim=0).view(x.shape),),
        ),
        Misconception(
            "mean-subtracted-last",
            "You divided first and subtracted the mean of the original numbers afterwards. Scale changes the mean "
            "too, so the result is off-centre: look at the order, or at the brackets.",
            lambda x: x / (x.std(correction=0) + 1e-8) - x.mean(),
            variants=(
                lambda x: x - x.mean() / (x.std(correction=0) + 1e-8),
                lambda x: x - x.mean() / (x.std() + 1e-8),
                lambda x: x / (x.std() + 1e-8) - x.mean(),
            ),
        ),
        Misconception(
            "large-eps",
            "The number that you add to the standard deviation is so large that it changes ordinary results: your "
            "standard deviation is not 1. 1e-8 is enough to keep the division finite.",
            lambda x: (x - x.mean()) / (x.std(correction=0) + 1.0),
            variants=(
                lambda x: (x - x.mean()) / (x.std(correction=0) + 0.1),
                lambda x: (x - x.mean()) / (x.std(correction=0) + 1e-2),
            ),
        ),
        Misconception(
            "changed-in-place",
            "The numbers are right, but you changed the caller's tensor: operations such as -= write into it. Make a "
            "new tensor.",
            _in_place,
        ),
        Misconception(
            "always-float32",
            "The numbers are right, but float64 input came back as float32. Keep the dtype of x.",
            lambda x: standardize(x).float(),
        ),
    ),
)
