"""Writing values, gradients and changed inputs down as plain numpy arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

Arrays = dict[str, np.ndarray]
Case = dict[str, Any]

LATER = "after the call/"
# As they are before any attempt runs.
_equal, _nan_to_num, _gradients = torch.equal, torch.nan_to_num, torch.autograd.grad
_detach, _resolve_neg, _numpy = Tensor.detach, Tensor.resolve_neg, Tensor.numpy


def record(arrays: Arrays, name: str, value: Any) -> None:
    """Add `value` to `arrays` under `name`, with its kind in `NAME.kind` and its dtype in `NAME.dtype`.

    Only exact types are opened: torch.Tensor, numpy arrays and numbers, bool, int, float, and tuples (named ones too),
    lists and string-keyed dicts of these (`NAME/0`, `NAME/key`). Of anything else, a subclass included, only the kind is kept.
    """
    value = _plain(value)
    exact: Any = type(value)
    kind = str(exact.__name__)
    if exact is Tensor:
        kind = _record_tensor(arrays, name, value)
    elif (exact is np.ndarray or issubclass(exact, np.generic)) and value.dtype.kind in "fiub":
        kind = "numpy array" if exact is np.ndarray else "numpy number"
        arrays[f"{name}.dtype"] = np.array(str(value.dtype))
        arrays[name] = np.array(value)
    elif exact in (bool, int, float):
        # A Python int may not fit into any array; it is then as wrong as an infinite number.
        arrays[name] = np.array(float(value) if exact is float or abs(value) < 2**1000 else np.inf)
    elif exact in (tuple, list) and len(value) <= 1000:
        kind = f"{kind} of {len(value)}"
        for index, part in enumerate(value):
            record(arrays, f"{name}/{index}", part)
    elif exact is dict and len(value) <= 1000 and all(type(key) is str for key in value):
        kind = f"dict of {len(value)}"
        for key, part in value.items():
            record(arrays, f"{name}/{key}", part)
    arrays[f"{name}.kind"] = np.array(kind)


def _plain(value: Any) -> Any:
    """A named tuple, or another subclass of tuple, as the tuple that it is, whatever its methods say."""
    return tuple(tuple.__iter__(value)) if isinstance(value, tuple) else value


def _record_tensor(arrays: Arrays, name: str, value: Tensor) -> str:
    dtype = str(value.dtype).removeprefix("torch.")
    if value.device.type != "cpu":
        return f"tensor on {value.device.type}"
    if value.layout is not torch.strided or value.is_complex() or value.is_quantized:
        return f"{dtype} tensor of layout {value.layout}"
    plain = value.detach().resolve_neg()
    # numpy has no bfloat16; the recorded dtype still says what it was.
    arrays[name] = (plain.float() if value.dtype is torch.bfloat16 else plain).numpy().copy()
    arrays[f"{name}.dtype"] = np.array(dtype)
    return "tensor"


def fresh(case: Case) -> Case:
    """A copy of the case that the attempt may do with as it likes."""
    return {name: value.clone() if isinstance(value, Tensor) else value for name, value in case.items()}


def record_mutations(arrays: Arrays, before: Case, after: Case) -> None:
    """Write down, as `mutated`, the names of the tensors whose values, shape or dtype are no longer what they were.

    The tensors go along as they are now, for `settle` to look at where the attempt cannot reach.
    """
    changed = []
    for name, value in before.items():
        if isinstance(value, Tensor):
            now = _detach(after[name])
            same = now.dtype == value.dtype and now.shape == value.shape
            if not same or not _equal(_nan_to_num(now), _nan_to_num(value)):
                changed.append(name)
            if type(now) is Tensor and now.dtype is not torch.bfloat16 and now.layout is torch.strided:
                arrays[f"{LATER}{name}"] = _numpy(_resolve_neg(now)).copy()
    arrays["mutated"] = np.array(changed, dtype=str)


def settle(case: Case, arrays: Arrays) -> Arrays:
    """The observation with `mutated` as the tensors themselves say it, and without them. What did not come is changed."""
    if "mutated" not in arrays:
        return arrays
    now = {name.removeprefix(LATER): array for name, array in arrays.items() if name.startswith(LATER)}
    before = {name: value.detach().numpy() for name, value in case.items() if isinstance(value, Tensor)}
    told = [str(name)[:60] for name in arrays["mutated"].ravel()[:50]]
    seen = [name for name, value in before.items() if name not in now or not _same(value, now[name])]
    changed = np.array([*told, *(name for name in seen if name not in told)], dtype=str)
    return {name: array for name, array in arrays.items() if not name.startswith(LATER)} | {"mutated": changed}


def _same(one: np.ndarray, two: np.ndarray) -> bool:
    return one.dtype == two.dtype and np.array_equal(one, two, equal_nan=one.dtype.kind == "f")


def record_gradients(arrays: Arrays, result: object, inputs: dict[str, Tensor]) -> None:
    """Gradient of a fixed weighted sum of all outputs for each input; `.connected` says whether one arrived at all."""
    total: Tensor | None = None
    for output in flatten(result):
        if output.requires_grad:
            # Unequal weights, so that a mistake that cancels in a plain sum (two entries swapped, say) still shows.
            weight = 1 + 0.5 * torch.sin(torch.arange(output.numel(), dtype=output.dtype)).reshape(output.shape)
            term = (output * weight).sum()
            total = term if total is None else total + term
    found: tuple[Tensor | None, ...] = (None,) * len(inputs)
    if total is not None:
        found = _gradients(total, list(inputs.values()), allow_unused=True)
    for (name, value), gradient in zip(inputs.items(), found, strict=True):
        arrays[f"gradient/{name}"] = (torch.zeros_like(value) if gradient is None else gradient).detach().numpy().copy()
        arrays[f"gradient/{name}.connected"] = np.array(gradient is not None)


def flatten(result: Any) -> Iterator[Tensor]:
    """Every exact tensor in a result made of plain containers."""
    result = _plain(result)
    if type(result) is Tensor:
        yield result
    elif type(result) in (tuple, list):
        for part in result:
            yield from flatten(part)
    elif type(result) is dict:
        yield from flatten(list(result.values()))
