"""How far a policy may move: estimators of the KL divergence, steps of growing size, the region of equal divergence."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from ...errors import InvalidInput
from ...statistics import interquartile_mean
from ..page.style import COLOURS, new_figure
from .curves import claimed_band

CLIPPED, UNCLIPPED = COLOURS["ppo"], "#000000"
EPOCH_PANELS = {
    "kl": "approximate KL [nats]",
    "clipfrac": "share of rows beyond 1 ± 0.2",
    "surrogate": "surrogate: what the batch promises",
    "return": "return: what the policy scores",
}
NATURAL, PLAIN, TRUTH = COLOURS["trpo"], "pg:blue", "#000000"
BEST_ACTION = 1.0


def kl_estimators(
    log_ratio: ArrayLike, *, exact: float, batch_size: int, num_batches: int = 2000, seed: int = 0
) -> Figure:
    """k1 = -log r and k3 = (r - 1) - log r: row by row, and as means over batches drawn from the rows.

    Args: log_ratio: [B], log pi - log pi_old of actions that pi_old took. exact: the divergence, in nats. batch_size:
    rows in each mean, drawn with replacement. Raises: InvalidInput for fewer than two rows.
    """
    rows = np.asarray(log_ratio, dtype=np.float64)
    if rows.ndim != 1 or len(rows) < 2:
        raise InvalidInput(f"log_ratio has shape {rows.shape}; give at least two numbers, [B]")
    kinds = {"k1": (-rows, "pg:blue", "o"), "k3": (np.expm1(rows) - rows, CLIPPED, "s")}
    drawn = np.random.default_rng(seed).integers(len(rows), size=(num_batches, batch_size))
    means = {name: values[drawn].mean(axis=1) for name, (values, _, _) in kinds.items()}
    figure, (left, right) = new_figure(columns=2, width=9.5, height=3.8)
    low, high = min(m.min() for m in means.values()), max(m.max() for m in means.values())
    bins = np.linspace(low, high, 60)
    for name, (values, colour, marker) in kinds.items():
        left.scatter(rows, values, s=12, color=colour, marker=marker, alpha=0.4, linewidth=0, label=f"{name} of a row")
        negative = (means[name] < 0).mean()
        right.hist(means[name], bins, color=colour, alpha=0.55, label=f"{name}: {negative:.0%} below 0")
    left.axhline(0, color="black", linewidth=0.8)
    left.set(xlabel="log ρ of the row", ylabel="estimate of the KL [nats]")
    right.axvline(exact, color="black", linestyle="--", label=f"exact: {exact:.4f}")
    right.axvline(0, color="black", linewidth=0.8)
    right.locator_params(axis="x", nbins=5)
    right.set(xlabel=f"mean over {batch_size} rows [nats]", ylabel=f"of {num_batches:,} batches")
    for ax in (left, right):
        ax.legend(loc="best")
    return figure


def epoch_panels(curves: Mapping[str, Any], *, usual: int | None = None) -> Figure:
    """One update over its epochs, with the clip and without: KL, clip fraction, surrogate, return.

    Args: curves: of a claims file, "epochs/clip/kl" and so on. usual: an epoch to mark.
    """
    figure, axes = new_figure(rows=2, columns=2, width=9.0, height=6.0, sharex=True)
    for ax, (quantity, label) in zip(axes.flat, EPOCH_PANELS.items(), strict=True):
        for name, words, colour, style in (
            ("no_clip", "no clip", UNCLIPPED, "--"),
            ("clip", "clip at 0.2", CLIPPED, "-"),
        ):
            claimed_band(ax, curves[f"epochs/{name}/{quantity}"], label=words, colour=colour, style=style)
        if usual is not None:
            ax.axvline(usual, color=COLOURS["threshold"], linestyle=":", linewidth=1)
        ax.set_title(label, fontsize=11)
    for ax in axes[1]:
        ax.set_xlabel("epochs over the same batch")
    axes[1][1].set_ylim(bottom=0)
    axes[0][0].legend(loc="upper left")
    return figure


def step_sizes(values: Mapping[str, Any], sizes: Sequence[int], *, ceiling: float = 500.0) -> Figure:
    """Return before one step, right after it, and at the end of training, against the size of that step.

    Args: values: of a claims file: "step_SIZE/before", "/after" and "/in_the_end", one number a seed. A dot is a seed,
    a line joins interquartile means.
    """
    figure, ax = new_figure(height=4.4)
    stages = {
        "before": ("before the step", "pg:grey", "v", 0.9),
        "after": ("right after it", "#000000", "o", 1.0),
        "in_the_end": ("at the end of training", CLIPPED, "s", 1.11),
    }
    for stage, (label, colour, marker, shift) in stages.items():
        seeds = np.array([values[f"step_{size}/{stage}"]["per_seed"] for size in sizes], dtype=np.float64)
        x = np.array(sizes, dtype=np.float64) * shift
        style = ":" if stage == "before" else "-"
        ax.plot(x, interquartile_mean(seeds, axis=1), color=colour, linestyle=style, marker=marker, label=label)
        ax.plot(np.repeat(x, seeds.shape[1]), seeds.ravel(), marker, color=colour, alpha=0.35, markersize=4)
    ax.set(xscale="log", ylim=(0, 1.04 * ceiling), xlabel="learning rate of that one step, times the usual")
    ax.set_xticks(list(sizes), [f"{size:,}" for size in sizes])
    ax.set_xticks([], minor=True)
    ax.set_ylabel("episodic return")
    ax.legend(loc="lower left")
    return figure


def gaussian_kl(std: float, mean: ArrayLike, log_std: ArrayLike) -> NDArray[np.float64]:
    """KL(N(0, std) || N(mean, exp(log_std))) in nats."""
    m, s = np.asarray(mean, dtype=np.float64), np.asarray(log_std, dtype=np.float64)
    return s - np.log(std) + (std**2 + m**2) / (2 * np.exp(2 * s)) - 0.5


def steps_to_the_edge(std: float, max_kl: float) -> dict[str, NDArray[np.float64]]:
    """Steps [2] in (mean, log std) from N(0, std), along gradient and natural gradient, to ½ xᵀFx = max_kl.

    The objective is minus the mean squared distance of the action from BEST_ACTION: -((mean - 1)^2 + std^2).
    """
    gradient = np.array([2 * BEST_ACTION, -2 * std**2])
    fisher = np.diag([1 / std**2, 2.0])
    steps = {"gradient": gradient, "natural gradient": np.linalg.solve(fisher, gradient)}
    return {name: x * np.sqrt(2 * max_kl / (x @ fisher @ x)) for name, x in steps.items()}


def trust_region(std: float, max_kl: float) -> Figure:
    """Left: the plane of (mean, log std) with the true region, its quadratic model and both steps; right: the policies."""
    steps = steps_to_the_edge(std, max_kl)
    half = np.array([std * np.sqrt(2 * max_kl), np.sqrt(max_kl)])  # half axes of the ellipse
    reach = 2.3 * half.max()
    figure, (left, right) = new_figure(columns=2, width=9.5, height=4.5)
    x, y = np.meshgrid(np.linspace(-reach, reach, 240), np.linspace(-reach, reach, 240))
    left.contour(x, y, gaussian_kl(std, x, np.log(std) + y), levels=[max_kl], colors=TRUTH, linewidths=1.6)
    left.plot([], [], color=TRUTH, linewidth=1.6, label="KL is max_kl")
    turn = np.linspace(0, 2 * np.pi, 200)
    left.plot(half[0] * np.cos(turn), half[1] * np.sin(turn), "--", color="pg:grey", label="its quadratic model")
    _draw_level_line(left, std, steps["natural gradient"], reach)
    actions = np.linspace(-3 * std - 0.5, max(3 * std, 1.5) + 0.5, 400)
    right.plot(actions, density(actions, 0.0, std), ":", color="pg:grey", label="old policy")
    for name, colour, style in (("gradient", PLAIN, "--"), ("natural gradient", NATURAL, "-")):
        step = steps[name]
        left.annotate("", step, (0, 0), arrowprops={"arrowstyle": "->", "lw": 2.4, "color": colour})
        left.plot([], [], color=colour, linewidth=2.4, label=name)
        right.plot(
            actions, density(actions, step[0], std * np.exp(step[1])), style, color=colour,
            label=f"{name}: distance² {expected_distance(step[0], std * np.exp(step[1])):.2f}",
        )  # fmt: skip
    right.axvline(BEST_ACTION, color="black", linewidth=0.8, label="best action")
    left.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    left.set(xlabel="change of the mean", ylabel="change of log std")
    right.set(xlabel="action", ylabel="density")
    right.set_ylim(0, 1.5 * right.get_ylim()[1])  # room for the legend
    right.locator_params(axis="x", nbins=7)
    left.legend(loc="upper right", fontsize=8.5)
    right.legend(loc="upper right", fontsize=8.5)
    return figure


def density(action: ArrayLike, mean: float, std: float) -> NDArray[np.float64]:
    """Density of N(mean, std)."""
    scaled = (np.asarray(action, dtype=np.float64) - mean) / std
    return np.exp(-0.5 * scaled**2) / (std * np.sqrt(2 * np.pi))


def expected_distance(mean: float, std: float) -> float:
    """Mean squared distance from BEST_ACTION of an action of N(mean, std)."""
    return float((mean - BEST_ACTION) ** 2 + std**2)


def _draw_level_line(ax: Axes, std: float, point: NDArray, reach: float) -> None:
    """The line through `point` on which the linear model of the objective is constant."""
    gradient = np.array([2 * BEST_ACTION, -2 * std**2])
    along = np.array([-gradient[1], gradient[0]]) / np.linalg.norm(gradient)
    ends = np.stack([point - 4 * reach * along, point + 4 * reach * along])
    ax.plot(*ends.T, color="pg:green", linewidth=1, linestyle="-.", label="equal gain, linear model")


def along_step(
    scales: ArrayLike,
    *,
    kl: ArrayLike,
    quadratic_kl: ArrayLike,
    improvement: ArrayLike,
    linear_improvement: ArrayLike,
    max_kl: float,
    tried: Sequence[float] = (),
) -> Figure:
    """Divergence and surrogate along one direction, true and modelled, with the lengths that a line search tries.

    Args: scales: [K], 1 is the whole step; the rest [K] each. tried: scales in the order of the search, the last one taken.
    Raises: InvalidInput where the shapes differ.
    """
    x, *columns = (np.asarray(c, dtype=np.float64) for c in (scales, kl, quadratic_kl, improvement, linear_improvement))
    if any(column.shape != x.shape for column in columns):
        raise InvalidInput(
            f"scales has shape {x.shape}, the columns {[column.shape for column in columns]}; give [K] each"
        )
    figure, (left, right) = new_figure(columns=2, width=9.5, height=3.9)
    for ax, truth, model, words, what in (
        (left, columns[0], columns[1], "quadratic model", "KL(old ‖ new) [nats]"),
        (right, columns[2], columns[3], "linear model", "improvement of the surrogate"),
    ):
        ax.plot(x, truth, color=NATURAL, label="on the batch")
        ax.plot(x, model, "--", color="pg:grey", label=words)
        for number, scale in enumerate(tried, start=1):
            taken = number == len(tried)
            ax.plot(
                scale, np.interp(scale, x, truth), "o" if taken else "x", color="black", markersize=8,
                label="taken" if taken else ("refused" if number == 1 else None),
            )  # fmt: skip
        ax.set(xlabel="length of the step, 1 = the whole step", ylabel=what)
    left.axhspan(max_kl, max(left.get_ylim()[1], 1.1 * max_kl), color="#999999", alpha=0.25, label="not allowed")
    right.axhline(0, color="black", linewidth=0.8)
    for ax in (left, right):
        ax.legend(loc="upper left", fontsize=9)
    return figure
