"""`pgcourse assignment make`: what a class gets, what its teacher keeps, and what is refused in one line."""

import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pgcourse.checks import exercises
from pgcourse.cli import main
from pgcourse.cli.assignment import parse_due, parse_points, parse_units
from pgcourse.errors import InvalidInput
from pgcourse.grading.release import notebooks
from pgcourse.grading.release.exercises import checks_digest, exercises_of
from pgcourse.grading.release.experiments import EXPERIMENTS
from pgcourse.grading.release.manifest import read
from pgcourse.grading.release.notebooks import units
from tests.grading.classroom import cells

Capture, Patch = pytest.CaptureFixture[str], pytest.MonkeyPatch
MAKE = ["assignment", "make"]
SETTINGS = ["--units", "1-3", "--due", "2026-12-01T23:59+01:00", "--late-per-day", "0.1", "--late-at-most", "0.5"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of units 1 to 3, which the tests of this file read and do not change."""
    out = tmp_path_factory.mktemp("release") / "class"
    assert main([*MAKE, *SETTINGS, "--out", str(out)]) == 0
    return out


def error(capsys: Capture, *arguments: str) -> str:
    """The one line that a refused command prints."""
    assert main([*MAKE, *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("pgcourse: ")
    return line


def test_the_release_says_what_counts_and_until_when(made: Path) -> None:
    release = read(made)
    assert [assignment.name for assignment in release.assignments] == ["01_reinforce", "02_baselines", "03_a2c_gae"]
    assert release.due == "2026-12-01T23:59:00+01:00"
    wanted = {e.id: e.points for e in exercises() if e.unit in ("01", "02", "03")}
    assert {e.id: e.points for a in release.assignments for e in a.exercises} == wanted
    assert release.checks == checks_digest(exercises_of(release, made).values())


def test_student_notebooks_are_the_course_s_stubs_with_a_box_and_an_experiment(made: Path, repository: Path) -> None:
    for assignment in read(made).assignments:
        ours = cells(made / assignment.notebook)
        stubs = cells(repository / "exercises" / f"{assignment.name}.ipynb")
        same = [id for id in stubs if ours.get(id) == stubs[id]]
        # Only a cell whose links became words has another text, and so another id.
        linked = [id for id, cell in stubs.items() if notebooks.LINK.search(cell.source)]
        assert set(stubs) - set(same) == set(linked)
        number = assignment.name[:2]
        added = [id for id in ours if id not in stubs and not id.startswith("c-")]
        assert added == ["assignment", f"experiment-{number}-task", f"experiment-{number}"]


def test_the_box_says_points_due_time_cost_of_lateness_and_version(made: Path) -> None:
    box = cells(made / "student/01_reinforce.ipynb")["assignment"]
    assert "15 points" in box.source
    assert re.search(r"^\| `reinforce_update` \| [\w ]+ \| 4 \|$", box.source, re.MULTILINE)
    assert "Tuesday, 1 December 2026, 23:59 (UTC+01:00)" in box.source
    assert "Each started day late costs 10 % of the score, 50 % at most." in box.source
    boxes = [cells(made / each.notebook)["assignment"].source for each in read(made).assignments]
    assert len({stamp for text in boxes for stamp in re.findall(r"release ([0-9a-f]{8})", text)}) == 1
    assert not box.metadata["editable"]


def test_no_solution_hidden_test_or_expected_answer_reaches_students(made: Path) -> None:
    for path in sorted((made / "student").glob("*.ipynb")):
        text = "\n".join(cell.source for cell in cells(path).values())
        secrets = ("BEGIN SOLUTION", "HIDDEN TESTS", EXPERIMENTS[int(path.name[:2])].expected)
        assert not [secret for secret in secrets if secret in text]
        assert all(not cell.get("outputs") for cell in cells(path).values())


def test_a_broken_preprocessor_cannot_leak_a_solution(monkeypatch: Patch) -> None:
    from nbgrader.preprocessors import ClearSolutions

    monkeypatch.setattr(ClearSolutions, "preprocess_cell", lambda self, cell, resources, index: (cell, resources))
    with pytest.raises(InvalidInput, match="would show its solution"):
        notebooks.student_version(notebooks.unit_notebook("01_reinforce"))


def test_the_key_solves_every_exercise_and_names_the_misconceptions(made: Path) -> None:
    by_id = {exercise.id: exercise for exercise in exercises()}
    for assignment in read(made).assignments:
        key = cells(made / "teacher/key" / f"{assignment.name}.ipynb")
        for exercise in assignment.exercises:
            assert "NotImplementedError" not in key[exercise.id].source
            assert "SOLUTION" not in key[exercise.id].source
            note = key[f"note-check-{exercise.id}"].source
            assert all(m.id in note and m.explanation in note for m in by_id[exercise.id].misconceptions)
        (manual,) = assignment.manual
        assert key[manual.id].source == EXPERIMENTS[int(assignment.name[:2])].expected
        assert all(item.text in key[f"{manual.id}-task"].source for item in manual.rubric)


def test_every_unit_of_the_course_has_an_experiment_with_a_rubric() -> None:
    assert set(units()) <= set(EXPERIMENTS)
    for experiment in EXPERIMENTS.values():
        cell = experiment.cell()
        assert sum(item.points for item in cell.rubric) == cell.points == 4
        assert len({item.text for item in cell.rubric}) == 4


def test_the_cell_of_an_experiment_waits_for_seeds_then_prints_every_seed(capsys: Capture, monkeypatch: Patch) -> None:
    shown: list[str] = []
    monkeypatch.setattr("pgcourse.show.page.figure", lambda figure, alt, caption: shown.append(caption))
    for unit in EXPERIMENTS:
        exec(EXPERIMENTS[unit].code(), {})
    assert (shown, capsys.readouterr().out) == ([], "")
    short = re.sub(r"num_episodes=\d+", "num_episodes=8", EXPERIMENTS[3].code())
    exec(short.replace("seeds = ()", "seeds = (417, 418)"), {})
    printed = capsys.readouterr().out
    assert shown == ["My experiment."]
    assert re.findall(r"^(β = [\d.]+)$", printed, re.MULTILINE) == ["β = 0", "β = 0.01"]
    assert len(re.findall(r"seed 41[78]: last 50 episodes \d+; entropy: first 10 0\.\d+", printed)) == 4


def test_the_same_again_restores_what_is_missing_and_keeps_what_was_changed(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "class"
    again = [*MAKE, "--units", "0", "--out", str(out)]
    assert main(again) == 0
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert main(again) == 0
    assert "nothing was written" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    (out / "README.md").write_text("ours")
    (out / "student/00_welcome.ipynb").unlink()
    assert main(again) == 0
    assert "kept as somebody changed them: README.md" in capsys.readouterr().out
    assert (out / "README.md").read_text() == "ours"
    assert (out / "student/00_welcome.ipynb").read_bytes() == before[out / "student/00_welcome.ipynb"]


def test_the_readme_names_what_a_teacher_runs_in_its_order(tmp_path: Path) -> None:
    out = tmp_path / "class"
    assert main([*MAKE, "--units", "1", "--out", str(out)]) == 0
    (block,) = re.findall(r"```sh\n(pgcourse .*?)```", (out / "README.md").read_text(), flags=re.DOTALL)
    assert block.splitlines() == [
        "pgcourse grade ../submissions/ --release . --out ../grades/ --roster ../roster.csv",
        "pgcourse mark ../grades/ --release .",
        "pgcourse grades export ../grades/ --to moodle --roster ../roster.csv",
    ]


def test_another_release_in_the_folder_needs_force_and_grades_survive_it(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "class"
    assert main([*MAKE, "--units", "0", "--out", str(out)]) == 0
    (out / "grades").mkdir()
    (out / "grades/overrides.csv").write_text("ada,gae,4,ill")
    other = ["--units", "2", "--out", str(out)]
    assert "another release (checks, assignments differ)" in error(capsys, *other)
    assert main([*MAKE, *other, "--force"]) == 0
    assert [path.name for path in (out / "student").iterdir()] == ["02_baselines.ipynb"]
    assert not (out / "teacher/source/00_welcome/00_welcome.ipynb").exists()
    assert (out / "grades/overrides.csv").read_text() == "ada,gae,4,ill"


def test_a_folder_of_other_things_is_not_written_to(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    assert "is not empty and holds no release" in error(capsys, "--units", "1", "--out", str(tmp_path))
    assert [path.name for path in tmp_path.iterdir() if path.name != "pgcourse-home"] == ["thesis.tex"]
    assert "is a file" in error(capsys, "--units", "1", "--out", str(tmp_path / "thesis.tex"))


def test_other_points_reach_release_box_task_and_check(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "class"
    points = ["--points", "standardize=2.5", "policy_network=0"]
    assert main([*MAKE, "--units", "1", "--out", str(out), "--no-experiments", *points]) == 0
    (assignment,) = read(out).assignments
    points_of = {"discounted_returns": 2, "standardize": 2.5, "reinforce_loss": 2, "reinforce_update": 4}
    assert {e.id: e.points for e in assignment.exercises} == points_of
    assert assignment.manual == ()
    ours = cells(out / assignment.notebook)
    assert ours["check-standardize"].metadata["nbgrader"]["points"] == 2.5
    assert not ours["check-policy_network"].metadata["nbgrader"]["grade"]
    text = "\n".join(cell.source for cell in ours.values())
    assert "*2.5 points, about 8 minutes" in text
    assert "*Practice, no points, about 15 minutes" in text
    assert re.search(r"^\| `standardize` \| [\w ]+ \| 2.5 \|$", ours["assignment"].source, re.MULTILINE)
    assert "10.5 points" in ours["assignment"].source
    assert "policy_network" not in ours["assignment"].source
    assert "did you mean standardize?" in error(capsys, "--units", "1", "--out", str(out), "--points", "standardise=1")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--units", "5-1"], "5-1 runs backwards; write 1-5"),
        (["--units", "one"], "'one' is no unit; write numbers and ranges"),
        (["--units", ""], "--units is empty"),
        (["--units", "1-"], "'1-' is no unit"),
        (["--units", "42"], "unit 42 has no exercises; there are units 0, 1, 2"),
        (["--units", "1", "--due", "soon"], "--due 'soon' is no time; write 2026-12-01"),
        (["--units", "1", "--late-per-day", "0.1"], "--late-per-day without --due"),
        (
            ["--units", "1", "--due", "2026-12-01", "--late-per-day", "10"],
            "--late-per-day 10 is not allowed; use a number of at least 0 and at most 1",
        ),
        (["--units", "1", "--points", "gae"], "write ID=NUMBER"),
        (["--units", "1", "--points", "standardize=-1"], "write ID=NUMBER"),
        (["--units", "1", "--points", "standardize=1", "standardize=2"], "gives standardize twice"),
        (["--units", "1", "--points", "gae=1"], "no exercise of these units is called 'gae'"),
        (["--units", "1", "--exercises", "nowhere"], "there is no folder nowhere"),
        (
            ["--units", "1", "--due", "2026-12-01", "--grace-minutes", "-5"],
            "--grace-minutes -5 is not allowed; use an integer of at least 0",
        ),
        (["--units", "1", "--libraries", "einopps"], "--libraries: 'einopps' is not installed here"),
        (["--units", "1", "--libraries", "nmpy"], "did you mean numpy? (a library's name is meant"),
        (["--out", "x"], "--units is needed"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(
    tmp_path: Path, capsys: Capture, arguments: list[str], says: str
) -> None:
    out = tmp_path / "class"
    given = arguments if "--out" in arguments else [*arguments, "--out", str(out)]
    assert says in error(capsys, *given)
    assert not out.exists()


def test_a_release_inside_another_one_is_refused(tmp_path: Path, capsys: Capture, monkeypatch: Patch) -> None:
    (tmp_path / "class" / "teacher").mkdir(parents=True)
    (tmp_path / "class" / "release.json").write_text("{}")
    (tmp_path / "link").symlink_to(tmp_path / "class")
    monkeypatch.chdir(tmp_path / "class")
    for out in (tmp_path / "class/student/x", tmp_path / "link/x", Path("x")):
        line = error(capsys, "--units", "1", "--out", str(out))
        assert f"--out {out} lies inside a release, {tmp_path / 'class'}; give a folder beside it" in line
    assert sorted(path.name for path in (tmp_path / "class").iterdir()) == ["release.json", "teacher"]


def test_the_command_without_make_says_what_there_is(capsys: Capture) -> None:
    assert main(["assignment"]) == 0
    assert "pgcourse assignment make --units 1-5 --out class/" in capsys.readouterr().out
    assert main(["assignment", "take"]) == 2
    assert "use pgcourse assignment make" in capsys.readouterr().err


def test_units_due_times_and_points_are_read_as_written() -> None:
    assert {parse_units(text) for text in ("1-5", "1,2,3,4,5", "5,1-3 4", "01-05")} == {(1, 2, 3, 4, 5)}
    assert parse_due("2026-12-01T18:00+01:00").isoformat() == "2026-12-01T18:00:00+01:00"
    assert parse_due("2026-12-01").astimezone(UTC) == datetime(2026, 12, 1, 23, 59).astimezone().astimezone(UTC)
    assert parse_due("2026-12-01 18:00").tzinfo is not None
    assert parse_points(["gae=5", "td_errors=0.5"]) == {"gae": 5, "td_errors": 0.5}


def test_without_nbgrader_a_line_says_what_to_install(tmp_path: Path, capsys: Capture, monkeypatch: Patch) -> None:
    monkeypatch.setitem(sys.modules, "nbgrader", None)
    assert 'pip install "pgcourse[teach]"' in error(capsys, "--units", "1", "--out", str(tmp_path / "class"))


def test_an_installation_without_the_text_says_so(tmp_path: Path, capsys: Capture, monkeypatch: Patch) -> None:
    units.cache_clear()
    monkeypatch.setattr(notebooks, "course_folder", lambda name: tmp_path / name)
    try:
        assert "has no course/*.exercises.py" in error(capsys, "--units", "1", "--out", str(tmp_path / "class"))
    finally:
        units.cache_clear()


def test_a_wheel_makes_the_same_release(repository: Path, tmp_path: Path, installed_wheel: Path, made: Path) -> None:
    """The package as it is installed from a wheel, in a process that sees no checkout."""
    exercises_alone = {path.name for path in (repository / "course").glob("*.exercises.py")}
    assert {path.name for path in (installed_wheel / "pgcourse/_course/course").iterdir()} == exercises_alone
    code = (
        f"import sys; sys.path.insert(0, {str(installed_wheel)!r}); import pgcourse; from pgcourse.cli import main; "
        f"assert pgcourse.__file__.startswith({str(installed_wheel)!r}); "
        f"sys.exit(main({[*MAKE, *SETTINGS, '--out', str(tmp_path / 'class')]!r}))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in ("student/01_reinforce.ipynb", "teacher/key/02_baselines.ipynb", "teacher/nbgrader_config.py"):
        assert (tmp_path / "class" / name).read_bytes() == (made / name).read_bytes()
    assert replace(read(tmp_path / "class"), made=read(made).made) == read(made)
