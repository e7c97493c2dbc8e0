"""Sliders and questions in a real JupyterLab, worked with the keyboard alone."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from pgcourse.show.questions.ask import shuffled

from .conftest import Lab, run_all

pytestmark = pytest.mark.slow

EXPLORE = """
import numpy as np
from pgcourse.show.page.style import new_figure
from pgcourse.show.live.sliders import Choice, Slider, explore
def draw(temperature, shape):
    figure, ax = new_figure(height=3)
    x = np.linspace(0, 1, 50)
    ax.plot(x, x ** temperature, "o" if shape == "points" else "-")
    ax.set(xlabel="x", ylabel="y")
    return figure
explore(draw, alt="A curve that bends with the temperature.", caption="Watch the bend.",
        temperature=Slider(0.1, 5.0, 1.0, 0.1, "temperature"),
        shape=Choice(["line", "points"], "line", "drawn as"))
"""
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


def source_of(page: Any, selector: str) -> str:
    """Address of a picture: it changes when the picture does."""
    return str(page.locator(selector).first.get_attribute("src"))


def press(page: Any, element: Any, key: str) -> None:
    """Press a key on an element that has the focus: JupyterLab takes it back when the last cell has run."""
    element.focus()
    page.wait_for_function("element => element === document.activeElement", arg=element.element_handle())
    element.press(key)


def wait_for_other_picture(page: Any, selector: str, before: str) -> None:
    page.wait_for_function(
        "([selector, before]) => document.querySelector(selector).src !== before",
        arg=[selector, before],
        timeout=120_000,
    )


IMAGE = "img.widget-image"


@pytest.mark.parametrize("page", [("explore", [EXPLORE])], indirect=True)
def test_an_arrow_key_moves_the_slider_and_redraws_the_figure(page: Any) -> None:
    page.wait_for_selector(IMAGE)
    before = source_of(page, IMAGE)
    slider = page.locator(".widget-slider", has_text="temperature")
    assert slider.locator(".widget-readout").inner_text() == "1.0"
    press(page, slider.locator(".noUi-handle"), "ArrowRight")
    wait_for_other_picture(page, IMAGE, before)
    assert slider.locator(".widget-readout").inner_text() == "1.1"

    after = source_of(page, IMAGE)
    # The browser's own menu: which key opens it, and which one chooses, differs between systems.
    page.locator(".widget-dropdown select").select_option("points")
    wait_for_other_picture(page, IMAGE, after)
    assert page.locator(IMAGE).get_attribute("title") == "A curve that bends with the temperature."
    box = page.locator(IMAGE).bounding_box()
    assert box["x"] + box["width"] <= 1280
    assert page.locator(".jp-OutputArea-output", has_text="Error displaying widget").count() == 0


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
