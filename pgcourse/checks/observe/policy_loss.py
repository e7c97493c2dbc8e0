"""An observer for losses that are computed from a policy itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from pgcourse.checks.observe import call
from pgcourse.checks.observe.networks import LinearPolicy
from pgcourse.checks.observe.record import Arrays, Case, flatten, fresh, record, record_gradients, record_mutations


@dataclass(frozen=True)
class PolicyLoss:
    """Call the attempt with a linear policy; record what it returns, and the loss's gradient for the policy.

    Of what else it returns, data for the diagnostics, it is recorded whether it keeps a gradient. The case holds
    `weight` [A, D] and `bias` [A] of the policy. The attempt gives the loss, or a tuple that begins with it.
    """

    signature: str

    def __call__(self, attempt: Any, case: Case) -> Arrays:
        arrays: Arrays = {}
        inputs = fresh(case)
        policy = LinearPolicy(inputs["weight"], inputs["bias"])
        result = call(attempt, self.signature, {**inputs, "policy": policy})
        record(arrays, "result", result)
        record_mutations(arrays, case, inputs)
        tensors = list(flatten(result))
        for place, tensor in enumerate(tensors[1:], 1):
            question = f'the answer to "does entry {place} of your result keep a gradient?" (1 is yes, 0 no)'
            arrays[question] = np.array(int(tensor.requires_grad))
            arrays[f"{question}.kind"] = np.array("answer")
        parameters: dict[str, Tensor] = {f"the policy's {name}": value for name, value in policy.named_parameters()}
        record_gradients(arrays, tensors[0] if tensors else None, parameters)
        return arrays
