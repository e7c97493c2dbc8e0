"""`InvalidInput`, the error for a user's mistake, and the checks of settings that raise it."""

import math

from .config import Config


class InvalidInput(ValueError):
    """A mistake in what the user gave: one clear line that says what was given, what is allowed and what to do.

    The command line prints the line and exits with status 2; anything else that is raised is a defect of ours.
    """


def require_integers(settings: object, *names: str, at_least: int = 1, optional: bool = False) -> None:
    """Raises: InvalidInput unless each field is an integer >= at_least (or None, where `optional`)."""
    for name in names:
        value = getattr(settings, name)
        if optional and value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
            alternative = " or None" if optional else ""
            raise InvalidInput(f"{name}={value!r} is not allowed; use an integer of at least {at_least}{alternative}")


def require_numbers(
    settings: object,
    *names: str,
    low: float = 0.0,
    high: float = math.inf,
    above: bool = False,
    optional: bool = False,
) -> None:
    """Raises: InvalidInput unless each field is a finite number in [low, high]; with `above`, greater than low."""
    for name in names:
        value = getattr(settings, name)
        if optional and value is None:
            continue
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not number or value < low or value > high or (above and value == low):
            start = f"above {low:g}" if above else f"of at least {low:g}"
            end = "" if high == math.inf else f" and at most {high:g}"
            alternative = ", or None" if optional else ""
            raise InvalidInput(f"{name}={value!r} is not allowed; use a number {start}{end}{alternative}")


def require_sizes(settings: object, *names: str) -> None:
    """Raises: InvalidInput unless each field is a sequence of positive integers, such as (64, 64); it may be empty."""
    for name in names:
        value = getattr(settings, name)
        whole = isinstance(value, tuple | list) and all(type(size) is int and size >= 1 for size in value)
        if not whole:
            raise InvalidInput(f"{name}={value!r} is not allowed; use positive integers, such as (64, 64)")


def require_choice(settings: object, name: str, *allowed: str) -> None:
    """Raises: InvalidInput unless the field is one of these words."""
    value = getattr(settings, name)
    if value not in allowed:
        words = f"{', '.join(map(repr, allowed[:-1]))} or {allowed[-1]!r}"
        raise InvalidInput(f"{name}={value!r} is not allowed; use {words}")


def require_budget(config: Config) -> None:
    """Raises: InvalidInput where a config bounds the run neither by steps nor by episodes."""
    if config.total_timesteps is None and config.num_episodes is None:
        raise InvalidInput("total_timesteps and num_episodes are both None; give at least one, or the run never ends")
