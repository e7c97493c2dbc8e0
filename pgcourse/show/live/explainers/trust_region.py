"""The same divergence from a Gaussian policy: its true region, the ellipse that models it, and two steps to its edge."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import chart
from ..explainer import Explainer, Slider

BEST_ACTION = 1.0
POINTS = 120  # of half an edge
BISECTIONS = 60


def figure(std: float, max_kl: float, data: Any = None) -> chart.Chart:
    """The plane of changes of (mean, log std), and the policies that both steps lead to."""
    mean, log_std = region(std, max_kl)
    turn = np.linspace(0, 2 * np.pi, 2 * POINTS)
    half_mean, half_log_std = std * np.sqrt(2 * max_kl), np.sqrt(max_kl)  # half axes of the ellipse
    steps = steps_to_the_edge(std, max_kl)
    plain, natural = steps["gradient"], steps["natural gradient"]
    gain = np.array([2 * BEST_ACTION, -2 * std**2])
    along = 10 * np.array([-gain[1], gain[0]]) / np.linalg.norm(gain)
    actions = np.linspace(-4, 5, 181)
    after = {name: (step[0], std * np.exp(step[1])) for name, step in steps.items()}
    cost = {name: float(gaussian_kl(std, step[0], np.log(std) + step[1])) for name, step in steps.items()}
    angle = np.degrees(np.arccos(min(1.0, plain @ natural / np.linalg.norm(plain) / np.linalg.norm(natural))))
    return chart.chart(
        chart.panel(
            chart.axis("change of the mean", -1.4, 2.4),
            chart.axis("change of log std", -1.0, 1.0),
            chart.line(mean, log_std, "ink", label="KL is max_kl"),
            chart.line(
                half_mean * np.cos(turn), half_log_std * np.sin(turn), "grey", dash="5 4", label="its quadratic model"
            ),
            chart.line(
                [natural[0] - along[0], natural[0] + along[0]], [natural[1] - along[1], natural[1] + along[1]], "green",
                width=1, label="equal gain, linear model",
            ),
            chart.arrow([0, plain[0]], [0, plain[1]], "blue", width=2.5, label="gradient"),
            chart.arrow([0, natural[0]], [0, natural[1]], "vermillion", width=2.5, label="natural gradient"),
            aspect="equal",
        ),
        chart.panel(
            chart.axis("action", -4, 5),
            chart.axis("density", 0, 1.25),
            chart.rule("x", BEST_ACTION, "ink", width=1, label="best action"),
            chart.line(actions, density(actions, 0.0, std), "grey", dash="5 4", label="old policy"),
            chart.line(actions, density(actions, *after["gradient"]), "blue", label="after the gradient"),
            chart.line(
                actions, density(actions, *after["natural gradient"]), "vermillion", label="after the natural gradient"
            ),
            height=205,
        ),
        words=f"Mean squared distance of an action from the best one: {expected_distance(0, std):.2f} before, "
        f"{expected_distance(*after['gradient']):.2f} after the gradient, "
        f"{expected_distance(*after['natural gradient']):.2f} after the natural gradient. Both steps end on the ellipse; their "
        f"true KL is {cost['gradient']:.3f} and {cost['natural gradient']:.3f}. The angle between them is {angle:.0f}°.",
    )  # fmt: skip


def region(std: float, max_kl: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The closed curve of all changes of mean and of log std that cost exactly max_kl.

    KL = s + (std² + m²) / (2 std² e^{2s}) - 1/2, so m² = std² (e^{2s} (2 max_kl + 1 - 2s) - 1), where that is not negative.
    """
    low, high = (_root(max_kl, side) for side in (-1, 1))
    turn = np.linspace(0, np.pi, POINTS)
    s = (low + high) / 2 - (high - low) / 2 * np.cos(turn)  # close to each other where the curve turns
    m = std * np.sqrt(np.maximum(np.exp(2 * s) * (2 * max_kl + 1 - 2 * s) - 1, 0))
    return np.concatenate([m, -m[::-1]]), np.concatenate([s, s[::-1]])


def _root(max_kl: float, side: int) -> float:
    """The change of log std alone, upwards (side 1) or downwards, that costs max_kl."""
    near, far = 0.0, 3.0 * side
    for _ in range(BISECTIONS):
        middle = (near + far) / 2
        inside = np.exp(2 * middle) * (2 * max_kl + 1 - 2 * middle) > 1
        near, far = (middle, far) if inside else (near, middle)
    return near


def gaussian_kl(std: float, mean: ArrayLike, log_std: ArrayLike) -> NDArray[np.float64]:
    """KL(N(0, std) || N(mean, exp(log_std))) in nats."""
    m, s = np.asarray(mean, dtype=np.float64), np.asarray(log_std, dtype=np.float64)
    return s - np.log(std) + (std**2 + m**2) / (2 * np.exp(2 * s)) - 0.5


def steps_to_the_edge(std: float, max_kl: float) -> dict[str, NDArray[np.float64]]:
    """Steps [2] in (mean, log std) from N(0, std), along gradient and natural gradient, to ½ xᵀFx = max_kl.

    The objective is minus the mean squared distance of the action from BEST_ACTION: -((mean - 1)^2 + std^2).
    """
    gradient = np.array([2 * BEST_ACTION, -2 * std**2])
    fisher = np.diag([1 / std**2, 2.0])
    steps = {"gradient": gradient, "natural gradient": np.linalg.solve(fisher, gradient)}
    return {name: x * np.sqrt(2 * max_kl / (x @ fisher @ x)) for name, x in steps.items()}


def density(action: ArrayLike, mean: float, std: float) -> NDArray[np.float64]:
    """Density of N(mean, std)."""
    scaled = (np.asarray(action, dtype=np.float64) - mean) / std
    return np.exp(-0.5 * scaled**2) / (std * np.sqrt(2 * np.pi))


def expected_distance(mean: float, std: float) -> float:
    """Mean squared distance from BEST_ACTION of an action of N(mean, std)."""
    return float((mean - BEST_ACTION) ** 2 + std**2)


TRUST_REGION = Explainer(
    "explainers/trust_region",
    figure,
    {
        "std": Slider(0.4, 2.0, 2.0, 0.1, "std of the old policy"),
        "max_kl": Slider(0.02, 0.4, 0.1, 0.01, "max_kl [nats]"),
    },
    alt="Left: in the plane of mean and log std, a black egg-shaped curve of equal divergence, a dashed ellipse "
    "that models it, an arrow along the gradient and one along the natural gradient, which ends where a line of "
    "equal gain touches the ellipse. Right: the densities of the old policy and of both new ones, and a line at "
    "the best action.",
    caption="The natural gradient ends where a line of equal gain touches the ellipse. At std 2 the gradient "
    "shrinks std; the natural gradient asks what a change does to the policy, and moves the mean too. Move std "
    "to 0.7: the arrows nearly agree, why? Move the limit up: the model is good nearby only.",
    size=(9.5, 4.2),
)
