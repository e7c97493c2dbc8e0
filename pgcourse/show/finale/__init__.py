"""A unit's finale: your functions in the real loop, your curve on the reference's band, your agent."""

from .language_model import language, language_plan
from .units import (
    a2c,
    a2c_plan,
    baseline,
    baseline_plan,
    continuous_ppo,
    continuous_ppo_plan,
    ppo,
    ppo_plan,
    ppo_update,
    ppo_update_plan,
    reinforce,
    reinforce_plan,
    trpo,
    trpo_plan,
)  # fmt: skip

__all__ = [
    "a2c", "a2c_plan", "baseline", "baseline_plan", "continuous_ppo", "continuous_ppo_plan", "language",
    "language_plan", "ppo", "ppo_plan", "ppo_update", "ppo_update_plan", "reinforce", "reinforce_plan", "trpo", "trpo_plan",
]  # fmt: skip
