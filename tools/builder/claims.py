"""Figures in prose: `{{NAME:FIGURE}}` in notebooks, `<!-- claim NAME:FIGURE -->` spans in the README."""

import re
from collections.abc import Callable

from pgcourse.errors import InvalidInput
from pgcourse.study.claims import FIGURE, PLACEHOLDER

SPAN = re.compile(r"(<!-- claim (" + FIGURE + r") -->)(.*?)(<!-- /claim -->)", re.DOTALL)
OPENING, CLOSING = "<!-- claim ", "<!-- /claim -->"


def fill_placeholders(text: str, quote: Callable[[str], str], place: str) -> str:
    """Replace each `{{NAME:FIGURE}}` of `text` by its measured figure.

    Raises: InvalidInput that names `place` when a figure is unknown.
    """
    return PLACEHOLDER.sub(lambda match: _quote(match[1], quote, place), text)


def refresh_spans(text: str, quote: Callable[[str], str], place: str = "README.md") -> str:
    """Replace what stands between `<!-- claim NAME:FIGURE -->` and `<!-- /claim -->` by the measured figure.

    Raises: InvalidInput when a figure is unknown, or an opening or a closing mark stands alone.
    """
    spans = SPAN.findall(text)
    whole = all(OPENING not in inner for _, _, inner, _ in spans)
    if not whole or text.count(OPENING) != len(spans) or text.count(CLOSING) != len(spans):
        raise InvalidInput(
            f"{place}: {text.count(OPENING)} opening, {text.count(CLOSING)} closing claim marks; "
            "write <!-- claim NAME:FIGURE -->text<!-- /claim -->"
        )
    return SPAN.sub(lambda match: match[1] + _quote(match[2], quote, place) + match[4], text)


def _quote(figure: str, quote: Callable[[str], str], place: str) -> str:
    try:
        return str(quote(figure))
    except (InvalidInput, LookupError, OSError) as error:
        reason = error.args[0] if error.args else type(error).__name__
        raise InvalidInput(
            f"{place}: unknown figure {{{{{figure}}}}}: {reason}; measure it or correct the name"
        ) from error
