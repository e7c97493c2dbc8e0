"""Returns: the estimates from TD target to Monte Carlo, GAE's weights, and where episodes end."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from torch import Tensor

from ...errors import InvalidInput
from ...returns import gae
from ...rollout import Rollout
from ..page.style import COLOURS, new_figure

STEP, TERMINATED, TRUNCATED, RESET = range(4)
# Kind of a step -> (name, colour, letter in the box): the letter tells them apart without the colour.
KINDS = {
    STEP: ("step within an episode", "#DCE9F2", ""),
    TERMINATED: ("terminated: no bootstrap", "#D55E00", "T"),
    TRUNCATED: ("truncated: bootstrap", "#E69F00", "L"),
    RESET: ("reset row: drop it", "#FFFFFF", "R"),
}
ROLLOUT_END = "#0072B2"
HATCH = {RESET: "////"}
LANE = 0.8  # height of a box, in lanes
DELTA, WEIGHT, TD, MONTE_CARLO = "#56B4E9", "#CC79A7", "#0072B2", "#D55E00"


def kinds_of(rollout: Rollout, valid: Tensor | None = None) -> Tensor:
    """What each step of a rollout is: STEP, TERMINATED, TRUNCATED or RESET.

    Args: valid: [T, N] bool, False in reset rows; None where there are none. Both flags set counts as terminated.
    Returns: [T, N] int64.
    """
    kinds = torch.full(rollout.terminated.shape, STEP)
    kinds[rollout.truncated] = TRUNCATED
    kinds[rollout.terminated] = TERMINATED
    if valid is not None:
        kinds[~valid] = RESET
    return kinds


def timeline(
    modes: Mapping[str, Sequence[tuple[Rollout, Tensor | None]]], *, columns: Sequence[int] = (0, 1)
) -> Figure:
    """Consecutive rollouts of some environments, one panel for each way to reset.

    Each box is one row of data. A dashed line is the end of a rollout: nothing ended there, so the last row bootstraps.
    Args: modes: title -> rollouts in order of time, each with its valid rows [T, N], or None where all are valid.
    columns: the environments to draw. Raises: InvalidInput where there is nothing to draw.
    """
    if not modes or not all(modes.values()) or not columns:
        raise InvalidInput("nothing to draw; give {'SAME_STEP': [(rollout, valid), ...]} and at least one column")
    figure, axes = new_figure(
        rows=len(modes), width=9.5, height=0.9 + len(modes) * (0.55 + 0.34 * len(columns)), sharex=True, squeeze=False
    )
    for ax, (title, rollouts) in zip(axes[:, 0], modes.items(), strict=True):
        start = 0
        for rollout, valid in rollouts:
            if start:
                ax.axvline(start, color=ROLLOUT_END, linestyle="--", linewidth=2.2)
            _boxes(ax, kinds_of(rollout, valid)[:, list(columns)], start)
            start += len(rollout.rewards)
        ax.axvline(start, color=ROLLOUT_END, linestyle="--", linewidth=2.2)
        ax.set_title(title, fontsize=11, loc="left")
        ax.set_yticks([-lane for lane in range(len(columns))], [f"env {column}" for column in columns])
        ax.set(xlim=(-0.2, start + 0.2), ylim=(-len(columns) + 0.45, 0.55))
        ax.grid(False)
        ax.spines["left"].set_visible(False)
        ax.tick_params(axis="y", length=0)
    axes[-1, 0].set_xlabel("call of envs.step")
    present = {kind for rollouts in modes.values() for pair in rollouts for kind in kinds_of(*pair).unique().tolist()}
    handles: list[Any] = [
        Patch(facecolor=colour, edgecolor="#333333", hatch=HATCH.get(kind), label=f"{letter}  {name}".strip())
        for kind, (name, colour, letter) in KINDS.items()
        if kind in present
    ]
    end = {"color": ROLLOUT_END, "linestyle": "--", "linewidth": 2.2}
    line = axes[0, 0].plot([], [], label="end of a rollout: bootstrap", **end)
    figure.legend(handles=[*handles, *line], loc="outside upper left", ncols=3, frameon=False, fontsize=10)
    return figure


def _boxes(ax: Axes, kinds: Tensor, start: int) -> None:
    """One box for each row of a rollout [T, lanes], from position `start` on."""
    for t, row in enumerate(kinds.tolist()):
        for lane, kind in enumerate(row):
            _, colour, letter = KINDS[kind]
            hatch = HATCH.get(kind)
            corner = (start + t, -lane - LANE / 2)
            ax.add_patch(Rectangle(corner, 1, LANE, facecolor=colour, edgecolor="#333333", linewidth=0.8, hatch=hatch))
            if letter:
                paper = {"facecolor": "white", "edgecolor": "none", "pad": 0.8} if kind == RESET else None
                ax.text(
                    start + t + 0.5, -lane, letter, bbox=paper, fontweight="bold", fontsize=9, ha="center", va="center"
                )


def gae_weights(terminated: Tensor, truncated: Tensor, *, gamma: float, gae_lambda: float, start: int) -> Tensor:
    """How much the TD error of each step counts in the advantage of step `start`: (gamma lambda)^k, 0 beyond an end.

    Args: terminated, truncated: [T] bool, of one environment. Returns: [T]. A_start is the sum of weights * deltas.
    """
    if not 0 <= start < len(terminated):
        raise InvalidInput(
            f"start={start} is not in a rollout of {len(terminated)} steps; use 0 to {len(terminated) - 1}"
        )
    weights = torch.zeros(len(terminated))
    weight = 1.0
    for t in range(start, len(terminated)):
        weights[t] = weight
        if terminated[t] or truncated[t]:
            break
        weight *= gamma * gae_lambda
    return weights


def n_step_returns(rollout: Rollout, *, gamma: float, n: int) -> Tensor:
    """Up to n rewards, then the value of the next observation; a window ends early where episode or rollout end.

    Written from the definition, step by step, so that it can be held against `returns.gae`.
    Args: rollout: [T, N]. Returns: [T, N], in units of reward.
    """
    rewards, next_values, terminated = rollout.rewards, rollout.next_values, rollout.terminated
    ended = terminated | rollout.truncated
    returns = torch.zeros_like(rewards)
    for t in range(len(rewards)):
        running = torch.ones_like(ended[t])  # [N], whether the window of this environment still goes on
        last = min(t + n, len(rewards)) - 1
        for k in range(t, last + 1):
            returns[t] += gamma ** (k - t) * rewards[k] * running
            closes = running & (ended[k] if k < last else torch.ones_like(running))
            returns[t] += gamma ** (k - t + 1) * next_values[k] * (closes & ~terminated[k])
            running = running & ~ended[k]
    return returns


def n_step_advantages(rollout: Rollout, *, gamma: float, n: int) -> Tensor:
    """n-step returns minus the critic's values, [T, N]."""
    return n_step_returns(rollout, gamma=gamma, n=n) - rollout.values


def targets(episode: Rollout, *, gamma: float, n: int, gae_lambda: float) -> Figure:
    """Four estimates of the value of each state of one episode, and what the critic said.

    Args: episode: a rollout [T, 1]. n: steps of the n-step return.
    """
    steps = np.arange(len(episode.rewards))
    smooth = _advantages(episode, gamma, gae_lambda)[:, 0] + episode.values[:, 0]
    lines: dict[str, tuple[Any, dict[str, Any]]] = {
        "Monte Carlo return": (n_step_returns(episode, gamma=gamma, n=len(steps))[:, 0], {"color": MONTE_CARLO}),
        f"λ-return, λ = {gae_lambda:g}": (smooth, {"color": COLOURS["a2c"], "linewidth": 2.6}),
        f"{n}-step return": (n_step_returns(episode, gamma=gamma, n=n)[:, 0], {"color": "#E69F00", "linestyle": "--"}),
        "TD target, one step": (n_step_returns(episode, gamma=gamma, n=1)[:, 0], {"color": TD, "linestyle": "-."}),
        "critic's V": (episode.values[:, 0], {"color": "black", "linestyle": ":"}),
    }
    figure, ax = new_figure()
    for label, (heights, look) in lines.items():
        ax.plot(steps, heights, label=label, **look)
    ax.set(xlabel="step of the episode", ylabel="estimated return from here [reward]")
    ax.legend(loc="best")
    return figure


def advantages(rollout: Rollout, *, gamma: float, gae_lambda: float, step: int, column: int = 0) -> Figure:
    """The TD errors of one environment, their weights in the advantage of one step, and all advantages.

    Args: rollout: [T, N]. step: whose advantage the weights are of.
    """
    one = Rollout(*(field[:, column : column + 1] for field in rollout))
    deltas = _advantages(one, gamma, 0.0)[:, 0]  # lambda = 0: the TD error itself
    chosen = _advantages(one, gamma, gae_lambda)[:, 0]
    weights = gae_weights(
        one.terminated[:, 0], one.truncated[:, 0], gamma=gamma, gae_lambda=gae_lambda, start=step
    )  # [T]
    x = np.arange(len(deltas))
    figure, (top, middle, bottom) = new_figure(rows=3, width=9.5, height=6.4, sharex=True)
    top.bar(x, deltas.numpy(), color=DELTA, edgecolor="#333333", linewidth=0.5)
    top.set(ylabel="TD error δ [reward]")
    middle.bar(x, weights.numpy(), color=WEIGHT, edgecolor="#333333", linewidth=0.5)
    middle.set(ylabel="weight (γλ)ᵏ", ylim=(0, 1.08))
    middle.set_title(
        f"A at step {step} = Σ weight × δ = {chosen[step]:+.2f}; the weights sum to {float(weights.sum()):.1f}",
        fontsize=11,
        loc="left",
    )
    for gae_lambda_end, colour, style in ((0.0, TD, "-."), (1.0, MONTE_CARLO, "--")):
        bottom.plot(
            x, _advantages(one, gamma, gae_lambda_end)[:, 0], color=colour, linestyle=style, linewidth=1.4,
            label=f"λ = {gae_lambda_end:g}",
        )  # fmt: skip
    bottom.plot(x, chosen, color=COLOURS["a2c"], marker="o", markersize=4, label=f"λ = {gae_lambda:.2f}")
    bottom.plot(step, chosen[step], "o", color="black", markersize=9, label=f"step {step}")
    bottom.set(xlabel="step of the rollout", ylabel="advantage A [reward]")
    bottom.legend(loc="upper left", ncols=4)
    bottom.margins(y=0.25)
    kinds = kinds_of(one)[:, 0]
    for ax in (top, middle, bottom):
        ax.axhline(0, color="black", linewidth=0.8)
        for kind in (TERMINATED, TRUNCATED):
            for end in (kinds == kind).nonzero()[:, 0].tolist():
                ax.axvline(end + 0.5, color=KINDS[kind][1], linewidth=2.2)
    return figure


def _advantages(rollout: Rollout, gamma: float, gae_lambda: float) -> Tensor:
    return gae(
        rollout.rewards, rollout.values, rollout.next_values, rollout.terminated, rollout.truncated,
        gamma=gamma, gae_lambda=gae_lambda,
    )  # fmt: skip
