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
        out, error = process.communicate(timeout=60)
        return process.returncode, out, error

    def calls(self) -> list[str]:
        return self.calls_file.read_text().splitlines() if self.calls_file.exists() else []

    def refused(self, **variables: str) -> str:
        """Run set-up, which must fail with status 2 and one line on standard error; return that line."""
        status, _, error = self.setup(**variables)
        assert status == 2, error
        assert error.count("\n") == 1 and error.startswith("setup: "), error
        return error


@pytest.fixture
def checkout(repository: Path, tmp_path: Path) -> Checkout:
    return Checkout(repository, tmp_path)


# --- Once, and again where something changed ----------------------------------------------------------------


def test_setup_installs_once_under_the_constraints(checkout: Checkout) -> None:
    checkout.add_python("python3", "3.12.4")
    status, out, error = checkout.setup()
    assert (status, error) == (0, "")
    assert "Python 3.12.4" in out and "make lab" in out
    install = checkout.calls()[-1]
    assert install.endswith("install -c constraints.txt --no-build-isolation -e .[dev,tensorboard,dask]")

    before = checkout.calls()
    start = time.perf_counter()
    assert checkout.setup() == (0, "", "")
    assert time.perf_counter() - start < 5
    assert checkout.calls() == before


def test_new_constraints_update_the_environment_without_making_it_anew(checkout: Checkout) -> None:
    checkout.add_python("python3", "3.12.4")
    checkout.setup()
    keep = checkout.root / ".venv" / "keep"
    keep.touch()
    with open(checkout.root / "constraints.txt", "a") as file:
        file.write("# one more line\n")
    number_of_calls = len(checkout.calls())
    assert checkout.setup()[0] == 0
    assert keep.exists()
    assert not any(call.startswith("venv") for call in checkout.calls()[number_of_calls:])
    assert len(checkout.calls()) > number_of_calls


def test_newest_fitting_python_is_chosen_and_PYTHON_overrides(checkout: Checkout, tmp_path: Path) -> None:
    checkout.add_python("python3.13", "3.13.1")
    checkout.add_python("python3", "3.11.2")
    assert "Python 3.13.1" in checkout.setup()[1]
    own = checkout.add_python("python", "3.12.9", folder=tmp_path / "own pythons")
    assert "Python 3.12.9" in checkout.setup(PYTHON=str(own))[1]
    assert checkout.setup() == (0, "", "")  # stays with 3.12


def test_python_without_venv_is_passed_over_where_another_has_it(checkout: Checkout) -> None:
    checkout.add_python("python3.13", "3.13.1", venv=False)
    checkout.add_python("python3.11", "3.11.2")
    status, out, _ = checkout.setup()
    assert status == 0 and "Python 3.11.2" in out


def test_torch_cpu_uses_pytorchs_index_for_torch_alone_and_is_remembered(checkout: Checkout) -> None:
    checkout.add_python("python3", "3.12.4")
    assert checkout.setup(TORCH="cpu")[0] == 0
    from_index = [call for call in checkout.calls() if "--index-url" in call]
    assert len(from_index) == 1
    assert from_index[0].endswith("--no-deps --index-url https://download.pytorch.org/whl/cpu torch")
    assert checkout.setup() == (0, "", "")
    assert checkout.setup(TORCH="cpu") == (0, "", "")


# --- Interrupted, moved, broken -----------------------------------------------------------------------------


def interrupt(checkout: Checkout, number: int, *, only_the_script: bool = False) -> subprocess.Popen[str]:
    """Start set-up with a pip that takes long, wait until pip runs, then send the signal."""
    process = checkout.start(FAKE_SECONDS="30")
    deadline = time.monotonic() + 30
    while not any("pip" in call for call in checkout.calls()):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    if only_the_script:
        process.send_signal(number)
    else:
        os.killpg(process.pid, number)
    process.wait(timeout=60)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_interrupted_setup_is_made_anew(checkout: Checkout, number: int) -> None:
    checkout.add_python("python3", "3.12.4")
    assert interrupt(checkout, number).returncode != 0
    half = checkout.root / ".venv" / "half-installed"
    half.touch()
    status, out, error = checkout.setup()
    assert (status, error) == (0, "")
    assert "did not finish" in out
    assert not half.exists()
    assert checkout.setup() == (0, "", "")


def test_setup_waits_for_no_one_but_never_works_beside_another(checkout: Checkout) -> None:
    checkout.add_python("python3", "3.12.4")
    process = interrupt(checkout, signal.SIGKILL, only_the_script=True)  # its pip lives on
    try:
        assert "another set-up is at work" in checkout.refused()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
    time.sleep(0.1)
    assert checkout.setup()[0] == 0


def test_venv_cut_short_before_its_python_is_made_anew(checkout: Checkout) -> None:
    checkout.add_python("python3", "3.12.4")
    (checkout.root / ".venv" / "bin").mkdir(parents=True)
    (checkout.root / ".venv" / ".pgcourse-unfinished").touch()
    assert checkout.setup()[0] == 0


def test_moved_folder_is_set_up_anew(checkout: Checkout) -> None:
    checkout.add_python("python3", "3.12.4")
    checkout.setup()
    checkout.root = checkout.root.rename(checkout.root.with_name("elsewhere"))
    status, out, _ = checkout.setup()
    assert status == 0 and "the folder has moved" in out


def test_python_that_has_gone_is_replaced(checkout: Checkout) -> None:
    checkout.add_python("python3", "3.12.4")
    checkout.setup()
    python = checkout.root / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    status, out, _ = checkout.setup()
    assert status == 0 and "no longer runs" in out


def test_a_folder_of_someone_elses_is_not_deleted(checkout: Checkout) -> None:
    checkout.add_python("python3", "3.12.4")
    notes = checkout.root / ".venv" / "notes.txt"
    notes.parent.mkdir()
    notes.write_text("mine")
    assert "is no virtual environment" in checkout.refused()
    assert notes.read_text() == "mine"


# --- One line for what goes wrong ---------------------------------------------------------------------------


def test_old_python_is_named_with_the_way_to_a_newer(checkout: Checkout) -> None:
    checkout.add_python("python3", "3.9.6")
    checkout.add_python("python", "2.7.18")
    line = checkout.refused()
    assert "3.11, 3.12 or 3.13 is needed, but python3 is 3.9.6, python is 2.7.18" in line
    assert "PYTHON=" in line
    assert not (checkout.root / ".venv").exists()


def test_python_too_new_is_refused_too(checkout: Checkout) -> None:
    checkout.add_python("python3", "3.14.0")
    assert "python3 is 3.14.0" in checkout.refused()


def test_no_python_at_all(checkout: Checkout) -> None:
    assert "no Python found" in checkout.refused()
    assert "PYTHON=/nowhere/python does not run" in checkout.refused(PYTHON="/nowhere/python")


def test_missing_venv_module_names_debians_package(checkout: Checkout) -> None:
    checkout.add_python("python3", "3.11.2", venv=False)
    assert "sudo apt install python3.11-venv" in checkout.refused()


def test_unknown_torch_build_is_refused(checkout: Checkout) -> None:
    checkout.add_python("python3", "3.12.4")
    assert "TORCH=gpu is not known; use TORCH=cpu" in checkout.refused(TORCH="gpu")


FAILURES: list[tuple[str, str]] = [
    (
        "WARNING: Retrying after connection broken by 'NewConnectionError(...)': /simple/torch/\n"
        "ERROR: Could not find a version that satisfies the requirement torch (from versions: none)\n"
        "ERROR: No matching distribution found for torch\n",
        "no connection to the package index",
    ),
    (
        "WARNING: Retrying after connection broken by 'SSLError(...CERTIFICATE_VERIFY_FAILED",
        "PIP_CERT",
    ),
    ("WARNING: Retrying after connection broken by 'ProxyError('Cannot connect to proxy.'", "HTTPS_PROXY"),
    (
        "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
        "the disk is full",
    ),
    (
        "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: 'x'",
        "no permission to write",
    ),
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
    checkout.add_python("python3", "3.12.4")
    (tmp_path / "output").write_text(output)
    line = checkout.refused(FAKE_OUTPUT=str(tmp_path / "output"), FAKE_STATUS="1")
    assert expected in line
    assert ".venv/setup.log" in line
    assert output.strip() in (checkout.root / ".venv" / "setup.log").read_text() or "disk is full" in line
    # And once the cause is gone, the same command succeeds.
    assert checkout.setup()[0] == 0


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_folder_for_a_plain_user(checkout: Checkout) -> None:
    checkout.add_python("python3", "3.12.4")
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
def test_closed_port_as_package_index(checkout: Checkout) -> None:
    closed = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull}
    assert "no connection to the package index" in real_setup(checkout, PIP_RETRIES="1", **closed)
    # Without retries pip does not say that it had no connection.
    assert "the package index does not answer" in real_setup(checkout, PIP_RETRIES="0", **closed)


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Return a function that mounts a small file system, unmounted after the test; root on Linux only."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting needs root on Linux")
    mounted: list[Path] = []

    def make(options: str) -> Path:
        folder = tmp_path / "small disk"
        folder.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"cannot mount here: {done.stderr.strip()}")
        mounted.append(folder)
        return folder

    yield make
    for folder in mounted:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("room", [0, 2**20, 20 * 2**20], ids=["none", "1 MiB", "20 MiB"])
def test_full_disk(repository: Path, mount: Callable[[str], Path], room: int) -> None:
    disk = mount("size=64m")
    checkout = Checkout(repository, disk)
    size = shutil.disk_usage(disk).used + room
    subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)
    assert "the disk is full" in real_setup(checkout)


@pytest.mark.slow
def test_read_only_disk(repository: Path, mount: Callable[[str], Path]) -> None:
    disk = mount("size=64m")
    checkout = Checkout(repository, disk)
    (checkout.bin / "python3").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    assert "no permission to write" in checkout.refused()
