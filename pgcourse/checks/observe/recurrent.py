"""Observer of a recurrent cell that is unrolled through time (no answers in here)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pgcourse.checks.observe import call, call_turned, record_differentiated
from pgcourse.checks.observe.record import Arrays, Case, fresh, record, record_mutations

WEIGHTS = ("cell.inputs", "cell.states", "cell.bias")  # [D, H], [H, H], [H]
DIFFERENTIABLE = ("inputs", "state", *WEIGHTS)
TURNED_INPUTS = ("inputs", "state", "ended")


def make_cell(case: Case) -> Callable[[Tensor, Tensor], Tensor]:
    """The cell of a case: x A + h B + c, and tanh of that where the case says so; (x [N, D], h [N, H]) -> [N, H]."""
    from_inputs, from_states, bias = (case[name] for name in WEIGHTS)

    def cell(inputs: Tensor, states: Tensor) -> Tensor:
        total = inputs @ from_inputs + states @ from_states + bias
        return torch.tanh(total) if case["tanh"] else total

    return cell


@dataclass(frozen=True)
class Unroll:
    """Call the attempt with the case's cell, for its values, with other ones, and for the gradients of all that is real.

    The case holds `inputs`, `state` and `ended` by name, and the cell's weights, see `make_cell`.
    """

    signature: str = "cell, inputs, state, ended"

    def __call__(self, attempt: Any, case: Case) -> Arrays:
        arrays: Arrays = {}
        inputs = fresh(case)

        def anew() -> Any:
            return call(attempt, self.signature, {**inputs, "cell": make_cell(inputs)})

        result = anew()
        record(arrays, "result", result)
        record_mutations(arrays, case, inputs)
        call_turned(arrays, anew, {name: case[name] for name in TURNED_INPUTS}, inputs, result)
        # An in-place change of an input that requires a gradient raises; that it happened is already written down.
        if not arrays["mutated"].size:
            inputs = fresh(case)
            for name in DIFFERENTIABLE:
                inputs[name].requires_grad_(True)
            record_differentiated(arrays, anew, {name: inputs[name] for name in DIFFERENTIABLE})
        return arrays
