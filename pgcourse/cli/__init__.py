"""The `pgcourse` command. A user's mistake is one line on stderr and exit status 2, never a traceback."""

import importlib
import io
import os
import sys

from .. import __version__
from ..errors import InvalidInput

# Command -> the module of this folder that has a function of its name, imported when it is called; and what it does.
COMMANDS: dict[str, tuple[str, str]] = {
    "lab": ("lab", "open the course in JupyterLab, in a folder of your own"),
    "update": ("lab", "bring that folder to the installed version; every answer is kept"),
    "doctor": ("course", "look over the installation, and say what to do where something is missing"),
    "demo": ("demo", "train on CartPole in seconds; write a learning curve and a GIF"),
    "train": ("train", "train an agent and save it"),
    "resume": ("resume", "go on with a run from its last checkpoint"),
    "evaluate": ("play", "play a saved agent from held-out start states"),
    "gif": ("play", "write a GIF of saved agents"),
    "share": ("play", "write one page to send to a friend: a saved agent, live beside its learning curve"),
    "compare": ("compare", "train the course's agents over many seeds: table, curves, GIFs"),
    "check": ("course", "run an exercise notebook and print each exercise's state"),
    "progress": ("course", "show which exercises are solved"),
    "assignment": ("assignment", "for teachers: make the notebooks of a class, and its key"),
    "grade": ("grade", "for teachers: mark what a class hands in"),
    "mark": ("mark", "for teachers: mark the experiments by hand, in the browser"),
    "grades": ("grades", "for teachers: bring the marks into Moodle, Canvas, nbgrader or one table"),
}


def usage() -> str:
    """The text of `pgcourse --help`."""
    lines = [f"  {name:10} {text}" for name, (_, text) in COMMANDS.items()]
    example = "Example: pgcourse train reinforce --seed 1 --num-episodes 600 --out runs/r1 --gif"
    head = ["usage: pgcourse COMMAND [OPTIONS]", ""]
    return "\n".join([*head, *lines, "", "Options of one: pgcourse COMMAND --help", example])


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns: exit status; 2 for a user's mistake, 130 after an interrupt."""
    given = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal without ✓ gets ? in its place, not a traceback
            stream.reconfigure(errors="replace")
    try:
        if not given or given[0] in ("-h", "--help"):
            print(usage())
            return 0
        if given[0] == "--version":
            print(f"pgcourse {__version__}")
            return 0
        if given[0] not in COMMANDS:
            raise InvalidInput(f"unknown command {given[0]!r}; use one of {', '.join(COMMANDS)}")
        module = importlib.import_module(f".{COMMANDS[given[0]][0]}", __name__)
        status: int = getattr(module, given[0])(given[1:])
        return status
    except InvalidInput as error:
        print(f"pgcourse: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output has gone, as in `pgcourse ... | head`
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - or Python complains again at exit
        return 0
    except KeyboardInterrupt:
        print("pgcourse: interrupted", file=sys.stderr)
        return 130
