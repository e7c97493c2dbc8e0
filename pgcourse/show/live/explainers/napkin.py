"""Two decisions: what the values at the start are, by what the policy does on the bridge and by the discount."""

from typing import Any

import numpy as np

from .. import chart
from ..explainer import Explainer, Slider

LEFT, TOLL, PRIZE = 1.0, -1.0, 4.0  # rewards: left at the start; right at the start; right on the bridge
EQUAL = 1e-9


def figure(right_on_bridge: float, gamma: float, data: Any = None) -> chart.Chart:
    """Q of both actions at the start, where a coin is tossed, and V, their mean."""
    q_right = TOLL + gamma * PRIZE * right_on_bridge
    value = (LEFT + q_right) / 2
    advantage = LEFT - value
    across = np.array([0.0, 1.0])  # of p: the lines are straight
    rising = TOLL + gamma * PRIZE * across
    if abs(advantage) < EQUAL:
        better = "Both are equally good"
    else:
        better = f"{'Left' if advantage > 0 else 'Right'} is better than what the coin does on average"
    return chart.chart(
        chart.panel(
            chart.axis("action at the start", -0.6, 1.6, ticks=[0, 1], names=["left", "right"]),
            chart.axis("Q(start, action)", -1.2, 3.2),
            chart.bars([0], [LEFT], "blue", width=0.5),
            chart.bars([1], [q_right], "vermillion", width=0.5),
            chart.rule("y", 0, "grey"),
            chart.rule("y", value, "ink", dash="6 4", label="V(start), their mean"),
        ),
        chart.panel(
            chart.axis("probability p of right on the bridge", 0, 1),
            chart.axis("Q(start, action)", -1.2, 3.2),
            chart.line(across, [LEFT, LEFT], "blue", label="left"),
            chart.line(across, rising, "vermillion", label="right"),
            chart.rule("x", right_on_bridge, "grey", dash="2 4"),
            chart.points([right_on_bridge], [LEFT], "blue", size=5),
            chart.points([right_on_bridge], [q_right], "vermillion", size=5),
        ),
        words=f"Q(left) = {LEFT:.2f}, Q(right) = {q_right:.2f}, V = {value:.2f}. {better}: "
        f"the advantage of left is {advantage:+.2f}, of right {q_right - value:+.2f}.",
    )


NAPKIN = Explainer(
    "explainers/napkin",
    figure,
    {
        "right_on_bridge": Slider(0.0, 1.0, 0.5, 0.05, "probability p of right on the bridge"),
        "gamma": Slider(0.0, 1.0, 0.9, 0.05, "discount γ"),
    },
    alt="Left: two bars, the values Q of going left and of going right at the start, and a dashed line at V, their mean. "
    "Right: both values against the probability of going right on the bridge: left is level, right rises.",
    caption="The start still tosses a coin. Going left is worth the same whatever comes later; going right is worth what you "
    "then do on the bridge.",
    size=(7.6, 3.4),
)
