"""What a policy does in each state: one state of CartPole with its probabilities, the Pendulum's phase portrait."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from torch import nn

from ...envs.cartpole import ANGLE_LIMIT, POSITION_LIMIT
from ...envs.pendulum import MAX_SPEED, MAX_TORQUE, PendulumVectorEnv
from ...errors import InvalidInput
from ..live.sliders import Choice, Slider, explore
from ..page.style import PALETTE, new_figure
from .values import FASTEST, TOP_VALUE, Agent

POLE = 1.0  # m, its length in the picture
SWEEP = 61  # angles of the curve below
ALT = (
    "Left: the cart and its pole in the chosen state. Middle: two bars, the probabilities of a push to the left and to the "
    "right. Right: value and probability of right against the angle of the pole, with a point at the chosen one."
)
GRID = (81, 61)  # angles, angular velocities
TORQUE_COLOURS = LinearSegmentedColormap.from_list("torque", [PALETTE[1], "white", PALETTE[0]])


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


def _draw_cart(ax: Axes, position: float, velocity: float, angle: float, angular_velocity: float) -> None:
    ax.axhline(0, color="#444444", linewidth=1)
    ax.add_patch(Rectangle((position - 0.25, -0.12), 0.5, 0.24, facecolor="black"))
    tip = (position + POLE * np.sin(np.radians(angle)), POLE * np.cos(np.radians(angle)))
    ax.plot([position, tip[0]], [0, tip[1]], color="#B58863", linewidth=6, solid_capstyle="round")
    arrow = {"arrowstyle": "->", "color": PALETTE[0], "lw": 2}
    for start, length in (((position, -0.3), velocity), (tip, angular_velocity)):
        if abs(length) > 0.05:
            ax.annotate("", (start[0] + 0.5 * length, start[1]), start, arrowprops=arrow)
    ax.set(xlim=(-2.9, 2.9), ylim=(-0.6, 1.5), xlabel="position [m]", aspect="equal")
    ax.set_yticks([])
    ax.set_title("arrows: velocities", fontsize=11, loc="left")


class Swing(NamedTuple):
    """One episode of a pendulum: angle [T + 1] in rad, 0 upright; velocity [T + 1] in rad/s; torque [T] in N m."""

    angle: NDArray[np.float64]
    velocity: NDArray[np.float64]
    torque: NDArray[np.float64]
    reward: NDArray[np.float64]  # [T]


def torque_field(
    policy: nn.Module, angles: NDArray[np.float64], velocities: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Torque [V, A] in N m that the policy's mode applies at velocities [V] and angles [A], within the limits."""
    velocity, angle = torch.meshgrid(torch.as_tensor(velocities), torch.as_tensor(angles), indexing="ij")
    obs = torch.stack([angle.cos(), angle.sin(), velocity], dim=-1).float()  # [V, A, 3]
    with torch.inference_mode():
        torque = policy(obs.flatten(0, 1)).mode  # [V * A, 1]
    return torque.clamp(-MAX_TORQUE, MAX_TORQUE).view(angle.shape).double().numpy()


def swing(policy: nn.Module, angle: float, velocity: float = 0.0, *, steps: int = 200) -> Swing:
    """The course of one episode under the policy's mode, from an angle [rad] and a velocity [rad/s]."""
    envs = PendulumVectorEnv(1)
    state = torch.tensor([[angle, velocity]], dtype=torch.float32)
    states, torques, rewards = [state], [], []
    with torch.inference_mode():
        for _ in range(steps):
            torque = policy(envs.observe(state)).mode.clamp(-MAX_TORQUE, MAX_TORQUE)  # [1, 1]
            state, reward, _ = envs.dynamics(state, torque)
            states.append(state)
            torques.append(torque)
            rewards.append(reward)
    course = torch.cat(states).double().numpy()  # [T + 1, 2]
    wrapped = np.remainder(course[:, 0] + np.pi, 2 * np.pi) - np.pi
    return Swing(wrapped, course[:, 1], torch.cat(torques)[:, 0].double().numpy(), torch.cat(rewards).double().numpy())


def phase_portrait(
    policies: Mapping[str, nn.Module], *, angle: float = 3.0, velocity: float = 0.0, steps: int = 200
) -> Figure:
    """One panel a policy: its torque as colour over angle and angular velocity, one episode as a line on it.

    Args: policies: title -> Gaussian or other policy of Pendulum. angle, velocity: where the episode starts, in rad
    from upright and rad/s. Raises: InvalidInput without a policy.
    """
    if not policies:
        raise InvalidInput("no policy given; give at least one, such as {'trained': result.policy}")
    columns = len(policies)
    width = 5.6 if columns == 1 else min(10.0, 3.6 * columns + 0.8)
    figure, axes = new_figure(columns=columns, width=width, height=3.9, sharey=True, squeeze=False)
    for ax, (title, policy) in zip(axes[0], policies.items(), strict=True):
        image = draw_field(ax, policy)
        draw_swing(ax, swing(policy, angle, velocity, steps=steps))
        ax.set_title(title)
    axes[0, 0].set_ylabel("angular velocity [rad/s]")
    figure.colorbar(image, ax=axes[0, -1], label="torque of the policy's mode [N m]", ticks=[-2, -1, 0, 1, 2])
    return figure


def draw_field(ax: Axes, policy: nn.Module) -> ScalarMappable:
    """Colour the axes by the policy's torque. Returns: the image, for a colour bar."""
    angles, velocities = np.linspace(-np.pi, np.pi, GRID[0]), np.linspace(-MAX_SPEED, MAX_SPEED, GRID[1])
    image = ax.pcolormesh(
        angles, velocities, torque_field(policy, angles, velocities), cmap=TORQUE_COLOURS, vmin=-MAX_TORQUE, vmax=MAX_TORQUE,
        shading="nearest",
    )  # fmt: skip
    ax.grid(visible=False)
    ax.set_xticks([-np.pi, -np.pi / 2, 0, np.pi / 2, np.pi], ["−π\nhanging", "−π/2", "0\nupright", "π/2", "π\nhanging"])
    ax.set_xlabel("angle [rad]")
    return image


def draw_swing(ax: Axes, course: Swing) -> None:
    """The episode as a line, cut where the angle passes from π to −π, with a circle at its start and a star at its end."""
    jumps = np.flatnonzero(np.abs(np.diff(course.angle)) > np.pi) + 1
    line = np.stack([np.insert(course.angle, jumps, np.nan), np.insert(course.velocity, jumps, np.nan)])
    ax.plot(*line, color="black", linewidth=1.6)
    ax.plot(course.angle[0], course.velocity[0], "o", color="white", markeredgecolor="black", markersize=8)
    ax.plot(course.angle[-1], course.velocity[-1], "*", color="white", markeredgecolor="black", markersize=14)


def swing_figure(policy: nn.Module, angle: float, velocity: float) -> Figure:
    """Left the phase portrait with one episode, right the same episode's angle and torque over time."""
    course = swing(policy, angle, velocity)
    figure, axes = new_figure(columns=2, width=9.5, height=3.9, width_ratios=[1.15, 1])
    image = draw_field(axes[0], policy)
    draw_swing(axes[0], course)
    axes[0].set_ylabel("angular velocity [rad/s]")
    figure.colorbar(image, ax=axes[0], label="torque [N m]", ticks=[-2, -1, 0, 1, 2])
    seconds = np.arange(len(course.angle)) * 0.05
    axes[1].plot(seconds, np.abs(course.angle), color="black", label="angle from upright [rad]")
    axes[1].plot(seconds[:-1], course.torque, color=PALETTE[1], linewidth=1.2, label="torque [N m]")
    axes[1].axhline(0, color="pg:grey", linewidth=0.8)
    axes[1].set(xlabel="time [s]", ylim=(-2.2, 4.6), ylabel="angle [rad], torque [N m]")
    axes[1].set_title(f"return {course.reward.sum():.0f}")
    axes[1].legend(loc="upper right")
    return figure


def explore_phase(policies: Mapping[str, nn.Module]) -> None:
    """`swing_figure` with a menu of policies and sliders for the start; the last policy stands there first."""
    if not policies:
        raise InvalidInput("no policy given; give at least one, such as {'trained': result.policy}")
    explore(
        lambda stage, **start: swing_figure(policies[stage], **start),
        alt="Left: torque as colour over angle and angular velocity, with the path of one episode. Right: the angle's "
        "distance from upright and the torque of that episode over ten seconds.",
        stage=Choice(list(policies), list(policies)[-1], "policy"),
        angle=Slider(-3.1, 3.1, 3.0, 0.1, "start angle [rad]"),
        velocity=Slider(-8.0, 8.0, 0.0, 0.5, "start velocity [rad/s]"),
    )


def largest_held_angle() -> float:
    """Angle from upright [rad] at which the motor at full torque can still hold the rod: sin of it = 2 / (m g l / 2)."""
    from ...envs.pendulum import GRAVITY, LENGTH, MASS

    return math.asin(MAX_TORQUE / (MASS * GRAVITY * LENGTH / 2))
