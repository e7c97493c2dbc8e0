"""Does the critic know anything? Its values against the returns, with the one number that sums it up."""

from collections.abc import Mapping

from matplotlib.figure import Figure
from torch import Tensor

from ..diagnostics import explained_variance
from ..errors import InvalidInput
from .style import new_figure


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
