"""Executing, keeping outputs, writing whole files, and `--check`."""

import json
import os
import signal
import sys
import threading
import time
from contextlib import nullcontext
from pathlib import Path

import nbformat
import pytest

from pgcourse.errors import InvalidInput
from tools.builder.__main__ import main
from tools.builder.execute import Runner
from tools.builder.outputs import WIDGET, publish, refuse_machine_facts

LESSON, SOLUTION, STUB = "notebooks/01_tiny.ipynb", "solutions/01_tiny.ipynb", "exercises/01_tiny.ipynb"
HANGS = 300  # [s] on no machine so slow
ROOT = Path(__file__).resolve().parents[2]


class NoRunner(Runner):
    """A runner that must not be asked."""

    def execute(self, notebook, *, folder, allow_errors=False):
        raise AssertionError("a notebook was executed although its outputs hold")


class FakeRunner(Runner):
    """Fills in outputs without a kernel; notes what it was asked to run."""

    def __init__(self, text="6\n", seconds=1.0):
        super().__init__()
        self.text, self.seconds, self.runs = text, seconds, []

    def execute(self, notebook, *, folder, allow_errors=False):
        self.runs.append(folder.name)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.execution_count = 7
                cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=self.text)]
        return self.seconds


def outputs(tiny, path):
    cells = nbformat.reads(tiny.files()[path].decode(), as_version=4).cells
    return ["".join(str(o.get("text", o.get("data"))) for o in c.outputs) for c in cells if c.cell_type == "code"]


@pytest.fixture
def built(tiny):
    tiny.build(runner=FakeRunner())
    assert tiny.check() == []
    return tiny


# Real kernels: one test for what only they can show


def test_build_executes_lesson_and_solution_and_check_then_finds_nothing(tiny):
    assert tiny.build() == []
    assert outputs(tiny, LESSON) == ["6\n", "{'text/plain': '1'}"]
    assert outputs(tiny, SOLUTION) == ["", "", "double: correct\n"]
    assert tiny.check() == []
    before = tiny.files()
    assert tiny.build(runner=NoRunner()) == []
    assert tiny.files() == before
    assert {f"{path}: outputs kept" for path in (LESSON, SOLUTION)} <= set(tiny.said)


def test_a_solution_that_its_check_refuses_is_not_published_and_costs_no_other_notebook(tiny):
    tiny.edit("01_tiny.exercises.py", "twice = number + number", "twice = number + number + 1")
    failures = tiny.build()
    assert len(failures) == 1
    assert failures[0].startswith(f"{SOLUTION}, cell 4 (check-double): raises AssertionError")
    assert sorted(tiny.files()) == [STUB, LESSON]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("1 / 0", "raises ZeroDivisionError: division by zero"),
        ("import os; os._exit(3)", "the kernel died"),
        ("import sys; print('careful', file=sys.stderr)", "writes to stderr: careful"),
        ("object()", "differs in every run"),
        ("import os; os.getcwd()", "the project's folder"),
    ],
)
def test_a_cell_that_cannot_be_published_is_named_and_leaves_the_old_file(tiny, code, reason):
    tiny.build("01_tiny.exercises", runner=FakeRunner())
    tiny.write("01_tiny.py", f"# %%\nprint(1)\n\n# %% [markdown]\n# text\n\n# %%\n{code}\n")
    (tiny.root / "notebooks").mkdir()
    (tiny.root / LESSON).write_text("old")
    (failure,) = tiny.build("01_tiny", runner=Runner())
    assert failure.startswith(f"{LESSON}, cell 3 (c-")
    assert reason in failure
    assert "\n" not in failure
    assert (tiny.root / LESSON).read_text() == "old"


def test_a_cell_that_takes_too_long_is_named(tiny):
    tiny.build("01_tiny.exercises", runner=FakeRunner())
    tiny.write("01_tiny.py", "# %% [markdown]\n# text\n\n# %%\nimport time; time.sleep(600)\n")
    (failure,) = tiny.build("01_tiny", runner=Runner(cell_timeout=1))  # the only cell: a slow machine passes too
    assert failure.startswith(f"{LESSON}, cell 2 (c-")
    assert "runs longer than 1 s" in failure


def test_cells_see_the_notebooks_folder_a_home_of_their_own_and_inline_figures(tiny, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    tiny.write(
        "01_tiny.py",
        "# %%\nimport os\nfrom pathlib import Path\n"
        f"assert os.environ['PGCOURSE_HOME'] != {os.environ['PGCOURSE_HOME']!r}\n"
        "assert os.environ['OMP_NUM_THREADS'] == '1'\n"
        "assert Path.cwd().name == 'notebooks'\n"
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\n",
    )
    tiny.build("01_tiny.exercises", runner=FakeRunner())
    assert tiny.build() == []
    assert "image/png" in outputs(tiny, LESSON)[0]


def test_an_interrupted_build_leaves_old_files_whole_and_no_kernel_behind(tiny, tmp_path, capsys):
    tiny.build(runner=FakeRunner())
    before = tiny.files()
    mark = tmp_path / "kernel.pid"
    code = f"import os, time\nopen({str(mark)!r}, 'w').write(str(os.getpid()))\ntime.sleep({HANGS})"
    tiny.write("01_tiny.py", f"# %%\n{code}\n")

    def interrupt():
        wait_until(lambda: mark.exists() and mark.read_text(), "the kernel never started")
        os.kill(os.getpid(), signal.SIGINT)  # as Ctrl-C does; the main thread waits for the kernel

    threading.Thread(target=interrupt, daemon=True).start()
    assert main(["01_tiny"], course=tiny.course) == 130
    assert capsys.readouterr().err.splitlines()[-1].startswith("interrupted: ")
    assert tiny.files() == before
    assert not list(tiny.root.rglob("*.tmp"))
    wait_until(lambda: not _alive(int(mark.read_text())), "the kernel outlived the build")


def wait_until(happened, otherwise):
    deadline = time.monotonic() + HANGS
    while not happened():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.05)


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


# Which outputs are kept


def test_outputs_are_renewed_where_source_package_figures_or_hidden_tests_changed_and_only_there(tiny):
    tiny.build(runner=FakeRunner())
    runner = FakeRunner()
    tiny.edit("01_tiny.py", "# # A lesson", "# # The lesson")
    tiny.build(runner=runner)
    assert runner.runs == ["notebooks"]
    tiny.edit("01_tiny.exercises.py", '.status == "correct"', '.status in ["correct"]')
    tiny.build(runner=runner)
    assert runner.runs == ["notebooks", "solutions"]
    tiny.package = "package-2"
    tiny.build(runner=runner)
    assert sorted(runner.runs[2:]) == ["notebooks", "solutions"]
    tiny.build(runner=NoRunner())
    tiny.build(runner=runner, force=True)
    assert sorted(runner.runs[4:]) == ["notebooks", "solutions"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("print(sum(numbers))", "print(6)"), "cell 2 (c-"),
        (lambda text: '{"cells": [', "no readable notebook"),
    ],
    ids=["edited", "damaged"],
)
def test_an_edited_or_damaged_notebook_is_built_anew(built, change, said):
    path = built.root / LESSON
    path.write_text(change(path.read_text()))
    (found,) = built.check()
    assert said in found
    runner = FakeRunner()
    built.build(runner=runner)
    assert runner.runs == ["notebooks"]
    assert built.check() == []


def test_execution_counts_start_at_one_whatever_the_kernel_counted(tiny):
    tiny.build(runner=FakeRunner())
    notebook = nbformat.reads(tiny.files()[LESSON].decode(), as_version=4)
    assert [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"] == [1, 2]


def test_without_executing_old_outputs_stay_until_the_source_changes(tiny):
    tiny.build(runner=FakeRunner())
    tiny.package = "package-2"
    tiny.build(execute=False)
    assert outputs(tiny, LESSON) == ["6\n", "6\n"]
    tiny.edit("01_tiny.py", "[1, 2, 3]", "[4, 2]")
    tiny.build(execute=False)
    assert outputs(tiny, LESSON) == ["", ""]
    assert any("was never executed" in line for line in tiny.check())
    runner = FakeRunner()
    tiny.build(runner=runner)
    assert sorted(runner.runs) == ["notebooks", "solutions"]


def test_a_slow_lesson_is_warned_of_a_slow_solution_is_not(tiny):
    tiny.build(runner=FakeRunner(seconds=75.0))
    warnings = [line for line in tiny.said if line.startswith("warning")]
    assert warnings == [f"warning: {LESSON} takes 75 s; a lesson may take 60"]


def test_nothing_is_written_where_any_source_is_refused(tiny):
    tiny.edit("01_tiny.exercises.py", "### END SOLUTION", "### END")
    with pytest.raises(InvalidInput):
        tiny.build(runner=NoRunner())
    assert tiny.files() == {}


# Outputs


def code_cell(*outputs, tags=()):
    return nbformat.v4.new_code_cell("show()", outputs=list(outputs), metadata={"tags": list(tags)})


def data(**mimes):
    return nbformat.v4.new_output("display_data", data={key.replace("__", "/"): value for key, value in mimes.items()})


def widget(**mimes):
    output = data(text__plain="Box()", **mimes)
    output.data[WIDGET] = {"model_id": "123", "version_major": 2, "version_minor": 0}
    return output


def test_a_widget_leaves_its_picture_or_goes_where_another_output_is_one():
    cell = code_cell(widget(image__png="iVBOR"), widget(), data(text__html="<b>static</b>"))
    publish(cell, "cell 1", root=ROOT)
    kept = [{"text/plain": "Box()", "image/png": "iVBOR"}, {"text/html": "<b>static</b>"}]
    assert [dict(output.data) for output in cell.outputs] == kept


def test_a_widget_without_a_picture_is_refused():
    with pytest.raises(InvalidInput, match=r"^cell 1: shows a widget and no static picture"):
        publish(code_cell(widget(), data(text__plain="5")), "cell 1", root=ROOT)


def test_pieces_of_one_stream_become_one_and_what_was_overwritten_goes():
    pieces = [nbformat.v4.new_output("stream", name="stdout", text=text) for text in ("a", "b\n10 %\r", "20 %\n")]
    cell = code_cell(*pieces)
    publish(cell, "cell 1", root=ROOT)
    assert [output.text for output in cell.outputs] == ["ab\n20 %\n"]


def test_an_error_is_published_only_with_its_tag():
    error = nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=["ValueError: no"])
    publish(code_cell(error, tags=["raises-exception"]), "cell 1", root=ROOT)
    with pytest.raises(InvalidInput, match="cell 1: raises ValueError: no"):
        publish(code_cell(error), "cell 1", root=ROOT)


# A home whose name is a pattern, a blank and a beginning of the project's folder.
HOME = Path("/home/j. o'neil+(x)")
PROJECT = HOME / "course"


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        (f"saved {PROJECT}/agent.gif", "the project's folder"),
        (f"<a href='file://{PROJECT}'>", "the project's folder"),
        (f"{HOME}: the home", "the home folder"),
        (f"It is in {HOME}.", "the home folder"),
        (f'"{sys.prefix}/bin/python"', "Python's folder"),
        ("<Line2D object at 0x7f3a5c0d1e80>", "differs in every run"),
        ("/tmp/ipykernel_4711/123.py:3", "differs in every run"),
        ("agent.gif", None),
        (f"https://example.org{HOME}/page", None),
        (f"{HOME}less", None),
        (f"{HOME}.txt", None),
        ("colour 0xff00ff", None),
        ("<img src='data:image/png;base64,AAAA/home/me/0x7f3a5c0d1e80+='>", None),
    ],
)
def test_facts_of_this_machine_are_refused_and_harmless_text_passes(monkeypatch, text, fact):
    monkeypatch.setattr(Path, "home", lambda: HOME)
    refusal = pytest.raises(InvalidInput, match=f"cell 1: the output holds .*{fact}") if fact else nullcontext()
    with refusal:
        refuse_machine_facts(text, "cell 1", root=PROJECT)


# --check


def change(built, path, edit):
    target = built.root / path
    notebook = json.loads(target.read_text())
    edit(notebook)
    target.write_text(json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("path", [LESSON, SOLUTION, STUB])
@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda nb: nb["cells"][1].update(source=["print(7)"]), "cell 2 (c-"),
        (lambda nb: nb["cells"][1].update(id="another"), "id differ"),
        (lambda nb: nb["cells"][1]["metadata"].update(tags=["x"]), "metadata differ"),
        (lambda nb: nb["cells"].pop(), "cells, but course/01_tiny"),
        (lambda nb: nb["metadata"]["language_info"].update(version="3.12.1"), "metadata differ"),
    ],
)
def test_each_change_of_a_built_notebook_is_reported_in_a_line(built, path, edit, reason):
    change(built, path, edit)
    before = built.files()
    (found,) = built.check()
    assert found.startswith(path) and reason in found and "\n" not in found
    assert built.files() == before, "a check writes nothing"


def test_check_reports_missing_and_left_over_notebooks(built):
    (built.root / STUB).unlink()
    (built.root / "notebooks" / "00_old.ipynb").write_text("{}")
    assert built.check() == [
        f"{STUB}: missing; run `make notebooks`",
        "notebooks/00_old.ipynb: has no source in course/; delete it",
    ]


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda cell: cell.update(execution_count=None, outputs=[]), "was never executed"),
        (lambda cell: cell.update(outputs=[]), "a check without an answer"),
        (lambda cell: cell["outputs"][0].update(name="stderr"), "writes to stderr"),
        (lambda cell: cell["outputs"][0].update(text=["at 0x7f3a5c0d1e80"]), "the output holds"),
        (lambda cell: cell["outputs"].append(dict(cell["outputs"][0])), "not as the builder leaves them"),
    ],
)
def test_check_looks_at_outputs(built, edit, reason):
    change(built, SOLUTION, lambda notebook: edit(notebook["cells"][-1]))
    assert [line for line in built.check() if reason in line and line.startswith(f"{SOLUTION}, cell 4 (check-double)")]


def test_check_reports_sources_changed_since_the_build(built):
    built.edit("01_tiny.exercises.py", '.status == "correct"', '.status in ["correct"]')
    assert built.check() == [
        f"{SOLUTION}: the outputs belong to an older state of course/01_tiny.exercises.py; run `make notebooks`"
    ]


def test_an_older_package_is_a_note_not_a_difference(built):
    built.package = "package-2"
    assert built.check() == []
    assert [line.split(":")[0] for line in built.said] == ["note", "note"]


def test_stale_readme_figures_are_reported_then_refreshed(built):
    readme = built.root / "README.md"
    readme.write_text("Solved\nafter <!-- claim cartpole:episodes.value -->300<!-- /claim --> episodes.\n")
    assert built.check() == ["README.md, line 2: a quoted figure is not the measured one; run `make notebooks`"]
    built.build(runner=NoRunner())
    assert "-->289<!--" in readme.read_text()
    assert built.check() == []


# The command


@pytest.mark.parametrize(
    ("arguments", "prepare", "status", "stream", "text"),
    [
        (["--check"], lambda tiny: None, 0, "out", "all notebooks are what their sources give"),
        (["--check"], lambda tiny: (tiny.root / STUB).unlink(), 1, "err", f"{STUB}: missing"),
        (["07"], lambda tiny: None, 2, "err", "error: no source in course/ is called '07'"),
        (["--check"], lambda tiny: tiny.write("x.py", ""), 2, "err", "error: course/x.py: name it like"),
        (["--no-execute"], lambda tiny: None, 0, "out", f"{LESSON}: outputs kept"),
    ],
)
def test_exit_status_and_one_clear_line(built, capsys, arguments, prepare, status, stream, text):
    prepare(built)
    assert main(arguments, course=built.course) == status
    captured = getattr(capsys.readouterr(), stream)
    assert text in captured and "Traceback" not in captured


def test_two_notebooks_run_at_a_time(tiny):
    for number in range(2, 6):
        tiny.write(f"0{number}_more.py", "# %%\nprint(1)\n")
    running, most, pair = [], [], threading.Barrier(2)

    class Counting(FakeRunner):
        def execute(self, notebook, **options):
            running.append(1)
            pair.wait(HANGS)  # each of the six waits for another
            most.append(len(running))
            pair.wait(HANGS)
            running.pop()
            return super().execute(notebook, **options)

    assert tiny.build(runner=Counting()) == []
    assert max(most) == 2
