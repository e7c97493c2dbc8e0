"""pgcourse: policy-gradient methods, from REINFORCE to PPO, in code that is made to be read."""

from . import diagnostics, losses, returns
from .algorithms import reinforce
from .envs import make_envs, register_envs
from .errors import InvalidInput

__version__ = "0.1.0"

__all__ = [
    "InvalidInput",
    "diagnostics",
    "losses",
    "make_envs",
    "reinforce",
    "returns",
]

register_envs()
