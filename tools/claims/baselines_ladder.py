"""How noisy is the gradient of one episode? By what is subtracted from the return, at stages of training."""

import ast
import copy
import hashlib
import inspect
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from pgcourse import make_envs, optim, reinforce
from pgcourse.diagnostics import explained_variance
from pgcourse.networks import ValueNetwork
from pgcourse.returns import discounted_returns
from pgcourse.rollout import Episode, collect_episodes
from pgcourse.storage import write_json
from pgcourse.study.claims import machine
from pgcourse.training import Progress

from .runs import KEPT

STAGES = (50, 150, 400)  # mean return of the last 20 episodes at which policy and critic are kept
EPISODES = 48  # to estimate the variance from
FIT_EPISODES = 160  # others, to fit the baselines to
GAMMA = reinforce.CARTPOLE.gamma


def ladder(seed: int, folder: Path = KEPT) -> dict[str, float]:
    """`measure_ladder`, kept on disk until this file or the versions change."""
    source = ast.unparse(ast.parse(inspect.getsource(sys.modules[__name__])))
    key = hashlib.sha256(json.dumps([source, machine()["versions"]]).encode()).hexdigest()[:12]
    path = folder / f"ladder-{seed}-{key}.json"
    if not path.exists():
        write_json(path, measure_ladder(seed))
        print(f"variance ladder, seed {seed}: measured", flush=True)
    return json.loads(path.read_text())


def measure_ladder(seed: int, stages: Sequence[int] = STAGES) -> dict[str, float]:
    """Variance of a one-episode gradient estimate, for each baseline and stage of one training run.

    Returns: "STAGE/RUNG" -> trace of the covariance over that of reward-to-go of the same discount;
    "STAGE/RUNG/explained" -> explained variance of a value baseline on episodes it was not fitted to;
    "STAGE/constant_over_mean" -> the best constant over the mean return.
    """
    content: dict[str, float] = {}
    for stage, (policy, critic) in collect_stages(seed, stages).items():
        with optim.seeded(seed), optim.single_thread():
            train, test = (
                collect_episodes(policy, make_envs("CartPole-v1", num_episodes, seed=seed * 1000 + stage + offset))
                for offset, num_episodes in enumerate((FIT_EPISODES, EPISODES))
            )
            content |= {
                f"{stage}/{name}": number for name, number in measure_rungs(policy, critic, train, test).items()
            }
    return content


def measure_rungs(policy: nn.Module, critic: nn.Module, train: list[Episode], test: list[Episode]) -> dict[str, float]:
    """The ladder for one policy. Baselines come from the episodes `train`, variances from `test`, so none is biased."""
    content: dict[str, float] = {}
    weights = {"undiscounted/whole": [episode.rewards.sum().expand_as(episode.rewards) for episode in test]}
    best = best_constants(policy, train[:EPISODES])
    for gamma, prefix in ((1.0, "undiscounted/"), (GAMMA, "")):
        to_go = [discounted_returns(episode.rewards, gamma=gamma) for episode in test]  # [T] each
        mean = float(torch.cat([discounted_returns(episode.rewards, gamma=gamma) for episode in train]).mean())
        values = {"value": fitted_values(train, test, gamma, clock=False)}
        if gamma < 1:
            values["value_clock"] = fitted_values(train, test, gamma, clock=True)
            with torch.no_grad():
                values["critic"] = [critic(episode.obs) for episode in test]  # as training had it
        weights[f"{prefix}to_go"] = to_go
        weights[f"{prefix}mean"] = [returns - mean for returns in to_go]
        weights[f"{prefix}best"] = [returns - best[gamma] for returns in to_go]
        for name, each in values.items():
            weights[prefix + name] = [returns - v for returns, v in zip(to_go, each, strict=True)]
            content[f"{prefix}{name}/explained"] = float(explained_variance(torch.cat(each), torch.cat(to_go)))
        content[f"{prefix}constant_over_mean"] = best[gamma] / mean
    rows = zip(test, *weights.values(), strict=True)
    gradients = torch.stack([episode_gradients(policy, episode, torch.stack(row)) for episode, *row in rows])
    variances = dict(zip(weights, gradients.var(dim=0).sum(dim=-1).tolist(), strict=True))  # of [M, K, P]
    for name, variance in variances.items():
        prefix = "undiscounted/" if name.startswith("undiscounted/") else ""
        content[name] = variance / variances[f"{prefix}to_go"]
    return content


def collect_stages(seed: int, stages: Sequence[int]) -> dict[int, tuple[nn.Module, nn.Module]]:
    """Policy and critic of one training run, at the first update at which it is as good as each stage."""
    kept: dict[int, tuple[nn.Module, nn.Module]] = {}
    with optim.seeded(seed):
        critic = ValueNetwork(4, reinforce.CARTPOLE.hidden_sizes)

    def keep(progress: Progress) -> bool:
        recent = progress.episodes["episodic_return"][-20:]
        for stage in stages:
            if len(recent) == 20 and recent.mean() >= stage and stage not in kept:
                kept[stage] = copy.deepcopy(progress.policy), copy.deepcopy(critic)
        return len(kept) == len(stages)

    reinforce.train(replace(reinforce.CARTPOLE, seed=seed), device="cpu", critic=critic, on_iteration=keep)
    return kept


def episode_gradients(policy: nn.Module, episode: Episode, weights: Tensor) -> Tensor:
    """Estimates [K, P], one for each row of weights [K, T]: sum over steps of weight times score."""
    log_prob = policy(episode.obs).log_prob(episode.actions)  # [T]
    parts = torch.autograd.grad(log_prob, list(policy.parameters()), weights, is_grads_batched=True)
    return torch.cat([part.flatten(1) for part in parts], dim=1)


def best_constants(policy: nn.Module, episodes: list[Episode]) -> dict[float, float]:
    """By discount, the constant b with the least variance of sum_t g_t (G_t - b).

    It is E[A . S] / E[|S|^2] with A = sum_t g_t G_t and S = sum_t g_t, where g_t is the score of step t.
    """
    gammas = (1.0, GAMMA)
    products, squares = [], []
    for episode in episodes:
        returns = [discounted_returns(episode.rewards, gamma=gamma) for gamma in gammas]
        *weighted, score = episode_gradients(policy, episode, torch.stack([*returns, torch.ones_like(returns[0])]))
        products.append(torch.stack(weighted) @ score)  # [2]
        squares.append(score @ score)
    best = torch.stack(products).mean(dim=0) / torch.stack(squares).mean()
    return dict(zip(gammas, best.tolist(), strict=True))


def fitted_values(train: list[Episode], test: list[Episode], gamma: float, *, clock: bool) -> list[Tensor]:
    """V of the test episodes [T] each, from a fresh network fitted to the returns of the others.

    As good as a critic gets from so many episodes, without training's moving target. clock: the network also sees how
    many steps have gone by, which the time limit makes part of the state.
    """

    def features(episode: Episode) -> Tensor:
        steps = torch.arange(len(episode.rewards), dtype=torch.float32)[:, None] / 500  # [T, 1]
        return torch.cat([episode.obs, steps], dim=1) if clock else episode.obs

    x = torch.cat([features(episode) for episode in train])  # [B, 4] or [B, 5]
    targets = torch.cat([discounted_returns(episode.rewards, gamma=gamma) for episode in train])  # [B]
    mean, std = targets.mean(), targets.std()
    network = ValueNetwork(x.shape[1])
    rate, num_steps = 5e-3, 200
    optimizer = optim.adam(network.parameters(), rate)
    for step in range(num_steps):
        optim.set_learning_rate(optimizer, rate * (1 - step / num_steps))
        rows = torch.randint(len(x), (512,))
        loss = (network(x[rows]) - (targets[rows] - mean) / std).square().mean()
        optim.gradient_step(loss, network, optimizer, max_grad_norm=None)
    with torch.no_grad():
        return [mean + std * network(features(episode)) for episode in test]
