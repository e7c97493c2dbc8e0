"""The page that a learner reads: figures, GIFs, source code and prose in cells' outputs."""

from .output import close, display, figure, gif, picture, prose, source
from .style import stylesheet

__all__ = ["close", "display", "figure", "gif", "picture", "prose", "source", "stylesheet"]
