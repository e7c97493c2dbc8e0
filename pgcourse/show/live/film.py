"""An agent at work in small pictures: recorded from a held-out start state, and as a short film while it trains."""

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import torch
from PIL import Image
from torch import nn

from ...envs import env_seeds, make_single_env
from ...evaluation import at_start, choose_action
from ...optim import seeded, single_thread

STEPS = 100  # of the agent in a film
STRIDE = 3  # steps for each picture: 17 a second look smooth enough, and cost a third of all
WIDTH = 300  # pixels
COLOURS = 32  # enough for the flat colours of the classic environments


@dataclass(frozen=True)
class Reel:
    """What one agent did: pictures, the step and the return up to each of them, pictures a second at true speed."""

    pictures: list[Image.Image]
    steps: list[int]
    returns: list[float]
    fps: float


class Film(NamedTuple):
    """What was filmed."""

    gif: bytes
    steps: int
    total: float  # return of these steps

    @property
    def description(self) -> str:
        """In words."""
        return f"The agent at work: {self.steps} steps from a held-out start state, return {self.total:.0f}."


def record(
    policy: nn.Module | None,
    env_id: str,
    *,
    seed: int,
    max_steps: int,
    stride: int,
    keep: Callable[[Image.Image], Image.Image] = lambda picture: picture,
) -> Reel:
    """One agent from the first evaluation start state of `seed`, drawn every `stride` steps and at the end.

    Args: policy: None acts at random. keep: what becomes of each picture. Draws from no random stream of the caller, and
    needs no display.
    """
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    env = make_single_env(env_id, render_mode="rgb_array")
    drawn: Any = env.unwrapped
    if hasattr(drawn, "screen_dim"):  # the pendulum draws itself in any size, a small one in a fifth of the time
        drawn.screen_dim = WIDTH
    start = env_seeds(seed, 1, "evaluation")[0]
    env.action_space.seed(start % 2**31)
    total = 0.0
    try:
        with seeded(seed), single_thread(), torch.inference_mode():
            obs, _ = env.reset(seed=start)
            policy = at_start(policy)
            pictures, steps, returns = [keep(_small_picture(env))], [0], [0.0]
            for step in range(1, max_steps + 1):
                obs, reward, terminated, truncated, _ = env.step(
                    choose_action(policy, obs, env.action_space, deterministic=True)
                )
                total += float(reward)
                ended = terminated or truncated or step == max_steps
                if step % stride == 0 or ended:
                    pictures.append(keep(_small_picture(env)))
                    steps.append(step)
                    returns.append(total)
                if ended:
                    break
        return Reel(pictures, steps, returns, float(env.metadata.get("render_fps", 50)) / stride)
    finally:
        env.close()


def film(policy: nn.Module | None, env_id: str, *, seed: int, steps: int = STEPS) -> Film:
    """A recording as a GIF that plays once and stands still: what moves for ever distracts from the curves beside it."""
    reel = record(policy, env_id, seed=seed, max_steps=steps, stride=STRIDE)
    palette = reel.pictures[len(reel.pictures) // 2].quantize(COLOURS)  # one for all: a fifth of the time
    frames = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in reel.pictures]
    delay = max(round(100 / reel.fps), 2) * 10  # ms
    buffer = io.BytesIO()
    # A GIF without a loop count plays once.
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=delay, optimize=False)
    return Film(buffer.getvalue(), reel.steps[-1], reel.returns[-1])


def _small_picture(env: gymnasium.Env[Any, Any]) -> Image.Image:
    """What the environment shows now, about WIDTH pixels wide."""
    picture = Image.fromarray(np.asarray(env.render(), dtype=np.uint8))
    return picture.reduce(picture.width // WIDTH) if picture.width >= 2 * WIDTH else picture
