"""Writing values, gradients and changed inputs down as plain numpy arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

Arrays = dict[str, np.ndarray]
Case = dict[str, Any]
_NONE = np.array([], dtype=str)

LATER = "after the call/"
OTHERWISE = ", weighted otherwise,"
# As they are before any attempt runs.
_equal, _nan_to_num, _gradients = torch.equal, torch.nan_to_num, torch.autograd.grad
_detach, _resolve_neg, _numpy = Tensor.detach, Tensor.resolve_neg, Tensor.numpy
_is_leaf, _requires_grad, _grad, *_hooks = (
    getattr(torch._C.TensorBase, name).__get__
    for name in ("is_leaf", "requires_grad", "grad", "_backward_hooks", "_post_accumulate_grad_hooks")
)


def record(arrays: Arrays, name: str, value: Any) -> None:
    """Add `value` to `arrays` under `name`, with its kind in `NAME.kind` and its dtype in `NAME.dtype`.

    Only exact types are opened: torch.Tensor, numpy arrays and numbers, bool, int, float, and tuples (named ones too),
    lists and string-keyed dicts (ordered ones too) of these (`NAME/0`, `NAME/key`). Of anything else, only the kind is kept.
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
    """A named tuple or an ordered dict, or another subclass of these, as what it is, whatever its methods say."""
    if isinstance(value, dict):
        return dict(dict.items(value))
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

    The tensors go along as they are now, for `settle` to look at where the attempt cannot reach. What else the call has
    left at them is `left`, see `record_left`.
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
    record_left(arrays, {name: after[name] for name, value in before.items() if isinstance(value, Tensor)})


def record_left(arrays: Arrays, tensors: dict[str, Tensor], *, requires_grad: bool = False, grad: bool = False) -> None:
    """Add to `left` where a call leaves another requires_grad, a gradient, a hook or a graph at one of the tensors.

    Args: requires_grad: whether they had it before. grad: a gradient may be there.
    """
    left = []
    for name, value in tensors.items():
        if not _is_leaf(value):
            left.append(f"a graph behind {name}")
            continue
        if _requires_grad(value) is not requires_grad:
            left.append(f"another requires_grad at {name}")
        if _grad(value) is not None and not grad:
            left.append(f"a gradient in {name}")
        if any(hooks(value) for hooks in _hooks):
            left.append(f"a hook at {name}")
    add_left(arrays, left)


def add_left(arrays: Arrays, left: Iterable[str]) -> None:
    """Add to what a call has left behind, in words."""
    arrays["left"] = np.array([*dict.fromkeys((*arrays.get("left", _NONE).tolist(), *left))], dtype=str)


def settle(case: Case, arrays: Arrays) -> Arrays:
    """The observation with `mutated` as the tensors themselves say it, and without them. What did not come is changed."""
    if "mutated" not in arrays:
        return arrays
    now = {name.removeprefix(LATER): array for name, array in arrays.items() if name.startswith(LATER)}
    before = {name: value.detach().numpy() for name, value in case.items() if isinstance(value, Tensor)}
    told, left = ([str(each)[:60] for each in arrays.get(name, _NONE).ravel()[:50]] for name in ("mutated", "left"))
    seen = [name for name, value in before.items() if name not in now or not _same(value, now[name])]
    changed = np.array([*told, *(name for name in seen if name not in told)], dtype=str)
    kept = {name: array for name, array in arrays.items() if not name.startswith(LATER)}
    return kept | {"mutated": changed, "left": np.array(left, dtype=str)}


def _same(one: np.ndarray, two: np.ndarray) -> bool:
    return one.dtype == two.dtype and np.array_equal(one, two, equal_nan=one.dtype.kind == "f")


def record_gradients(arrays: Arrays, result: object, inputs: dict[str, Tensor], anew: Callable[[], object]) -> None:
    """Gradients of weighted sums of all outputs for each input; `.connected` says whether one arrived at all.

    Of a first sum, in which a scalar counts once, and of a second (`OTHERWISE`), whose weights have both signs and run on
    from output to output. To the second all inputs are added, and 1 is taken off each gradient: where something that was
    left at an input changes its gradients, that shows, even if none should arrive.

    Args: anew: gives the result once more, for what torch.compile has made: it allows one gradient only.
    """
    outputs, given = _differentiable(result), list(inputs.values())
    found: Sequence[Tensor | None] = [None] * len(given)
    if outputs:
        first = [1 + 0.5 * torch.sin(_places(output, 0)) for output in outputs]
        try:
            found = _gradients(outputs, given, first, allow_unused=True, retain_graph=True)
        except RuntimeError:
            found = _gradients(outputs, given, first, allow_unused=True)
            outputs = _differentiable(anew())
    second, start = [], 0
    for output in outputs:
        places = _places(output, start)
        # All below 1: a right gradient may be as large as the largest number there is.
        second.append((0.65 + 0.25 * torch.sin(places)).copysign(torch.cos(1.7 * places + 2)))
        start += output.numel()
    again = _gradients([*outputs, *given], given, [*second, *map(torch.ones_like, given)])
    for (name, value), one, two in zip(inputs.items(), found, again, strict=True):
        arrays[f"gradient/{name}"] = (torch.zeros_like(value) if one is None else one).detach().numpy().copy()
        arrays[f"gradient/{name}.connected"] = np.array(one is not None)
        arrays[f"gradient/{name}{OTHERWISE}"] = two.detach().numpy() - 1


def _differentiable(result: object) -> list[Tensor]:
    return [output for output in flatten(result) if output.requires_grad]


def _places(output: Tensor, start: int) -> Tensor:
    """Running numbers, from which unequal weights are made: a mistake that cancels in a plain sum still shows."""
    return torch.arange(start, start + output.numel(), dtype=output.dtype).reshape(output.shape)


def flatten(result: Any) -> Iterator[Tensor]:
    """Every exact tensor in a result made of plain containers; of a dict, in the order of its keys' names."""
    result = _plain(result)
    if type(result) is Tensor:
        yield result
    elif type(result) in (tuple, list):
        for part in result:
            yield from flatten(part)
    elif type(result) is dict:
        yield from flatten([result[key] for key in sorted(result, key=str)])
