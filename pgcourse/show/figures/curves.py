"""Learning curves over seeds, with the interval that says how far to trust them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import ArrayLike, NDArray

from ...errors import InvalidInput
from ...statistics import bootstrap_interval, interquartile_mean, moving_average
from ...study.claims import load_claims
from ..page.style import COLOURS, LABELS, LINE_STYLES, algorithm_of, colours_of, new_figure, png

__all__ = [
    "COLOURS",
    "LABELS",
    "band",
    "claimed_band",
    "claimed_curves",
    "learning_curves",
    "new_figure",
    "png",
]

POINTS = 200  # of a curve: more cannot be seen, and each costs a bootstrap
X_LABELS = {"episode": "episode", "env_step": "environment steps"}


def band(
    ax: Axes, x: ArrayLike, curves: ArrayLike, *, label: str, colour: str | None = None, style: Any = None
) -> None:
    """Draw R runs as one line with a band: their interquartile mean and its bootstrap 95 % interval.

    One run is a line alone: it has no interval.
    Args: x: [X]. curves: [R, X], or [X] for one run. colour: of matplotlib, or a key of COLOURS; default its
    algorithm's.
    Raises: InvalidInput where the shapes do not fit.
    """
    positions, values = np.asarray(x, dtype=np.float64), np.atleast_2d(np.asarray(curves, dtype=np.float64))
    if values.ndim != 2 or positions.shape != values.shape[1:] or not values.size:
        raise InvalidInput(
            f"x has shape {positions.shape} and curves {np.shape(curves)}; give x [X] and curves [runs, X]"
        )
    keep = thin(len(positions))
    positions, values = positions[keep], values[:, keep]
    colour, style = _look(label, colour, style)
    ax.plot(positions, interquartile_mean(values, axis=0), color=colour, linestyle=style, label=label)
    if len(values) > 1:
        low, high = bootstrap_interval(values.T, num_resamples=1000)
        ax.fill_between(positions, low, high, color=colour, alpha=0.2, linewidth=0)


def claimed_band(
    ax: Axes, curve: Mapping[str, Any], *, label: str, colour: str | None = None, style: Any = None
) -> None:
    """Draw one curve of a claims file: {"x", "mean", "low", "high", ...}, lists of equal length."""
    colour, style = _look(label, colour, style)
    ax.plot(curve["x"], curve["mean"], color=colour, linestyle=style, label=label)
    ax.fill_between(curve["x"], curve["low"], curve["high"], color=colour, alpha=0.2, linewidth=0)


def caption_of(counts: Sequence[int], smoothing: str = "") -> str:
    """What line and band are, and over how many seeds."""
    seeds = sorted(set(counts))
    number = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    what = f"Line: interquartile mean of {number} seeds. Band: its 95 % bootstrap interval."
    if seeds == [1]:
        what = "Line: one seed, so no interval."
    return what + (f" {smoothing[0].upper()}{smoothing[1:]}." if smoothing else "")


def finish(
    figure: Figure,
    ax: Axes,
    x: str,
    counts: list[int],
    *,
    smoothing: str,
    threshold: float | None,
    title: str | None,
    y_label: str,
) -> None:
    """Threshold, labels, title, legend, and the line below that says what is drawn, over how many seeds."""
    if threshold is not None:
        ax.axhline(
            threshold, color=COLOURS["threshold"], linestyle=LINE_STYLES["threshold"], label=f"threshold {threshold:g}"
        )
    ax.set_xlabel(X_LABELS.get(x, x.replace("_", " ")))
    ax.set_ylabel(y_label)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    if title:
        ax.set_title(title, loc="left")
    ax.legend(loc="best", frameon=False)
    figure.supxlabel(caption_of(counts, smoothing), x=0.01, ha="left", fontsize=9, color="#444444")


def _look(label: str, colour: str | None, style: Any) -> tuple[str, Any]:
    """Colour and line style: as asked, else those of the algorithm that the label names."""
    key = algorithm_of(label) or ""
    colour = COLOURS.get(colour, colour) if colour else COLOURS.get(key, COLOURS["learner"])
    return colour, style if style is not None else LINE_STYLES.get(key, "-")


def thin(length: int, most: int = POINTS) -> NDArray[np.int64]:
    """At most so many indices of a curve, both ends among them."""
    return np.unique(np.linspace(0, length - 1, min(length, most)).round().astype(np.int64))


def learning_curves(
    runs: Mapping[str, Iterable[Any]],
    *,
    x: str = "episode",
    window: int = 20,
    threshold: float | None = None,
    title: str | None = None,
    colours: Mapping[str, str] | None = None,
    y_label: str = "episodic return",
) -> Figure:
    """Episodic return in training, one line with a band for each label.

    Args: runs: label -> runs with different seeds, each a Result, a Run, their `episodes`, or an array of
    returns [E]. x: "episode" or "env_step". window: each point is the mean of the last `window` episodes; 1
    smooths nothing. threshold: a level to draw. colours: label -> colour, or a key of COLOURS; known labels
    have theirs. Runs of one label are cut to the shortest. Raises: InvalidInput.
    """
    if x not in X_LABELS:
        raise InvalidInput(f"x={x!r} is not allowed; use 'episode' or 'env_step'")
    if window < 1:
        raise InvalidInput(f"window={window} is not positive; use at least 1")
    groups = {label: list(group) for label, group in runs.items()}
    if not groups or not all(groups.values()):
        raise InvalidInput("no runs to draw; give {'label': [result, ...]} with at least one run for each label")
    figure, ax = new_figure()
    chosen = colours_of(list(groups), dict(colours or {}))
    for label, group in groups.items():
        positions, curves = _curves(group, x, window)
        band(ax, positions, curves, label=label, colour=chosen[label])
    counts = [len(group) for group in groups.values()]
    smoothing = f"moving average of {window} episodes" if window > 1 else ""
    finish(figure, ax, x, counts, smoothing=smoothing, threshold=threshold, title=title, y_label=y_label)
    return figure


def claimed_curves(
    name: str,
    labels: Mapping[str, str] | Sequence[str],
    *,
    threshold: float | None = None,
    title: str | None = None,
    colours: Mapping[str, str] | None = None,
    y_label: str = "episodic return",
) -> Figure:
    """Measured learning curves of `claims/NAME.json`, with their bands.

    Args: labels: curve -> label in the figure, or the curves' names. colours: by label.
    Raises: InvalidInput for an unknown curve, or curves of different x units.
    """
    stored = load_claims(name)["curves"]
    names = dict(labels) if isinstance(labels, Mapping) else {key: _label(key) for key in labels}
    if not names or (missing := [key for key in names if key not in stored]):
        wrong = repr(missing[0]) if names else "nothing"
        raise InvalidInput(f"no curve {wrong} in claims {name!r}; it has {', '.join(sorted(stored))}")
    curves = {label: stored[key] for key, label in names.items()}
    units = {curve["x_unit"] for curve in curves.values()}
    if len(units) > 1:
        raise InvalidInput(f"curves {', '.join(names)} count in {' and '.join(sorted(units))}; draw one unit a figure")
    figure, ax = new_figure()
    defaults = {label: algorithm_of(key) for key, label in names.items() if algorithm_of(key)}
    chosen = colours_of(list(curves), {**defaults, **dict(colours or {})})  # type: ignore[dict-item]
    for key, label in names.items():
        style = LINE_STYLES.get(algorithm_of(key) or "")
        claimed_band(ax, stored[key], label=label, colour=chosen[label], style=style)
    counts = [curve["n"] for curve in curves.values()]
    windows = {curve.get("window") for curve in curves.values()} - {None, 1}
    smoothing = f"moving average of {windows.pop()} episodes" if len(windows) == 1 else ""
    finish(figure, ax, units.pop(), counts, smoothing=smoothing, threshold=threshold, title=title, y_label=y_label)
    return figure


def returns_of(run: Any) -> NDArray[np.float64]:
    """Episodic returns [E] of a Result, a Run, their structured episodes, or an array of returns."""
    episodes = np.asarray(getattr(run, "episodes", run))
    if episodes.dtype.names:
        episodes = episodes["episodic_return"]
    if episodes.ndim != 1 or not len(episodes):
        raise InvalidInput(
            f"a run of shape {episodes.shape} has no curve; give a Result or a non-empty array of returns [E]"
        )
    return episodes.astype(np.float64)


def _curves(group: list[Any], x: str, window: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positions [X] and smoothed returns [R, X] of one label's runs."""
    smoothed = [moving_average(returns_of(run), window) for run in group]
    if x == "episode":
        length = min(len(curve) for curve in smoothed)
        return np.arange(1.0, length + 1), np.stack([curve[:length] for curve in smoothed])
    steps = []
    for run in group:
        episodes = np.asarray(getattr(run, "episodes", run))
        if not episodes.dtype.names:
            raise InvalidInput("an array of returns does not know its environment steps; give a Result, or x='episode'")
        steps.append(episodes["env_step"].astype(np.float64))
    positions = np.linspace(max(step[0] for step in steps), min(step[-1] for step in steps), POINTS)
    return positions, np.stack([np.interp(positions, *pair) for pair in zip(steps, smoothed, strict=True)])


def _label(key: str) -> str:
    return LABELS.get(algorithm_of(key) or "", key.replace("_", " "))
