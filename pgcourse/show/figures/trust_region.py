"""How far a policy may move: estimators of the KL divergence, epochs on one batch, steps of growing size."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

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
