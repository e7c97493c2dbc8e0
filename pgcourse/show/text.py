"""Lines of text in a question: a little markdown as HTML, or without its marks."""

import html
import re
from collections.abc import Callable

WRAPPING = "pgcourse-wrapping"  # class of widgets whose labels may take several lines
WRAP_RULE = (
    f"<style>.{WRAPPING}, .{WRAPPING} .widget-radio-box {{ max-width: 100%; width: auto }} "
    f".{WRAPPING} label {{ white-space: normal; height: auto; line-height: 1.4 }}</style>"
)
# Left to right, so that nothing inside code or a formula is taken for emphasis.
MARKS = re.compile(r"`([^`]+)`|(\$[^$]+\$)|\*\*([^*]+)\*\*|(?<![\w*])\*([^*\s][^*]*)\*")


def letter(index: int) -> str:
    """A, B, C ... for an option."""
    return chr(ord("A") + index)


def inline(text: str) -> str:
    """HTML of a line with `code`, **bold** and *emphasis*; all else is text, formulas in $...$ included."""
    return _replace(html.escape(text, quote=False), lambda tag, inner: f"<{tag}>{inner}</{tag}>")


def plain(text: str) -> str:
    """The same line without its marks."""
    return _replace(text, lambda tag, inner: inner)


def _replace(text: str, write: Callable[[str, str], str]) -> str:
    def one(match: re.Match[str]) -> str:
        code, formula, bold, emphasis = match.groups()
        if formula:
            return formula
        tag = "code" if code else "strong" if bold else "em"
        return write(tag, code or bold or emphasis)

    return MARKS.sub(one, text)
