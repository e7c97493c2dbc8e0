"""`Trap`, a named bug, and the healthy settings that the bugs are shown on."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...algorithms import a2c, ppo, reinforce
from ...algorithms.by_name import TRAIN, made_fresh
from ...config import Config
from ...runs import Result


@dataclass(frozen=True)
class Trap:
    """A bug that trains without an error message: healthy settings, and what the bug changes in them.

        ppo.train(trap.config, **trap.seams)     # ill
        ppo.train(trap.base, **trap.base_seams)  # healthy: the fix

    Where the place of a network or of environments is taken by a function, `trap.train(seed=...)` calls it.

    Fields:
      id: as `diagnose.suspects` gives it. title: one line for a heading.
      base: the healthy settings. config_changes: fields of the config that the bug sets.
      seams: keyword arguments of `train` that hold the buggy code; networks as functions without arguments,
        environments as a function of the seed. base_seams: those of the healthy run, mostly none.
      setting: what is unusual in both runs, told once the code is open.
      explanation: what goes wrong and why. symptom: what the diagnostics show. fix: what to write in its place.
      shown_by: the look or the experiment that shows it for certain.
      alarms: those of `diagnose` that ring for it; none where the metrics of one run do not tell it from a healthy one.
    """

    id: str
    title: str
    base: reinforce.ReinforceConfig | a2c.A2CConfig | ppo.PPOConfig
    explanation: str
    symptom: str
    fix: str
    shown_by: str
    config_changes: Mapping[str, Any] = field(default_factory=dict)
    seams: Mapping[str, Any] = field(default_factory=dict)
    base_seams: Mapping[str, Any] = field(default_factory=dict)
    setting: str = ""
    alarms: frozenset[str] = frozenset()

    @property
    def visible(self) -> bool:
        """Whether the metrics of one training run tell the bug from a healthy run."""
        return bool(self.alarms)

    @property
    def family(self) -> str:
        """The kind of run, as `alarms.family_of` names it."""
        if self.base.algorithm != "ppo":
            return str(self.base.algorithm)
        return "ppo, continuous" if self.base.env_id == "Pendulum-v1" else "ppo, discrete"

    @property
    def config(self) -> Config:
        """The settings of the ill run."""
        return replace(self.base, **self.config_changes)

    def train(self, *, seed: int, **keywords: Any) -> Result:
        """The ill run. Args: keywords: of `train`, such as on_iteration."""
        return _train(self.config, seed, self.seams, keywords)

    def train_healthy(self, *, seed: int, **keywords: Any) -> Result:
        """The run without the bug."""
        return _train(self.base, seed, self.base_seams, keywords)


def _train(config: Config, seed: int, seams: Mapping[str, Any], keywords: Mapping[str, Any]) -> Result:
    config = replace(config, seed=seed)
    return TRAIN[config.algorithm](config, **{"device": "cpu", **made_fresh(config, seams), **keywords})


# Short runs: most bugs show in the first updates, long before the return tells anything.
CARTPOLE = replace(ppo.CARTPOLE, total_timesteps=40_000)
# Longer, because what a bonus does to the entropy adds up over many updates.
ENTROPY_BONUS = replace(ppo.CARTPOLE, total_timesteps=60_000, ent_coef=0.05)
EPISODE_BUDGET = replace(CARTPOLE, total_timesteps=None, num_episodes=250)
PENDULUM = replace(ppo.PENDULUM, total_timesteps=28_800)
# With a longer horizon, so that what is expected after the time limit weighs more, and with the steps that this takes.
FAR_SIGHTED = replace(ppo.PENDULUM, total_timesteps=60_000, gamma=0.99)
A2C = replace(
    a2c.CARTPOLE, total_timesteps=20_000, num_episodes=None, normalize_advantages=False, policy_lr=1e-3, reward_scale=1.0
)  # fmt: skip
REINFORCE = replace(reinforce.CARTPOLE_NO_BASELINE, num_episodes=200)
# Large steps: what stale data does shows where nothing else holds it back.
SIXTEEN_EPISODES = replace(reinforce.CARTPOLE_NAIVE, num_envs=16, normalize_weights=True, num_episodes=320)
