"""docs/jupyterhub/classroom.py: a class's files through the students' homes, and what a student may try with links.

As root every account of the tests has a number of its own; otherwise all of them are the user who runs the tests.
"""

import importlib.util
import os
import re
import signal
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="a hub with system accounts runs on Linux")
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
NUMBERS = {"ada": 61001, "bob": 61002}  # of nobody on this machine
needs_root = pytest.mark.skipif(not ROOT, reason="only root can become two students")
NAME = "01_reinforce.ipynb"


@pytest.fixture(scope="module")
def classroom(repository: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("classroom", repository / "docs/jupyterhub/classroom.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def base() -> Iterator[Path]:
    """A folder that every account may go through, as /home is. pytest's own are private."""
    with tempfile.TemporaryDirectory(prefix="pgcourse-hub-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture
def students(base: Path, classroom: ModuleType) -> dict[str, Any]:
    found = {}
    for name, number in NUMBERS.items():
        home = base / "home" / name
        home.mkdir(parents=True, mode=0o700)
        uid, gid = (number, number) if ROOT else (os.getuid(), os.getgid())
        os.chown(home, uid, gid)
        found[name] = classroom.Student(name, uid, gid, home)
    (base / "home").chmod(0o755)
    return found


def write(student: Any, path: str, content: bytes, mode: int = 0o600) -> Path:
    """A file as the student would write it."""
    file = student.home / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    file.chmod(mode)
    for it in (file, file.parent):
        os.chown(it, student.uid, student.gid)
    return file


def test_a_notebook_goes_out_comes_in_and_feedback_goes_back(
    classroom: ModuleType, students: dict[str, Any], base: Path
) -> None:
    everybody = students.values()
    assert classroom.hand_out({NAME: b"task"}, everybody, "class") == 0
    for student in everybody:
        file = student.home / "class" / NAME
        assert (file.read_bytes(), file.stat().st_uid) == (b"task", student.uid)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        file.write_bytes(student.name.encode())
    assert classroom.hand_out({NAME: b"another", "02.ipynb": b"two"}, everybody, "class") == 0
    assert (students["ada"].home / "class" / NAME).read_bytes() == b"ada"  # never replaced
    assert (students["ada"].home / "class/02.ipynb").read_bytes() == b"two"
    assert classroom.collect([NAME], everybody, "class", base / "in") == 0
    for name in NUMBERS:
        assert (base / "in" / name / NAME).read_text() == name
    assert stat.S_IMODE((base / "in").stat().st_mode) == 0o700
    (base / "out").mkdir()
    for name in NUMBERS:
        (base / "out" / f"{name}.html").write_text(f"for {name}")
    for _ in range(2):  # a second time replaces the first page
        assert classroom.give_back(base / "out", everybody, "class/feedback") == 0
    for name, student in students.items():
        (page,) = (student.home / "class/feedback").iterdir()
        assert (page.name, page.read_text()) == (f"{name}.html", f"for {name}")
        assert stat.S_IMODE(page.stat().st_mode) == 0o600


def test_what_is_no_plain_file_is_not_collected_and_says_why(
    classroom: ModuleType, students: dict[str, Any], base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ada, into = students["ada"], base / "in"
    secret = base / "secret"
    secret.write_bytes(b"secret")
    place = write(ada, f"class/{NAME}", b"first")
    assert classroom.collect([NAME], [ada], "class", into) == 0
    capsys.readouterr()

    def refused(make: Any) -> str:
        place.unlink(missing_ok=True)
        make()
        assert classroom.collect([NAME], [ada], "class", into) == 1
        assert (into / "ada" / NAME).read_bytes() == b"first"  # what was handed in before stays
        return capsys.readouterr().out.strip()

    assert refused(lambda: None).endswith("is not collected: No such file or directory")
    assert refused(lambda: place.symlink_to(secret)).endswith("it is a link")
    assert refused(lambda: place.symlink_to("/etc/shadow")).endswith("it is a link")
    assert refused(lambda: os.mkfifo(place)).endswith(("no plain file", "Permission denied"))
    place.unlink()
    os.truncate(write(ada, f"class/{NAME}", b""), classroom.MAX_BYTES + 1)
    assert classroom.collect([NAME], [ada], "class", into) == 1
    assert "more than 64 MB" in capsys.readouterr().out
    place.unlink()
    place.mkdir()
    assert classroom.collect([NAME], [ada], "class", into) == 1
    assert "directory" in capsys.readouterr().out


@needs_root
def test_no_link_of_one_student_reaches_the_work_of_another_or_of_root(
    classroom: ModuleType, students: dict[str, Any], base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ada, bob = students["ada"], students["bob"]
    work = write(bob, f"class/{NAME}", b"bob's answer")
    place = write(ada, f"class/{NAME}", b"ada's")
    for what in (work, Path("/etc/shadow")):
        place.unlink()
        try:
            os.link(what, place)  # as it would be without protected_hardlinks
        except OSError:  # another file system
            continue
        assert classroom.collect([NAME], [ada], "class", base / "in") == 1
        assert capsys.readouterr().out.strip().endswith("Permission denied")
    # Readable by everybody: it is still not hers.
    work.chmod(0o644)
    place.unlink(missing_ok=True)
    os.link(work, place)
    assert classroom.collect([NAME], [ada], "class", base / "in") == 1
    assert "belongs to somebody else" in capsys.readouterr().out
    # A link in place of the folder.
    place.unlink()
    place.parent.rmdir()
    place.parent.symlink_to(bob.home / "class")
    assert classroom.collect([NAME], [ada], "class", base / "in") == 1
    assert "Permission denied" in capsys.readouterr().out
    assert not (base / "in/ada").exists()


@needs_root
def test_nothing_is_written_through_a_students_link(
    classroom: ModuleType, students: dict[str, Any], base: Path
) -> None:
    ada, bob = students["ada"], students["bob"]
    (base / "out").mkdir()
    (base / "out/ada.html").write_text("feedback")
    (base / "etc").mkdir()
    target = base / "etc/ada.html"
    target.write_text("root's")
    (base / "etc" / NAME).write_text("root's")
    for folder in (base / "etc", bob.home):
        (ada.home / "class").symlink_to(folder)
        assert classroom.hand_out({NAME: b"task", "new.ipynb": b""}, [ada], "class") == 1
        assert classroom.give_back(base / "out", [ada], "class") == 1
        assert classroom.give_back(base / "out", [ada], "class/feedback") == 1
        (ada.home / "class").unlink()
    assert sorted(it.name for it in (base / "etc").iterdir()) == [NAME, "ada.html"]
    assert list(bob.home.iterdir()) == []
    write(ada, "class/feedback/old.html", b"")
    for link in (ada.home / "class/feedback/ada.html", ada.home / "class" / NAME):
        link.symlink_to(target)
    assert classroom.give_back(base / "out", [ada], "class/feedback") == 0  # in place of the link
    page = ada.home / "class/feedback/ada.html"
    assert not page.is_symlink() and page.read_text() == "feedback"
    assert classroom.hand_out({NAME: b"task"}, [ada], "class") == 0  # the link is there already, and stays
    assert target.read_text() == (base / "etc" / NAME).read_text() == "root's"


@needs_root
def test_the_process_of_the_student_has_no_other_rights_and_tells_nobody(
    classroom: ModuleType, students: dict[str, Any]
) -> None:
    ada = students["ada"]

    def work() -> bytes:
        if (child := os.fork()) == 0:  # a second process of the student's, as a terminal has
            try:
                Path(f"/proc/{os.getppid()}/mem").open("rb").close()
                os._exit(1)
            except PermissionError:
                os._exit(0)
        inside = os.waitpid(child, 0)[1]
        return repr((os.getresuid(), os.getresgid(), os.getgroups(), os.getcwd(), inside)).encode()

    expected = (3 * (ada.uid,), 3 * (ada.gid,), [], str(ada.home), 0)
    assert classroom.as_student(ada, work, time.monotonic() + 60).decode() == repr(expected)


def test_a_home_that_hangs_or_a_process_that_ends_costs_its_own_student_alone(
    classroom: ModuleType, students: dict[str, Any]
) -> None:
    ada = students["ada"]
    with pytest.raises(classroom.Refused, match="no answer in time"):
        classroom.as_student(ada, lambda: time.sleep(60) or b"", time.monotonic() + 0.2)
    end = time.monotonic() + 60
    with pytest.raises(classroom.Refused, match="was ended"):
        classroom.as_student(ada, lambda: os.kill(os.getpid(), signal.SIGKILL) or b"", end)
    with pytest.raises(classroom.Refused, match="was ended"):
        classroom.as_student(ada, lambda: 1 / 0, end)  # type: ignore[arg-type, return-value]
    assert classroom.as_student(ada, lambda: b"x" * 2**20, end) == b"x" * 2**20


@pytest.mark.parametrize("command", ["collect", "hand_out"])
def test_a_home_that_is_slow_for_each_file_costs_the_class_one_wait(
    classroom: ModuleType, students: dict[str, Any], base: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr(classroom, "SECONDS", 0.5)
    for name in ("read_plain", "write_new"):
        monkeypatch.setattr(classroom, name, lambda *_: time.sleep(0.2) or b"new")
    names = [f"{number}.ipynb" for number in range(20)]
    started = time.monotonic()
    if command == "collect":
        assert classroom.collect(names, [students["ada"]], "class", base / "in") > 15
    else:
        assert classroom.hand_out(dict.fromkeys(names, b""), [students["ada"]], "class") == 1
    assert time.monotonic() - started < 2


def test_open_homes_missing_homes_and_missing_pages_are_said(
    classroom: ModuleType, students: dict[str, Any], base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ada, bob = students["ada"], students["bob"]
    ada.home.chmod(0o755)
    bob.home.rmdir()
    assert classroom.hand_out({NAME: b"task"}, [ada, bob], "class") == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0].endswith(f"chmod 700 {ada.home}") and said[1] == "ada: 1 files handed out, 0 were there"
    assert said[2].startswith("bob: nothing handed out after 0 of 1 files: No such file")
    assert classroom.give_back(base, [ada], "class") == 0
    assert capsys.readouterr().out == "ada: there is no ada.html\n"


def test_the_command_refuses_folders_outside_and_groups_that_are_not_there(
    classroom: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("/etc", "../other", "class/../../x"):
        with pytest.raises(SystemExit):
            classroom.main(["hand-out", str(tmp_path), "--group", "nobody-has-this", "--folder", folder])
        assert "leads out of the home" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="there is no group nobody-has-this"):
        classroom.main(["give-back", str(tmp_path), "--group", "nobody-has-this"])
    with pytest.raises(SystemExit, match="root"):
        classroom.main(["give-back", str(tmp_path), "--group", "root"])


def test_the_guide_s_commands_are_accepted_and_its_links_lead_somewhere(
    classroom: ModuleType, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guide = (repository / "docs/jupyterhub.md").read_text()
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", guide):
        assert (repository / "docs" / target).exists(), target
    pictures = {f"jupyterhub/{it.name}" for it in (repository / "docs/jupyterhub").glob("*.png")}
    assert pictures == set(re.findall(r"jupyterhub/[\w-]+\.png", guide))
    monkeypatch.chdir(tmp_path)
    for folder in ("class/student", "grades/students"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setattr(classroom, "students_of", lambda group: [])
    commands = re.findall(r"^(?:    )?python3 .*classroom\.py (.*)$", guide + classroom.__doc__, re.MULTILINE)
    assert len(commands) == 6
    for command in commands:
        assert classroom.main(command.split()) == 0


def test_the_configuration_starts_the_course_as_the_student_and_closes_the_kernels_sockets(repository: Path) -> None:
    class Settings:
        def __getattr__(self, name: str) -> "Settings":
            self.__dict__[name] = Settings()
            return self.__dict__[name]  # type: ignore[no-any-return]

    settings = Settings()
    code = (repository / "docs/jupyterhub/jupyterhub_config.py").read_text()
    exec(compile(code, "jupyterhub_config.py", "exec"), {"get_config": lambda: settings})
    assert settings.Spawner.cmd == [str(Path(sys.executable).parent / "pgcourse"), "lab"]
    assert settings.JupyterHub.bind_url.startswith("http://127.0.0.1:")
    assert "--KernelManager.transport=ipc" in settings.Spawner.args
