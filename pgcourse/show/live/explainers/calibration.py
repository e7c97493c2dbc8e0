"""How sure a learner was of each prediction, against how often they were right."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ....checks import progress
from .. import chart
from ..explainer import Explainer

FEWEST = 5  # answers with a confidence before their mean says anything
LEVELS = (0.6, 0.85)  # upper ends of what counts as a guess, and as fairly sure
Z = 1.959963984540054  # the 97.5 % quantile of a standard normal


def calibration() -> None:
    """Show how often the learner was right when they were a guess, fairly sure and very sure."""
    calibration_of().show()


def calibration_of(answers: Mapping[str, Mapping[str, Any]] | None = None) -> Explainer:
    """The figure of the learner's predictions. In the page, answers that this browser has kept are added.

    Args: answers: the section of the progress file; by default what is kept now.
    """
    entries = progress.load()["answers"] if answers is None else answers
    said = {
        name: {"confidence": float(entry["confidence"]), "correct": bool(entry["correct"])}
        for name, entry in entries.items()
        if entry.get("confidence") is not None and entry.get("correct") is not None
    }
    return Explainer(
        "explainers/calibration",
        figure,
        {},
        alt="Share of right answers against the confidence that was said: a point with its interval for each level, "
        "and a dotted diagonal.",
        data=said,
        size=(6.4, 4.0),
    )


def figure(data: Mapping[str, Any]) -> chart.Chart:
    """Share of right answers for each level of confidence, with 95 % intervals; on the diagonal is who knows."""
    pairs = [(entry["confidence"], entry["correct"]) for entry in data.values()]
    marks = [chart.line([0, 1], [0, 1], "grey", dash="2 4", label="as sure as right")]
    for low, high in zip((-1, *LEVELS), (*LEVELS, 1), strict=True):
        group = [pair for pair in pairs if low < pair[0] <= high]
        if not group:
            continue
        said, right, count = float(np.mean([pair[0] for pair in group])), sum(pair[1] for pair in group), len(group)
        marks.append(chart.line([said, said], interval(right, count), "blue", width=4))
        marks.append(chart.points([said], [right / count], "blue", size=6))
        marks.append(chart.text(said + 0.015, right / count, f"{right} of {count}"))
    return chart.chart(
        chart.panel(
            chart.axis("how sure you said you were", 0.4, 1.08),
            chart.axis("share of right answers", -0.03, 1.03),
            *marks,
            height=300,
        ),
        words=verdict(pairs),
    )


def verdict(pairs: list[tuple[float, bool]]) -> str:
    """The figure in a sentence. Args: pairs: confidence, and whether it was right."""
    count = len(pairs)
    if count < FEWEST:
        return (
            f"{count} of your predictions came with a confidence; from {FEWEST} on this says something. "
            "Say how sure you are when you commit a prediction."
        )
    said, hits = sum(pair[0] for pair in pairs) / count, sum(pair[1] for pair in pairs)
    low, high = interval(hits, count)
    if low <= said <= high:
        judged = "the two agree as far as so few answers can tell"
    else:
        judged = "you were surer than right" if said > hits / count else "you knew more than you trusted yourself"
    return (
        f"Over {count} predictions you were {said:.0%} sure and {hits / count:.0%} right "
        f"(95 % interval {low:.0%} to {high:.0%}): {judged}."
    )


def interval(right: int, count: int) -> tuple[float, float]:
    """Wilson's (1927) 95 % interval of a share, which also holds for few answers, all right or all wrong."""
    share, weight = right / count, Z * Z / count
    middle = (share + weight / 2) / (1 + weight)
    half = Z / (1 + weight) * float(np.sqrt(share * (1 - share) / count + weight / (4 * count)))
    return max(middle - half, 0.0), min(middle + half, 1.0)
