"""pgcourse: policy-gradient methods, from REINFORCE to PPO, in code that is made to be read.

`import pgcourse` registers the environments with Gymnasium. A public name is loaded when it is first asked for, so that
`pgcourse --help` does not wait for torch.
"""

import importlib
import os
import sys
from typing import TYPE_CHECKING

try:
    from .registration import register_envs
except KeyboardInterrupt:  # Gymnasium takes a moment; who stops the command in it gets a line, as in `cli.main`
    if os.path.basename(sys.argv[0]) not in ("-m", "pgcourse", "pgcourse.exe"):
        raise
    print("pgcourse: interrupted", file=sys.stderr)
    sys.exit(130)

if TYPE_CHECKING:
    from . import diagnostics, losses, returns
    from .algorithms import a2c, ppo, reinforce, trpo
    from .algorithms.by_name import load
    from .checkpoint import Checkpoint
    from .envs import make_envs
    from .errors import InvalidInput
    from .evaluation import Evaluation, evaluate
    from .render import record_gif, record_gifs
    from .runs import Result
    from .tensorboard import TensorBoard
    from .training import Progress, TrainingDiverged, chain

__version__ = "0.1.0"

__all__ = [
    "Checkpoint",
    "Evaluation",
    "InvalidInput",
    "Progress",
    "Result",
    "TensorBoard",
    "TrainingDiverged",
    "a2c",
    "chain",
    "diagnostics",
    "evaluate",
    "load",
    "losses",
    "make_envs",
    "ppo",
    "record_gif",
    "record_gifs",
    "register_envs",
    "reinforce",
    "returns",
    "trpo",
]

# Name -> the module that it is in, or that it is.
_HOMES = {
    "Checkpoint": "checkpoint",
    "Evaluation": "evaluation",
    "InvalidInput": "errors",
    "Progress": "training",
    "Result": "runs",
    "TensorBoard": "tensorboard",
    "TrainingDiverged": "training",
    "a2c": "algorithms.a2c",
    "chain": "training",
    "diagnostics": "diagnostics",
    "evaluate": "evaluation",
    "load": "algorithms.by_name",
    "losses": "losses",
    "make_envs": "envs",
    "ppo": "algorithms.ppo",
    "record_gif": "render",
    "record_gifs": "render",
    "reinforce": "algorithms.reinforce",
    "returns": "returns",
    "trpo": "algorithms.trpo",
}

register_envs()


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES[name]
    module = importlib.import_module(f"{__name__}.{home}")
    value = module if home.rpartition(".")[2] == name else getattr(module, name)
    globals()[name] = value  # the next look finds it without this function
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
