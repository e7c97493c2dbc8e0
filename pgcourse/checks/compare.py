"""Compare what an attempt did with what a reference did: a verdict with the first difference, said in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pgcourse.checks.observe import AFTER, AGAIN, KEPT, OPPOSITE, PRECISION, RESEEDED, SWITCHED_OFF, TURNED
from pgcourse.checks.observe.record import OTHERWISE, Arrays
from pgcourse.checks.wording import number, sentence_label, shape, two_numbers, with_article


@dataclass(frozen=True)
class Verdict:
    """The outcome of one case.

    Fields:
      ok: the contract is met.
      kind: what differs, `"shape"`, `"value"`, ... or the ids of violated properties; equal kinds mean equal faults.
      statement: one sentence about shape, dtype, sign or property, for the learner.
      where: got against expected at one index, for the learner.
      name: the recorded array that differs.
      numbers: what `where` says, as (index, got, expected); the index of a scalar is empty.
    """

    ok: bool
    kind: str = ""
    statement: str = ""
    where: str = ""
    name: str = ""
    numbers: tuple[str, str, str] | None = None


CORRECT = Verdict(True)
MOST_CLASSES = 50  # of an error
MOST_NAMES = 20  # that a sentence lists
_LATER = (AFTER, AGAIN, TURNED, OPPOSITE, KEPT)  # what is looked at when the result itself is right


@dataclass(frozen=True)
class Tolerance:
    """How far a number may be off, and whether a number of Python or NumPy may stand for a 0-d tensor."""

    relative: float = 1e-4
    absolute: float = 1e-5
    number_for_scalar: bool = False


def compare(expected: Arrays, got: Arrays, tolerance: Tolerance = Tolerance()) -> Verdict:
    """The first difference: error, kind, shape, dtype, value, changed inputs, what else is left, shared memory, gradient."""
    if "error" in got or "error" in expected:
        return _compare_errors(expected, got)
    names = [name.removesuffix(".kind") for name in expected if name.endswith(".kind")]
    names.sort(key=lambda name: name.count("/"))  # a whole before its parts: a dict in place of a tuple is said so
    first = [name for name in names if not name.startswith(_LATER)]
    if not (verdict := _compare_all(first, expected, got, tolerance)).ok:
        return verdict
    if (changed := got["mutated"]).size:
        listed = " and ".join(str(name) for name in changed[:MOST_NAMES])
        return Verdict(False, "mutated", f"The result is right, but your function changed its input {listed} in place.")
    if text := left_behind(got):
        return Verdict(False, "left behind", text)
    if not (verdict := _compare_kept(names, expected, got, tolerance)).ok:
        return verdict
    if AFTER in expected and not (verdict := _compare_values(AFTER, expected, got, tolerance)).ok:
        text = "Your result shares memory with an input: when the check overwrote that, your result changed too."
        return Verdict(False, "shared memory", text, verdict.where, AFTER)
    again = [name for name in names if name.startswith(AGAIN)]
    if not (verdict := _compare_all(again, expected, got, tolerance)).ok:
        return verdict
    for name in expected:
        gradient = name.startswith("gradient/") and not name.endswith(".connected")
        if gradient and not (verdict := _compare_gradients(name, expected, got, tolerance)).ok:
            return verdict
    return CORRECT


def left_behind(got: Arrays) -> str:
    """A sentence on what a call has left behind, besides its result; empty where it has left nothing."""
    left = [str(each) for each in got.get("left", ())]
    shown = [each for each in (SWITCHED_OFF, PRECISION, RESEEDED) if each in left] or left[:MOST_NAMES]
    return f"The result is right, but your function leaves {' and '.join(shown)}." if left else ""


def _compare_kept(names: Sequence[str], expected: Arrays, got: Arrays, tolerance: Tolerance) -> Verdict:
    """What another call gave, with other numbers in the same tensors, and whether the first result outlived it."""
    turned, kept = ([name for name in names if name.startswith(each)] for each in ((TURNED, OPPOSITE), KEPT))
    if not (verdict := _compare_all(turned, expected, got, tolerance)).ok:
        before = f"result{verdict.name.removeprefix(TURNED).removeprefix(OPPOSITE)}"
        if verdict.kind != "value" or not close(got[before], got[verdict.name], tolerance).all():
            return verdict
        text = "Called again with other numbers in the same tensors, your function gives the result of before."
        return Verdict(False, "kept", text, verdict.where, verdict.name)
    if not (verdict := _compare_all(kept, expected, got, tolerance)).ok:
        text = "Your first result changed when your function was called again: each call must make a new one."
        return Verdict(False, "kept", text, verdict.where, verdict.name)
    return CORRECT


def alike(first: Arrays, second: Arrays, tolerance: Tolerance = Tolerance()) -> bool:
    """True where two observations hold the same numbers, kinds and errors."""
    if "error" in first or "error" in second:
        # The message is compared too, or any typing mistake would pass for a misconception that happens to raise.
        return "error" in first and "error" in second and list(first["error"][:2]) == list(second["error"][:2])
    if tolerance.number_for_scalar:
        first, second = _without_kinds_of_numbers(first), _without_kinds_of_numbers(second)
    if first.keys() != second.keys():
        return False
    for name, one in first.items():
        two = second[name]
        if one.shape != two.shape or (one.dtype.kind == "U") != (two.dtype.kind == "U"):
            return False
        if one.dtype.kind == "U":
            if not np.array_equal(one, two):
                return False
        elif not close(one, two, tolerance).all():
            return False
    return True


def refused_alike(expected: Arrays, got: Arrays) -> bool:
    """True where both refuse the input, with the same kind of error or a subclass; its words are free."""
    if "error" not in expected or "error" not in got:
        return False
    return _classes(expected)[0] in _classes(got)


def _classes(refused: Arrays) -> Sequence[str]:
    """The classes of an error, its own first."""
    return [str(name) for name in refused.get("error.bases", refused["error"]).ravel()[:MOST_CLASSES]]


def values_alike(first: Arrays, second: Arrays, tolerance: Tolerance = Tolerance()) -> bool:
    """True where two observations hold the same values and errors, whatever their gradients, dtypes and side effects."""
    if "error" in first or "error" in second:
        return alike(first, second, tolerance)
    one, two = _values(first), _values(second)
    return one.keys() == two.keys() and all(
        one[name].shape == two[name].shape and close(one[name], two[name], tolerance).all() for name in one
    )


def kinds_alike(first: Arrays, second: Arrays, tolerance: Tolerance = Tolerance()) -> bool:
    """True where two observations hold the same kinds of objects."""
    if tolerance.number_for_scalar:
        first, second = _without_kinds_of_numbers(first), _without_kinds_of_numbers(second)
    one, two = ({n: str(a) for n, a in arrays.items() if n.endswith(".kind")} for arrays in (first, second))
    return one == two


def _values(arrays: Arrays) -> Arrays:
    return {
        name: value
        for name, value in arrays.items()
        if value.dtype.kind != "U" and not name.startswith((*_LATER, "gradient/"))
    }


def _is_number(name: str, arrays: Arrays) -> bool:
    """True for a number of Python or NumPy, a 0-d NumPy array included."""
    kind = str(arrays.get(f"{name}.kind", ""))
    if kind in ("float", "int"):
        return True
    return kind in ("numpy number", "numpy array") and arrays[name].ndim == 0 and arrays[name].dtype.kind in "fiu"


def _without_kinds_of_numbers(arrays: Arrays) -> Arrays:
    """The observation, in which a 0-d tensor, a float and a NumPy number of one value are the same."""
    scalars = {
        name for name in arrays if _is_number(name, arrays) or (f"{name}.dtype" in arrays and not arrays[name].ndim)
    }
    return {name: value for name, value in arrays.items() if name.rpartition(".")[0] not in scalars}


def differing(expected: Arrays, got: Arrays, tolerance: Tolerance = Tolerance()) -> int:
    """How many recorded numbers or tensors differ, to tell which of several readings an attempt follows."""
    return sum(
        name not in got or got[name].shape != one.shape or not close(one, got[name], tolerance).all()
        for name, one in expected.items()
        if one.dtype.kind != "U"
    )


def close(one: np.ndarray, two: np.ndarray, tolerance: Tolerance) -> np.ndarray:
    """Element by element; NaN equals NaN, so that misconceptions that give NaN can be recognised."""
    one, two = np.asarray(one, float), np.asarray(two, float)
    with np.errstate(all="ignore"):
        return np.isclose(one, two, rtol=tolerance.relative, atol=tolerance.absolute, equal_nan=True)


def _compare_errors(expected: Arrays, got: Arrays) -> Verdict:
    if "error" in expected:
        wanted = str(expected["error"][0])
        if refused_alike(expected, got):
            return CORRECT
        if "error" not in got:
            found = {"NoneType": "None", wanted: "that error; raise it"}.get(str(got.get("result.kind")), "a result")
            text = f"This input must be refused with {wanted}; your function returned {found}."
            return Verdict(False, "no error", text)
    kind, message, function, line, source = (str(part) for part in got["error"])
    if kind == "not a function":
        return Verdict(
            False, "error", f"check needs the function itself, without brackets after its name; got {message}."
        )
    # torch raises the same for operations that a dtype lacks: "abs_cpu" not implemented for 'Bool'.
    if kind == "NotImplementedError" and function and "not implemented for" not in message:
        return Verdict(False, "error", f"Your code calls {function}, which is not written yet.")
    if kind == "RuntimeError" and "leaf Variable" in message and "in-place" in message:
        spot = f": line {line} of {function}, {source}" if source else ""
        return Verdict(False, "error", f"Your code changes one of its inputs in place; make a new tensor{spot}")
    spot = f" at line {line} of {function}: {source}" if source else ""
    if "error" in expected and kind == wanted:
        text = f"This input must be refused with Python's {wanted}; your code raised another class of that name{spot}"
        return Verdict(False, "error", text)
    if "error" in expected:
        text = f"This input must be refused with {wanted}; your code raised {kind}{': ' * bool(message)}{message}{spot}"
        return Verdict(False, "error", text)
    return Verdict(False, "error", f"Your code raised {kind}{': ' * bool(message)}{message}{spot}")


def _compare_kind(name: str, expected: Arrays, got: Arrays, tolerance: Tolerance) -> Verdict:
    wanted, found = str(expected[f"{name}.kind"]), str(got.get(f"{name}.kind", "nothing"))
    if wanted == found:
        return CORRECT
    scalar = tolerance.number_for_scalar and wanted == "tensor" and expected[name].ndim == 0
    if (scalar or wanted == "float") and _is_number(name, got):
        return CORRECT
    if found == "missing entry":
        return Verdict(False, "kind", f"Your dict has no entry {name.removeprefix('result/')}.", "", name)
    of = f" of shape {shape(expected[name])}" if wanted == "tensor" and expected[name].ndim else ""
    wanted = {"tensor": "torch tensor", "float": "Python float", "int": "Python int", "bool": "Python bool"}.get(
        wanted, wanted
    )
    if scalar:
        wanted = "0-d tensor or a Python float"
    if found == "type":
        return Verdict(False, "kind", f"Your function returned a class, expected a {wanted}{of}.", "", name)
    if found in ("NoneType", "ellipsis"):
        return Verdict(
            False, "kind", f"Your function returned None, expected a {wanted}{of}: is a return missing?", "", name
        )
    given = with_article(found)
    return Verdict(False, "kind", f"{sentence_label(name)} is {given}, expected a {wanted}{of}.", "", name)


def _compare_shape(name: str, expected: Arrays, got: Arrays, tolerance: Tolerance) -> Verdict:
    if name not in expected or expected[name].shape == got[name].shape:
        return CORRECT
    text = f"{sentence_label(name)} has shape {shape(got[name])}, expected {shape(expected[name])}."
    return Verdict(False, "shape", text, "", name)


def _compare_all(names: Sequence[str], expected: Arrays, got: Arrays, tolerance: Tolerance) -> Verdict:
    for step in (_compare_kind, _compare_shape, _compare_dtype, _compare_values):
        for name in names:
            if not (verdict := step(name, expected, got, tolerance)).ok:
                return verdict
    return CORRECT


def _compare_dtype(name: str, expected: Arrays, got: Arrays, tolerance: Tolerance) -> Verdict:
    wanted, found = str(expected.get(f"{name}.dtype", "")), str(got.get(f"{name}.dtype", ""))
    if wanted == found or not wanted or str(got.get(f"{name}.kind")) != "tensor":
        return CORRECT
    if tolerance.number_for_scalar and not expected[name].ndim and found.startswith("float"):
        return CORRECT  # where a Python float will do, so does a tensor of its precision
    return Verdict(False, "dtype", f"{sentence_label(name)} has dtype {found}, expected {wanted}.", "", name)


def _compare_values(name: str, expected: Arrays, got: Arrays, tolerance: Tolerance) -> Verdict:
    if name not in expected:
        return CORRECT
    if name not in got or got[name].shape != expected[name].shape:
        return Verdict(False, "shape", f"{sentence_label(name)} has another shape.", "", name)
    if np.array_equal(expected[name], got[name]):  # the same to the last digit, as most are; the rest takes longer
        return CORRECT
    wrong = ~close(expected[name], got[name], tolerance)
    if not wrong.any():
        return CORRECT
    index = tuple(int(axis) for axis in np.argwhere(wrong)[0])
    at = f"At {list(index)}: got" if index else "Got"
    shown, wanted = two_numbers(got[name][index], expected[name][index])
    where = f"{at} {shown}, expected {wanted}."
    statement = "" if name == "result" else f"{sentence_label(name)} differs."
    if np.isfinite(expected[name]).all() and not np.isfinite(got[name]).all():
        statement = f"{sentence_label(name)} is not finite; every number of it must be."
    return Verdict(False, "value", statement, where, name, (str(list(index)) if index else "", shown, wanted))


def _compare_gradients(name: str, expected: Arrays, got: Arrays, tolerance: Tolerance) -> Verdict:
    verdict = _compare_values(name, expected, got, tolerance)
    if verdict.ok:
        return CORRECT
    of = name.removeprefix("gradient/").removesuffix(OTHERWISE)
    where = f"Gradient {verdict.where[0].lower()}{verdict.where[1:]}"
    if name.endswith(OTHERWISE):
        text = f"The result is right, but its gradient with respect to {of}, asked for once more with other weights, is not."
        return Verdict(False, "gradient", text, where, name)
    if not bool(got[f"{name}.connected"]):
        text = (
            f"The result is right, but no gradient reaches {of}: training would leave the network behind it as it is."
        )
        return Verdict(False, "no gradient", text, where, name)
    if not bool(expected[f"{name}.connected"]):
        text = f"The result is right, but a gradient flows into {of}; this function must treat it as a constant."
        return Verdict(False, "unwanted gradient", text, where, name)
    text = f"The result is right, but its gradient with respect to {of} is not."
    return Verdict(False, "gradient", text, where, name)


def relation(pairs: Sequence[tuple[np.ndarray, np.ndarray]], tolerance: Tolerance) -> str:
    """How all (got, expected) relate, where a few words say it: sign, factor, offset, order; else an empty string."""
    if any(got.shape != expected.shape for got, expected in pairs):
        return ""
    got = np.concatenate([np.ravel(got) for got, _ in pairs]).astype(float)
    expected = np.concatenate([np.ravel(expected) for _, expected in pairs]).astype(float)
    if not (np.isfinite(got).all() and np.isfinite(expected).all()) or expected.size < 3:
        return ""
    if np.ptp(expected) < 1e-3:
        return ""
    if close(got, -expected, tolerance).all():
        return "minus the expected one everywhere: the sign is flipped"
    if not got.any():
        return "0 everywhere"
    factor = float(got @ expected / (expected @ expected))
    if abs(factor) > 1e-3 and close(got, factor * expected, tolerance).all():
        return f"the expected one times {number(factor)} everywhere"
    offset = float(np.mean(got - expected))
    if close(got, expected + offset, tolerance).all():
        return f"{number(abs(offset))} {'more' if offset > 0 else 'less'} than expected everywhere"
    if all(got.ndim and close(got, expected[::-1], tolerance).all() for got, expected in pairs):
        return "the expected one in reverse order"
    return ""
