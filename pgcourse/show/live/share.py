"""One page for a friend: a learner's own agent at work beside its learning curve, in a single file that asks for nothing."""

import html
import os
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InvalidInput
from ...evaluation import evaluate
from ...storage import atomic_write
from ...training import Result
from .. import page
from . import agents, chart
from .explainer import Explainer
from .worlds import fitting_policy_json, world_of

MOST_POINTS = 300  # of the curve
MOST_BYTES = 200_000
WINDOW_SHARE = 20  # the moving average is of this part of all episodes
# What the environments ask for, in a friend's words; the lowest and highest return of the curve's axis.
GOALS: dict[str, tuple[str, str, float, float]] = {
    "CartPole-v1": (
        "balance a pole on a cart",
        "It is pushed left or right, 50 times a second; an episode has 500 steps at most.",
        0, 500,
    ),
    "Pendulum-v1": (
        "swing up a rod and hold it",
        "The motor is too weak to lift the rod at once; a return of 0 would be upright all the time.",
        -1800, 0,
    ),
    "ShortCorridor-v0": ("walk a corridor in which left and right are switched", "Each step costs 1.", -100, 0),
}  # fmt: skip
NAMES = {"reinforce": "REINFORCE", "a2c": "A2C", "ppo": "PPO", "trpo": "TRPO"}
SETTINGS = ("policy_lr", "gamma", "gae_lambda", "clip_coef", "num_envs", "num_steps", "seed")
LOOK = """
body { max-width: 56rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; background: var(--pg-paper); color: var(--pg-ink);
  font: 1rem/1.55 var(--pg-sans); }
h1 { margin: 0 0 0.3em; font-size: 1.7rem; line-height: 1.2; }
h2 { margin: 1.6em 0 0.4em; font-size: 1.15rem; }
p { max-width: var(--pg-measure); }
footer { margin-top: 2.5em; padding-top: 0.8em; border-top: 1px solid var(--pg-line); color: var(--pg-muted); font-size: 0.9rem; }
code { font-family: var(--pg-mono); overflow-wrap: anywhere; }
"""
# The stylesheet's dark colours hang on this attribute.
THEME = (
    'const dark = matchMedia("(prefers-color-scheme: dark)");'
    'const paint = () => { document.documentElement.dataset.theme = dark.matches ? "dark" : "light"; };'
    'dark.addEventListener("change", paint); paint();'
)


def share(result: Result, path: str | os.PathLike[str] = "agent.html", *, title: str = "") -> Path:
    """Write a page on which the agent of a run acts live, beside a random one, with its learning curve.

    The file is whole in itself: it can be sent, opened without a network, or put on any site. Under 200 kB.
    Args: title: the page's heading. Returns: the path.
    Raises: InvalidInput for what is no run, an environment that does not run in the page, or a network that cannot be sent.
    """
    if not isinstance(result, Result):
        raise InvalidInput(
            f"share takes a run's result, not {type(result).__name__}; give what train or load returned: share(result)"
        )
    if Path(path).suffix.lower() not in (".html", ".htm"):
        raise InvalidInput(f"{path} is no name of a page; give a file that ends in .html, such as agent.html")
    content = shared_page(result, title=title)
    if len(content.encode()) > MOST_BYTES:
        raise InvalidInput(f"the page would have {len(content.encode()):,} bytes; give an agent with a smaller network")
    return atomic_write(path, content)


def shared_page(result: Result, *, title: str = "") -> str:
    """The page's HTML. Raises: InvalidInput as `share`."""
    config: Any = result.config
    env_id = world_of(config.env_id)
    goal, rules, _, _ = GOALS[env_id]
    heading = html.escape(title or f"My agent learnt to {goal}")
    name = NAMES.get(config.algorithm, config.algorithm)
    mine, random = (evaluate(policy, config.env_id, num_episodes=100, seed=0).mean for policy in (result.policy, None))
    shown = agents.output(
        [{"title": "at random", "policy": None}, {"title": "my agent", "policy": fitting_policy_json(result.policy, env_id)}],
        env_id, caption="Push them: with the buttons, or with a press on the picture.", name="shared",
    )["text/html"]  # fmt: skip
    episodes = result.episodes
    steps = int(episodes["env_step"][-1]) if len(episodes) else 0
    seconds = float(episodes["wall_time"][-1]) if len(episodes) else 0.0
    settings = ", ".join(f"{key} {getattr(config, key)}" for key in SETTINGS if hasattr(config, key))
    curve = learning_curve(result).output()["text/html"] if len(episodes) > 1 else "<p>No two episodes ended.</p>"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="pgcourse">
<meta name="description" content="An agent that acts live in the page: {html.escape(name)} on {env_id}.">
<title>{heading}</title>
<link rel="icon" href="data:,">
<style>{page.stylesheet()}{LOOK}</style>
<script>{THEME}</script>
</head>
<body>
<main>
<h1>{heading}</h1>
<p>Nobody told it how. It tried, and {html.escape(name)} made likelier what went well: {len(episodes):,} episodes,
{steps:,} steps, {seconds:,.0f} seconds. {rules}</p>
{shown}
<p>Mean return of 100 episodes from starts that it had not seen: <strong>{mine:,.0f}</strong>. An agent that acts at
random: {random:,.0f}.</p>
<h2>How it learnt</h2>
{curve}
<p>Settings: <code>{html.escape(settings)}</code>.</p>
</main>
<footer>Made with <strong>pgcourse</strong>, a hands-on course on policy-gradient reinforcement learning. To train one of your
own: <code>pip install pgcourse</code>, then <code>pgcourse lab</code>.</footer>
</body>
</html>
"""


def learning_curve(result: Result) -> Explainer:
    """Return over episodes: each one, and their moving average."""
    env_id = world_of(result.config.env_id)
    _, _, low, high = GOALS[env_id]
    returns = np.asarray(result.episodes["episodic_return"], dtype=np.float64)  # [E]
    window = max(len(returns) // WINDOW_SHARE, 1)
    shown = np.unique(np.linspace(0, len(returns) - 1, MOST_POINTS).round().astype(int))
    sums = np.concatenate([[0.0], np.cumsum(returns)])
    firsts = np.maximum(shown - window + 1, 0)
    smooth = (sums[shown + 1] - sums[firsts]) / (shown + 1 - firsts)  # mean of the last `window` episodes
    low, high = min(low, float(returns.min())), max(high, float(returns.max()))
    high += 0.04 * (high - low)  # room above what cannot be exceeded
    data = {
        "x": (shown + 1).tolist(), "returns": [round(value, 1) for value in returns[shown].tolist()],
        "smooth": [round(value, 1) for value in smooth.tolist()], "low": low, "high": high, "count": len(returns),
        "window": window, "first": f"{smooth[0]:.0f}", "last": f"{smooth[-1]:.0f}",
    }  # fmt: skip
    return Explainer(
        "learning_curve",
        figure,
        {},
        alt=f"The return over {len(returns)} episodes, from {smooth[0]:.0f} at first to {smooth[-1]:.0f} at the end.",
        data=data,
    )


def figure(data: Any) -> chart.Chart:
    """The curve as a chart; learning_curve.js draws the same."""
    return chart.chart(
        chart.panel(
            chart.axis("episode", 0, data["count"]),
            chart.axis("return", data["low"], data["high"]),
            chart.points(data["x"], data["returns"], "pale", label="an episode", size=2),
            chart.line(data["x"], data["smooth"], "blue", label=f"mean of the last {data['window']}"),
            height=260,
        ),
        words=f"From {data['first']} in the first episode to {data['last']} on average of the last {data['window']}.",
    )
