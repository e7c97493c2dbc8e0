"""Questions answered in the page by keyboard, without a kernel: verdict, commitment, and what is kept until the next day."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pgcourse.checks import progress
from pgcourse.show.questions import build_prediction, build_quiz

pytestmark = pytest.mark.slow

QUIZ = build_quiz(
    "q-gradient", "Where does the gradient of `log_prob` point?",
    ["to where the action becomes more likely", "to where the reward grows", "downhill"],
    answer=0, reasons=["The weight decides how far to go.", "It knows nothing of rewards.", "It points *up*."],
)  # fmt: skip
PREDICTION = build_prediction(
    "q-random", "How long does a random agent last?", ["about 5 steps", "about 20 steps"], answer=1,
    explanation="Pushes cancel for a while.",
)  # fmt: skip
ADDRESS = "http://course.test/"
# JupyterLab as `pgcourse lab` shows it to the page, with a kernel that keeps what it is asked to run.
LAB = """
window.asked = [];
const kernel = { requestExecute: (request) => window.asked.push(request) };
window.jupyterapp = { shell: { widgets: () => [
  { node: document.body, context: { sessionContext: { session: { kernel } } } },
] } };
"""


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """A page with both questions; opened anew, it keeps what a browser keeps."""
    page = chromium.new_page()
    content = "".join(question.output()["text/html"] for question in (QUIZ, PREDICTION))
    answer = f"<!doctype html><html lang='en'><meta charset='utf-8'><body>{content}"
    page.route("**/*", lambda route: route.fulfill(body=answer, content_type="text/html"))
    page.goto(ADDRESS)
    page.wait_for_selector("button")
    yield page
    page.close()


def form(page: Any, number: int) -> Any:
    return page.locator(".pg-question").nth(number)


def mark(page: Any, question: Any, option: str) -> None:
    """Mark an option with the keyboard: into the group, then along it with the arrow keys."""
    question.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    for _ in range(4):
        if question.get_by_role("radio", name=option).is_checked():
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"{option!r} cannot be reached with the arrow keys")


def test_a_quiz_gives_the_reason_of_the_option_that_was_chosen_and_gives_nothing_away_before(page: Any) -> None:
    quiz = form(page, 0)
    assert quiz.locator("details").is_hidden() and quiz.get_by_role("button", name="Check").is_disabled()
    mark(page, quiz, "to where the reward grows")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert quiz.get_by_role("status").inner_text() == "✗ Not this one. It knows nothing of rewards."
    mark(page, quiz, "to where the action becomes more likely")
    quiz.get_by_role("button", name="Check").press("Enter")
    assert quiz.get_by_role("status").inner_text() == "✓ Right. The weight decides how far to go."


def test_a_prediction_is_committed_before_it_is_compared_and_cannot_be_changed(page: Any) -> None:
    asked = form(page, 1)
    mark(page, asked, "about 5 steps")
    asked.get_by_label("How sure are you?").select_option("very sure")
    asked.get_by_role("button", name="Commit").press("Enter")
    status = asked.get_by_role("status")
    assert status.inner_text().startswith("Committed: ") and "cancel" not in status.inner_text()
    assert asked.get_by_role("radio").first.is_disabled()
    asked.get_by_role("button", name="Compare").press("Enter")
    assert status.inner_text().startswith("✗ It came out otherwise. You said ")
    assert "very sure. It was " in status.inner_text() and status.inner_text().endswith("Pushes cancel for a while.")


def test_answers_are_there_again_when_the_page_is_opened_again(page: Any) -> None:
    mark(page, form(page, 0), "downhill")
    form(page, 0).get_by_role("button", name="Check").click()
    mark(page, form(page, 1), "about 20 steps")
    form(page, 1).get_by_role("button", name="Commit").click()
    page.reload()
    page.wait_for_selector("button")
    assert form(page, 0).get_by_role("status").inner_text() == "✗ Not this one. It points up."
    assert form(page, 1).get_by_role("button", name="Compare").is_enabled()
    form(page, 1).get_by_role("button", name="Compare").click()
    assert "✓ That is what happened." in form(page, 1).get_by_role("status").inner_text()


def test_a_damaged_store_costs_the_answers_and_nothing_else(page: Any) -> None:
    for damaged in ("no json", "[1]", '{"q-gradient": {"answer": "something else"}}'):
        page.evaluate("text => localStorage.setItem('pgcourse-answers', text)", damaged)
        page.reload()
        page.wait_for_selector("button")
        mark(page, form(page, 0), "downhill")
        form(page, 0).get_by_role("button", name="Check").click()
        assert "It points up." in form(page, 0).get_by_role("status").inner_text()


def test_the_kernel_of_the_notebook_records_the_answer(page: Any) -> None:
    page.evaluate(f"() => {{{LAB}}}")
    mark(page, form(page, 0), "downhill")
    form(page, 0).get_by_role("button", name="Check").click()
    (asked,) = page.evaluate("() => window.asked")
    assert asked["silent"] and not asked["store_history"], "it stays out of the learner's history"
    exec(asked["code"], {})
    kept = progress.load()["answers"]["q-gradient"]
    assert (kept["answer"], kept["confidence"], kept["correct"]) == ("downhill", None, False)
    assert json.loads(page.evaluate("() => localStorage.getItem('pgcourse-answers')"))["q-gradient"]["correct"] is False
