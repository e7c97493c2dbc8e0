"""A factorial experiment: eight corners as learning curves, and what each factor does, with intervals."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from ...errors import InvalidInput
from ...statistics import bootstrap_interval, interquartile_mean
from ..page.style import COLOURS, LINE_STYLES, new_figure
from .curves import X_LABELS, claimed_band

# Levels of the three factors as the variants of claims/factorial.json name them, and in words.
ROLLOUTS = {"32": "rollouts of 32", "128": "rollouts of 128"}
CRITICS = {"fast": "fast critic", "slow": "slow critic"}
CLIPPINGS = {"separate": "clipped apart", "joint": "clipped together"}
FACTORS = {"rollout": "long rollouts", "critic": "slow critic", "clipping": "joint clipping"}
EFFECTS = {
    **FACTORS,
    "rollout_x_critic": "rollouts × critic",
    "rollout_x_clipping": "rollouts × clipping",
    "critic_x_clipping": "critic × clipping",
    "rollout_x_critic_x_clipping": "all three together",
}
COLOUR_OF = {"32": COLOURS["ppo"], "128": COLOURS["ppo_buggy"]}
STYLE_OF = {"separate": "-", "joint": "--"}
MAIN, INTERACTION = COLOURS["ppo"], "#555555"


def corner_curves(curves: Mapping[str, Any], optimizer: str, *, by_step: bool = False) -> Figure:
    """The return of all eight corners, in one panel for each critic.

    Args: curves: of the claims file, "OPTIMISER_ROLLOUT_CRITIC_CLIPPING", with "/by_step" behind it where the axis counts
    environment steps. Colour: rollout. Dashes: joint clipping. Raises: InvalidInput for curves that are not there.
    """
    figure, axes = new_figure(columns=2, width=9.6, height=4.2, sharey=True)
    for ax, (critic, title) in zip(axes, CRITICS.items(), strict=True):
        for rollout, rollout_words in ROLLOUTS.items():
            for clipping, clipping_words in CLIPPINGS.items():
                curve = _entry(curves, f"{optimizer}_{rollout}_{critic}_{clipping}" + ("/by_step" if by_step else ""))
                claimed_band(
                    ax, curve, label=f"{rollout_words}, {clipping_words}", colour=COLOUR_OF[rollout],
                    style=STYLE_OF[clipping],
                )  # fmt: skip
        ax.set_title(title)
        ax.set_xlabel(X_LABELS[curve["x_unit"]])
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        ax.locator_params(axis="x", nbins=5)
    axes[0].set(ylabel="episodic return", ylim=(0, 510))
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False, fontsize=10)
    return figure


def effect_bars(
    values: Mapping[str, Any], optimizer: str, outcome: str, *, x_label: str, title: str | None = None
) -> Figure:
    """What each factor does to an outcome, and each set of factors together: seeds, interquartile mean and interval.

    Args: values: of the claims file, "effects/OPTIMISER/OUTCOME/FACTORS", one number a seed. An interval that holds 0 is
    drawn hollow: that effect is not told from nothing.
    """
    figure, ax = new_figure(width=8.4, height=4.0)
    for height, (key, _) in enumerate(EFFECTS.items()):
        numbers = np.array(_entry(values, f"effects/{optimizer}/{outcome}/{key}")["per_seed"], dtype=np.float64)
        low, high = bootstrap_interval(numbers)
        colour = MAIN if key in FACTORS else INTERACTION
        told = not low <= 0 <= high
        ax.plot(numbers, np.full(len(numbers), height), ".", color=COLOURS["random"], markersize=6, alpha=0.5)
        ax.plot([low, high], [height, height], color=colour, linewidth=4, solid_capstyle="butt", alpha=0.6)
        ax.plot(
            interquartile_mean(numbers), height, "o", color=colour, markersize=8,
            markerfacecolor=colour if told else "white", markeredgewidth=1.5,
        )  # fmt: skip
    ax.axvline(0, color=COLOURS["threshold"], linestyle=LINE_STYLES["threshold"])
    ax.axhline(len(FACTORS) - 0.5, color="#DDDDDD", linewidth=1)
    ax.set_yticks(range(len(EFFECTS)), list(EFFECTS.values()))
    ax.set(ylim=(len(EFFECTS) - 0.4, -0.6), xlabel=x_label)
    ax.grid(visible=False, axis="y")
    if title:
        ax.set_title(title)
    return figure


def trap_counts(values: Mapping[str, Any], optimizer: str, outcome: str, *, y_label: str) -> Figure:
    """Each corner's outcome against the number of traps in it: is one enough, or does it take all?

    Lines join corners that differ in one trap. Args: as for `effect_bars`.
    """
    figure, ax = new_figure(width=8.4, height=4.4)
    places: dict[str, tuple[float, float]] = {}
    corners = [f"{r}_{c}_{k}" for r in ROLLOUTS for c in CRITICS for k in CLIPPINGS]
    for corner in corners:
        traps = traps_in(corner)
        others = [name for name in corners if len(traps_in(name)) == len(traps)]
        x = len(traps) + 0.26 * (others.index(corner) - (len(others) - 1) / 2)
        numbers = np.array(_entry(values, f"{optimizer}_{corner}/{outcome}")["per_seed"], dtype=np.float64)
        places[corner] = (x, float(interquartile_mean(numbers)))
        low, high = bootstrap_interval(numbers)
        ax.plot(np.full(len(numbers), x), numbers, ".", color=COLOURS["random"], markersize=6, alpha=0.5)
        ax.plot([x, x], [low, high], color=MAIN, linewidth=4, solid_capstyle="butt", alpha=0.6)
        ax.plot(*places[corner], "o", color=MAIN, markersize=7)
        ax.annotate("\n".join(traps) or "none", (x, 0), xycoords=("data", "axes fraction"), xytext=(0, 4),
                    textcoords="offset points", ha="center", va="bottom", fontsize=8)  # fmt: skip
    for first in corners:
        for second in corners:
            more = set(traps_in(second)) - set(traps_in(first))
            if len(more) == 1 and set(traps_in(first)) < set(traps_in(second)):
                pair = np.array([places[first], places[second]])
                ax.plot(pair[:, 0], pair[:, 1], color="#BBBBBB", linewidth=0.8, zorder=0)
    ax.set_xticks(range(4))
    low, high = ax.get_ylim()
    ax.set(xlabel="number of traps", ylabel=y_label, ylim=(low - 0.22 * (high - low), high))
    ax.grid(visible=False, axis="x")
    return figure


def traps_in(corner: str) -> list[str]:
    """Short words for the traps of a corner such as "128_fast_joint"."""
    rollout, critic, clipping = corner.split("_")
    return [
        word
        for word, there in (
            ("rollouts", rollout == "128"),
            ("critic", critic == "slow"),
            ("clipping", clipping == "joint"),
        )
        if there
    ]


def _entry(entries: Mapping[str, Any], key: str) -> Any:
    if key not in entries:
        raise InvalidInput(f"no {key!r} in the claims; there are {', '.join(sorted(entries)[:8])} and others")
    return entries[key]
