"""A line search: divergence and surrogate along one direction, true and modelled, and the lengths that are tried."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ....errors import InvalidInput
from .. import chart
from ..explainer import Explainer, Slider

FARTHEST = 2.0  # whole steps
LIMITS = Slider(0.01, 0.3, 0.01, 0.01, "max_kl [nats]")
FIRST = Slider(0.5, FARTHEST, 1.0, 0.1, "first length to try")


def figure(max_kl: float, first: float, data: dict[str, Any]) -> chart.Chart:
    """Both models and the truth, in units of the limit and of what the linear model promises for the whole step."""
    whole = np.sqrt(max_kl / data["max_kl"])  # in units of the data's lengths: the root in the step's length
    promised = data["slope"] * whole
    shares = np.linspace(0, FARTHEST, 81)

    def truth(name: str, share: Any) -> Any:
        return np.interp(np.asarray(share) * whole, data["lengths"], data[name])

    tried, taken = [], None
    for power in range(data["backtracks"]):
        share = first * data["shrink"] ** power
        tried.append(share)
        if truth("improvement", share) > 0 and truth("kl", share) <= max_kl:
            taken = share
            break
    refused = tried if taken is None else tried[:-1]
    if taken is None:
        verdict = f"None of the {len(tried)} lengths is allowed: the policy stays where it was."
    else:
        verdict = "Taken at once" if not refused else f"Refused {len(refused)} times, then taken"
        verdict += (
            f": length {taken:.2f}, with a KL of {truth('kl', taken):.4f} nats where {max_kl:.2f} are allowed, and an "
            f"improvement of {truth('improvement', taken):.4f} where the linear model says {promised * taken:.4f}."
        )
    x = chart.axis("length of the step, 1 = the whole step", 0, FARTHEST)

    def tries(name: str, unit: float) -> list[chart.Mark]:
        marks = [chart.points(refused, truth(name, refused) / unit, "ink", shape="cross", size=5)] if refused else []
        return marks + ([] if taken is None else [chart.points([taken], [truth(name, taken) / unit], "ink", size=6)])

    return chart.chart(
        chart.panel(
            x,
            chart.axis("KL / max_kl", 0, 4),
            chart.area([0, FARTHEST], [1, 1], [4, 4], "grey", label="not allowed"),
            chart.line(shares, truth("kl", shares) / max_kl, "vermillion", label="on the batch"),
            chart.line(shares, data["curvature"] * (shares * whole) ** 2 / 2 / max_kl, "blue", dash="5 4",
                       label="quadratic model"),
            *tries("kl", max_kl),
        ),
        chart.panel(
            x,
            chart.axis("improvement / promised at length 1", -0.5, 2),
            chart.rule("y", 0, "grey"),
            chart.line(shares, truth("improvement", shares) / promised, "vermillion", label="on the batch"),
            chart.line(shares, shares, "blue", dash="5 4", label="linear model"),
            *tries("improvement", promised),
        ),
        words=verdict,
    )  # fmt: skip


def step_length(
    lengths: ArrayLike,
    *,
    kl: ArrayLike,
    improvement: ArrayLike,
    curvature: float,
    slope: float,
    max_kl: float,
    backtracks: int,
    shrink: float,
) -> Explainer:
    """The explainer for one direction.

    Args: lengths: [K] from 0, in whole steps at the limit `max_kl`; at another limit the whole step is longer by the root of
    their ratio. kl, improvement: [K], measured at them. curvature, slope: of the models along the direction, by length.
    backtracks, shrink: of the line search. Raises: InvalidInput where shapes differ, or the lengths do not reach far enough.
    """
    x, *columns = (np.asarray(each, dtype=np.float64) for each in (lengths, kl, improvement))
    if any(column.shape != x.shape for column in columns):
        raise InvalidInput(
            f"lengths has shape {x.shape}, the columns {[column.shape for column in columns]}; give [K] each"
        )
    needed = FARTHEST * np.sqrt(LIMITS.high / max_kl)
    if x[0] != 0 or x[-1] < needed - 1e-9:
        raise InvalidInput(f"lengths go from {x[0]:g} to {x[-1]:g}; they must go from 0 to {needed:.4g}")
    return Explainer(
        "explainers/step_length",
        figure,
        {"max_kl": LIMITS, "first": FIRST},
        data={"lengths": x, "kl": columns[0], "improvement": columns[1], "curvature": curvature, "slope": slope,
              "max_kl": max_kl, "backtracks": backtracks, "shrink": shrink},
        alt="Left: divergence against the length of the step, on the batch and in the quadratic model, with the "
        "forbidden region above the limit. Right: improvement of the surrogate, on the batch and in the linear "
        "model. Points mark the lengths that are tried.",
        caption="Round: the length that is taken. Crosses: refused. TRPO tries length 1 first, and at 0.01 the "
        "models are close to the truth there. Raise the limit: which of the two models goes wrong first? Then "
        "begin with a longer step, and watch the search come back.",
        size=(9.5, 3.9),
    )  # fmt: skip
