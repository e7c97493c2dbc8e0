"""`pgcourse mark`: mark by hand in the browser what the grader cannot."""

import signal
import webbrowser
from dataclasses import dataclass
from pathlib import Path

import tyro

from ..errors import InvalidInput
from .parsing import parse


@dataclass
class Mark:
    """Mark experiments, and exercises that were withheld, in a page on this machine alone. Ctrl-C ends it.

    Each change is saved at once in grades/manual.csv, or overrides.csv; `pgcourse grade` then puts them into the tables and
    the feedback.

    Example: pgcourse mark grades/ --release class/
    """

    grades: tyro.conf.Positional[Path]
    """The folder that `pgcourse grade` wrote."""
    release: Path
    """The folder that `pgcourse assignment make` wrote."""
    port: int = 0
    """Port of the page. 0: that of the last time, or any that is free."""
    browser: bool = True
    """Open the page; the address is printed in any case."""


def mark(arguments: list[str]) -> int:
    """Run `pgcourse mark`, until Ctrl-C."""
    options = parse(Mark, arguments, program="pgcourse mark")
    if not 0 <= options.port < 65536:
        raise InvalidInput(f"--port {options.port} is no port; use one from 1024 to 65535")
    from ..grading import again
    from ..grading.marking import address
    from ..grading.marking.desk import Desk
    from ..grading.marking.server import MarkingServer

    before = address.kept(options.grades)
    desk = Desk(options.grades, options.release, before.token)
    given, total = desk.progress()
    try:
        server = MarkingServer(desk, before.token, options.port or before.port)
        address.keep(options.grades, address.Address(before.token, server.server_port))
    except OSError as error:
        if options.port:
            raise InvalidInput(
                f"port {options.port} cannot be used ({error.strerror}); choose another --port, or leave it away"
            ) from None
        server = MarkingServer(desk, before.token)  # perhaps this class is being marked already, at that port

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    ended = signal.signal(signal.SIGTERM, stop)
    try:
        print(f"{given} of {total} marked. The page, for you alone: {server.address}")
        print("Each change is saved at once. To stop: Ctrl-C.", flush=True)
        if options.browser:
            webbrowser.open(server.address)
        server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        pass
    finally:
        server.close()
        signal.signal(signal.SIGTERM, ended)
    given, total = desk.progress()
    print(
        f"\n{given} of {total} marked. To put them into class.csv and the feedback, for which nothing runs anew:\n"
        f"{again.command(options.grades, options.release)}"
    )
    return 0
