"""An observer for functions that must return a tensor of their own."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import Tensor

from pgcourse.checks.observe import call
from pgcourse.checks.observe.record import Arrays, Case, flatten, fresh, record, record_mutations

AFTER = "your result, looked at again after the inputs were overwritten,"


@dataclasses.dataclass(frozen=True)
class CallAndKeep:
    """Call the attempt once, overwrite its inputs as an environment that reuses its memory does, and look again.

    A result that shares memory with an input shows other numbers then. They are recorded under the name `AFTER`.

    Fields:
      signature: names of the case's entries as the attempt takes them, keyword-only ones after `*`.
    """

    signature: str

    def __call__(self, attempt: Any, case: Case) -> Arrays:
        arrays: Arrays = {}
        inputs = fresh(case)
        result = call(attempt, self.signature, inputs)
        record(arrays, "result", result)
        record_mutations(arrays, case, inputs)
        kept = list(flatten(result))
        with torch.no_grad():
            for value in inputs.values():
                if isinstance(value, Tensor):
                    value.copy_(~value if value.dtype == torch.bool else -2 * value - 1)
        if len(kept) == 1:
            record(arrays, AFTER, kept[0])
        return arrays
