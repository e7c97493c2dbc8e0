"""A teacher's own exercises: proved before they are handed out, kept from students, found by the grader."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pgcourse.checks.runner import DEFAULT_SEED, run_exercise
from pgcourse.cli import main
from pgcourse.errors import InvalidInput
from pgcourse.grading.release import exercises
from pgcourse.grading.release.exercises import embed, exercises_of, read_folder, run_embedded
from pgcourse.grading.release.manifest import read
from tests.grading.classroom import cells

OWN = "91_dual_clip"
Change = Callable[[str], str]


@pytest.fixture
def example(repository: Path) -> str:
    return (repository / f"docs/private_exercises/{OWN}.py").read_text()


@pytest.fixture(scope="module")
def made(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("private") / "class"
    own = ["--exercises", str(repository / "docs/private_exercises"), "--points", "dual_clip_loss=6"]
    assert main(["assignment", "make", "--units", "0", "--out", str(out), *own]) == 0
    return out


def test_it_is_handed_out_as_an_assignment_of_its_own(made: Path) -> None:
    welcome, own = read(made).assignments
    assert (welcome.name, own.name) == ("00_welcome", OWN)
    (exercise,) = own.exercises
    assert (exercise.id, exercise.points, exercise.source) == ("dual_clip_loss", 6, f"teacher/exercises/{OWN}.py")
    student = cells(made / own.notebook)
    assert "*6 points, about 25 minutes" in "\n".join(cell.source for cell in student.values())
    head = "def dual_clip_loss(log_prob, old_log_prob, advantages, *, clip_coef"
    assert student["dual_clip_loss"].source.startswith(head)
    assert "Example: ratio 5, advantage -1" in student["dual_clip_loss"].source
    assert student["dual_clip_loss"].source.rstrip().endswith('run the check below")')
    assert student["check-dual_clip_loss"].metadata["nbgrader"]["points"] == 6


def test_nothing_of_its_answers_is_in_the_student_s_folder(made: Path, example: str) -> None:
    text = "".join(path.read_text() for path in (made / "student").iterdir())
    answers = ("torch.where(weight < 0", "_with_one_clamp", "bound-everywhere", embed(example)[:60], "run_embedded")
    assert not [secret for secret in answers if secret in text]


def names_of(path: Path) -> dict[str, Any]:
    """What a notebook defines, run from top to bottom."""
    namespace: dict[str, Any] = {}
    for cell in cells(path).values():
        if cell.cell_type == "code":
            exec(cell.source, namespace)
    return namespace


def test_an_answer_is_checked_by_the_file_in_the_release(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exercise = exercises_of(read(made), made)["dual_clip_loss"]
    stub = names_of(made / f"student/{OWN}.ipynb")["dual_clip_loss"]
    assert "your teacher checks this one" in capsys.readouterr().out
    assert run_exercise(exercise, stub).status == "not attempted"
    solved = names_of(made / f"teacher/key/{OWN}.ipynb")["dual_clip_loss"]
    for seed in (DEFAULT_SEED, 2026):
        assert run_exercise(exercise, solved, seed).status == "correct"
    result = run_exercise(exercise, exercise.misconceptions[0].wrong)
    assert (result.status, result.misconception) == ("not yet", "no-bound")


def test_the_hidden_tests_of_the_source_version_hold_the_check_itself(made: Path) -> None:
    path = made / f"teacher/source/{OWN}/{OWN}.ipynb"
    namespace = names_of(path)  # the assertion passes for the solution
    namespace["dual_clip_loss"] = lambda *rows, clip_coef, bound: rows[0].sum()
    with pytest.raises(AssertionError):
        exec(cells(path)["check-dual_clip_loss"].source, namespace)


def test_a_check_says_what_an_endless_or_a_raising_answer_does(example: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(*rows: Any, clip_coef: float, bound: float) -> None:
        while True:
            pass

    def raising(*rows: Any, clip_coef: float, bound: float) -> None:
        raise SystemExit(3)

    monkeypatch.setattr("pgcourse.checks.runner.TIME_LIMIT", 0.2)
    assert "does a loop never end?" in run_embedded(embed(example), "dual_clip_loss", endless).message
    assert "SystemExit" in run_embedded(embed(example), "dual_clip_loss", raising).message


def test_the_digest_changes_with_the_file_and_not_with_its_line_ends(tmp_path: Path, example: str) -> None:
    digests = []
    for number, text in enumerate((example, example.replace("\n", "\r\n"), example + "\n# changed\n")):
        path = tmp_path / str(number) / f"{OWN}.py"
        path.parent.mkdir()
        path.write_bytes(text.encode())
        digests.append(exercises.checks_digest(exercises.load_file(path)))
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda s: s.replace("EXERCISES = (", "TASKS = ("), "has no EXERCISES = (Exercise(...), ...)"),
        (lambda s: s.replace("import torch\n", "import torche\n"), "does not run: ModuleNotFoundError"),
        (lambda s: s.replace("(", "((", 1) + ")(", "does not run: SyntaxError"),
        (lambda s: "import sys\nsys.exit()\n" + s, "does not run: SystemExit"),
        (lambda s: s.replace("generator(seed)", "generator(0)"), "cases(seed) ignores the seed"),
        (lambda s: s.replace("ratio.clamp(1 - clip_coef, bound)", "ratio"), "refuses the right answer _with_one_clamp"),
        (lambda s: s.replace("bound=1e9)", "bound=bound)"), "answers the misconception no-bound with: correct"),
        (lambda s: s.replace('id="dual_clip_loss"', 'id="other_loss"'), "must be `def other_loss(...)` in this file"),
        (lambda s: s.replace('id="dual_clip_loss"', 'id="gae"').replace("def dual_clip_loss", "def gae")
         .replace("dual_clip_loss(", "gae(").replace("reference=dual_clip_loss", "reference=gae"),
         "'gae' of 91_dual_clip is in the course too"),
        (lambda s: s.replace("weight = old_log_prob.detach(), ", "weight = LIMIT * old_log_prob.detach(), ")
         .replace("# The reference is", "LIMIT = 1.0\n# The reference is"), "uses LIMIT, which students do not get"),
        (lambda s: s.replace("observe=Call(", "observe=type('Own', (Call,), {})("), "observe must be one of pgcourse.checks"),
    ],
)  # fmt: skip
def test_a_file_that_will_not_do_is_refused_in_one_line(
    tmp_path: Path, example: str, capsys: pytest.CaptureFixture[str], change: Change, says: str
) -> None:
    changed = change(example)
    assert changed != example
    (tmp_path / "own").mkdir()
    (tmp_path / f"own/{OWN}.py").write_text(changed)
    command = ["assignment", "make", "--units", "0", "--exercises", str(tmp_path / "own")]
    assert main([*command, "--out", str(tmp_path / "out")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["midterm.py", "1_x.py", "00_welcome.py", "91_Mid Term.py"])
def test_a_file_s_name_makes_the_assignment_s(tmp_path: Path, example: str, name: str) -> None:
    (tmp_path / name).write_text(example)
    with pytest.raises(InvalidInput, match=r"name it like 91_midterm\.py"):
        read_folder(tmp_path, {"00_welcome"})


def test_an_exercise_may_come_in_one_file_only_and_a_folder_needs_one(tmp_path: Path, example: str) -> None:
    with pytest.raises(InvalidInput, match="holds no Python files"):
        read_folder(tmp_path, set())
    for name in ("91_one.py", "92_two.py"):
        (tmp_path / name).write_text(example)
    with pytest.raises(InvalidInput, match="'dual_clip_loss' of 92_two is in 91_one too"):
        read_folder(tmp_path, set())


def test_a_release_whose_file_is_gone_says_so(made: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot read"):
        exercises_of(read(made), tmp_path)
