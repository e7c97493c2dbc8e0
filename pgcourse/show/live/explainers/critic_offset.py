"""A critic that is off by a constant: what notices it, and what does not."""

from typing import Any

from torch import Tensor

from ....diagnostics import explained_variance
from ....errors import InvalidInput
from .. import chart
from ..explainer import Explainer, Slider

REACH = 60  # of the offset
DOTS = 400  # that are drawn; the numbers are of all rows


def figure(offset: float, data: Any) -> chart.Chart:
    """Returns against shifted values; the means and the typical error as bars."""
    mean_value, mean_return = data["mean_value"] + offset, data["mean_return"]
    error = (data["variance"] + (mean_value - mean_return) ** 2) ** 0.5  # root of the mean square of V - G
    low, high = data["low"], data["high"]
    middle = data["mean_value"]
    return chart.chart(
        chart.panel(
            chart.axis("V(s) + offset", low, high),
            chart.axis("return G", 0, data["top"]),
            chart.points([value + offset for value in data["values"]], data["returns"], "blue", size=2),
            chart.line([low, high], [low, high], "ink", width=1.5, label="V = G"),
        ),
        chart.panel(
            chart.axis(
                "over the visited states", -0.6, 2.6, ticks=[0, 1, 2], names=["mean of G", "mean of V", "typical error"]
            ),
            chart.axis("discounted steps", min(0, middle - REACH), middle + 1.2 * REACH),
            chart.bars([0], [mean_return], "vermillion", width=0.6),
            chart.bars([1], [mean_value], "blue", width=0.6),
            chart.bars([2], [error], "grey", width=0.6),
            chart.rule("y", 0, "grey"),
        ),
        words=f"Offset {offset:+.0f}: explained variance {data['explained']:.2f}, as at every offset. The mean of V is "
        f"{mean_value:.1f}, that of G {mean_return:.1f}; the typical error is {error:.1f}.",
    )


def critic_offset(values: Tensor, returns: Tensor) -> Explainer:
    """The figure for a critic's values [B] and the returns [B] of the same states.

    Raises: InvalidInput where the shapes differ.
    """
    if values.shape != returns.shape or values.dim() != 1:
        raise InvalidInput(
            f"values {list(values.shape)} and returns {list(returns.shape)} do not fit; give two of shape [B]"
        )
    every = max(1, -(-len(values) // DOTS))
    dots = [[round(each, 2) for each in column[::every].tolist()] for column in (values, returns)]
    return Explainer(
        "explainers/critic_offset",
        figure,
        {"offset": Slider(-REACH, REACH, 0, 1, "offset added to V")},
        alt="Left: returns against values, a cloud that moves sideways with the offset. Right: bars for the mean of G, the mean "
        "of V and the typical error.",
        caption="The typical error is the root of the mean squared error.",
        data={
            "values": dots[0],
            "returns": dots[1],
            "mean_value": float(values.mean()),
            "mean_return": float(returns.mean()),
            "variance": float((returns - values).var(correction=0)),
            "explained": float(explained_variance(values, returns)),
            "low": round(float(values.min()) - REACH),
            "high": round(float(values.max()) + REACH),
            "top": round(1.05 * float(returns.max())),
        },
        size=(7.6, 3.6),
    )
