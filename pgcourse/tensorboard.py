"""TensorBoard for any run: `ppo.train(config, on_iteration=TensorBoard("runs/p1"))`, then `tensorboard --logdir runs`."""

import os
import weakref
from pathlib import Path
from typing import Any, Self

from .errors import InvalidInput
from .training import Progress


class TensorBoard:
    """An `on_iteration` that writes every metric, and the mean return of the last 100 episodes, against environment steps.

    With a function of your own: `on_iteration=chain(TensorBoard("runs/p1"), stop_when_solved)`. The file is complete when
    the object is gone, closed, or left by `with`; after each iteration it is flushed at most every `flush_seconds`.

    Raises: InvalidInput where TensorBoard is not installed, or the folder cannot be written.
    """

    def __init__(self, folder: str | os.PathLike[str], *, flush_seconds: int = 10) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise InvalidInput('TensorBoard is not installed; pip install "tensorboard>=2.18"') from error
        self.folder = Path(folder)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidInput(f"cannot write to {folder}: {error.strerror}; choose another folder") from error
        self._make_writer: Any = SummaryWriter
        self._flush_seconds = flush_seconds
        self._writer: Any = None

    def __call__(self, progress: Progress) -> None:
        if self._writer is None:
            # A run that goes on from a checkpoint takes the place of what was written after it.
            self._writer = self._make_writer(
                str(self.folder), purge_step=progress.env_step, flush_secs=self._flush_seconds
            )
            self._finalizer = weakref.finalize(self, self._writer.close)  # at the end of the process too
        recent = progress.episodes["episodic_return"][-100:]
        numbers = dict(progress.metrics)
        if len(recent):
            numbers["charts/episodic_return"] = float(recent.mean())
        for name, number in numbers.items():
            self._writer.add_scalar(name, number, progress.env_step)

    def close(self) -> None:
        """Write what is left, and close the file; a later iteration opens another one."""
        if self._writer is not None:
            self._finalizer()
            self._writer = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
