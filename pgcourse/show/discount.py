"""Discount and returns: what a reward that lies ahead counts, and what each step's return is made of."""

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..errors import InvalidInput
from ..returns import discounted_returns
from .style import PALETTE, new_figure
from .widgets import Choice, Slider, explore

LENGTH = 40  # steps of the drawn episodes
# Episodes with the same undiscounted return of 20, so that only the discount tells them apart.
EPISODES: dict[str, NDArray[np.float64]] = {
    "a reward each second step": np.tile([0.0, 1.0], LENGTH // 2),
    "all at the end": np.eye(1, LENGTH, LENGTH - 1)[0] * 20.0,
    "a price first, then more": np.concatenate([[-20.0], np.full(LENGTH - 1, 40.0 / (LENGTH - 1))]),
}


def discount_figure(rewards: Sequence[float] | NDArray[np.float64], gamma: float, start: int) -> Figure:
    """Rewards of an episode, what each counts in the return from step `start`, and the return from every step.

    Args: rewards: [T]. gamma: in [0, 1]. Raises: InvalidInput for a step that is not there.
    """
    numbers = np.asarray(rewards, dtype=np.float64)
    if not 0 <= start < len(numbers):
        raise InvalidInput(f"start={start} is not in an episode of {len(numbers)} steps; use 0 to {len(numbers) - 1}")
    returns = discounted_returns(torch.from_numpy(numbers), gamma=gamma).numpy()  # [T]
    ahead = np.arange(start, len(numbers))
    weights = float(gamma) ** (ahead - start)  # [T - start]; 0 ** 0 is 1: the next reward always counts
    x = np.arange(len(numbers))
    figure, (top, bottom) = new_figure(rows=2, width=9.0, height=5.2, sharex=True)
    top.bar(x, numbers, color="#DDDDDD", edgecolor="#888888", linewidth=0.5, label="reward r")
    top.bar(ahead, weights * numbers[start:], color=PALETTE[1], width=0.5, label="what it counts now: γᵏ r")
    top.axhline(0, color="black", linewidth=0.8)
    top.set_ylabel("reward")
    top.set_title(
        f"G at step {start} = {returns[start]:.2f}: the sum of the narrow bars ({_horizon(gamma)})",
        fontsize=11,
        loc="left",
    )
    top.legend(loc="upper center", ncols=2, frameon=False)
    top.margins(y=0.25)
    bottom.plot(x, returns, color=PALETTE[0], marker=".", label="return G from each step")
    bottom.plot(start, returns[start], "o", color=PALETTE[1], markersize=10)
    bottom.axhline(0, color="black", linewidth=0.8)
    bottom.set(xlabel="step of the episode", ylabel="return G [reward]")
    bottom.legend(loc="best", frameon=False)
    return figure


def explore_discount() -> None:
    """`discount_figure` with sliders for the discount and the step, and a menu of episodes with equal total reward."""
    explore(
        lambda episode, gamma, start: discount_figure(EPISODES[episode], gamma, start),
        alt="Above: the rewards of an episode as bars, and inside them narrower bars, what each counts in the return of one "
        "step: they shrink with the distance. Below: the return from each step as a line, with a point at that step.",
        caption="All three episodes have a total reward of 20. Which one is best depends on γ.",
        episode=Choice(list(EPISODES), "a reward each second step", "rewards"),
        gamma=Slider(0.0, 1.0, 0.9, 0.01, "discount γ"),
        start=Slider(0, LENGTH - 1, 0, 1, "step"),
    )


def _horizon(gamma: float) -> str:
    """How far ahead rewards count: the sum of the weights of an endless episode."""
    return (
        "all rewards count the same"
        if gamma >= 1
        else f"the weights of an endless episode sum to {1 / (1 - gamma):.1f}"
    )
