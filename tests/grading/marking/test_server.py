"""Nobody but the page itself reads or writes marks, and nothing that a student wrote gets beyond text."""

import json
import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from pgcourse.errors import InvalidInput
from pgcourse.grading.marking.desk import CHANGED, Desk
from pgcourse.grading.marking.server import HEADER, HOST, MOST_BODY, MarkingServer
from tests.grading.marking.desks import ANSWER, EXPECTED, RELEASE, SECRET, STUB, answer, desk, id_of, in_base64, table

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)> [x](javascript:alert(1))"
Answer = tuple[int, dict[str, str], Any]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MarkingServer]:
    answers = {"anna": ANSWER, "ben": HOSTILE, "carl": None}
    server = MarkingServer(desk(tmp_path, answers, withheld={"ben": "policy_network"}), SECRET)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.close()


def ask(
    server: MarkingServer, path: str, body: Any = None, *, method: str = "", token: str = SECRET, **changed: Any
) -> Answer:
    """Ask as the page does. Args: changed: headers; None leaves one out."""
    headers: dict[str, Any] = {"Host": f"{HOST}:{server.server_port}", HEADER: "1", "Sec-Fetch-Site": "same-origin"}
    if body is not None:
        headers |= {"Origin": server.origin, "Content-Type": "application/json"}
    headers |= changed
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    connection = HTTPConnection(HOST, server.server_port, timeout=10)
    connection.putrequest(method or ("GET" if body is None else "POST"), f"/{token}/{path}", skip_host=True)
    if data is not None:
        headers.setdefault("Content-Length", str(len(data)))
    for name, value in headers.items():
        if value is not None:
            connection.putheader(name, value)
    connection.endheaders(data)
    reply = connection.getresponse()
    text = reply.read()
    connection.close()
    kind = reply.headers.get_content_type()
    return reply.status, dict(reply.headers), json.loads(text) if kind == "application/json" else text.decode()


def mark(server: MarkingServer, name: str = "anna", **change: Any) -> dict[str, Any]:
    return {"student": id_of(server.desk, name), "task": "experiment-01", **change}


def manual(server: MarkingServer) -> str:
    return (server.desk.grades / "manual.csv").read_text()


def test_the_page_and_its_files_come_with_a_strict_policy(server: MarkingServer) -> None:
    for path in ("", "page.js", "page.css", "api/class"):
        status, headers, _ = ask(server, path)
        policy = headers["Content-Security-Policy"]
        assert status == 200 and policy.startswith("default-src 'none'; script-src 'self'") and "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy and "require-trusted-types-for 'script'" in policy
        assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")
        assert headers["Cache-Control"] == "no-store" and "Access-Control-Allow-Origin" not in headers
    assert "script" in ask(server, "")[2] and "://" not in ask(server, "")[2], "nothing from elsewhere"


@pytest.mark.parametrize("path", ["", "page.js", "api/class", "api/marks", "api/work", "api/mark"])
def test_without_the_secret_or_under_another_host_there_is_nothing(server: MarkingServer, path: str) -> None:
    for token in ("", "x", SECRET[:-1], SECRET + "x", SECRET.upper(), "../" + SECRET, "%C3%BC", "/[", "\\"):
        assert ask(server, path, token=token)[0] in (403, 404)
    for host in ("evil.example", f"evil.example:{server.server_port}", "localhost", HOST, f"{HOST}:1", "", None):
        assert ask(server, path, Host=host)[0] in (400, 403), host


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": None}, {"Origin": "http://127.0.0.1:1"},
        {HEADER: None}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"},
    ],
)  # fmt: skip
def test_another_page_cannot_write_even_if_it_knew_the_secret(server: MarkingServer, headers: dict[str, Any]) -> None:
    before = manual(server)
    assert ask(server, "api/mark", mark(server, item=0, points=1), **headers)[0] == 403
    assert manual(server) == before
    if headers != {"Origin": None}:  # a page's own reading carries none
        assert ask(server, "api/marks", **headers)[0] == 403


def test_a_form_of_another_kind_is_refused(server: MarkingServer) -> None:
    status, _, said = ask(server, "api/mark", mark(server, item=0, points=1), **{"Content-Type": "text/plain"})
    assert (status, said["error"]) == (400, "a change is sent as JSON")


def test_a_change_is_stored_and_told(server: MarkingServer) -> None:
    _, _, before = ask(server, "api/marks")
    assert ask(server, f"api/marks?since={before['version']}")[2] == {"version": before["version"]}
    for item in range(4):
        status, _, told = ask(server, "api/mark", mark(server, item=item, points=0.5))
    assert status == 200
    assert told["mark"] == {"items": [0.5] * 4, "points": 2, "comment": "", "remark": "", "answer": ""}
    ask(server, "api/mark", mark(server, comment="well <b>done</b>"))
    after = ask(server, f"api/marks?since={before['version']}")[2]
    assert after["marks"][f"{id_of(server.desk, 'anna')} experiment-01"]["comment"] == "well <b>done</b>"
    row = table(server.desk.grades / "manual.csv")["anna", "experiment-01"]
    assert (row["points"], row["items"]) == ("2", "0.5 0.5 0.5 0.5")


@pytest.mark.parametrize(
    "change",
    [
        b"", b"{", b"[" * 50_000, b"null", b"[]", b'{"student": 3}', {"item": 0, "points": 2}, {"item": 9, "points": 1},
        {"item": True, "points": 1}, {"item": 0, "points": "1"}, {"item": 0.5, "points": 1}, {"item": 0, "points": float("nan")},
        {"comment": 3}, {"comment": "x" * 10_001}, {}, {"item": 0, "points": True}, {"task": "nothing", "comment": "x"},
        {"student": "../../etc/passwd", "comment": "x"}, {"student": "anna", "comment": "x"},
    ],
)  # fmt: skip
def test_what_is_no_change_is_refused_in_one_line(server: MarkingServer, change: Any) -> None:
    before = manual(server)
    body = change if isinstance(change, bytes) else mark(server) | change
    status, _, said = ask(server, "api/mark", body)
    assert status == 400 and said["error"] and "\n" not in said["error"]
    assert manual(server) == before


def test_half_a_letter_and_a_body_without_end_are_refused(server: MarkingServer) -> None:
    body = json.dumps(mark(server) | {"comment": "x"}).replace('"x"', '"\\ud800"').encode()
    assert ask(server, "api/mark", body)[0] == 400
    for length in ("-1", str(MOST_BODY + 1), "1e3", "", None):
        assert ask(server, "api/mark", b"", **{"Content-Length": length})[0] == 413


def test_other_methods_and_paths_give_nothing(server: MarkingServer) -> None:
    for method in ("PUT", "DELETE", "OPTIONS", "HEAD"):
        assert ask(server, "api/mark", method=method)[0] == 501
    for path in (
        "../server.py",
        "..%2fserver.py",
        "server.py",
        "api",
        "api/mark",
        "page.html",
        "%2e%2e/",
        "api/../page.js",
    ):
        assert ask(server, path)[0] == 404, path


def test_students_are_no_paths(server: MarkingServer, tmp_path: Path) -> None:
    """Not in a request, and not in a table that somebody has edited."""
    elsewhere = tmp_path / "grades" / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "01_reinforce.json").write_text(json.dumps({"written": [answer("experiment-01", "secret")]}))
    table_file = server.desk.grades / "manual.csv"
    table_file.write_text(table_file.read_text() + "../elsewhere,experiment-01,1,,\n")
    (server.desk.grades / "readings" / "linked").symlink_to(elsewhere)
    (server.desk.grades / "students" / "linked.json").symlink_to("/etc/passwd")
    of_class = server.desk.grades / "class.csv"
    of_class.write_text(of_class.read_text() + "../elsewhere\nlinked\n")
    assert {person["name"] for person in ask(server, "api/class")[2]["students"]} == {"anna", "ben", "carl"}
    for student in ("../elsewhere", "..%2felsewhere", "anna", "linked", ""):
        status, _, said = ask(server, f"api/work?student={student}&task=experiment-01")
        assert status == 400 and "no such student" in said["error"]


def test_what_a_student_wrote_comes_as_text(server: MarkingServer) -> None:
    path = server.desk.grades / "readings" / "ben" / "01_reinforce.json"
    svg = in_base64(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")
    path.write_text(json.dumps({"written": [answer("experiment-01", HOSTILE, svg)]}))
    status, headers, told = ask(server, f"api/work?student={id_of(server.desk, 'ben')}&task=experiment-01")
    assert status == 200 and headers["Content-Type"].startswith("application/json")
    assert told["prose"] == [["p", HOSTILE]]
    assert told["cells"][0]["figures"] == [] and "Shown are PNG" in told["remarks"][0]


def test_an_error_of_our_own_is_said_and_the_page_goes_on(
    server: MarkingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"api/work?student={id_of(server.desk, 'ben')}&task=experiment-01"
    with monkeypatch.context() as patch:
        patch.setattr("pgcourse.grading.marking.desk.tree", lambda text: 1 / 0)
        status, _, said = ask(server, path)
        assert status == 500 and "(ZeroDivisionError); look at the notebook itself" in said["error"]
    assert ask(server, path)[0] == 200


def test_an_answer_that_has_changed_since_it_was_marked_is_called_so(server: MarkingServer) -> None:
    work = f"api/work?student={id_of(server.desk, 'anna')}&task=experiment-01"
    path = server.desk.grades / "readings" / "anna" / "01_reinforce.json"

    def give() -> None:
        for item in range(4):
            ask(server, "api/mark", mark(server, item=item, points=0.5))

    ask(server, work)
    give()
    assert table(server.desk.grades / "manual.csv")["anna", "experiment-01"]["answer"]
    assert CHANGED not in ask(server, work)[2]["remarks"]
    path.write_text(json.dumps({"written": [answer("experiment-01", "Another text.")]}))
    give()  # on the page that shows the first text
    assert CHANGED in ask(server, work)[2]["remarks"]
    give()
    assert CHANGED not in ask(server, work)[2]["remarks"]
    (server.desk.grades / "manual.csv").write_text("broken")
    assert ask(server, work)[0] == 200


def test_a_missing_reading_is_said_without_the_name(server: MarkingServer) -> None:
    (server.desk.grades / "readings" / "ben" / "01_reinforce.json").unlink()
    told = ask(server, f"api/work?student={id_of(server.desk, 'ben')}&task=experiment-01")[2]
    assert told["text"] == "" and "There is no reading" in told["remarks"][0] and "ben" not in told["remarks"][0]


def test_nobody_is_asked_about_what_was_not_handed_in(server: MarkingServer) -> None:
    carl, tasks = id_of(server.desk, "carl"), ask(server, "api/class")[2]["tasks"]
    assert not any(carl in task["students"] for task in tasks)
    assert server.desk.progress() == (0, 5)
    assert ask(server, f"api/work?student={carl}&task=experiment-01")[0] == 400
    assert ask(server, "api/mark", mark(server, "carl", item=0, points=1))[0] == 400


def test_what_grade_lists_as_open_is_what_is_to_be_marked_and_marks_stay_in_reach(server: MarkingServer) -> None:
    path = server.desk.grades / "students" / "anna.json"
    told = json.loads(path.read_text())
    told["exercises"]["experiment-01"] |= {"status": "marked by hand", "points": 3}
    told["exercises"]["report-2"]["status"] = "not attempted"
    path.write_text(json.dumps(told))
    tasks = {task["id"]: task["students"] for task in ask(server, "api/class")[2]["tasks"]}
    assert id_of(server.desk, "anna") in tasks["experiment-01"], "a mark can be changed"
    assert tasks["report-2"] == [id_of(server.desk, "ben")]
    path.write_text("{")
    assert all(id_of(server.desk, "anna") not in task["students"] for task in ask(server, "api/class")[2]["tasks"])


def test_an_answer_as_it_was_handed_out_is_called_nothing(server: MarkingServer) -> None:
    path = server.desk.grades / "readings" / "ben" / "01_reinforce.json"
    path.write_text(json.dumps({"written": [answer("experiment-01", f"{STUB}\n")]}))
    told = ask(server, f"api/work?student={id_of(server.desk, 'ben')}&task=experiment-01")[2]
    assert (told["text"], told["prose"], told["remarks"]) == ("", [], ["Nothing was written."])
    assert told["cells"][0]["printed"], "what ran is shown"


def test_who_is_no_longer_in_the_class_is_not_on_the_desk(server: MarkingServer) -> None:
    (server.desk.grades / "class.csv").write_text("student\nanna\n../elsewhere\n")
    assert [person["name"] for person in ask(server, "api/class")[2]["students"]] == ["anna"]


def test_the_class_names_rubric_key_and_whom_an_exercise_waits_for(server: MarkingServer) -> None:
    told = ask(server, "api/class")[2]
    tasks = {task["id"]: task for task in told["tasks"]}
    assert list(tasks) == ["experiment-01", "report-2", "policy_network"]
    assert tasks["experiment-01"]["expected"] == [["p", EXPECTED["experiment-01"]]]
    assert [item["points"] for item in tasks["report-2"]["items"]] == [3, 1.5]
    assert tasks["policy_network"]["students"] == [id_of(server.desk, "ben")]
    work = ask(server, f"api/work?student={id_of(server.desk, 'ben')}&task=policy_network")[2]
    assert "sys._getframe" in work["text"] and work["cells"][0]["source"].startswith("def policy_network")
    assert [person["number"] for person in told["students"]] == [1, 2, 3]


def test_an_exercise_that_was_withheld_gets_its_points_as_an_override(server: MarkingServer) -> None:
    change = mark(server, "ben") | {"task": "policy_network"}
    assert ask(server, "api/mark", change | {"comment": "fine"})[0] == 400
    ask(server, "api/mark", change | {"item": 0, "points": 1.5})
    assert ask(server, "api/mark", change | {"comment": "fine"})[0] == 200
    row = table(server.desk.grades / "overrides.csv")["ben", "policy_network"]
    assert (row["points"], row["reason"]) == ("1.5", "fine")
    assert server.desk.progress() == (1, 5)


def test_a_broken_table_is_said_and_marks_go_on_once_it_is_mended(server: MarkingServer) -> None:
    whole = manual(server)
    (server.desk.grades / "manual.csv").write_text("name,points\n")
    status, _, said = ask(server, "api/mark", mark(server, item=0, points=1))
    assert status == 409 and "has no column 'student'" in said["error"]
    assert ask(server, "api/marks")[0] == 409
    (server.desk.grades / "manual.csv").write_text(whole)
    assert ask(server, "api/mark", mark(server, item=0, points=1))[0] == 200


def test_nobody_else_on_the_network_can_reach_it(server: MarkingServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    with socket.socket() as other, pytest.raises(OSError):
        other.settimeout(1)
        other.connect(("127.0.0.2", server.server_port))


def test_a_desk_needs_a_graded_class(tmp_path: Path) -> None:
    RELEASE.write(tmp_path / "class")
    with pytest.raises(InvalidInput, match="holds no graded class; grade first"):
        Desk(tmp_path / "grades", tmp_path / "class", SECRET)
