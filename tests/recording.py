"""A function whose calls are kept, and a refusal that takes one line."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from pgcourse.errors import InvalidInput


class Call(NamedTuple):
    """What a function was given and what it returned."""

    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    result: Any


class Recorded:
    """The function, with its calls so far."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.calls: list[Call] = []

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        result = self.function(*arguments, **keywords)
        self.calls.append(Call(arguments, keywords, result))
        return result


@contextmanager
def refused(match: str, error: type[Exception] = InvalidInput) -> Iterator[pytest.ExceptionInfo[Exception]]:
    """Require the error with this message, on one line."""
    with pytest.raises(error, match=match) as caught:
        yield caught
    assert "\n" not in str(caught.value)
