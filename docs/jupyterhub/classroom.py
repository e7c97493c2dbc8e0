"""A class on one machine: notebooks into the students' homes, their work out of them, feedback back. Run it as root.

    python3 classroom.py hand-out class/student --group students
    python3 classroom.py collect class/student submissions --group students
    python3 classroom.py give-back grades/students --group students

What lies in a home belongs to its student, who may put a link in place of a file, and may change it at any moment. So no
home is touched as root: a process with the student's own number reads and writes each student's files, and can do no more
than the student can. Only the standard library is imported.
"""

import argparse
import contextlib
import errno
import grp
import os
import pwd
import select
import signal
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath

MAX_BYTES = 64 * 2**20  # of one file, a notebook's outputs included
SECONDS = 60.0  # for all files of one student: a home may hang, and students can stop the processes that are theirs
ENDING = 1.0  # seconds until a process that was ended is left behind: no signal reaches one that waits for such a home


class Refused(Exception):
    """A file that is not taken, or not written, with the reason."""


@dataclass(frozen=True)
class Student:
    """An account of this machine."""

    name: str
    uid: int
    gid: int
    home: Path


def students_of(group: str) -> list[Student]:
    """The members of a group, by name. Raises: SystemExit where there is no such group, or an administrator is in it."""
    try:
        entry = grp.getgrnam(group)
    except KeyError:
        raise SystemExit(f"there is no group {group}; make it: groupadd {group}") from None
    accounts = {it.pw_name: it for it in pwd.getpwall() if it.pw_name in entry.gr_mem or it.pw_gid == entry.gr_gid}
    for name, account in accounts.items():
        if account.pw_uid == 0 or account.pw_gid == 0:
            raise SystemExit(f"{name} is root, or of root's group, and a member of {group}; take it out of there")
    return [Student(name, it.pw_uid, it.pw_gid, Path(it.pw_dir)) for name, it in sorted(accounts.items())]


def hand_out(files: dict[str, bytes], students: Iterable[Student], folder: str) -> int:
    """Write each file into this folder of each home; what is there already stays. Returns: how many students failed."""
    failed = 0
    for student in students:
        done, end = {True: 0, False: 0}, time.monotonic() + SECONDS
        try:
            if as_student(student, is_open, end):
                print(f"{student.name}: others may look into the home: chmod 700 {student.home}")
            for name, content in files.items():
                write = partial(write_new, Path(folder, name), content)
                said = as_student(student, write, end)
                done[said == b"new"] += 1
            print(f"{student.name}: {done[True]} files handed out, {done[False]} were there")
        except Refused as reason:
            print(f"{student.name}: nothing handed out after {sum(done.values())} of {len(files)} files: {reason}")
            failed += 1
    return failed


def collect(names: Iterable[str], students: Iterable[Student], folder: str, into: Path) -> int:
    """Copy those notebooks out of this folder of each home, into `into/STUDENT/`, for the owner of `into` alone.

    What was collected before stays where there is nothing to collect now. Returns: how many notebooks are missing.
    """
    into.mkdir(mode=0o700, parents=True, exist_ok=True)
    missing = 0
    for student in students:
        end = time.monotonic() + SECONDS
        for name in names:
            try:
                content = as_student(student, partial(read_plain, Path(folder, name)), end)
            except Refused as reason:
                print(f"{student.name}: {name} is not collected: {reason}")
                missing += 1
                continue
            own = into / student.name
            own.mkdir(mode=0o700, exist_ok=True)
            replace(own / name, content)
            owner = into.stat()
            if os.geteuid() == 0:
                for path in (own, own / name):
                    os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
            print(f"{student.name}: {name}, {len(content)} bytes")
    return missing


def give_back(feedback: Path, students: Iterable[Student], folder: str) -> int:
    """Write `feedback/STUDENT.html` into this folder of that student's home, and of no other. Returns: how many failed."""
    failed = 0
    for student in students:
        page = feedback / f"{student.name}.html"
        if not page.is_file():
            print(f"{student.name}: there is no {page.name}")
            continue
        content = page.read_bytes()
        try:
            as_student(student, partial(replace, Path(folder, page.name), content), time.monotonic() + SECONDS)
            print(f"{student.name}: {folder}/{page.name}")
        except Refused as reason:
            print(f"{student.name}: {page.name} is not given back: {reason}")
            failed += 1
    return failed


def is_open() -> bytes:
    """Something where others may look into the present folder, a home."""
    return b"open" if os.stat(".").st_mode & 0o077 else b""


def read_plain(path: Path) -> bytes:
    """The file's content. Raises: Refused unless it is a plain file of whoever runs this, and of at most MAX_BYTES."""
    # Neither through a link, nor waiting for the other end of a pipe.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        it = os.fstat(file.fileno())
        if not stat.S_ISREG(it.st_mode):
            raise Refused("no plain file")
        if it.st_uid != os.geteuid():
            raise Refused("it belongs to somebody else")
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise Refused(f"more than {MAX_BYTES // 2**20} MB; its outputs can be cleared")
    return content


def write_new(path: Path, content: bytes) -> bytes:
    """Write a file that is not there yet. Returns: b"new", or b"there" where something has its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except FileExistsError:
        return b"there"
    try:
        with file:
            file.write(content)
    except OSError:
        path.unlink()
        raise
    return b"new"


def replace(path: Path, content: bytes) -> bytes:
    """Write a file whole, in place of what has its name: a link is replaced, not followed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise
    return b""


def as_student(student: Student, work: Callable[[], bytes], end: float) -> bytes:
    """Do this in a process that is the student's, in the student's home, until `end` [s, monotonic]. Returns: what `work` gives.

    Linux lets an account look into no process that was root's before, so what else is in this one's memory stays there.
    Raises: Refused for whatever goes wrong, with the reason.
    """
    if time.monotonic() > end:
        raise Refused("no answer in time")
    sys.stdout.flush()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            os.close(reading)
            with os.fdopen(writing, "wb") as answer:
                try:
                    become(student)
                    content = work()
                    answer.write(b"+" + len(content).to_bytes(8, "big") + content)
                except OSError as error:
                    said = "it is a link" if error.errno == errno.ELOOP else error.strerror or str(error)
                    answer.write(b"-" + said.encode())
                except Refused as reason:
                    answer.write(b"-" + str(reason).encode())
        os._exit(0)
    os.close(writing)
    try:
        answer = read_all(reading, end)
    finally:
        os.close(reading)
        os.kill(child, signal.SIGKILL)  # it has said all, or never will; it is there until it is waited for
        left_behind = time.monotonic() + ENDING
        while os.waitpid(child, os.WNOHANG) == (0, 0) and time.monotonic() < left_behind:
            time.sleep(0.001)
    if answer is None:
        raise Refused("no answer in time")
    if answer[:1] == b"+" and len(answer) - 9 == int.from_bytes(answer[1:9], "big"):
        return answer[9:]
    raise Refused(answer[1:].decode() if answer[:1] == b"-" else "the process of the student was ended")


def become(student: Student) -> None:
    """Give up root for this student's number, for good, and go to the student's home."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(student.gid)
        os.setuid(student.uid)
    if {os.getuid(), os.geteuid()} != {student.uid}:
        raise Refused("this needs root")
    os.umask(0o077)
    os.chdir(student.home)


def read_all(descriptor: int, end: float) -> bytes | None:
    """What comes until the other end is closed; None where that is not before `end` [s, monotonic]."""
    parts = []
    while (left := end - time.monotonic()) > 0:
        if select.select([descriptor], [], [], left)[0]:
            parts.append(os.read(descriptor, 2**20))
            if not parts[-1]:
                return b"".join(parts)
    return None


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns: exit status; 1 where something could not be done."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("hand-out", "copy the notebooks of a release into each home; nothing is replaced"),
        ("collect", "copy the students' notebooks into a folder, where `pgcourse grade` finds them"),
        ("give-back", "copy each student's feedback page into that student's home"),
    ):
        command = commands.add_parser(name, help=text)
        what = "grades/students" if name == "give-back" else "the release's student folder"
        command.add_argument("source", type=Path, help=what)
        if name == "collect":
            command.add_argument("submissions", type=Path, help="folder to collect into")
        command.add_argument("--group", required=True, help="group of this machine that holds the students")
        default = "class/feedback" if name == "give-back" else "class"
        command.add_argument("--folder", default=default, help=f"folder in each home ({default})")
    given = parser.parse_args(arguments)
    if PurePath(given.folder).is_absolute() or ".." in PurePath(given.folder).parts:
        parser.error(f"--folder {given.folder} leads out of the home; give one such as class")
    if not given.source.is_dir():
        parser.error(f"there is no folder {given.source}")
    students = students_of(given.group)
    if given.command == "give-back":
        return int(give_back(given.source, students, given.folder) > 0)
    files = {it.name: it for it in sorted(given.source.iterdir()) if it.is_file()}
    if given.command == "hand-out":
        return int(hand_out({name: it.read_bytes() for name, it in files.items()}, students, given.folder) > 0)
    names = [name for name in files if name.endswith(".ipynb")]
    return int(collect(names, students, given.folder, given.submissions) > 0)


if __name__ == "__main__":
    sys.exit(main())
