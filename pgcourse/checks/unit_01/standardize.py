"""standardize(x): mean 0 and standard deviation 1 over a whole tensor."""

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.authoring import Case, Exercise, Misconception, edits_of, generator, integers, normal, rewritten
from pgcourse.checks.observe import CallAndKeep
from pgcourse.checks.rewritten import Edits


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
    yield {"x": torch.zeros(2)}
    # One row, and rows that are alike: neither is one element, nor all equal.
    yield {"x": torch.tensor([[1.0, 3.0, 8.0]])}
    yield {"x": torch.tensor([[1.0, 3.0], [1.0, 3.0]])}
    source = generator(seed)
    # Far from 0: the mean of squares less the square of the mean loses its digits. Nothing lies near the mean, so that the
    # rounding of a right one does not count.
    side = 2 * integers(source, 2, 16) - 1
    yield {"x": 100 + side * (32 + integers(source, 32, 16)) / 64}
    # So close to each other that allclose takes them for equal.
    yield {"x": normal(source, 4, 3, 2, dtype=torch.float64) * 2e-4 - 100}
    # A standard deviation of 0.011, and one element that lies 11 of them off.
    yield {"x": torch.tensor([0.125] + [0.0] * 120).view(11, 11)}
    one_off = torch.zeros(121)
    one_off[int(integers(source, 121))] = 0.1 + 0.05 * float(torch.rand(1, generator=source))
    yield {"x": one_off.view(11, 11)}
    yield {"x": one_off.view(11, 11) / 25}  # of 0.0005: here the place of the eps shows
    yield {"x": torch.full((2, 2), 1.0 + int(integers(source, 50)))}
    yield {"x": 1.0 + integers(source, 50, 1)}


def written_out(x):  # type: ignore[no-untyped-def]
    """A right answer in a learner's words, from which the wrong ones are made."""
    mean, std = x.mean(), x.std(correction=0)
    return (x - mean) / (std + 1e-8)


def mistake(id: str, explanation: str, *spellings: Edits) -> Misconception:
    """The spellings with the biased standard deviation and with the unbiased one."""
    unbiased = ({**edits, "correction=0": "correction=1"} for edits in spellings)
    return edited(id, explanation, *spellings, *unbiased)


edited = edits_of(written_out)

EXERCISE = Exercise.listed(
    "standardize",
    cases=cases,
    observe=CallAndKeep("x"),
    reference=standardize,
    also_correct=tuple(
        rewritten(written_out, {"correction=0": f"correction={correction}"} | place)
        for correction in ("0", "min(1, x.numel() - 1)")
        for place in ({}, {"(std + 1e-8)": "(std.square() + 1e-8).sqrt()"})
    )[1:],
    hints=(
        "Two steps: move the numbers so that their mean is 0, then stretch them so that their standard deviation is 1. What "
        "does the second step do when all the numbers are equal?",
        "Subtract x.mean(), divide by the standard deviation plus 1e-8. Without a dim argument both run over the whole tensor. "
        "Mind a single element: torch's std divides by n - 1 unless you pass correction=0.",
        "centred = x - x.mean(); return centred / (x.std(correction=0) + 1e-8).",
    ),
    misconceptions=(
        mistake(
            "constant-input",
            "Where all elements are equal, as when every episode scores the same, the result is 0 everywhere. You divide by a "
            "standard deviation of 0, which is NaN, or return them as they are. A tiny number beside the deviation is enough.",
            {" + 1e-8": ""},
            {"return": "return x.clone() if x.min() == x.max() else"},
        ),
        edited(
            "one-element",
            "With a single element your standard deviation is NaN: torch's std divides by n - 1, here by 0, and adding a small "
            "number does not help against NaN. Divide by n, or treat the single element on its own.",
            {"correction=0": "correction=1"},
        ),
        mistake(
            "each-column-by-itself",
            "You standardised each column, or each row, by itself. That erases which environment or episode did better: each "
            "of them ends up with mean 0. The mean and the standard deviation are of the whole tensor.",
            {"mean(": "mean(0, keepdim=True", "std(": "std(0, keepdim=True, "},
            {"mean(": "mean(-1, keepdim=True", "std(": "std(-1, keepdim=True, "},
        ),
        mistake(
            "not-centred",
            "You did not subtract the mean, or divided first and subtracted the mean of the original numbers afterwards. The "
            "result is off-centre: where returns are all positive, every sampled action is pushed up. Look at the brackets.",
            {"x - mean": "x"},
            {"(x - mean)": "x", "1e-8)": "1e-8) - mean"},
            {"(x - mean)": "x - mean"},
        ),
        edited(
            "not-scaled",
            "You left the scale as it was. Returns of 10 and returns of 500 would then need different learning rates.",
            {" / (std + 1e-8)": ""},
        ),
        mistake(
            "another-measure-of-spread",
            "You divided by another measure of spread: the variance, which has the unit of x squared, the mean distance from "
            "the mean, the range, or a length. The standard deviation is the root of the mean squared distance.",
            {"x.std": "x.var"},
            {"std +": "(x - mean).abs().mean() +"},
            {"std +": "(x - mean).norm() +"},
            {"x - mean": "x - x.min()", "std +": "x.max() - x.min() +"},
            {"x - mean": "x - x.min()", "std + 1e-8": "x.max() - x.min()"},
            {"(x - mean)": "2 * (x - x.min())", "(std + 1e-8)": "(x.max() - x.min() + 1e-8) - 1"},
        ),
        mistake(
            "large-eps-or-clipped",
            "The standard deviation of your result is not 1: what you add to that of x, or the least that you let it be, is "
            "too large, where 1e-8 is enough; or you cut off what lies far from the mean, the best steps among it.",
            {"1e-8": "1.0"},
            {"1e-8": "1e-2"},
            {"1e-8": "1e-5"},
            {"std + 1e-8": "std.clamp(min=1.0)"},
            {"std + 1e-8": "(std.square() + 1e-5).sqrt()"},
            {"(x - mean)": "torch.clamp((x - mean)", "1e-8)": "1e-8), -5, 5)"},
        ),
    ),
)
