"""`.ci/run` on machines that lack this and that: its commands are fakes that write down their calls."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

BASH = shutil.which("bash")
pytestmark = pytest.mark.skipif(BASH is None, reason="needs bash")

FITTING = "exit 0"
TOO_OLD = "exit 1"


class Machine:
    """A folder of fake commands that is the whole PATH, and a copy of the script."""

    def __init__(self, repository: Path, folder: Path) -> None:
        self.root = folder / "clone with spaces"
        (self.root / ".ci").mkdir(parents=True)
        shutil.copy(repository / ".ci" / "run", self.root / ".ci")
        self.bin = folder / "bin"
        self.bin.mkdir()
        (self.bin / "dirname").symlink_to(str(shutil.which("dirname")))
        self.calls = folder / "calls"

    def add(self, name: str, behaviour: str = "exit 0") -> None:
        path = self.bin / name
        path.write_text(f'#!{BASH}\necho "{name} $*" >>"{self.calls}"\n{behaviour}\n')
        path.chmod(0o755)

    def run(self) -> tuple[int, str, list[str]]:
        """Return the exit status, what was printed, and the calls that change or check something."""
        environment = {"PATH": str(self.bin), "CI": "true", "HOME": os.devnull}
        done = subprocess.run(
            [str(BASH), str(self.root / ".ci" / "run")],
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
        lines = self.calls.read_text().splitlines()
        return done.returncode, done.stdout, [line for line in lines if line.startswith(("apt-get", "make"))]


@pytest.fixture
def machine(repository: Path, tmp_path: Path) -> Machine:
    """Return a machine of root's with apt-get and make, and nothing else."""
    machine = Machine(repository, tmp_path)
    machine.add("id", "echo 0")
    machine.add("apt-get")
    machine.add("make")
    return machine


def test_checks_of_the_readme_run_in_order(machine: Machine) -> None:
    machine.add("chromium")
    machine.add("npm")
    machine.add("python3", FITTING)
    status, out, calls = machine.run()
    assert status == 0 and "all passed" in out
    steps = [
        "setup",
        "extras",
        "lint",
        "types",
        "claims ARGS=--stale",
        "javascript",
        "site",
        "--keep-going test test-all",
    ]
    assert calls == [f"make {step}" for step in steps]


def test_root_gets_what_is_missing_from_debian(machine: Machine) -> None:
    machine.add("python3", TOO_OLD)
    _, _, calls = machine.run()
    assert calls[:2] == [
        "apt-get update -qq",
        "apt-get install -y -qq --no-install-recommends chromium nodejs npm python3 python3-venv",
    ]


@pytest.mark.parametrize("lacks", ["id", "apt-get"], ids=["a plain user", "no apt"])
def test_where_nothing_can_be_installed_the_checks_run_all_the_same(machine: Machine, lacks: str) -> None:
    (machine.bin / lacks).unlink()
    machine.add("id", "echo 1000" if lacks == "id" else "echo 0")
    status, _, calls = machine.run()
    assert status == 0
    assert not any(call.startswith("apt-get") for call in calls)


@pytest.mark.parametrize("broken", ["lint", "types", "claims", "test"])
def test_one_failure_fails_the_run_but_stops_no_other_check(machine: Machine, broken: str) -> None:
    machine.add("make", f'[[ "$*" != *{broken}* ]]')
    status, out, calls = machine.run()
    assert status == 1
    assert "== failed: make" in out and broken in out.rsplit("== failed:", 1)[1]
    assert len([call for call in calls if call.startswith("make")]) == 8


def test_a_failed_setup_ends_the_run(machine: Machine) -> None:
    machine.add("make", '[[ "$*" != setup ]]')
    status, out, calls = machine.run()
    assert status == 1 and "failed: make setup" in out
    assert calls[-1] == "make setup"
