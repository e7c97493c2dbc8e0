"""Cases for functions that make optimisers: parameters with gradients to step along."""

from collections.abc import Callable

import torch
from torch import Tensor

from pgcourse.checks.authoring import Case, generator
from pgcourse.checks.wording import number

Sizes = dict[str, dict[str, tuple[int, ...]]]  # network -> parameter -> shape


def network_case(sizes: Sizes, *, seed: int | None = None, gradient: float = 1.0, **rates: float) -> Case:
    """Parameters "NETWORK.NAME" and gradients "grad NETWORK.NAME" between 0.5 and 3 in size; fixed ones without a seed.

    Args: gradient: the gradients are multiplied by it. Small ones show eps and weight decay.
    """
    case: Case = dict(rates)
    source = generator(seed if seed is not None else 0)
    for network, parameters in sizes.items():
        for name, shape in parameters.items():
            case[f"{network}.{name}"] = torch.ones(shape) if seed is None else _between(source, shape)
            case[f"grad {network}.{name}"] = gradient * (
                torch.full(shape, 2.0) if seed is None else _between(source, shape)
            )
    return case


def _between(source: torch.Generator, shape: tuple[int, ...]) -> Tensor:
    sign = 1 - 2 * torch.randint(2, shape, generator=source)
    return (sign * (0.5 + 2.5 * torch.rand(shape, generator=source, dtype=torch.float64))).float()


def shown(id: str) -> Callable[[Case], str]:
    """The case in words: the networks with the shapes of their parameters, then the learning rates."""

    def text(case: Case) -> str:
        parts: dict[str, list[str]] = {}
        for name, value in case.items():
            if isinstance(value, Tensor) and not name.startswith("grad "):
                network, _, parameter = name.partition(".")
                parts.setdefault(network, []).append(f"{parameter} {list(value.shape)}")
        networks = [f"<{network} with {', '.join(names)}>" for network, names in parts.items()]
        rates = [f"{name}={number(value)}" for name, value in case.items() if isinstance(value, float)]
        return f"{id}({', '.join(networks + rates)})"

    return text
