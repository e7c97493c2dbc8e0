"""Bias against noise of an advantage whose truth is known, at the fork of the long corridor, for every λ."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import chart
from ..explainer import Choice, Explainer, Slider

EPISODES = ("8", "32", "128", "512", "2048")
HIGHEST = 2.0  # of the axis, in rewards: twice of what is to be seen


def figure(gae_lambda: float, episodes: str, updates: str, data: Any) -> chart.Chart:
    """Size of the bias, noise over so many episodes, and both together, with a point at the chosen λ and one at the least.

    Args: data: {"lambdas": [L], "critics": {words: {"bias": [L], "noise": [L]}}}.
    """
    lambdas = np.array(data["lambdas"])
    known = data["critics"][updates]
    bias, noise = np.abs(known["bias"]), np.sqrt(4 / int(episodes)) * np.array(known["noise"])
    error = np.sqrt(bias**2 + noise**2)
    here, best = int(np.abs(lambdas - gae_lambda).argmin()), int(error.argmin())
    return chart.chart(
        chart.panel(
            chart.axis("λ", -0.02, 1.02, ticks=[0, 0.2, 0.4, 0.6, 0.8, 1]),
            chart.axis("error [reward]", 0, HIGHEST, ticks=[0, 0.5, 1, 1.5, 2]),
            chart.rule("y", 1, "grey", label="the effect to be seen", dash="2 3"),
            chart.line(lambdas, bias, "vermillion", label="size of the bias", dash="6 4"),
            chart.line(lambdas, noise, "blue", label="noise", dash="8 3 2 3"),
            chart.line(lambdas, error, "ink", label="error: both together", width=2.5),
            chart.points([lambdas[best]], [error[best]], "green", label="the least error", size=6, shape="square"),
            chart.points([lambdas[here]], [error[here]], "ink", label="your λ", size=6),
            height=270,
        ),
        words=f"Averaged over {episodes} episodes, the advantage at λ = {lambdas[here]:.2f} is off by {error[here]:.2f}: bias "
        f"{bias[here]:.2f}, noise {noise[here]:.2f}. The least error is {error[best]:.2f}, at λ = {lambdas[best]:.2f}.",
    )


def fork_error(lambdas: ArrayLike, critics: Mapping[str, tuple[ArrayLike, ArrayLike]], *, shown: str) -> Explainer:
    """The explainer for measured biases and noises.

    Args: lambdas: [L], evenly spaced from 0 to 1. critics: words -> bias [L] and noise of one episode [L], in rewards.
    shown: the words of the critic that stands there first.
    """
    points = np.round(np.asarray(lambdas, dtype=np.float64), 6)
    known = {
        words: {"bias": np.round(np.asarray(bias), 5).tolist(), "noise": np.round(np.asarray(noise), 5).tolist()}
        for words, (bias, noise) in critics.items()
    }
    return Explainer(
        "explainers/fork_error",
        figure,
        {
            "gae_lambda": Slider(0.0, 1.0, 0.95, float(points[1] - points[0]), "λ"),
            "episodes": Choice(EPISODES, "512", "episodes averaged"),
            "updates": Choice(tuple(known), shown, "critic after"),
        },
        alt="Bias falls and noise grows with lambda; their root sum of squares has a minimum that moves with the number of "
        "episodes and with the training of the critic.",
        caption="More episodes: the λ of the least error moves to the right, or stays. More training is not the same as less "
        "bias: look at λ = 0 after 10, 30 and 100 updates.",
        data={"lambdas": points.tolist(), "critics": known},
        size=(8.0, 4.4),
    )
