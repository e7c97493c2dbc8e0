"""Check a learner's notebook from the command line: run it in a kernel of its own and collect what its checks said."""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError

from pgcourse.checks.exercise import CheckResult, exercises
from pgcourse.checks.learner import LOG_VARIABLE
from pgcourse.errors import InvalidInput

_CHECK = re.compile(r"""^[^#\n]*\bcheck\(\s*["'](\w+)["']""", re.MULTILINE)


@dataclass(frozen=True)
class NotebookReport:
    """Outcome of `check_notebook`: results in the notebook's order, and a line for each cell that could not run.

    Iterating gives the pairs (exercise id, result).
    """

    results: list[tuple[str, CheckResult]]
    problems: list[str]

    def __iter__(self) -> Iterator[tuple[str, CheckResult]]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    def text(self) -> str:
        """All of it as plain text."""
        correct = sum(result.status == "correct" for _, result in self.results)
        total = f"{correct} of {len(self.results)} correct"
        return "\n".join([*(result.message for _, result in self.results), *self.problems, total])


def check_notebook(path: str | os.PathLike[str], *, cell_timeout: int = 120) -> NotebookReport:
    """Run the notebook (it is not changed on disk) in its own folder and report each check. Progress is updated.

    Args: path: an .ipynb file. cell_timeout: seconds for one cell; a slower one is interrupted and the rest still runs.
    Raises: InvalidInput for a missing file, one that is no notebook, and one without checks.
    """
    file = Path(path)
    notebook = _read(file)
    wanted = _ids(notebook)
    if not wanted:
        raise InvalidInput(f'{file} holds no checks; give an exercise notebook, with cells such as check("gae", gae)')
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "checks.jsonl"
        manager = AsyncKernelManager(kernel_name="python3")
        # No folders: the kernel is this very Python, whatever kernels the user has installed under that name.
        manager.kernel_spec_manager = KernelSpecManager(kernel_dirs=[])
        client = NotebookClient(
            notebook,
            km=manager,
            timeout=cell_timeout,
            interrupt_on_timeout=True,
            allow_errors=True,
            extra_arguments=["--IPKernelApp.log_level=ERROR"],  # its warnings are not about the learner's code
            resources={"metadata": {"path": str(file.resolve().parent)}},
        )
        client.log.disabled = True
        problems = []
        try:
            client.execute(env={**os.environ, LOG_VARIABLE: str(log)})
        except DeadKernelError:
            problems.append("The kernel died: a cell ended the process or used up the memory. Later cells did not run.")
        except CellTimeoutError:
            problems.append(
                f"A cell ran longer than {cell_timeout} s and could not be interrupted. Later cells did not run."
            )
        logged = _logged(log)
    problems = [*_broken_cells(notebook), *problems]
    missing = "its check did not run" + (f": {problems[0]}" if problems else "")
    return NotebookReport([(id, logged.get(id) or _not_run(id, missing)) for id in wanted], problems)


def _read(file: Path) -> Any:
    try:
        notebook = nbformat.read(file, as_version=4)
    except FileNotFoundError:
        raise InvalidInput(f"there is no file {file}; give the path of an exercise notebook") from None
    except OSError as error:
        raise InvalidInput(f"cannot read {file}: {error.strerror or error}") from None
    except Exception:
        raise InvalidInput(f"{file} is no Jupyter notebook; give a file that ends in .ipynb") from None
    if not isinstance(notebook.get("cells"), list):
        raise InvalidInput(f"{file} is no Jupyter notebook; give a file that ends in .ipynb")
    return notebook


def _ids(notebook: Any) -> list[str]:
    known = {exercise.id for exercise in exercises()}
    found = [id for cell in notebook.cells if cell.cell_type == "code" for id in _CHECK.findall(cell.source)]
    return [id for id in dict.fromkeys(found) if id in known]


def _logged(log: Path) -> dict[str, CheckResult]:
    if not log.exists():
        return {}
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return {line["id"]: CheckResult(line["status"], line["message"], line["misconception"]) for line in lines}


def _broken_cells(notebook: Any) -> list[str]:
    problems = []
    for index, cell in enumerate(notebook.cells, 1):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                first = cell.source.strip().partition("\n")[0][:60]
                message = str(output.evalue).strip().partition("\n")[0][:160]
                problems.append(f"Cell {index} ({first}) raised {output.ename}{': ' * bool(message)}{message}")
    return problems


def _not_run(id: str, reason: str) -> CheckResult:
    return CheckResult("not attempted", f"{id}: not attempted; {reason}")


if __name__ == "__main__":
    print(check_notebook(sys.argv[1]).text())
