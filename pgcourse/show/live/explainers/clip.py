"""PPO's clip up close: one row of a batch, with a good action and with a bad one, at any probability ratio."""

from typing import Any

import numpy as np

from ...figures.clip import gradient_stops, objective
from .. import chart
from ..explainer import Explainer, Slider

REACH = 0.24  # of the arrow, along each axis
TITLES = {1: "A good action: A > 0", -1: "A bad action: A < 0"}


def verdict(ratio: float, sign: int, stops: bool) -> str:
    """What the clipped objective does with this row, after "A good action"."""
    if stops:
        return f"is {'likelier' if sign > 0 else 'rarer'} by enough: gradient 0"
    if ratio == 1:
        return f"is as likely as before: the gradient makes it {'likelier' if sign > 0 else 'rarer'}"
    now = "likelier than before" if ratio > 1 else "rarer than before"
    back = (ratio > 1) == (sign < 0)
    return f"is {now}: the gradient makes it {'likelier' if sign > 0 else 'rarer'}{' again' if back else ''}"


def figure(ratio: float, clip_coef: float, data: Any = None) -> chart.Chart:
    """The unclipped and the clipped term and the smaller of the two, for both signs, with the row at its ratio."""
    low, high = 1 - clip_coef, 1 + clip_coef
    grid = np.array([0, low, high, 2])  # straight between these
    panels = []
    for sign, title in TITLES.items():
        stops = bool(gradient_stops(ratio, sign, clip_coef))
        height = float(objective(ratio, sign, clip_coef))
        flat = (high + 2) / 2 if sign > 0 else low / 2
        row = (
            [chart.points([ratio], [height], "blue", label="your row: gradient 0", size=6, shape="square")]
            if stops
            else [
                chart.arrow([ratio, ratio + REACH * sign], [height, height + REACH], "vermillion", width=2.5),
                chart.points([ratio], [height], "vermillion", label="your row: uphill", size=6),
            ]
        )
        panels.append(
            chart.panel(
                chart.axis("probability ratio ρ", 0, 2, ticks=[0, 0.5, 1, 1.5, 2]),
                chart.axis("objective for |A| = 1", *((0, 2.3) if sign > 0 else (-2, 0.3))),
                chart.rule("x", low, "grey", dash="2 3"),
                chart.rule("x", high, "grey", dash="2 3"),
                chart.line(grid, grid * sign, "grey", label="ρ A", dash="6 4"),
                chart.line(grid, np.clip(grid, low, high) * sign, "grey", label="clip(ρ) A", dash="2 3"),
                chart.line(grid, objective(grid, sign, clip_coef), "ink", label="the smaller one", width=3.5),
                *row,
                chart.text(
                    flat, float(objective(flat, sign, clip_coef)) - 0.15, "flat: gradient 0", "blue", anchor="middle"
                ),
                title=title,
            )
        )
    good, bad = (verdict(ratio, sign, bool(gradient_stops(ratio, sign, clip_coef))) for sign in TITLES)
    return chart.chart(
        *panels,
        words=f"At ρ = {ratio:.2f}, with the interval from {low:.2f} to {high:.2f}: a good action {good}. A bad action {bad}.",
    )


CLIP = Explainer(
    "explainers/clip",
    figure,
    {
        "ratio": Slider(0.0, 2.0, 1.35, 0.05, "probability ratio ρ"),
        "clip_coef": Slider(0.05, 0.5, 0.2, 0.05, "clip_coef ε"),
    },
    alt="Two panels, for a good and for a bad action: the clipped objective against the probability ratio as a bold line, "
    "the unclipped and the clipped term in grey, and a point at the chosen ratio. The point is round with an arrow uphill "
    "where the gradient flows, square where it is zero.",
    caption="The same ratio in both panels. The arrow is the way that a gradient step moves this row; a square has no arrow.",
    size=(9.0, 3.8),
)
