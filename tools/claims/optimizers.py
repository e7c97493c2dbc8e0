"""Lesson 01, table of section 5.5: how much more a ten times longer episode moves the weights, at once and in the end.

Gradients of single CartPole episodes go through four optimisers: SGD, Adam, Adam without momentum (it divides and does not
average) and SGD with momentum and dampening (it averages and does not divide).
"""

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pgcourse import make_envs, optim, reinforce
from pgcourse.returns import discounted_returns
from pgcourse.rollout import Episode, collect_episodes
from pgcourse.training import Progress

from .study import IQM, Study, rounded

STAGES = (50, 100, 200, 350)  # mean return of the last 20 episodes at which a policy is kept
EPISODES_A_STAGE = 60
ENDS = (
    20  # gradients at either end that no slope is fitted to: there Adam's averages are still, or yet, of few gradients
)
LEARNING_RATE = 1e-2


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
    "adam_no_momentum": partial(torch.optim.Adam, betas=(0.0, 0.999)),
    "momentum": partial(torch.optim.SGD, momentum=0.9, dampening=0.9),
}


STUDY = Study(
    description="How much more an episode of ten times the length moves the weights, on CartPole-v1: by the update in which it "
    "comes, and in the weights after all updates. The policies are of runs with the settings `reinforce.CARTPOLE_NO_BASELINE`.",
    variants={},
    metrics={},
    every=10,
    until=10,
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Measure all seeds, in this process. Returns: the content of `claims/optimizers.json`."""
    content = STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
    measured = [growth(seed) for seed in content["seeds"]]
    for name in measured[0]:
        per_seed = [rounded(each[name]) for each in measured]
        content["values"][name] = {"unit": "times", "statistics": [IQM], "per_seed": per_seed}
    return content


def growth(seed: int) -> dict[str, float]:
    """Factors by which the effect of an episode grows when it is ten times as long.

    One-episode gradients of policies at four stages of one training run, whose lengths spread over more than a factor of
    ten, go through each optimiser in random order. A factor is 10 to the power of the slope of a line through
    log10(effect) over log10(length). Returns: "LOSS/OPTIMISER/step" for the length of the update in which the episode
    comes, "LOSS/OPTIMISER/weights" for how far the final weights move when its gradient alone is set to zero.
    """
    experience = collect_at_stages(seed)
    order = np.random.default_rng(seed).permutation(len(experience))
    lengths = np.log10([len(experience[i][1].rewards) for i in order])
    factors = {}
    for loss_name, (weights, reduce) in LOSSES.items():
        gradients = torch.stack([episode_gradient(*experience[i], weights, reduce) for i in order])  # [M, P]
        for optimizer_name, make_optimizer in OPTIMIZERS.items():
            effects = {
                "step": update_norms(gradients, make_optimizer),
                "weights": influence(gradients, make_optimizer),
            }
            for name, effect in effects.items():
                slope, _ = np.polyfit(lengths[ENDS:-ENDS], np.log10(effect[ENDS:-ENDS]), 1)
                factors[f"{loss_name}/{optimizer_name}/{name}"] = float(10**slope)
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


def update_norms(gradients: Tensor, make_optimizer: Callable[..., torch.optim.Optimizer]) -> NDArray[np.float64]:
    """Length of the step that the optimiser makes of each gradient, a row of [M, P], one after the other."""
    parameters = nn.Parameter(torch.zeros_like(gradients[0]))
    optimizer = make_optimizer([parameters], lr=LEARNING_RATE)
    norms = []
    for gradient in gradients:
        before = parameters.detach().clone()
        parameters.grad = gradient.clone()
        optimizer.step()
        norms.append(float((parameters.detach() - before).norm()))
    return np.array(norms)


def influence(gradients: Tensor, make_optimizer: Callable[..., torch.optim.Optimizer]) -> NDArray[np.float64]:
    """How far the final weights move when one gradient is set to zero and all others stay, for each row of [M, P].

    Row m of the parameters [M + 1, P] is a training without gradient m, and the last row one with all. Both optimisers
    treat each number by itself, so that one of them does for all trainings.
    """
    count = len(gradients)
    parameters = nn.Parameter(torch.zeros(count + 1, gradients.shape[1]))
    optimizer = make_optimizer([parameters], lr=LEARNING_RATE)
    for m, gradient in enumerate(gradients):
        parameters.grad = gradient.repeat(count + 1, 1)
        parameters.grad[m] = 0
        optimizer.step()
    final = parameters.detach()
    distances: NDArray[np.float64] = (final[:count] - final[count]).norm(dim=1).double().numpy()
    return distances
