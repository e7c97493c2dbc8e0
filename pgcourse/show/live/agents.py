"""Agents at work in the page, side by side: stages of training, algorithms, your own. They can be stopped and pushed."""

import base64
import html
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from torch import nn

from ...errors import InvalidInput
from .. import page
from .embed import live
from .stages import stages_gif
from .worlds import fitting_policy_json, live_episode, start_seed, still, world_of

HUES = ("blue", "green", "purple", "orange")  # of agents that have learnt; grey is the random one
POLICIES = Path(__file__).resolve().parent / "policies"
FILM_STEPS = 200  # of the film where an agent cannot live in the page


class Agent(TypedDict):
    """One agent as agents.js takes it. `policy`: of `policy_json`, None acts at random."""

    title: str
    colour: NotRequired[str]
    policy: dict[str, Any] | None


def watch(agents: Mapping[str, Any], env_id: str | None = None, *, seed: int = 0, caption: str = "") -> None:
    """Show agents at work side by side, at true speed, from the same held-out start states, episode after episode.

    They act in the page itself, without a kernel. An environment that does not run there, or a network that cannot be
    sent, is shown as a GIF of one episode.
    Args: agents: title -> Result, policy, or None for a random agent. env_id: needed where no Result says it. seed: of the
    start states. caption: what to look at. Raises: InvalidInput.
    """
    env_id = env_id or env_of(agents)
    policies = policies_of(agents)
    try:
        sent: list[Agent] = [{"title": t, "policy": fitting_policy_json(p, env_id)} for t, p in policies.items()]
    except InvalidInput:
        with tempfile.TemporaryDirectory() as folder:
            film = stages_gif(policies, env_id, Path(folder) / "agents.gif", seed=seed, max_steps=FILM_STEPS)
            page.gif(film, alt=f"Agents at {env_id} side by side: {', '.join(policies)}.", caption=caption)
    else:
        page.display(output(sent, env_id, seed=seed, caption=caption), raw=True)


def output(agents: Sequence[Agent], env_id: str, *, seed: int = 0, caption: str = "", name: str = "") -> dict[str, str]:
    """Display data of agents that live in the page. Args: name: makes two figures of the same agents different.

    Raises: InvalidInput for an environment that does not run there.
    """
    hues = iter(HUES * (1 + len(agents) // len(HUES)))
    coloured = [agent | {"colour": "grey" if agent["policy"] is None else next(hues)} for agent in agents]
    lives = [live_episode(agent["policy"], env_id, seed=seed) for agent in agents]
    picture = still([(a["title"], a["colour"], life) for a, life in zip(coloured, lives, strict=True)], env_id)
    told = "; ".join(
        f"{agent['title']}, {len(life.rewards)} steps with a return of {life.rewards.sum():.0f}"
        for agent, life in zip(agents, lives, strict=True)
    )
    alt = f"Agents at work in {world_of(env_id)}, from the same start state. Their first episodes: {told}."
    data = base64.b64encode(picture.encode()).decode()
    image = f'<img src="data:image/svg+xml;base64,{data}" alt="{html.escape(alt)}">'
    given = {"env": world_of(env_id), "seed": str(start_seed(seed)), "agents": coloured}
    return live("agents", given, still=image, alt=alt, caption=caption, name=name)


def trained_agents(env_id: str) -> list[Agent]:
    """The course's own agents, from random to trained. Raises: InvalidInput for an environment without them."""
    path = POLICIES / f"{world_of(env_id)}.json"
    if not path.is_file():
        raise InvalidInput(f"the package carries no trained agents for {env_id}; give your own, from a run")
    agents: list[Agent] = json.loads(path.read_text(encoding="utf-8"))["agents"]
    return agents


def landing(env_id: str = "CartPole-v1", *, caption: str = "") -> str:
    """HTML of the course's own agents at work, from random to trained: for a page without a run.

    The page brings the course's stylesheet. Raises: InvalidInput for an environment without agents.
    """
    return output(trained_agents(env_id), env_id, caption=caption, name="landing")["text/html"]


def policies_of(agents: Mapping[str, Any]) -> dict[str, nn.Module | None]:
    """Title -> policy. Raises: InvalidInput for what is no agent."""
    if not agents:
        raise InvalidInput("nothing to show; give agents such as {'random': None, 'PPO': result}")
    policies = {title: getattr(agent, "policy", agent) for title, agent in agents.items()}
    for title, policy in policies.items():
        if policy is not None and not isinstance(policy, nn.Module):
            raise InvalidInput(
                f"{title!r} is of type {type(agents[title]).__name__}; give a Result, a policy, or None for random"
            )
    return policies


def env_of(agents: Mapping[str, Any]) -> str:
    """The environment that the first Result says. Raises: InvalidInput where none does."""
    for agent in agents.values():
        if hasattr(agent, "config"):
            return str(agent.config.env_id)
    raise InvalidInput("no agent says its environment; give env_id, such as env_id='CartPole-v1'")
