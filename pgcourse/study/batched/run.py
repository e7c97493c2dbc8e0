"""Which runs can be trained as one batch, and how: `train_batch` in place of many calls of an algorithm's `train`."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ... import optim
from ...config import Config
from ...envs import has_tensor_envs, make_envs
from ...setup import policy_for
from . import actor_critic, reinforce
from .environments import RowEnvs
from .parts import prepare
from .record import BatchRecorder, Outcome
from .settings import structure
from .stack import Stack, stackable

LOOPS = {"reinforce": reinforce.train, "a2c": actor_critic.train, "ppo": actor_critic.train}


def batchable(config: Config, seams: Mapping[str, Any]) -> bool:
    """Whether runs of this config can be part of a batch: stock parts in tensor environments.

    Of a learner's own functions none; of the course's bugs the one norm for both networks, which one of its five agents has.
    """
    return (
        config.algorithm in LOOPS
        and has_tensor_envs(config.env_id)
        and (not seams or (_joint(seams) and getattr(config, "shared_trunk", None) is False))
        and stackable(policy_for(config, make_envs(config.env_id, 1, seed=0)))
    )


def _joint(seams: Mapping[str, Any]) -> bool:
    """Whether the one function replaced is the trap's, which says of itself that it clips jointly."""
    return set(seams) == {"gradient_step_fn"} and getattr(seams["gradient_step_fn"], "clips_jointly", False)


def train_batch(
    configs: Sequence[Config],
    *,
    seams: Mapping[str, Any] | None = None,
    device: str | torch.device = "cpu",
    on_progress: Callable[[float], None] | None = None,
) -> list[Outcome]:
    """Train one run of each config, of one `structure`, all at once.

    Every run draws on the CPU what it would draw alone, and its numbers agree with those of `train` up to rounding: to 1e-5
    in the first update, then less and less, as small differences grow in any training. They do not depend on the other
    runs. `wall_time` and charts/SPS are of the batch as a whole.

    Args: on_progress: called after each update with the share of the batch that is done.
    Returns: a `Result` each; for a run that diverged, the `TrainingDiverged` that `train` would have raised.
    """
    assert len({structure(config) for config in configs}) == 1, "configs of one structure"
    chosen = torch.device(device)
    with optim.single_thread(), warnings.catch_warnings():
        # Gradients are views of one tensor on purpose; torch finds their strides unusual for one of width 1.
        warnings.filterwarnings("ignore", "grad and param do not obey the gradient layout contract")
        parts = prepare(configs, chosen, joint_clipping=_joint(seams or {}))
        recorder = BatchRecorder(
            configs, parts.policy, parts.critic, parts.optimizers, configs[0].num_envs, on_progress
        )
        LOOPS[configs[0].algorithm](parts, recorder)
    assert all(outcome is not None for outcome in recorder.outcomes)
    return recorder.outcomes  # type: ignore[return-value]


def evaluate_batch(
    policies: Sequence[torch.nn.Module], env_id: str, seeds: Sequence[int], *, num_episodes: int = 100
) -> NDArray[np.float64]:
    """`evaluate` of policies of one make, all at once. Args: seeds: one each. Returns: returns [S, num_episodes]."""
    device = next(policies[0].parameters()).device
    network = Stack(policies).network
    with optim.single_thread(), torch.inference_mode():
        envs = RowEnvs(env_id, seeds, num_episodes, device, "evaluation")
        obs = envs.obs
        running = torch.ones(obs.shape[:2], dtype=torch.bool, device=device)
        returns = torch.zeros(obs.shape[:2], dtype=torch.float64, device=device)
        while bool(running.any()):
            obs, rewards, terminated, truncated, _ = envs.step(network(obs).mode)
            returns += torch.where(running, rewards, 0.0)
            running &= ~(terminated | truncated)
    return returns.cpu().numpy()
