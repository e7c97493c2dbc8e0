"""Calibration of a learner's predictions: how sure they were against the share of right answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import binomtest

from ...checks import progress
from .. import page
from ..page.style import COLOURS, PALETTE, new_figure

FEWEST = 5  # answers with a confidence before their mean says anything
LEVELS = (0.6, 0.85)  # upper ends of what counts as a guess, and as fairly sure


@dataclass(frozen=True)
class Level:
    """Answers given with about the same confidence."""

    said: float  # mean confidence
    right: int
    count: int

    @property
    def share(self) -> float:
        """Share of right answers."""
        return self.right / self.count


def levels(answers: Mapping[str, Mapping[str, Any]] | None = None) -> list[Level]:
    """The learner's first word on each question that asked how sure they are, by confidence; from the progress file.

    Args: answers: the section of the progress file; by default what is kept now.
    """
    entries = (progress.load()["answers"] if answers is None else answers).values()
    pairs = [
        (float(entry["confidence"]), bool(entry["correct"]))
        for entry in entries
        if entry.get("confidence") is not None and entry.get("correct") is not None
    ]
    groups = [
        [pair for pair in pairs if low < pair[0] <= high] for low, high in zip((-1, *LEVELS), (*LEVELS, 1), strict=True)
    ]
    return [
        Level(float(np.mean([said for said, _ in group])), sum(right for _, right in group), len(group))
        for group in groups
        if group
    ]


def calibration() -> None:
    """Show how often the learner was right when they were a guess, fairly sure and very sure."""
    found = levels()
    figure = calibration_figure(found)
    page.figure(figure, alt=_words(found), caption=verdict(found))


def calibration_figure(found: list[Level]) -> Figure:
    """Share of right answers against the confidence that was said, with 95 % intervals; on the diagonal is who knows."""
    figure, ax = new_figure(width=6.4, height=4.4)
    ax.plot([0, 1], [0, 1], color=COLOURS["threshold"], linestyle=":", label="as sure as right")
    for level in found:
        low, high = interval(level.right, level.count)
        ax.plot([level.said] * 2, [low, high], color=PALETTE[0], linewidth=4, alpha=0.4, solid_capstyle="butt")
        ax.plot(level.said, level.share, "o", color=PALETTE[0], markersize=9)
        ax.annotate(
            f"{level.right} of {level.count}", (level.said, level.share), xytext=(10, -4), textcoords="offset points"
        )
    ax.set(xlabel="how sure you said you were", ylabel="share of right answers", xlim=(0.4, 1.08), ylim=(-0.03, 1.03))
    if not found:
        ax.text(0.5, 0.5, "no prediction with a confidence yet", transform=ax.transAxes, ha="center")
    ax.legend(loc="upper left", frameon=False)
    return figure


def verdict(found: list[Level]) -> str:
    """The figure in a sentence."""
    count = sum(level.count for level in found)
    if count < FEWEST:
        return (
            f"{count} of your predictions came with a confidence; from {FEWEST} on this says something. Say how sure you are "
            "when you commit a prediction."
        )
    said = sum(level.said * level.count for level in found) / count
    right = sum(level.right for level in found) / count
    low, high = interval(sum(level.right for level in found), count)
    if low <= said <= high:
        judged = "the two agree as far as so few answers can tell"
    else:
        judged = "you were surer than right" if said > right else "you knew more than you trusted yourself"
    return (
        f"Over {count} predictions you were {said:.0%} sure and {right:.0%} right (95 % interval {low:.0%} to {high:.0%}): "
        f"{judged}."
    )


def _words(found: list[Level]) -> str:
    parts = [f"said {level.said:.0%}, right {level.right} of {level.count}" for level in found]
    return f"Confidence against share of right answers: {'; '.join(parts) or 'nothing to draw yet'}. A dotted diagonal."


def interval(right: int, count: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share, which also holds for few answers, all right or all wrong."""
    found = binomtest(right, count).proportion_ci(method="wilson")
    return float(found.low), float(found.high)
