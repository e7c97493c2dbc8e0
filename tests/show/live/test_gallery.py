"""Agents side by side: the same start state, true returns, one GIF, and a slider that shows any moment of it."""

import io
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import pytest
from PIL import Image

from pgcourse import ppo
from pgcourse.errors import InvalidInput
from pgcourse.render import record_frames
from pgcourse.show.live import gallery as gallery_module
from pgcourse.show.live.gallery import Gallery, Scrubber, gallery
from pgcourse.show.page.widgets import WIDGET_VIEW


@pytest.fixture(scope="module")
def result() -> Any:
    return ppo.train(replace(ppo.CARTPOLE, total_timesteps=8 * 1024))


@pytest.fixture(scope="module")
def recorded(result: Any) -> Gallery:
    return Gallery({"random": None, "8k steps": result}, seed=3, max_steps=60)


def test_each_agent_does_what_it_does_alone(recorded: Gallery, result: Any) -> None:
    for reel, policy in zip(recorded.reels, (None, result.policy), strict=True):
        alone = record_frames(policy, "CartPole-v1", seed=3, max_steps=60)
        assert reel.steps[-1] == len(alone.rewards) and reel.returns[-1] == alone.rewards.sum()
        assert reel.steps[:3] == [0, 2, 4]


def test_the_gif_holds_every_moment_at_true_speed(recorded: Gallery) -> None:
    picture: Any = Image.open(io.BytesIO(recorded.gif()))
    assert picture.size == (600, 242)
    assert picture.info["duration"] == 40  # ms: two steps of a fiftieth of a second
    assert recorded.length == max(len(reel.pictures) for reel in recorded.reels)


def test_an_agent_that_is_done_stays_on_its_last_picture_and_is_said_to_be_over(recorded: Gallery) -> None:
    last = len(recorded.reels[0].pictures) - 1
    assert last < recorded.length - 1, "the random agent falls first"
    end, later = (np.asarray(recorded.frame(number).convert("RGB")) for number in (last, last + 5))
    assert np.array_equal(end[42:, :300], later[42:, :300]) and not np.array_equal(end[:42, :300], later[:42, :300])
    assert not np.array_equal(end[42:, 300:], later[42:, 300:])


def test_the_slider_moves_picture_and_number_and_nothing_plays_by_itself(recorded: Gallery) -> None:
    scrubber = Scrubber(recorded)
    assert isinstance(scrubber.play, ipywidgets.Play) and not scrubber.play.playing and not scrubber.play.repeat
    before, said = scrubber.image.value, scrubber.text.value
    scrubber.slider.value = 5
    assert scrubber.image.value != before
    assert "8k steps at step 10 with a return of 10" in scrubber.text.value != said
    scrubber.slider.value = 0
    assert scrubber.image.value == before


def test_without_a_page_it_is_a_gif_that_folds(
    result: Any, shown: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery({"trained": result}, 0, max_steps=10, path=tmp_path / "agents.gif", caption="Look.")
    assert (tmp_path / "agents.gif").read_bytes().startswith(b"GIF8")
    assert shown[0]["text/html"].startswith("<details open><summary>")
    assert "trained at step 10 with a return of 10" in shown[0]["text/plain"] and WIDGET_VIEW not in shown[0]
    monkeypatch.setattr(gallery_module, "has_frontend", lambda: True)
    gallery({"trained": result}, 0, max_steps=4)
    assert WIDGET_VIEW in shown[1] and "data:image/gif" in shown[1]["text/html"]


def test_five_hundred_pictures_take_at_most_two_seconds_of_a_processor_of_their_own() -> None:
    Gallery({"warm": None}, 0, env_id="Pendulum-v1", max_steps=2).gif()
    start = time.process_time()
    recorded = Gallery({"random": None}, 0, env_id="Pendulum-v1", max_steps=200, stride=1)
    assert len(recorded.reels[0].pictures) == 201 and recorded.gif().startswith(b"GIF8")
    # Measured for 500 pictures of CartPole: 1.7 s. Five times the promise is allowed where others crowd the caches.
    assert (time.process_time() - start) * 500 / 201 <= 5 * 2.0


@pytest.mark.parametrize(("runs", "options", "message"), [
    ({"random": None}, {}, "give env_id"),
    ({}, {"env_id": "CartPole-v1"}, "nothing to show"),
    ({"x": 3}, {"env_id": "CartPole-v1"}, "'x' is a int; give a Result, a policy, or None"),
])  # fmt: skip
def test_what_cannot_be_shown_is_refused(runs: Any, options: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        Gallery(runs, 0, **options)
