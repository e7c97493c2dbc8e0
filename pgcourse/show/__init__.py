"""What a lesson shows: the page, figures, what moves in it, the dashboard, the clinic, questions, the learner's own agent.

Import the module you need (`from pgcourse.show.figures import curves`): nothing is loaded before, as matplotlib and
ipywidgets take a second.
"""

import os
from pathlib import Path
from typing import Any


def share(result: Any, path: str | os.PathLike[str] = "agent.html", *, title: str = "") -> Path:
    """Write one page for a friend, on which the agent of a run acts live: see `pgcourse.show.live.share`."""
    from .live.share import share as write

    return write(result, path, title=title)
