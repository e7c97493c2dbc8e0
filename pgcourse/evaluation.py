"""Evaluate a policy: complete episodes from start states that training never saw."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray
from torch import Tensor, nn

from .envs import env_seeds
from .envs.source import EnvSource, single_env, vector_envs
from .errors import InvalidInput
from .optim import seeded, single_thread
from .spaces import describe, to_env_actions

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
    policy: nn.Module | None, env: EnvSource, *, num_episodes: int = 100, seed: int, deterministic: bool = True
) -> Evaluation:
    """Run one complete episode from each of `num_episodes` start states and count it, whatever its length.

    One per start state, because the first K episodes to finish would be the short ones too often. The start states
    come from the evaluation stream of `seed`, which no training run uses. The policy is put in evaluation mode, and
    back after.

    Args: policy: None acts at random. env: an id; a function that makes one environment, called as often as there are
    episodes side by side; one environment, which plays one episode after the other; or a vector environment in SAME_STEP
    mode. What is given as an object is reset and stepped, and stays open. deterministic: the distribution's mode, else a
    sample.
    Raises: InvalidInput for an unknown environment, a policy for other spaces, or num_episodes < 1.
    """
    if num_episodes < 1:
        raise InvalidInput(f"num_episodes={num_episodes} is not positive; use at least 1")
    if seed < 0:
        raise InvalidInput(f"seed={seed} is negative; use an integer of at least 0")
    training = policy is not None and policy.training
    if policy is not None:
        policy.eval()
    try:
        with seeded(seed), single_thread(), torch.inference_mode():
            if isinstance(env, gymnasium.Env):
                starts = env_seeds(seed, num_episodes, "evaluation")
                return _one_after_the_other(policy, env, starts, deterministic)
            batch = env.num_envs if isinstance(env, VectorEnv) else BATCH
            # A vector environment plays as many episodes at once as it has environments; those beyond K are not counted.
            whole = -(-num_episodes // batch) * batch if isinstance(env, VectorEnv) else num_episodes
            starts = env_seeds(seed, whole, "evaluation")
            batches = [
                _side_by_side(policy, env, starts[first : first + batch], deterministic)
                for first in range(0, num_episodes, batch)
            ]
    finally:
        if policy is not None:
            policy.train(training)
    returns, lengths = (np.concatenate(column)[:num_episodes] for column in zip(*batches, strict=True))
    return Evaluation(returns, lengths)


def _side_by_side(
    policy: nn.Module | None, source: EnvSource, seeds: list[int], deterministic: bool
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    device = policy_device(policy)
    # What goes on behind an episode's end is not counted, so a memory need not be emptied there.
    policy = at_start(policy)
    envs = vector_envs(source, len(seeds), device=device)
    drawn: Any = envs.action_space
    if isinstance(envs.single_action_space, spaces.MultiDiscrete):
        # Gymnasium's batch of a MultiDiscrete with a start reaches beyond the last choice.
        drawn = spaces.Tuple([envs.single_action_space] * envs.num_envs)
    if policy is None:
        drawn.seed(seeds[0] % 2**31)
    obs, _ = envs.reset(seed=seeds)  # type: ignore[arg-type]
    running = torch.ones(len(seeds), dtype=torch.bool)
    # On the CPU, because not every device has float64, in which long sums stay exact.
    returns = torch.zeros(len(seeds), dtype=torch.float64)
    lengths = torch.zeros(len(seeds), dtype=torch.int64)
    while bool(running.any()):
        if policy is None:
            # Counted from 0, as a policy's are.
            first = getattr(envs.single_action_space, "start", 0)
            actions = torch.as_tensor(np.asarray(drawn.sample()) - first, device=device)
        else:
            actions = act(policy, obs.to(device), deterministic=deterministic)
            require_fitting_actions(actions, envs.single_action_space)
        obs, rewards, terminated, truncated, _ = envs.step(actions)
        returns += torch.where(running, rewards.cpu(), 0.0)
        lengths += running
        running &= ~(terminated | truncated).cpu()
    if not isinstance(source, VectorEnv):
        envs.close()
    return returns.numpy(), lengths.numpy()


def _one_after_the_other(
    policy: nn.Module | None, source: gymnasium.Env[Any, Any], seeds: list[int], deterministic: bool
) -> Evaluation:
    with single_env(source) as env:
        episodes = [list(play(policy, env, start=start, deterministic=deterministic)) for start in seeds]
    returns = np.array([sum(rewards) for rewards in episodes])
    return Evaluation(returns, np.array([len(rewards) - 1 for rewards in episodes]))


def play(policy: nn.Module | None, env: gymnasium.Env[Any, Any], *, start: int, deterministic: bool) -> Iterator[float]:
    """One episode of a single environment, a step at a time. Yields: 0 after the reset, then the reward of each step.

    Args: policy: None acts at random. start: the seed of the start state, and of the actions drawn at random.
    """
    policy = at_start(policy)
    env.action_space.seed(start % 2**31)
    obs, _ = env.reset(seed=start)
    yield 0.0
    ended = False
    while not ended:
        action = choose_action(policy, obs, env.action_space, deterministic=deterministic)
        obs, reward, terminated, truncated, _ = env.step(action)
        ended = terminated or truncated
        yield float(reward)


def at_start(policy: nn.Module | None) -> nn.Module | None:
    """The policy as it acts from an episode's first step on: one with a memory, with an empty one."""
    begin = getattr(policy, "at_start", None)
    return begin() if begin is not None else policy


def choose_action(policy: nn.Module | None, obs: Any, space: spaces.Space[Any], *, deterministic: bool) -> Any:
    """One action of this space for one observation [D], as a single environment takes it; None acts at random."""
    if policy is None:
        return space.sample()
    batch = torch.as_tensor(obs, dtype=torch.float32, device=policy_device(policy))[None]  # [1, D]
    actions = act(policy, batch, deterministic=deterministic)  # [1] or [1, A]
    require_fitting_actions(actions, space)
    action = to_env_actions(actions[0].cpu().numpy(), space)
    return int(action) if isinstance(space, spaces.Discrete) else action


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
    discrete = not actions.is_floating_point()
    wanted = not isinstance(space, spaces.Box)
    fits = discrete == wanted and actions.shape[1:] == space.shape
    if fits and isinstance(space, spaces.Discrete | spaces.MultiDiscrete):
        choices = space.n if isinstance(space, spaces.Discrete) else space.nvec
        fits = bool((actions < torch.as_tensor(choices, device=actions.device)).all())
    if not fits:
        raise InvalidInput(
            f"the policy gives {'discrete' if discrete else 'continuous'} actions of shape {list(actions.shape[1:])}, the "
            f"environment takes {describe(space)}; give the environment that it was trained on"
        )


def policy_device(policy: nn.Module | None) -> torch.device:
    """The device that holds a policy's parameters; the CPU where there are none."""
    parameter = next(policy.parameters(), None) if policy is not None else None
    return parameter.device if parameter is not None else torch.device("cpu")
