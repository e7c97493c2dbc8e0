"""A policy of the Pendulum in one picture: its torque in every state, and the path of one episode from any start."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ....envs.pendulum import MAX_SPEED, MAX_TORQUE, TIME_STEP, PendulumVectorEnv
from ....errors import InvalidInput
from .. import chart
from ..explainer import Choice, Explainer, Slider
from ..policy import forward, policy_json

GRID = (61, 41)  # angles, angular velocities
STEPS = 200
UPRIGHT = 0.2  # rad
HELD = 20  # steps, the last second
PATH = "#111111"  # with a white edge: it lies on the colours of the torque, which are the same in every theme


def torque_field(policy: dict[str, Any]) -> NDArray[np.float64]:
    """Torque [V, A] in N m of the policy's mode, within the motor's limits, over angular velocities and angles."""
    angles, velocities = np.linspace(-math.pi, math.pi, GRID[0]), np.linspace(-MAX_SPEED, MAX_SPEED, GRID[1])
    velocity, angle = np.meshgrid(velocities, angles, indexing="ij")
    obs = np.stack([np.cos(angle), np.sin(angle), velocity], axis=-1)  # [V, A, 3]
    torque = forward(policy, obs.reshape(-1, 3))[:, 0].reshape(angle.shape)
    return np.clip(torque, -MAX_TORQUE, MAX_TORQUE)


def swing(policy: dict[str, Any], angle: float, velocity: float) -> tuple[NDArray[np.float64], ...]:
    """One episode under the policy's mode: angles in [-pi, pi) and velocities [T + 1], torques and rewards [T]."""
    envs = PendulumVectorEnv(1)
    state = torch.tensor([[angle, velocity]], dtype=torch.float64)
    states, torques, rewards = [state], [], []
    for _ in range(STEPS):
        torque = np.clip(forward(policy, envs.observe(state).numpy()), -MAX_TORQUE, MAX_TORQUE)  # [1, 1]
        state, reward, _ = envs.dynamics(state, torch.from_numpy(torque))
        states.append(state)
        torques.append(torque[0, 0])
        rewards.append(float(reward))
    course = torch.cat(states).numpy()  # [T + 1, 2]
    wrapped = np.remainder(course[:, 0] + math.pi, 2 * math.pi) - math.pi
    return wrapped, course[:, 1], np.array(torques), np.array(rewards)


def figure(policy: str, angle: float, velocity: float, data: Any) -> chart.Chart:
    """Left the torque as colour with the path of one episode, right its angle and torque over time.

    Args: data: {"policies": {title: of `policy_json`}}.
    """
    chosen = data["policies"][policy]
    angles, velocities, torques, rewards = swing(chosen, angle, velocity)
    jumps = np.flatnonzero(np.abs(np.diff(angles)) > math.pi) + 1  # a gap where the angle passes from pi to -pi
    path = np.insert(angles, jumps, math.nan), np.insert(velocities, jumps, math.nan)
    away = np.abs(angles)
    late = np.flatnonzero(away >= UPRIGHT)
    last = int(late[-1]) if len(late) else -1
    # A rod that only passes by at the end does not stay.
    end = (
        f"stays upright from second {(last + 1) * TIME_STEP:.1f} on" if last < STEPS - HELD else "does not stay upright"
    )
    seconds = np.arange(STEPS + 1) * TIME_STEP
    turn = [-math.pi, -math.pi / 2, 0, math.pi / 2, math.pi]
    return chart.chart(
        chart.panel(
            chart.axis("angle [rad]", -math.pi, math.pi, ticks=turn, names=["−π", "−π/2", "upright", "π/2", "π"]),
            chart.axis("angular velocity [rad/s]", -MAX_SPEED, MAX_SPEED, ticks=[-8, -4, 0, 4, 8]),
            chart.tiles(
                [-math.pi, math.pi], [-MAX_SPEED, MAX_SPEED], torque_field(chosen), low=-MAX_TORQUE, high=MAX_TORQUE,
                scale="diverging",
            ),
            chart.line(*path, "#ffffff", width=4),
            chart.line(*path, PATH, width=1.8),
            chart.points([angles[0]], [velocities[0]], "#ffffff", size=7),
            chart.points([angles[0]], [velocities[0]], PATH, size=5),
            chart.points([angles[-1]], [velocities[-1]], "#ffffff", size=8, shape="square"),
            chart.points([angles[-1]], [velocities[-1]], PATH, size=6, shape="square"),
            height=260,
        ),
        chart.panel(
            chart.axis("time [s]", 0, STEPS * TIME_STEP, ticks=[0, 2, 4, 6, 8, 10]),
            chart.axis("angle [rad], torque [N m]", -2.2, 3.4, ticks=[-2, -1, 0, 1, 2, 3]),
            chart.rule("y", 0, "grey", width=1),
            chart.line(seconds[:-1], torques, "vermillion", label="torque", width=1.2),
            chart.line(seconds, away, "ink", label="angle from upright"),
            height=260,
        ),
        words=f"From {angle:+.1f} rad at {velocity:+.1f} rad/s this policy gets a return of {rewards.sum():.0f}, and the rod "
        f"{end}.",
    )  # fmt: skip


def phase_of(policies: Mapping[str, nn.Module]) -> Explainer:
    """The explainer for policies of the Pendulum, the last one first. Args: policies: title -> policy.

    Raises: InvalidInput without a policy, or for one that cannot act in the page.
    """
    if not policies:
        raise InvalidInput("no policy given; give at least one, such as {'trained': result.policy}")
    return Explainer(
        "explainers/phase",
        figure,
        {
            "policy": Choice(tuple(policies), list(policies)[-1], "policy"),
            "angle": Slider(-3.1, 3.1, 3.0, 0.1, "start angle [rad]"),
            "velocity": Slider(-MAX_SPEED, MAX_SPEED, 0.0, 0.5, "start velocity [rad/s]"),
        },
        alt="Left: torque as colour over angle and angular velocity, with the path of one episode. Right: the angle's distance "
        "from upright and the torque of that episode over ten seconds.",
        caption="Left, the torque of the policy's mode: blue is −2 N m, white 0, orange +2 N m. The line is an episode, from the "
        "dot to the square. The rod hangs at the left and right edges, which are the same place.",
        data={"policies": {title: policy_json(policy) for title, policy in policies.items()}},
        size=(9.0, 4.0),
    )
