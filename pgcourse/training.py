"""Bookkeeping around a training loop: steps, episodes and metrics, when to stop, interrupts, checkpoints."""

import math
import signal
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .checkpoint import Checkpoint, describe_run, require_same_run
from .diagnostics import update_norms
from .envs import env_seeds
from .episodes import EpisodeLog
from .errors import InvalidInput
from .networks import LOG_STD_RANGE
from .rollout import Rollout
from .runs import Result
from .setup import Setup


class Progress(NamedTuple):
    """What `on_iteration` sees after each update; returning True stops the run."""

    iteration: int  # 1 after the first update
    env_step: int  # environment steps so far, all environments together
    seconds: float  # training time so far, without the time spent in `on_iteration`
    episodes: NDArray[Any]  # all so far; fields of EPISODE_FIELDS
    metrics: dict[str, float]  # of this update
    policy: nn.Module  # the network itself, not a copy


OnIteration = Callable[[Progress], bool | None]


def chain(*callbacks: OnIteration) -> OnIteration:
    """One `on_iteration` that calls all of them in order; the run stops when one asks for it."""
    return lambda progress: any([callback(progress) for callback in callbacks])  # noqa: C419 - each of them has to run


class TrainingDiverged(RuntimeError):
    """A number that is not finite: names the iteration and the tensor, and keeps the last good weights in `result`."""

    def __init__(self, message: str, result: Result) -> None:
        super().__init__(message)
        self.result = result


def watched(metric: str) -> bool:
    """Whether a metric that is not finite means that the run has diverged.

    A loss is taken before the step: what the step made of the weights shows in "updates/" alone. explained_variance is
    undefined, not wrong, where the returns are constant.
    """
    return metric.startswith(("losses/", "updates/")) and metric != "losses/explained_variance"


def not_finite_inputs(name: str, iteration: int, env_step: int) -> str:
    """What `TrainingDiverged` says of observations or rewards."""
    return (
        f"{name} are not finite in iteration {iteration}, after {env_step} steps; look at the environment that gives them; "
        "the last good weights are kept"
    )


def not_finite_number(name: str, number: float, iteration: int, env_step: int) -> str:
    """What `TrainingDiverged` says of a metric."""
    return (
        f"{name} is {number} in iteration {iteration}, after {env_step} steps; look at the learning rates, the scale of the "
        "rewards, and log-probabilities of impossible actions; the last good weights are kept"
    )


class Interrupt:
    """Turns Ctrl-C (in a notebook: ■) into a wish to stop at the next safe moment; the second one stops at once.

    Outside the main thread Python delivers no interrupts, and nothing is changed.
    """

    def __init__(self) -> None:
        self.requested = False
        self._previous: Any = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True


class Recorder:
    """Counts steps and episodes, keeps metrics, and says when the run is over.

    Used as a context manager around the loop: `with Recorder(...) as recorder: while recorder.running: ...`. On entry
    it resets the environments, or puts the whole run back to its checkpoint; `obs` [N, D] are the first observations.
    """

    def __init__(
        self, setup: Setup[Any], *, on_iteration: OnIteration | None = None, checkpoint: Checkpoint | None = None
    ) -> None:
        self.setup, self.config = setup, setup.config
        self.on_iteration, self.checkpoint = on_iteration, checkpoint
        self.iteration = 0
        self.env_step = 0
        self.log = EpisodeLog(setup.envs.num_envs)
        self._metrics: dict[str, list[float]] = {}
        self._stopped = False
        self._interrupt = Interrupt()
        self._seconds_before = 0.0  # training time of the run up to its checkpoint
        self._paused_seconds = 0.0

    def __enter__(self) -> Self:
        if self.checkpoint is not None and self.checkpoint.resume:
            self._restore(self.checkpoint.read())
        else:
            seeds = env_seeds(self.config.seed, self.setup.envs.num_envs)
            self.obs: Tensor = self.setup.envs.reset(seed=seeds)[0]  # type: ignore[arg-type]
        self._keep_weights()
        self._interrupt.__enter__()
        self._start = time.perf_counter()
        return self

    def __exit__(self, *exception: object) -> None:
        self._interrupt.__exit__(*exception)

    @property
    def seconds(self) -> float:
        """Training time so far [s], without the time spent in `on_iteration`."""
        return self._seconds_before + time.perf_counter() - self._start - self._paused_seconds

    @property
    def running(self) -> bool:
        """Whether another iteration is due: no interrupt, no stop asked for, the budget not used up."""
        return not self._stopped and not self._interrupt.requested and self.progress_fraction < 1

    @property
    def progress_fraction(self) -> float:
        """Share of the budget that is used up, by steps or episodes, whichever is further."""
        steps, episodes = self.config.total_timesteps, self.config.num_episodes
        return max(self.env_step / (steps or math.inf), len(self.log) / (episodes or math.inf))

    def record_rollout(self, rollout: Rollout) -> None:
        """Count a rollout's steps and episodes.

        Raises: TrainingDiverged for observations or rewards that are not finite.
        """
        done = rollout.terminated | rollout.truncated
        self.log.add_rollout(
            rollout.rewards.cpu().numpy(), done.cpu().numpy(), env_step=self.env_step, wall_time=self.seconds
        )
        self.env_step += done.numel()
        self.require_finite(observations=rollout.obs, rewards=rollout.rewards)

    def record_episodes(self, rewards: list[Tensor]) -> None:
        """Count complete episodes that began together, rewards [T] each, and their steps."""
        arrays = [reward.cpu().numpy() for reward in rewards]
        self.log.add_batch(arrays, env_step=self.env_step, wall_time=self.seconds)
        self.env_step += sum(len(array) for array in arrays)

    def require_finite(self, **tensors: Tensor) -> None:
        """Raises: TrainingDiverged, with the last good weights, where a tensor holds a NaN or an infinity."""
        for name, tensor in tensors.items():
            if not bool(tensor.isfinite().all()):
                raise TrainingDiverged(
                    not_finite_inputs(name, self.iteration + 1, self.env_step), self._last_good_result()
                )

    def end_iteration(self, metrics: Mapping[str, Tensor | float]) -> None:
        """Record one update's metrics, write the checkpoint when due, and ask `on_iteration` whether to go on."""
        device = self.setup.device
        values = [torch.as_tensor(value, dtype=torch.float32, device=device) for value in metrics.values()]
        listed = torch.stack(values).tolist() if values else []  # one transfer for all
        numbers = dict(zip(metrics, listed, strict=True))
        numbers |= self._chart()
        for name, number in numbers.items():
            if watched(name) and not math.isfinite(number):
                raise TrainingDiverged(
                    not_finite_number(name, number, self.iteration + 1, self.env_step), self._last_good_result()
                )
        self.iteration += 1
        for name, number in numbers.items():
            self._metrics.setdefault(name, []).append(number)
        self._keep_weights()
        if self.on_iteration is not None:
            seconds = self.seconds
            policy = self.setup.policy
            progress = Progress(self.iteration, self.env_step, seconds, self.log.records, numbers, policy)
            self._stopped = bool(self.on_iteration(progress))
            self._paused_seconds += self.seconds - seconds
        if self.checkpoint is not None and self.iteration % self.checkpoint.every == 0:
            self._write_checkpoint()

    def result(self) -> Result:
        """The finished run; after an interrupt, its last state is kept as a checkpoint where the run writes any."""
        if self._interrupt.requested and self.checkpoint is not None and self.iteration:
            self._write_checkpoint()
        setup = self.setup
        metrics = {name: np.array(values) for name, values in self._metrics.items()}
        interrupted, episodes = self._interrupt.requested, self.log.records.copy()
        return Result(setup.policy, setup.critic, setup.config, str(setup.device), interrupted, episodes, metrics)

    def _chart(self) -> dict[str, float]:
        """Counters and rates of the run, and how far each part of each network moved in this iteration."""
        numbers = {
            "charts/env_step": float(self.env_step),
            "charts/episodes": float(len(self.log)),
            "charts/SPS": self.env_step / self.seconds,
        }
        for name, optimizer in self.setup.optimizers.items():
            numbers[f"charts/{name}_lr"] = optimizer.param_groups[0]["lr"]
        log_std = getattr(self.setup.policy, "log_std", None)
        if isinstance(log_std, Tensor):
            numbers["charts/action_std"] = float(log_std.detach().clamp(*LOG_STD_RANGE).exp().mean())
        for role, module in self.setup.modules.items():
            for part, norm in update_norms(module, self._good[role]).items():
                numbers[f"updates/{role}.{part}"] = float(norm)
        return numbers

    def _keep_weights(self) -> None:
        modules = self.setup.modules.items()
        self._good = {name: {k: v.clone() for k, v in module.state_dict().items()} for name, module in modules}

    def _last_good_result(self) -> Result:
        for name, module in self.setup.modules.items():
            module.load_state_dict(self._good[name])
        return self.result()

    def _write_checkpoint(self) -> None:
        """Write the whole run; a disk that refuses costs the checkpoint and not the run."""
        assert self.checkpoint is not None
        state = self.setup.state_dict() | {
            "description": describe_run(self.config),
            "counters": {"iteration": self.iteration, "env_step": self.env_step, "seconds": self.seconds},
            "log": self.log.state_dict(),
            "metrics": {name: torch.tensor(values, dtype=torch.float64) for name, values in self._metrics.items()},
        }
        try:
            self.checkpoint.write(state)
        except InvalidInput as error:
            warnings.warn(f"no checkpoint at iteration {self.iteration}: {error}; the run goes on", stacklevel=3)

    def _restore(self, state: dict[str, Any]) -> None:
        require_same_run(state, self.config)
        self.iteration, self.env_step = state["counters"]["iteration"], state["counters"]["env_step"]
        self._seconds_before = state["counters"]["seconds"]
        self.log.load_state_dict(state["log"])
        self._metrics = {name: values.tolist() for name, values in state["metrics"].items()}
        obs = self.setup.load_state_dict(state)
        if obs is None:
            warnings.warn("these environments cannot be copied: the run goes on with fresh episodes", stacklevel=3)
            self.log.drop_running()
            fresh = env_seeds(self.config.seed + (self.iteration << 64), self.setup.envs.num_envs)
            obs = self.setup.envs.reset(seed=fresh)[0]  # type: ignore[arg-type]
        self.obs = obs
