"""Frames and GIFs of an agent, at true speed."""

import functools
import io
import itertools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import nn

from .envs import env_seeds
from .envs.source import EnvSource, env_name, single_env
from .errors import InvalidInput
from .evaluation import play
from .optim import seeded, single_thread
from .storage import atomic_write

CAPTION_HEIGHT = 28  # pixels
MAX_FPS = 50  # GIF viewers slow down delays under 20 ms
PALETTE_COLOURS = 32  # enough for the flat colours of the classic environments, a third of the size of 256


@dataclass(frozen=True)
class Frames:
    """One episode as pictures."""

    images: list[NDArray[np.uint8]]  # T + 1 pictures [height, width, 3]
    rewards: NDArray[np.float64]  # [T]
    fps: float  # frames a second of the environment's own time


def record_frames(
    policy: nn.Module | None, env: EnvSource, *, seed: int, max_steps: int = 500, deterministic: bool = True
) -> Frames:
    """One episode from the first evaluation start state of `seed`, at most `max_steps` steps; None acts at random.

    Needs no display. Args: env: an id, one environment that was made with render_mode="rgb_array", a function that makes
    one, or a vector environment, whose first is drawn. Raises: InvalidInput where the environment cannot draw itself.
    """
    # Without a display SDL needs to be told so; a display that is there is left alone, as we draw off screen.
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    require_drawable(env)
    images: list[NDArray[np.uint8]] = []
    rewards: list[float] = []
    start = env_seeds(seed, 1, "evaluation")[0]
    with single_env(env, render_mode="rgb_array") as one, seeded(seed), single_thread(), torch.inference_mode():
        for reward in itertools.islice(play(policy, one, start=start, deterministic=deterministic), max_steps + 1):
            rewards.append(reward)
            images.append(_picture(one))
        return Frames(images, np.array(rewards[1:]), float(one.metadata.get("render_fps", MAX_FPS)))


def require_drawable(env: EnvSource) -> None:
    """Raises: InvalidInput for an unknown environment, or one that cannot draw itself."""
    with single_env(env) as one:  # without a render mode: Gymnasium warns of one that is not there
        if "rgb_array" not in one.metadata.get("render_modes", []):
            raise InvalidInput(
                f"environment {env_name(one)!r} cannot draw itself (no rgb_array mode); choose one that can"
            )


def record_gif(
    policy: nn.Module | None,
    env: EnvSource,
    path: str | os.PathLike[str],
    *,
    seed: int,
    max_steps: int = 500,
    fps: float = MAX_FPS,
    title: str = "",
) -> Path:
    """Write one episode as a looping GIF with a caption of title, step and return. Returns: the path.

    Args: policy: None acts at random. env: as in `record_frames`. fps: an upper bound; the environment's own rate is true
    speed, and 50 is what GIF viewers honour.
    """
    return record_gifs({title: policy}, env, path, seed=seed, max_steps=max_steps, fps=fps)


def record_gifs(
    policies: Mapping[str, nn.Module | None],
    env: EnvSource,
    path: str | os.PathLike[str],
    *,
    seed: int,
    max_steps: int = 500,
    fps: float = MAX_FPS,
) -> Path:
    """Write several agents side by side, from the same start state, as one GIF: before and after, or algorithms.

    Args: policies: title -> policy, None acts at random. env: as in `record_frames`. An agent that has finished stays on
    its last picture.
    """
    if not policies:
        raise InvalidInput("no policy given; give at least one, such as {'trained': result.policy}")
    episodes = {title: record_frames(policy, env, seed=seed, max_steps=max_steps) for title, policy in policies.items()}
    return atomic_write(path, encode_gif(episodes, fps=fps))


def encode_gif(episodes: Mapping[str, Frames], *, fps: float = MAX_FPS, stride: int = 1) -> bytes:
    """GIF of episodes side by side, with captions, endless, at the environment's own speed.

    Args: fps: upper bound; a lower one is slow motion. stride: shows only every so many steps, and the last.
    """
    if not fps > 0:
        raise InvalidInput(f"fps={fps} is not positive; use a number above 0, such as 50")
    last = max(len(frames.images) for frames in episodes.values()) - 1
    pictures = [_compose(episodes, step) for step in (*range(0, last, stride), last)]
    # One palette for all frames, from a few of them: quantising every frame by itself takes 30 times as long.
    sample = np.concatenate([np.asarray(pictures[i]) for i in range(0, len(pictures), max(len(pictures) // 4, 1))])
    palette = Image.fromarray(sample).quantize(PALETTE_COLOURS)
    quantised = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    true_fps = next(iter(episodes.values())).fps / stride
    delay = max(round(100 / min(true_fps, fps, MAX_FPS)), 2) * 10  # ms; the format counts in hundredths of a second
    durations = [delay] * (len(quantised) - 1) + [1000]  # a second to look at the end
    buffer = io.BytesIO()
    quantised[0].save(
        buffer, "GIF", save_all=True, append_images=quantised[1:], duration=durations, loop=0, optimize=False
    )
    return buffer.getvalue()


def _compose(episodes: Mapping[str, Frames], step: int) -> Image.Image:
    """All episodes at one step, side by side, each above its caption."""
    tiles = []
    for title, frames in episodes.items():
        shown = min(step, len(frames.rewards))
        height, width = frames.images[0].shape[:2]
        tile = Image.new("RGB", (width, height + CAPTION_HEIGHT), "white")
        tile.paste(Image.fromarray(frames.images[shown]), (0, 0))
        text = f"{title + ': ' if title else ''}step {shown}, return {frames.rewards[:shown].sum():.0f}"
        ImageDraw.Draw(tile).text((8, height + 4), text, fill="black", font=_font())
        tiles.append(tile)
    row = Image.new("RGB", (sum(tile.width for tile in tiles), max(tile.height for tile in tiles)), "white")
    left = 0
    for tile in tiles:
        row.paste(tile, (left, 0))
        left += tile.width
    return row


@functools.cache
def _font() -> Any:
    return ImageFont.load_default(size=16)


def _picture(env: gymnasium.Env[Any, Any]) -> NDArray[np.uint8]:
    try:
        return np.asarray(env.render(), dtype=np.uint8)
    except gymnasium.error.DependencyNotInstalled as error:
        raise InvalidInput(f"drawing {env_name(env)!r} needs a package that is not installed: {error}") from error
