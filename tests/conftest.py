"""What every test shares: no window, no display of figures, one thread, and never the learner's own files."""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# Set before torch, pygame or matplotlib is imported, and inherited by every process that a test starts. One
# thread each, because two workers share two cores. The folder is for whatever runs outside a test's fixtures.
_home = tempfile.mkdtemp(prefix="pgcourse-home-")
atexit.register(shutil.rmtree, _home, ignore_errors=True)
os.environ.update(
    PGCOURSE_HOME=_home,
    SDL_VIDEODRIVER="dummy",
    SDL_AUDIODRIVER="dummy",
    MPLBACKEND="Agg",
    OMP_NUM_THREADS="1",
    MKL_NUM_THREADS="1",
    OPENBLAS_NUM_THREADS="1",
)
# A shell without job control starts a background command, such as these tests, with SIGINT ignored, and every process
# that a test starts would inherit that: with a handler here they begin with the default.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def pgcourse_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test its own folder for progress files, so that no test sees another's."""
    home = tmp_path / "pgcourse-home"
    monkeypatch.setenv("PGCOURSE_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the root of the checkout."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def installed_wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the package as pip installs it from its wheel; first on PYTHONPATH, it stands for the checkout."""
    base = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(base)]
    done = subprocess.run(build, cwd=repository, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = base.glob("*.whl")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile"]
    done = subprocess.run([*install, "--target", str(base / "site"), str(wheel)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return base / "site"


@pytest.fixture(scope="session")
def run_python(repository: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run code in a fresh process, whose exit status has to be `status`."""

    def run(code: str, *, status: int = 0, **options: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", textwrap.dedent(code)]
        done = subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=300, **options)
        assert done.returncode == status, done.stderr
        return done

    return run
