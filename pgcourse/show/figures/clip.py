"""PPO's clipped objective: its four cases with a batch's own points."""

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from ...errors import InvalidInput
from ..page.style import COLOURS, new_figure

FLOWS, STOPPED = COLOURS["ppo"], "pg:blue"
MEANING = {
    (1, "above"): "good, and more likely than before",
    (1, "below"): "good, but less likely than before",
    (-1, "above"): "bad, but more likely than before",
    (-1, "below"): "bad, and less likely than before",
}
MARGIN = 0.12  # of the ratio's axis beyond what has to be in view


def objective(ratio: ArrayLike, sign: int, clip_coef: float) -> NDArray[np.float64]:
    """min(r s, clip(r, 1 - clip_coef, 1 + clip_coef) s) for s = sign(A): the objective per unit of |A|, shape of ratio."""
    r = np.asarray(ratio, dtype=np.float64)
    return np.minimum(r * sign, np.clip(r, 1 - clip_coef, 1 + clip_coef) * sign)


def gradient_stops(ratio: ArrayLike, sign: ArrayLike, clip_coef: float) -> NDArray[np.bool_]:
    """Where the objective is flat in the ratio: the change has gone far enough in the direction that A asks for."""
    r, s = np.asarray(ratio, dtype=np.float64), np.asarray(sign)
    return np.where(s > 0, r > 1 + clip_coef, r < 1 - clip_coef)


def clip_cases(ratio: ArrayLike, advantages: ArrayLike, *, clip_coef: float) -> Figure:
    """Four panels, sign of the advantage x side of the ratio, with a batch's rows as points on the objective.

    Args: ratio, advantages: [B]; rows with advantage 0 are in no panel. Every point stands on the line, as the vertical axis is
    the objective per unit of |A|; its size grows with |A|. Raises: InvalidInput where the shapes differ.
    """
    r, a = np.asarray(ratio, dtype=np.float64), np.asarray(advantages, dtype=np.float64)
    if r.ndim != 1 or r.shape != a.shape:
        raise InvalidInput(f"ratio has shape {r.shape} and advantages {a.shape}; give two of shape [B]")
    figure, axes = new_figure(rows=2, columns=2, width=8.6, height=6.6)
    reach = max(float(np.abs(r - 1).max(initial=0.0)), 1.5 * clip_coef) + MARGIN
    share = 1 / max(len(r), 1)
    for ax, sign, side, rows in _quarters(axes, r, a):
        limits = (1.0, 1 + reach) if side == "above" else (max(1 - reach, 0.0), 1.0)
        _draw_objective(ax, np.linspace(*limits, 200), sign, clip_coef)
        stops = gradient_stops(r[rows], a[rows], clip_coef)
        size = 14 + 60 * np.abs(a[rows]) / max(float(np.abs(a).max(initial=0.0)), 1e-12)
        for chosen, colour, marker, label in (
            (~stops, FLOWS, "o", "gradient flows"),
            (stops, STOPPED, "s", "gradient is 0"),
        ):
            x = r[rows][chosen]
            ax.scatter(x, objective(x, sign, clip_coef), s=size[chosen], color=colour, marker=marker, alpha=0.4)
            name = f"{label}: {chosen.sum() * share:.1%} of the batch"
            ax.plot([], [], marker, color=colour, label=name)  # the legend's mark, of one size in every panel
        ax.set_xlim(limits)
        ax.set_title(
            f"{'A > 0' if sign > 0 else 'A < 0'}, {'ρ > 1' if side == 'above' else 'ρ < 1'}\n{MEANING[sign, side]}",
            fontsize=11,
        )
        ax.legend(loc="lower right" if sign > 0 else "lower left", fontsize=9)
    for ax in axes[1]:
        ax.set_xlabel("probability ratio ρ")
    for ax in axes[:, 0]:
        ax.set_ylabel("objective per unit of |A|")
    return figure


def _quarters(axes: NDArray, r: NDArray, a: NDArray) -> Iterator[tuple[Axes, int, str, NDArray]]:
    """Axes, sign, side and rows [B] bool of each panel; a ratio of exactly 1 counts as below."""
    for i, sign in enumerate((1, -1)):
        for j, side in enumerate(("below", "above")):
            yield axes[i][j], sign, side, (np.sign(a) == sign) & ((r > 1) == (side == "above"))


def _draw_objective(ax: Axes, grid: NDArray[np.float64], sign: int, clip_coef: float) -> None:
    ax.plot(grid, objective(grid, sign, clip_coef), color="pg:grey", linewidth=2.0, zorder=1)
    for bound in (1 - clip_coef, 1 + clip_coef):
        if grid[0] <= bound <= grid[-1]:
            ax.axvline(bound, color=COLOURS["threshold"], linestyle=":", linewidth=1, zorder=0)
