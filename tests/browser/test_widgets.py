"""Sliders and questions in a real JupyterLab, worked with the keyboard alone."""

import json
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
def test_a_quiz_and_a_prediction_are_answered_with_the_keyboard(page: Any, lab: Lab) -> None:
    page.wait_for_selector("input[type=radio]")
    quiz, prediction = page.locator(".jp-Cell").nth(0), page.locator(".jp-Cell").nth(1)
    label = quiz.locator(".widget-radio label").nth(shuffled("browser-quiz", 2).index(0))
    assert label.evaluate("element => element.scrollWidth <= element.clientWidth"), "a long option is cut"
    quiz.locator("input[type=radio]").nth(shuffled("browser-quiz", 2).index(1)).focus()
    page.keyboard.press("Space")
    button = quiz.get_by_role("button", name="Check")
    page.wait_for_function("element => !element.disabled", arg=button.element_handle())
    button.focus()
    page.keyboard.press("Enter")
    status = quiz.get_by_role("status")
    status.wait_for()
    assert status.inner_text() == "✗ Not this one. It knows nothing of rewards."

    prediction.locator("input[type=radio]").nth(shuffled("browser-predict", 2).index(1)).focus()
    page.keyboard.press("Space")
    commit = prediction.get_by_role("button", name="Commit")
    page.wait_for_function("element => !element.disabled", arg=commit.element_handle())
    commit.focus()
    page.keyboard.press("Enter")
    compare = prediction.get_by_role("button", name="Compare")
    compare.wait_for()
    assert "Pushes cancel" not in prediction.locator(".jp-OutputArea").inner_text()
    compare.focus()
    page.keyboard.press("Enter")
    # Of the status: the cell's code, above it, holds the same words.
    prediction.get_by_role("status").filter(has_text="Pushes cancel for a while.").wait_for()

    answers = json.loads((lab.home / "progress.json").read_text())["answers"]
    assert answers["browser-quiz"]["correct"] is False
    assert answers["browser-predict"]["correct"] is True
