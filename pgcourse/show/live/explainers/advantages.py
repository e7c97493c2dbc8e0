"""GAE taken apart: TD errors, how much each counts in the advantage of one step, and the advantages of all steps."""

from typing import Any

import torch
from torch import Tensor

from ....returns import gae
from ....rollout import Rollout
from ...figures.returns import gae_weights
from .. import chart
from ..explainer import Explainer, Slider

GAMMA = Slider(0.8, 1.0, 0.99, 0.01, "discount γ")
LAMBDA = Slider(0.0, 1.0, 0.95, 0.05, "λ")


def figure(gamma: float, gae_lambda: float, step: float, data: Any) -> chart.Chart:
    """TD errors and what they count, their weights, and the advantages for λ = 0, λ = 1 and the chosen λ.

    Args: data: of `advantages_of`.
    """
    columns = _columns(data)
    start = int(step)
    terminated, truncated = columns[3][:, 0], columns[4][:, 0]
    deltas = gae(*columns, gamma=gamma, gae_lambda=0.0)[:, 0]  # [T], the TD errors
    whole = gae(*columns, gamma=gamma, gae_lambda=1.0)[:, 0]
    chosen = gae(*columns, gamma=gamma, gae_lambda=gae_lambda)[:, 0]
    weights = gae_weights(terminated, truncated, gamma=gamma, gae_lambda=gae_lambda, start=start)
    steps = list(range(len(deltas)))
    ends = [t for t in steps if terminated[t] or truncated[t]]
    end = next((t for t in ends if t >= start), None)
    until = f"the end of the episode at step {end}" if end is not None else "the end of the rollout"
    low, high = -1, len(steps)
    rules = [chart.rule("x", t + 0.5, "purple", width=2) for t in ends]
    zero = chart.rule("y", 0, "grey", width=1)
    return chart.chart(
        chart.panel(
            chart.axis("", low, high),
            chart.axis("TD error δ", *data["delta_limits"]),
            chart.bars(steps, deltas, "pale", label="TD error δ"),
            chart.bars(steps, weights * deltas, "vermillion", width=0.45, label="what it counts: (γλ)ᵏ δ"),
            zero, *rules, height=120,
        ),
        chart.panel(
            chart.axis("", low, high),
            chart.axis("weight (γλ)ᵏ", 0, 1.08, ticks=[0, 0.5, 1]),
            chart.bars(steps, weights, "vermillion", width=0.45),
            *rules, height=80,
        ),
        chart.panel(
            chart.axis("step of the rollout", low, high),
            chart.axis("advantage A", *data["advantage_limits"]),
            zero, *rules,
            chart.line(steps, deltas, "blue", label="λ = 0", dash="6 4", width=1.5),
            chart.line(steps, whole, "orange", label="λ = 1", dash="2 3", width=1.5),
            chart.line(steps, chosen, "green", label="your λ", width=2.5),
            chart.points([start], [float(chosen[start])], "vermillion", label="your step", size=6),
            height=170,
        ),
        columns=1,
        words=f"A at step {start} is {float(chosen[start]):+.2f}: the sum of the narrow bars, up to {until}. "
        f"The weights sum to {sum(weights.tolist()):.1f}.",
    )  # fmt: skip


def advantages_of(rollout: Rollout, *, column: int = 0, step: int = 30) -> Explainer:
    """The explainer for one environment of a rollout. Args: rollout: [T, N]. step: whose advantage stands there first."""
    names = ("rewards", "values", "next_values", "terminated", "truncated")
    fields = {name: getattr(rollout, name)[:, column] for name in names}
    data: dict[str, Any] = {
        name: field.int().tolist() if field.dtype == torch.bool else field.double().numpy().round(4).tolist()
        for name, field in fields.items()
    }
    corners = {
        end: torch.cat([gae(*_columns(data), gamma=gamma, gae_lambda=end) for gamma in (GAMMA.low, 1.0)])
        for end in (0.0, 1.0)
    }
    # Of every γ and λ at once, so that no axis moves; rounded outwards to whole numbers.
    data["delta_limits"] = _limits(corners[0.0])
    data["advantage_limits"] = _limits(torch.cat([*corners.values()]))
    return Explainer(
        "explainers/advantages",
        figure,
        {"gamma": GAMMA, "gae_lambda": LAMBDA, "step": Slider(0, len(data["rewards"]) - 1, step, 1, "step")},
        alt="Three panels over the steps of a rollout: TD errors as bars, and inside them narrower bars, what each counts in the "
        "advantage of one step; below their weights, which fall by gamma lambda and stop at the end of the episode; at the "
        "bottom the advantages for lambda 0, lambda 1 and the chosen lambda.",
        caption="Upright lines are ends of episodes. Move λ from 0 to 1: the green line goes from the dashed one to the dotted "
        "one. Move the step across an end: no weight ever crosses it.",
        data=data,
        size=(9.0, 6.4),
    )


def _columns(data: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Rewards, values, next values, terminated and truncated, each [T, 1]."""
    rewards, values, next_values = (
        torch.tensor(data[name], dtype=torch.float64)[:, None] for name in ("rewards", "values", "next_values")
    )
    terminated, truncated = (
        torch.tensor(data[name], dtype=torch.bool)[:, None] for name in ("terminated", "truncated")
    )
    return rewards, values, next_values, terminated, truncated


def _limits(numbers: Tensor) -> list[float]:
    low, high = float(numbers.min()), float(numbers.max())
    room = 0.06 * (high - low)
    return [float(torch.tensor(low - room).floor()), float(torch.tensor(high + room).ceil())]
