"""An observer for functions that make optimisers: how far each parameter moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from pgcourse.checks.observe import call
from pgcourse.checks.observe.record import Arrays, Case, fresh, record

# Of the gradient in each step: under Adam, equal ones would hide a weight decay.
FACTORS = (1.0, -0.5, 0.25) * 3


class Group(nn.Module):
    """A network that is nothing but its parameters."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        super().__init__()
        for name, value in tensors.items():
            self.register_parameter(name, nn.Parameter(value.clone()))


_follow = torch.autograd.backward  # as it is before any attempt runs


@dataclass(frozen=True)
class OptimizerSteps:
    """Let the attempt make its optimisers, step each along given gradients, and record where the parameters are.

    The case holds parameters as "NETWORK.NAME" (`policy.weight`), their gradients as "grad NETWORK.NAME", and the
    learning rates by their names. The attempt may ask for each network by its name, or for `parameters`, the generator
    that the first network's `parameters()` gives.

    Fields:
      grouped: record also with how many others each parameter shares its parameter group.
    """

    signature: str
    networks: tuple[str, ...]
    grouped: bool = False

    makes_optimizers: ClassVar[bool] = True
    sends_inputs: ClassVar[bool] = False  # steps change them

    def __call__(self, attempt: Any, case: Case) -> Arrays:
        arrays: Arrays = {"mutated": np.array([], dtype=str)}
        inputs = fresh(case)
        modules = {network: Group(_parts(inputs, f"{network}.")) for network in self.networks}
        parameters = modules[self.networks[0]].parameters()
        result = call(attempt, self.signature, {**inputs, **modules, "parameters": parameters})
        optimizers = list(result) if isinstance(result, tuple | list) else [result]
        right = all(isinstance(optimizer, torch.optim.Optimizer) for optimizer in optimizers)
        kind = "optimiser" if right and len(optimizers) == 1 else f"tuple of {len(optimizers)} optimisers"
        arrays["result.kind"] = np.array(kind if right else type(result).__name__)
        if not right:
            return arrays
        for turn, optimizer in enumerate(optimizers, 1):  # one after the other shows which network each belongs to
            for factor in FACTORS:
                _backward(modules, inputs, factor)
                optimizer.step()
            by = f" of optimiser {turn}" if len(optimizers) > 1 else ""
            for network, module in modules.items():
                for name, value in module.named_parameters():
                    record(arrays, f"the {network}'s {name} after {len(FACTORS)} steps{by}", value.detach())
        cut = [
            name for module in modules.values() for name, value in module.named_parameters() if not value.requires_grad
        ]
        arrays["mutated"] = np.array(cut, dtype=str)
        groups = [group for optimizer in optimizers for group in optimizer.param_groups]
        # Where gradients do not fall, amsgrad shows in no parameter.
        record(arrays, "the number of parameter groups with amsgrad", sum(bool(g.get("amsgrad")) for g in groups))
        for name, parameter in modules[self.networks[0]].named_parameters() if self.grouped else ():
            sizes = [len(group["params"]) for group in groups if any(parameter is other for other in group["params"])]
            record(arrays, f"the number of parameters in the group of {name}", sum(sizes))
        return arrays


def _backward(modules: dict[str, Group], inputs: Case, factor: float) -> None:
    """Give each parameter its gradient, so many times, by a backward pass: hooks that the attempt has set take part."""
    reached, gradients = [], []
    for network, module in modules.items():
        for name, value in module.named_parameters():
            value.grad, gradient = None, factor * inputs[f"grad {network}.{name}"]
            if value.requires_grad:
                reached.append(value)
                gradients.append(gradient)
            else:
                value.grad = gradient
    _follow(reached, gradients)


def _parts(inputs: Case, prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in inputs.items() if name.startswith(prefix)}
