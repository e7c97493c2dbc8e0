"""Each seed as a dot with interquartile mean and interval: variants in rows, levels of a setting, a verdict; shares by seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray

from ...errors import InvalidInput
from ...statistics import bootstrap_interval, interquartile_mean
from ...study.claims import load_claims
from ..page.style import COLOURS, LINE_STYLES, colours_of, new_figure

COST_TICKS = (-100, -130, -160, -200, -300, -500, -800, -1200, -1600)
Numbers = Sequence[float | None]
# Verdict -> its sign and its colour; the word stands beside them, so neither carries it alone.
VERDICTS = {"holds": ("✓", "pg:green"), "fails": ("✗", "pg:vermillion"), "depends": ("±", "pg:blue")}
ROW_HEIGHT, FRAME = 0.34, 1.05  # inches


def numbers_of(reference: str) -> Numbers:
    """One number a seed, None for "never", of "STUDY:VARIANT/VALUE". Raises: InvalidInput for an unknown one."""
    name, _, key = reference.partition(":")
    values = load_claims(name)["values"]
    if key not in values:
        raise InvalidInput(f"no values {key!r} in claims {name!r}; it has {', '.join(sorted(values))}")
    return values[key]["per_seed"]


def _complete(numbers: Numbers, what: str) -> NDArray[np.float64]:
    """The numbers [R] of a value that every seed has. Raises: InvalidInput for another one."""
    if None in numbers:
        raise InvalidInput(f"{what}: some seeds have no number; draw a value that every seed has, such as held_out")
    return np.array(numbers, dtype=np.float64)


def claimed_effects(
    name: str,
    labels: Mapping[str, str],
    *,
    value: str = "held_out",
    x_label: str = "mean return of 100 held-out episodes",
    colour: str = "ppo",
    reference: str | None = None,
    threshold: float | None = None,
    title: str | None = None,
) -> Figure:
    """One row a variant of `claims/NAME.json`: small dots are seeds, the large one their interquartile mean.

    Args: labels: variant -> row's label, first at the top. value: the number, "VARIANT/value" in the file. reference:
    a variant whose interval is drawn through all rows. threshold: a level to draw. Returns below zero, as costs
    are, stand on a logarithmic axis. Raises: InvalidInput for an unknown variant, or a seed without a number.
    """

    def read(variant: str) -> NDArray[np.float64]:
        return _complete(numbers_of(f"{name}:{variant}/{value}"), f"{variant}/{value}")

    rows = {label: read(variant) for variant, label in labels.items()}
    if not rows:
        raise InvalidInput("no variants to draw; give {'variant': 'label'}")
    figure, ax = new_figure(width=8.4, height=0.9 + 0.42 * len(rows))
    for height, numbers in enumerate(rows.values()):
        low, high = bootstrap_interval(numbers)
        ax.plot(numbers, np.full(len(numbers), height), ".", color=COLOURS["random"], markersize=7, alpha=0.6)
        ax.plot([low, high], [height, height], color=COLOURS[colour], linewidth=4, solid_capstyle="butt", alpha=0.6)
        ax.plot(interquartile_mean(numbers), height, "o", color=COLOURS[colour], markersize=8)
    if reference is not None:
        ax.axvspan(*bootstrap_interval(read(reference)), color=COLOURS[colour], alpha=0.12)
    if threshold is not None:
        ax.axvline(threshold, color=COLOURS["threshold"], linestyle=LINE_STYLES["threshold"])
    every = np.concatenate(list(rows.values()))
    if every.max() < 0:
        ax.set_xscale("function", functions=(lambda x: -np.log(-np.minimum(x, -1e-9)), lambda y: -np.exp(-y)))
        ax.set_xlim(1.1 * every.min(), every.max() / 1.1)
        ax.xaxis.set_major_locator(FixedLocator([tick for tick in COST_TICKS if 1.1 * every.min() < tick]))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:,.0f}".replace("-", "−")))
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_xlabel(x_label)
    if title:
        ax.set_title(title)
    return figure


def verdict_figure(
    claim: str,
    verdict: str,
    rows: Mapping[str, str | Numbers],
    *,
    x_label: str,
    colours: Mapping[str, str] | None = None,
    threshold: float | None = None,
    logarithmic: bool = False,
) -> Figure:
    """A claim as title, the verdict beside it, and below a row of runs for each version.

    Args: verdict: a key of VERDICTS. rows: label -> one number a run, or a reference as of `numbers_of`; None, a run that
    never got there, stands in a column of its own at the right. colours: label -> colour or key of COLOURS. threshold:
    a level to draw. Raises: InvalidInput for another verdict, no rows, or a row without runs.
    """
    if verdict not in VERDICTS:
        raise InvalidInput(f"verdict {verdict!r} is not allowed; use one of {', '.join(VERDICTS)}")
    found = {label: numbers_of(row) if isinstance(row, str) else row for label, row in rows.items()}
    if not found or not all(len(numbers) for numbers in found.values()):
        raise InvalidInput("no runs to draw; give {'label': 'STUDY:VARIANT/VALUE'} with at least one run a row")
    figure, ax = new_figure(width=8.4, height=FRAME + ROW_HEIGHT * len(found))
    arrays = {label: np.array([np.inf if x is None else x for x in numbers]) for label, numbers in found.items()}
    never = _never_at(np.concatenate(list(arrays.values())), logarithmic=logarithmic)
    for height, (label, array) in enumerate(arrays.items()):
        _draw_row(ax, height, array, never, (colours or {}).get(label, "ppo"))
    if logarithmic:
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_minor_locator(NullLocator())
    else:
        ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.10g}".replace("-", "−")))
    if threshold is not None:
        ax.axvline(threshold, color=COLOURS["threshold"], linestyle=LINE_STYLES["threshold"])
    if never is not None:
        _mark_never(ax, never)
    ax.set_yticks(range(len(found)), list(found))
    ax.set_ylim(len(found) - 0.4, -0.6)
    ax.set_xlabel(x_label)
    sign, colour = VERDICTS[verdict]
    counts = sorted({len(numbers) for numbers in found.values()})
    seeds = f"{counts[0]} seeds a row" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} seeds a row"
    figure.suptitle(f"“{claim}”", x=0.01, ha="left", fontsize=12)
    ax.set_title(f"{sign} {verdict}", loc="right", color=colour, weight="bold")
    ax.set_title(seeds, loc="left", fontsize=9, color="#444444")
    return figure


def _never_at(numbers: NDArray[np.float64], *, logarithmic: bool) -> float | None:
    """Where the column of runs that never got there stands; None where there are none."""
    if np.isfinite(numbers).all():
        return None
    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        return 1.0
    return float(1.6 * finite.max() if logarithmic else finite.max() + 0.18 * max(np.ptp(finite), 0.2 * finite.max()))


def _mark_never(ax: Axes, never: float) -> None:
    """A tick called "never", in place of the numbers that would stand there."""
    low, high = ax.get_xlim()
    ticks = [tick for tick in ax.get_xticks() if low <= tick < 0.9 * never]
    ax.set_xticks([*ticks, never], [*(f"{tick:,.10g}" for tick in ticks), "never"])
    ax.set_xlim(low, high + 0.1 * (high - low))  # room for how many


def _draw_row(ax: Axes, height: int, numbers: NDArray[np.float64], never: float | None, colour: str) -> None:
    """Seeds as small dots, crosses where they never got there; interquartile mean and interval where they are finite."""
    paint = COLOURS.get(colour, colour)
    finite = numbers[np.isfinite(numbers)]
    ax.plot(finite, np.full(len(finite), height), ".", color=COLOURS["random"], markersize=7, alpha=0.7)
    missing = len(numbers) - len(finite)
    if missing and never is not None:
        ax.plot(never, height, "x", color=paint, markersize=7)
        ax.annotate(
            f"{missing} of {len(numbers)}", (never, height), (8, 0), textcoords="offset points", va="center", fontsize=9
        )
    if len(numbers) == 1:
        return
    with np.errstate(invalid="ignore"):  # quantiles between two infinities
        low, high = bootstrap_interval(numbers)
    ends = [float(min(bound, never)) if never is not None else float(bound) for bound in (low, high)]
    if np.isfinite(low):
        ax.plot(ends, [height, height], color=paint, linewidth=4, solid_capstyle="butt", alpha=0.5)
    if np.isfinite(middle := interquartile_mean(numbers)):
        ax.plot(middle, height, "o", color=paint, markersize=8)


@dataclass(frozen=True)
class Panel:
    """One setting.

    Fields: title: the setting, with its unit where it has one. levels: label -> one number a seed, or a reference of a
    claims file; in the order of the axis. preset: the label of the level that the preset has.
    """

    title: str
    levels: Mapping[str, str | Numbers]
    preset: str


def level_panels(
    panels: Sequence[Panel], *, y_label: str, columns: int = 3, colour: str = "ppo", title: str | None = None
) -> Figure:
    """A grid of panels with one y axis: small dots are seeds, the large one their interquartile mean with its interval.

    The shaded band is the preset's interval. Raises: InvalidInput for no panels, a preset that is no level, or a seed
    without a number.
    """
    if not panels:
        raise InvalidInput("no panels to draw; give at least one Panel")
    rows = -(-len(panels) // columns)
    figure, grid = new_figure(
        rows=rows, columns=columns, width=9.4, height=0.5 + 2.3 * rows, sharey=True, squeeze=False
    )
    for ax in grid.flat[len(panels) :]:
        ax.set_visible(False)
    for ax, panel in zip(grid.flat, panels, strict=False):
        _draw_levels(ax, panel, COLOURS.get(colour, colour))
    for row in grid:
        row[0].set_ylabel(y_label)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    return figure


def _draw_levels(ax: Axes, panel: Panel, colour: str) -> None:
    if panel.preset not in panel.levels:
        raise InvalidInput(f"{panel.title}: preset {panel.preset!r} is none of its levels {', '.join(panel.levels)}")
    for place, (label, level) in enumerate(panel.levels.items()):
        values = _complete(numbers_of(level) if isinstance(level, str) else level, f"{panel.title}, {label}")
        low, high = bootstrap_interval(values)
        preset = label == panel.preset
        if preset:
            ax.axhspan(low, high, color=colour, alpha=0.15, linewidth=0)
        ax.plot(np.full(len(values), place), values, ".", color=COLOURS["random"], markersize=6, alpha=0.6)
        ax.plot([place, place], [low, high], color=colour, linewidth=4, solid_capstyle="butt", alpha=0.5)
        face = colour if preset else "white"
        ax.plot(place, interquartile_mean(values), "o", markersize=8, color=colour, markerfacecolor=face)
    ax.set_xticks(range(len(panel.levels)), list(panel.levels), fontsize=9.5)
    ax.set_xlim(-0.5, len(panel.levels) - 0.5)
    ax.set_title(panel.title, fontsize=11)
    ax.grid(visible=False, axis="x")


def sizes_figure(
    sizes: Sequence[int], lines: Mapping[str, Sequence[float]], *, y_label: str, level: float | None = None
) -> Figure:
    """Shares between 0 and 1 against the number of seeds, one line each; `level`: a share to compare with."""
    figure, ax = new_figure(height=3.6)
    colours = colours_of(list(lines))
    for (label, shares), marker in zip(lines.items(), "osD^v", strict=False):
        ax.plot(sizes, shares, marker=marker, color=colours[label], label=label)
    if level is not None:
        ax.axhline(level, color=COLOURS["threshold"], linestyle=":")
    ax.set_xscale("log")
    ax.set_xticks(list(sizes), [str(size) for size in sizes])
    ax.minorticks_off()
    ax.set(xlabel="seeds of each method", ylabel=y_label, ylim=(0, 1.02))
    if len(lines) > 1:
        ax.legend(loc="best")
    return figure
