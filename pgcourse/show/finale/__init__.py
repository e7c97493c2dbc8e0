"""A unit's finale: your functions in the real loop, your curve on the reference's band, your agent."""

from .unit_01 import reinforce, reinforce_plan

__all__ = ["reinforce", "reinforce_plan"]
