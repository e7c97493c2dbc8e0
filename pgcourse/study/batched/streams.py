"""Random streams of the runs of a batch: on the CPU each run draws the numbers that it would draw alone."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.distributions import Distribution, Independent

from ...networks import Categorical


class Streams:
    """Samples of actions and minibatch orders for S runs.

    On the CPU every run has a stream of its own, so what it draws does not depend on its neighbours. Elsewhere one stream
    serves all: S small draws a step would cost more than the step.
    """

    def __init__(self, states: Sequence[Tensor], device: torch.device) -> None:
        """Args: states: of torch's generator, one a run, as each stands when its networks have been made."""
        self.device = device
        self.generators = [torch.Generator().set_state(state) for state in states]
        if device.type != "cpu":
            seed = sum(generator.initial_seed() for generator in self.generators) % 2**63
            self.shared = torch.Generator(device).manual_seed(seed)

    def sample(self, distribution: Distribution, rows: Sequence[int] | None = None) -> Tensor:
        """One action for each environment, [S, N] or [S, N, A]; only the runs of `rows` draw, the others' are arbitrary."""
        if isinstance(distribution, Independent):
            mean, std = distribution.base_dist.mean, distribution.base_dist.stddev
            return mean + std * self._draw(mean, torch.Tensor.normal_, rows)
        assert isinstance(distribution, Categorical)
        return distribution.sample_by(self._draw(distribution.scores, torch.Tensor.exponential_, rows))

    def _draw(self, like: Tensor, fill: Callable[..., Tensor], rows: Sequence[int] | None) -> Tensor:
        if self.device.type != "cpu":
            return fill(torch.empty_like(like), generator=self.shared)
        noise = torch.empty_like(like) if rows is None else torch.ones_like(like)
        own = noise.unbind()
        for row in range(len(own)) if rows is None else rows:
            fill(own[row], generator=self.generators[row])
        return noise

    def orders(self, size: int, rows: Sequence[int] | None = None) -> Tensor:
        """A random order of `size` rows for each run, [S, size]; only the runs of `rows` draw, the others' are arbitrary."""
        count = len(self.generators)
        if self.device.type != "cpu":
            return torch.rand(count, size, device=self.device, generator=self.shared).argsort(dim=1)
        orders = torch.arange(size).repeat(count, 1)
        for row in range(count) if rows is None else rows:
            torch.randperm(size, generator=self.generators[row], out=orders[row])
        return orders

    def select(self, rows: Sequence[int]) -> None:
        """Keep these runs alone."""
        self.generators = [self.generators[row] for row in rows]
