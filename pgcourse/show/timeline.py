"""What happens at the end of an episode, drawn: environments over time, each step in the colour of its boundary."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from torch import Tensor

from ..errors import InvalidInput
from ..rollout import Rollout
from .style import new_figure

STEP, TERMINATED, TRUNCATED, RESET = range(4)
# Kind of a step -> (name, colour, letter in the box): the letter tells them apart without the colour.
KINDS = {
    STEP: ("step within an episode", "#DCE9F2", ""),
    TERMINATED: ("terminated: no bootstrap", "#D55E00", "T"),
    TRUNCATED: ("truncated: bootstrap", "#E69F00", "L"),
    RESET: ("reset row: drop it", "#FFFFFF", "R"),
}
ROLLOUT_END = "#0072B2"
LANE = 0.8  # height of a box, in lanes


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
    handles = [
        Patch(
            facecolor=colour, edgecolor="#333333", hatch="////" if kind == RESET else None, label=_named(name, letter)
        )
        for kind, (name, colour, letter) in KINDS.items()
        if kind in present
    ]
    line = axes[0, 0].plot(
        [], [], color=ROLLOUT_END, linestyle="--", linewidth=2.2, label="end of a rollout: bootstrap"
    )
    figure.legend(handles=[*handles, *line], loc="outside upper left", ncols=3, frameon=False, fontsize=10)
    return figure


def _boxes(ax: Axes, kinds: Tensor, start: int) -> None:
    """One box for each row of a rollout [T, lanes], from position `start` on."""
    for t, row in enumerate(kinds.tolist()):
        for lane, kind in enumerate(row):
            _, colour, letter = KINDS[kind]
            hatch = "////" if kind == RESET else None
            corner = (start + t, -lane - LANE / 2)
            ax.add_patch(Rectangle(corner, 1, LANE, facecolor=colour, edgecolor="#333333", linewidth=0.8, hatch=hatch))
            if letter:
                paper = {"facecolor": "white", "edgecolor": "none", "pad": 0.8} if kind == RESET else None
                ax.text(
                    start + t + 0.5, -lane, letter, bbox=paper, fontweight="bold", fontsize=9, ha="center", va="center"
                )


def _named(name: str, letter: str) -> str:
    return f"{letter}  {name}" if letter else name
