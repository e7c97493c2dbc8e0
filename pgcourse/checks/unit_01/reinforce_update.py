"""reinforce_update(policy, optimizer, episodes, *, gamma): one step of REINFORCE on a batch of complete episodes."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from pgcourse.checks.cases import generator, integers, normal
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe.networks import SgdUpdate
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_01.reinforce_update_wrong import MISCONCEPTIONS
from pgcourse.checks.wording import value
from pgcourse.losses import reinforce_loss
from pgcourse.returns import discounted_returns, normalize
from pgcourse.rollout import Episode


def reinforce_update(
    policy: nn.Module, optimizer: torch.optim.Optimizer, episodes: list[Episode], *, gamma: float
) -> float:
    """One step on the log-probabilities, weighted by returns-to-go standardised over all steps of the batch."""
    obs = torch.cat([episode.obs for episode in episodes])  # [B, D]
    actions = torch.cat([episode.actions for episode in episodes])  # [B]
    returns = torch.cat([discounted_returns(episode.rewards, gamma=gamma) for episode in episodes])  # [B]
    loss = reinforce_loss(policy(obs).log_prob(actions), normalize(returns))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return float(loss)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {
        "policy_weight": torch.zeros(2, 1),
        "policy_bias": torch.zeros(2),
        "learning_rate": 1.0,
        "gamma": 0.5,
        "lengths": torch.tensor([1, 2]),
        "obs": torch.tensor([[[1.0], [1.0], [2.0]], [[1.0], [0.0], [1.0]]]),
        "actions": torch.tensor([[0, 1, 1], [1, 0, 1]]),
        "rewards": torch.tensor([[1.0, 2.0, 4.0], [0.0, 1.0, 1.0]]),
    }
    source = generator(seed)
    yield _random(source, lengths=[3, 1, 5], gamma=0.9)
    yield _random(source, lengths=[6], gamma=1.0)
    yield _random(source, lengths=[4, 7, 2, 3], gamma=0.97, dtype=torch.float64)


def _random(source: torch.Generator, *, lengths: list[int], gamma: float, dtype: torch.dtype = torch.float32) -> Case:
    steps, updates, obs_dim, num_actions = sum(lengths), 2, 3, 4
    return {
        "policy_weight": normal(source, num_actions, obs_dim, dtype=dtype) * 0.5,
        "policy_bias": normal(source, num_actions, dtype=dtype) * 0.5,
        "learning_rate": 0.5,
        "gamma": gamma,
        "lengths": torch.tensor(lengths),
        "obs": normal(source, updates, steps, obs_dim, dtype=dtype),
        "actions": integers(source, num_actions, updates, steps),
        # Later steps earn more, so that episodes differ and every way of weighting them shows.
        "rewards": normal(source, updates, steps, dtype=dtype) + torch.linspace(0, 3, steps, dtype=dtype),
    }


def _show(case: Case) -> str:
    episodes = [value(rewards) for rewards in case["rewards"][0].split(case["lengths"].tolist())]
    return (
        f"reinforce_update(policy, optimizer, episodes, gamma={case['gamma']}), called twice, with plain SGD; first "
        f"with {len(episodes)} episode{'s' * (len(episodes) > 1)} of rewards {', '.join(episodes)}"
    )


def _unbiased(policy: nn.Module, optimizer: torch.optim.Optimizer, episodes: list[Episode], *, gamma: float) -> float:
    returns = torch.cat([discounted_returns(episode.rewards, gamma=gamma) for episode in episodes])
    weights = (returns - returns.mean()) / (returns.std() + 1e-8)
    log_prob = torch.cat([policy(episode.obs).log_prob(episode.actions) for episode in episodes])
    loss = -(weights * log_prob).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def _step_by_step(
    policy: nn.Module, optimizer: torch.optim.Optimizer, episodes: list[Episode], *, gamma: float
) -> float:
    """Loops only; clears the gradients after the step, which is as good."""
    returns: list[float] = []
    for _, _, rewards in episodes:
        tail = rewards.tolist()
        returns += [sum(gamma**k * reward for k, reward in enumerate(tail[t:])) for t in range(len(tail))]
    mean = sum(returns) / len(returns)
    std = (sum((one - mean) ** 2 for one in returns) / len(returns)) ** 0.5
    terms: list[Tensor] = []
    for episode in episodes:
        for obs, action in zip(episode.obs, episode.actions, strict=True):
            terms.append(-policy(obs).log_prob(action) * (returns[len(terms)] - mean) / (std + 1e-8))
    loss = torch.stack(terms).sum() / len(terms)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return float(loss.detach())


def _accumulating(
    policy: nn.Module, optimizer: torch.optim.Optimizer, episodes: list[Episode], *, gamma: float
) -> float:
    """One backward pass an episode, gradients added up, then the one step."""
    returns = [discounted_returns(episode.rewards.double(), gamma=gamma) for episode in episodes]
    together = torch.cat(returns)
    policy.zero_grad()
    total = 0.0
    for episode, own in zip(episodes, returns, strict=True):
        weights = ((own - together.mean()) / together.std(correction=0)).to(episode.obs.dtype)
        loss = -(policy(episode.obs).log_prob(episode.actions) * weights).sum() / len(together)
        loss.backward()
        total += loss.item()
    optimizer.step()
    return total


EXERCISE = Exercise(
    id="reinforce_update",
    unit="01",
    title="One REINFORCE update",
    points=4,
    minutes=25,
    difficulty=3,
    cases=cases,
    observe=SgdUpdate("policy, optimizer, episodes, *, gamma"),
    show_case=_show,
    reference=reinforce_update,
    also_correct=(_unbiased,),
    alternatives=(_unbiased, _step_by_step, _accumulating),
    hints=(
        "You have written every part already. Which of them works on one episode at a time, and which needs the steps "
        "of all episodes together?",
        "Returns: episode by episode, then torch.cat over the batch, then standardize once. Log-probabilities: "
        "policy(obs).log_prob(actions) on all observations together. Then the loss, and the three lines of every "
        "training loop: clear the gradients, backward, step. Return the loss as a float.",
        "obs, actions and returns are each a torch.cat over the episodes, the returns being "
        "discounted_returns(episode.rewards, gamma=gamma). loss = reinforce_loss(policy(obs).log_prob(actions), "
        "standardize(returns)). optimizer.zero_grad(); loss.backward(); optimizer.step(); return loss.item().",
    ),
    misconceptions=MISCONCEPTIONS,
)
