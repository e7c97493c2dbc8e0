"""A learner's functions called from the real loop: what goes wrong in them is said of them, by name."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from ... import optim

NAN_ADVICE = "look for a logarithm of 0, a division by a standard deviation of 0, or far too large a step"


class Fault(Exception):
    """A learner's function did not do its part; the message is for the learner."""


class Untouched(Exception):
    """A learner's function is still the stub."""


def guarded(name: str, function: Callable[..., Any] | None) -> Callable[..., Any]:
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


def watching_inputs(
    name: str, function: Callable[..., Any], inputs: tuple[str, ...], causes: list[str]
) -> Callable[..., Any]:
    """The function, and in `causes` a sentence about the first input, named in `inputs`, that it writes into.

    The run goes on: what a spoilt input does to the curve is worth seeing, with its cause beside it.
    """

    def call(*args: Any, **keywords: Any) -> Any:
        before = [value.clone() if isinstance(value, torch.Tensor) else value for value in args]
        result = function(*args, **keywords)
        for label, old, new in zip(inputs, before, args, strict=False):
            if not causes and isinstance(old, torch.Tensor) and not _equal(old, new):
                causes.append(
                    f"`{name}` writes into its input `{label}`, with which the loop goes on afterwards: let it return a "
                    "new tensor and leave the input as it is"
                )
        return result

    return call


def _equal(old: torch.Tensor, new: torch.Tensor) -> bool:
    return old.shape == new.shape and torch.equal(torch.nan_to_num(old), torch.nan_to_num(new))


def describe(error: BaseException) -> str:
    """An exception in one short line."""
    first = (str(error).strip().splitlines() or [""])[0][:160].rstrip(".")
    return type(error).__name__ + (f": {first}" if first else "")


def checked_policy(name: str, make: Callable[[], Any], obs_dim: int) -> nn.Module:
    """The learner's network. Raises: Fault where it is none, or gives no distribution for observations."""
    policy = make()
    if not isinstance(policy, nn.Module):
        raise Fault(f"`{name}` returned {type(policy).__name__}; let it return an nn.Module")
    distribution = guarded(f"forward of {name}", policy)(torch.zeros(2, obs_dim))
    if not isinstance(distribution, torch.distributions.Distribution):
        given = type(distribution).__name__
        raise Fault(f"The network of `{name}` gave {given}; let its forward return a distribution")
    return policy


def loss_metrics(name: str, value: Any, notes: list[str]) -> dict[str, float]:
    """The loss that a learner's update returned, as metrics; a note where it is no number.

    Raises: Fault where it is a number that is not finite.
    """
    if isinstance(value, torch.Tensor) and value.numel() == 1:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float | np.floating):
        notes.append(f"`{name}` returned {type(value).__name__} where the loss is expected, as a float")
        return {"charts/policy_loss": math.nan}  # the recorder refuses NaN in losses/, and rightly so
    if not math.isfinite(value):
        raise Fault(f"`{name}` returned {value}; {NAN_ADVICE}")
    return {"losses/policy_loss": float(value)}


ROLLOUT = ("rewards", "values", "next_values", "terminated", "truncated")  # what `gae` is given, in this order


def seeded_policy(name: str, make: Callable[[], Any], obs_dim: int, seed: int) -> nn.Module:
    """The learner's network, with weights that depend on the seed alone."""
    with optim.seeded(seed):
        return checked_policy(name, make, obs_dim)


def clipping_adam(max_grad_norm: float | None) -> Callable[..., torch.optim.Optimizer]:
    """The package's Adam, which clips the gradient before each step: a learner's update then need not."""

    def make(parameters: Any, learning_rate: float) -> torch.optim.Optimizer:
        parameters = list(parameters)
        optimizer = optim.adam(iter(parameters), learning_rate)

        limit = float("inf") if max_grad_norm is None else max_grad_norm

        def clip(*step: Any) -> None:
            nn.utils.clip_grad_norm_(parameters, limit)

        optimizer.register_step_pre_hook(clip)
        return optimizer

    return make
