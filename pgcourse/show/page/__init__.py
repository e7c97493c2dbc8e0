"""The page that a learner reads: the look, figures, GIFs, source code and prose in cells' outputs."""

from ...checks.card import style_element, stylesheet
from .output import answer, close, display, figure, gif, picture, prose, source, still, use_style

__all__ = [
    "answer",
    "close",
    "display",
    "figure",
    "gif",
    "picture",
    "prose",
    "source",
    "still",
    "style_element",
    "stylesheet",
    "use_style",
]
