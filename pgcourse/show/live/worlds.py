"""The environments that run in the page too (worlds.js): their episodes in Python, and pictures of them without scripts."""

import html
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ...envs import TensorVectorEnv, env_seeds, make_envs
from ...envs.seeding import stream_keys, uniform
from ...errors import InvalidInput
from ...optim import single_thread
from ...registration import NAMESPACE
from .policy import mode, policy_json

WORLDS = ("CartPole-v1", "Pendulum-v1", "ShortCorridor-v0")
RANDOM_STREAM = 1_000_000  # where the random agent's numbers begin, behind those of the start states; as in agents.js
PICTURED = 120  # steps of an episode in its picture
POSES = 6  # drawn over each other, the last one strongest
WIDE = 240  # pixels of one agent's picture
COLOURS = {"grey": "#6e7781", "blue": "#0072b2", "green": "#00855f", "purple": "#b3568b", "orange": "#a86e00"}
INK, LINE, MUTED = "#1b1f23", "#d0d7de", "#57606a"


class Life(NamedTuple):
    """One episode: states [T + 1, S] and rewards [T]; whether it was terminated, not truncated."""

    states: NDArray[np.float64]
    rewards: NDArray[np.float64]
    terminated: bool

    @property
    def words(self) -> str:
        """Steps and return."""
        return f"step {len(self.rewards)}, return {self.rewards.sum():.0f}"


def world_of(env_id: str) -> str:
    """The world's name for an environment's id, with our namespace or without. Raises: InvalidInput for one without."""
    name = env_id.removeprefix(NAMESPACE)
    if name not in WORLDS:
        raise InvalidInput(f"{env_id!r} does not run in the page; these do: {', '.join(WORLDS)}")
    return name


def start_seed(seed: int) -> int:
    """The environment's seed behind the held-out start states of `seed`."""
    return env_seeds(seed, 1, "evaluation")[0]


def live_episode(policy: dict[str, Any] | None, env_id: str, *, seed: int) -> Life:
    """The first episode that the page shows: from the first held-out start state, with the policy's mode.

    Args: policy: of `policy_json`; None acts at random, with the page's own random numbers.
    """
    envs = _world(env_id)
    keys = stream_keys(torch.tensor([start_seed(seed)]))  # [1]
    state = envs.start_states(uniform(keys, torch.zeros_like(keys), envs.start_size)).double()  # [1, S]
    space: Any = envs.single_action_space
    states, rewards, terminated = [state], list[torch.Tensor](), torch.zeros(1, dtype=torch.bool)
    with single_thread():
        while not terminated and len(rewards) < envs.max_episode_steps:
            if policy is not None:
                actions = torch.from_numpy(mode(policy, envs.observe(state).numpy()))
            else:
                number = uniform(keys, torch.full_like(keys, RANDOM_STREAM + len(rewards)), 1).double()  # [1, 1]
                actions = (
                    (number[:, 0] * int(space.n)).long() if hasattr(space, "n") else (2 * number - 1) * space.high[0]
                )
            state, reward, terminated = envs.dynamics(state, actions)
            states.append(state)
            rewards.append(reward)
    return Life(torch.cat(states).numpy(), torch.cat(rewards).double().numpy(), bool(terminated))


def fitting_policy_json(policy: nn.Module | None, env_id: str) -> dict[str, Any] | None:
    """`policy_json` of a policy for this world; None for the random agent. Raises: InvalidInput where it does not fit."""
    envs = _world(env_id)
    if policy is None:
        return None
    data = policy_json(policy)
    space: Any = envs.single_action_space
    inputs, outputs = data["layers"][0]["inputs"], data["layers"][-1]["outputs"]
    wanted = ("discrete", int(space.n)) if hasattr(space, "n") else ("continuous", 1)
    if inputs != envs.single_observation_space.shape[0] or (data["kind"], outputs) != wanted:  # type: ignore[index]
        raise InvalidInput(
            f"the policy takes {inputs} numbers and gives {data['kind']} actions, {outputs} outputs: that is not {env_id}; "
            "give the environment that it was trained on"
        )
    return data


def _world(env_id: str) -> TensorVectorEnv:
    return cast(TensorVectorEnv, make_envs(world_of(env_id), 1, seed=0))


def still(lives: Sequence[tuple[str, str, Life]], env_id: str) -> str:
    """An SVG of agents side by side, each in a few moments of its episode drawn over each other.

    Args: lives: title, colour and episode of each.
    """
    draw, tall = DRAWN[world_of(env_id)]
    parts = []
    for place, (title, colour, life) in enumerate(lives):
        last = min(len(life.rewards), PICTURED)
        moments = np.unique(np.linspace(0, last, POSES).round().astype(int))
        strengths = [*np.linspace(0.08, 0.3, len(moments) - 1), 1.0]
        poses = "".join(
            f'<g opacity="{strength:.2f}">{draw(life.states[moment], COLOURS[colour])}</g>'
            for moment, strength in zip(moments, strengths, strict=True)
        )
        words = f"step {last}, return {life.rewards[:last].sum():.0f}"
        parts.append(
            f'<g transform="translate({place * (WIDE + 12)} 0)"><text x="2" y="15" font-weight="600" fill="{INK}">'
            f'{html.escape(title)}</text><text x="2" y="32" font-size="12" fill="{MUTED}">{words}</text>'
            f'<g transform="translate({WIDE / 2:g} 38)">{GROUND[world_of(env_id)]}{poses}</g></g>'
        )
    width, height = len(lives) * (WIDE + 12) - 12, tall + 40
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="14">{"".join(parts)}</svg>'
    )


METRE = WIDE / 5.4  # pixels: the track and a margin
FLOOR = 80  # pixels from the top to the track
ROD = 70  # pixels


def _cartpole(state: NDArray[np.float64], colour: str) -> str:
    x, angle = state[0] * METRE, state[2]
    top = FLOOR - 0.3 * METRE
    tip = (x + math.sin(angle) * METRE, top - math.cos(angle) * METRE)
    return (
        f'<rect x="{x - 0.31 * METRE:.1f}" y="{top:.1f}" width="{0.62 * METRE:.1f}" height="{0.3 * METRE:.1f}" rx="3" '
        f'fill="{INK}"/><path d="M{x:.1f} {top:.1f}L{tip[0]:.1f} {tip[1]:.1f}" stroke="{colour}" stroke-width="5" '
        'stroke-linecap="round"/>'
    )


def _pendulum(state: NDArray[np.float64], colour: str) -> str:
    x, y = -math.sin(state[0]) * ROD, ROD + 12 - math.cos(state[0]) * ROD
    return f'<path d="M0 {ROD + 12}L{x:.1f} {y:.1f}" stroke="{colour}" stroke-width="11" stroke-linecap="round"/>'


def _corridor(state: NDArray[np.float64], colour: str) -> str:
    return f'<circle cx="{-75 + 50 * state[0]:g}" cy="40" r="11" fill="{colour}"/>'


Draw = Callable[[NDArray[np.float64], str], str]
DRAWN: dict[str, tuple[Draw, int]] = {
    "CartPole-v1": (_cartpole, 96),
    "Pendulum-v1": (_pendulum, 2 * ROD + 24),
    "ShortCorridor-v0": (_corridor, 72),
}
GROUND = {
    "CartPole-v1": f'<path d="M{-2.4 * METRE:.1f} {FLOOR}H{2.4 * METRE:.1f}m0 -12v18M{-2.4 * METRE:.1f} {FLOOR - 12}v18" '
    f'fill="none" stroke="{LINE}" stroke-width="2"/>',
    "Pendulum-v1": f'<circle cy="{ROD + 12}" r="{ROD}" fill="none" stroke="{LINE}" stroke-dasharray="3 4"/>',
    "ShortCorridor-v0": f'<path d="M-100 15h200v50h-200zM-50 15v50M0 15v50M50 15v50" fill="none" stroke="{LINE}" '
    'stroke-width="2"/>',
}
