"""The diagnostics of a run in small panels, with those of healthy runs behind them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FormatStrFormatter, FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from ...errors import InvalidInput
from ...statistics import bootstrap_interval, interquartile_mean
from ...study.traps import Trap
from ...study.traps.table import healthy_name, ill_name
from ..page.style import COLOURS, new_figure

Curves = Mapping[str, Mapping[str, Any]]  # metric -> {"x", "mean", "low", "high"}, lists of equal length
HEALTHY, ILL = COLOURS["ppo"], COLOURS["learner"]

# Metric -> (title, unit). The means of V and of the returns share a panel: what counts is the gap.
VALUE, RETURN = "charts/value_mean", "charts/return_mean"
PANELS: dict[str, tuple[str, str]] = {
    "losses/approx_kl": ("approximate KL", "nats"),
    "losses/clipfrac": ("clip fraction", "of the rows"),
    "losses/entropy": ("entropy", "nats"),
    "losses/explained_variance": ("explained variance", "of Var(G)"),
    VALUE: ("mean of V (dashed) and G", "reward"),
    "losses/policy_grad_norm": ("policy's gradient norm", "norm"),
    "losses/critic_grad_norm": ("critic's gradient norm", "norm"),
    "updates/policy.logits": ("policy's step", "norm"),
    "updates/critic.values": ("critic's step", "norm"),
    "charts/ratio_std": ("std of the ratio", "ratio"),
    "charts/action_std": ("std of the actions", "action"),
    "charts/episodes": ("episodes so far", "episodes"),
}
LOGARITHMIC = ("losses/critic_grad_norm",)
COLUMNS = 3  # more could not be read in a small window


def panels(
    ill: Curves,
    healthy: Curves,
    *,
    names: Sequence[str] = tuple(PANELS),
    returns: Mapping[str, tuple[Sequence[float], Sequence[float]]] | None = None,
    x_label: str = "update",
    labels: tuple[str, str] = ("this run", "healthy"),
    title: str | None = None,
) -> Figure:
    """One small panel a metric: the run in question in black, the healthy one in colour behind it.

    Args: names: metrics in the order of the panels; those that neither run has are left out. returns: a first panel of
    dots, words -> (returns of the ill seeds, of the healthy seeds). Raises: InvalidInput where nothing is left to draw.
    """
    drawn = [name for name in names if name in PANELS and (name in ill or name in healthy)]
    count = len(drawn) + (returns is not None)
    if not count:
        raise InvalidInput(f"no metric to draw; give some of {', '.join(PANELS)}")
    rows = -(-count // COLUMNS)
    figure, axes = new_figure(rows=rows, columns=COLUMNS, height=0.6 + 1.7 * rows, squeeze=False)
    spare = iter(axes.flat)
    if returns is not None:
        _dots(next(spare), returns)
    for name in drawn:
        ax = next(spare)
        for metric, dashes in ((name, "--" if name == VALUE else "-"), *([(RETURN, "-")] if name == VALUE else [])):
            _line(ax, healthy.get(metric), HEALTHY, dashes, wide=True)
            _line(ax, ill.get(metric), ILL, dashes, wide=False)
        words, unit = PANELS[name]
        ax.set_title(words, fontsize=10)
        ax.set_ylabel(unit, fontsize=9)
        ax.tick_params(labelsize=9)
        ax.xaxis.set_major_locator(MaxNLocator(3, integer=True))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        _show_scale(ax, name, [*_numbers(ill.get(name)), *_numbers(healthy.get(name))])
        ax.set_xlabel(x_label, fontsize=9)
    for ax in spare:
        ax.set_visible(False)
    figure.legend(
        handles=[
            Line2D([], [], color=colour, linewidth=width, label=label)
            for colour, width, label in ((ILL, 1.8, labels[0]), (HEALTHY, 4.0, labels[1]))
        ],
        loc="outside upper right", ncols=2, frameon=False,
    )  # fmt: skip
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    return figure


def trap_runs(trap: Trap, claims: Mapping[str, Any]) -> tuple[Curves, Curves, dict[str, Any]]:
    """What claims/traps.json holds of a trap: the curves of ill and of healthy runs, and the returns of both by seed."""
    names = ill_name(trap), healthy_name(trap)
    returns = {
        words: tuple(claims["values"][f"{name}/{key}"]["per_seed"] for name in names)
        for words, key in (("in training", "last_100"), ("held out", "held_out"))
    }
    ill, healthy = (select(claims["curves"], name) for name in names)
    return ill, healthy, returns


def select(curves: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Curves "PREFIX/METRIC" of a claims file, by metric."""
    return {key.removeprefix(prefix + "/"): curve for key, curve in curves.items() if key.startswith(prefix + "/")}


def curves_of(runs: Sequence[Any], *, x: str | None = None, every: int = 1) -> dict[str, Any]:
    """Live results as curves: interquartile mean with its interval, of one run alone the line.

    Args: runs: Results or Runs with `metrics`. x: a metric to put on the axis, such as "charts/env_step"; by default
    the number of the update. every: updates in each point.
    """
    shared = set.intersection(*(set(run.metrics) for run in runs))
    count = min(len(run.metrics[name]) for run in runs for name in shared) // every * every
    positions = np.arange(1, count + 1) if x is None else runs[0].metrics[x][:count]
    curves = {}
    for name in shared & {*PANELS, RETURN}:
        numbers = np.stack([run.metrics[name][:count].reshape(-1, every).mean(axis=1) for run in runs])  # [R, X]
        low, high = bootstrap_interval(numbers.T) if len(runs) > 1 else (numbers[0], numbers[0])
        mean = interquartile_mean(numbers, axis=0)
        curves[name] = {"x": positions[every - 1 :: every], "mean": mean, "low": low, "high": high}
    return curves


def _line(ax: Axes, curve: Mapping[str, Any] | None, colour: str, style: str, *, wide: bool) -> None:
    if curve is None:
        return
    ax.plot(
        curve["x"],
        curve["mean"],
        color=colour,
        linestyle=style,
        linewidth=3.0 if wide else 1.6,
        alpha=0.8 if wide else 1,
    )
    ax.fill_between(curve["x"], curve["low"], curve["high"], color=colour, alpha=0.2, linewidth=0)


def _dots(ax: Axes, returns: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> None:
    for place, pair in enumerate(returns.values()):
        for numbers, colour, shift, marker in zip(pair, (ILL, HEALTHY), (-0.15, 0.15), ("o", "s"), strict=True):
            ax.plot(np.full(len(numbers), place + shift), numbers, marker, color=colour, markersize=4, alpha=0.7)
    ax.set_xticks(range(len(returns)), list(returns), fontsize=9)
    ax.set_xlim(-0.5, len(returns) - 0.5)
    ax.set_title("return, a dot a seed", fontsize=10)
    ax.set_ylabel("return", fontsize=9)
    ax.tick_params(labelsize=9)


def _show_scale(ax: Axes, name: str, numbers: Sequence[float]) -> None:
    """Keep one wild number from flattening the rest."""
    if name == "losses/explained_variance":
        ax.set_ylim(max(min(numbers, default=0.0), -1.0) - 0.05, 1.05)
    elif name in LOGARITHMIC and min(numbers, default=0.0) > 0 and max(numbers) > 20 * min(numbers):
        ax.set_yscale("log")
        ax.yaxis.set_minor_formatter(NullFormatter())  # its labels would lie on one another
        if max(numbers) < 1000 * min(numbers):
            ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=5))
            ax.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    elif numbers and max(numbers) - min(numbers) < 1e-9:  # a constant, such as a KL of exactly 0
        ax.set_ylim(min(numbers) - 0.05, max(numbers) + 0.05)


def _numbers(curve: Mapping[str, Any] | None) -> list[float]:
    return [] if curve is None else [float(number) for number in curve["mean"] if np.isfinite(number)]
