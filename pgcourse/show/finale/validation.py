"""Call a learner's functions from the real loop, check what they hand in, and say what goes wrong of them, by name."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...optim import seeded

Function = Callable[..., Any]
NAN_ADVICE = "look for a logarithm of 0, a division by a standard deviation of 0, or far too large a step"


class Fault(Exception):
    """A learner's function did not do its part; the message is for the learner."""


class Untouched(Exception):
    """A learner's function is still the stub."""


def guarded(name: str, function: Function | None) -> Function:
    """The learner's function, whose errors say which function they are from."""

    def call(*args: Any, **keywords: Any) -> Any:
        if function is None:
            raise Untouched(name)
        try:
            return function(*args, **keywords)
        except (Fault, Untouched):  # of another learner's function that this one was handed
            raise
        except NotImplementedError as error:
            # A stub that the function calls may be the one: a stub's message begins with its name.
            named = str(error).partition(":")[0]
            raise Untouched(named if named.isidentifier() else name) from None
        except (Exception, SystemExit) as error:
            raise Fault(f"`{name}` raised {describe(error)}") from error

    return call


def watching_inputs(name: str, function: Function, inputs: tuple[str, ...], causes: list[str]) -> Function:
    """The function, and in `causes` a sentence about the first input, named in `inputs`, that it writes into.

    The run goes on: what a spoilt input does to the curve is worth seeing, with its cause beside it.
    """

    def call(*args: Any, **keywords: Any) -> Any:
        before = [value.clone() if isinstance(value, Tensor) else value for value in args]
        result = function(*args, **keywords)
        for label, old, new in zip(inputs, before, args, strict=False):
            if not causes and isinstance(old, Tensor) and not torch.equal(old.nan_to_num(), new.nan_to_num()):
                causes.append(
                    f"`{name}` writes into its input `{label}`, with which the loop goes on afterwards: let it return a "
                    "new tensor and leave the input as it is"
                )
        return result

    return call


def checked(
    name: str,
    value: Any,
    shape: Any = (),
    *,
    wanted: str = "",
    role: str = "",
    gradient: bool = False,
    finite: bool = True,
) -> Tensor:
    """What the learner's function `name` returned, as a tensor of this shape; () also takes one number in any shape.

    Args: wanted: what it should return, in words. role: which part of its answer this is, such as " as its policy loss".
    gradient, finite: whether it must have a gradient, and no NaN or infinity. Raises: Fault.
    """
    shape = torch.Size(shape)
    if not isinstance(value, Tensor) or (value.shape != shape and (shape or value.numel() != 1)):
        wanted = wanted or f"a tensor of shape {list(shape)}"
        raise Fault(f"`{name}` returned {kind_of(value)}{role}; let it return {wanted}")
    if gradient and not value.requires_grad:
        raise Fault(f"`{name}` returned a tensor without gradient{role}; leave out detach, item and no_grad around it")
    if finite and not bool(value.isfinite().all()):
        said = "numbers that are not finite" if shape else value.item()
        raise Fault(f"`{name}` returned {said}{role}; {NAN_ADVICE}")
    return value.reshape(shape)


def reported(name: str, value: Any, role: str = "") -> float | None:
    """A number that an update reports, None where it is none. Raises: Fault where it is not finite."""
    if isinstance(value, Tensor) and value.numel() == 1:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        return None
    if not math.isfinite(value):
        raise Fault(f"`{name}` returned {value}{role}; {NAN_ADVICE}")
    return float(value)


def loss_metrics(name: str, value: Any, notes: list[str]) -> dict[str, float]:
    """The loss that a learner's update returned, as metrics; a note where it is no number. Raises: as `reported`."""
    loss = reported(name, value)
    if loss is None:
        notes.append(f"`{name}` returned {type(value).__name__} where the loss is expected, as a float")
        return {"charts/policy_loss": math.nan}  # the recorder refuses NaN in losses/, and rightly so
    return {"losses/policy_loss": loss}


def checked_policy(name: str, make: Callable[[], Any], obs_dim: int, seed: int) -> nn.Module:
    """The learner's network, with weights that depend on the seed alone.

    Raises: Fault where it is no network, or gives no distribution for observations.
    """
    with seeded(seed):
        policy = make()
        if not isinstance(policy, nn.Module):
            raise Fault(f"`{name}` returned {kind_of(policy)}; let it return an nn.Module")
        distribution = guarded(f"forward of {name}", policy)(torch.zeros(2, obs_dim))
    if not isinstance(distribution, torch.distributions.Distribution):
        given = type(distribution).__name__
        raise Fault(f"The network of `{name}` gave {given}; let its forward return a distribution")
    return policy


def describe(error: BaseException) -> str:
    """An exception in one short line."""
    first = (str(error).strip().splitlines() or [""])[0][:160].rstrip(".")
    return type(error).__name__ + (f": {first}" if first else "")


def kind_of(value: Any) -> str:
    """What a value is, in words."""
    return f"a tensor of shape {list(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
