"""`pgcourse resume`: go on with a run from its last checkpoint."""

import json
from dataclasses import dataclass
from pathlib import Path

import tyro

from .parsing import parse


@dataclass
class Resume:
    """Go on with a run that was trained with --checkpoint-every, from its last checkpoint.

    Example: pgcourse resume runs/p1
    """

    run: tyro.conf.Positional[str]
    """Folder of the run."""
    gif: bool = False
    """Write agent.gif into the folder."""
    device: str = "auto"
    """auto, cpu, cuda, or cuda:1."""
    progress: bool = True
    """Show a progress bar."""
    tensorboard: bool = False
    """Write every metric for TensorBoard into the folder."""
    evaluate_every: int | None = None
    """Play the policy from held-out start states every so many iterations."""
    checkpoint_every: int = 50
    """Write the whole state of the run every so many iterations."""


def resume(arguments: list[str]) -> int:
    """Run `pgcourse resume`."""
    options = parse(Resume, arguments, program="pgcourse resume")
    from ..algorithms.by_name import build_config  # torch is slow to import, so not for --help
    from ..checkpoint import Checkpoint
    from .train import run

    checkpoint = Checkpoint(options.run, every=options.checkpoint_every, resume=True)
    config = build_config(json.loads(checkpoint.read()["description"]))
    return run(config, Path(options.run), options, checkpoint)
