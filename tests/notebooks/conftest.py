"""Execute the lessons and the solutions with nbval as part of the suite: `pytest tests/notebooks`.

nbval collects a notebook only where it is named on the command line. Here the notebooks in executed.notebooks
are collected, in every run that reaches this folder, each cell as one test. A cell fails when it raises, hangs, or is
marked nbval-check-output and gives another output than the stored one.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any
from unittest import mock

import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

from tools.builder.execute import ANSI, CELL_TIMEOUT, kernel_environment

NBVAL_DEFAULT_TIMEOUT = 2000  # [s]
# The build refuses a cell that takes longer than CELL_TIMEOUT; tests also run on a machine that does much else.
HANGS = 5 * CELL_TIMEOUT  # [s]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take the list of notebooks for a file of tests."""
    if file_path.suffix == ".notebooks":
        return NotebookList.from_parent(parent, path=file_path)
    return None


class NotebookList(pytest.File):
    """The notebooks that a list names."""

    def collect(self) -> Iterator[pytest.Collector]:
        root = self.path.parent.parent.parent
        option = self.config.option
        option.nbval_current_env = True
        if option.nbval_cell_timeout == NBVAL_DEFAULT_TIMEOUT:
            option.nbval_cell_timeout = HANGS
        for line in self.path.read_text(encoding="utf-8").splitlines():
            if line.strip() and not line.startswith("#"):
                for path in sorted(root.glob(line.strip())):
                    yield ExecutedNotebook.from_parent(self, path=path)


class ExecutedNotebook(IPyNbFile):
    """One notebook, in a kernel with an empty home for the learner's files."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.compare_outputs = False  # only marked cells, as with --nbval-lax

    def setup(self) -> None:
        self.home = tempfile.mkdtemp(prefix="pgcourse-nbval-")
        with mock.patch.dict(os.environ, kernel_environment(self.home), clear=True):
            super().setup()
        _notice_death(self.kernel)

    def teardown(self) -> None:
        super().teardown()
        shutil.rmtree(self.home, ignore_errors=True)

    def collect(self) -> Iterator["NotebookCell"]:
        for item in super().collect():
            position = 1 + next(i for i, cell in enumerate(self.nb.cells) if cell is item.cell)
            yield NotebookCell.from_parent(
                self,
                name=f"cell {position} ({item.cell.get('id', 'no id')})",
                cell_num=item.cell_num,
                cell=item.cell,
                options=item.options,
            )


class NotebookCell(IPyNbCell):
    """One code cell; its name says where it stands in JupyterLab, counted from 1, and its id."""

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"{self.path.parent.name}/{self.path.name}, {self.name}"

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> str:
        # The kernel colours its tracebacks even where nobody sees colours.
        return ANSI.sub("", f"{self.reportinfo()[2]}\n{super().repr_failure(excinfo)}")


def _notice_death(kernel: Any) -> None:
    """Let a cell that ends its kernel fail within a second; nbval waits out the cell's timeout."""
    await_reply = kernel.await_reply

    def watchful(msg_id: str, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while True:
            try:
                return await_reply(msg_id, timeout=1)
            except Empty:
                if not kernel.is_alive():
                    raise RuntimeError("the cell ended its kernel; the cells below it fail too") from None
                if time.monotonic() > deadline:
                    raise

    kernel.await_reply = watchful
