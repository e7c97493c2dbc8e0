"""A Gaussian over one action: how much of it the bounds cut off, and how its score grows as it narrows."""

import math

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from torch.distributions import Normal

from ...errors import InvalidInput
from ..live.sliders import Slider, explore
from ..page.style import PALETTE, new_figure

BLUE, ORANGE, GREEN = PALETTE[:3]


def clipped_shares(mean: float, std: float, low: float, high: float) -> tuple[float, float, float]:
    """Probabilities that a sample lies below `low`, between, and above `high`; they sum to 1.

    Raises: InvalidInput where std is not positive or low is not below high.
    """
    if not std > 0 or not low < high:
        raise InvalidInput(f"std={std}, bounds {low} to {high} are not allowed; use std > 0 and low < high")
    below, up_to_high = Normal(mean, std).cdf(torch.tensor([low, high], dtype=torch.float64)).tolist()
    return below, up_to_high - below, 1 - up_to_high


def applied_mean(mean: float, std: float, low: float, high: float) -> float:
    """Mean of the sample after clipping to [low, high].

    Inside, x p(x) integrates to  mean * share - std^2 * (p(high) - p(low)); the two ends add their mass times the bound.
    """
    below, inside, above = clipped_shares(mean, std, low, high)
    density = Normal(mean, std).log_prob(torch.tensor([low, high], dtype=torch.float64)).exp()
    return below * low + above * high + mean * inside - std**2 * float(density[1] - density[0])


def bounds_figure(mean: float, std: float, *, low: float = -2.0, high: float = 2.0) -> Figure:
    """Left the policy's density with the parts beyond the bounds shaded; right what the environment applies."""
    shares = clipped_shares(mean, std, low, high)
    figure, (left, right) = new_figure(columns=2, width=9.0, height=3.6, width_ratios=[1.7, 1])
    x = np.linspace(-6, 6, 601)
    density = np.exp(-0.5 * ((x - mean) / std) ** 2) / (std * math.sqrt(2 * math.pi))
    left.plot(x, density, color=BLUE)
    for outside in (x <= low, x >= high):
        left.fill_between(x[outside], density[outside], color=ORANGE, alpha=0.5, linewidth=0)
    for bound in (low, high):
        left.axvline(bound, color="#444444", linestyle=":")
    left.set(xlabel="sampled action u [N m]", ylabel="density [1 / (N m)]", xlim=(-6, 6), ylim=(0, None))
    left.set_title(f"{shares[0] + shares[2]:.0%} of the samples lie outside")
    bars = right.bar([f"at {low:+g}", "between", f"at {high:+g}"], shares, color=[ORANGE, BLUE, ORANGE], width=0.6)
    right.bar_label(bars, [f"{share:.2f}" for share in shares])
    right.set(xlabel="torque applied [N m]", ylabel="probability", ylim=(0, 1.12))
    right.set_title(f"mean applied {applied_mean(mean, std, low, high):+.2f} N m")
    return figure


def explore_bounds() -> None:
    """`bounds_figure` with sliders for the policy's mean and standard deviation."""
    explore(
        bounds_figure,
        alt="Left: a bell curve over the sampled action, shaded beyond the bounds of -2 and 2. Right: three bars, the "
        "probabilities that the applied torque is the lower bound, something between, or the upper bound.",
        mean=Slider(-4.0, 4.0, 0.0, 0.1, "mean [N m]"),
        std=Slider(0.1, 4.0, 1.0, 0.1, "standard deviation [N m]"),
    )


def score_spread(std: ArrayLike, *, num_samples: int = 20_000, seed: int = 0) -> tuple[NDArray[np.float64], ...]:
    """Standard deviation of the score over actions that the policy samples itself, by autograd.

    Args: std: [S], the policy's standard deviations, its mean being 0.
    Returns: of the mean's score, and of log_std's score, [S] each: what 1 / std and the square root of 2 predict.
    """
    generator = torch.Generator().manual_seed(seed)
    spreads = []
    for width in np.atleast_1d(np.asarray(std, dtype=np.float64)):
        # One pair of parameters for each sample, so that the gradient of the sum holds each sample's own.
        mean = torch.zeros(num_samples, dtype=torch.float64, requires_grad=True)
        log_std = torch.full_like(mean, math.log(width)).detach().requires_grad_()
        action = width * torch.randn(num_samples, dtype=torch.float64, generator=generator)
        log_prob = Normal(mean, log_std.exp()).log_prob(action)
        scores = torch.autograd.grad(log_prob.sum(), (mean, log_std))
        spreads.append([float(score.std()) for score in scores])
    of_mean, of_log_std = np.array(spreads).T
    return of_mean, of_log_std


def score_figure(std: float) -> Figure:
    """Left the density and where 200 samples fall, with their scores; right the spread of the score against std."""
    figure, (left, right) = new_figure(columns=2, width=9.0, height=3.6)
    x = np.linspace(-2, 2, 401)
    left.fill_between(
        x, np.exp(-0.5 * (x / std) ** 2), color=BLUE, alpha=0.2, linewidth=0, label="density (scaled to 1)"
    )
    samples = std * torch.randn(200, generator=torch.Generator().manual_seed(0)).double().numpy()
    twin = left.twinx()
    twin.plot(samples, samples / std**2, ".", color=ORANGE, markersize=4)
    twin.set(ylabel="score of the mean, (u − μ) / σ² [1 / (N m)]", ylim=(-45, 45))
    twin.grid(visible=False)
    twin.spines["right"].set_visible(True)
    left.set(
        xlabel="sampled action minus mean, u − μ [N m]", ylabel="density, scaled to 1", xlim=(-2, 2), ylim=(0, 1.1)
    )
    left.set_xticks([-2, -1, 0, 1, 2])
    left.set_title(f"σ = {std:.2f}: the score spreads by {1 / std:.1f}")
    widths = np.geomspace(0.05, 2.0, 50)
    right.loglog(widths, 1 / widths, color=ORANGE, label="score of the mean: 1 / σ")
    right.loglog(widths, np.full_like(widths, math.sqrt(2)), color=GREEN, linestyle="--", label="score of log σ: √2")
    right.plot([std, std], [1 / std, math.sqrt(2)], "o", color="black")
    right.set(xlabel="standard deviation σ [N m]", ylabel="standard deviation of the score")
    right.legend(loc="upper right")
    return figure


def explore_score() -> None:
    """`score_figure` with a slider for the policy's standard deviation."""
    explore(
        score_figure,
        alt="Left: a bell curve, and the scores of samples from it, on a straight line whose slope grows as the bell "
        "narrows. Right, on logarithmic axes: the spread of the mean's score falls with the standard deviation as 1 / σ, "
        "that of log σ is constant.",
        std=Slider(0.05, 2.0, 1.0, 0.05, "standard deviation σ [N m]"),
    )
