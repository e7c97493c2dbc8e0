"""The marking page in a real browser, by keyboard alone: a class is marked, and the marks are in the table of the class."""

import csv
import json
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pgcourse.grading.grader import grade
from pgcourse.grading.release.make import Settings as ReleaseSettings
from pgcourse.grading.release.make import make
from pgcourse.grading.settings import Settings
from tests.grading.classroom import SEED, hand_in, notebook
from tests.grading.marking.desks import ANSWER, answer, in_base64, make_class, mark_command, table

pytestmark = pytest.mark.slow

NAME, ID = "01_reinforce", "experiment-01"
HOSTILE = (
    "<script>window.caught = 1</script> <img src=x onerror='window.caught = 2'> [a](javascript:window.caught=3)\n\n"
    "![p](http://127.0.0.1:9/picture.png)\n\n<svg onload='window.caught = 4'></svg>\n\n# Heading\n\n- item `code`"
)
SVG = in_base64(b"<svg xmlns='http://www.w3.org/2000/svg' onload='window.caught = 5'/>")
NARROW, WIDE = {"width": 390, "height": 844}, {"width": 1360, "height": 850}


class Marking:
    """The command and its address; it can be stopped and started again."""

    def __init__(self, grades: Path, release: Path) -> None:
        self.command = mark_command(grades, release)
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> str:
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        return self.process.stdout.readline().split()[-1]

    def stop(self) -> str:
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        said, _ = self.process.communicate(timeout=20)
        return said


@pytest.fixture
def marking() -> Iterator[Callable[[Path, Path], Marking]]:
    made: list[Marking] = []

    def start(grades: Path, release: Path) -> Marking:
        made.append(Marking(grades, release))
        return made[-1]

    yield start
    for each in made:
        if each.process is not None and each.process.poll() is None:
            each.process.kill()
            each.process.wait()


@pytest.fixture
def visit(chromium: Any, request: pytest.FixtureRequest, repository: Path) -> Iterator[Callable[..., Any]]:
    """A function that opens an address in a window of its own; `page.errors` grows with what goes wrong in it."""
    contexts: list[Any] = []

    def open_page(address: str, context: Any = None, **options: Any) -> Any:
        if context is None:
            context = chromium.new_context(**{"viewport": WIDE, "reduced_motion": "reduce", **options})
            contexts.append(context)
        page = context.new_page()
        page.errors, page.requests_made = [], []
        page.on("console", lambda message: page.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.on("request", lambda sent: page.requests_made.append(sent.url))
        page.goto(address)
        page.wait_for_selector("#answer > *, #remarks > *")
        return page

    yield open_page
    for number, context in enumerate(contexts):
        if getattr(request.node, "failed", False):
            name = re.sub(r"[^\w.-]+", "_", request.node.name)
            context.pages[0].screenshot(path=repository / "build" / "browser" / f"{name}-{number}.png")
        context.close()


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def saved(page: Any) -> None:
    page.wait_for_selector("html[data-saved=yes]", timeout=15_000)


def whose(page: Any) -> str:
    return str(page.evaluate("document.querySelector('#whose').firstChild.textContent"))


def given(page: Any) -> list[str]:
    """The chosen points of each line."""
    return list(
        page.eval_on_selector_all("fieldset", "sets => sets.map(set => set.querySelector(':checked')?.value ?? '')")
    )


def wait_until(true: Callable[[], Any], what: str, seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def test_a_class_is_marked_by_keyboard_and_the_marks_are_in_its_table(
    tmp_path: Path, marking: Callable[..., Marking], visit: Callable[..., Any]
) -> None:
    release, out = tmp_path / "class", tmp_path / "grades"
    make(ReleaseSettings(out=release, units=(1,), version="0.1.0"))
    names = ["anna", "ben", "carl"]
    for name in names:
        hand_in(tmp_path / "submissions", name, NAME, notebook(release, NAME))
    settings = Settings(tmp_path / "submissions", release, out, hidden_seed=SEED, timeout=1.0)
    grade(settings)
    for name in names:
        path = out / "readings" / name / f"{NAME}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"written": [answer(ID, f"{name} writes.\n\n{ANSWER}")]}))
    command = marking(out, release)
    page = visit(command.start())
    assert whose(page) == "anna" and "anna writes." in page.inner_text("#answer")
    assert page.locator("#answer table td").count() == 8 and page.locator("#ran img").count() == 1
    assert page.inner_text("#progress") == "0 of 3 marked"
    assert page.evaluate("document.activeElement.closest('fieldset').dataset.item") == "0", (
        "the focus is on the first line"
    )
    press(page, "1", "h", "0", "1")
    press(page, "c")
    page.keyboard.type("Say why: j, k and 1 are letters here.\nTwo lines, “quoted”, too.")
    press(page, "Escape", "j")
    assert whose(page) == "ben"
    press(page, "Tab", "ArrowRight")  # the second line, without any key of ours
    press(page, "f", "j")
    press(page, "n", "u")
    assert "everything is marked" in page.inner_text("#said")
    saved(page)
    press(page, "k")
    assert whose(page) == "ben" and given(page) == ["1", "0.5", "1", "1"]
    page.reload()
    page.wait_for_selector("#answer > *")
    assert whose(page) == "ben" and given(page) == ["1", "0.5", "1", "1"], "the page comes back where it was"
    assert page.inner_text("#progress") == "3 of 3 marked"
    press(page, "k")
    assert given(page) == ["1", "0.5", "0", "1"] and page.input_value("#comment").startswith("Say why")
    assert page.errors == []
    assert "3 of 3 marked" in command.stop()

    with (out / "class.csv").open(encoding="utf-8") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert {name: rows[name][ID] for name in names} == {"anna": "2.5", "ben": "3.5", "carl": "0.0"}
    assert {rows[name]["open"] for name in names} == {""}
    feedback = visit_file(page, out / "students" / "anna.html")
    assert "2.5 of 4" in feedback and "0.5 of 1" in feedback and "Two lines, “quoted”, too." in feedback


def visit_file(page: Any, path: Path) -> str:
    other = page.context.new_page()
    other.goto(path.as_uri())
    text = str(other.inner_text("body"))
    other.close()
    return text


@pytest.fixture
def small(tmp_path: Path) -> tuple[Path, Path]:
    return make_class(tmp_path, {"anna": ANSWER, "ben": HOSTILE, "carl": None}, withheld={"ben": "policy_network"})


def test_what_a_student_wrote_does_nothing(
    small: tuple[Path, Path], marking: Callable[..., Marking], visit: Callable[..., Any]
) -> None:
    path = small[0] / "readings" / "ben" / f"{NAME}.json"
    path.write_text(json.dumps({"written": [answer(ID, HOSTILE, SVG)]}))
    start = marking(*small).start()
    page = visit(start)
    press(page, "j")
    page.wait_for_selector("#answer h3")
    assert "window.caught = 1" in page.inner_text("#answer"), "it is shown as text"
    assert page.locator("#answer :is(a, img, script, svg), #ran img").count() == 0
    assert "Shown are PNG" in page.inner_text("#remarks")
    press(page, "w")
    assert page.inner_text("#answer") == HOSTILE
    refused = page.evaluate("() => { try { document.body.innerHTML = '<b>'; return false; } catch { return true; } }")
    assert refused, "the page could not make HTML of a text if it tried"
    assert page.evaluate("window.caught") is None
    assert all(url.startswith((start, "data:image/png")) for url in page.requests_made), page.requests_made
    (small[0] / "readings" / "anna" / f"{NAME}.json").unlink()
    press(page, "k")
    page.wait_for_selector("#remarks > p")
    assert "There is no reading" in page.inner_text("#remarks")


def test_another_page_can_neither_read_nor_write(
    small: tuple[Path, Path], marking: Callable[..., Marking], visit: Callable[..., Any], chromium: Any
) -> None:
    start = marking(*small).start()
    page = visit(start)
    body = page.evaluate("async () => (await (await fetch('api/class', {headers: {'X-Pgcourse-Mark': '1'}})).json())")
    change = json.dumps({"student": body["students"][0]["id"], "task": ID, "item": 0, "points": 1})
    before = (small[0] / "manual.csv").read_text()
    with socket.socket() as listener:  # another origin on this machine, which even knows the secret
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    other = chromium.new_page()
    other.route(f"http://127.0.0.1:{port}/", lambda route: route.fulfill(body="<p>evil</p>", content_type="text/html"))
    other.goto(f"http://127.0.0.1:{port}/")
    own = {"X-Pgcourse-Mark": "1", "Content-Type": "application/json"}
    post = {"method": "POST", "body": change}
    for mode in ("cors", "no-cors"):
        for path, options in (("api/marks", {}), ("api/mark", post), ("api/mark", {**post, "headers": own}), ("", {})):
            read = other.evaluate(
                """async ([url, options]) => {
                    try { return await (await fetch(url, options)).text(); } catch { return ""; }
                }""",
                [start + path, {**options, "mode": mode}],
            )
            assert read == "", "nothing can be read"
    other.evaluate(
        "url => { const f = document.createElement('iframe'); f.src = url; document.body.append(f); }", start
    )
    other.wait_for_timeout(500)
    assert not any(frame.query_selector("#items fieldset") for frame in other.frames[1:]), "nor can it be framed"
    other.close()
    assert (small[0] / "manual.csv").read_text() == before


def test_two_tabs_and_the_file_itself_agree_and_say_what_has_changed(
    small: tuple[Path, Path], marking: Callable[..., Marking], visit: Callable[..., Any]
) -> None:
    start = marking(*small).start()
    first = visit(start)
    second = visit(start, first.context)
    press(second, "1", "1")
    saved(second)
    first.bring_to_front()
    wait_until(lambda: given(first) == ["1", "1", "", ""], "the other tab's points arrive")
    assert "Changed elsewhere" in first.inner_text("#elsewhere") and "line 1, line 2" in first.inner_text("#said")
    press(first, "Tab", "Tab", "h", "h")
    saved(first)
    assert table(small[0] / "manual.csv")["anna", ID]["items"] == "1 1 0.5 0.5", "each line is written alone"
    path = small[0] / "manual.csv"
    path.write_text(path.read_text().replace("anna,experiment-01,3,,1 1 0.5 0.5", "anna,experiment-01,2,by hand,"))
    wait_until(lambda: given(first) == [""] * 4, "and what is written into the file")
    assert first.inner_text("#sum") == "2 points of 4" and first.input_value("#comment") == "by hand"
    assert "none for the single lines" in first.inner_text("#comment-help")


def test_nothing_is_lost_when_the_command_stops_and_starts_again(
    small: tuple[Path, Path], marking: Callable[..., Marking], visit: Callable[..., Any]
) -> None:
    command = marking(*small)
    page = visit(command.start())
    press(page, "1")
    saved(page)
    command.stop()
    press(page, "h", "c")
    page.keyboard.type("Written while nothing listens.")
    page.wait_for_selector("#trouble:not([hidden])")
    assert "pgcourse mark has stopped. Start it again" in page.inner_text("#trouble")
    wait_until(lambda: page.inner_text("#saved") == "Not saved", "it says so")
    sent = len(page.requests_made)
    again = visit(command.start(), page.context)
    saved(again)
    row = table(small[0] / "manual.csv")["anna", ID]
    assert (row["items"], row["comment"]) == ("1 0.5 ? ?", "Written while nothing listens.")
    wait_until(lambda: page.evaluate("document.querySelector('main').inert"), "the earlier page is over")
    assert len(page.requests_made) == sent, "and has asked nobody anything"
    assert page.reload().status == 403 and "belongs to an earlier start" in page.inner_text("body")


def test_a_page_of_an_earlier_start_that_nobody_looked_at_is_over_when_the_next_is_opened(
    small: tuple[Path, Path], marking: Callable[..., Marking], visit: Callable[..., Any]
) -> None:
    command = marking(*small)
    page = visit(command.start())
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true })")  # it asks nothing by itself
    command.stop()
    visit(command.start(), page.context)
    wait_until(lambda: page.evaluate("document.querySelector('main').inert"), "it is over")
    assert "belongs to an earlier start" in page.inner_text("#trouble")


def test_a_comment_is_saved_when_the_page_is_left_at_once(
    small: tuple[Path, Path], marking: Callable[..., Marking], visit: Callable[..., Any]
) -> None:
    page = visit(marking(*small).start())
    press(page, "c")
    page.keyboard.type("quick")
    page.goto("about:blank")
    path = small[0] / "manual.csv"
    wait_until(lambda: table(path)["anna", ID]["comment"] == "quick", "sent on the way out")


def test_names_can_be_hidden_and_an_exercise_gets_its_points(
    small: tuple[Path, Path], marking: Callable[..., Marking], visit: Callable[..., Any]
) -> None:
    page = visit(marking(*small).start())
    press(page, "b")
    shown = page.inner_text("body")
    assert not re.search(r"\b(anna|ben|carl)\b", shown) and re.search(r"Student [123]\b", shown)
    assert not re.search(r"anna|ben|carl", page.url + page.title())
    page.reload()
    page.wait_for_selector("fieldset")
    assert whose(page).startswith("Student "), "it stays so"
    press(page, "b", "o")
    for _ in range(10):  # in the order of students, until the exercise that was withheld comes up
        if "What the code is worth" in page.inner_text("#items"):
            break
        press(page, "f", "u")
    assert whose(page) == "ben" and page.locator("#comment").is_disabled()
    page.wait_for_selector("#ran pre")
    assert "sys._getframe" in page.inner_text("#ran")
    press(page, "Shift+Digit1", "c")
    page.keyboard.type("explained at the board")
    press(page, "Escape")
    saved(page)
    row = table(small[0] / "overrides.csv")["ben", "policy_network"]
    assert (row["points"], row["reason"]) == ("1.5", "explained at the board")


def test_single_keys_can_be_switched_off_and_everything_is_reached_by_tab(
    small: tuple[Path, Path], marking: Callable[..., Marking], visit: Callable[..., Any]
) -> None:
    page = visit(marking(*small).start())
    reached = set()
    for _ in range(30):
        press(page, "Tab")
        reached.add(
            page.evaluate("document.activeElement.id || document.activeElement.name || document.activeElement.tagName")
        )
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none" or page.evaluate("document.activeElement === document.body"), "the focus is seen"
    assert {"task", "student", "order", "blind", "comment", "single", "item-1", "item-2", "item-3"} <= reached
    page.focus("#single")
    press(page, "Space")
    page.focus("fieldset input")
    press(page, "j", "1")
    assert whose(page) == "anna" and given(page) == [""] * 4


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_everybody_can_read_and_use_it(
    small: tuple[Path, Path],
    marking: Callable[..., Marking],
    visit: Callable[..., Any],
    repository: Path,
    theme: str,
    size: Any,
) -> None:
    page = visit(marking(*small).start(), color_scheme=theme, viewport=size)
    press(page, "1", "x")
    saved(page)
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"], "nothing is wider than the window"
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 17, 17)"}[theme]
    axe = repository / "node_modules" / "axe-core" / "axe.min.js"
    if not axe.exists():
        pytest.skip("needs `npm ci` for the rest")
    page.context.new_cdp_session(page).send("Page.setBypassCSP", {"enabled": True})  # for axe alone
    page.reload()
    page.wait_for_selector("#answer > *")
    page.evaluate(axe.read_text(encoding="utf-8"))
    found = page.evaluate("async () => (await axe.run()).violations.map(each => [each.id, each.nodes[0].html])")
    assert found == []
