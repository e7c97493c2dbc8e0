"""`make setup`: done once, repaired after an interruption, and one line for whatever goes wrong.

A fake Python stands in for the real one, so nothing is downloaded and each test takes a fraction of a second.
The PATH holds only the tools that the script may rely on, so these tests also show that it needs no others.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="make setup is for Linux and macOS")

TOOLS = ["sh", "cat", "cksum", "cut", "dirname", "env", "grep", "mkdir", "ps", "rm", "rmdir", "sed", "sleep"]
TOOLS += ["tail", "tr", "uname"]
HANGS = 300  # [s] on no machine so slow

# Answers what setup.sh asks of a Python; FAKE_* say how. Writes each call of pip and venv to $FAKE_CALLS.
FAKE_PYTHON = r"""#!/bin/sh
case "$1 $2" in
'-c import sys;'*'%d.%d.%d'*) echo "VERSION" ;;
'-c import sys;'*) echo "VERSION" | cut -d. -f1,2 ;;
'-c import venv'*) exit ENSUREPIP ;;
'-c import pip'*) exit 0 ;;
'-m venv')
    echo "venv by $0" >>"$FAKE_CALLS"
    mkdir -p "$4/bin" && cp "$0" "$4/bin/python" && echo "version = VERSION" >"$4/pyvenv.cfg" ;;
'-m ensurepip') ;;
'-m pip')
    echo "$*" >>"$FAKE_CALLS"
    sleep "${FAKE_SECONDS:-0}"
    [ -z "${FAKE_OUTPUT:-}" ] || cat "$FAKE_OUTPUT"
    exit "${FAKE_STATUS:-0}" ;;
*) exit 99 ;;
esac
"""


class Checkout:
    """A copy of what set-up reads, in a folder with spaces in its name, with a PATH of its own."""

    def __init__(self, repository: Path, folder: Path) -> None:
        self.root = folder / "my course, unit 1"
        self.venv = self.root / ".venv"
        self.bin = folder / "bin"
        self.calls_file = folder / "calls"
        (self.root / "tools").mkdir(parents=True)
        self.bin.mkdir()
        for name in ("pyproject.toml", "constraints.txt", "tools/setup.sh"):
            shutil.copy(repository / name, self.root / name)
        # What a real pip needs to install the course itself.
        (self.root / "pgcourse").mkdir()
        for name in ("README.md", "LICENSE", "pgcourse/__init__.py"):
            (self.root / name).touch()
        for tool in (*TOOLS, "cp"):  # cp is the fake Python's
            if found := shutil.which(tool):
                (self.bin / tool).symlink_to(found)

    def add_python(self, name: str, version: str, *, venv: bool = True, folder: Path | None = None) -> Path:
        path = (folder or self.bin) / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(FAKE_PYTHON.replace("VERSION", version).replace("ENSUREPIP", "0" if venv else "1"))
        path.chmod(0o755)
        return path

    def start(self, **variables: str) -> subprocess.Popen[str]:
        environment = {"PATH": str(self.bin), "FAKE_CALLS": str(self.calls_file), **variables}
        command = ["sh", str(self.root / "tools" / "setup.sh")]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, env=environment, cwd="/", stdout=pipe, stderr=pipe, text=True, start_new_session=True
        )

    def setup(self, **variables: str) -> tuple[int, str, str]:
        process = self.start(**variables)
        out, error = process.communicate(timeout=HANGS)
        return process.returncode, out, error

    def succeeds(self, **variables: str) -> str:
        """Run set-up, which must succeed without a complaint; return what it said."""
        status, out, error = self.setup(**variables)
        assert (status, error) == (0, "")
        return out

    def refused(self, **variables: str) -> str:
        """Run set-up, which must fail with status 2 and one line on standard error; return that line."""
        status, _, error = self.setup(**variables)
        assert status == 2, error
        assert error.count("\n") == 1 and error.startswith("setup: "), error
        return error

    def calls(self) -> list[str]:
        return self.calls_file.read_text().splitlines() if self.calls_file.exists() else []


@pytest.fixture
def bare(repository: Path, tmp_path: Path) -> Checkout:
    """Return a checkout on a machine without any Python."""
    return Checkout(repository, tmp_path)


@pytest.fixture
def checkout(bare: Checkout) -> Checkout:
    """Return a checkout on a machine with Python 3.12."""
    bare.add_python("python3", "3.12.4")
    return bare


# --- Once, and again where something changed ----------------------------------------------------------------


def test_setup_installs_once_under_the_constraints(checkout: Checkout) -> None:
    out = checkout.succeeds()
    assert "Python 3.12.4" in out and "make lab" in out
    before = checkout.calls()
    assert before[-1].endswith("install -c constraints.txt --no-build-isolation -e .[dev,tensorboard,dask]")
    assert checkout.succeeds() == ""
    assert checkout.calls() == before


def test_new_constraints_update_the_environment_without_making_it_anew(checkout: Checkout) -> None:
    checkout.succeeds()
    keep = checkout.venv / "keep"
    keep.touch()
    with open(checkout.root / "constraints.txt", "a") as file:
        file.write("# one more line\n")
    number_of_calls = len(checkout.calls())
    checkout.succeeds()
    assert keep.exists()
    again = checkout.calls()[number_of_calls:]
    assert again and not any(call.startswith("venv") for call in again)


def test_newest_fitting_python_is_chosen_and_PYTHON_overrides(bare: Checkout, tmp_path: Path) -> None:
    bare.add_python("python3.13", "3.13.1", venv=False)  # passed over
    bare.add_python("python3.12", "3.12.4")
    bare.add_python("python3", "3.11.2")
    assert "Python 3.12.4" in bare.succeeds()
    own = bare.add_python("python", "3.11.9", folder=tmp_path / "own pythons")
    assert "Python 3.11.9" in bare.succeeds(PYTHON=str(own))
    assert bare.succeeds() == ""  # stays with 3.11


def test_torch_cpu_uses_pytorchs_index_for_torch_alone_and_is_remembered(checkout: Checkout) -> None:
    checkout.succeeds(TORCH="cpu")
    (from_index,) = [call for call in checkout.calls() if "--index-url" in call]
    assert from_index.endswith("--no-deps --index-url https://download.pytorch.org/whl/cpu torch")
    assert checkout.succeeds() == checkout.succeeds(TORCH="cpu") == ""


# --- Interrupted, moved, broken -----------------------------------------------------------------------------


def interrupt(checkout: Checkout, number: int, *, only_the_script: bool = False) -> subprocess.Popen[str]:
    """Start set-up with a pip that takes long, wait until pip runs, then send the signal."""
    process = checkout.start(FAKE_SECONDS=str(HANGS))
    deadline = time.monotonic() + HANGS
    while not any("pip" in call for call in checkout.calls()):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    if only_the_script:
        process.send_signal(number)
    else:
        os.killpg(process.pid, number)
    process.wait(timeout=HANGS)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_interrupted_setup_is_made_anew(checkout: Checkout, number: int) -> None:
    assert interrupt(checkout, number).returncode != 0
    half = checkout.venv / "half-installed"
    half.touch()
    assert "did not finish" in checkout.succeeds()
    assert not half.exists()
    assert checkout.succeeds() == ""


def test_setup_waits_for_no_one_but_never_works_beside_another(checkout: Checkout) -> None:
    process = interrupt(checkout, signal.SIGKILL, only_the_script=True)  # its pip lives on
    try:
        assert "another set-up is at work" in checkout.refused()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + HANGS
    while "another set-up is at work" in checkout.setup()[2]:  # until the system has ended it
        assert time.monotonic() < deadline
    assert checkout.succeeds() == ""


def test_venv_cut_short_before_its_python_is_made_anew(checkout: Checkout) -> None:
    (checkout.venv / "bin").mkdir(parents=True)
    (checkout.venv / ".pgcourse-unfinished").touch()
    assert "did not finish" in checkout.succeeds()


def test_a_moved_folder_and_a_python_that_has_gone_are_set_up_anew(checkout: Checkout) -> None:
    checkout.succeeds()
    python = checkout.venv / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    assert "no longer runs" in checkout.succeeds()
    checkout.root.rename(checkout.root.with_name("elsewhere"))
    checkout.root = checkout.root.with_name("elsewhere")
    assert "the folder has moved" in checkout.succeeds()


def test_a_folder_of_someone_elses_is_not_deleted(checkout: Checkout) -> None:
    checkout.venv.mkdir()
    notes = checkout.venv / "notes.txt"
    notes.write_text("mine")
    assert "is no virtual environment" in checkout.refused()
    assert notes.read_text() == "mine"


# --- One line for what goes wrong ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pythons", "variables", "said"),
    [
        (
            {"python3": "3.9.6", "python": "2.7.18"},
            {},
            ["3.11, 3.12 or 3.13 is needed, but python3 is 3.9.6, python is 2.7.18", "PYTHON="],
        ),
        ({"python3": "3.14.0"}, {}, ["python3 is 3.14.0"]),
        ({}, {}, ["no Python found"]),
        ({}, {"PYTHON": "/nowhere/python"}, ["PYTHON=/nowhere/python does not run"]),
        ({"python3": "3.12.4"}, {"TORCH": "gpu"}, ["TORCH=gpu is not known; use TORCH=cpu"]),
    ],
)
def test_what_cannot_be_used_is_named_and_nothing_is_made(
    bare: Checkout, pythons: dict[str, str], variables: dict[str, str], said: list[str]
) -> None:
    for name, version in pythons.items():
        bare.add_python(name, version)
    line = bare.refused(**variables)
    assert all(words in line for words in said)
    assert not bare.venv.exists()


def test_missing_venv_module_names_debians_package(bare: Checkout) -> None:
    bare.add_python("python3", "3.11.2", venv=False)
    assert "sudo apt install python3.11-venv" in bare.refused()


BROKEN = "WARNING: Retrying after connection broken by "
NOT_INSTALLED = "ERROR: Could not install packages due to an OSError: "
FAILURES: list[tuple[str, str]] = [
    (
        f"{BROKEN}'NewConnectionError(...)': /simple/torch/\n"
        "ERROR: Could not find a version that satisfies the requirement torch (from versions: none)\n"
        "ERROR: No matching distribution found for torch\n",
        "no connection to the package index",
    ),
    (f"{BROKEN}'SSLError(...CERTIFICATE_VERIFY_FAILED", "PIP_CERT"),
    (f"{BROKEN}'ProxyError('Cannot connect to proxy.'", "HTTPS_PROXY"),
    (f"{NOT_INSTALLED}[Errno 28] No space left on device", "the disk is full"),
    (f"{NOT_INSTALLED}[Errno 13] Permission denied: 'x'", "no permission to write"),
    (
        "ERROR: Could not find a version that satisfies torch==2.13.0 (from versions: 2.2.2)\n"
        "ERROR: No matching distribution found for torch==2.13.0\n",
        "PyTorch has no build for this system",
    ),
    ("ERROR: Cannot install a and b because these package versions have conflicts.", "have conflicts"),
    (
        "  OSError: Readme file does not exist: README.md\n  [end of output]\n"
        "error: subprocess-exited-with-error\nnote: not an issue of pip\nhint: See above for details.",
        "Readme file does not exist",
    ),
    ("Segmentation fault", "Segmentation fault"),
]


@pytest.mark.parametrize(("output", "expected"), FAILURES, ids=[expected for _, expected in FAILURES])
def test_failure_of_pip_is_explained_and_the_log_kept(
    checkout: Checkout, tmp_path: Path, output: str, expected: str
) -> None:
    (tmp_path / "output").write_text(output)
    line = checkout.refused(FAKE_OUTPUT=str(tmp_path / "output"), FAKE_STATUS="1")
    assert expected in line
    assert ".venv/setup.log" in line
    assert output.strip() in (checkout.venv / "setup.log").read_text() or "disk is full" in line
    # And once the cause is gone, the same command succeeds.
    checkout.succeeds()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_folder_for_a_plain_user(checkout: Checkout) -> None:
    checkout.root.chmod(0o555)
    try:
        assert "no permission to write" in checkout.refused()
    finally:
        checkout.root.chmod(0o755)


# --- The same with a real Python, a real pip and a real disk ------------------------------------------------


def real_setup(checkout: Checkout, **variables: str) -> str:
    """Run set-up with this Python; return its one line of complaint."""
    if not (checkout.bin / "python3").exists():
        (checkout.bin / "python3").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    environment = {name: os.environ[name] for name in ("HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    return checkout.refused(**environment, **variables)


@pytest.mark.slow
def test_closed_port_as_package_index(bare: Checkout) -> None:
    closed = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull}
    assert "no connection to the package index" in real_setup(bare, PIP_RETRIES="1", **closed)
    # Without retries pip does not say that it had no connection.
    assert "the package index does not answer" in real_setup(bare, PIP_RETRIES="0", **closed)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[tuple[Path, Callable[[str], None]]]:
    """Return the folder of a small file system and a function that changes its options; root on Linux only."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting needs root on Linux")
    folder = tmp_path / "small disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", folder]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"cannot mount here: {done.stderr.strip()}")
    yield folder, lambda options: subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("room", [0, 2**20, 20 * 2**20], ids=["none", "1 MiB", "20 MiB"])
def test_full_disk(repository: Path, disk: tuple[Path, Callable[[str], None]], room: int) -> None:
    folder, remount = disk
    checkout = Checkout(repository, folder)
    remount(f"size={shutil.disk_usage(folder).used + room}")
    assert "the disk is full" in real_setup(checkout)


@pytest.mark.slow
def test_read_only_disk(repository: Path, disk: tuple[Path, Callable[[str], None]]) -> None:
    folder, remount = disk
    checkout = Checkout(repository, folder)
    checkout.add_python("python3", "3.12.4")
    remount("ro")
    assert "no permission to write" in checkout.refused()
