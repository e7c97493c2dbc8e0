"""Pay beside the reward, for a reward that is hardly ever found: a count bonus, and potential-based shaping.

The environment gives its true reward, which is what a run records; what is paid on top exists for the training alone. It
is added where the advantages are computed: `KeyDoorPay` is a pair of `envs` and `advantage_fn` for `train`.
"""

from abc import abstractmethod
from dataclasses import dataclass, field

import torch
from gymnasium.vector import VectorEnv
from torch import Tensor

from ..envs import env_seeds
from ..envs.key_door import LENGTH, NUM_PLACES, SHORTEST, KeyDoorVectorEnv, remaining_steps
from ..returns import gae


def shaped_rewards(
    rewards: Tensor, potentials: Tensor, next_potentials: Tensor, terminated: Tensor, *, gamma: float
) -> Tensor:
    """Rewards with the discounted gain of a potential added: r + gamma * Phi(s') - Phi(s).

    The potential of a terminated episode's last state counts 0, whatever it is said to be: nothing comes after it that
    could take back what was paid. A truncated episode's last state keeps its own, as the agent's future goes on there.

    Args: rewards, potentials of the states acted in, next_potentials of the true next states: [T, N]; terminated: [T, N]
    bool. Returns: [T, N]. Source: Ng, Harada and Russell (1999), theorem 1; Grzes (2017), "Reward shaping in episodic
    reinforcement learning", for the last state.
    """
    return rewards + gamma * next_potentials * ~terminated - potentials


class WatchedKeyDoor(KeyDoorVectorEnv):
    """Key and door, which notes from which place to which each step leads."""

    scored_on = "KeyDoor-v0"

    def __init__(self, num_envs: int) -> None:
        super().__init__(num_envs)
        self.steps: list[tuple[Tensor, Tensor]] = []

    def dynamics(self, state: Tensor, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        after, rewards, terminated = super().dynamics(state, actions)
        self.steps.append((place_of(state), place_of(after)))
        return after, rewards, terminated

    def taken_steps(self) -> tuple[Tensor, Tensor]:
        """Places [T, N] of all steps since the last call, and the places after them [T, N], true ones also at an end."""
        places, next_places = (torch.stack(column) for column in zip(*self.steps, strict=True))
        self.steps = []
        return places, next_places


def place_of(state: Tensor) -> Tensor:
    """Index [N] of the 1 in the observation of a state [N, 2]."""
    square, key = state.long().unbind(-1)
    return square + LENGTH * key


@dataclass
class KeyDoorPay:
    """What a run on Key and door is paid beside the reward: `envs` in `run_seeds`, with `advantages` for `advantage_fn`."""

    num_envs: int
    scale: float
    watched: WatchedKeyDoor | None = field(default=None, init=False, repr=False, compare=False)

    def __call__(self, seed: int) -> VectorEnv:
        """Environments of a new run."""
        self.watched = WatchedKeyDoor(self.num_envs)
        self.watched.reset(seed=env_seeds(seed, self.num_envs))
        return self.watched

    def advantages(
        self,
        rewards: Tensor,
        values: Tensor,
        next_values: Tensor,
        terminated: Tensor,
        truncated: Tensor,
        *,
        gamma: float,
        gae_lambda: float,
    ) -> Tensor:
        """`gae` on the rewards [T, N] with the pay added."""
        assert self.watched is not None
        paid = self.paid(rewards, *self.watched.taken_steps(), terminated, gamma)
        return gae(paid, values, next_values, terminated, truncated, gamma=gamma, gae_lambda=gae_lambda)

    @abstractmethod
    def paid(self, rewards: Tensor, places: Tensor, next_places: Tensor, terminated: Tensor, gamma: float) -> Tensor:
        """The rewards that training sees, [T, N]."""


@dataclass
class CountBonus(KeyDoorPay):
    """Pays scale / sqrt(n) for the n-th visit of a place, counted over the whole run and all of its environments.

    Source: Strehl and Littman (2008), "An analysis of model-based interval estimation for Markov decision processes".
    """

    visits: Tensor = field(init=False, repr=False, compare=False)

    def __call__(self, seed: int) -> VectorEnv:
        """Environments of a new run, in which no place has been visited."""
        self.visits = torch.zeros(NUM_PLACES)
        return super().__call__(seed)

    def paid(self, rewards: Tensor, places: Tensor, next_places: Tensor, terminated: Tensor, gamma: float) -> Tensor:
        bonuses = []
        for arrived in next_places:  # [N], step after step
            self.visits += torch.bincount(arrived, minlength=NUM_PLACES)
            bonuses.append(self.scale / self.visits[arrived].sqrt())
        return rewards + torch.stack(bonuses)


@dataclass
class PaidForPotential(KeyDoorPay):
    """Potential-based shaping: Phi is minus the steps still to go, in units of the shortest way, times the scale."""

    def paid(self, rewards: Tensor, places: Tensor, next_places: Tensor, terminated: Tensor, gamma: float) -> Tensor:
        potentials, next_potentials = (-self.scale / SHORTEST * remaining_steps(each) for each in (places, next_places))
        return shaped_rewards(rewards, potentials, next_potentials, terminated, gamma=gamma)


@dataclass
class PaidForProgress(KeyDoorPay):
    """Pays the same for a step that leads nearer, and charges nothing for a step back: no difference of potentials."""

    def paid(self, rewards: Tensor, places: Tensor, next_places: Tensor, terminated: Tensor, gamma: float) -> Tensor:
        nearer = remaining_steps(next_places) < remaining_steps(places)
        return rewards + self.scale / SHORTEST * nearer
