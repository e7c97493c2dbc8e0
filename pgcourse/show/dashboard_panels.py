"""The panels of a training run: return per episode beside its diagnostics."""

from collections.abc import Collection
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ..statistics import moving_average
from .dashboard_canvas import Canvas, styled, thin, whole_ticks, with_room
from .dashboard_history import History
from .dashboard_reference import EXPECTED, Reference, healthy_ranges
from .diagnostics import PANELS
from .style import COLOURS, algorithm_of

# Metrics in the order of the panels; a run shows those that it has, up to six.
SHOWN = (
    "losses/entropy",
    "losses/approx_kl",
    "losses/clipfrac",
    "losses/explained_variance",
    "losses/policy_grad_norm",
    "losses/critic_grad_norm",
)
EXPLAINED = "losses/explained_variance"
EXTRA = {"charts/action_std": "losses/entropy"}  # a Gaussian's std says the same as its entropy, in the action's unit
TITLES = {
    "losses/policy_grad_norm": "policy's gradient",
    "losses/critic_grad_norm": "critic's gradient",
    "losses/approx_kl": "KL",
    "charts/action_std": "std of actions",
}
WIDTH, HEIGHT = 10.2, 4.6  # inches
WINDOW = 100  # episodes of the moving average where no reference has its own
DOTS = 800  # episodes drawn one by one
POINTS = 400  # of a line
HEALTHY = "#BFE3D3"  # a light tint of the palette's green, on which black and blue lines stand out
COLUMNS, ROWS = 2, 3  # of the small panels


class Panels:
    """A figure that is made once and given new numbers.

    Args: title: what is trained. reference: a measured curve behind the returns. metrics: the names that are expected; a run
    that reports others gets its own panels. budget: (environment steps, episodes) of the run, either may be None; the axis of
    the returns counts episodes where there are no steps.
    """

    def __init__(
        self,
        title: str,
        reference: Reference | None,
        env_id: str,
        *,
        metrics: Collection[str] = EXPECTED["ppo"],
        budget: tuple[int | None, int | None],
    ) -> None:
        self.title, self.reference, self.env_id, self.budget = title, reference, env_id, budget
        self.window = (reference.curve.get("window") if reference else None) or WINDOW
        self.by_episode = budget[0] is None
        self._names: tuple[str, ...] = ()
        self._make(metrics)

    def draw(self, history: History) -> bytes:
        """The picture of all numbers so far, as PNG."""
        metrics = history.metrics
        if metrics and _names(metrics) != self._names:
            self._make(metrics)
        self._returns(*history.episodes)
        for name in self._names if metrics else ():
            self._metric(name, metrics["charts/env_step"], metrics[name])
        return self.canvas.png()

    def describe(self, history: History) -> str:
        """The same in words, for who cannot see it."""
        recent = history.recent_return(self.window)
        if recent is None:
            return f"{self.title}: empty panels for the return of each episode and for the diagnostics of each update."
        metrics = history.metrics
        numbers = ", ".join(f"{PANELS[name][0]} {metrics[name][-1]:.3g}" for name in self.small if name in metrics)
        return (
            f"{self.title} after {history.env_step:,} steps: return of each episode with its moving average, now "
            f"{recent:.1f}; diagnostics of each update, now {numbers}."
        )

    def _make(self, metrics: Collection[str]) -> None:
        self._names = _names(metrics)
        ranges = healthy_ranges(metrics, self.env_id)
        with styled():
            self.canvas = Canvas(WIDTH, HEIGHT)
            grid = self.canvas.figure.add_gridspec(
                ROWS, 2 + COLUMNS, left=0.082, right=0.985, top=0.93, bottom=0.135, wspace=0.42, hspace=0.66,
                width_ratios=[0.95, 0.95] + [1.0] * COLUMNS,
            )  # fmt: skip
            self._limited: set[str] = set()  # panels whose limits mean something
            self._make_returns(self.canvas.figure.add_subplot(grid[:, :2]))
            self.small: dict[str, tuple[Axes, Any, Any]] = {}
            for place, name in enumerate(self._names):
                ax = self.canvas.figure.add_subplot(grid[place // COLUMNS, 2 + place % COLUMNS])
                self._make_small(ax, name, ranges.get(name))
            if ranges:
                note = "Green: here lie nine of ten updates of healthy runs."
                self.canvas.figure.text(0.985, 0.012, note, ha="right", fontsize=9, color="#333333")

    def _make_returns(self, ax: Axes) -> None:
        if self.reference is not None:
            curve = self.reference.curve
            ax.set_ylim(*with_room(min(curve["low"]), 1.25 * max(curve["high"]) - 0.25 * min(curve["low"])))
            self._limited.add("return")
            colour = COLOURS.get(algorithm_of(self.reference.study) or "", COLOURS["reference"])
            ax.fill_between(curve["x"], curve["low"], curve["high"], color=colour, alpha=0.25, linewidth=0)
            ax.plot(curve["x"], curve["mean"], color=colour, linestyle="--", linewidth=1.5, label=self.reference.label)
        (dots,) = ax.plot([], [], ".", color="#777777", markersize=3, alpha=0.6, label="an episode of this run")
        (mean,) = ax.plot([], [], color=COLOURS["learner"], label=f"mean of its last {self.window} episodes")
        self.main = (ax, dots, mean)
        self.canvas.move(dots, mean)
        ax.set_title(self.title, fontsize=11)
        ax.set_ylabel("return of an episode", fontsize=10)
        ax.set_xlabel("episode" if self.by_episode else "environment steps", fontsize=10)
        ax.set_xlim(0, self.budget[1 if self.by_episode else 0] or 1)
        whole_ticks(ax, 5)
        ax.legend(loc="upper left", fontsize=9, frameon=True, framealpha=0.8, edgecolor="none")

    def _make_small(self, ax: Axes, name: str, healthy: tuple[float, float] | None) -> None:
        if healthy is not None:
            ax.axhspan(*healthy, color=HEALTHY, linewidth=0)
            ax.set_ylim(*with_room(*healthy))
            self._limited.add(name)
        (line,) = ax.plot([], [], color=COLOURS["learner"], linewidth=1.3)
        ax.set_title(_title(name), fontsize=9, loc="left")
        number = ax.text(1, 1.04, "", transform=ax.transAxes, ha="right", va="bottom", fontsize=8, fontweight="bold")
        self.canvas.move(line, number)
        ax.set_xlim(0, self.budget[0] or 1)
        ax.tick_params(labelsize=8)
        whole_ticks(ax, 3, short=True)
        ax.locator_params(axis="y", nbins=4)
        self.small[name] = (ax, line, number)

    def _fresh(self, name: str) -> bool:
        """Whether this is the first number of a panel."""
        fresh = name not in self._limited
        self._limited.add(name)
        return fresh

    def _returns(self, env_steps: Any, returns: Any) -> None:
        if not len(returns):
            return
        ax, dots, mean = self.main
        x = np.arange(1, len(returns) + 1) if self.by_episode else env_steps
        keep = thin(len(x), DOTS)
        dots.set_data(x[keep], returns[keep])
        keep = thin(len(x), POINTS)
        mean.set_data(x[keep], moving_average(returns, self.window)[keep])
        curve = self.reference.curve if self.reference else {"low": [], "high": []}
        low, high = min([*curve["low"], returns.min()]), max([*curve["high"], returns.max()])
        room = 0.25 * (high - low)  # for the legend
        self.canvas.make_room(ax, float(x[-1]), low, high + room, fresh=self._fresh("return"))

    def _metric(self, name: str, env_steps: Any, numbers: Any) -> None:
        ax, line, number = self.small[name]
        keep = thin(len(numbers), POINTS)
        line.set_data(env_steps[keep], numbers[keep])
        number.set_text(_short(float(numbers[-1])))
        shown = numbers[np.isfinite(numbers)]
        low, high = (float(shown.min()), float(shown.max())) if len(shown) else (0.0, 0.0)
        # A critic far below the mean of the returns would flatten the rest of its curve.
        low = max(low, -1.0) if name == EXPLAINED else low
        self.canvas.make_room(ax, float(env_steps[-1]), low, high, fresh=self._fresh(name))


def _names(metrics: Collection[str]) -> tuple[str, ...]:
    """The metrics to show, in order."""
    names = [name for name in SHOWN if name in metrics]
    swapped = {old: new for new, old in EXTRA.items() if new in metrics}
    return tuple(swapped.get(name, name) for name in names)


def _short(number: float) -> str:
    return f"{number:.0f}" if abs(number) >= 100 else f"{number:.2g}"


def _title(name: str) -> str:
    return TITLES.get(name, PANELS[name][0])
