"""A unit's finale: your functions in the real loop, your curve on the reference's band, your agent."""

from .unit_01 import reinforce, reinforce_plan
from .unit_02 import baseline, baseline_plan
from .unit_03 import a2c, a2c_plan
from .unit_04 import ppo, ppo_plan, ppo_update, ppo_update_plan
from .unit_05 import continuous_ppo, continuous_ppo_plan
from .unit_08 import trpo, trpo_plan

__all__ = [
    "a2c",
    "a2c_plan",
    "baseline",
    "baseline_plan",
    "continuous_ppo",
    "continuous_ppo_plan",
    "ppo",
    "ppo_plan",
    "ppo_update",
    "ppo_update_plan",
    "reinforce",
    "reinforce_plan",
    "trpo",
    "trpo_plan",
]
