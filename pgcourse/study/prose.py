"""Placeholders in prose: `{{NAME:FIGURE}}` is a measured figure, `{{words | LEFT < RIGHT}}` a comparison that the data carry.

`{{# reason}}` covers the comparing words before it in its paragraph that no measurement decides; readers do not see it.
"""

import html
import re
from collections.abc import Callable

from .claims import FIGURE, quote
from .verdicts import decide_all

# Nothing else counts, so that doubled braces of LaTeX pass.
FIGURE_PLACEHOLDER = re.compile(r"\{\{\s*(" + FIGURE + r")\s*\}\}")
COMPARISON = re.compile(r"\{\{\s*([^{}|]+?)\s*\|\s*([^{}|]*?[:][^{}|]*?)\s*\}\}")
# A mark on a line of its own takes the line with it.
REASON = re.compile(r"(?:\n[ \t]*(?=\{\{#[^}]*\}\}[ \t]*(?:\n|\Z))|[ \t]*)\{\{#\s*([a-z-]+)\s*\}\}")


def fill_placeholders(
    text: str,
    *,
    figure: Callable[[str], str] = quote,
    escape: Callable[[str], str] = str,
    hover: bool = True,
) -> str:
    """Text with every placeholder filled, and reasons left out.

    Args: figure: name -> text. escape: applied to all that stands outside of comparisons. hover: write a comparison as
    HTML that shows its interval on hovering; False leaves the words alone.
    Raises: InvalidInput for an unknown figure, or a comparison that the data contradict.
    """
    text = FIGURE_PLACEHOLDER.sub(lambda match: figure(match[1]), REASON.sub("", text))
    parts, end = [], 0
    for match in COMPARISON.finditer(text):
        shown = _comparison(match, hover)
        parts += [escape(text[end : match.start()]), shown if hover else escape(shown)]
        end = match.end()
    return "".join([*parts, escape(text[end:])])


def _comparison(match: re.Match[str], hover: bool) -> str:
    words = " ".join(match[1].split())
    decisions = decide_all(words, " ".join(match[2].split()))
    if not hover:
        return words
    title = html.escape("; ".join(map(str, decisions)), quote=True)
    return f'<abbr title="{title}">{html.escape(words, quote=False)}</abbr>'
