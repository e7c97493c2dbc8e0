"""A Gaussian over one action with bounds: how much of it they cut off, and what that does to the mean."""

from typing import Any

import numpy as np
import torch
from torch.distributions import Normal

from ....errors import InvalidInput
from .. import chart
from ..explainer import Explainer, Slider

LOW, HIGH = -2.0, 2.0  # N m, of the pendulum's motor
REACH = 6.0  # N m, of the axis
GRID = 121


def clipped_shares(mean: float, std: float, low: float, high: float) -> tuple[float, float, float]:
    """Probabilities that a sample lies below `low`, between, and above `high`; they sum to 1.

    Raises: InvalidInput where std is not positive or low is not below high.
    """
    if not std > 0 or not low < high:
        raise InvalidInput(f"std={std}, bounds {low} to {high} are not allowed; use std > 0 and low < high")
    below, up_to_high = Normal(mean, std).cdf(torch.tensor([low, high], dtype=torch.float64)).tolist()
    return below, up_to_high - below, 1 - up_to_high


def applied_mean(mean: float, std: float, low: float, high: float) -> float:
    """Mean of the sample after clipping to [low, high].

    Inside, x p(x) integrates to  mean * share - std^2 * (p(high) - p(low)); the two ends add their mass times the bound.
    """
    below, inside, above = clipped_shares(mean, std, low, high)
    density = Normal(mean, std).log_prob(torch.tensor([low, high], dtype=torch.float64)).exp()
    return below * low + above * high + mean * inside - std**2 * float(density[1] - density[0])


def figure(mean: float, std: float, data: Any = None) -> chart.Chart:
    """Left the policy's density with the parts beyond the bounds shaded; right what the environment applies."""
    below, inside, above = clipped_shares(mean, std, LOW, HIGH)
    applied = applied_mean(mean, std, LOW, HIGH)
    x = np.linspace(-REACH, REACH, GRID)
    density = np.exp(-0.5 * ((x - mean) / std) ** 2)
    left, right = x <= LOW, x >= HIGH
    shares = [below, inside, above]
    return chart.chart(
        chart.panel(
            chart.axis("sampled torque u [N m]", -REACH, REACH, ticks=[-6, -4, -2, 0, 2, 4, 6]),
            chart.axis("density / its peak", 0, 1.1, ticks=[0, 0.5, 1]),
            chart.area(x[left], np.zeros(left.sum()), density[left], "vermillion", label="cut off"),
            chart.area(x[right], np.zeros(right.sum()), density[right], "vermillion"),
            chart.line(x, density, "blue", label="the policy"),
            chart.rule("x", LOW, "grey", dash="2 3"),
            chart.rule("x", HIGH, "grey", dash="2 3"),
            chart.rule("x", mean, "blue", label="mean sampled", dash="6 4"),
            chart.rule("x", applied, "vermillion", label="mean applied"),
        ),
        chart.panel(
            chart.axis("torque applied [N m]", -0.6, 2.6, ticks=[0, 1, 2], names=["−2", "between", "+2"]),
            chart.axis("probability", 0, 1.1, ticks=[0, 0.5, 1]),
            chart.bars([0, 2], [below, above], "vermillion", width=0.6),
            chart.bars([1], [inside], "blue", width=0.6),
            *(chart.text(place, share + 0.06, f"{share:.2f}", anchor="middle") for place, share in enumerate(shares)),
        ),
        words=f"{100 * below:.0f} % of the samples lie below −2 N m, {100 * above:.0f} % above +2. The mean sampled is "
        f"{mean:+.1f} N m, the mean applied {applied:+.2f} N m.",
    )


BOUNDS = Explainer(
    "explainers/bounds",
    figure,
    {
        "mean": Slider(-4.0, 4.0, 1.5, 0.1, "mean [N m]"),
        "std": Slider(0.1, 4.0, 1.0, 0.1, "standard deviation [N m]"),
    },
    alt="Left: a bell curve over the sampled action, shaded beyond the bounds of -2 and 2, with two upright lines: the mean "
    "sampled, and the mean applied, which lies further inside. Right: three bars, the probabilities that the applied torque "
    "is the lower bound, something between, or the upper bound.",
    caption="Dotted: the bounds. What lies beyond is applied as ±2, so the mean applied is pulled inwards.",
    size=(9.0, 3.6),
)
