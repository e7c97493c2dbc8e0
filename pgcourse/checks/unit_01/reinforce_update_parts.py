"""REINFORCE updates with exchangeable parts, from which the wrong answers to reinforce_update are built."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from pgcourse.returns import discounted_returns
from pgcourse.rollout import Episode

Update = Callable[..., Any]


def standardize(x: Tensor, correction: int) -> Tensor:
    """Mean 0, standard deviation 1; NaN for one element where correction is 1."""
    return (x - x.mean()) / (x.std(correction=correction) + 1e-8)


def each_episode(rewards: list[Tensor], gamma: float) -> list[Tensor]:
    """Right: every episode discounted on its own."""
    return [discounted_returns(own, gamma=gamma) for own in rewards]


def whole_return(rewards: list[Tensor], gamma: float) -> list[Tensor]:
    """Each step gets its episode's whole return."""
    return [discounted_returns(own, gamma=gamma)[:1].expand_as(own) for own in rewards]


def across_episodes(rewards: list[Tensor], gamma: float) -> list[Tensor]:
    """All rewards in one row before discounting."""
    return [discounted_returns(torch.cat(rewards), gamma=gamma)]


def rewards_only(rewards: list[Tensor], gamma: float) -> list[Tensor]:
    """No returns at all."""
    return rewards


def undiscounted(rewards: list[Tensor], gamma: float) -> list[Tensor]:
    """Gamma ignored."""
    return each_episode(rewards, 1.0)


def _mean(terms: Tensor, lengths: list[int]) -> Tensor:
    return terms.mean()


def mean_of_means(terms: Tensor, lengths: list[int]) -> Tensor:
    """Within episodes first, over episodes afterwards."""
    return torch.stack([own.mean() for own in terms.split(lengths)]).mean()


def own_scale(parts: list[Tensor], correction: int) -> Tensor:
    """Each episode standardised by itself."""
    return torch.cat([standardize(own, correction) for own in parts])


def build(
    correction: int,
    *,
    returns_fn: Callable[[list[Tensor], float], list[Tensor]] = each_episode,
    standardize_fn: Callable[[list[Tensor], int], Tensor] = lambda parts, c: standardize(torch.cat(parts), c),
    reduce_fn: Callable[[Tensor, list[int]], Tensor] = _mean,
    sign: float = -1.0,
    clear: bool = True,
    backward: bool = True,
    detach: bool = False,
    steps: int = 1,
    first_only: bool = False,
    answer: Callable[[Tensor], Any] = float,
) -> Update:
    """A REINFORCE update with the given parts; the defaults are right."""

    def update(policy: nn.Module, optimizer: torch.optim.Optimizer, episodes: list[Episode], *, gamma: float) -> Any:
        episodes = episodes[:1] if first_only else episodes
        weights = standardize_fn(returns_fn([episode.rewards for episode in episodes], gamma), correction)
        obs = torch.cat([episode.obs for episode in episodes])
        actions = torch.cat([episode.actions for episode in episodes])
        lengths = [len(episode.rewards) for episode in episodes]
        for _ in range(steps):
            loss = sign * reduce_fn(policy(obs).log_prob(actions) * weights, lengths)
            loss = loss.detach() if detach else loss
            if clear:
                optimizer.zero_grad()
            if backward:
                loss.backward()
            optimizer.step()
        return answer(loss.detach())

    return update


def step_for_each_episode(correction: int, *, together: bool) -> Update:
    """An optimiser step after each episode; `together`: weights standardised over the batch all the same."""

    def update(policy: nn.Module, optimizer: torch.optim.Optimizer, episodes: list[Episode], *, gamma: float) -> float:
        returns = each_episode([episode.rewards for episode in episodes], gamma)
        weights = standardize(torch.cat(returns), correction).split([len(own) for own in returns])
        losses = []
        for episode, own, weight in zip(episodes, returns, weights, strict=True):
            used = weight if together else standardize(own, correction)
            loss = -(policy(episode.obs).log_prob(episode.actions) * used).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return sum(losses) / len(losses)

    return update
