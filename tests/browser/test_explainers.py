"""Bounds and progress page: moved with mouse and keyboard."""

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import run_all
from .test_widgets import IMAGE, press, source_of, wait_for_other_picture

pytestmark = pytest.mark.slow

BOUNDS = "from pgcourse.show.figures.gaussian_policy import explore_bounds; explore_bounds()"
PROGRESS = """
from pgcourse.show.page.progress_page import progress_page
progress_page()
"""


def drag(page: Any, handle: Any, pixels: int) -> None:
    """Move a slider's handle with the mouse."""
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + pixels, y, steps=4)
    page.mouse.up()


@pytest.mark.parametrize(
    ("name", "cell", "label"),
    [
        ("bounds", BOUNDS, "standard deviation"),
    ],
)
def test_a_slider_moves_with_mouse_and_keyboard_and_picture_and_number_follow(
    open_notebook: Callable[..., Any], name: str, cell: str, label: str
) -> None:
    page = open_notebook(f"{name}.ipynb", [cell])
    assert run_all(page)
    page.wait_for_selector(IMAGE)
    slider = page.locator(".widget-slider", has_text=label)
    handle, readout = slider.locator(".noUi-handle"), slider.locator(".widget-readout")
    for move in (lambda: press(page, handle, "ArrowLeft"), lambda: drag(page, handle, -60)):
        picture, number = source_of(page, IMAGE), readout.inner_text()
        move()
        wait_for_other_picture(page, IMAGE, picture)
        assert readout.inner_text() != number
    assert page.locator(".jp-OutputArea-output", has_text="Error displaying widget").count() == 0
    assert page.errors == []


def test_the_progress_page_unfolds(open_notebook: Callable[..., Any]) -> None:
    page = open_notebook("progress.ipynb", [PROGRESS])
    assert run_all(page)
    unit = page.locator("details", has_text="01 REINFORCE").first
    unit.locator("summary").click()
    unit.locator("code", has_text="reinforce_loss").first.wait_for()
    assert unit.locator("code", has_text="reinforce_loss").first.is_visible()
    assert page.errors == []
