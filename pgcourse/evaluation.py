"""Evaluate a policy: complete episodes from start states that training never saw."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor, nn

from .envs import env_seeds, make_envs
from .envs.adapter import describe
from .errors import InvalidInput
from .optim import seeded, single_thread

BATCH = 128  # environments side by side


@dataclass(frozen=True)
class Evaluation:
    """Undiscounted returns and lengths of K episodes, one from each start state."""

    returns: NDArray[np.float64]  # [K]
    lengths: NDArray[np.int64]  # [K]

    @property
    def mean(self) -> float:
        """Mean return over the start states."""
        return float(self.returns.mean())

    @property
    def standard_error(self) -> float:
        """Standard error of that mean, for this one policy; it says nothing about other training seeds."""
        count = len(self.returns)
        return float(self.returns.std(ddof=1) / np.sqrt(count)) if count > 1 else float("nan")


def evaluate(
    policy: nn.Module | None, env_id: str, *, num_episodes: int = 100, seed: int, deterministic: bool = True
) -> Evaluation:
    """Run one complete episode from each of `num_episodes` start states and count it, whatever its length.

    One per start state, because the first K episodes to finish would be the short ones too often. The start states
    come from the evaluation stream of `seed`, which no training run uses. The policy is put in evaluation mode, and
    back after.

    Args: policy: None acts at random. deterministic: the distribution's mode, else a sample.
    Raises: InvalidInput for an unknown environment, a policy for other spaces, or num_episodes < 1.
    """
    if num_episodes < 1:
        raise InvalidInput(f"num_episodes={num_episodes} is not positive; use at least 1")
    if seed < 0:
        raise InvalidInput(f"seed={seed} is negative; use an integer of at least 0")
    seeds = env_seeds(seed, num_episodes, "evaluation")
    training = policy is not None and policy.training
    if policy is not None:
        policy.eval()
    try:
        with seeded(seed), single_thread(), torch.inference_mode():
            batches = [
                _run(policy, env_id, seeds[first : first + BATCH], deterministic)
                for first in range(0, num_episodes, BATCH)
            ]
    finally:
        if policy is not None:
            policy.train(training)
    returns, lengths = (np.concatenate(column) for column in zip(*batches, strict=True))
    return Evaluation(returns, lengths)


def _run(
    policy: nn.Module | None, env_id: str, seeds: list[int], deterministic: bool
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    device = policy_device(policy)
    envs = make_envs(env_id, len(seeds), seed=0, device=device)
    if policy is None:
        envs.action_space.seed(seeds[0] % 2**31)
    obs, _ = envs.reset(seed=seeds)  # type: ignore[arg-type]
    running = torch.ones(len(seeds), dtype=torch.bool, device=device)
    returns = torch.zeros(len(seeds), dtype=torch.float64, device=device)
    lengths = torch.zeros(len(seeds), dtype=torch.int64, device=device)
    while bool(running.any()):
        if policy is None:
            actions = torch.as_tensor(envs.action_space.sample(), device=device)
        else:
            actions = act(policy, obs, deterministic=deterministic)
            require_fitting_actions(actions, envs.single_action_space)
        obs, rewards, terminated, truncated, _ = envs.step(actions)
        returns += torch.where(running, rewards, 0.0)
        lengths += running
        running &= ~(terminated | truncated)
    envs.close()
    return returns.cpu().numpy(), lengths.cpu().numpy()


def act(policy: nn.Module, obs: Tensor, *, deterministic: bool) -> Tensor:
    """Actions [N] or [N, A] for observations [N, D]. Raises: InvalidInput where the policy is for other ones."""
    try:
        distribution = policy(obs)
    except RuntimeError as error:
        if "shapes cannot be multiplied" not in str(error):
            raise
        raise InvalidInput(
            f"the policy does not fit observations of {obs.shape[-1]} numbers; give the environment that it was trained on"
        ) from error
    return distribution.mode if deterministic else distribution.sample()


def require_fitting_actions(actions: Tensor, space: spaces.Space[Any]) -> None:
    """Raises: InvalidInput where a policy's actions [N] or [N, A] are not of this space of one environment."""
    discrete = not actions.is_floating_point() and actions.dim() == 1
    if isinstance(space, spaces.Discrete):
        fits = discrete and int(actions.max()) < space.n
    else:
        fits = not discrete and actions.shape[1:] == space.shape
    if not fits:
        raise InvalidInput(
            f"the policy gives {'discrete' if discrete else 'continuous'} actions of shape {list(actions.shape[1:])}, the "
            f"environment takes {describe(space)}; give the environment that it was trained on"
        )


def policy_device(policy: nn.Module | None) -> torch.device:
    """The device that holds a policy's parameters; the CPU where there are none."""
    parameter = next(policy.parameters(), None) if policy is not None else None
    return parameter.device if parameter is not None else torch.device("cpu")
