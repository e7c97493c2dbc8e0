"""Logits divided by a temperature: how sure the softmax is, and its entropy."""

import math
from typing import Any

import numpy as np
import torch

from ....networks import Categorical
from .. import chart
from ..explainer import Choice, Explainer, Slider

LOGITS = {"one favourite": [1.0, 2.0, 4.0], "two rivals": [0.0, 3.0, 3.1], "all equal": [2.0, 2.0, 2.0]}
LOWEST, HIGHEST, POINTS = 0.1, 8.0, 120


def figure(temperature: float, logits: str, data: Any = None) -> chart.Chart:
    """Probabilities at a temperature, and the entropy at every temperature."""
    chosen = torch.tensor(LOGITS[logits], dtype=torch.float64)  # [A]
    temperatures = np.linspace(LOWEST, HIGHEST, POINTS)
    curve = Categorical(chosen / torch.from_numpy(temperatures)[:, None]).entropy()  # [POINTS]
    now = Categorical(chosen[None] / temperature)
    probabilities, entropy = now.probs[0].tolist(), float(now.entropy())
    most = math.log(3)
    shown = ", ".join(f"{each:.2f}" for each in probabilities)
    return chart.chart(
        chart.panel(
            chart.axis("action", -0.6, 2.6, ticks=[0, 1, 2], names=["0", "1", "2"]),
            chart.axis("probability", 0, 1),
            chart.bars([0, 1, 2], probabilities, "blue", width=0.6),
            chart.rule("y", 1 / 3, "grey", dash="2 4"),
        ),
        chart.panel(
            chart.axis("temperature", 0, HIGHEST),
            chart.axis("entropy [nats]", 0, 1.2),
            chart.line(temperatures, curve, "blue"),
            chart.rule("y", most, "grey", dash="2 4", label="log 3, the most possible"),
            chart.points([temperature], [entropy], "vermillion", size=6),
        ),
        words=f"Probabilities {shown}. The entropy is {entropy:.2f} nats, of at most {most:.2f}.",
    )


TEMPERATURE = Explainer(
    "explainers/temperature",
    figure,
    {
        "logits": Choice(tuple(LOGITS), "one favourite", "logits"),
        "temperature": Slider(LOWEST, HIGHEST, 1.0, 0.1, "temperature"),
    },
    alt="Left: three bars, the probability of each action, and a dotted line at one third. Right: entropy against "
    "temperature, rising towards log 3, with a point at the present temperature.",
    caption="One favourite: logits 1, 2, 4. Two rivals: 0, 3, 3.1. All equal: 2, 2, 2. Only differences divided by the "
    "temperature count.",
    size=(7.6, 3.2),
)
