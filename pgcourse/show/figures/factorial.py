"""A factorial experiment: eight corners as learning curves, and what each factor does, with intervals."""

from collections.abc import Mapping
from itertools import combinations, product
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from ...errors import InvalidInput
from ...statistics import bootstrap_interval, interquartile_mean
from ..page.style import COLOURS, LINE_STYLES, new_figure
from .curves import X_LABELS, claimed_band

# The cubes of claims/factorial.json: the variants of short and of long rollouts, without critic and clipping. In the story a
# rollout is cut into four minibatches, so that a longer one makes a quarter of the gradient steps from the same data.
CUBES = {
    "story": {"32": "lr3e-4_mb128_32", "128": "lr3e-4_128"},
    "course": {"32": "adam_32", "128": "adam_128"},
    "sgd": {"32": "sgd_32", "128": "sgd_128"},
}
# Levels of the three suspects as the variants name them, and in words.
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
# Where the suspects act: prefix of the variants -> title of a panel.
SETTINGS = {
    "lr3e-4": "rate 3e-4, minibatch 512",
    "lr3e-4_mb128": "rate 3e-4, minibatch 128",
    "adam": "rate 1e-3, minibatch 512",
    "adam_mb128": "rate 1e-3, minibatch 128",
}
# All five factors, "effects/five/...": main effects and pairs.
FIVE = {"policy_lr": "small policy rate", "gradient_steps": "few gradient steps", **FACTORS}
SHORT = {
    "policy_lr": "rate",
    "gradient_steps": "steps",
    "rollout": "rollouts",
    "critic": "critic",
    "clipping": "clipping",
}
FIVE_EFFECTS = FIVE | {
    f"{first}_x_{second}": f"{SHORT[first]} × {SHORT[second]}" for first, second in combinations(FIVE, 2)
}
COLOUR_OF = {"32": COLOURS["ppo"], "128": COLOURS["ppo_buggy"]}
STYLE_OF = {"separate": "-", "joint": "--"}
MAIN, INTERACTION = COLOURS["ppo"], "#555555"


def variant(cube: str, corner: str) -> str:
    """The claims' name of a corner such as "128_slow_joint" of a cube. Raises: InvalidInput for an unknown cube."""
    if cube not in CUBES:
        raise InvalidInput(f"no cube {cube!r}; there are {', '.join(CUBES)}")
    rollout, rest = corner.split("_", 1)
    return f"{CUBES[cube][rollout]}_{rest}"


def corner_curves(curves: Mapping[str, Any], cube: str, *, by_step: bool = False) -> Figure:
    """The return of all eight corners of a cube, in one panel for each critic.

    Args: curves: of the claims file, a variant's name, with "/by_step" behind it where the axis counts environment
    steps. Colour: rollout. Dashes: joint clipping. Raises: InvalidInput for curves that are not there.
    """
    figure, axes = new_figure(columns=2, width=9.6, height=4.2, sharey=True)
    for ax, (critic, title) in zip(axes, CRITICS.items(), strict=True):
        for rollout, rollout_words in ROLLOUTS.items():
            for clipping, clipping_words in CLIPPINGS.items():
                name = variant(cube, f"{rollout}_{critic}_{clipping}")
                curve = _entry(curves, name + ("/by_step" if by_step else ""))
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
    values: Mapping[str, Any], cube: str, outcome: str, *, x_label: str, title: str | None = None
) -> Figure:
    """What each factor does to an outcome, and each set of factors together: seeds, interquartile mean and interval.

    Args: cube: of CUBES, or "five" for main effects and pairs of all five factors. values: of the claims file,
    "effects/CUBE/OUTCOME/FACTORS", one number a seed. An interval that holds 0 is drawn hollow: that effect is not told
    from nothing.
    """
    names, mains = (FIVE_EFFECTS, FIVE) if cube == "five" else (EFFECTS, FACTORS)
    figure, ax = new_figure(width=8.4, height=1.2 + 0.4 * len(names))
    for height, key in enumerate(names):
        numbers = numbers_of(values, f"effects/{cube}/{outcome}/{key}")
        _estimate(ax, numbers, height, MAIN if key in mains else INTERACTION)
    ax.axvline(0, color=COLOURS["threshold"], linestyle=LINE_STYLES["threshold"])
    ax.axhline(len(mains) - 0.5, color="#DDDDDD", linewidth=1)
    ax.set_yticks(range(len(names)), list(names.values()))
    ax.set(ylim=(len(names) - 0.4, -0.6), xlabel=x_label)
    ax.grid(visible=False, axis="y")
    if title:
        ax.set_title(title)
    return figure


def one_fault(values: Mapping[str, Any], cube: str, outcome: str) -> dict[str, tuple[Any, Any]]:
    """What each suspect does alone, and what it does as the last of three: factor -> (added, present), each [seeds].

    Added: the healthy run with this one fault, minus the healthy run. Present: the run with all three faults, minus the
    same run without this one. If effects added up, both would be the same.
    """
    levels = (tuple(ROLLOUTS), tuple(CRITICS), tuple(CLIPPINGS))
    healthy, ill = (tuple(level[end] for level in levels) for end in (0, 1))

    def result(corner: tuple[str, ...]) -> Any:
        return numbers_of(values, f"{variant(cube, '_'.join(corner))}/{outcome}")

    found = {}
    for place, factor in enumerate(FACTORS):
        added = (*healthy[:place], ill[place], *healthy[place + 1 :])
        repaired = (*ill[:place], healthy[place], *ill[place + 1 :])
        found[factor] = (result(added) - result(healthy), result(ill) - result(repaired))
    return found


def one_fault_bars(values: Mapping[str, Any], cubes: Mapping[str, str], outcome: str, *, x_label: str) -> Figure:
    """`one_fault` as a picture: one panel for each cube, two marks for each suspect. Args: cubes: cube -> its title."""
    figure, axes = new_figure(columns=len(cubes), width=9.6, height=3.8, sharex=True, sharey=True, squeeze=False)
    for ax, (cube, title) in zip(axes.flat, cubes.items(), strict=True):
        for place, pair in enumerate(one_fault(values, cube, outcome).values()):
            for numbers, shift, colour, marker in zip(pair, (-0.17, 0.17), (MAIN, INTERACTION), "os", strict=True):
                _estimate(ax, numbers, place + shift, colour, marker=marker)
        ax.axvline(0, color=COLOURS["threshold"], linestyle=LINE_STYLES["threshold"])
        ax.set(xlabel=x_label, title=title, ylim=(len(FACTORS) - 0.4, -0.6))
        ax.grid(visible=False, axis="y")
    axes.flat[0].set_yticks(range(len(FACTORS)), list(FACTORS.values()))
    handles = [
        Line2D([], [], color=colour, marker=marker, linewidth=4, label=label)
        for colour, marker, label in (
            (MAIN, "o", "added to the healthy run"), (INTERACTION, "s", "present in the run with all three"),
        )
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize=10)
    return figure


def at_setting(values: Mapping[str, Any], setting: str, factor: str, outcome: str) -> Any:
    """Main effect of a suspect over the eight corners of one setting, [seeds]; both rollouts with the same minibatch."""
    place = list(FACTORS).index(factor)
    levels = (tuple(ROLLOUTS), tuple(CRITICS), tuple(CLIPPINGS))
    effect = 0.0
    for corner in product(*levels):
        sign = 1 if corner[place] == levels[place][1] else -1
        effect = effect + sign * numbers_of(values, f"{setting}_{'_'.join(corner)}/{outcome}") / 4
    return effect


def setting_bars(values: Mapping[str, Any], outcome: str, *, x_label: str) -> Figure:
    """`at_setting` of all suspects: one panel for each setting."""
    figure, axes = new_figure(rows=2, columns=2, width=9.6, height=4.6, sharex=True, sharey=True)
    for ax, (setting, title) in zip(axes.flat, SETTINGS.items(), strict=True):
        for place, factor in enumerate(FACTORS):
            _estimate(ax, at_setting(values, setting, factor, outcome), place, MAIN)
        ax.axvline(0, color=COLOURS["threshold"], linestyle=LINE_STYLES["threshold"])
        ax.set(ylim=(len(FACTORS) - 0.4, -0.6))
        ax.set_title(title)
        ax.grid(visible=False, axis="y")
    axes[0, 0].set_yticks(range(len(FACTORS)), list(FACTORS.values()))
    for ax in axes[-1]:
        ax.set_xlabel(x_label)
    return figure


def trap_counts(values: Mapping[str, Any], cube: str, outcome: str, *, y_label: str) -> Figure:
    """Each corner's outcome against the number of traps in it: is one enough, or does it take all?

    Lines join corners that differ in one trap. Args: cube: of CUBES.
    """
    figure, ax = new_figure(width=8.4, height=4.4)
    places: dict[str, tuple[float, float]] = {}
    corners = [f"{r}_{c}_{k}" for r in ROLLOUTS for c in CRITICS for k in CLIPPINGS]
    for corner in corners:
        traps = traps_in(corner)
        others = [name for name in corners if len(traps_in(name)) == len(traps)]
        x = len(traps) + 0.26 * (others.index(corner) - (len(others) - 1) / 2)
        numbers = numbers_of(values, f"{variant(cube, corner)}/{outcome}")
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


def _estimate(ax: Axes, numbers: Any, height: float, colour: str, *, marker: str = "o") -> None:
    """Seeds, interval and interquartile mean on one line, hollow where the interval holds 0."""
    low, high = bootstrap_interval(numbers)
    ax.plot(numbers, np.full(len(numbers), height), ".", color=COLOURS["random"], markersize=6, alpha=0.5)
    ax.plot([low, high], [height, height], color=colour, linewidth=4, solid_capstyle="butt", alpha=0.6)
    ax.plot(
        interquartile_mean(numbers), height, marker, color=colour, markersize=8,
        markerfacecolor="white" if low <= 0 <= high else colour, markeredgewidth=1.5,
    )  # fmt: skip


def numbers_of(values: Mapping[str, Any], key: str) -> Any:
    """One number a seed, [R], of a key of the claims. Raises: InvalidInput for another key."""
    return np.array(_entry(values, key)["per_seed"], dtype=np.float64)


def _entry(entries: Mapping[str, Any], key: str) -> Any:
    if key not in entries:
        raise InvalidInput(f"no {key!r} in the claims; there are {', '.join(sorted(entries)[:8])} and others")
    return entries[key]
