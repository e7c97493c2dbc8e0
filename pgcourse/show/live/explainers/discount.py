"""What a discount does: three episodes with the same total reward."""

from typing import Any

import numpy as np
import torch

from ....returns import discounted_returns
from .. import chart
from ..explainer import Choice, Explainer, Slider

LENGTH = 40  # steps of an episode
# Episodes with the same undiscounted return of 20, so that only the discount tells them apart.
EPISODES: dict[str, list[float]] = {
    "a reward each second step": [0.0, 1.0] * (LENGTH // 2),
    "all at the end": [0.0] * (LENGTH - 1) + [20.0],
    "a price first, then more": [-20.0] + [40.0 / (LENGTH - 1)] * (LENGTH - 1),
}
# Fixed for all values of the controls: an axis that rescales would hide the fall of the return.
REWARD_LIMITS = {
    "a reward each second step": (0.0, 1.2),
    "all at the end": (0.0, 22.0),
    "a price first, then more": (-22.0, 4.0),
}


def figure(episode: str, gamma: float, start: int, data: Any = None) -> chart.Chart:
    """Rewards of an episode, what each counts in the return from step `start`, and the return from every step."""
    rewards = np.array(EPISODES[episode])  # [T]
    returns = discounted_returns(torch.from_numpy(rewards), gamma=gamma).numpy()  # [T]
    steps = np.arange(LENGTH)
    counted = np.where(steps < start, 0.0, float(gamma) ** np.maximum(steps - start, 0)) * rewards  # [T]
    now = float(returns[int(start)])
    horizon = (
        f"the weights of an endless episode sum to {1 / (1 - gamma):.1f}" if gamma < 1 else "all rewards count the same"
    )
    across = chart.axis("step of the episode", -1, LENGTH)
    return chart.chart(
        chart.panel(
            across,
            chart.axis("reward", *REWARD_LIMITS[episode]),
            chart.bars(steps, rewards, "pale", label="reward r"),
            chart.bars(steps, counted, "vermillion", width=0.45, label="what it counts from the chosen step: γᵏ r"),
            height=190,
        ),
        chart.panel(
            across,
            chart.axis("return G", -22, 22),
            chart.line(steps, returns, "blue", label="return G from each step"),
            chart.points([start], [now], "vermillion", size=6),
            chart.rule("y", 0, "grey"),
            height=190,
        ),
        columns=1,
        words=f"G at step {start:.0f} is {now:.2f}: the sum of the narrow bars. At γ = {gamma:.2f} {horizon}.",
    )


DISCOUNT = Explainer(
    "explainers/discount",
    figure,
    {
        "episode": Choice(tuple(EPISODES), "a reward each second step", "rewards"),
        "gamma": Slider(0.0, 1.0, 0.9, 0.01, "discount γ"),
        "start": Slider(0, LENGTH - 1, 0, 1, "step"),
    },
    alt="Above: the rewards of an episode as bars, and inside them narrower bars, what each counts in the return of one "
    "step: they shrink with the distance. Below: the return from each step as a line, with a point at that step.",
    caption="All three episodes have a total reward of 20. How much each is worth at step 0 depends on γ.",
    size=(7.6, 5.4),
)
