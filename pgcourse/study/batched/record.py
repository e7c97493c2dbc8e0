"""Bookkeeping of a batch: steps, episodes and metrics of every run, which runs are over, and which have diverged."""

import math
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...config import Config
from ...episodes import EpisodeLog
from ...networks import LOG_STD_RANGE, share_trunk
from ...runs import Result
from ...training import TrainingDiverged, not_finite_inputs, not_finite_number, watched
from .stack import RowAdam, Stack

Outcome = Result | TrainingDiverged


class Row:
    """One run of the batch."""

    def __init__(self, index: int, config: Config) -> None:
        self.index, self.config = index, config  # index: among the configs that were given
        self.log = EpisodeLog(0)
        self.env_step = 0
        self.metrics: list[NDArray[np.float64]] = []  # one array an iteration

    @property
    def progress_fraction(self) -> float:
        """Share of the budget that is used up, by steps or episodes, whichever is further."""
        steps, episodes = self.config.total_timesteps, self.config.num_episodes
        return max(self.env_step / (steps or math.inf), len(self.log) / (episodes or math.inf))


class BatchRecorder:
    """What `training.Recorder` keeps of one run, for the runs that are still under way, and the outcomes of the others."""

    def __init__(
        self,
        configs: Sequence[Config],
        policy: Stack,
        critic: Stack | None,
        optimizers: Mapping[str, RowAdam],
        num_envs: int,
        on_progress: Callable[[float], None] | None = None,
    ) -> None:
        self.rows = [Row(index, config) for index, config in enumerate(configs)]
        self.outcomes: list[Outcome | None] = [None] * len(self.rows)
        self.policy, self.critic, self.optimizers = policy, critic, optimizers
        self._shared = getattr(configs[0], "shared_trunk", False)
        self.running_return = np.zeros((len(self.rows), num_envs))
        self.running_length = np.zeros((len(self.rows), num_envs), np.int64)
        self.on_progress = on_progress
        self.names: list[str] = []
        self.iteration = 0
        self._bad: dict[int, str] = {}  # row -> why it has diverged
        self._keep_weights()
        self._start = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Since the batch began [s], for all of its runs together."""
        return time.perf_counter() - self._start

    @property
    def progress_fractions(self) -> Tensor:
        """Share of each run's budget that is used up, [S, 1]."""
        return torch.tensor([[row.progress_fraction] for row in self.rows])

    def record_rollout(self, rewards: Tensor, done: Tensor, obs: Tensor) -> None:
        """Count a rollout's steps and episodes: rewards and ends [T, S, N], observations [T, S, N, D]."""
        now = self.seconds
        num_steps, _, num_envs = rewards.shape
        ended: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]] = []
        for t, (reward, over) in enumerate(zip(rewards.cpu().numpy(), done.cpu().numpy(), strict=True)):
            self.running_return += reward
            self.running_length += 1
            if over.any():
                of = np.nonzero(over)[0]
                ended.append((of, np.full(len(of), t), self.running_return[over], self.running_length[over]))
                self.running_return[over] = 0
                self.running_length[over] = 0
        if ended:
            of, steps, returns, lengths = (np.concatenate(column) for column in zip(*ended, strict=True))
            for index in np.unique(of):
                row, own = self.rows[index], of == index
                row.log.add(row.env_step + (steps[own] + 1) * num_envs, returns[own], lengths[own], wall_time=now)
        for row in self.rows:
            row.env_step += num_steps * num_envs
        self._require_finite(observations=obs.transpose(0, 1), rewards=rewards.transpose(0, 1))

    def record_episodes(self, rewards: Tensor, lengths: Tensor, obs: Tensor) -> None:
        """Count complete episodes that began together: rewards [T, S, N] of which `lengths` [S, N] count."""
        now = self.seconds
        values, counts = rewards.cpu().numpy(), lengths.tolist()
        for index, (row, own) in enumerate(zip(self.rows, counts, strict=True)):
            row.log.add_batch(
                [values[:length, index, n] for n, length in enumerate(own)], env_step=row.env_step, wall_time=now
            )
            row.env_step += sum(own)
        self._require_finite(observations=obs.transpose(0, 1), rewards=rewards.transpose(0, 1))

    def _require_finite(self, **tensors: Tensor) -> None:
        """Note the runs [S, ...] whose tensors hold a NaN or an infinity."""
        for name, tensor in tensors.items():
            if not bool(tensor.isfinite().all()):
                finite = tensor.isfinite().flatten(1).all(1).tolist()
                for index, row in enumerate(self.rows):
                    if not finite[index]:
                        self._bad.setdefault(index, not_finite_inputs(name, self.iteration + 1, row.env_step))

    def end_iteration(self, metrics: Mapping[str, Tensor | float]) -> list[int]:
        """Record one update's metrics, [S] each. Returns: the rows that go on, the others have their outcome now."""
        numbers = self._table({**metrics, **self._chart()})  # [S, M]
        suspects = [column for column, name in enumerate(self.names) if watched(name)]
        for index, column in np.argwhere(~np.isfinite(numbers[:, suspects])):
            name, number, row = self.names[suspects[column]], numbers[index, suspects[column]], self.rows[index]
            self._bad.setdefault(int(index), not_finite_number(name, number, self.iteration + 1, row.env_step))
        self.iteration += 1
        going: list[int] = []
        for index, row in enumerate(self.rows):
            if index in self._bad:
                self.outcomes[row.index] = TrainingDiverged(self._bad[index], self._result(index, good=True))
                continue
            row.metrics.append(numbers[index])
            if row.progress_fraction < 1:
                going.append(index)
            else:
                self.outcomes[row.index] = self._result(index)
        self._bad = {}
        if self.on_progress is not None:
            over = len(self.outcomes) - len(going)
            self.on_progress((over + sum(self.rows[row].progress_fraction for row in going)) / len(self.outcomes))
        return going

    def select(self, rows: Sequence[int]) -> None:
        """Keep these rows alone, after the stacks have done so."""
        self.rows = [self.rows[row] for row in rows]
        self.running_return, self.running_length = self.running_return[rows], self.running_length[rows]

    def begin_iteration(self) -> None:
        """Keep the weights, which are good up to here."""
        self._keep_weights()

    def _keep_weights(self) -> None:
        self._good = {name: stack.snapshot() for name, stack in self._stacks.items()}

    @property
    def _stacks(self) -> dict[str, Stack]:
        stacks = {"policy": self.policy, "critic": self.critic}
        return {name: stack for name, stack in stacks.items() if stack is not None}

    def _table(self, metrics: Mapping[str, Tensor | float]) -> NDArray[np.float64]:
        """Metrics as one array [S, M], in one transfer."""
        self.names = list(metrics)
        device, count = self.policy.parameters.device, len(self.rows)
        columns = [
            torch.as_tensor(value, dtype=torch.float32, device=device).expand(count) for value in metrics.values()
        ]
        return torch.stack(columns, dim=1).double().cpu().numpy()

    def _chart(self) -> dict[str, Tensor | float]:
        """Counters and rates, and how far each part of each network moved in this iteration; see `training.Recorder`."""
        seconds = self.seconds
        steps = torch.tensor([float(row.env_step) for row in self.rows])
        numbers: dict[str, Tensor | float] = {
            "charts/env_step": steps,
            "charts/episodes": torch.tensor([float(len(row.log)) for row in self.rows]),
            "charts/SPS": steps / seconds,
        }
        for name, optimizer in self.optimizers.items():
            if name == "policy" or not self._shared:  # a shared trunk has one rate
                numbers[f"charts/{name}_lr"] = optimizer.rates[:, 0]
        log_std = getattr(self.policy.network, "log_std", None)
        if isinstance(log_std, Tensor):
            numbers["charts/action_std"] = log_std.detach().clamp(*LOG_STD_RANGE).exp().mean((1, 2))
        for role, stack in self._stacks.items():
            for part, norm in stack.update_norms(self._good[role][0]).items():
                numbers[f"updates/{role}.{part}"] = norm
        return numbers

    def _result(self, index: int, *, good: bool = False) -> Result:
        """The run of a row; with the weights before this iteration where `good`."""
        row = self.rows[index]
        networks = {
            name: stack.unstack(index, self._good[name] if good else None) for name, stack in self._stacks.items()
        }
        if self._shared:
            share_trunk(networks["policy"], networks["critic"])
        table = np.array(row.metrics).reshape(len(row.metrics), len(self.names))
        metrics = dict(zip(self.names, np.ascontiguousarray(table.T), strict=True))
        device = str(self.policy.parameters.device)
        return Result(
            networks["policy"], networks.get("critic"), row.config, device, False, row.log.records.copy(), metrics
        )
