"""The figure of the trap lab: returns of the runs so far, and their diagnostics side by side, over the same episodes."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ..statistics import moving_average
from .dashboard_canvas import Canvas, styled, thin, whole_ticks, with_room
from .dashboard_history import History
from .dashboard_panels import COLUMNS, EXPLAINED, HEALTHY, HEIGHT, POINTS, ROWS, TITLES, WIDTH
from .dashboard_reference import EXPECTED, healthy_ranges
from .diagnostics import PANELS
from .style import PALETTE

WINDOW = 50  # episodes of the moving average, as in the measured curves
TOP = 500  # the highest return of CartPole
LEGEND_LINE = 0.08  # room for each line of the legend, in parts of TOP
# What the three suspects differ in. The gap between V and the returns shows a critic that lags behind.
GAP = "gap"
SHOWN = (
    "losses/approx_kl",
    "losses/entropy",
    EXPLAINED,
    GAP,
    "losses/policy_grad_norm",
    "losses/critic_grad_norm",
)
GAP_TITLE = "mean of V / mean of G"
# Colour is never the only difference; a black line and a light blue one differ most, so they come first and second.
LOOKS: tuple[tuple[str, Any], ...] = (
    ("#000000", "-"),
    (PALETTE[1], "-"),
    (PALETTE[0], "--"),
    (PALETTE[3], "-."),
    (PALETTE[5], "-"),
    (PALETTE[4], (0, (5, 1, 1, 1))),
)
MOST_RUNS = len(LOOKS)


class TrapCurves:
    """Figure of up to MOST_RUNS runs. Args: episodes: the budget of each."""

    def __init__(self, episodes: int, env_id: str = "CartPole-v1") -> None:
        ranges = healthy_ranges(EXPECTED["ppo"], env_id)
        self._labels: list[str] = []
        self._limited: set[str] = set()
        with styled():
            self.canvas = Canvas(WIDTH, HEIGHT)
            grid = self.canvas.figure.add_gridspec(
                ROWS, 2 + COLUMNS, left=0.075, right=0.985, top=0.93, bottom=0.135, wspace=0.42, hspace=0.66,
                width_ratios=[0.95, 0.95] + [1.0] * COLUMNS,
            )  # fmt: skip
            self.main = self.canvas.figure.add_subplot(grid[:, :2])
            self.main.set(
                xlabel="episode", ylabel="return of an episode", xlim=(0, 1.05 * episodes), ylim=(0, 1.05 * TOP)
            )
            self.main.set_title(f"mean of the last {WINDOW} episodes", fontsize=11)
            whole_ticks(self.main, 5)
            self.lines: dict[str, list[Any]] = {"return": self._new_lines(self.main)}
            self.small: dict[str, Axes] = {}
            for place, name in enumerate(SHOWN):
                ax = self.canvas.figure.add_subplot(grid[place // COLUMNS, 2 + place % COLUMNS])
                self._make_small(ax, name, episodes, (0.9, 1.1) if name == GAP else ranges.get(name))
            note = "Green: healthy runs (of the gap: within a tenth of 1)."
            self.canvas.figure.text(0.985, 0.012, note, ha="right", fontsize=9, color="#333333")

    def draw(self, runs: Sequence[tuple[str, History]]) -> tuple[bytes, float]:
        """The picture of these runs, (label, numbers so far) each, and the processor seconds that it took."""
        start = time.thread_time()
        labels = [label for label, _ in runs]
        if labels != self._labels:
            self._labels = labels
            for lines in self.lines.values():
                for line in lines[len(runs) :]:
                    line.set_data([], [])
            self._legend(labels)
        for place, (_, history) in enumerate(runs):
            if history.updates:
                self._place(place, history)
        return self.canvas.png(), time.thread_time() - start

    def _place(self, place: int, history: History) -> None:
        _, returns = history.episodes
        if len(returns):
            keep = thin(len(returns), POINTS)
            self.lines["return"][place].set_data(keep + 1, moving_average(returns, WINDOW)[keep])
            self.canvas.make_room(self.main, float(len(returns)), 0.0, TOP)
        metrics = history.metrics
        episodes = metrics["charts/episodes"]
        keep = thin(len(episodes), POINTS)
        for name in SHOWN:
            numbers = _gap(metrics) if name == GAP else metrics[name]
            self.lines[name][place].set_data(episodes[keep], numbers[keep])
            finite = numbers[np.isfinite(numbers)]
            low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)
            low, high = (max(low, -1.0), high) if name == EXPLAINED else (low, min(high, 3.0) if name == GAP else high)
            fresh = name not in self._limited
            self._limited.add(name)
            self.canvas.make_room(self.small[name], float(episodes[-1]), low, high, fresh=fresh)

    def _make_small(self, ax: Axes, name: str, episodes: int, healthy: tuple[float, float] | None) -> None:
        if healthy is not None:
            ax.axhspan(*healthy, color=HEALTHY, linewidth=0)
            ax.set_ylim(*with_room(*healthy))
            self._limited.add(name)
        ax.set_title(GAP_TITLE if name == GAP else TITLES.get(name, PANELS.get(name, (name,))[0]), fontsize=9)
        ax.set_xlim(0, 1.05 * episodes)
        ax.tick_params(labelsize=8)
        whole_ticks(ax, 3, short=True)
        ax.locator_params(axis="y", nbins=4)
        self.small[name], self.lines[name] = ax, self._new_lines(ax)

    def _new_lines(self, ax: Axes) -> list[Any]:
        lines = [ax.plot([], [], color=colour, linestyle=style, linewidth=1.6)[0] for colour, style in LOOKS]
        self.canvas.move(*lines)
        return lines

    def _legend(self, labels: list[str]) -> None:
        """Above the curves; drawn with the axes, as it changes with the runs alone."""
        if (old := self.main.get_legend()) is not None:
            old.remove()
        self.main.set_ylim(0, (1.05 + LEGEND_LINE * len(labels)) * TOP)
        if labels:
            with styled():
                handles = [self._handle(place, label) for place, label in enumerate(labels)]
                self.main.legend(handles=handles, loc="upper left", fontsize=9, frameon=True, framealpha=0.8,
                                 edgecolor="none")  # fmt: skip
        self.canvas.redraw(self.main)

    def _handle(self, place: int, label: str) -> Any:
        from matplotlib.lines import Line2D

        colour, style = LOOKS[place]
        return Line2D([], [], color=colour, linestyle=style, linewidth=1.6, label=label)


def _gap(metrics: Any) -> Any:
    """Mean value over mean return; 1 is a critic that keeps up."""
    return metrics["charts/value_mean"] / np.where(
        metrics["charts/return_mean"] == 0, np.nan, metrics["charts/return_mean"]
    )
