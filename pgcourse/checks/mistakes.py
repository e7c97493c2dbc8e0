"""Mistakes that are the same in every exercise: detached, wrong dtype, changed in place, sign, sum for mean, `[B, 1]` ...

An exercise lists the misconceptions of its own subject. What is wrong in the same way everywhere is recognised here and
worded once. Four sources, in this order:

- the verdicts: each failing case fails for one reason, beside right numbers or before there are any (`BY_VERDICT`);
- a relation between the numbers and the right ones that holds in every case (`_relations`);
- the reference called in a wrong way: two inputs exchanged, one ignored, one with a dimension too many (`_slips`);
- where the numbers go wrong: in the first or last row alone, or by not being finite (`_places`); the error (`BY_ERROR`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from pgcourse.checks.compare import Tolerance, Verdict, close, refused_alike, values_alike
from pgcourse.checks.observe import Call, CallAndKeep, observe, split_signature
from pgcourse.checks.observe.record import OTHERWISE, Arrays, Case

if TYPE_CHECKING:
    from pgcourse.checks.exercise import Exercise, Misconception

# kind of the verdict -> (id, explanation); {name} is the input or entry that the verdict is about.
BY_VERDICT = {
    "no gradient": (
        "detached",
        "The number is right, but the path from {name} to it is cut: by detach, item, numpy, no_grad, or by a new tensor made "
        "of numbers. backward then changes nothing behind {name}.",
    ),
    "unwanted gradient": (
        "left-attached",
        "The number is right, but {name} is data here, and your result still depends on it. A training step would change "
        "whatever computed {name}, to make the result smaller. Cut this one path, with detach; torch.no_grad() "
        "cuts all paths, so it fits only where no gradient is wanted at all.",
    ),
    "gradient": (
        "partly-detached",
        "The number is right, and its gradient is that of another formula: a part of the path to {name} is cut, by a detach or a "
        "no_grad around one factor, or by a number taken out of its tensor. Say of each factor whether it is data.",
    ),
    "dtype": (
        "wrong-dtype",
        "The numbers are right in another precision. torch.zeros, torch.tensor and .float() give float32 and NumPy gives "
        "float64, whatever came in. Make new tensors like the input (zeros_like, dtype=x.dtype), or cast the result with .to.",
    ),
    "mutated": (
        "changed-in-place",
        "The numbers are right, but an input was overwritten on the way: by +=, by a method whose name ends in an underscore, "
        "or by writing to its elements. Whoever called still needs it. Make a new tensor.",
    ),
    "shared memory": (
        "not-a-new-object",
        "The numbers are right, but your result lies in the memory of an input: it is that input, or a view of it. When the "
        "caller reuses the memory, your result changes with it. Make a new tensor, with clone or torch.where.",
    ),
    "left behind": (
        "something-left-behind",
        "The numbers are right, but the call leaves something behind: requires_grad set or taken away, a gradient from backward, "
        "a hook, or a global switch of PyTorch. Whoever comes next works with that. Work on x.detach().requires_grad_(), take "
        "gradients with torch.autograd.grad, and switch with torch.no_grad(), whose block ends.",
    ),
    "kept": (
        "kept-from-call-to-call",
        "The numbers are right in the first call, but something is kept for the next one: a tensor into which every result is "
        "written, or a result that is looked up by the tensor object, whose numbers may have changed. Compute each result "
        "anew, into a new tensor.",
    ),
}
# A case fails like this before there are numbers to compare.
BY_KIND = {
    "no error": (
        "not-refused",
        "One kind of input has to be refused, and your function computes something from it. A number that means nothing "
        "travels on and shows up far away, or never: compare what the task says about errors.",
    ),
    "kind": (
        "another-kind-of-result",
        "Your function gives another kind of object than the task asks for. Whoever calls it goes on with tensors: look at the "
        "last line, at what .item(), .numpy(), .tolist() or a tuple's brackets make of the number.",
    ),
    "shape": (
        "another-shape",
        "Your result has another shape than the task asks for. Write the shape of each tensor beside its line, [B], [T, N] or "
        "none at all, and find the first line where it is not what you meant.",
    ),
}

# Text of an error of torch, NumPy or Python -> (id, explanation).
BY_ERROR = (
    (
        r"subtraction.*bool|bool.*subtract",
        "arithmetic-with-booleans",
        "PyTorch and NumPy do not subtract booleans. The opposite of a flag is ~flag, and a flag as the number 0 or 1 is "
        "flag.float(), or flag.to(x.dtype) in the precision of x.",
    ),
    (
        r"truth value|Boolean value of Tensor",
        "truth-value-of-a-tensor",
        "if, and, or and not ask for one answer, and a tensor or array has one for each element. Work on all elements at once: "
        "torch.where(condition, a, b), & and | between conditions, or .any() and .all() where one answer is meant.",
    ),
    (
        r"out of (range|bounds)",
        "index-out-of-range",
        "An index runs past the end: most often t + 1 at the last step, or a count that begins with 1. Say which indices exist, "
        "from 0 to length - 1, and what shall happen at the edge.",
    ),
    (
        r"must match the (size|existing)|could not be broadcast|inconsistent tensor size|mat1 and mat2|shape .* is invalid",
        "shapes-do-not-fit",
        "Two tensors meet whose shapes do not fit. Write both shapes beside that line, for the input shown here, and say which "
        "axis of the one belongs to which axis of the other.",
    ),
    (
        r"backward through the graph a second",
        "graph-already-freed",
        "The graph was already freed by an earlier backward pass, and something goes through it again. With create_graph=True "
        "even .grad hangs on such a graph, and the next backward adds to it: use torch.autograd.grad, which leaves .grad alone. "
        "Without it, compute the loss anew before each backward.",
    ),
    (
        r"does not require grad|leaf Variable",
        "graph-in-the-way",
        "PyTorch's record of the computation is in the way here: something that has to be differentiated is not connected, or a "
        "parameter is changed while it is recorded. Say for each tensor whether a gradient has to flow through it.",
    ),
    (
        r"same dtype|expected scalar type|can't be cast|Numpy\(\) on Tensor that requires grad|numpy\(\) on Tensor that requires",
        "types-do-not-fit",
        "Two kinds of numbers meet that PyTorch does not mix by itself: another precision, integers and floats, or NumPy and a "
        "tensor with a gradient. Convert with .to(x.dtype), or .detach() before .numpy().",
    ),
)
NOTHING_RETURNED = (
    "nothing-returned",
    "Your function returns None here, as every function does that comes to its end without a return. Printing a number, or "
    "writing it to a variable, hands nothing to whoever called: each way through has to end with a return of the result.",
)
ANOTHER_ERROR = (
    "another-error",
    "The input is refused, and with another kind of error than the task names. Whoever calls catches the kind that was agreed on "
    "and nothing else; assert, too, raises an error of its own, and not at all under python -O.",
)
REFUSED = (
    "valid-input-refused",
    "Your function refuses an input that it has to take. Compare your condition with what the task says about errors: which "
    "inputs are refused, and which only look unusual?",
)

Numbers = Sequence[tuple[np.ndarray, np.ndarray, Case]]  # (got, right, case)


@np.errstate(all="ignore")  # an attempt's numbers may be as large as they like
def recognise_everywhere(
    exercise: Exercise,
    cases: Sequence[Case],
    observations: Sequence[Arrays],
    expected: Sequence[list[Arrays]],
    verdicts: Sequence[Verdict],
) -> Misconception | None:
    """The mistake, of those that are the same in every exercise, that explains each failing case; else None."""
    from pgcourse.checks.exercise import Misconception

    def named(id: str, explanation: str) -> Misconception:
        return Misconception(id, explanation, exercise.reference)

    failing = [index for index, verdict in enumerate(verdicts) if not verdict.ok]
    errors = [observations[index]["error"] for index in failing if "error" in observations[index]]
    if errors and len(errors) == len(failing):
        if all(answers and "error" in answers[0] for answers in (expected[index] for index in failing)):
            return named(*ANOTHER_ERROR)
        for pattern, id, explanation in BY_ERROR:
            if all(re.search(pattern, str(error[1]), re.IGNORECASE) for error in errors):
                return named(id, explanation)
        by_hand = all(str(error[4]).startswith(("raise ", "assert ")) for error in errors)
        return named(*REFUSED) if by_hand and len(failing) < len(verdicts) else None
    nothing = [_is_none(observation) for observation in observations]
    # Where None is right at times, it is a result like others, and no return is missing unless it is all that comes.
    at_times = any(verdict.ok and none for verdict, none in zip(verdicts, nothing, strict=True))
    if all(nothing) or (all(nothing[index] for index in failing) and not at_times):
        return named(*NOTHING_RETURNED)
    if exercise.judge is not None or not all(expected):
        return None
    right = [answers[0] for answers in expected]
    kinds = {verdicts[index].kind for index in failing}
    if kinds == {"mutated", "shared memory"}:  # returned what it overwrote, or left alone
        kinds = {"mutated"}
    kind = kinds.pop() if len(kinds) == 1 else ""
    if numbers_are_right(exercise, observations, expected):
        if kind in BY_VERDICT:
            id, explanation = BY_VERDICT[kind]
            return named(
                id, explanation.format(name=verdicts[failing[0]].name.removeprefix("gradient/").removesuffix(OTHERWISE))
            )
        return named(*BY_KIND["kind"]) if kind == "kind" else None
    numbers = _numbers(cases, observations, right)
    if found := _relations(numbers, exercise.tolerance):
        return named(*found)
    for id, explanation, attempt in _slips(exercise, cases):
        if _explains(exercise, attempt, cases, observations, expected):
            return named(id, explanation)
    if found := _places(numbers, exercise.tolerance):
        return named(*found)
    return named(*BY_KIND[kind]) if kind in BY_KIND else None


def _is_none(observation: Arrays) -> bool:
    return str(observation.get("result.kind", observation.get("update 1/result.kind"))) == "NoneType"


def numbers_are_right(exercise: Exercise, observations: Sequence[Arrays], expected: Sequence[list[Arrays]]) -> bool:
    """True where all values are right, whatever is wrong with gradients, dtypes and inputs."""
    return all(
        any(refused_alike(answer, arrays) or values_alike(answer, arrays, exercise.tolerance) for answer in answers)
        for arrays, answers in zip(observations, expected, strict=True)
    )


MOST_NUMBERS = 1000  # of a result that has another shape than the right one


def _numbers(cases: Sequence[Case], observations: Sequence[Arrays], right: Sequence[Arrays]) -> Numbers | None:
    """The results of all cases that have one number or tensor; None where some case lacks it."""
    found = []
    for case, got, wanted in zip(cases, observations, right, strict=True):
        if "error" in wanted and "error" in got:
            continue  # an input that both refuse
        if "result" not in wanted or "result" not in got or got["result"].dtype.kind not in "fiub":
            return None
        if got["result"].size > MOST_NUMBERS + wanted["result"].size ** 2:  # [B, B] for [B] is looked at
            return None
        found.append((got["result"].astype(float), wanted["result"].astype(float), case))
    return found


def _relations(numbers: Numbers | None, tolerance: Tolerance) -> tuple[str, str] | None:
    """(id, explanation) of the first relation that holds in every case and is not trivially true in all of them."""
    if not numbers:
        return None

    def everywhere(relation: Callable[[np.ndarray, np.ndarray, Case], np.ndarray | None]) -> bool:
        telling = False
        for got, right, case in numbers:
            image = relation(got, right, case)
            if image is None or image.shape != got.shape or not close(got, image, tolerance).all():
                return False
            telling = telling or image.shape != right.shape or not close(image, right, tolerance).all()
        return telling

    if everywhere(lambda got, right, case: -right):
        return "sign", (
            "All your numbers have the right size and the wrong sign. A sign decides between learning and unlearning: work "
            "the first input by hand, and see which way round the difference goes, or where a minus belongs."
        )
    if all(got.size == right.size for got, right, _ in numbers) and everywhere(_reshaped):
        return "kept-dimension", (
            "The numbers are right, and a dimension of size 1 is left over or lost. It looks harmless and is not: [B, 1] "
            "against [B] broadcasts to [B, B] without an error. Return exactly the shape that is asked for."
        )
    scalar = all(right.ndim == 0 for _, right, _ in numbers)
    if scalar and everywhere(lambda got, right, case: right * _rows(case)):
        return "sum-for-mean", (
            "Your number is the right one times the number of rows: you summed where the mean is asked for. A larger batch "
            "would give a larger number, and the learning rate would mean something else for each batch size."
        )
    if scalar and everywhere(lambda got, right, case: right / _rows(case)):
        return "mean-for-sum", (
            "Your number is the right one divided by the number of rows: you took the mean where the sum is asked for, or took "
            "it twice."
        )
    if scalar and any(got.ndim for got, _, _ in numbers):
        for reduce in (np.mean, np.sum):
            if all(close(np.asarray(reduce(got)), right, tolerance).all() for got, right, _ in numbers):
                return "not-reduced", (
                    "You returned one number for each row, where a single number is asked for. backward, too, needs a single "
                    "one: take the mean of the rows, or the sum where the task says so."
                )
    if not scalar and all(got.ndim == 0 for got, _, _ in numbers):
        for image in (np.mean, np.sum):
            if everywhere(lambda got, right, case, image=image: np.asarray(image(right))):  # type: ignore[misc]
                return "reduced", (
                    "You returned a single number, the mean or the sum of what is asked for. Each row has a number of its own, "
                    "and whoever calls wants all of them: leave the rows apart."
                )
    if everywhere(lambda got, right, case: right.T if right.ndim == 2 else None):
        return "axes-exchanged", (
            "All your numbers are right and stand in the wrong places: rows and columns are exchanged. Say what the first axis "
            "counts and what the second, and look at what stack, cat, T or a reshape makes of them."
        )
    if everywhere(lambda got, right, case: right[::-1] if right.ndim else None):
        return "reversed", (
            "All your numbers are right and stand in reverse order. What was collected from the last step to the first has to "
            "be turned round at the end."
        )
    if all(got.shape == right.shape for got, right, _ in numbers):
        flat_got = np.concatenate([np.ravel(got) for got, _, _ in numbers])
        flat_right = np.concatenate([np.ravel(right) for _, right, _ in numbers])
        if np.isfinite(flat_got).all() and np.isfinite(flat_right).all() and flat_right.any() and flat_right.size > 2:
            factor = float(flat_got @ flat_right / (flat_right @ flat_right))
            if abs(factor) > 1e-3 and everywhere(lambda got, right, case: factor * right):
                return "off-by-a-factor", (
                    f"All your numbers are the right ones times {factor:.4g}. Such a factor is a 2 or a half too many, percent "
                    "in place of shares (100), or bits in place of nats (1.443): find the line that brings it in."
                )
            offset = float(np.mean(flat_got - flat_right))
            if np.ptp(flat_right) > 1e-3 and everywhere(lambda got, right, case: right + offset):
                return "off-by-a-constant", (
                    f"All your numbers are the right ones plus {offset:.4g}. Something is added, or left out, that does not "
                    "depend on the input: look for a 1, a constant of a formula, or a small number against division by 0."
                )
    return None


def _places(numbers: Numbers | None, tolerance: Tolerance) -> tuple[str, str] | None:
    """(id, explanation) where the numbers go wrong in one place alone."""
    if not numbers or any(got.shape != right.shape for got, right, _ in numbers):
        return None
    failing = [(got, right) for got, right, _ in numbers if not close(got, right, tolerance).all()]
    if not failing:  # another recorded array is wrong
        return None
    if all(np.isfinite(right).all() and not np.isfinite(got).all() for got, right in failing):
        return "not-finite", (
            "Your formula is right where numbers are ordinary, and gives NaN or infinity here: exp of a large number, log of 0, "
            "0 / 0, or infinity times 0. Find a form of the same formula in which that step does not occur, or take that input "
            "apart before it."
        )
    long = [(got, right) for got, right in failing if right.ndim and len(right) > 1]
    for id, rows, text in (
        ("last-row-wrong", slice(None, -1), "last"),
        ("first-row-wrong", slice(1, None), "first"),
    ):
        if (
            len(long) > 1
            and len(long) == len(failing)
            and all(close(g[rows], r[rows], tolerance).all() for g, r in long)
        ):
            return id, (
                f"Only the {text} row of your result is wrong. Look at where your loop or slice begins and ends, and at what the "
                f"{text} row takes from a neighbour that it does not have."
            )
    return None


def _reshaped(got: np.ndarray, right: np.ndarray, case: Case) -> np.ndarray | None:
    """The right numbers in the shape of the attempt, where the shapes differ by dimensions of size 1 alone."""
    same = [size for size in got.shape if size != 1] == [size for size in right.shape if size != 1]
    return right.reshape(got.shape) if same else None


def _rows(case: Case) -> int:
    return next((len(value) for value in case.values() if isinstance(value, Tensor) and value.ndim), 1)


def _slips(exercise: Exercise, cases: Sequence[Case]) -> Iterator[tuple[str, str, Callable[..., Any]]]:
    """(id, explanation, wrong attempt) for each way to call the reference wrongly that its signature admits."""
    if not isinstance(exercise.observe, Call | CallAndKeep):
        return
    positional, keyword = split_signature(exercise.observe.signature)
    kinds = {name: _kind(cases, name) for name in (*positional, *keyword)}

    def calling(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[..., Any]:
        def attempt(*values: Any, **settings: Any) -> Any:
            inputs = change(dict(zip(positional, values, strict=True)) | settings)
            return exercise.reference(
                *(inputs[name] for name in positional), **{name: inputs[name] for name in keyword}
            )

        return attempt

    for one, two in combinations(kinds, 2):
        if kinds[one] == kinds[two] and kinds[one] is not None:
            yield (
                f"{one}-and-{two}-exchanged",
                f"Your numbers are those that come out where {one} and {two} have changed places. Look at each line that uses "
                "one of the two, and say in words which of them belongs there.",
                calling(lambda inputs, one=one, two=two: inputs | {one: inputs[two], two: inputs[one]}),  # type: ignore[misc]
            )
    for name, kind in kinds.items():
        if kind == "flags":
            yield (
                f"{name}-ignored",
                f"{name} has no influence on your result: your numbers are those of a rollout in which it is False everywhere. "
                "Ask for each term of the formula whether it may still count where the flag is set.",
                calling(lambda inputs, name=name: inputs | {name: torch.zeros_like(inputs[name])}),  # type: ignore[misc]
            )
        elif kind == "number":
            for value in (1.0, 0.0):
                yield (
                    f"{name}-ignored",
                    f"{name} has no influence on your result: your numbers are those of {name} = {value:g}, whatever it was. "
                    "Find the place in the formula where it belongs.",
                    calling(lambda inputs, name=name, value=value: inputs | {name: value}),  # type: ignore[misc]
                )
        elif kind == "tensor [B]":
            yield (
                "column-against-row",
                f"Your numbers are those that come out where {name} has the shape [B, 1] and meets a tensor [B]: broadcasting "
                "pairs every row with every other, [B, B], without an error. Look at the shapes before you combine them.",
                calling(lambda inputs, name=name: inputs | {name: inputs[name].unsqueeze(-1)}),  # type: ignore[misc]
            )


def _kind(cases: Sequence[Case], name: str) -> str | None:
    values = [case[name] for case in cases]
    if all(isinstance(value, float) for value in values):
        return "number"
    if all(isinstance(value, Tensor) and value.dtype == torch.bool for value in values):
        return "flags"
    if all(isinstance(value, Tensor) and value.is_floating_point() for value in values):
        return "tensor [B]" if all(value.ndim == 1 for value in values) else "tensor"
    return None


def _explains(
    exercise: Exercise,
    attempt: Callable[..., Any],
    cases: Sequence[Case],
    observations: Sequence[Arrays],
    expected: Sequence[list[Arrays]],
) -> bool:
    """True where the attempt gives the observed numbers in every case, and not the right ones in all of them."""
    for case, got, right in zip(cases, observations, expected, strict=True):
        if "error" in got and "error" in right[0]:
            continue
        arrays = observe(exercise.observe, attempt, case)
        if "error" in arrays or not values_alike(arrays, got, exercise.tolerance):
            return False
    return True
