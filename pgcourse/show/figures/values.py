"""What a critic has learnt: its values against the returns, and what its diagnostics can and cannot see."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from torch import Tensor

from ...diagnostics import explained_variance
from ...errors import InvalidInput
from ..page.style import new_figure
from .curves import claimed_band

Panels = Sequence[tuple[Mapping[str, Any], str, str]]  # curve of a claims file, label, colour


def critic_panels(columns: Mapping[str, tuple[Panels, Mapping[str, Any]]], *, mean_top: float = 110.0) -> Figure:
    """For each critic: the means of V and G on one panel, and its explained variance below.

    Args: columns: title -> (curves of the upper panel with label and colour, the curve of explained variance), all of a
    claims file.
    """
    if not columns:
        raise InvalidInput("no critic to draw; give {title: (curves of the means, curve of explained variance)}")
    figure, axes = new_figure(
        rows=2, columns=len(columns), width=9.5, height=5.4, sharex=True, sharey="row", squeeze=False
    )
    for top, bottom, (title, (means, explained)) in zip(axes[0], axes[1], columns.items(), strict=True):
        for curve, label, colour in means:
            claimed_band(top, curve, label=label, colour=colour)
        claimed_band(bottom, explained, label="explained variance", colour="#777777")
        bottom.axhline(0, color="black", linewidth=0.8)
        top.set_title(title, loc="left")
        top.set_ylim(0, mean_top)
        bottom.set(xlabel=explained["x_unit"], ylim=(-0.3, 1))
    axes[0, 0].set_xlim(0, min(explained["x"][-1] for _, explained in columns.values()))  # of the shortest run
    axes[0, 0].set_ylabel("mean over the batch\n[discounted steps]")
    axes[1, 0].set_ylabel("explained variance")
    axes[0, 0].legend(loc="lower right", frameon=False)
    return figure


def value_fit(pairs: Mapping[str, tuple[Tensor, Tensor]], *, points: int = 600) -> Figure:
    """Returns against values, one panel for each critic; a perfect critic's points lie on the diagonal.

    Args: pairs: title -> (values [B], returns [B]), in units of reward. points: at most so many dots a panel, spread
    evenly over the rows; the numbers are of all rows. Raises: InvalidInput without a pair.
    """
    if not pairs:
        raise InvalidInput("no critic to draw; give {'after training': (values, returns)}")
    figure, axes = new_figure(columns=len(pairs), width=9.5, height=3.9, sharex=True, sharey=True, squeeze=False)
    both = [tensor for pair in pairs.values() for tensor in pair]
    low, high = min(float(each.min()) for each in both), max(float(each.max()) for each in both)
    margin = 0.05 * (high - low)
    for ax, (title, (values, returns)) in zip(axes[0], pairs.items(), strict=True):
        keep = slice(None, None, max(len(values) // points, 1))
        ax.plot([low, high], [low, high], color="black", linewidth=1, label="V = G")
        ax.plot(values[keep].numpy(), returns[keep].numpy(), ".", color="#0072B2", alpha=0.35, markersize=5)
        ax.plot(float(values.mean()), float(returns.mean()), "D", color="#D55E00", markersize=8, label="the two means")
        explained = float(explained_variance(values, returns))
        ax.set_title(
            f"{title}\nexplained variance {explained:+.2f}\nmeans: V {float(values.mean()):.1f}, "
            f"G {float(returns.mean()):.1f}",
            fontsize=10,
            loc="left",
        )
        ax.set(xlabel="critic's V [reward]", xlim=(low - margin, high + margin), ylim=(low - margin, high + margin))
    axes[0][0].set_ylabel("target G [reward]")
    axes[0][0].legend(loc="upper left")
    return figure
