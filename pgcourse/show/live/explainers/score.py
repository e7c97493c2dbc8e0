"""A Gaussian policy that becomes sure: the score of its mean grows as it narrows, that of its width does not."""

import math
from typing import Any

import numpy as np
import torch

from .. import chart
from ..explainer import Explainer, Slider

GRID = 161
BELL = (-45.0, 60.0)  # where the density stands in the panel, and its height there
WIDTHS = (0.05, 2.0)  # N m, of the slider and of the right panel
SAMPLES = 80


def figure(std: float, data: Any = None) -> chart.Chart:
    """Left samples with their scores, the density behind them; right the spread of both scores against the width.

    Args: data: {"noise": [S]} of a standard normal.
    """
    x = np.linspace(-2, 2, GRID)
    foot, height = BELL
    u = std * np.array(data["noise"])  # [S]
    bell = foot + height * np.exp(-0.5 * (x / std) ** 2)
    return chart.chart(
        chart.panel(
            chart.axis("sample minus mean, u − μ [N m]", -2, 2, ticks=[-2, -1, 0, 1, 2]),
            chart.axis("score of the mean [1 / (N m)]", -45, 45, ticks=[-40, -20, 0, 20, 40]),
            chart.area(x, np.full(GRID, foot), bell, "blue", label="density, peak scaled"),
            chart.line([-2, 2], [-2 / std**2, 2 / std**2], "grey", label="(u − μ) / σ²", width=1),
            chart.points(u, u / std**2, "vermillion", label="samples", size=2.5),
        ),
        chart.panel(
            chart.axis("standard deviation σ [N m]", *WIDTHS, ticks=[0.05, 0.1, 0.2, 0.5, 1, 2], log=True),
            chart.axis("spread of the score", 0.4, 25, ticks=[0.5, 1, 2, 5, 10, 20], log=True),
            chart.line(WIDTHS, [1 / width for width in WIDTHS], "vermillion", label="of the mean: 1/σ"),
            chart.line(WIDTHS, [math.sqrt(2)] * 2, "green", label="of log σ: √2", dash="6 4"),
            chart.points([std, std], [1 / std, math.sqrt(2)], "ink", size=5),
        ),
        words=f"At σ = {std:.2f} N m the score of the mean spreads by 1/σ = {1 / std:.1f} per N m, "
        f"that of log σ by √2 = 1.4, as at every σ.",
    )  # fmt: skip


def _noise() -> list[float]:
    return torch.randn(SAMPLES, generator=torch.Generator().manual_seed(0)).double().numpy().round(4).tolist()


SCORE = Explainer(
    "explainers/score",
    figure,
    {"std": Slider(*WIDTHS, 1.0, 0.05, "standard deviation σ [N m]")},
    alt="Left: a bell curve, and the scores of samples from it, on a straight line whose slope grows as the bell narrows. "
    "Right, on logarithmic axes: the spread of the mean's score falls with the standard deviation as 1 / σ, that of log σ is "
    "constant.",
    caption="Left: eighty samples of the policy, each with its score. Right: how far scores spread, on logarithmic axes.",
    data={"noise": _noise()},
    size=(9.0, 3.6),
)
