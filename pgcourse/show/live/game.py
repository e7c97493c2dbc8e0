"""Play the environment yourself, in the page: no kernel is needed."""

import base64
import html

from ...errors import InvalidInput
from ...evaluation import evaluate
from ...study.claims import load_claims
from .. import page
from .embed import live
from .worlds import live_episode, still

EPISODES = 100
# What the course's own agents reach from held-out start states: environment -> (claims, figure, in words).
TRAINED = {
    "CartPole-v1": ("ppo", "cartpole/held_out", "PPO of unit 04"),
    "Pendulum-v1": ("pendulum", "pendulum/held_out", "PPO of unit 05"),
}
ENDS = {"CartPole-v1": (0.0, 500.0), "Pendulum-v1": (-1800.0, 0.0)}  # returns at the ends of the score bar


def rivals(env_id: str) -> list[tuple[str, float]]:
    """The mean returns that a player's score stands beside, over 100 held-out episodes: a random agent's, a trained one's."""
    name, figure, agent = TRAINED[env_id]
    random = evaluate(None, env_id, num_episodes=EPISODES, seed=0).mean
    return [("a random agent", random), (agent, float(load_claims(name)["figures"][figure]["value"]))]


def play(env_id: str = "CartPole-v1") -> None:
    """Show the game: Start, then the arrow keys, or the buttons on a phone.

    The clock waits for the first key, and runs slowly at first. The score stands beside those of `rivals`. Where no
    script runs, there is a picture. Raises: InvalidInput for an environment that is no game here.
    """
    if env_id not in ENDS:
        raise InvalidInput(f"{env_id!r} cannot be played in the page; these can: {', '.join(ENDS)}")
    low, high = ENDS[env_id]
    beside = rivals(env_id)
    words = ", ".join(f"{label}: {value:.0f}" for label, value in beside)
    alt = f"{env_id} as a game. Mean returns of {EPISODES} episodes to beat: {words}."
    picture = base64.b64encode(
        still([("at random", "grey", live_episode(None, env_id, seed=0))], env_id).encode()
    ).decode()
    image = f'<img src="data:image/svg+xml;base64,{picture}" alt="{html.escape(alt)}">'
    given = {
        "env": env_id, "rivals": [{"label": label, "value": value} for label, value in beside], "low": low, "high": high,
    }  # fmt: skip
    page.display(live("game", given, still=f"{image}<p>Run this cell to play.</p>", alt=alt), raw=True)
