"""How much larger is an update from an episode ten times as long? Under SGD and Adam, by form of the loss."""

import copy
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pgcourse import make_envs, optim, reinforce
from pgcourse.returns import discounted_returns
from pgcourse.rollout import Episode, collect_episodes
from pgcourse.training import Progress

STAGES = (50, 100, 200, 350)  # mean return of the last 20 episodes at which a policy is kept
EPISODES_A_STAGE = 60
WARM_UP = 20  # updates left out: Adam's averages are then still those of the first few gradients


def whole_return(rewards: Tensor) -> Tensor:
    """[T] -> [T]: the undiscounted return of the whole episode, at each of its steps."""
    return rewards.sum().expand_as(rewards)


def to_go(rewards: Tensor) -> Tensor:
    """[T] -> [T]: the package's weights before they are standardised."""
    return discounted_returns(rewards, gamma=0.99)


LOSSES: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "whole_sum": (whole_return, torch.sum),
    "to_go_sum": (to_go, torch.sum),
    "to_go_mean": (to_go, torch.mean),
}
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
}


def step_growth(seed: int) -> dict[str, float]:
    """Factor by which the length of an update grows when the episode is ten times as long.

    One-episode gradients of policies at four stages of one training run, so that lengths spread over more
    than a factor of ten, go through each optimiser in random order. The factor is 10 to the power of the
    slope of a line through log10(update) over log10(length). Returns: "LOSS/OPTIMISER" -> factor.
    """
    experience = collect_at_stages(seed)
    order = np.random.default_rng(seed).permutation(len(experience))
    lengths = np.array([len(experience[i][1].rewards) for i in order])
    factors = {}
    for loss_name, (weights, reduce) in LOSSES.items():
        gradients = [episode_gradient(experience[i][0], experience[i][1], weights, reduce) for i in order]
        for optimizer_name, make_optimizer in OPTIMIZERS.items():
            updates = update_norms(gradients, make_optimizer)
            slope, _ = np.polyfit(np.log10(lengths[WARM_UP:]), np.log10(updates[WARM_UP:]), 1)
            factors[f"{loss_name}/{optimizer_name}"] = float(10**slope)
    return factors


def collect_at_stages(seed: int) -> list[tuple[nn.Module, Episode]]:
    """Episodes of one training run's policies, each with the policy that acted."""
    policies: dict[int, nn.Module] = {}

    def keep(progress: Progress) -> bool:
        recent = progress.episodes["episodic_return"][-20:]
        for stage in STAGES:
            if len(recent) == 20 and recent.mean() >= stage and stage not in policies:
                policies[stage] = copy.deepcopy(progress.policy)
        return len(policies) == len(STAGES)

    reinforce.train(replace(reinforce.CARTPOLE_NO_BASELINE, seed=seed), device="cpu", on_iteration=keep)
    experience = []
    with optim.seeded(seed):
        for stage, policy in policies.items():
            envs = make_envs("CartPole-v1", EPISODES_A_STAGE, seed=seed + stage)
            experience += [(policy, episode) for episode in collect_episodes(policy, envs)]
    return experience


def episode_gradient(
    policy: nn.Module,
    episode: Episode,
    weights: Callable[[Tensor], Tensor],
    reduce: Callable[[Tensor], Tensor],
) -> Tensor:
    """Gradient [P] of one episode's loss, flattened."""
    loss = -reduce(weights(episode.rewards) * policy(episode.obs).log_prob(episode.actions))
    return torch.cat([gradient.flatten() for gradient in torch.autograd.grad(loss, list(policy.parameters()))])


def update_norms(gradients: list[Tensor], make_optimizer: Callable[..., torch.optim.Optimizer]) -> NDArray[np.float64]:
    """Length of the step that the optimiser makes of each gradient [P], one after the other."""
    parameters = nn.Parameter(torch.zeros_like(gradients[0]))
    optimizer = make_optimizer([parameters], lr=1e-2)
    norms = []
    for gradient in gradients:
        before = parameters.detach().clone()
        parameters.grad = gradient.clone()
        optimizer.step()
        norms.append(float((parameters.detach() - before).norm()))
    return np.array(norms)
