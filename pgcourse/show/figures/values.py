"""What a critic has learnt: its map of CartPole, its values against the returns, and what its diagnostics can and cannot see."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from ...diagnostics import explained_variance
from ...envs.cartpole import ANGLE_LIMIT, POSITION_LIMIT
from ...errors import InvalidInput
from ..live.sliders import Choice, Slider, explore
from ..page.style import PALETTE, new_figure
from .curves import claimed_band

CELLS = 41  # along each axis of a map
FASTEST = 1.5  # rad/s, at the edge of the map: an agent that balances is seldom faster
DOTS = 1500  # visited states that are drawn
TOP_VALUE = 100.0  # 1 / (1 - gamma) for gamma = 0.99: no discounted return of CartPole is higher
Panels = Sequence[tuple[Mapping[str, Any], str, str]]  # curve of a claims file, label, colour


class Agent(NamedTuple):
    """A policy and its critic at one moment of training, and states [B, 4] that they have seen."""

    policy: nn.Module
    critic: nn.Module
    visited: Tensor


def map_states(position: float, velocity: float) -> tuple[Tensor, np.ndarray, np.ndarray]:
    """States of a map: every pair of pole angle and angular velocity, at one place and speed of the cart.

    Args: position [m], velocity [m/s]. Returns: states [CELLS * CELLS, 4], rows of equal angular velocity one after the
    other; angles [CELLS] in degrees; angular velocities [CELLS] in rad/s.
    """
    angles = torch.linspace(-ANGLE_LIMIT, ANGLE_LIMIT, CELLS)
    speeds = torch.linspace(-FASTEST, FASTEST, CELLS)
    speed, angle = torch.meshgrid(speeds, angles, indexing="ij")  # [CELLS, CELLS]: row = angular velocity
    cart = torch.tensor([position, velocity]).expand(CELLS * CELLS, 2)
    states = torch.cat([cart, angle.reshape(-1, 1), speed.reshape(-1, 1)], dim=1)
    return states, np.degrees(angles.numpy()), speeds.numpy()


@torch.no_grad()
def value_map(agent: Agent, *, position: float = 0.0, velocity: float = 0.0, top: float = TOP_VALUE) -> Figure:
    """Two heat maps over pole angle and angular velocity: V(s), and the probability of pushing right.

    The black line on both is where the policy is undecided; the dots are visited states, wherever the cart was.
    Args: agent: its policy maps observations [B, 4] to a Categorical over two actions, its critic to values [B].
    position [m], velocity [m/s] of the cart. top: value at the colours' end.
    """
    states, angles, speeds = map_states(position, velocity)
    values = agent.critic(states).reshape(CELLS, CELLS).numpy()
    right = agent.policy(states).probs[:, 1].reshape(CELLS, CELLS).numpy()
    dots = agent.visited[:: max(1, len(agent.visited) // DOTS), 2:]  # [<= about DOTS, 2]
    figure, axes = new_figure(columns=2, width=9.5, height=4.2, sharey=True)
    for ax, cells, colours, limits, label in (
        (axes[0], values, "viridis", (0.0, top), "V(s), discounted steps to come"),
        (axes[1], right, "PuOr", (0.0, 1.0), "probability of pushing right"),
    ):
        mesh = ax.pcolormesh(angles, speeds, cells, cmap=colours, vmin=limits[0], vmax=limits[1], shading="nearest")
        figure.colorbar(mesh, ax=ax, label=label)
        ax.plot(np.degrees(dots[:, 0].numpy()), dots[:, 1].numpy(), ".", color="#666666", markersize=2, alpha=0.6)
        if right.min() < 0.5 < right.max():
            ax.contour(angles, speeds, right, levels=[0.5], colors="black", linewidths=1.5)
        ax.set(xlabel="pole angle [degrees]", xlim=(angles[0], angles[-1]), ylim=(speeds[0], speeds[-1]))
        ax.grid(visible=False)
    axes[0].set_ylabel("angular velocity [rad/s]")
    axes[0].set_title(f"cart at {position:+.1f} m, {velocity:+.1f} m/s", loc="left")
    axes[1].set_title("black line: undecided", loc="left")
    return figure


def explore_value_map(agents: Mapping[str, Agent], *, alt: str, caption: str = "") -> None:
    """Show `value_map` with a menu of agents, the last one first, and sliders for the cart's position and velocity.

    Args: agents: title -> agent, such as stages of one training run. alt, caption: as of `explore`. Raises:
    InvalidInput where there is no agent.
    """
    if not agents:
        raise InvalidInput("no agent to draw; give at least one, such as {'trained': Agent(policy, critic, visited)}")
    explore(
        lambda agent, **cart: value_map(agents[agent], **cart),
        alt=alt,
        caption=caption,
        agent=Choice(list(agents), list(agents)[-1], "trained for"),
        position=Slider(-POSITION_LIMIT, POSITION_LIMIT, 0.0, 0.1, "cart position [m]"),
        velocity=Slider(-2.0, 2.0, 0.0, 0.1, "cart velocity [m/s]"),
    )


def offset_panels(values: Tensor, returns: Tensor, offset: float, *, reach: float = 60.0) -> Figure:
    """Returns against values to which a constant is added, and the numbers that do and do not notice.

    Args: values, returns: [B], in units of reward. offset: added to every value, within -reach to reach, for
    which the axes have room. Raises: InvalidInput where the shapes
    differ.
    """
    if values.shape != returns.shape or values.dim() != 1:
        raise InvalidInput(
            f"values {list(values.shape)} and returns {list(returns.shape)} do not fit; give two of shape [B]"
        )
    shifted = values + offset
    explained = float(explained_variance(shifted, returns))
    error = float((returns - shifted).square().mean().sqrt())
    figure, (left, right) = new_figure(columns=2, width=9.5, height=3.8, width_ratios=[3, 2])
    left.plot(shifted, returns, ".", color=PALETTE[0], alpha=0.25, markersize=5)
    low, high = float(values.min()) - reach, float(values.max()) + reach
    left.plot([low, high], [low, high], color="black", linewidth=1, label="V = G")
    top = 1.05 * float(returns.max())
    left.set(xlabel="V(s) + offset [discounted steps]", ylabel="return G", xlim=(low, high), ylim=(0, top))
    left.set_title(f"explained variance {explained:.2f}", loc="left")
    left.legend(loc="lower right", frameon=False)
    bars = {"mean of G": float(returns.mean()), "mean of V": float(shifted.mean()), "typical error": error}
    right.bar(list(bars), list(bars.values()), color=[PALETTE[1], PALETTE[0], "pg:grey"], width=0.6)
    right.axhline(0, color="black", linewidth=0.8)
    middle = float(values.mean())
    right.set(ylabel="discounted steps", ylim=(min(0.0, 1.1 * (middle - reach)), 1.15 * (middle + reach)))
    for i, height in enumerate(bars.values()):
        right.annotate(f"{height:.0f}", (i, max(height, 0)), ha="center", va="bottom")
    return figure


def critic_panels(columns: Mapping[str, tuple[Panels, Mapping[str, Any]]], *, mean_top: float = 110.0) -> Figure:
    """For each critic: the means of V and G on one panel, and its explained variance below.

    Args: columns: title -> (curves of the upper panel with label and colour, the curve of explained variance), all of a
    claims file.
    """
    if not columns:
        raise InvalidInput("no critic to draw; give {title: (curves of the means, curve of explained variance)}")
    figure, axes = new_figure(
        rows=2, columns=len(columns), width=9.5, height=5.4, sharex=True, sharey="row", squeeze=False
    )
    for top, bottom, (title, (means, explained)) in zip(axes[0], axes[1], columns.items(), strict=True):
        for curve, label, colour in means:
            claimed_band(top, curve, label=label, colour=colour)
        claimed_band(bottom, explained, label="explained variance", colour="pg:grey")
        bottom.axhline(0, color="black", linewidth=0.8)
        top.set_title(title, loc="left")
        top.set_ylim(0, mean_top)
        bottom.set(xlabel=explained["x_unit"], ylim=(-0.3, 1))
    axes[0, 0].set_xlim(0, min(explained["x"][-1] for _, explained in columns.values()))  # of the shortest run
    axes[0, 0].set_ylabel("mean over the batch\n[discounted steps]")
    axes[1, 0].set_ylabel("explained variance")
    axes[0, 0].legend(loc="lower right", frameon=False)
    return figure


def value_fit(pairs: Mapping[str, tuple[Tensor, Tensor]], *, points: int = 600) -> Figure:
    """Returns against values, one panel for each critic; a perfect critic's points lie on the diagonal.

    Args: pairs: title -> (values [B], returns [B]), in units of reward. points: at most so many dots a panel, spread
    evenly over the rows; the numbers are of all rows. Raises: InvalidInput without a pair.
    """
    if not pairs:
        raise InvalidInput("no critic to draw; give {'after training': (values, returns)}")
    figure, axes = new_figure(columns=len(pairs), width=9.5, height=3.9, sharex=True, sharey=True, squeeze=False)
    both = [tensor for pair in pairs.values() for tensor in pair]
    low, high = min(float(each.min()) for each in both), max(float(each.max()) for each in both)
    margin = 0.05 * (high - low)
    for ax, (title, (values, returns)) in zip(axes[0], pairs.items(), strict=True):
        keep = slice(None, None, max(len(values) // points, 1))
        ax.plot([low, high], [low, high], color="black", linewidth=1, label="V = G")
        ax.plot(values[keep].numpy(), returns[keep].numpy(), ".", color="pg:blue", alpha=0.35, markersize=5)
        ax.plot(
            float(values.mean()), float(returns.mean()), "D", color="pg:vermillion", markersize=8, label="the two means"
        )
        explained = float(explained_variance(values, returns))
        ax.set_title(
            f"{title}\nexplained variance {explained:+.2f}\nmeans: V {float(values.mean()):.1f}, "
            f"G {float(returns.mean()):.1f}",
            fontsize=10,
            loc="left",
        )
        ax.set(xlabel="critic's V [reward]", xlim=(low - margin, high + margin), ylim=(low - margin, high + margin))
    axes[0][0].set_ylabel("target G [reward]")
    axes[0][0].legend(loc="upper left")
    return figure
