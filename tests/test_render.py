"""GIFs: they open, loop, run at true speed, say what they show, and stay small."""

import io
import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence
from torch import Tensor, nn

from pgcourse import record_gif
from pgcourse.envs import env_seeds
from pgcourse.networks import CategoricalPolicy, GaussianPolicy
from pgcourse.render import CAPTION_HEIGHT, Frames, encode_gif, record_frames, record_gifs
from tests.recording import refused

WIDTH, HEIGHT = 600, 400  # of CartPole's picture


class Balance(nn.Module):
    """Keeps the pole up for 500 steps; by name of its distribution a mode only."""

    def forward(self, obs: Tensor) -> torch.distributions.Distribution:
        right = obs @ torch.tensor([0.1, 0.5, 5.0, 1.0]) > 0
        return torch.distributions.Categorical(logits=torch.stack([~right, right], dim=-1) * 100.0)


def durations(gif: Image.Image) -> list[int]:
    return [frame.info["duration"] for frame in ImageSequence.Iterator(gif)]


def flat_frames(steps: int, fps: float = 50, colour: int = 200) -> Frames:
    """A small white episode with a moving dark square, and reward 2 a step."""
    images = np.full((steps + 1, 40, 260, 3), colour, np.uint8)
    for step in range(steps + 1):
        images[step, 10:20, 3 * step % 250 : 3 * step % 250 + 10] = 0
    return Frames(list(images), np.full(steps, 2.0), fps)


def test_a_gif_opens_loops_for_ever_and_runs_at_true_speed(tmp_path: Path) -> None:
    path = record_gif(None, "CartPole-v1", tmp_path / "new" / "agent.gif", seed=0)
    assert path == tmp_path / "new" / "agent.gif"
    with Image.open(path) as gif:
        assert gif.format == "GIF" and gif.size == (WIDTH, HEIGHT + CAPTION_HEIGHT)
        assert gif.info["loop"] == 0  # for ever
        shown = durations(gif)
    # CartPole takes 50 steps a second: 20 ms each. Equal pictures are merged, so a delay may be a multiple of it.
    assert shown[0] == 20 and all(delay % 20 == 0 for delay in shown[:-1])
    assert shown[-1] >= 1000, "time to look at the end"


def test_a_viewer_sees_as_much_time_as_the_episode_took() -> None:
    shown = durations(Image.open(io.BytesIO(encode_gif({"": flat_frames(30)}))))
    assert sum(shown) == 30 * 20 + 1000


@pytest.mark.parametrize(
    ("true_fps", "asked", "delay"),
    [
        (50, 50, 20),
        (30, 50, 30),  # hundredths of a second: 3.33 becomes 3
        (50, 10, 100),  # slow motion when asked
        (100, 100, 20),  # viewers play shorter delays slowly
    ],
)
def test_the_delay_is_the_environments_within_what_viewers_honour(true_fps: float, asked: float, delay: int) -> None:
    gif = Image.open(io.BytesIO(encode_gif({"": flat_frames(3, true_fps)}, fps=asked)))
    assert durations(gif)[0] == delay


def test_a_stride_shows_fewer_frames_in_the_same_time_and_the_last_one() -> None:
    frames = flat_frames(8)  # 9 images
    whole, half = (encode_gif({"": frames}, stride=stride) for stride in (1, 2))
    assert len(half) < len(whole)
    assert sum(durations(Image.open(io.BytesIO(half)))) == sum(durations(Image.open(io.BytesIO(whole))))
    last = [list(ImageSequence.Iterator(Image.open(io.BytesIO(gif))))[-1].convert("RGB") for gif in (whole, half)]
    captions = [np.asarray(frame)[40:] for frame in last]
    assert (captions[0] == captions[1]).all(), "both end with the last step's caption"


def test_the_caption_says_what_is_shown_and_changes_with_the_return() -> None:
    frames = flat_frames(12)

    def captions(title: str) -> list[np.ndarray]:
        gif = Image.open(io.BytesIO(encode_gif({title: frames})))
        return [np.asarray(frame.convert("L"))[40:] for frame in ImageSequence.Iterator(gif)]

    plain, titled = captions(""), captions("trained")
    for caption in (*plain, *titled):
        assert caption.shape == (CAPTION_HEIGHT, 260)
        assert (caption < 100).sum() > 60, "dark letters"
        assert (caption > 200).mean() > 0.7, "on a light ground"
    assert all((first != second).any() for first, second in itertools.pairwise(plain))
    assert (titled[0] < 100).sum() > (plain[0] < 100).sum()


def test_agents_stand_side_by_side_from_the_same_start(tmp_path: Path) -> None:
    path = record_gifs(
        {"random": None, "trained": Balance()}, "CartPole-v1", tmp_path / "two.gif", seed=3, max_steps=40
    )
    with Image.open(path) as gif:
        assert gif.size == (2 * WIDTH, HEIGHT + CAPTION_HEIGHT)
        first = np.asarray(gif.convert("RGB"))[:HEIGHT]
        gif.seek(gif.n_frames - 1)
        last = np.asarray(gif.convert("RGB"))[:HEIGHT]
    np.testing.assert_array_equal(first[:, :WIDTH], first[:, WIDTH:])
    assert (last[:, :WIDTH] != last[:, WIDTH:]).any()


def test_an_agent_that_has_finished_stays_on_its_last_picture() -> None:
    short, long = flat_frames(2), flat_frames(9, colour=220)
    gif = Image.open(io.BytesIO(encode_gif({"a": short, "b": long})))
    gif.seek(gif.n_frames - 1)
    last = np.asarray(gif.convert("L"))[:40]
    assert abs(last[:, :260].astype(int) - short.images[-1][:, :, 0]).max() < 12  # one palette for all frames
    assert abs(last[:, 260:].astype(int) - long.images[-1][:, :, 0]).max() < 12


def test_500_frames_of_one_agent_are_small() -> None:
    frames = record_frames(Balance(), "CartPole-v1", seed=0)
    assert len(frames.rewards) == 500, "the agent of this test is meant to stay up"
    assert len(encode_gif({"trained": frames})) <= 600_000


def test_frames_show_the_episode_of_the_evaluation_start() -> None:
    """One picture more than steps; the actions are those of the policy in Gymnasium's environment with that seed."""
    policy = Balance()
    frames = record_frames(policy, "CartPole-v1", seed=5, max_steps=20)
    assert len(frames.images) == 21 and frames.images[0].shape == (HEIGHT, WIDTH, 3)
    assert frames.rewards.tolist() == [1.0] * 20 and frames.fps == 50
    env = gymnasium.make("CartPole-v1", render_mode="rgb_array")
    obs, _ = env.reset(seed=env_seeds(5, 1, "evaluation")[0])
    for picture in frames.images:
        np.testing.assert_array_equal(env.render(), picture)
        obs, *_ = env.step(int(policy(torch.as_tensor(obs)[None]).mode))


def test_the_same_seed_gives_the_same_file_and_the_random_stream_is_left_alone(tmp_path: Path) -> None:
    state = torch.get_rng_state()
    path = tmp_path / "agent.gif"
    first, second, other = (record_gif(None, "CartPole-v1", path, seed=seed).read_bytes() for seed in (1, 1, 2))
    assert first == second != other
    assert torch.equal(torch.get_rng_state(), state)


def test_continuous_actions_are_drawn_too(tmp_path: Path) -> None:
    frames = record_frames(GaussianPolicy(3, 1), "Pendulum-v1", seed=0, max_steps=3)
    assert len(frames.images) == 4 and frames.fps == 30


def test_it_works_without_a_display(tmp_path: Path, run_python: Callable[..., Any]) -> None:
    displays = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER", "XDG_RUNTIME_DIR")
    environment = {name: value for name, value in os.environ.items() if name not in displays}
    path = tmp_path / "agent.gif"
    call = f"record_gif(None, 'CartPole-v1', {str(path)!r}, seed=0, max_steps=3)"
    run_python(f"from pgcourse import record_gif; {call}", env=environment)
    assert Image.open(path).size == (WIDTH, HEIGHT + CAPTION_HEIGHT)


@pytest.mark.parametrize("env_id", ["pgcourse/ShortCorridor-v0", "ShortCorridor-v0"])
def test_what_cannot_draw_itself_is_refused_without_a_warning(
    env_id: str, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    with refused("cannot draw itself"):
        record_gif(None, env_id, tmp_path / "x.gif", seed=0)
    assert not [warning for warning in recwarn.list if "render" in str(warning.message)]
    assert not (tmp_path / "x.gif").exists()


@pytest.mark.parametrize(
    ("policy", "env_id", "options", "message"),
    [
        (CategoricalPolicy(4, 2), "Acrobot-v1", {}, "does not fit observations of 6 numbers"),
        (CategoricalPolicy(2, 3), "MountainCarContinuous-v0", {}, "discrete actions"),
        (None, "NoSuchThing-v0", {}, "no environment 'NoSuchThing-v0'"),
        *(
            (None, "CartPole-v1", {"max_steps": 2, "fps": fps}, r"fps=.* is not positive; use a number above 0")
            for fps in (0, -5, float("nan"))
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    policy: nn.Module | None, env_id: str, options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with refused(message):
        record_gif(policy, env_id, tmp_path / "x.gif", seed=0, **options)


def test_no_agent_at_all_is_refused(tmp_path: Path) -> None:
    with refused("no policy given"):
        record_gifs({}, "CartPole-v1", tmp_path / "x.gif", seed=0)
