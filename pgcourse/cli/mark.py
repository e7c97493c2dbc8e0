"""`pgcourse mark`: mark by hand in the browser what the grader cannot."""

import secrets
import signal
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import tyro

from ..errors import InvalidInput
from .parsing import parse


@dataclass
class Mark:
    """Mark experiments, and exercises that were withheld, in a page on this machine alone. Ctrl-C ends it.

    Each change is saved at once in grades/manual.csv, or overrides.csv; at the end all are put into class.csv, the other
    tables and the feedback.

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
    from ..grading import again, renew
    from ..grading.marking import address
    from ..grading.marking.desk import Desk
    from ..grading.marking.server import MarkingServer

    before = address.kept(options.grades)
    desk = Desk(options.grades, options.release, before.key)
    # A new one each time: a page that was left open tells it to whoever has the port after Ctrl-C.
    secret = secrets.token_urlsafe(32)
    given, total = desk.progress()
    try:
        server = MarkingServer(desk, secret, options.port or before.port)
        address.keep(options.grades, address.Address(before.key, server.server_port))
    except OSError as error:
        if options.port:
            raise InvalidInput(
                f"port {options.port} cannot be used ({error.strerror}); choose another --port, or leave it away"
            ) from None
        server = MarkingServer(desk, secret)  # perhaps this class is being marked already, at that port

    with _ended_by_signals():
        way = tempfile.TemporaryDirectory(prefix="pgcourse-mark-")
        try:
            print(f"{given} of {total} marked. The page, for you alone: {server.address}")
            print(
                "Each change is saved at once. Ctrl-C ends it, and puts all into class.csv and the feedback.",
                flush=True,
            )
            if options.browser:
                webbrowser.open(_leading_to(server.address, Path(way.name)))
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            pass
        finally:
            server.close()
            way.cleanup()
        try:
            renew.renew(options.grades, desk.release)
        except InvalidInput as error:
            grade = again.command(options.grades, options.release)
            raise InvalidInput(
                f"the marks are saved, but class.csv and the feedback are as they were: {error}; then run: {grade}"
            ) from None
    given, total = desk.progress()
    print(f"\n{given} of {total} marked; class.csv and the feedback in {options.grades} have them")
    if given == total:
        print(f"next: pgcourse grades export {options.grades} --to csv, or moodle, canvas, nbgrader")
    return 0


def _leading_to(address: str, folder: Path) -> str:
    """A file of this user's that leads there: every account can read what a browser is started with."""
    file = folder / "open.html"
    file.touch(mode=0o600)
    file.write_text(f'<meta http-equiv="refresh" content="0; url={address}">\n', encoding="utf-8")
    return file.as_uri()


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let a signal, and a terminal that is closed, end the page as Ctrl-C does; a second one does not disturb the end."""
    names = ("SIGTERM", "SIGHUP")  # Windows has no SIGHUP; nohup has it ignored
    ends = [each for name in names if (each := getattr(signal, name, None))]
    ends = [each for each in ends if signal.getsignal(each) is not signal.SIG_IGN]

    def stop(*_: object) -> None:
        for each in ends:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = [(each, signal.signal(each, stop)) for each in ends]
    try:
        yield
    finally:
        for each, handler in before:
            signal.signal(each, handler)
