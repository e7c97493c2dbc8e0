"""What a policy does in each state: the Pendulum's phase portrait."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import nn

from ...envs.pendulum import MAX_SPEED, MAX_TORQUE, PendulumVectorEnv
from ...errors import InvalidInput
from ..live.sliders import Choice, Slider, explore
from ..page.style import PALETTE, new_figure

GRID = (81, 61)  # angles, angular velocities
TORQUE_COLOURS = LinearSegmentedColormap.from_list("torque", [PALETTE[1], "white", PALETTE[0]])


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
    axes[1].axhline(0, color="#888888", linewidth=0.8)
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
