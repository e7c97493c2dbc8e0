"""a2c_losses in exchangeable parts, from which its wrong answers are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from torch import Tensor

from pgcourse.checks.exercise import Misconception


class Inputs(NamedTuple):
    """What an attempt is given, all [B]; the constants are detached unless the spelling forgets it."""

    log_prob: Tensor
    advantages: Tensor
    values: Tensor
    returns: Tensor
    entropy: Tensor
    ent_coef: float


Part = Callable[[Inputs], Tensor]
Attempt = Callable[..., Any]


def policy_term(i: Inputs) -> Tensor:
    """Minus the mean of advantage times log-probability, scalar."""
    return -(i.advantages * i.log_prob).mean()


def bonus_term(i: Inputs) -> Tensor:
    """The entropy bonus, scalar; it is subtracted from the policy's loss."""
    return i.ent_coef * i.entropy.mean()


def value_term(i: Inputs) -> Tensor:
    """Half the mean squared error of the critic, scalar."""
    return 0.5 * (i.values - i.returns).square().mean()


def both_losses(i: Inputs, policy_loss: Tensor, value_loss: Tensor) -> Any:
    """The pair that is asked for."""
    return policy_loss, value_loss


def build(
    *,
    policy: Part = policy_term,
    bonus: Part = bonus_term,
    value: Part = value_term,
    finish: Callable[[Inputs, Tensor, Tensor], Any] = both_losses,
    change: Callable[[Inputs], Inputs] = lambda i: i,
    constant: tuple[str, ...] = ("advantages", "returns"),
) -> Attempt:
    """The right pair with some of its parts exchanged. `constant`: what is detached first."""

    def attempt(
        log_prob: Tensor, advantages: Tensor, values: Tensor, returns: Tensor, entropy: Tensor, *, ent_coef: float
    ) -> Any:
        i = Inputs(log_prob, advantages, values, returns, entropy, ent_coef)
        i = change(i._replace(**{name: getattr(i, name).detach() for name in constant}))
        return finish(i, policy(i) - bonus(i), value(i))

    return attempt


def mistake(id: str, explanation: str, *more: dict[str, Any], **changes: Any) -> Misconception:
    """A misconception from the changed parts; `more` are further spellings.

    Each with the constants detached and not.
    """
    builds = [
        build(constant=constant, **change)
        for change in (changes, *more)
        for constant in (("advantages", "returns"), ())
    ]
    return Misconception(id, explanation, builds[0], tuple(builds[1:]))
