"""Agents at stages of training: copies of the policy on the way, and all of them at work side by side."""

import copy
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import nn

from ...config import Config
from ...errors import InvalidInput
from ...render import encode_gif, record_frames
from ...storage import atomic_write
from ...training import OnIteration, Progress, Result

UNITS = {"iteration": "updates", "episode": "episodes", "env_step": "steps"}
TILE_WIDTH, TILE_HEIGHT = 360, 240  # pixels of one agent in the GIF: three stand side by side in the page
SMOOTH = 25  # frames a second: the eye wants no more, and a page that shows 50 holds twice the bytes


def train_with_stages(
    train: Callable[..., Result],
    config: Config,
    *,
    at: Sequence[int],
    by: str = "iteration",
    on_iteration: OnIteration | None = None,
    **parts: Any,
) -> tuple[Result, dict[str, nn.Module | None]]:
    """Train, and keep copies of the policy on the way.

    Args: train: of an algorithm, such as `reinforce.train`. at: when to keep a copy, in ascending order; 0
    stands for the random agent, None, as a policy that has learnt nothing chooses like it. by: what `at`
    counts, "iteration" (updates), "episode" or "env_step"; a copy is taken after the first update that
    reaches the number. parts: of `train` to replace.
    Returns: the result, and title -> policy, the end of training last. A stage the run did not reach is left
    out.
    """
    if by not in UNITS:
        raise InvalidInput(f"by={by!r} is not allowed; use one of {', '.join(map(repr, UNITS))}")
    if not at or list(at) != sorted(set(at)) or at[0] < 0:
        raise InvalidInput(f"at={tuple(at)} is not allowed; give ascending numbers of {UNITS[by]}, such as (0, 10, 50)")
    policies: dict[str, nn.Module | None] = {"random": None} if at[0] == 0 else {}
    waiting = [number for number in at if number > 0]

    def keep(progress: Progress) -> bool | None:
        counts = {"iteration": progress.iteration, "episode": len(progress.episodes), "env_step": progress.env_step}
        while waiting and counts[by] >= waiting[0]:
            policies[f"{waiting.pop(0):,} {UNITS[by]}"] = copy.deepcopy(progress.policy).eval()
        return on_iteration(progress) if on_iteration is not None else None

    result = train(config, on_iteration=keep, **parts)
    policies[f"end, {len(result.episodes):,} episodes"] = result.policy
    return result, policies


def stages_gif(
    policies: Mapping[str, nn.Module | None],
    env_id: str,
    path: str | os.PathLike[str],
    *,
    seed: int,
    max_steps: int = 200,
    tile_width: int = TILE_WIDTH,
) -> Path:
    """Write the agents side by side, from one held-out start state, at true speed. Returns: the path.

    Args: policies: title -> policy, None acts at random. max_steps: of each agent; 200 steps of CartPole are
    4 seconds.
    """
    if not policies:
        raise InvalidInput("no policy given; give at least one, such as {'trained': result.policy}")
    episodes = {}
    for title, policy in policies.items():
        frames = record_frames(policy, env_id, seed=seed, max_steps=max_steps)
        height, width = frames.images[0].shape[:2]
        scale = min(tile_width / width, TILE_HEIGHT / height)
        if scale < 1:
            size = (round(width * scale), round(height * scale))
            smaller = [np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX)) for image in frames.images]
            frames = replace(frames, images=smaller)
        episodes[title] = frames
    stride = max(round(next(iter(episodes.values())).fps / SMOOTH), 1)
    return atomic_write(path, encode_gif(episodes, stride=stride))
