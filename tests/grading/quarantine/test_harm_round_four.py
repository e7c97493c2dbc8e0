"""A fourth round of harm: the kernel's rarer calls, odd notebooks and folders, names, the hub, the marking page.

What still succeeds is marked, with its cause.
"""

import csv
import json
import os
import re
import resource
import socket
import struct
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from pgcourse.checks.exercise import Exercise, exercises, get
from pgcourse.checks.observe import observe, settled
from pgcourse.checks.observe.asking import Asking
from pgcourse.checks.sandbox import preserved_state
from pgcourse.grading.grader import ClassResult, grade
from pgcourse.grading.marking.prose import tree
from pgcourse.grading.marking.server import MarkingServer
from pgcourse.grading.marks.similarity import pairs
from pgcourse.grading.names import PUBLISHED, wrong_name
from pgcourse.grading.quarantine import process, reading
from pgcourse.grading.quarantine.found import discover
from pgcourse.grading.quarantine.prepare import inputs
from pgcourse.grading.quarantine.reading import Form, ReadJob
from pgcourse.grading.quarantine.sandbox import arrays, syscalls, wire
from pgcourse.grading.settings import Settings
from tests.grading.classroom import SEED, answers, fill, hand_in, make_release, notebook, solutions
from tests.grading.marking.desks import ANSWER, SECRET, desk
from tests.grading.quarantine import attacks_of_harm_round_four as harm
from tests.grading.quarantine.attacks import HONEST
from tests.grading.quarantine.attacks_of_harm import D
from tests.grading.quarantine.test_attacks import leftovers
from tests.grading.test_hub_classroom import classroom as _classroom

classroom = _classroom
linux = pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")
root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root becomes a student")
NEIGHBOURS = ("aa neighbour", "mm neighbour", "zz neighbour")
NAME, MB = harm.NAME, 2**20


# One class of all whose attack costs the others nothing


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ClassResult, Path]]:
    base = tmp_path_factory.mktemp("harm")
    release = make_release(base / "release", 1)
    handed_out, solved = notebook(release, NAME), solutions(release, NAME)
    for student in NEIGHBOURS:
        hand_in(base / "in", student, NAME, fill(handed_out, solved))
    for student, cell in harm.CELLS.items():
        hand_in(base / "in", student, NAME, fill(handed_out, {"reinforce_loss": HONEST, D: cell}))
    for student, make in harm.FILES.items():
        hand_in(base / "in", f"file {student}", NAME, make(handed_out))
    for student, change in harm.FOLDERS.items():
        (base / "in" / f"folder {student}").mkdir()
        change(base / "in" / f"folder {student}", base / "in" / NEIGHBOURS[1] / f"{NAME}.ipynb")
    yield grade(Settings(base / "in", release, base / "out", hidden_seed=SEED, timeout=1.0, jobs=2)), base


@linux
@pytest.mark.slow
def test_neighbours_keep_full_marks(graded: tuple[ClassResult, Path]) -> None:
    scores = {student.name: student.score for student in graded[0].students}
    assert {name: scores[name] for name in NEIGHBOURS} == dict.fromkeys(NEIGHBOURS, 11.0)


@linux
@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [*harm.CELLS, *(f"file {name}" for name in harm.FILES), *(f"folder {name}" for name in harm.FOLDERS)]
)
def test_an_attack_is_one_student_s_line(graded: tuple[ClassResult, Path], name: str) -> None:
    (student,) = [each for each in graded[0].students if each.name == name]
    notes = [note for part in student.parts for note in part.notes]
    assert student.score <= 2.0
    assert not [note for note in notes if "The grader itself failed" in note or "AssertionError" in note]
    assert all(note.isprintable() for note in notes)
    told = graded[1] / "out" / "students" / f"{name}.json"
    json.loads(told.read_text(encoding="utf-8"))
    page = told.with_suffix(".html").read_text(encoding="utf-8")
    assert "<script" not in page and "<svg" not in page and told.stat().st_size < MB


@linux
@pytest.mark.slow
def test_remarks_are_lines_and_tables_have_a_row_for_each(graded: tuple[ClassResult, Path]) -> None:
    assert all(remark.isprintable() for remark in graded[0].remarks)
    with (graded[1] / "out" / "class.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert len(rows) == 1 + len(NEIGHBOURS) + len(harm.CELLS) + len(harm.FILES) + len(harm.FOLDERS)


@linux
@pytest.mark.slow
def test_nothing_is_left_behind(graded: tuple[ClassResult, Path]) -> None:
    deadline = time.monotonic() + 20
    while (left := leftovers()) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left == []
    for folder in ("/dev/shm", "/dev/mqueue", "/tmp"):
        assert not list(Path(folder).glob("pgcourse-attack*"))


# What one child takes, and what it tells


def trial(base: Path, cells: dict[str, str], exercise: str, **changes: Any) -> dict[str, str]:
    """Grade these students; each one's notes as one text."""
    release = make_release(base / "release", 1)
    for student, cell in cells.items():
        hand_in(base / "in", student, NAME, fill(notebook(release, NAME), {exercise: cell}))
    grade(Settings(base / "in", release, base / "out", hidden_seed=SEED, **{"timeout": 3.0} | changes))
    told = {student: base / "out/students" / f"{student}.json" for student in cells}
    return {student: str(json.loads(path.read_text(encoding="utf-8"))["notes"]) for student, path in told.items()}


@linux
@pytest.mark.slow
@pytest.mark.parametrize("name", harm.TAKING)
def test_a_notebook_holds_no_more_memory_than_it_may(tmp_path: Path, name: str) -> None:
    cell, most = harm.TAKING[name]
    notes = trial(tmp_path, {"eve": cell}, D, memory=256, timeout=10.0)["eve"]
    held = re.search(r"holds (\d+) MB", notes)
    assert held is None or int(held[1]) <= most


@linux
@pytest.mark.slow
def test_no_child_hears_a_hidden_input_from_another(tmp_path: Path) -> None:
    try:
        socket.socket(40, socket.SOCK_STREAM).close()
    except OSError:
        pytest.skip("this kernel has no such sockets")
    notes = trial(tmp_path, {"eve": harm.TELLS, "mallory": harm.LISTENS}, "standardize", jobs=2)
    drawn = inputs(get("standardize"), SEED)
    numbers = [float(case["x"].flatten()[0]) for case in drawn.cases[drawn.visible :]]
    assert not [x for x in numbers if x and struct.pack(">f", x).hex() in notes["mallory"]]


@pytest.mark.parametrize("call", [467, 700], ids=["open_tree_attr", "a call of a kernel to come"])
def test_calls_that_the_list_does_not_know_are_refused(call: int) -> None:
    code = syscalls.filter_of("x86_64")
    steps = [struct.unpack_from("HBBI", code, start) for start in range(0, len(code), 8)]
    seen, place, loaded = {0: call, 4: 0xC000003E, 16: 0, 24: 0}, 0, 0
    while True:
        kind, yes, no, value = steps[place]
        place += 1
        if kind == 0x06:
            break
        if kind == 0x20:
            loaded = seen[value]
            continue
        true = {0x15: loaded == value, 0x35: loaded >= value, 0x45: bool(loaded & value)}[kind]
        place += yes if true else no
    assert value != 0x7FFF0000


@linux
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["reading", "running"])
def test_a_waiting_process_that_was_ended_costs_nobody_a_point(tmp_path: Path, kind: str) -> None:
    """As where memory is short, and the kernel chooses whom to end."""
    release = make_release(tmp_path / "release", 1)
    for student in NEIGHBOURS:
        hand_in(tmp_path / "in", student, NAME, fill(notebook(release, NAME), solutions(release, NAME)))
    settings = Settings(tmp_path / "in", release, tmp_path / "out", hidden_seed=SEED, timeout=3.0)
    began = process.Zygote.child
    ended: list[int] = []

    def child(self: process.Zygote, *files: int) -> Any:
        if not ended and bool(files) == (kind == "reading"):
            ended.append(self.process.pid)
            self.process.kill()
            self.process.wait()
        return began(self, *files)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process.Zygote, "child", child)
        result = grade(settings)
    assert ended and {student.name: student.score for student in result.students} == dict.fromkeys(NEIGHBOURS, 11.0)


@linux
@pytest.mark.slow
def test_no_number_makes_the_grader_warn(tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        trial(tmp_path, {"eve": "def standardize(x):\n    return x.double() * 0 + 1e308\n"}, "standardize")
    assert not [str(each.message) for each in found if issubclass(each.category, RuntimeWarning)]


# What the grader itself reads and judges


def test_a_file_that_grows_while_it_is_read_is_not_read_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MAX_BYTES", MB)
    path = tmp_path / f"{NAME}.ipynb"
    path.write_text("{}")
    job = ReadJob("eve", NAME, str(path), {}, process.Limits(), None)
    asked, taken = os.read, []
    monkeypatch.setattr(os, "read", lambda file, count: taken.append(asked(file, count)) or taken[-1])
    file = os.open(path, os.O_RDONLY)
    os.truncate(path, 64 * MB)  # after its size was looked at
    reading._digest(job, file)
    os.close(file)
    assert sum(map(len, taken)) <= 2 * MB


BIG = 4 * MB  # what comes beside it fits into a message too
ODD = {
    "bytes": np.zeros(BIG, np.uint8),
    "halves": np.full(BIG // 2, np.inf, np.float16),
    "no rows": np.zeros((0, BIG), np.float32),
    "no columns": np.zeros((BIG, 0), np.float32),
    "large numbers": np.full(BIG // 8, 2**63 - 1),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "exercise", [e for e in exercises() if not isinstance(e.observe, Asking)], ids=lambda exercise: exercise.id
)
def test_no_array_in_place_of_another_keeps_the_judge_busy(exercise: Exercise) -> None:
    known = answers(exercise.id)
    with preserved_state():
        seen = [observe(exercise.observe, exercise.reference, case) for case in known.inputs.cases]
    judged, last = 0, max(place for place, each in enumerate(seen) if "error" not in each)
    for name in [*seen[last]][:4]:
        for odd in ODD.values():
            try:
                sent = arrays.decode_arrays(arrays.encode_arrays({**seen[last], name: odd}))
            except wire.BadMessage:  # so it is refused before anybody judges
                continue
            judged += 1
            started = time.process_time()
            changed = settled(exercise.observe, known.inputs.cases[last], sent)
            known.judge([*seen[:last], changed, *seen[last + 1 :]])
            assert time.process_time() - started < 5
    assert judged


def test_very_large_forms_are_compared_in_a_moment() -> None:
    forms = {f"student{n:03}": Form(500, f"{n}", tuple(range(n, 20_000 + n))) for n in range(2)}
    forms |= {f"honest{n:03}": Form(100, f"h{n}", tuple(range(10**6 * n, 10**6 * n + 90))) for n in range(1, 200)}
    started = time.process_time()
    assert [(pair.first, pair.second) for pair in pairs(D, forms)] == [("student000", "student001")]
    assert time.process_time() - started < 10


PROSE = {
    "table of many columns": "|" * 8000 + "a|\n" + "|-" * 8000 + "|\n" + "|\n" * 12_000,
    "emphasis": "*a_b" * 12_500,
    "strong in strong": "**a*" * 12_500,
    "strikes": "~~a" * 16_000,
    "ticks of all lengths": "".join("`" * n + " " for n in range(310)),
    "quotes": ">" * 50_000,
    "lazy quotes": ">" * 14 + "a\n" * 20_000,
    "lists": "- " * 25_000,
    "brackets": "[" * 25_000 + "![" * 12_000,
    "backslashes": "\\" * 50_000,
    "fences": "```\n~~~\n" * 6000,
    "underlined": "a\n=\n" * 12_000,
    "tabulators": "\t" * 50_000,
    "tables": "a|b\n-|-\n" * 6000,
    "stars": "*" * 50_000,
}


@pytest.mark.parametrize("name", PROSE)
def test_no_answer_keeps_the_marking_page_busy(name: str) -> None:
    started = time.process_time()
    assert len(json.dumps(tree(PROSE[name][:50_000]))) < 5 * MB
    assert time.process_time() - started < 5


# Names


@pytest.mark.parametrize(
    "name",
    ["anna\U0001d159", "anna\U00016fe4", "anna  berg", "a" + "\u0301" * 100, "\u0301anna"],
    ids=["null notehead", "filler", "two blanks", "a tower of accents", "an accent on what stands before"],
)
def test_a_name_that_looks_like_another_or_covers_it_is_not_taken(name: str) -> None:
    assert wrong_name(name)


def test_no_file_s_name_makes_a_student_of_the_published_solution(tmp_path: Path) -> None:
    for name in (f"{PUBLISHED}-{NAME}", f"anna-{NAME}"):
        (tmp_path / f"{name}.ipynb").write_text("{}")
    assert discover(tmp_path, [NAME]).students == ["anna"]


def test_another_spelling_takes_nobody_s_place(tmp_path: Path) -> None:
    (tmp_path / f"anna-{NAME}.ipynb").write_text("{}")
    (tmp_path / f"anna {NAME}.ipynb").write_text("[]")
    assert discover(tmp_path, [NAME]).files["anna", NAME].name == f"anna-{NAME}.ipynb"


# The hub

MOUNTED = """
import ctypes, importlib.util, os, signal, struct, sys, time
from pathlib import Path
where, base, program = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
C = ctypes.CDLL(None, use_errno=True)
if C.unshare(0x20000) or C.mount(b"none", b"/", b"none", ctypes.c_ulong(16384 | 1 << 18), None):
    raise SystemExit("no mounts of our own")
spec = importlib.util.spec_from_file_location("classroom", program)
classroom = importlib.util.module_from_spec(spec)
sys.modules["classroom"] = classroom
spec.loader.exec_module(classroom)
students = []
for name, number in (("eve", 61001), ("zoe", 61002)):
    home = base / name
    (home / "class").mkdir(parents=True)
    (home / "class/a.ipynb").write_bytes(b"{}")
    for path in (home, home / "class", home / "class/a.ipynb"):
        os.chown(path, number, number)
    home.chmod(0o700)
    students.append(classroom.Student(name, number, number, home))
base.chmod(0o711)
at = students[0].home / where
# As fusermount does for whoever has such a home, and a program behind it that answers nothing.
file = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={file},rootmode=40755,user_id=61001,group_id=61001".encode()
if C.mount(b"fuse", str(at).encode(), b"fuse", ctypes.c_ulong(0), options):
    raise SystemExit("no file system of a user's own")
if (behind := os.fork()) == 0:
    signal.alarm(60)
    while True:
        request = os.read(file, 2**18)
        _, what, number = struct.unpack_from("<IIQ", request)
        if what == 26:
            about = struct.pack("<IIIIHHIIHHI28x", 7, 31, 65536, 0, 12, 9, 65536, 1, 32, 0, 0)
            os.write(file, struct.pack("<IiQ", 16 + len(about), 0, number) + about)
os.close(file)
signal.signal(signal.SIGALRM, lambda *_: (print("stalled", flush=True), os.kill(behind, 9)))
signal.alarm(8)
classroom.SECONDS = 0.5
try:
    if where:
        classroom.collect(["a.ipynb"], students, "class", base / "in")
    else:
        classroom.hand_out({"b.ipynb": b"{}"}, students, "class")
finally:
    signal.alarm(0)
    os.kill(behind, 9)
"""


@linux
@root
@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "said"),
    [
        pytest.param(
            "class",
            "zoe: a.ipynb, 2 bytes",
            id="collect waits for a file system of hers",
        ),
        pytest.param(
            "",
            "zoe: 1 files handed out, 0 were there",
            id="hand-out ends at a file system of hers",
        ),
    ],
)
def test_a_file_system_of_a_student_s_own_costs_nobody_else(
    tmp_path: Path, repository: Path, where: str, said: str
) -> None:
    for folder in [tmp_path, *tmp_path.parents][:4]:
        folder.chmod(folder.stat().st_mode | 0o011)
    program = repository / "docs/jupyterhub/classroom.py"
    command = [sys.executable, "-c", MOUNTED, where, str(tmp_path / "home"), str(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if "SystemExit" in done.stderr or done.stderr.startswith("no "):
        pytest.skip(f"this system has none: {done.stderr}")
    assert said in done.stdout and "stalled" not in done.stdout, done.stderr


def test_a_student_who_stops_each_process_costs_the_class_one_wait(
    tmp_path: Path, classroom: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o711)
    student = classroom.Student("eve", os.getuid(), os.getgid(), tmp_path)
    monkeypatch.setattr(classroom, "become", lambda student: None)
    monkeypatch.setattr(classroom, "SECONDS", 0.3)
    monkeypatch.setattr(classroom, "read_plain", lambda path: time.sleep(60))
    started = time.monotonic()
    assert classroom.collect([f"{n}.ipynb" for n in range(8)], [student], "class", tmp_path / "in") == 8
    assert time.monotonic() - started < 1.2


# The marking page, on a machine that others use too

IDLE = """
import http.client, socket, sys, time
sys.stdin.readline()
port, path, kept = int(sys.argv[1]), sys.argv[2], []
try:
    while len(kept) < 600:
        kept.append(socket.create_connection(("127.0.0.1", port), timeout=3))
        time.sleep(0.001)  # as many as wait for the server at once are few
except OSError:
    pass
print(len(kept), flush=True)
try:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", path)
    print(connection.getresponse().status)
except OSError:
    print("no answer")
"""


@linux
def test_connections_that_say_nothing_do_not_keep_the_marker_out(tmp_path: Path) -> None:
    server = MarkingServer(desk(tmp_path, {"anna": ANSWER}), SECRET)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    thread.start()
    command = [sys.executable, "-c", IDLE, str(server.server_port), f"/{SECRET}/"]
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        free = max(int(name) for name in os.listdir("/proc/self/fd")) + 64
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, before[1]))
        assert other.communicate("go\n", timeout=60)[0].split()[-1] == "200"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        other.kill()
        server.shutdown()
        server.close()
