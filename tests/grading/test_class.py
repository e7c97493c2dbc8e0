"""A whole class: every kind of answer gets the mark that it must get, for any number of workers."""

import os
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from pgcourse.grading.grader import ClassResult, grade
from pgcourse.grading.release.manifest import read
from pgcourse.grading.settings import Settings
from tests.grading.classroom import KINDS, SEED, Work, fill, generated, hand_in, make_release, notebook
from tests.grading.quarantine.attacks import HONEST
from tests.grading.quarantine.attacks_of_harm import CELLS, D

pytestmark = pytest.mark.slow
UNITS = (0, 1, 2, 3, 4, 5, 8)  # the answers of unit 06 use whole modules: marks/test_judge.py takes them
STUDENTS = 200
HOSTILE = 20  # further ones
SOME = 12  # that are graded again, in other ways


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("class")
    make_release(root / "class", *UNITS)
    return root


@pytest.fixture(scope="module")
def works(root: Path) -> dict[str, Work]:
    release = read(root / "class")
    units = {each.name: [exercise.id for exercise in each.exercises] for each in release.assignments}
    works = generated(root / "class", units, STUDENTS)
    for student, work in works.items():
        hand_in(root / "submissions", student, work.assignment, work.content)
    handed_out = notebook(root / "class", "01_reinforce")
    for number, cell in enumerate([*CELLS.values()][:: len(CELLS) // HOSTILE][:HOSTILE]):
        content = fill(handed_out, {"reinforce_loss": HONEST, D: cell})
        hand_in(root / "submissions", f"hostile{number:02}", "01_reinforce", content)
    for student in [name for name, work in works.items() if work.assignment.startswith(("01", "03"))][:SOME]:
        hand_in(root / "some", student, works[student].assignment, works[student].content)
    return works


@pytest.fixture(scope="module")
def graded(root: Path, works: dict[str, Work]) -> ClassResult:
    return grade(Settings(root / "submissions", root / "class", root / "out", hidden_seed=SEED, jobs=2, timeout=3.0))


def test_every_mark_is_the_expected_one_and_no_right_answer_loses_a_point(
    graded: ClassResult, works: dict[str, Work]
) -> None:
    assert len(graded.students) == STUDENTS + HOSTILE
    assert max(each.score for each in graded.students if each.name.startswith("hostile")) <= 2
    differing = []
    for student in (each for each in graded.students if each.name in works):
        rows = {row.id: row for row in student.rows}
        for id, (status, share, misconception) in works[student.name].expected.items():
            row = rows[id]
            if (row.status, row.points, row.misconception) != (status, round(row.max_points * share, 2), misconception):
                differing.append(
                    (
                        student.name,
                        works[student.name].kind,
                        id,
                        status,
                        share,
                        row.status,
                        row.points,
                        misconception,
                        row.misconception,
                    )
                )
        if works[student.name].kind in ("alternatives", "published"):
            assert {rows[id].status for id in works[student.name].expected} == {"correct"}, student.name
    assert differing == [], "\n".join(map(str, differing))


def test_the_class_holds_every_kind_of_work(works: dict[str, Work]) -> None:
    kinds = Counter(work.kind for work in works.values())
    assert min(kinds[kind] for kind in KINDS) >= 20
    expected = [each for work in works.values() for each in work.expected.values()]
    assert sum(0 < share < 1 for _, share, _ in expected) >= 50, "partial credit comes up"
    assert len({misconception for _, _, misconception in expected}) >= 150


def marks(result: ClassResult) -> dict[str, list[tuple[str, float, str]]]:
    return {student.name: [(row.id, row.points, row.message) for row in student.rows] for student in result.students}


def test_one_worker_gives_the_marks_of_two(graded: ClassResult, root: Path) -> None:
    alone = marks(grade(Settings(root / "some", root / "class", root / "alone", hidden_seed=SEED)))
    assert len(alone) == SOME
    assert alone == {name: rows for name, rows in marks(graded).items() if name in alone}


def test_a_cluster_that_loses_a_worker_half_way_gives_the_same_marks(
    graded: ClassResult, root: Path, repository: Path
) -> None:
    pytest.importorskip("distributed")
    from tests.study.test_dask import Cluster

    folder = root / "cluster"
    folder.mkdir()
    cluster = Cluster(folder, repository, 2)
    killed = []

    def kill_one() -> None:
        observations = root / "spread" / "observations"
        while len(list(observations.glob("*/*.json"))) < 4:
            time.sleep(0.05)
        os.kill(cluster.workers[0].pid, signal.SIGKILL)
        killed.append(len(list(observations.glob("*/*.json"))))

    try:
        cluster.wait_for_workers()
        killer = threading.Thread(target=kill_one, daemon=True)
        killer.start()
        settings = Settings(root / "some", root / "class", root / "spread", hidden_seed=SEED, dask=cluster.address)
        spread = marks(grade(settings))
    finally:
        cluster.stop()
    assert killed
    assert killed[0] < SOME, "there was work left when the worker died"
    assert spread == {name: rows for name, rows in marks(graded).items() if name in spread}
