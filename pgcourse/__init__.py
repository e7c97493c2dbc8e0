"""pgcourse: policy-gradient methods, from REINFORCE to PPO, in code that is made to be read."""

from . import diagnostics, losses, returns
from .algorithms import a2c, ppo, reinforce, trpo
from .checkpoint import Checkpoint
from .envs import make_envs, register_envs
from .errors import InvalidInput
from .evaluation import Evaluation, evaluate
from .results import Result
from .runs import load
from .training import Progress, TrainingDiverged

__version__ = "0.1.0"

__all__ = [
    "Checkpoint",
    "Evaluation",
    "InvalidInput",
    "Progress",
    "Result",
    "TrainingDiverged",
    "a2c",
    "diagnostics",
    "evaluate",
    "load",
    "losses",
    "make_envs",
    "ppo",
    "record_gif",
    "record_gifs",
    "reinforce",
    "returns",
    "trpo",
]

register_envs()


def __getattr__(name: str) -> object:
    """Drawing needs Pillow, which training does not: it is imported when it is first asked for."""
    if name in ("record_gif", "record_gifs"):
        from . import render

        return getattr(render, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
