"""What a finale shows: the learner's curve on the reference's band, the learner's agent, and a sentence."""

import tempfile
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..statistics import moving_average
from . import page
from .bands import X_LABELS, claimed_band
from .guard import describe
from .plugin import Outcome, Plan, reference_curve
from .plugin_verdict import average_window
from .stages import stages_gif
from .style import COLOURS, LABELS, LINE_STYLES, new_figure

GIF_STEPS = 200  # 4 seconds of CartPole


def present(plan: Plan, outcome: Outcome) -> None:
    """Show the outcome: the curve on the reference's band, the GIF, the sentence."""
    if not len(outcome.returns):
        page.prose(outcome.sentence)
        return
    figure, caption = curve_figure(plan, outcome.returns, outcome.env_steps)
    _, smooth = drawn_curve(plan, outcome.returns, outcome.env_steps)
    count = len(outcome.returns)
    alt = f"Your learning curve over {count} episode{'s' * (count > 1)}, from {smooth[0]:.0f} at first to {smooth[-1]:.0f}."
    page.figure(figure, alt=alt, caption=caption)
    if outcome.policy is not None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "agent.gif"
            agents = {"random": None, "your agent": outcome.policy}
            try:
                stages_gif(agents, plan.env_id, path, seed=0, max_steps=GIF_STEPS)
            except Exception as error:  # the learner's network, in another batch size
                outcome.sentence += f" Your policy could not be filmed: {describe(error)}."
            else:
                page.gif(path, alt="Two agents side by side: one acts at random, the other is yours.", width=720)
    page.prose(outcome.sentence)


def drawn_curve(
    plan: Plan, returns: NDArray[np.float64], env_steps: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The points of the learner's curve: where it is, and the moving average there."""
    smooth = moving_average(returns, average_window(reference_curve(plan)))
    if plan.x_unit != "env_step" or env_steps is None:
        return np.arange(1, len(smooth) + 1), smooth
    # Environments that began together end together: one point for all of them, not a vertical line.
    last = np.append(np.diff(env_steps) > 0, True)
    return env_steps[last], smooth[last]


def curve_figure(
    plan: Plan, returns: NDArray[np.float64], env_steps: NDArray[np.int64] | None = None
) -> tuple[Figure, str]:
    """The learner's curve on the reference's band, and the caption."""
    figure, ax = new_figure()
    reference = reference_curve(plan)
    window = average_window(reference)
    if reference:
        label = f"{LABELS[plan.algorithm]}, {reference['n']} seed{'s' * (reference['n'] > 1)}"
        style = LINE_STYLES.get(plan.algorithm, "-")
        claimed_band(ax, reference, label=label, colour=COLOURS[plan.algorithm], style=style)
    x, smooth = drawn_curve(plan, returns, env_steps)
    ax.plot(x, smooth, color=COLOURS["learner"], label="yours, one seed")
    ax.set(xlabel=X_LABELS[plan.x_unit], ylabel="episodic return", xlim=(0, max(int(x[-1]), 10)))
    ax.legend(loc="best", frameon=False)
    caption = f"Moving average of {window} episodes."
    if reference:
        caption += " Line and band: interquartile mean of the reference and its 95 % bootstrap interval. "
        caption += "A right solution may leave the band: it is an interval of the mean, not of single runs."
    else:
        caption += " The reference's band is not measured in this copy, so your curve stands alone."
    return figure, caption
