"""One state of CartPole under the eyes of an agent: the picture, the policy's probabilities and the critic's value."""

from collections.abc import Mapping

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..envs.cartpole import ANGLE_LIMIT, POSITION_LIMIT
from ..errors import InvalidInput
from .style import PALETTE, new_figure
from .value_map import FASTEST, TOP_VALUE, Agent
from .widgets import Choice, Slider, explore

POLE = 1.0  # m, its length in the picture
SWEEP = 61  # angles of the curve below


@torch.no_grad()
def state_figure(agent: Agent, *, position: float, velocity: float, angle: float, angular_velocity: float) -> Figure:
    """The cart in this state, the two probabilities, and how both they and V(s) change as the pole tilts.

    Args: agent: its policy maps observations [B, 4] to a Categorical over two actions, its critic to values [B].
    position [m], velocity [m/s], angle [degrees], angular_velocity [rad/s].
    """
    angles = torch.linspace(-ANGLE_LIMIT, ANGLE_LIMIT, SWEEP)
    sweep = torch.tensor([position, velocity, 0.0, angular_velocity]).repeat(SWEEP, 1)
    sweep[:, 2] = angles
    here = torch.tensor([[position, velocity, np.radians(angle), angular_velocity]], dtype=torch.float32)  # [1, 4]
    right, value = float(agent.policy(here).probs[0, 1]), float(agent.critic(here)[0])
    figure, (picture, bars, curve) = new_figure(columns=3, width=9.8, height=3.4, width_ratios=[1.35, 0.7, 1.35])
    _draw_cart(picture, position, velocity, angle, angular_velocity)
    drawn = bars.bar(["left", "right"], [1 - right, right], color=[PALETTE[0], PALETTE[1]], width=0.6)
    bars.bar_label(drawn, [f"{1 - right:.2f}", f"{right:.2f}"])
    bars.set(ylabel="probability of a push", ylim=(0, 1.12))
    bars.set_title(f"V(s) = {value:.1f}", fontsize=11, loc="left")
    degrees = np.degrees(angles.numpy())
    curve.plot(degrees, agent.critic(sweep).numpy() / TOP_VALUE, color="black", label=f"V(s) / {TOP_VALUE:.0f}")
    curve.plot(
        degrees, agent.policy(sweep).probs[:, 1].numpy(), color=PALETTE[1], linestyle="--", label="probability of right"
    )
    curve.plot([angle, angle], [value / TOP_VALUE, right], "o", color="#444444")
    curve.axvline(angle, color="#444444", linestyle=":")
    curve.set(xlabel="pole angle [degrees]", ylim=(-0.05, 1.3))
    curve.legend(loc="upper center", fontsize=9, frameon=False)
    return figure


def explore_state(agents: Mapping[str, Agent], *, alt: str = "", caption: str = "") -> None:
    """`state_figure` with a slider for each number of the state, and a menu of agents, the last one first.

    Args: agents: title -> agent, such as stages of one training run. Raises: InvalidInput where there is none.
    """
    if not agents:
        raise InvalidInput("no agent to ask; give at least one, such as {'trained': Agent(policy, critic, visited)}")
    steepest = float(np.degrees(ANGLE_LIMIT))
    explore(
        lambda agent, **state: state_figure(agents[agent], **state),
        alt=alt or ALT,
        caption=caption,
        agent=Choice(list(agents), list(agents)[-1], "trained for"),
        position=Slider(-POSITION_LIMIT, POSITION_LIMIT, 0.0, 0.1, "cart position [m]"),
        velocity=Slider(-2.0, 2.0, 0.0, 0.1, "cart velocity [m/s]"),
        angle=Slider(-float(int(steepest)), float(int(steepest)), 3.0, 0.5, "pole angle [degrees]"),
        angular_velocity=Slider(-FASTEST, FASTEST, 0.0, 0.1, "angular velocity [rad/s]"),
    )


ALT = (
    "Left: the cart and its pole in the chosen state. Middle: two bars, the probabilities of a push to the left and to the "
    "right. Right: value and probability of right against the angle of the pole, with a point at the chosen one."
)


def _draw_cart(ax: Axes, position: float, velocity: float, angle: float, angular_velocity: float) -> None:
    ax.axhline(0, color="#444444", linewidth=1)
    ax.add_patch(Rectangle((position - 0.25, -0.12), 0.5, 0.24, facecolor="black"))
    tip = (position + POLE * np.sin(np.radians(angle)), POLE * np.cos(np.radians(angle)))
    ax.plot([position, tip[0]], [0, tip[1]], color="#B58863", linewidth=6, solid_capstyle="round")
    arrow = {"arrowstyle": "->", "color": PALETTE[0], "lw": 2}
    for start, length in (((position, -0.3), velocity), (tip, angular_velocity)):
        if abs(length) > 0.05:
            ax.annotate(
                "",
                (start[0] + 0.5 * length, start[1]),
                start,
                arrowprops=arrow,
            )
    ax.set(xlim=(-2.9, 2.9), ylim=(-0.6, 1.5), xlabel="position [m]", aspect="equal")
    ax.set_yticks([])
    ax.set_title("arrows: velocities", fontsize=11, loc="left")
