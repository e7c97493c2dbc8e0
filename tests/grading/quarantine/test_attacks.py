"""The adversarial suite: no submission scores more than its honest work, and the host is as it was."""

import contextlib
import json
import os
import re
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pgcourse.grading.grader import ClassResult, grade
from pgcourse.grading.settings import Settings
from tests.grading.classroom import SEED, fill, grade_id, hand_in, make_release, notebook
from tests.grading.quarantine.attacks import CELLS, HONEST

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")]
CHILD = "pgcourse.grading.quarantine.sandbox"  # in the command line of a zygote and of all that it forks
Graded = tuple[ClassResult, Path, list[str]]  # marks, folder, connections that came through
WORTH = 2.0  # of the honest work in each submission, in points
# What an attack on its own notebook's cells may cost besides: the honest cell, too, ran in the process that it damaged.
DAMAGED = {
    "writes messages",
    "closes everything",
    "patches builtins",
    "import hooks",
    "patches json",
    "kills everybody",
    "patches numpy",
}


def student_of(name: str) -> str:
    return name.replace("'", "").replace("*", "")


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[Graded]:
    root = tmp_path_factory.mktemp("attacks")
    release = make_release(root / "class", 1)
    handed_out = notebook(release, "01_reinforce")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        places = {"HOME": str(Path.home()), "REPOSITORY": str(repository), "OUT": str(root / "out")}
        places["PORT"] = str(server.getsockname()[1])
        for name, (exercise, cell, _) in CELLS.items():
            for word, value in places.items():
                cell = cell.replace(word, value)
            content = fill(handed_out, {"reinforce_loss": HONEST, exercise: cell})
            hand_in(root / "submissions", student_of(name), "01_reinforce", content)
        hand_in_files(root, handed_out)
        result = grade(Settings(root / "submissions", release, root / "out", hidden_seed=SEED, timeout=1.0, jobs=2))
        connections = []
        with contextlib.suppress(BlockingIOError):
            connections.append(str(server.accept()[1]))
    yield result, root, connections


def hand_in_files(root: Path, handed_out: dict[str, Any]) -> None:
    """Attacks by the file itself."""
    folder = root / "submissions"
    honest = {"reinforce_loss": HONEST}
    tampered = fill(handed_out, honest)
    for cell in tampered["cells"]:
        if grade_id(cell):
            cell["metadata"]["nbgrader"] |= {"points": 1000, "checksum": "0" * 32, "locked": False, "grade": True}
    hand_in(folder, "file tampered metadata", "01_reinforce", tampered)
    swapped = fill(handed_out, honest)
    for cell in swapped["cells"]:
        if grade_id(cell) == "reinforce_loss":
            cell["metadata"]["nbgrader"]["grade_id"] = cell["id"] = "discounted_returns"
        elif grade_id(cell) == "discounted_returns":
            cell["metadata"]["nbgrader"]["grade_id"] = cell["id"] = "reinforce_loss"
    hand_in(folder, "file swapped ids", "01_reinforce", swapped)
    own_checks = fill(handed_out, honest)
    for cell in own_checks["cells"]:
        if grade_id(cell).startswith("check-"):
            cell["source"] = "print('correct'); score = 100"
    hand_in(folder, "file own checks", "01_reinforce", own_checks)
    big = fill(handed_out, honest)
    output = {"output_type": "stream", "name": "stdout", "text": "x" * 50 * 2**20}
    next(cell for cell in big["cells"] if cell["cell_type"] == "code")["outputs"] = [output]
    hand_in(folder, "file 50 MB of output", "01_reinforce", big)
    hand_in(folder, "file nested", "01_reinforce", '{"cells": ' + "[" * 10**6)
    hand_in(folder, "file deep code", "01_reinforce", fill(handed_out, honest | {"standardize": "-" * 150_000 + "1"}))
    strange = json.dumps({"cells": [{"cell_type": "code", "source": 3}, 7, None]})
    hand_in(folder, "file strange types", "01_reinforce", strange)
    (folder / "file link").mkdir()
    (folder / "file link" / "01_reinforce.ipynb").symlink_to(root / "class" / "teacher" / "key" / "01_reinforce.ipynb")
    (folder / "linked folder").symlink_to(root / "class" / "teacher")
    hand_in(folder, "..evil", "01_reinforce", fill(handed_out, honest))
    (folder / "file pipe").mkdir()
    os.mkfifo(folder / "file pipe" / "01_reinforce.ipynb")


@pytest.mark.parametrize("name", CELLS)
def test_an_attack_scores_no_more_than_its_honest_work(graded: Graded, name: str) -> None:
    result, root, _ = graded
    student = next(student for student in result.students if student.name == student_of(name))
    assert student.score <= WORTH
    page = (root / "out" / "students" / f"{student.name}.html").read_text(encoding="utf-8")
    assert CELLS[name][2] in page
    if name not in DAMAGED:
        assert student.score == WORTH, "the honest part keeps its points"


def test_files_that_attack_score_no_more(graded: Graded) -> None:
    result, _, _ = graded
    scores = {student.name: student.score for student in result.students if student.name.startswith("file ")}
    honest = ("50 MB of output", "deep code", "own checks", "swapped ids", "tampered metadata")
    nothing = ("nested", "strange types", "link", "pipe")
    assert scores == {f"file {name}": WORTH * (name in honest) for name in (*honest, *nothing)}
    assert {student.max_score for student in result.students} == {11.0}
    assert not any(student.name in ("..evil", "linked folder") for student in result.students)
    assert sum("is a link" in remark for remark in result.remarks) == 2


def test_no_page_holds_a_hidden_value_or_a_script(graded: Graded) -> None:
    _, root, _ = graded
    for page in (root / "out" / "students").glob("*.html"):
        assert "<script" not in page.read_text(encoding="utf-8")
    told = (root / "out" / "students" / "named after a value.json").read_text(encoding="utf-8")
    assert re.search(r"All \d+ examples are right", told)
    assert "Leak" not in told


def test_the_host_is_unharmed(graded: Graded, repository: Path) -> None:
    result, root, connections = graded
    assert not connections, "the network is cut"
    assert not any("Weaker" in remark for remark in result.remarks)
    deadline = time.monotonic() + 20  # the zygotes end with the workers that started them
    while (left := leftovers()) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left == []
    for place in (Path.home(), Path("/tmp"), repository, root / "out"):
        assert not list(place.glob("pgcourse-attack*")), place
    tables = {f"{name}.csv" for name in ("class", "history", "look_at", "overrides", "similarity", "statistics")}
    others = {".class.csv.lock", "grading.json", "observations", "readings", "remarks.txt", "students"}
    assert {path.name for path in (root / "out").iterdir()} == tables | others


def leftovers() -> list[str]:
    """Command lines of processes that came from a submission of this run; another run's have its live process above."""
    parents, commands, users = {}, {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            pid, command = int(folder.name), (folder / "cmdline").read_bytes().replace(b"\0", b" ")
            parents[pid] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            commands[pid], users[pid] = command.decode(errors="replace"), folder.stat().st_uid

    def suspicious(pid: int) -> bool:
        command = commands.get(pid, "")
        return CHILD in command or "sleep 987" in command or users.get(pid, 0) >= 2**30

    def above(pid: int) -> list[int]:
        found = [pid]
        while found[-1] in parents:
            found.append(parents[found[-1]])
        return found

    def of_another_run(pid: int) -> bool:
        chain = above(pid)
        owner = next((each for each in chain if not suspicious(each)), 0)
        return os.getpid() not in chain and owner > 1 and "python" in commands.get(owner, "")

    return [command for pid, command in commands.items() if suspicious(pid) and not of_another_run(pid)]
