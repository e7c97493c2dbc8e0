"""Gallery, the pendulum as a game, progress page: moved with mouse and keyboard."""

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import run_all
from .test_widgets import IMAGE, press, source_of, wait_for_other_picture

pytestmark = pytest.mark.slow

AGENTS = """
from dataclasses import replace
from pgcourse import ppo
result = ppo.train(replace(ppo.CARTPOLE, total_timesteps=8192))
"""
GALLERY = (
    AGENTS
    + """
from pgcourse.show.live.gallery import gallery
gallery({"random": None, "8k steps": result}, 0, max_steps=100)
"""
)
PENDULUM = "from pgcourse.show.live.game import play; play('Pendulum-v1', seconds=3)"
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


def test_the_gallery_is_scrubbed_played_and_stopped(open_notebook: Callable[..., Any]) -> None:
    page = open_notebook("gallery.ipynb", [GALLERY])
    assert run_all(page)
    page.wait_for_selector(IMAGE)
    before, status = source_of(page, IMAGE), page.get_by_role("status")
    assert "8k steps at step 0" in status.inner_text(), "nothing plays by itself"
    handle = page.locator(".noUi-handle")
    press(page, handle, "ArrowRight")
    wait_for_other_picture(page, IMAGE, before)
    page.get_by_text("8k steps at step 2 with a return of 2").wait_for()
    before = source_of(page, IMAGE)
    drag(page, handle, 40)
    wait_for_other_picture(page, IMAGE, before)

    play = page.locator(".widget-play button").first
    before, said = source_of(page, IMAGE), status.inner_text()
    play.click()
    wait_for_other_picture(page, IMAGE, before)
    play.click()
    page.wait_for_timeout(500)
    stopped = status.inner_text()
    assert stopped != said
    page.wait_for_timeout(500)
    assert status.inner_text() == stopped
    assert page.errors == []


def test_the_pendulum_is_played_to_the_end_of_its_time(open_notebook: Callable[..., Any]) -> None:
    page = open_notebook("pendulum.ipynb", [PENDULUM])
    assert run_all(page)
    page.wait_for_selector(IMAGE)
    before = source_of(page, IMAGE)
    page.get_by_role("button", name="Start", exact=True).click()
    wait_for_other_picture(page, IMAGE, before)
    press(page, page.locator(".noUi-handle"), "ArrowRight")
    page.get_by_text("It is over: the time is over").wait_for(timeout=120_000)
    assert "PPO of unit 05: -17" in page.get_by_role("status").inner_text()
    assert page.locator(".widget-readout").inner_text() == "+1"
    assert page.errors == []


def test_the_progress_page_unfolds(open_notebook: Callable[..., Any]) -> None:
    page = open_notebook("progress.ipynb", [PROGRESS])
    assert run_all(page)
    unit = page.locator("details", has_text="01 REINFORCE").first
    unit.locator("summary").click()
    unit.locator("code", has_text="reinforce_loss").first.wait_for()
    assert unit.locator("code", has_text="reinforce_loss").first.is_visible()
    assert page.errors == []
