"""The commands that the README and CONTRIBUTING promise exist, and do what they say from any folder."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")

DOCUMENTS = ("README.md", "CONTRIBUTING.md", ".ci/run", "environment.yml")


def make_help(folder: Path) -> dict[str, str]:
    done = subprocess.run(["make", "-C", str(folder)], capture_output=True, text=True, check=True)
    return dict(re.findall(r"^  make (\S+) +(.+)$", done.stdout, flags=re.MULTILINE))


def test_make_alone_lists_every_target_and_installs_nothing(repository: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a folder with spaces"
    folder.mkdir()
    shutil.copy(repository / "Makefile", folder)
    listed = make_help(folder)
    phony = re.search(r"^\.PHONY: (.+)$", (repository / "Makefile").read_text(), flags=re.MULTILINE)
    assert phony is not None
    assert set(listed) == set(phony[1].split())
    assert [path.name for path in folder.iterdir()] == ["Makefile"]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_command_in_the_documents_exists(repository: Path, document: str) -> None:
    text = (repository / document).read_text()
    # In code only: `make lab`, an indented command, or a line of a fenced block.
    named = set(re.findall(r"(?:`|^|&& |step )make (?:--[a-z-]+ )*([a-z][a-z-]*)", text, flags=re.MULTILINE))
    assert named or document == "environment.yml"
    assert named <= set(make_help(repository))


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_every_command_of_pgcourse_in_the_documents_exists(repository: Path, document: str) -> None:
    from pgcourse.cli import COMMANDS

    named = set(re.findall(r"(?:`|^|\\|/)pgcourse ([a-z]+)\b", (repository / document).read_text(), flags=re.MULTILINE))
    assert named <= set(COMMANDS)


def test_every_link_inside_the_repository_leads_somewhere(repository: Path) -> None:
    missing = []
    for document in ("README.md", "CONTRIBUTING.md"):
        text = (repository / document).read_text()
        headings = {re.sub(r"[^a-z0-9 -]", "", line.lstrip("# ").lower()).replace(" ", "-")
                    for line in text.splitlines() if line.startswith("#")}  # fmt: skip
        for target in re.findall(r"\]\(([^)]+)\)", text):
            if target.startswith("#"):
                found = target[1:] in headings
            else:
                found = target.startswith("https://") or (repository / target).exists()
            if not found:
                missing.append(f"{document}: {target}")
    assert missing == []


def test_shell_scripts_parse_and_are_executable(repository: Path) -> None:
    for shell, script in (("sh", "tools/setup.sh"), ("bash", ".ci/run")):
        path = repository / script
        assert os.access(path, os.X_OK), script
        subprocess.run([shell, "-n", path], check=True)


def test_tests_never_touch_the_learners_own_files(tmp_path: Path) -> None:
    home = Path(os.environ["PGCOURSE_HOME"])
    assert home.is_relative_to(tmp_path) and not home.exists()
    assert os.environ["SDL_VIDEODRIVER"] == "dummy"


def test_tests_use_one_thread() -> None:
    import torch

    assert torch.get_num_threads() == 1


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_git_does_not_see_the_learners_folder(repository: Path) -> None:
    if shutil.which("git") is None or not (repository / ".git").exists():
        pytest.skip("no git checkout")
    for name in ("Home.ipynb", "exercises/00_welcome.ipynb", ".pgcourse.json"):
        subprocess.run(["git", "check-ignore", "--quiet", f"pgcourse-work/{name}"], cwd=repository, check=True)


def test_make_clean_removes_what_make_demo_leaves_and_git_does_not_see_it(repository: Path) -> None:
    def commands(target: str) -> str:
        return subprocess.run(
            ["make", "-C", str(repository), "-n", target], capture_output=True, text=True, check=True
        ).stdout

    folder = re.search(r"pgcourse demo --out (\S+)", commands("demo"))
    assert folder is not None
    removed = re.search(r"^rm -rf (.+)$", commands("clean"), flags=re.MULTILINE)
    assert removed is not None
    assert {folder[1], *map(str, Path(folder[1]).parents)} & set(removed[1].split())
    if shutil.which("git") is not None and (repository / ".git").exists():
        ignored = ["git", "check-ignore", "--quiet", f"{folder[1]}/agent.gif"]
        subprocess.run(ignored, cwd=repository, check=True)


@pytest.mark.slow
def test_make_lab_serves_the_course_on_this_machine_only(repository: Path, tmp_path: Path) -> None:
    if not (repository / ".venv" / ".pgcourse-ready").exists():
        pytest.skip("not run through `make test-all`: .venv is not made by `make setup`")
    port = free_port()
    folders = {f"JUPYTER_{name}_DIR": str(tmp_path / name) for name in ("CONFIG", "RUNTIME", "DATA")}
    log = tmp_path / "log"
    with open(log, "w") as output:
        server = subprocess.Popen(
            ["make", "lab", f"ARGS={tmp_path / 'work'} --no-browser --port={port}"],
            cwd=repository,
            env={**os.environ, **folders},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 300
        while not (address := re.search(rf"http://127\.0\.0\.1:{port}\S+\?token=\w+", log.read_text())):
            assert time.monotonic() < deadline and server.poll() is None, log.read_text()
            time.sleep(0.2)
        assert "/lab/tree/Home.ipynb" in address[0]
        # The address is printed a moment before the server listens.
        while not is_listening(port):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        with urllib.request.urlopen(address[0], timeout=120) as page:
            assert page.status == 200
        contents = f"http://127.0.0.1:{port}/api/contents/exercises"
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(contents, timeout=120)
        # The learner's folder is shown, not the checkout.
        with urllib.request.urlopen(f"{contents}?{address[0].split('?')[1]}", timeout=120) as page:
            assert page.status == 200
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(
                contents.replace("exercises", "course") + "?" + address[0].split("?")[1], timeout=120
            )
        if sys.platform == "linux":
            listening = Path("/proc/net/tcp").read_text()
            assert f"0100007F:{port:04X}" in listening and f"00000000:{port:04X}" not in listening
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=120)
