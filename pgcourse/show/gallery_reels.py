"""What agents did, in small pictures that share one palette."""

from dataclasses import dataclass

import torch
from PIL import Image
from torch import nn

from ..envs import env_seeds
from ..optim import seeded, single_thread
from .dashboard_film import choose_action, small_env, small_picture

COLOURS = 32  # of the environment's pictures; white and black for captions come behind them
WHITE, BLACK = COLOURS, COLOURS + 1


@dataclass(frozen=True)
class Reel:
    """What one agent did: pictures that share a palette, and the return up to each of them."""

    title: str
    pictures: list[Image.Image]
    steps: list[int]
    returns: list[float]


def record(
    title: str,
    policy: nn.Module | None,
    env_id: str,
    seed: int,
    max_steps: int,
    stride: int,
    palette: Image.Image | None,
) -> tuple[Reel, float, Image.Image]:
    """One agent from the first evaluation start state of `seed`; None acts at random.

    Args: palette: of the reels beside it, None for the first. Returns: the reel, pictures a second at true speed, the palette.
    """
    env = small_env(env_id)
    start = env_seeds(seed, 1, "evaluation")[0]
    env.action_space.seed(start % 2**31)
    pictures, steps, returns, total = [], [0], [0.0], 0.0
    try:
        with seeded(seed), single_thread(), torch.inference_mode():
            obs, _ = env.reset(seed=start)
            first = small_picture(env)
            palette = palette or _with_paper(first.quantize(COLOURS))
            pictures.append(first.quantize(palette=palette, dither=Image.Dither.NONE))
            for step in range(1, max_steps + 1):
                obs, reward, terminated, truncated, _ = env.step(choose_action(policy, obs, env))
                total += float(reward)
                ended = terminated or truncated or step == max_steps
                if step % stride == 0 or ended:
                    pictures.append(small_picture(env).quantize(palette=palette, dither=Image.Dither.NONE))
                    steps.append(step)
                    returns.append(total)
                if ended:
                    break
        fps = float(env.metadata.get("render_fps", 50)) / stride
    finally:
        env.close()
    return Reel(title, pictures, steps, returns), fps, palette


def _with_paper(palette: Image.Image) -> Image.Image:
    """The same palette with white and black behind its colours, for the captions."""
    colours = (palette.getpalette() or [])[: 3 * COLOURS]
    colours += [0] * (3 * COLOURS - len(colours)) + [255, 255, 255, 0, 0, 0]
    palette.putpalette(colours)
    return palette
