"""Estimates of the return, drawn: TD target, n-step, lambda-return and Monte Carlo; and what GAE weighs how much."""

from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from ..errors import InvalidInput
from ..returns import gae
from ..rollout import Rollout
from .style import COLOURS, new_figure
from .timeline import KINDS, TERMINATED, TRUNCATED, kinds_of

DELTA, WEIGHT, TD, MONTE_CARLO = "#56B4E9", "#CC79A7", "#0072B2", "#D55E00"


def gae_weights(terminated: Tensor, truncated: Tensor, *, gamma: float, gae_lambda: float, start: int) -> Tensor:
    """How much the TD error of each step counts in the advantage of step `start`: (gamma lambda)^k, 0 beyond an end.

    Args: terminated, truncated: [T] bool, of one environment. Returns: [T]. A_start is the sum of weights * deltas.
    """
    if not 0 <= start < len(terminated):
        raise InvalidInput(
            f"start={start} is not in a rollout of {len(terminated)} steps; use 0 to {len(terminated) - 1}"
        )
    weights = torch.zeros(len(terminated))
    weight = 1.0
    for t in range(start, len(terminated)):
        weights[t] = weight
        if terminated[t] or truncated[t]:
            break
        weight *= gamma * gae_lambda
    return weights


def n_step_returns(rollout: Rollout, *, gamma: float, n: int) -> Tensor:
    """Up to n rewards, then the value of the next observation; a window ends early where episode or rollout end.

    Written from the definition, step by step, so that it can be held against `returns.gae`.
    Args: rollout: [T, N]. Returns: [T, N], in units of reward.
    """
    rewards, next_values, terminated = rollout.rewards, rollout.next_values, rollout.terminated
    ended = terminated | rollout.truncated
    returns = torch.zeros_like(rewards)
    for t in range(len(rewards)):
        running = torch.ones_like(ended[t])  # [N], whether the window of this environment still goes on
        last = min(t + n, len(rewards)) - 1
        for k in range(t, last + 1):
            returns[t] += gamma ** (k - t) * rewards[k] * running
            closes = running & (ended[k] if k < last else torch.ones_like(running))
            returns[t] += gamma ** (k - t + 1) * next_values[k] * (closes & ~terminated[k])
            running = running & ~ended[k]
    return returns


def n_step_advantages(rollout: Rollout, *, gamma: float, n: int) -> Tensor:
    """n-step returns minus the critic's values, [T, N]."""
    return n_step_returns(rollout, gamma=gamma, n=n) - rollout.values


def targets(episode: Rollout, *, gamma: float, n: int, gae_lambda: float) -> Figure:
    """Four estimates of the value of each state of one episode, and what the critic said.

    Args: episode: a rollout [T, 1]. n: steps of the n-step return.
    """
    steps = np.arange(len(episode.rewards))
    smooth = _advantages(episode, gamma, gae_lambda)[:, 0] + episode.values[:, 0]
    lines: dict[str, tuple[Any, dict[str, Any]]] = {
        "Monte Carlo return": (n_step_returns(episode, gamma=gamma, n=len(steps))[:, 0], {"color": MONTE_CARLO}),
        f"λ-return, λ = {gae_lambda:g}": (smooth, {"color": COLOURS["a2c"], "linewidth": 2.6}),
        f"{n}-step return": (n_step_returns(episode, gamma=gamma, n=n)[:, 0], {"color": "#E69F00", "linestyle": "--"}),
        "TD target, one step": (n_step_returns(episode, gamma=gamma, n=1)[:, 0], {"color": TD, "linestyle": "-."}),
        "critic's V": (episode.values[:, 0], {"color": "black", "linestyle": ":"}),
    }
    figure, ax = new_figure()
    for label, (heights, look) in lines.items():
        ax.plot(steps, heights, label=label, **look)
    ax.set(xlabel="step of the episode", ylabel="estimated return from here [reward]")
    ax.legend(loc="best")
    return figure


def advantages(rollout: Rollout, *, gamma: float, gae_lambda: float, step: int, column: int = 0) -> Figure:
    """The TD errors of one environment, their weights in the advantage of one step, and all advantages.

    Args: rollout: [T, N]. step: whose advantage the weights are of.
    """
    one = Rollout(*(field[:, column : column + 1] for field in rollout))
    deltas = _advantages(one, gamma, 0.0)[:, 0]  # lambda = 0: the TD error itself
    chosen = _advantages(one, gamma, gae_lambda)[:, 0]
    weights = gae_weights(
        one.terminated[:, 0], one.truncated[:, 0], gamma=gamma, gae_lambda=gae_lambda, start=step
    )  # [T]
    x = np.arange(len(deltas))
    figure, (top, middle, bottom) = new_figure(rows=3, width=9.5, height=6.4, sharex=True)
    top.bar(x, deltas.numpy(), color=DELTA, edgecolor="#333333", linewidth=0.5)
    top.set(ylabel="TD error δ [reward]")
    middle.bar(x, weights.numpy(), color=WEIGHT, edgecolor="#333333", linewidth=0.5)
    middle.set(ylabel="weight (γλ)ᵏ", ylim=(0, 1.08))
    middle.set_title(
        f"A at step {step} = Σ weight × δ = {chosen[step]:+.2f}; the weights sum to {float(weights.sum()):.1f}",
        fontsize=11,
        loc="left",
    )
    for gae_lambda_end, colour, style in ((0.0, TD, "-."), (1.0, MONTE_CARLO, "--")):
        bottom.plot(
            x, _advantages(one, gamma, gae_lambda_end)[:, 0], color=colour, linestyle=style, linewidth=1.4,
            label=f"λ = {gae_lambda_end:g}",
        )  # fmt: skip
    bottom.plot(x, chosen, color=COLOURS["a2c"], marker="o", markersize=4, label=f"λ = {gae_lambda:.2f}")
    bottom.plot(step, chosen[step], "o", color="black", markersize=9, label=f"step {step}")
    bottom.set(xlabel="step of the rollout", ylabel="advantage A [reward]")
    bottom.legend(loc="upper left", ncols=4)
    bottom.margins(y=0.25)
    kinds = kinds_of(one)[:, 0]
    for ax in (top, middle, bottom):
        ax.axhline(0, color="black", linewidth=0.8)
        for kind in (TERMINATED, TRUNCATED):
            for end in (kinds == kind).nonzero()[:, 0].tolist():
                ax.axvline(end + 0.5, color=KINDS[kind][1], linewidth=2.2)
    return figure


def _advantages(rollout: Rollout, gamma: float, gae_lambda: float) -> Tensor:
    return gae(
        rollout.rewards, rollout.values, rollout.next_values, rollout.terminated, rollout.truncated,
        gamma=gamma, gae_lambda=gae_lambda,
    )  # fmt: skip
