"""What healthy runs look like, for the background of a dashboard: from claims, never from one lucky seed."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

import gymnasium
import numpy as np

from ..envs import make_single_env
from ..errors import InvalidInput
from ..study.alarms import family_of
from ..study.claims import claims_folder, load_claims

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
STUDIES = ("ppo", "a2c", "reinforce", "baselines", "pendulum", "trpo", "factorial")


class Reference(NamedTuple):
    """A measured learning curve of the same settings: {"x", "mean", "low", "high", "x_unit", "n", "window"}."""

    study: str
    curve: Mapping[str, Any]

    @property
    def label(self) -> str:
        """For the legend."""
        return f"these settings, {self.curve['n']} seeds"


def reference_of(config: Any, seams: Mapping[str, Any]) -> Reference | None:
    """The measured curve of these settings, whatever the seed; None where nobody has measured them."""
    if seams:
        return None
    wanted = _comparable(asdict(config))
    for study in STUDIES:
        if not (claims_folder() / f"{study}.json").exists():
            continue
        claims = load_claims(study)
        for name, settings in claims.get("configs", {}).items():
            same_family = set(settings) <= set(wanted) | set(FREE)  # a seam stands among the settings, by its name
            if same_family and _comparable(settings) == wanted and name in claims["curves"]:
                return Reference(study, claims["curves"][name])
    return None


def expected_metrics(config: Any) -> tuple[str, ...]:
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
