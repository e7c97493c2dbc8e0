"""The dashboard's panels: returns, KL, entropy and other diagnostics, over the ranges of healthy runs."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

import gymnasium
import numpy as np

from ...config import Config
from ...envs import make_single_env
from ...errors import InvalidInput
from ...statistics import moving_average
from ...study.alarms import BY_ID, family_of
from ...study.claims import claims_folder, load_claims, with_younger_settings
from ..figures.curves import thin
from ..figures.diagnostics import PANELS
from ..page.style import algorithm_of
from .run import History
from .sheet import Line, Panel, colour, live, still

EXPLAINED = "losses/explained_variance"
EXTRA = {"charts/action_std": "losses/entropy"}  # a Gaussian's std says the same as its entropy, in the action's unit
TITLES = {
    "losses/policy_grad_norm": "policy's gradient",
    "losses/critic_grad_norm": "critic's gradient",
    "losses/approx_kl": "KL",
    "charts/action_std": "std of actions",
    # Of alarms without a panel.
    "value_offset": "mean of V",
    "smallest_update": "a part of a network",
}
RETURN = "return"  # the large panel
WINDOW = 100  # episodes of the moving average where no reference has its own
DOTS = 800  # episodes drawn one by one
POINTS = 400  # of a line
# Alarm -> the panel that shows what it is about, where that is not the panel of its metric.
SHOWN_BY = {"entropy-impossible": "losses/entropy", "return-falls": RETURN}
# The same algorithm has the same colour everywhere.
SERIES = {"ppo": "vermillion", "a2c": "green", "reinforce": "blue", "reinforce_no_baseline": "blue", "trpo": "brown"}
NOTHING = np.zeros(0)
# Settings that do not change what a curve looks like, but only which seed it is and where it ends.
FREE = ("seed", "total_timesteps", "num_episodes")
# Kind of run -> (its name in claims/ranges.json, the environment of those runs).
MEASURED = {
    "ppo, discrete": ("ppo", "CartPole-v1"),
    "ppo, continuous": ("pendulum", "Pendulum-v1"),
    "a2c": ("a2c", "CartPole-v1"),
}
# The KL and the share of clipped ratios mean the same everywhere; a gradient norm or an entropy belongs to its task.
EVERYWHERE = ("approx_kl", "clipfrac")
# What an algorithm reports, as far as it is drawn.
_GRADIENTS = ("losses/policy_grad_norm", "losses/critic_grad_norm")
EXPECTED = {
    "ppo": ("losses/entropy", "losses/approx_kl", "losses/clipfrac", "losses/explained_variance", *_GRADIENTS),
    "a2c": ("losses/entropy", "charts/advantage_std", "losses/explained_variance", *_GRADIENTS),
    "reinforce": ("losses/entropy", *_GRADIENTS[:1]),
    "trpo": ("losses/entropy", "losses/approx_kl", "charts/step_accepted", "losses/explained_variance"),
}
SHOWN = EXPECTED["ppo"]  # in the order of the panels; a run shows those that it has, up to six
STUDIES = ("ppo", "a2c", "reinforce", "baselines", "pendulum", "trpo", "factorial")


class Reference(NamedTuple):
    """A measured learning curve of the same settings: {"x", "mean", "low", "high", "x_unit", "n", "window"}."""

    study: str
    curve: Mapping[str, Any]
    changed: bool = False  # whether the run differs from it in a setting or a part

    @property
    def label(self) -> str:
        """For the legend."""
        return f"{'without your change' if self.changed else 'these settings'}, {self.curve['n']} seeds"

    @property
    def colour(self) -> str:
        """Grey where it is of other settings."""
        return colour("grey" if self.changed else SERIES.get(algorithm_of(self.study) or "", "blue"))


def reference_of(config: Config, parts: Mapping[str, Any]) -> Reference | None:
    """The measured curve of these settings, whatever the seed; None where nobody has measured them."""
    if parts:
        return None
    wanted = _comparable(asdict(config))
    for study in STUDIES:
        if not (claims_folder() / f"{study}.json").exists():
            continue
        claims = load_claims(study)
        for name, settings in claims.get("configs", {}).items():
            same_family = set(settings) <= set(wanted) | set(
                FREE
            )  # a replaced part stands among the settings, by its name
            measured = _comparable(with_younger_settings(settings, config))
            if same_family and measured == wanted and name in claims["curves"]:
                return Reference(study, claims["curves"][name])
    return None


def expected_metrics(config: Config) -> tuple[str, ...]:
    """The names that a run of these settings will report, as far as they are drawn."""
    names = EXPECTED.get(config.algorithm, EXPECTED["ppo"])
    try:
        env = make_single_env(config.env_id)
    except InvalidInput:  # said when the run is started
        return names
    continuous = isinstance(env.action_space, gymnasium.spaces.Box)
    env.close()
    return (*names, "charts/action_std") if continuous else names


def healthy_ranges(metrics: Collection[str], env_id: str) -> dict[str, tuple[float, float]]:
    """Metric -> (low, high): between them lie nine of ten updates of healthy runs; nothing for kinds never measured.

    Args: metrics: of the run, which tell its kind.
    """
    preset, measured_on = MEASURED.get(family_of(dict.fromkeys(metrics, NOTHING)), ("", ""))
    if not preset or not (claims_folder() / "ranges.json").exists():
        return {}
    figures = load_claims("ranges")["figures"]
    ranges = {}
    for name in metrics:
        short = name.partition("/")[2]
        if env_id != measured_on and short not in EVERYWHERE:
            continue
        learning = f"{preset}/{short}_learning"  # of explained variance: a solved CartPole leaves nothing to explain
        key = learning if f"{learning}/low" in figures else f"{preset}/{short}"
        if f"{key}/low" in figures:
            ranges[name] = (figures[f"{key}/low"]["value"], figures[f"{key}/high"]["value"])
    return ranges


def _comparable(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in settings.items() if name not in FREE
    }


class Panels:
    """What a run's numbers look like.

    Args: title: what is trained. reference: a measured curve behind the returns. metrics: the names that are expected; a run
    that reports others gets its own panels. budget: (environment steps, episodes) of the run, either may be None; the axis of
    the returns counts episodes where there are no steps.
    """

    def __init__(
        self,
        title: str,
        reference: Reference | None,
        env_id: str,
        *,
        metrics: Collection[str] = EXPECTED["ppo"],
        budget: tuple[int | None, int | None],
    ) -> None:
        self.title, self.env_id, self.expected, self.budget = title, env_id, metrics, budget
        self.by_episode = budget[0] is None
        same_axis = reference is not None and (reference.curve["x_unit"] == "episode") == self.by_episode
        self.reference = reference if same_axis else None
        self.window = (self.reference.curve.get("window") if self.reference else None) or WINDOW

    def live(self, history: History) -> str:
        """HTML of all numbers so far."""
        return live(self.panels(history), self.describe(history))

    def still(self, history: History) -> bytes:
        """The same as a picture, an SVG file."""
        return still(self.panels(history))

    def describe(self, history: History) -> str:
        """The same in words, for who cannot see it."""
        recent = history.recent_return(self.window)
        if recent is None:
            return f"{self.title}: empty panels for the return of each episode and for the diagnostics of each update."
        metrics, ringing = history.metrics, ringing_panels(history)
        numbers = ", ".join(
            f"{PANELS[name][0]} {metrics[name][-1]:.3g}{' (alarm)' if name in ringing else ''}"
            for name in self.names(history)
            if name in metrics
        )
        return (
            f"{self.title} after {history.env_step:,} steps: return of each episode with its moving average, now "
            f"{recent:.1f}; diagnostics of each update, now {numbers}."
        )

    def names(self, history: History) -> tuple[str, ...]:
        """The metrics of the small panels, in order."""
        return _names(history.metrics or self.expected)

    def panels(self, history: History) -> list[Panel]:
        """The large panel and the small ones."""
        metrics, names = history.metrics, self.names(history)
        ranges, ringing = healthy_ranges(metrics or self.expected, self.env_id), ringing_panels(history)
        panels = [self._returns(history, RETURN in ringing)]
        for name in names:
            x, y = (metrics["charts/env_step"], metrics[name]) if name in metrics else (NOTHING, NOTHING)
            keep = thin(len(y), POINTS)
            last = "" if not len(y) else f"{y[-1]:.0f}" if abs(y[-1]) >= 100 else f"{y[-1]:.2g}"
            panels.append(
                Panel(
                    panel_title(name), [Line(x[keep], y[keep], colour("ink"))],
                    max(self.budget[0] or 1, *x[-1:]) if len(x) else self.budget[0] or 1, number=last,
                    healthy=ranges.get(name), alarm=name in ringing,
                    # A critic far below the mean of the returns would flatten the rest of its curve.
                    limits=(-1.0 if name == EXPLAINED else -np.inf, np.inf),
                )
            )  # fmt: skip
        return panels

    def _returns(self, history: History, alarm: bool) -> Panel:
        env_steps, returns = history.episodes
        x = np.arange(1, len(returns) + 1) if self.by_episode else env_steps
        dots, points = thin(len(x), DOTS), thin(len(x), POINTS)
        mean = moving_average(returns, self.window)[points] if len(returns) else NOTHING
        lines = [
            Line(x[dots], returns[dots], colour("grey"), label="an episode of this run", dots=True),
            Line(x[points], mean, colour("ink"), label=f"mean of its last {self.window} episodes", width=2),
        ]
        bands = []
        if self.reference is not None:
            curve, tint = self.reference.curve, self.reference.colour
            bands = [(np.array(curve["x"]), np.array(curve["low"]), np.array(curve["high"]), tint)]
            lines.insert(0, Line(curve["x"], curve["mean"], tint, "7 4", self.reference.label))
        end = max([self.budget[1 if self.by_episode else 0] or 1, *x[-1:].tolist()])
        return Panel(
            f"{self.title}: return of an episode", lines, end, bands=bands, alarm=alarm,
            x_label="episode" if self.by_episode else "environment steps",
        )  # fmt: skip


def ringing_panels(history: History) -> dict[str, list[str]]:
    """Panel -> the alarms that have rung for it."""
    ringing: dict[str, list[str]] = {}
    for alarm in history.rung:
        ringing.setdefault(SHOWN_BY.get(alarm, BY_ID[alarm].metric), []).append(alarm)
    return ringing


def panel_title(name: str) -> str:
    """What stands over a panel."""
    return RETURN if name == RETURN else TITLES.get(name, PANELS.get(name, (name,))[0])


def _names(metrics: Collection[str]) -> tuple[str, ...]:
    """The metrics to show, in order."""
    names = [name for name in SHOWN if name in metrics]
    swapped = {old: new for new, old in EXTRA.items() if new in metrics}
    return tuple(swapped.get(name, name) for name in names)
