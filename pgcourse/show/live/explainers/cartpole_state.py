"""One state of CartPole: the cart, what critic and policy say of it, and their maps over angle and angular velocity."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal

from ....envs.cartpole import POSITION_LIMIT
from ....errors import InvalidInput
from .. import chart
from ..explainer import Choice, Explainer, Slider
from ..policy import forward, policy_json

CELLS = 21  # along each axis of a map
FASTEST = 1.5  # rad/s, at the edge of the map: an agent that balances is seldom faster
STEEPEST = 12  # degrees
SWEEP = 49  # angles of the curves
DOTS = 250  # visited states that are drawn
TOP_VALUE = 100.0  # 1 / (1 - gamma) for gamma = 0.99: no discounted return of CartPole is higher
POLE = 1.0  # m, its length in the picture
SHOWN = 0.05  # slower than this has no arrow


class Agent(NamedTuple):
    """A policy and its critic at one moment of training, and states [B, 4] that they have seen."""

    policy: nn.Module
    critic: nn.Module
    visited: Tensor


class _Values(nn.Module):
    """A critic in the clothes of a policy: its value is the mean of a normal distribution."""

    def __init__(self, critic: nn.Module) -> None:
        super().__init__()
        self.critic = critic

    def forward(self, obs: Tensor) -> Distribution:
        return Independent(Normal(self.critic(obs)[:, None], 1.0), 1)


def states(position: float, velocity: float, angles: NDArray[Any], speeds: NDArray[Any]) -> NDArray[np.float64]:
    """Observations [S * A, 4], rows of equal angular velocity one after the other; angles in degrees, speeds in rad/s."""
    speed, angle = np.meshgrid(speeds, angles, indexing="ij")  # [S, A]
    columns = [np.full(speed.size, position), np.full(speed.size, velocity), angle.ravel() * np.pi / 180, speed.ravel()]
    return np.stack(columns, axis=1)


def critic_and_policy(
    agent: dict[str, Any], obs: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """V [B], and the probability of pushing right [B]."""
    logits = forward(agent["policy"], obs)
    return forward(agent["critic"], obs)[:, 0], 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))


def undecided(right: NDArray[np.float64], speeds: NDArray[np.float64]) -> list[float]:
    """At each angle of a map [S, A], the angular velocity at which the probability first crosses one half, else NaN. [A]"""
    found = []
    for column in right.T:
        crossing = np.flatnonzero((column[:-1] < 0.5) != (column[1:] < 0.5))
        if len(crossing):
            i = crossing[0]
            share = (0.5 - column[i]) / (column[i + 1] - column[i])
            found.append(float(speeds[i] + share * (speeds[i + 1] - speeds[i])))
        else:
            found.append(float("nan"))
    return found


def figure(
    agent: str, position: float, velocity: float, angle: float, angular_velocity: float, data: Any
) -> chart.Chart:
    """The cart in this state, V and the probability of right as the pole tilts, and both as maps."""
    chosen = data[agent]
    half = STEEPEST * (1 - 1 / CELLS), FASTEST * (1 - 1 / CELLS)  # the middles of the outermost cells
    angles, speeds = (np.linspace(-each, each, CELLS) for each in half)
    values, right = critic_and_policy(chosen, states(position, velocity, angles, speeds))
    values, right = values.reshape(CELLS, CELLS), right.reshape(CELLS, CELLS)
    sweep = np.linspace(-STEEPEST, STEEPEST, SWEEP)
    along, pushed = critic_and_policy(chosen, states(position, velocity, sweep, np.array([angular_velocity])))
    here, push = (
        float(each[0])
        for each in critic_and_policy(
            chosen, states(position, velocity, np.array([angle]), np.array([angular_velocity]))
        )
    )
    tilt = angle * np.pi / 180
    tip = position + POLE * np.sin(tilt), POLE * np.cos(tilt)
    arrows = [
        chart.arrow([x, x + 0.5 * speed], [y, y], "blue")
        for x, y, speed in ((position, -0.3, velocity), (*tip, angular_velocity))
        if abs(speed) > SHOWN
    ]
    leaning = chart.axis("pole angle [degrees]", -STEEPEST, STEEPEST)
    turning = chart.axis("angular velocity [rad/s]", -FASTEST, FASTEST)
    ends = [-STEEPEST, STEEPEST], [-FASTEST, FASTEST]
    # On the maps, whose colours are those of both themes.
    above = [
        chart.points(chosen["angles"], chosen["speeds"], "#555555", size=1.2),
        chart.line(angles, undecided(right, speeds), "#111111"),
        chart.points([angle], [angular_velocity], "#111111", size=7),
        chart.points([angle], [angular_velocity], "#ffffff", size=4),
    ]
    return chart.chart(
        chart.panel(
            chart.axis("position [m]", -2.9, 2.9),
            chart.axis("", -1.0, 2.4, ticks=[]),
            chart.line([-2.4, 2.4], [0, 0], "grey", width=1),
            chart.bars([position], [0.12], "ink", width=0.5, base=-0.12),
            chart.line([position, tip[0]], [0, tip[1]], "orange", width=6),
            *arrows,
            title="the cart; arrows are velocities",
            aspect="equal",
        ),
        chart.panel(
            leaning,
            chart.axis("", 0, 1.2),
            chart.line(sweep, along / TOP_VALUE, "ink", label=f"V(s) / {TOP_VALUE:.0f}"),
            chart.line(sweep, pushed, "vermillion", dash="6 4", label="probability of right"),
            chart.rule("x", angle, "grey", dash="2 4"),
            chart.points([angle, angle], [here / TOP_VALUE, push], "grey", size=5),
            title="as the pole tilts",
        ),
        chart.panel(
            leaning,
            turning,
            chart.tiles(*ends, values, low=0, high=TOP_VALUE),
            *above,
            title=f"V(s), from 0 (dark) to {TOP_VALUE:.0f} (bright)",
        ),
        chart.panel(
            leaning,
            turning,
            chart.tiles(*ends, right, low=0, high=1, scale="diverging"),
            *above,
            title="the push: left (blue) or right (orange)",
        ),
        columns=2,
        words=f"In this state V(s) = {here:.1f}, and the policy pushes right with probability {push:.2f}.",
    )


def cartpole_state(agents: Mapping[str, Agent], *, caption: str = "") -> Explainer:
    """The figure with a menu of agents, the last one first, and a slider for each number of the state.

    Args: agents: title -> agent, such as stages of one training run. Raises: InvalidInput where there is none, or a network
    that `policy_json` cannot send.
    """
    if not agents:
        raise InvalidInput("no agent to ask; give at least one, such as {'trained': Agent(policy, critic, visited)}")
    return Explainer(
        "explainers/cartpole_state",
        figure,
        {
            "agent": Choice(tuple(agents), list(agents)[-1], "trained for"),
            "position": Slider(-POSITION_LIMIT, POSITION_LIMIT, 0.0, 0.1, "cart position [m]"),
            "velocity": Slider(-2.0, 2.0, 0.0, 0.1, "cart velocity [m/s]"),
            "angle": Slider(-STEEPEST, STEEPEST, 3.0, 0.5, "pole angle [degrees]"),
            "angular_velocity": Slider(-FASTEST, FASTEST, 0.0, 0.1, "angular velocity [rad/s]"),
        },
        alt="Four panels. The cart and its pole in the chosen state. Value and probability of right as curves over the angle of "
        "the pole. And two maps over angle and angular velocity with dots for visited states: the value, and the probability "
        "of pushing right, which changes across a line.",
        caption=caption,
        data={title: _packed(agent) for title, agent in agents.items()},
        size=(7.6, 6.4),
    )


def _packed(agent: Agent) -> dict[str, Any]:
    dots = agent.visited[:: max(1, len(agent.visited) // DOTS), 2:].double()
    return {
        "policy": policy_json(agent.policy),
        "critic": policy_json(_Values(agent.critic)),
        "angles": [round(each, 2) for each in torch.rad2deg(dots[:, 0]).tolist()],
        "speeds": [round(each, 3) for each in dots[:, 1].tolist()],
    }
