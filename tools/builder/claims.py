"""Figures and comparisons in prose: placeholders in notebooks, `<!-- claim NAME:FIGURE -->` spans in the README."""

import re
from collections.abc import Callable

from pgcourse.errors import InvalidInput
from pgcourse.study import prose
from pgcourse.study.claims import FIGURE

SPAN = re.compile(r"(<!-- claim (" + FIGURE + r") -->)(.*?)(<!-- /claim -->)", re.DOTALL)
OPENING, CLOSING = "<!-- claim ", "<!-- /claim -->"


def fill_placeholders(text: str, quote: Callable[[str], str], place: str) -> str:
    """Replace each placeholder of `text` by its measured figure, or by the words of a comparison that holds.

    Raises: InvalidInput that names `place` when a figure is unknown or the data contradict a comparison.
    """
    try:
        return prose.fill_placeholders(text, figure=lambda figure: _quote(figure, quote, place))
    except InvalidInput as error:
        message = str(error)
        raise InvalidInput(message if message.startswith(place) else f"{place}: {message}") from error


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
