"""Questions and the progress page in a real JupyterLab."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from pgcourse.show.questions.ask import shuffled

from .conftest import Lab, run_all

pytestmark = pytest.mark.slow

PROGRESS = "from pgcourse.show.page.progress_page import progress_page; progress_page()"
QUIZ = """
from pgcourse.show.questions import predict, quiz
quiz("browser-quiz", "Where does the gradient of `log_prob` point?",
     ["To where the action that was taken becomes more likely, whatever the reward was, in each case.",
      "To where the reward grows."],
     answer=0, reasons=["The weight decides how far to go.", "It knows nothing of rewards."])
"""
PREDICT = """
predict("browser-predict", "How long does a random agent keep the pole up?",
        ["about 5 steps", "about 20 steps"],
        answer=1, explanation="Pushes cancel for a while.")
"""


@pytest.fixture
def page(open_notebook: Callable[..., Any], request: pytest.FixtureRequest) -> Any:
    name, cells = request.param
    page = open_notebook(f"{name}.ipynb", cells)
    assert run_all(page)
    return page


@pytest.mark.parametrize("page", [("quiz", [QUIZ, PREDICT])], indirect=True)
def test_questions_take_the_arrow_keys_from_jupyterlab_and_the_kernel_records_the_answers(page: Any, lab: Lab) -> None:
    page.wait_for_selector("input[type=radio]")
    quiz, prediction = page.locator(".pg-question").nth(0), page.locator(".pg-question").nth(1)
    quiz.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    assert quiz.get_by_role("radio").nth(1).is_checked(), "JupyterLab took the key and went to another cell"
    quiz.get_by_role("button", name="Check").press("Enter")
    assert quiz.get_by_role("status").inner_text()

    prediction.get_by_role("radio").nth(shuffled("browser-predict", 2).index(1)).check()
    prediction.get_by_role("button", name="Commit").press("Enter")
    assert "Pushes cancel" not in prediction.inner_text()
    prediction.get_by_role("button", name="Compare").press("Enter")
    assert "Pushes cancel for a while." in prediction.get_by_role("status").inner_text()

    file = lab.home / "progress.json"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and "browser-predict" not in (file.read_text() if file.exists() else ""):
        page.wait_for_timeout(100)
    answers = json.loads(file.read_text())["answers"]
    assert answers["browser-predict"]["correct"] is True and "browser-quiz" in answers


def test_the_progress_page_unfolds(open_notebook: Callable[..., Any]) -> None:
    page = open_notebook("progress.ipynb", [PROGRESS])
    assert run_all(page)
    unit = page.locator("details", has_text="01 REINFORCE").first
    unit.evaluate("details => { details.open = false }")  # open already where another test has begun the unit
    unit.locator("summary").click()
    unit.locator("code", has_text="reinforce_loss").first.wait_for()
    assert unit.locator("code", has_text="reinforce_loss").first.is_visible()
    assert page.errors == []
