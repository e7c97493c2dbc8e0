"""The wheel alone is the whole course: nothing of it needs the checkout."""

import os
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

# Of each kind one of the first, and those that lean most on what lies beside the package: claims, curves, clinic.
BARE = (
    "notebooks/00_welcome.ipynb",
    "notebooks/07_trustworthy_experiments.ipynb",
    "exercises/00_welcome.ipynb",
    "exercises/04_ppo.ipynb",
)
RUN = """
import sys
import nbformat
from nbclient import NotebookClient

import pgcourse
assert pgcourse.__file__.startswith(sys.argv[2]), pgcourse.__file__
notebook = nbformat.read(sys.argv[1], as_version=4)
where = nbformat.v4.new_code_cell("import pgcourse; print(pgcourse.__file__)")
notebook.cells.insert(0, where)
NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
assert where.outputs[0].text.startswith(sys.argv[2]), where.outputs[0].text
"""


def test_the_wheel_carries_the_package_and_the_course_alone(repository: Path, installed_wheel: Path) -> None:
    (wheel,) = installed_wheel.parent.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    own = wheel.name.removesuffix("-py3-none-any.whl") + ".dist-info"
    assert {name.split("/")[0] for name in names} == {"pgcourse", own}
    carried = {name.removeprefix("pgcourse/_course/") for name in names if name.startswith("pgcourse/_course/")}
    wanted = [*repository.glob("claims/*.json"), *repository.glob("course/*.exercises.py")]
    wanted += [*repository.glob("notebooks/*.ipynb"), *repository.glob("exercises/*.ipynb")]
    wanted += [repository / "docs" / "symbols.md", repository / "docs" / "agent.gif"]
    assert carried == {path.relative_to(repository).as_posix() for path in wanted}
    scripts = {path.relative_to(repository).as_posix() for path in repository.glob("pgcourse/**/*.[jc]s*")}
    assert scripts <= set(names), "what runs or is styled in the page"


def test_an_empty_folder_becomes_a_work_folder_and_the_package_is_not_written(
    installed_wheel: Path, tmp_path: Path
) -> None:
    before = {path: path.stat().st_mtime_ns for path in (installed_wheel / "pgcourse" / "_course").rglob("*")}
    code = (
        "from pathlib import Path; from pgcourse.workfolder import open_folder, update_folder; "
        "print(open_folder(Path('mine'), '1')); print(update_folder(Path('mine'), '1'))"
    )
    environment = os.environ | {"PYTHONPATH": str(installed_wheel), "JUPYTER_DATA_DIR": str(tmp_path / "jupyter")}
    done = subprocess.run(
        [sys.executable, "-B", "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "update_available=False" in done.stdout and done.stdout.endswith("[]\n")
    assert len(list((tmp_path / "mine").glob("*/*.ipynb"))) == 20
    assert {path: path.stat().st_mtime_ns for path in (installed_wheel / "pgcourse" / "_course").rglob("*")} == before


@pytest.mark.slow
def test_lessons_and_exercises_run_alone_in_an_empty_folder_of_bare_jupyter(
    installed_wheel: Path, tmp_path: Path
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(installed_wheel), "PGCOURSE_HOME": str(tmp_path / "home")}
    environment.pop("MPLBACKEND")

    def run(name: str) -> str:
        folder = tmp_path / name
        folder.mkdir(parents=True)
        notebook = installed_wheel / "pgcourse" / "_course" / name
        command = [sys.executable, "-c", RUN, str(notebook), str(installed_wheel)]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        return "" if done.returncode == 0 else f"{name}:\n{done.stderr[-2000:]}"

    with ThreadPoolExecutor(2) as pool:
        assert [trouble for trouble in pool.map(run, BARE) if trouble] == []
