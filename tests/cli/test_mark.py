"""`pgcourse mark`: the command around the page."""

import json
import os
import signal
import socket
import stat
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pgcourse.cli import main
from pgcourse.grading import again, tables
from pgcourse.grading.marking import address, server, sheet
from pgcourse.grading.settings import Settings
from tests.grading.marking.desks import LONG, RELEASE, make_class, mark_command


@contextmanager
def running(grades: Path, release: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command, and the address that it printed."""
    command = mark_command(grades, release, *options)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert "http://127.0.0.1:" in first, first + process.stdout.read()
        yield process, first.split()[-1]
    finally:
        process.terminate()
        try:
            process.communicate(timeout=20)
        finally:
            process.kill()


@contextmanager
def a_closed_terminal(means: signal.Handlers) -> Iterator[None]:
    """Commands that are started now are ended by it, or do not heed it, however the tests were started."""
    before = signal.signal(signal.SIGHUP, means)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def test_it_serves_until_it_is_stopped_and_says_what_comes_next(tmp_path: Path) -> None:
    grades, release = make_class(tmp_path, {"anna": "x", "ben": "y"})
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with a_closed_terminal(signal.SIG_DFL), running(grades, release) as (process, at):
            assert urllib.request.urlopen(at, timeout=10).status == 200
            process.send_signal(number)
            rest, _ = process.communicate(timeout=20)
        assert process.returncode == 0
        assert rest.endswith(f"\n0 of 4 marked; class.csv and the feedback in {grades} have them\n")


def test_what_was_marked_is_in_the_class_s_table_when_the_page_is_left(tmp_path: Path) -> None:
    grades, release = make_class(tmp_path, {"anna": "x", "ben": "y"})
    with running(grades, release) as (process, _):
        for item, points in enumerate((3, 1)):
            sheet.change_experiment(grades / "manual.csv", LONG, "ben", sheet.Change(item, points))
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=20)
    assert "1 of 4 marked; class.csv" in rest
    found = {row["student"]: row for row in tables.rows(grades / "class.csv", ("student", "score", LONG.id))}
    assert (found["ben"]["score"], found["ben"][LONG.id], found["anna"][LONG.id]) == ("8.0", "4.0", "")
    assert '<td>The method.</td><td class="points">3 of 3</td>' in (grades / "students" / "ben.html").read_text()


def test_what_comes_after_the_last_mark_is_said(tmp_path: Path) -> None:
    grades, release = make_class(tmp_path, {"anna": "x"})
    for cell in (cell for each in RELEASE.assignments for cell in each.manual):
        for item, line in enumerate(cell.rubric):
            sheet.change_experiment(grades / "manual.csv", cell, "anna", sheet.Change(item, line.points))
    with running(grades, release) as (process, _):
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=20)
    assert rest.splitlines()[-1] == f"next: pgcourse grades export {grades} --to csv, or moodle, canvas, nbgrader"


def test_a_closed_terminal_does_not_end_what_was_started_to_outlive_it(tmp_path: Path) -> None:
    grades, release = make_class(tmp_path, {"anna": "x"})
    with a_closed_terminal(signal.SIG_IGN), running(grades, release) as (process, at):
        process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        assert urllib.request.urlopen(at, timeout=10).status == 200


def test_where_the_tables_cannot_be_renewed_the_command_that_does_it_is_printed_in_full(tmp_path: Path) -> None:
    grades, release = make_class(tmp_path, {"anna": "x"})
    handed_in = tmp_path / "of the class"
    again.keep(Settings(handed_in, release, grades, timeout=3))
    before = (grades / "class.csv").read_bytes()
    with running(grades, release) as (process, _):
        (grades / "students" / "anna.json").unlink()
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=20)
    assert process.returncode == 2 and (grades / "class.csv").read_bytes() == before
    said = rest.splitlines()[-1]
    assert said.startswith(
        "pgcourse: the marks are saved, but class.csv and the feedback are as they were: cannot read"
    )
    assert said.endswith(f"then run: pgcourse grade '{handed_in}' --release {release} --out {grades} --timeout 3")


def test_each_start_has_a_secret_of_its_own_at_the_port_of_the_last_one(tmp_path: Path) -> None:
    """A page that was left open tells its secret to whoever has the port after Ctrl-C."""
    grades, release = make_class(tmp_path, {"anna": "x"})
    with running(grades, release) as (_, first):
        with running(grades, release) as (_, second):
            assert second != first, "two at a time need two ports"
        kept = grades / address.FILE
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        ids = students(first)
    with running(grades, release) as (_, again):
        port, secret = again.split("/")[2:4]
        assert port == first.split("/")[2] and secret != first.split("/")[3]
        assert secret not in kept.read_text()
        assert students(again) == ids, "what a page of the last start could not save is about the same students"
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(first, timeout=10)
        assert refused.value.code == 403 and b"belongs to an earlier start" in refused.value.read()
    kept.chmod(0o644)
    with running(grades, release) as (_, other):
        assert students(other) != ids, "what others could read is no key"


def students(at: str) -> list[str]:
    asked = urllib.request.Request(f"{at}api/class", headers={"X-Pgcourse-Mark": "1"})
    return [each["id"] for each in json.load(urllib.request.urlopen(asked, timeout=10))["students"]]


def test_no_program_is_started_with_the_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grades, release = make_class(tmp_path, {"anna": "x"})
    opened: list[tuple[str, str, int]] = []

    def once(self: server.MarkingServer, poll_interval: float = 0.2) -> None:
        raise KeyboardInterrupt

    def look(url: str) -> None:
        path = Path(url.removeprefix("file://"))
        opened.append((url, path.read_text(), stat.S_IMODE(path.stat().st_mode)))

    monkeypatch.setattr(server.MarkingServer, "serve_forever", once)
    monkeypatch.setattr("webbrowser.open", look)
    assert main(["mark", str(grades), "--release", str(release)]) == 0
    [(url, text, mode)] = opened
    secret = text.split("http://127.0.0.1:")[1].split("/")[1]
    assert address.KEY.fullmatch(secret) and secret not in url and mode == 0o600
    assert not Path(url.removeprefix("file://")).parent.exists()


@pytest.mark.parametrize("content", ["{", "[]", '{"key": "../x", "port": 1}', '{"key": 3, "port": "x"}'])
def test_a_damaged_address_gives_a_new_one(tmp_path: Path, content: str) -> None:
    (tmp_path / address.FILE).write_text(content)
    (tmp_path / address.FILE).chmod(0o600)
    assert address.KEY.fullmatch(address.kept(tmp_path).key) and address.kept(tmp_path).port == 0


def test_a_mistake_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grades, release = make_class(tmp_path, {"anna": "x"})
    nowhere = tmp_path / "nowhere"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for arguments, complaint in (
            ([nowhere, "--release", release], "holds no graded class; grade first: pgcourse grade"),
            ([grades, "--release", nowhere], "there is no"),
            ([grades, "--release", release, "--port", port], f"port {port} cannot be used"),
            ([grades, "--release", release, "--port", "70000"], "--port 70000 is no port"),
            ([grades], "--release"),
        ):
            assert main(["mark", *map(str, arguments), "--no-browser"]) == 2
            error = capsys.readouterr().err
            assert complaint in error and error.count("\n") == 1
    assert not nowhere.exists()
    (grades / "class.csv").unlink()
    assert main(["mark", str(grades), "--release", str(release)]) == 2
    error = capsys.readouterr().err
    assert "holds no graded class; grade first: pgcourse grade submissions/" in error
    assert error.count("\n") == 1
    (grades / "class.csv").write_text("student\nanna\n")
    (grades / "manual.csv").write_text("name,points\n")
    assert main(["mark", str(grades), "--release", str(release)]) == 2
    assert "has no column 'student'" in capsys.readouterr().err


def test_a_release_with_nothing_to_mark_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grades, release = make_class(tmp_path, {"anna": "x"})
    data = json.loads((release / "release.json").read_text())
    for each in data["assignments"]:
        each["manual"] = []
    (release / "release.json").write_text(json.dumps(data))
    assert main(["mark", os.fspath(grades), "--release", os.fspath(release)]) == 2
    assert "nothing waits for a person" in capsys.readouterr().err


def test_a_class_that_handed_in_nothing_has_nothing_to_mark(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grades, release = make_class(tmp_path, {"anna": None})
    assert main(["mark", os.fspath(grades), "--release", os.fspath(release)]) == 2
    assert "nobody has handed in an experiment" in capsys.readouterr().err
