"""A learner's folder: made, opened again, and brought to another version with nothing lost."""

import base64
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.sign import NotebookNotary

from pgcourse.checks.catalogue import EXERCISES
from pgcourse.errors import InvalidInput
from pgcourse.workfolder import MANIFEST, changed_files, open_folder, update_folder
from pgcourse.workfolder.handed_out import course_files, read_manifest
from pgcourse.workfolder.trust import is_trusted, trust_unchanged

Files = dict[str, bytes]
ANSWERS = [exercise.id for exercise in EXERCISES if exercise.unit in ("00", "01", "02")]
CHANGED_STUB = 'def standardize(x, *, eps=1e-8):\n    """Now with eps."""\n    raise NotImplementedError("standardize")'
ANSWER = "def {}(*arguments, **options):\n    # MINE: {}\n    return {}"


@pytest.fixture(autouse=True)
def own_signatures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))


@pytest.fixture(scope="module")
def course() -> Files:
    """The course without the outputs of its lessons, which are megabytes."""
    files = course_files()
    for path in files:
        if path.startswith("notebooks/"):
            notebook = nbformat.reads(files[path].decode(), as_version=4)
            for it in notebook.cells:
                it.update({"outputs": []} if it.cell_type == "code" else {})
            files[path] = nbformat.writes(notebook).encode()
    return files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "pgcourse-work"


def content(folder: Path) -> Files:
    """Every file of the folder but the record."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and file.name != MANIFEST
    }


def edit(file: Path, change: Callable[[NotebookNode], object]) -> None:
    notebook = nbformat.read(file, as_version=4)
    change(notebook)
    nbformat.write(notebook, file)


def cell(notebook: NotebookNode, id: str) -> NotebookNode:
    return next(cell for cell in notebook.cells if cell.id == id)


def second_version(files: Files) -> Files:
    """The course as it could be next year: other words, a changed stub, an exercise more and one fewer."""
    new = dict(files)
    for path in files:
        if path.endswith(".ipynb"):
            notebook = nbformat.reads(files[path].decode(), as_version=4)
            notebook.cells[0].source += "\n\nRevised."
            notebook.cells[0].id = "title-of-the-second-version"
            if path == "exercises/01_reinforce.ipynb":
                cell(
                    notebook, "standardize"
                ).source = 'def standardize(x, *, eps=1e-8):\n    """Now with eps."""\n    raise NotImplementedError'
                more = nbformat.v4.new_code_cell('def brand_new():\n    raise NotImplementedError("brand_new")')
                more.id, more.metadata = "brand_new", cell(notebook, "standardize").metadata | {}
                more.metadata["nbgrader"] = {**more.metadata["nbgrader"], "grade_id": "brand_new"}
                notebook.cells.append(more)
            if path == "exercises/02_baselines.ipynb":
                notebook.cells = [it for it in notebook.cells if it.id not in ("value_loss", "check-value_loss")]
            new[path] = nbformat.writes(notebook).encode()
    new["docs/symbols.md"] = files["docs/symbols.md"] + b"\nOne more symbol.\n"
    new["notebooks/09_more.ipynb"] = files["notebooks/08_trpo.ipynb"]
    del new["notebooks/08_trpo.ipynb"]
    return new


def test_a_new_folder_holds_the_course_and_every_link_in_it_leads_somewhere(folder: Path, course: Files) -> None:
    opened = open_folder(folder, "1", course)
    assert (opened.version, opened.update_available) == ("1", False)
    assert content(folder) == course
    missing = []
    for path, text in course.items():
        if path.endswith(".ipynb"):
            for it in nbformat.reads(text.decode(), as_version=4).cells:
                for link in re.findall(r"\]\(((?:\.\./|\d\d_)[\w./-]+)\)", it.source):
                    if it.cell_type == "markdown" and not (folder / path).parent.joinpath(link).exists():
                        missing.append((path, link))
    assert missing == []


def test_an_existing_folder_is_opened_as_it_is_and_gets_what_it_lacks(folder: Path, course: Files) -> None:
    open_folder(folder, "1", {path: text for path, text in course.items() if "07" not in path})
    mine = folder / "exercises/00_welcome.ipynb"
    mine.write_text("anything that I wrote")
    again = open_folder(folder, "2", second_version(course))
    assert mine.read_text() == "anything that I wrote"
    assert (folder / "notebooks/01_reinforce.ipynb").read_bytes() == course["notebooks/01_reinforce.ipynb"]
    assert (folder / "notebooks/07_trustworthy_experiments.ipynb").exists()
    assert (again.version, again.update_available) == ("1", True)
    assert list(changed_files(folder)) == ["exercises/00_welcome.ipynb"]


@pytest.mark.parametrize("name", [".", "exercises/.."])
def test_the_course_itself_is_refused(repository: Path, course: Files, name: str) -> None:
    with pytest.raises(InvalidInput, match="is the course itself, which is never written"):
        open_folder(repository / name, "1", course)
    with pytest.raises(InvalidInput, match="is the course itself, which is never written"):
        update_folder(repository / name, "1", course)
    assert not (repository / MANIFEST).exists()


def test_a_folder_with_other_things_in_it_a_file_and_no_folder_are_refused(tmp_path: Path, course: Files) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(InvalidInput, match="holds other files; give a new or an empty folder"):
        open_folder(tmp_path, "1", course)
    with pytest.raises(InvalidInput, match="is a file; give a folder"):
        open_folder(tmp_path / "thesis.tex", "1", course)
    with pytest.raises(InvalidInput, match="make one with: pgcourse lab"):
        update_folder(tmp_path / "nowhere", "1", course)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


def work(folder: Path) -> None:
    """Answer the 13 exercises of three units, and add a cell to a lesson and to an exercise notebook."""
    for name in ("00_welcome", "01_reinforce", "02_baselines"):

        def solve(notebook: NotebookNode, name: str = name) -> None:
            for number, id in enumerate(ANSWERS):
                for it in notebook.cells:
                    if it.id == id:
                        it.source = ANSWER.format(id, id, number)
            notebook.cells.insert(2, nbformat.v4.new_code_cell("# MINE: an experiment", id=f"experiment-{name[:2]}"))

        edit(folder / f"exercises/{name}.ipynb", solve)
    edit(
        folder / "notebooks/03_a2c_gae.ipynb", lambda it: it.cells.append(nbformat.v4.new_markdown_cell("# MINE: note"))
    )
    edit(folder / "notebooks/04_ppo.ipynb", lambda it: it.cells[0].update(source="# MINE: title"))
    (folder / "notes.txt").write_text("MINE: notes")


def own_lines(folder: Path) -> list[str]:
    found = []
    for path, text in content(folder).items():
        lines = text.decode().splitlines()
        if path.endswith(".ipynb"):
            lines = [
                line for it in nbformat.reads(text.decode(), as_version=4).cells for line in it.source.splitlines()
            ]
        found += [line.strip() for line in lines if "MINE" in line]
    return sorted(found)


def test_an_update_over_two_versions_keeps_13_answers(folder: Path, course: Files) -> None:
    assert len(ANSWERS) == 13
    open_folder(folder, "1", course)
    work(folder)
    mine, new = own_lines(folder), second_version(course)
    assert len(mine) == 13 + 3 + 3
    lines = update_folder(folder, "2", new)
    assert own_lines(folder) == mine
    for exercise in EXERCISES:
        if exercise.id in ANSWERS and exercise.id != "value_loss":
            (path,) = folder.glob(f"exercises/{exercise.unit}_*.ipynb")
            number = ANSWERS.index(exercise.id)
            kept = cell(nbformat.read(path, as_version=4), exercise.id)
            assert (kept.cell_type, kept.source) == ("code", ANSWER.format(exercise.id, exercise.id, number))
    reinforce = nbformat.read(folder / "exercises/01_reinforce.ipynb", as_version=4)
    assert cell(reinforce, "brand_new").source.startswith("def brand_new")
    gone = nbformat.read(folder / "exercises/02_baselines.ipynb", as_version=4)
    assert [it.cell_type for it in gone.cells if "# MINE: value_loss" in it.source] == ["raw"]
    assert (folder / "notebooks/00_welcome.ipynb").read_bytes() == new["notebooks/00_welcome.ipynb"]
    assert (folder / "docs/symbols.md").read_bytes() == new["docs/symbols.md"]
    assert not (folder / "notebooks/08_trpo.ipynb").exists() and (folder / "notebooks/09_more.ipynb").exists()
    said = "\n".join(lines)
    for words in (
        "exercises/01_reinforce.ipynb: standardize: its task has changed; a note above your answer shows how",
        "exercises/02_baselines.ipynb: the cell that begins “def value_loss(*arguments, **options):” has changed",
        "notebooks/04_ppo.ipynb: the cell that begins “# MINE: title” has changed; yours stands below the new one",
        "notebooks/00_welcome.ipynb: renewed",
        "notebooks/08_trpo.ipynb: removed, the course no longer has it and you had not changed it",
        "notebooks/09_more.ipynb: new",
    ):
        assert words in said
    # Once more, and nothing is left to do.
    after = content(folder)
    assert update_folder(folder, "2", new) == []
    assert content(folder) == after
    assert not open_folder(folder, "2", new).update_available
    # And back to the first version: the answers are still there.
    update_folder(folder, "1", course)
    assert set(own_lines(folder)) == set(mine)


def test_a_damaged_notebook_and_an_edited_table_are_kept_beside_the_new_ones(folder: Path, course: Files) -> None:
    open_folder(folder, "1", course)
    (folder / "exercises/00_welcome.ipynb").write_text('{"cells": [')
    (folder / "docs/symbols.md").write_text("my table")
    new = second_version(course)
    lines = update_folder(folder, "2", new)
    assert "exercises/00_welcome.ipynb: renewed; yours is kept as 00_welcome.before-update.ipynb" in lines
    assert (folder / "exercises/00_welcome.before-update.ipynb").read_text() == '{"cells": ['
    assert (folder / "docs/symbols.before-update.md").read_text() == "my table"
    assert (folder / "docs/symbols.md").read_bytes() == new["docs/symbols.md"]


@pytest.mark.parametrize("record", ["{", '{"format": 1, "version": "1", "files": {"../x": 3}}'])
def test_without_a_readable_record_nothing_is_lost(folder: Path, course: Files, record: str) -> None:
    open_folder(folder, "1", course)
    work(folder)
    mine = own_lines(folder)
    (folder / MANIFEST).write_text(record)
    assert open_folder(folder, "1", course).update_available
    update_folder(folder, "2", second_version(course))
    assert set(own_lines(folder)) == set(mine)


def test_a_record_from_elsewhere_names_nothing_outside_of_its_folder(tmp_path: Path, course: Files) -> None:
    folder, victim = tmp_path / "work", tmp_path / "thesis.tex"
    victim.write_text("mine")
    open_folder(folder, "1", course)
    record = json.loads((folder / MANIFEST).read_text())
    digest = hashlib.sha256(b"mine").hexdigest()
    record["files"] |= {path: {"digest": digest, "cells": {}} for path in ("../thesis.tex", str(victim))}
    (folder / MANIFEST).write_text(json.dumps(record))
    update_folder(folder, "2", course)
    assert victim.read_text() == "mine"


def test_an_update_that_is_killed_leaves_each_file_old_or_new_and_goes_on(
    folder: Path, course: Files, tmp_path: Path, repository: Path
) -> None:
    new = second_version(course)
    open_folder(folder, "1", course)
    work(folder)
    mine, old = own_lines(folder), content(folder)
    code = """
import os, signal, sys, json, base64
from pathlib import Path
from pgcourse.workfolder import update, update_folder
files = {path: base64.b64decode(text) for path, text in json.load(open(sys.argv[2])).items()}
real, count = update.atomic_write, 0
def dies(path, data):
    global count
    count += 1
    if count == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    return real(path, data)
update.atomic_write = dies
update_folder(Path(sys.argv[1]), "2", files)
"""
    dump = tmp_path / "new.json"
    dump.write_text(json.dumps({path: base64.b64encode(text).decode() for path, text in new.items()}))
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder), str(dump), "12"], cwd=repository, env=os.environ, check=False
    )
    assert done.returncode == -signal.SIGKILL
    now = content(folder)
    same = [path for path in old if now.get(path) == old[path]]
    assert 0 < len(same) < len(old)
    assert own_lines(folder) == mine
    update_folder(folder, "2", new)
    assert own_lines(folder) == mine
    manifest = read_manifest(folder)
    assert manifest is not None and manifest.version == "2" and set(manifest.files) == set(new)


def test_only_the_course_s_own_unchanged_notebooks_are_trusted_and_an_update_keeps_trust(
    folder: Path, course: Files
) -> None:
    open_folder(folder, "1", course)
    stranger = folder / "notebooks/01_reinforce.ipynb"
    edit(stranger, lambda it: it.cells.append(nbformat.v4.new_code_cell("evil()")))
    trust_unchanged(folder, course)
    assert is_trusted(nbformat.read(folder / "notebooks/00_welcome.ipynb", as_version=4))
    assert not is_trusted(nbformat.read(stranger, as_version=4))
    # A record that vouches for the stranger's file changes nothing.
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"]["notebooks/01_reinforce.ipynb"]["digest"] = hashlib.sha256(stranger.read_bytes()).hexdigest()
    (folder / MANIFEST).write_text(json.dumps(manifest))
    trust_unchanged(folder, course)
    assert not is_trusted(nbformat.read(stranger, as_version=4))


def test_what_was_trusted_is_trusted_after_an_update_and_what_was_not_is_not(folder: Path, course: Files) -> None:
    open_folder(folder, "1", course)
    trusted, stranger = folder / "exercises/00_welcome.ipynb", folder / "exercises/01_reinforce.ipynb"
    for file in (trusted, stranger):
        edit(file, lambda it: it.cells[0].update(source="# Mine"))
    NotebookNotary().sign(nbformat.read(trusted, as_version=4))
    update_folder(folder, "2", second_version(course))
    assert is_trusted(nbformat.read(trusted, as_version=4))
    assert not is_trusted(nbformat.read(stranger, as_version=4))


def test_a_lesson_that_was_run_and_not_edited_is_renewed_as_a_whole(folder: Path, course: Files) -> None:
    open_folder(folder, "1", course)
    new = second_version(course)

    def ran(notebook: NotebookNode) -> None:
        for it in notebook.cells:
            it.update({"execution_count": 3} if it.cell_type == "code" else {})

    edit(folder / "notebooks/05_continuous_pendulum.ipynb", ran)
    assert "notebooks/05_continuous_pendulum.ipynb: renewed" in update_folder(folder, "2", new)
    path = "notebooks/05_continuous_pendulum.ipynb"
    assert (folder / path).read_bytes() == new[path]


def test_an_answer_that_was_written_into_the_checkout_before_is_the_learners(folder: Path, course: Files) -> None:
    dirty = dict(course)
    notebook = nbformat.reads(course["exercises/00_welcome.ipynb"].decode(), as_version=4)
    cell(notebook, "bandit_step").source = "def bandit_step(): return 'MINE'"
    dirty["exercises/00_welcome.ipynb"] = nbformat.writes(notebook).encode()
    assert not open_folder(folder, "1", dirty).update_available
    assert open_folder(folder, "1", course).update_available  # after `git checkout exercises`
    update_folder(folder, "2", course)
    kept = nbformat.read(folder / "exercises/00_welcome.ipynb", as_version=4)
    assert cell(kept, "bandit_step").source == "def bandit_step(): return 'MINE'"
    open_folder(folder.with_name("two"), "1", dirty)
    assert update_folder(folder.with_name("two"), "2", dirty) == []


@pytest.mark.slow
def test_working_in_the_folder_leaves_no_trace_in_the_checkout(folder: Path, repository: Path) -> None:
    def state() -> list[str]:
        command = ["git", "status", "--porcelain", "--ignored"]
        status = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True).stdout.splitlines()
        return [line for line in status if "__pycache__" not in line and ".hypothesis" not in line]

    if not (repository / ".git").exists():
        pytest.skip("no git checkout")
    open_folder(folder, "1")
    before = state()
    for path in (
        "exercises/00_welcome.ipynb",
        "exercises/05_continuous_pendulum.ipynb",
        "notebooks/01_reinforce.ipynb",
    ):
        notebook = nbformat.read(folder / path, as_version=4)
        NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str((folder / path).parent)}}).execute()
        nbformat.write(notebook, folder / path)
    assert state() == before
    assert len(changed_files(folder)) == 3
