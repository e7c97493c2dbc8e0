"""Running observation and return normalisation: on a common scale, networks need no tuning to the task's units."""

import torch
from torch import Tensor, nn


class ObservationNorm(nn.Module):
    """Shifts and scales observations [..., D] by the mean and variance of all seen so far; identity before any.

    The statistics are buffers: saved with the weights, and moved by nothing but `update`.
    """

    count: Tensor
    mean: Tensor
    var: Tensor

    def __init__(self, obs_dim: int) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))
        self.register_buffer("mean", torch.zeros(obs_dim))
        self.register_buffer("var", torch.ones(obs_dim))

    def forward(self, obs: Tensor) -> Tensor:
        return (obs - self.mean) / self.scale

    @property
    def scale(self) -> Tensor:
        """Standard deviations [D]; 1 where nothing but rounding has varied, which says nothing of the scale.

        Division by an epsilon instead would multiply the first number that does vary by 10,000.
        """
        varies = self.var > 1e-10 * self.mean.square()
        return torch.where(varies, self.var + 1e-8, 1.0).sqrt()

    @torch.no_grad()
    def update(self, obs: Tensor) -> None:
        """Take in observations [..., B, D]; any split into batches gives the same statistics. Source: Chan et al. (1979)."""
        total = self.count + obs.shape[-2]
        shift = obs.mean(dim=-2).view_as(self.mean) - self.mean
        share = obs.shape[-2] / total  # of the new observations among all
        within = self.var * (1 - share) + obs.var(dim=-2, correction=0).view_as(self.var) * share
        self.var.copy_(within + shift.square() * (share * (1 - share)))
        self.mean += shift * share
        self.count.copy_(total)


def normalization(obs_dim: int, enabled: bool) -> nn.Module:
    """`ObservationNorm`, or the identity."""
    return ObservationNorm(obs_dim) if enabled else nn.Identity()


def update_normalization(network: nn.Module | None, obs: Tensor) -> None:
    """Let every `ObservationNorm` of a network take in observations [B, D]."""
    for module in network.modules() if network is not None else ():
        if isinstance(module, ObservationNorm):
            module.update(obs)


class ReturnScale(nn.Module):
    """Divides rewards by the running standard deviation of the discounted return; the mean is left alone.

    Centring rewards would change the task: where an episode's length is the score, as in CartPole, it would take the
    score away. Source: Engstrom et al., "Implementation matters in deep policy gradients" (2020).
    """

    discounted: Tensor

    def __init__(self, num_envs: int, gamma: float) -> None:
        super().__init__()
        self.gamma = gamma
        self.norm = ObservationNorm(1)
        self.register_buffer("discounted", torch.zeros(num_envs))  # running discounted return of each environment

    @torch.no_grad()
    def forward(self, rewards: Tensor, done: Tensor) -> Tensor:
        """Take in a rollout's rewards [T, N] and episode ends [T, N], and return the rewards scaled [T, N]."""
        history = []
        for reward, ended in zip(rewards, done, strict=True):
            self.discounted = self.discounted * self.gamma + reward
            history.append(self.discounted)
            self.discounted = self.discounted * ~ended
        self.norm.update(torch.stack(history).flatten()[:, None])
        return rewards / self.norm.scale
