"""Explainers that need data of a run, with data that a test can make quickly: name -> function that makes one."""

from collections.abc import Callable

import numpy as np
import torch

from pgcourse.networks import GaussianPolicy
from pgcourse.optim import seeded
from pgcourse.rollout import Rollout
from pgcourse.show.live.explainer import Explainer
from pgcourse.show.live.explainers.advantages import advantages_of
from pgcourse.show.live.explainers.fork_error import fork_error
from pgcourse.show.live.explainers.phase import phase_of


def advantages() -> Explainer:
    """A rollout with every kind of end."""
    generator = torch.Generator().manual_seed(0)
    rewards, values, next_values = (torch.randn(40, 2, generator=generator) for _ in range(3))
    terminated, truncated = torch.zeros(2, 40, 2, dtype=torch.bool)
    terminated[[7, 20], 1] = truncated[[20, 31], 1] = True
    return advantages_of(
        Rollout(rewards[..., None], rewards, rewards, rewards, values, next_values, terminated, truncated), column=1
    )


def fork() -> Explainer:
    """Two critics, one of them without any noise at λ = 0."""
    lambdas = np.linspace(0, 1, 21)
    critics = {f"{n} updates": (-np.exp(-n * lambdas / 10), 4.5 * lambdas**2 + n / 1000) for n in (10, 0)}
    return fork_error(lambdas, critics, shown="10 updates")


def phase() -> Explainer:
    """Two untrained policies, one of them with torques that matter."""
    with seeded(0):
        weak, strong = GaussianPolicy(3, 1, hidden_sizes=(16,)), GaussianPolicy(3, 1, hidden_sizes=(16,))
    with torch.no_grad():
        list(strong.mean.parameters())[-2].mul_(300)
    return phase_of({"weak": weak, "strong": strong})


SAMPLES: dict[str, Callable[[], Explainer]] = {"advantages": advantages, "fork_error": fork, "phase": phase}
