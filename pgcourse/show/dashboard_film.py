"""A short film of an agent, small and cheap enough to be made while it trains."""

import io
import os
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import torch
from PIL import Image
from torch import nn

from ..envs import env_seeds, make_single_env
from ..evaluation import act, policy_device
from ..optim import seeded

STEPS = 100  # of the agent in a film
STRIDE = 3  # steps for each picture: 17 a second look smooth enough, and cost a third of all
WIDTH = 300  # pixels
COLOURS = 32  # enough for the flat colours of the classic environments


class Film(NamedTuple):
    """What was filmed."""

    gif: bytes
    steps: int
    total: float  # return of these steps

    @property
    def description(self) -> str:
        """In words."""
        return f"The agent at work: {self.steps} steps from a held-out start state, return {self.total:.0f}."


def film(policy: nn.Module | None, env_id: str, *, seed: int, steps: int = STEPS) -> Film:
    """Play from a held-out start state, and draw every third step.

    The film plays once and stands still: what moves for ever distracts from the curves beside it.
    Args: policy: None acts at random. Draws from no random stream of the caller.
    """
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    env = make_single_env(env_id, render_mode="rgb_array")
    if hasattr(
        env.unwrapped, "screen_dim"
    ):  # the pendulum draws itself in any size, a small one in a fifth of the time
        env.unwrapped.screen_dim = WIDTH
    start = env_seeds(seed, 1, "evaluation")[0]
    env.action_space.seed(start % 2**31)
    pictures, step, total = [], 0, 0.0
    try:
        with seeded(seed), torch.inference_mode():
            obs, _ = env.reset(seed=start)
            pictures.append(small_picture(env))
            for step in range(1, steps + 1):
                obs, reward, terminated, truncated, _ = env.step(choose_action(policy, obs, env))
                total += float(reward)
                if step % STRIDE == 0 or terminated or truncated:
                    pictures.append(small_picture(env))
                if terminated or truncated:
                    break
        delay = STRIDE * 1000 / float(env.metadata.get("render_fps", 50))
    finally:
        env.close()
    return Film(_gif(pictures, delay), step, total)


def small_env(env_id: str) -> gymnasium.Env[Any, Any]:
    """The environment, ready to be drawn small. Needs no display."""
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    env = make_single_env(env_id, render_mode="rgb_array")
    drawn: Any = env.unwrapped
    if hasattr(drawn, "screen_dim"):  # the pendulum draws itself in any size, a small one in a fifth of the time
        drawn.screen_dim = WIDTH
    return env


def choose_action(policy: nn.Module | None, obs: Any, env: gymnasium.Env[Any, Any]) -> Any:
    """The policy's mode as the environment takes it; None acts at random."""
    if policy is None:
        return env.action_space.sample()
    batch = torch.as_tensor(obs, dtype=torch.float32, device=policy_device(policy))[None]  # [1, D]
    action = act(policy, batch, deterministic=True)[0].cpu().numpy()
    if isinstance(env.action_space, gymnasium.spaces.Box):
        return np.clip(action, env.action_space.low, env.action_space.high)
    return int(action) + int(getattr(env.action_space, "start", 0))


def small_picture(env: gymnasium.Env[Any, Any]) -> Image.Image:
    """What the environment shows now, about WIDTH pixels wide."""
    picture = Image.fromarray(np.asarray(env.render(), dtype=np.uint8))
    return picture.reduce(picture.width // WIDTH) if picture.width >= 2 * WIDTH else picture


def _gif(pictures: list[Image.Image], delay: float) -> bytes:
    """Plays once: a GIF without a loop count does. Args: delay: of each picture [ms]."""
    palette = pictures[len(pictures) // 2].quantize(COLOURS)  # one for all: a fifth of the time
    frames = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    buffer = io.BytesIO()
    frames[0].save(
        buffer, "GIF", save_all=True, append_images=frames[1:], duration=max(round(delay / 10), 2) * 10, optimize=False
    )
    return buffer.getvalue()
