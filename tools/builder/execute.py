"""Run notebooks in kernels of their own, the same way on every machine."""

import contextlib
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from pgcourse.errors import InvalidInput

CELL_TIMEOUT = 120  # [s]
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def kernel_environment(folder: str | os.PathLike[str]) -> dict[str, str]:
    """Environment of a kernel that keeps the learner's files and all settings in `folder`, not at home."""
    environment = dict(os.environ)
    # The one would keep figures out of the notebook, the other is the log of somebody else's checks.
    for name in ("MPLBACKEND", "PGCOURSE_CHECK_LOG"):
        environment.pop(name, None)
    environment.update(
        PGCOURSE_HOME=str(Path(folder) / "pgcourse"),
        IPYTHONDIR=str(Path(folder) / "ipython"),
        OMP_NUM_THREADS="1",
        SDL_VIDEODRIVER="dummy",
        PYGAME_HIDE_SUPPORT_PROMPT="1",
        PYDEVD_DISABLE_FILE_VALIDATION="1",
    )
    return environment


class Runner:
    """Runs notebooks, from several threads if wanted; `stop` ends all their kernels at once."""

    def __init__(self, *, cell_timeout: float = CELL_TIMEOUT) -> None:
        self.cell_timeout = cell_timeout
        self._lock = threading.Lock()
        self._managers: set[AsyncKernelManager] = set()
        self._stopped = False

    def execute(self, notebook: NotebookNode, *, folder: Path, allow_errors: bool = False) -> float:
        """Execute `notebook` in place, working in `folder`. Returns: seconds.

        Raises: InvalidInput saying which cell raised, ran out of time or ended the kernel.
        """
        # The interpreter that runs the build also runs the cells, whatever kernels the user has installed.
        manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
        client = NotebookClient(
            notebook,
            km=manager,
            timeout=self.cell_timeout,
            allow_errors=allow_errors,
            record_timing=False,
            store_widget_state=False,
            resources={"metadata": {"path": str(folder)}},
        )
        running: dict[str, Any] = {"index": 0}
        client.on_cell_start = lambda cell, cell_index: running.update(index=cell_index)
        start = time.perf_counter()
        with (
            tempfile.TemporaryDirectory(prefix="pgcourse-", ignore_cleanup_errors=True) as home,
            self._registered(manager),
        ):
            try:
                # cleanup_kc: the client ends the kernel although the manager is ours.
                # stderr: the process's own, where only the kernel's log goes; the cells' stderr is an output.
                client.execute(env=kernel_environment(home), cleanup_kc=True, stderr=subprocess.DEVNULL)
            except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                raise InvalidInput(_explain(notebook, running["index"], error, self.cell_timeout)) from error
        return time.perf_counter() - start

    @contextlib.contextmanager
    def _registered(self, manager: AsyncKernelManager) -> Iterator[None]:
        with self._lock:
            if self._stopped:
                raise InvalidInput("the build was interrupted; start it again")
            self._managers.add(manager)
        try:
            yield
        finally:
            with self._lock:
                self._managers.discard(manager)

    def stop(self) -> None:
        """End every running kernel with all its children; runs in other threads then raise InvalidInput."""
        with self._lock:
            self._stopped = True
            for manager in self._managers:
                process = getattr(manager.provisioner, "process", None)
                if process is None:
                    continue
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    if hasattr(os, "killpg"):
                        os.killpg(process.pid, signal.SIGKILL)  # the kernel leads its own group
                    else:
                        process.kill()


def _explain(notebook: NotebookNode, index: int, error: Exception, timeout: float) -> str:
    cell = notebook.cells[index]
    place = f"cell {index + 1} ({cell.id})"
    if isinstance(error, CellExecutionError):
        line = re.findall(r"^-+> (\d+ .*)$", ANSI.sub("", error.traceback), flags=re.MULTILINE)
        at = f" at line {line[0].strip()}" if line else ""
        reason = " ".join(ANSI.sub("", error.evalue).split())[:300]
        printed = "".join(output.text for output in cell.outputs if output.output_type == "stream")
        # Where a check refuses a solution, what it printed is the reason.
        said = f" (after printing: {' '.join(printed.split())[:300]})" if printed.strip() else ""
        return f"{place}: raises {error.ename}{': ' * bool(reason)}{reason}{at}{said}; repair the cell"
    if isinstance(error, CellTimeoutError):
        return f"{place}: runs longer than {timeout:g} s; make it do less, or show measured data from claims/"
    return f"{place}: the kernel died; run the cell alone to see why"
