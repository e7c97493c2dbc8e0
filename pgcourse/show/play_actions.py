"""What a player can press in an environment, and the agents that their score is held against."""

from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np

from ..envs import make_single_env
from ..errors import InvalidInput
from ..evaluation import evaluate
from ..study.claims import load_claims

EPISODES = 100
MOST_BUTTONS = 6
FORCES = 5  # of a continuous action: full, half and none, to either side
NAMES = {"CartPole-v1": ("Left", "Right"), "MountainCar-v0": ("Left", "Coast", "Right")}
# What the course's own agents reach from held-out start states: environment -> (claims, figure, in words).
TRAINED = {
    "CartPole-v1": ("ppo", "cartpole/held_out", "PPO of unit 04"),
    "Pendulum-v1": ("pendulum", "pendulum/held_out", "PPO of unit 05"),
}


@dataclass(frozen=True)
class Moves:
    """The actions of an environment as buttons. `start` is pressed at the beginning."""

    names: tuple[str, ...]
    actions: tuple[Any, ...]
    start: int
    label: str  # what is chosen, for the slider
    help: str


def moves(env_id: str) -> Moves:
    """The buttons of an environment. Raises: InvalidInput for one whose actions do not fit on a few of them."""
    env = make_single_env(env_id)
    space = env.action_space
    env.close()
    if isinstance(space, gymnasium.spaces.Discrete) and space.n <= MOST_BUTTONS:
        names = NAMES.get(env_id, tuple(f"Action {i}" for i in range(int(space.n))))
        actions: tuple[Any, ...] = tuple(int(space.start) + i for i in range(int(space.n)))
        return Moves(
            names, actions, 0, "Push:", "Left and Right say where the cart is pushed from then on: there is no rest."
        )
    if isinstance(space, gymnasium.spaces.Box) and space.shape == (1,) and space.is_bounded():
        forces = np.linspace(float(space.low[0]), float(space.high[0]), FORCES)
        names = tuple(f"{force:+g}" if force else "0" for force in forces)
        actions = tuple(np.array([force], dtype=np.float32) for force in forces)
        return Moves(
            names, actions, FORCES // 2, "Force:", "The force that you choose acts until you choose another one."
        )
    raise InvalidInput(
        f"{env_id!r} has actions {space}, which have no buttons; choose one with a few discrete actions, or one bounded force"
    )


def rivals(env_id: str, trained: Any) -> str:
    """The mean returns that a player's score stands beside, in words.

    Args: trained: a Result or a policy; None takes the course's own where one is measured.
    """
    words = [f"A random agent: {evaluate(None, env_id, num_episodes=EPISODES, seed=0).mean:.1f}"]
    if trained is not None:
        mean = evaluate(getattr(trained, "policy", trained), env_id, num_episodes=EPISODES, seed=0).mean
        words.append(f"the trained agent: {mean:.1f}")
    elif env_id in TRAINED:
        name, figure, agent = TRAINED[env_id]
        words.append(f"{agent}: {load_claims(name)['figures'][figure]['value']:.0f}")
    return f"{', '.join(words)}, on average of {EPISODES} episodes."
