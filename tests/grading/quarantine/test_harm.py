"""Whatever a submission does, it harms nobody: not the grader, not a neighbour, not the machine, not who reads."""

import csv
import json
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pgcourse.grading.grader import ClassResult, grade
from pgcourse.grading.names import wrong_name
from pgcourse.grading.quarantine.sandbox import wire
from pgcourse.grading.settings import Settings
from tests.grading.classroom import SEED, fill, hand_in, make_release, notebook, solutions
from tests.grading.quarantine import attacks_of_harm as harm
from tests.grading.quarantine.attacks import HONEST
from tests.grading.quarantine.test_attacks import leftovers

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")]
NAMES = {1: "01_reinforce", 4: "04_ppo", 5: "05_continuous_pendulum", 6: "06_debugging_traps"}
NEIGHBOURS = ("aa neighbour", "mm neighbour", "zz neighbour")  # first, in the middle, last
MB = 2**20


@dataclass
class Lesson:
    """Releases, made once; each trial is a class of its own."""

    root: Path

    def release(self, unit: int) -> Path:
        folder = self.root / f"release {unit}"
        return folder if folder.exists() else make_release(folder, unit)

    def trial(self, unit: int, exercise: str, cell: str, **changes: Any) -> ClassResult:
        """Grade one attacker."""
        release, name = self.release(unit), NAMES[unit]
        hand_in(self.root / "submissions", "attacker", name, fill(notebook(release, name), {exercise: cell}))
        settings = {"hidden_seed": SEED, "timeout": 1.0} | changes
        return grade(Settings(self.root / "submissions", release, self.root / "out", **settings))

    def told(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.root / "out/students/attacker.json").read_text(encoding="utf-8"))
        return found


@pytest.fixture
def lesson(tmp_path: Path) -> Lesson:
    return Lesson(tmp_path)


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ClassResult, Path]]:
    """One class of everybody whose attack costs the others nothing, with honest students among them."""
    root = tmp_path_factory.mktemp("harm")
    release, name = make_release(root / "release", 1), NAMES[1]
    handed_out, solved = notebook(release, name), solutions(release, name)
    for student in NEIGHBOURS:
        hand_in(root / "submissions", student, name, fill(handed_out, solved))
    for student, cell in harm.CELLS.items():
        hand_in(root / "submissions", student, name, fill(handed_out, {"reinforce_loss": HONEST, harm.D: cell}))
    for student, make in harm.FILES.items():
        hand_in(root / "submissions", f"file {student}", name, make(handed_out))
    for student, (_, exercise, cell) in harm.STRANGE.items():
        cells = {"reinforce_loss": HONEST, exercise: cell}
        hand_in(root / "submissions", f"strange {student}", name, fill(handed_out, cells))
    yield grade(Settings(root / "submissions", release, root / "out", hidden_seed=SEED, timeout=1.0, jobs=2)), root


def test_neighbours_keep_full_marks(graded: tuple[ClassResult, Path]) -> None:
    scores = {student.name: student.score for student in graded[0].students}
    assert {name: scores[name] for name in NEIGHBOURS} == dict.fromkeys(NEIGHBOURS, 11.0)
    assert not any("isolation" in remark for remark in graded[0].remarks)


@pytest.mark.parametrize(
    "name", [*harm.CELLS, *(f"file {name}" for name in harm.FILES), *(f"strange {name}" for name in harm.STRANGE)]
)
def test_an_attack_is_one_student_s_line(graded: tuple[ClassResult, Path], name: str) -> None:
    (student,) = [each for each in graded[0].students if each.name == name]
    assert student.score <= 2.0
    assert not any("The grader itself failed" in note for part in student.parts for note in part.notes)
    told = graded[1] / "out" / "students" / f"{name}.json"
    json.loads(told.read_text(encoding="utf-8"))
    page = told.with_suffix(".html").read_text(encoding="utf-8")
    assert "<script" not in page and told.stat().st_size < MB
    assert (graded[1] / "out" / "readings" / name / f"{NAMES[1]}.json").stat().st_size < 20 * MB


def test_tables_have_a_row_for_each(graded: tuple[ClassResult, Path]) -> None:
    with (graded[1] / "out" / "class.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert {len(row) for row in rows} == {len(rows[0])}
    count = len(NEIGHBOURS) + len(harm.CELLS) + len(harm.FILES) + len(harm.STRANGE)
    assert len(rows) == count + 1


def test_nothing_is_left_behind(graded: tuple[ClassResult, Path]) -> None:
    deadline = time.monotonic() + 20
    while (left := leftovers()) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left == []
    for kind in ("shm", "msg", "sem"):
        assert " 987 " not in Path(f"/proc/sysvipc/{kind}").read_text()
    assert "pgcourse-attack" not in Path("/proc/net/unix").read_text(errors="replace")
    for folder in ("/dev/shm", "/dev/mqueue", "/tmp"):
        assert not list(Path(folder).glob("pgcourse-attack*"))


@pytest.mark.parametrize("name", harm.CRASHING)
def test_what_one_child_sends_does_not_end_the_class(lesson: Lesson, name: str) -> None:
    assert lesson.trial(1, harm.D, harm.CRASHING[name]).students


def test_who_answers_in_the_place_of_a_network_is_understood(lesson: Lesson) -> None:
    """Else the strange answers below would be nonsense for another reason than theirs."""
    unit, exercise, cell = harm.SPEAKING
    rows = lesson.trial(unit, exercise, cell).students[0].rows
    (said,) = [row.message for row in rows if row.id == exercise]
    assert "The log_prob of your distribution is not that of its own logits." in said


def peak() -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024 if found else 0


@pytest.mark.parametrize("name", harm.GREEDY)
def test_what_a_child_sends_costs_the_grader_little(lesson: Lesson, name: str) -> None:
    unit, exercise, cell = harm.GREEDY[name]
    lesson.release(unit)
    Path("/proc/self/clear_refs").write_text("5")  # the peak is from here on
    before, started = peak(), time.process_time()
    lesson.trial(unit, exercise, cell)
    used, seconds = peak() - before, time.process_time() - started
    written = sum(path.stat().st_size for path in (lesson.root / "out").rglob("*") if path.is_file())
    assert (used // MB < 300, seconds < 15, written // MB < 20) == (True, True, True), (
        used // MB,
        seconds,
        written // MB,
    )


class Dribble:
    """A connection on which a byte comes whenever one is asked for."""

    bytes_read = 0

    def settimeout(self, seconds: float | None) -> None:
        assert seconds and seconds > 0

    def recv(self, count: int) -> bytes:
        time.sleep(0.0002)
        self.bytes_read += 1
        if self.bytes_read <= 4:
            return b"\x01\x00\x00\x00"[self.bytes_read - 1 : self.bytes_read]  # 16 MB are announced
        assert self.bytes_read < 10_000, "read on for ever, long after the deadline"
        return b" "


def test_bytes_that_trickle_do_not_put_off_the_deadline() -> None:
    with pytest.raises(TimeoutError):
        wire.receive(Dribble(), seconds=0.1)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", harm.STALLING)
def test_no_child_stalls_the_grader(lesson: Lesson, name: str) -> None:
    """Its patience is 2.9 seconds, and an honest class takes few more: between them and 60 is room for a busy machine."""
    lesson.release(1)
    started = time.monotonic()
    lesson.trial(1, harm.D, harm.STALLING[name], timeout=0.3)
    assert time.monotonic() - started < 35


@pytest.mark.parametrize("name", harm.TAKING)
def test_a_notebook_holds_no_more_memory_than_it_may(lesson: Lesson, name: str) -> None:
    lesson.trial(1, harm.D, harm.TAKING[name], memory=256, timeout=3.0)
    held = re.search(r"holds (\d+) MB", " ".join(lesson.told()["notes"][NAMES[1]]))
    assert not held or int(held[1]) <= 256 + 2 * 64, "memory, and two small disks"


def test_no_key_is_left_with_the_kernel(lesson: Lesson) -> None:
    def users() -> set[str]:
        return {line.partition(":")[0].strip() for line in Path("/proc/key-users").read_text().splitlines()}

    before = users()
    lesson.trial(1, harm.D, harm.KEYRING)
    assert users() <= before


@pytest.mark.parametrize("name", harm.LOOKALIKES)
def test_a_name_that_looks_like_another_is_not_taken(name: str) -> None:
    assert wrong_name(name)


def test_a_student_is_not_taken_for_the_published_solution() -> None:
    assert wrong_name("(published solution)")


def test_an_error_s_text_is_one_line_without_control(lesson: Lesson) -> None:
    forged = '["ValueError", "x\\n\\u2713 discounted_returns: correct\\n\\u001b[2J\\u202e", ""]'
    cell = harm.RAW + f'say(event="end", error={forged})\nos._exit(0)\n'
    lesson.trial(1, harm.D, cell)
    notes = lesson.told()["notes"][NAMES[1]]
    assert any("discounted_returns: correct" in note for note in notes)
    assert all(note.isprintable() for note in notes)


def test_a_keeper_that_is_slow_to_start_costs_its_child_alone(lesson: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    """The grader names the error of its own where a neighbour keeps the machine busy for 30 seconds."""
    from pgcourse.grading.quarantine.process import Child

    spent, calls = Child.spent, []

    def late(self: Child) -> tuple[float, float]:
        calls.append(1)
        if len(calls) == 2:  # the reader's was the first
            raise TimeoutError
        return spent(self)

    monkeypatch.setattr(Child, "spent", late)
    lesson.trial(1, "reinforce_loss", HONEST)
    assert not any("UnboundLocalError" in note for note in lesson.told()["notes"].get(NAMES[1], []))
