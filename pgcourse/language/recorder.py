"""Bookkeeping around the training of a language model: answers as episodes, metrics, interrupts, when to stop."""

import copy
import math
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from ..episodes import EpisodeLog
from ..runs import Result
from ..training import Interrupt, OnIteration, Progress, TrainingDiverged, not_finite_number, watched
from .config import LanguageConfig
from .sampling import Answers


class Recorder:
    """Counts answers as episodes and tokens as steps, keeps metrics, and says when the run is over.

    Used as a context manager around the loop: `with Recorder(...) as recorder: while recorder.running: ...`.
    """

    def __init__(
        self,
        config: LanguageConfig,
        model: nn.Module,
        critic: nn.Module | None,
        device: torch.device,
        on_iteration: OnIteration | None,
    ) -> None:
        self.config, self.model, self.critic, self.device = config, model, critic, device
        self.on_iteration = on_iteration
        self.iteration = self.num_tokens = 0
        self._answers = EpisodeLog(num_envs=0)
        self._metrics: dict[str, list[float]] = defaultdict(list)
        self._stopped = False
        self._interrupt = Interrupt()
        self._good = copy.deepcopy(model.state_dict())
        self._seconds = 0.0

    def __enter__(self) -> Self:
        self._interrupt.__enter__()
        self._since = time.perf_counter()
        return self

    def __exit__(self, *exception: object) -> None:
        self._interrupt.__exit__(*exception)

    @property
    def running(self) -> bool:
        """Whether another iteration is due: no interrupt, no stop asked for, updates left."""
        return not self._stopped and not self._interrupt.requested and self.iteration < self.config.num_updates

    def end_iteration(self, answers: Answers, rewards: Tensor, metrics: Mapping[str, Tensor | float]) -> None:
        """Take down an update, and ask `on_iteration` whether to go on. Args: rewards: [B].

        Raises: TrainingDiverged, with the last good weights, for a number that is not finite.
        """
        numbers = {name: float(value) for name, value in metrics.items()}
        for name, number in numbers.items():
            if watched(name) and not math.isfinite(number):
                self.model.load_state_dict(self._good)
                raise TrainingDiverged(
                    not_finite_number(name, number, self.iteration + 1, self.num_tokens), self.result()
                )
        self._good = copy.deepcopy(self.model.state_dict())
        self._seconds += time.perf_counter() - self._since
        self.iteration += 1
        lengths = answers.lengths.cpu().numpy()
        self.num_tokens += int(lengths.sum())
        steps = np.full(len(lengths), self.num_tokens)
        self._answers.add(steps, rewards.cpu().numpy(), lengths, wall_time=self._seconds)
        numbers |= {
            "charts/reward": float(rewards.mean()),
            "charts/length": float(lengths.mean()),
            "charts/env_step": float(self.num_tokens),
        }
        for name, number in numbers.items():
            self._metrics[name].append(number)
        if self.on_iteration is not None:
            records = self._answers.records
            progress = Progress(self.iteration, self.num_tokens, self._seconds, records, numbers, self.model)
            self._stopped = bool(self.on_iteration(progress))
        self._since = time.perf_counter()  # what `on_iteration` took is not training time

    def result(self) -> Result:
        """The run so far."""
        config: Any = self.config  # the fields of environments are not among its own
        metrics = {name: np.array(values) for name, values in self._metrics.items()}
        records, interrupted = self._answers.records.copy(), self._interrupt.requested
        return Result(self.model, self.critic, config, str(self.device), interrupted, records, metrics)
