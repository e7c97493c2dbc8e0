"""`pgcourse lab` and `pgcourse update`: the learner's own folder, opened in JupyterLab and brought to a new version."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from .. import __version__
from .parsing import parse

FOLDER = "pgcourse-work"
HELP = f"""usage: pgcourse lab [FOLDER] [OPTIONS OF JUPYTERLAB]

Open the course in JupyterLab, on this machine only, in a folder of your own: made at the first time, and opened as you
left it from then on. The course's own files are never written.

FOLDER comes first; without one it is {FOLDER} in the current folder. Further arguments go to JupyterLab. A JupyterHub
takes this command for its users' servers: docs/jupyterhub.md.

Example: pgcourse lab --no-browser --port=8899"""


def lab(arguments: list[str]) -> int:
    """Open the learner's folder in JupyterLab. Returns: JupyterLab's exit status."""
    if {"-h", "--help"} & set(arguments):
        print(HELP)
        return 0
    named = bool(arguments) and not arguments[0].startswith("-")
    folder = Path(arguments[0] if named else FOLDER).expanduser()
    from ..checks import progress
    from ..show.page import stylesheet
    from ..show.page.home import write_home
    from ..workfolder import HOME, jupyterlab, open_folder
    from ..workfolder.trust import trust_unchanged

    opened = open_folder(folder, __version__)
    trust_unchanged(folder)
    write_home(folder)
    options = arguments[1:] if named else arguments
    if jupyterlab.HUB in os.environ:
        kept = progress.path().parent.resolve() / "jupyterlab"
        jupyterlab.become_hub_server(folder.resolve(), HOME, options, stylesheet(), kept)
    again = "pgcourse lab" + (f" {arguments[0]}" if named else "")
    print(f"Your folder: {folder.resolve()}")
    print(f"Your answers and notes stay there. To stop: Ctrl-C. To come back: {again} (in {Path.cwd()})")
    if opened.update_available:
        given = f" {arguments[0]}" if named else ""
        print(
            f"A newer course is installed ({__version__}; yours: {opened.version}). Keep every answer: pgcourse update{given}"
        )
    else:
        print("The page opens in your browser; if it does not, open the address that ends in ?token=... below.")
    sys.stdout.flush()
    return jupyterlab.serve(folder.resolve(), HOME, options, stylesheet())


@dataclass
class Update:
    """Bring a work folder to the course that is installed. Every answer is kept; save and close its notebooks before.

    What you have not touched is replaced. Your answers and added cells stay where they are; where you and the course have
    both changed the same text, both stand there, and a line says where. It may be run again at any time.

    Example: pgcourse update
    """

    folder: tyro.conf.Positional[str] = FOLDER
    """The folder that `pgcourse lab` made."""


def update(arguments: list[str]) -> int:
    """Bring the learner's folder to the installed version."""
    options = parse(Update, arguments, program="pgcourse update")
    from ..workfolder import update_folder

    lines = update_folder(Path(options.folder).expanduser(), __version__)
    for line in lines:
        print(line)
    print(
        f"{options.folder} holds course {__version__}" if lines else f"{options.folder} is up to date ({__version__})"
    )
    return 0
