"""nbgrader itself: it accepts the source version, releases it, and gives a right and a wrong submission their points.

The folder is the hand-out's own `teacher/`, and the notebooks handed in are those of `student/`: a teacher may mix the
two ways.
"""

import os
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from traitlets.config import PyFileConfigLoader

from pgcourse.cli import main
from tests.grading.classroom import cells

# Three kernels: about 25 s of one core. The warnings are of nbgrader with its own database.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Object of type")]

NAME = "00_welcome"
OWN = "91_dual_clip"
WRONG_STEP = """def bandit_step(logits, action, reward, *, learning_rate):
    onehot = torch.nn.functional.one_hot(torch.tensor(action), len(logits))
    return logits - learning_rate * reward * (onehot - logits.softmax(-1))
"""


@pytest.fixture(scope="module")
def graded(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Student -> cell -> (points, points possible, whether a person must look), as nbgrader's gradebook has them."""
    root = tmp_path_factory.mktemp("nbgrader")
    own = ["--exercises", str(repository / "docs/private_exercises")]
    assert main(["assignment", "make", "--units", "0", "--out", str(root / "class"), *own]) == 0
    teacher = root / "class/teacher"
    with pytest.MonkeyPatch.context() as patch:
        # nbgrader calls alembic, which is beside this Python; and nothing may touch the user's own Jupyter files.
        patch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "PGCOURSE_HOME"):
            patch.setenv(name, str(root / name.lower()))
        config = PyFileConfigLoader("nbgrader_config.py", path=str(teacher)).load_config()
        config.CourseDirectory.root = str(teacher)
        config.Application.log_level = "ERROR"
        api = NbGraderAPI(config=config)
        for name in (NAME, OWN):
            assert api.generate_assignment(name)["success"]
        hand_in(root / "class", "right", NAME)
        hand_in(root / "class", "right", OWN)
        hand_in(root / "class", "wrong", NAME, bandit_step=WRONG_STEP)
        for student, name in (("right", NAME), ("right", OWN), ("wrong", NAME)):
            result = api.autograde(name, student)
            assert result["success"], result
        with Gradebook(f"sqlite:///{teacher / 'gradebook.db'}") as book:
            found: dict[str, dict[str, Any]] = {}
            for name in (NAME, OWN):
                for submission in book.assignment_submissions(name):
                    grades = (grade for notebook in submission.notebooks for grade in notebook.grades)
                    marks = {g.name: (g.auto_score, g.max_score, bool(g.needs_manual_grade)) for g in grades}
                    found.setdefault(submission.student.id, {}).update(marks)
        found["released"] = cells(teacher / f"release/{NAME}/{NAME}.ipynb")
        found["ours"] = cells(root / f"class/student/{NAME}.ipynb")
        return found


def hand_in(folder: Path, student: str, name: str, **other: str) -> None:
    """Put a submission into nbgrader's folder: the key's answers in the student's notebook, or others by name.

    A student with another answer leaves the experiment as it was handed out.
    """
    notebook = nbformat.read(folder / f"student/{name}.ipynb", 4)
    key = cells(folder / f"teacher/key/{name}.ipynb")
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution") and not (other and cell.cell_type == "markdown"):
            cell.source = other.get(cell.id, key[cell.id].source)
    target = folder / f"teacher/submitted/{student}/{name}/{name}.ipynb"
    target.parent.mkdir(parents=True)
    nbformat.write(notebook, target)


def test_a_right_submission_gets_every_point_and_its_experiment_waits_for_a_person(graded: dict[str, Any]) -> None:
    right = {f"check-{id}": (2, 2, False) for id in ("categorical_log_prob", "categorical_entropy", "bandit_step")}
    own = {"check-dual_clip_loss": (4, 4, False)}
    assert graded["right"] == right | own | {"experiment-00": (None, 4, True)}


def test_a_wrong_function_loses_its_own_points_and_an_untouched_experiment_gets_none(graded: dict[str, Any]) -> None:
    right = {f"check-{id}": (2, 2, False) for id in ("categorical_log_prob", "categorical_entropy")}
    assert graded["wrong"] == right | {"check-bandit_step": (0, 2, False), "experiment-00": (0, 4, False)}


def test_nbgrader_releases_what_student_holds(graded: dict[str, Any]) -> None:
    """The same cells; only the line in an empty function differs, which nbgrader cannot word by exercise."""
    released, ours = graded["released"], graded["ours"]
    assert list(released) == list(ours)
    for id, cell in ours.items():
        if cell.metadata.get("nbgrader", {}).get("solution") and cell.cell_type == "code":
            assert released[id].source.startswith(cell.source.split("    raise NotImplementedError")[0])
            assert released[id].source.count("NotImplementedError") == 1
        else:
            assert released[id].source == cell.source
            assert released[id].metadata == cell.metadata
