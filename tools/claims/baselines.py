"""Lesson 02, tables of sections 4.6 and 5: REINFORCE on CartPole with nothing, a constant or a critic subtracted.

The ladder of section 3, the variance of a one-episode gradient by what is subtracted, is `measure_ladder`.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pgcourse import losses, make_envs, optim, reinforce
from pgcourse.diagnostics import explained_variance
from pgcourse.networks import ValueNetwork
from pgcourse.returns import discounted_returns, episode_returns
from pgcourse.rollout import Episode, collect_episodes
from pgcourse.study.seeds import Run
from pgcourse.training import Progress

from .study import (
    IQM,
    OF_RETURN,
    TO_THRESHOLD,
    Metric,
    Study,
    best_mean,
    collapsed_mean,
    episodes_to,
    last_mean,
    rounded,
)

EPISODES = 400
CRITIC = replace(reinforce.CARTPOLE, num_episodes=EPISODES)
NO_CRITIC = replace(reinforce.CARTPOLE_NO_BASELINE, num_episodes=EPISODES)
SLOW = 3e-4  # a common rate for a critic; from returns near 0 it takes long to get to returns near 100

# The first two are those of lesson 01, run for longer there. Standardised weights have the batch's mean subtracted, so
# "no_baseline" has a constant baseline in truth; the uncentred ones have nothing subtracted but what they name.
VARIANTS = {
    "no_baseline": reinforce.CARTPOLE_NO_BASELINE,
    "baseline": reinforce.CARTPOLE,
    "uncentred": replace(NO_CRITIC, normalize_weights=False),
    "running_mean": replace(NO_CRITIC, normalize_weights=False),
    "uncentred_critic": replace(CRITIC, normalize_weights=False),
    "uncentred_slow_critic": replace(CRITIC, normalize_weights=False, critic_lr=SLOW),
    "slow_critic": replace(CRITIC, critic_lr=SLOW),
    "one_critic_step": replace(CRITIC, critic_steps=1),
    "fitted_first": CRITIC,
    "patient": CRITIC,
}


def scaled_loss(log_prob: Tensor, weight: Tensor) -> Tensor:
    """Weights divided by their standard deviation and not centred: of the usual size, with nothing subtracted."""
    return losses.reinforce_loss(log_prob, weight / (weight.std(correction=0) + 1e-8))


@dataclass
class RunningMeanUpdate:
    """`reinforce.update` with a running mean of the batches before as baseline: a constant that owes nothing to this one.

    The first batch has no mean before it, and is used as it is.
    """

    share: float = 0.1  # of the newest batch in the running mean
    policy: nn.Module | None = field(default=None, repr=False, compare=False)
    num_batches: int = field(default=0, repr=False, compare=False)
    mean: float = field(default=0.0, repr=False, compare=False)

    def __call__(self, policy: nn.Module, *parts: Any, **functions: Any) -> dict[str, Tensor]:
        if policy is not self.policy:  # another run
            self.policy, self.num_batches, self.mean = policy, 0, 0.0

        def loss(log_prob: Tensor, weight: Tensor) -> Tensor:
            return scaled_loss(log_prob, weight - self.mean)

        metrics = reinforce.update(policy, *parts, **{**functions, "policy_loss_fn": loss})
        self.num_batches += 1
        # Early on the plain mean of all batches, so that the start at 0 is forgotten at once.
        share = max(self.share, 1 / self.num_batches)
        self.mean += share * (float(metrics["charts/return_mean"]) - self.mean)
        return metrics


def flat(episodes: list[Episode], gamma: float) -> tuple[Tensor, Tensor]:
    """Observations [B, D] and discounted returns [B] of all steps of the batch."""
    returns = episode_returns([episode.rewards for episode in episodes], gamma=gamma)
    return torch.cat([episode.obs for episode in episodes]), returns


def fit(
    critic: nn.Module,
    optimizer: torch.optim.Optimizer,
    episodes: list[Episode],
    config: reinforce.ReinforceConfig,
    *,
    paired: bool = False,
) -> dict[str, Tensor]:
    """The critic's steps of `reinforce.update`, by themselves. paired: compare every value with every return."""
    obs, returns = flat(episodes, config.gamma)
    value_losses, norms = [], []
    for _ in range(config.critic_steps):
        values = critic(obs)
        # The bug: values [B, 1] against returns [B] make a table [B, B].
        loss = 0.5 * (values[:, None] - returns).square().mean() if paired else losses.value_loss(values, returns)
        norms.append(optim.gradient_step(loss, critic, optimizer, max_grad_norm=config.max_grad_norm))
        value_losses.append(loss.detach())
    return {
        "losses/value_loss": torch.stack(value_losses).mean(),
        "losses/critic_grad_norm": torch.stack(norms).mean(),
    }


def update_fitted_first(
    policy: nn.Module,
    critic: nn.Module,
    policy_optimizer: torch.optim.Optimizer,
    critic_optimizer: torch.optim.Optimizer,
    episodes: list[Episode],
    config: reinforce.ReinforceConfig,
    **functions: Any,
) -> dict[str, Tensor]:
    """`reinforce.update` with the critic fitted to the batch before its values serve as the batch's baseline."""
    metrics = fit(critic, critic_optimizer, episodes, config)
    return metrics | reinforce.update(policy, critic, policy_optimizer, None, episodes, config, **functions)


def update_paired_critic(
    policy: nn.Module,
    critic: nn.Module,
    policy_optimizer: torch.optim.Optimizer,
    critic_optimizer: torch.optim.Optimizer,
    episodes: list[Episode],
    config: reinforce.ReinforceConfig,
    **functions: Any,
) -> dict[str, Tensor]:
    """The lesson's patient: `reinforce.update` with a value loss that pairs every value with every return."""
    metrics = reinforce.update(policy, critic, policy_optimizer, None, episodes, config, **functions)
    return metrics | fit(critic, critic_optimizer, episodes, config, paired=True)


SEAMS: dict[str, dict[str, Any]] = {
    "uncentred": {"policy_loss_fn": scaled_loss},
    "uncentred_critic": {"policy_loss_fn": scaled_loss},
    "uncentred_slow_critic": {"policy_loss_fn": scaled_loss},
    "running_mean": {"update_fn": RunningMeanUpdate()},
    "fitted_first": {"update_fn": update_fitted_first},
    "patient": {"update_fn": update_paired_critic},
}


VALUE, RETURN, EXPLAINED = PANELS = ("charts/value_mean", "charts/return_mean", "losses/explained_variance")
POLICY_NORM, CRITIC_NORM = NORMS = ("losses/policy_grad_norm", "losses/critic_grad_norm")


def explained(run: Run) -> float:
    """Mean explained variance over the updates of the first 400 episodes; 0 without a critic: a constant explains nothing."""
    updates = run.metrics.get(EXPLAINED, np.zeros(1))[: EPISODES // reinforce.CARTPOLE.num_envs]
    return float(np.nanmean(updates))


STUDY = Study(
    description="REINFORCE on CartPole-v1 for 400 episodes: nothing subtracted, constants, a critic; ways to train the "
    "critic, and a bug in it; and the variance of a one-episode gradient by what is subtracted, at stages of training.",
    variants=VARIANTS,
    seams=SEAMS,
    metrics={
        "episodes_to_475": Metric("episodes", TO_THRESHOLD, lambda run: episodes_to(run, 475, EPISODES)),
        "episodes_to_195": Metric("episodes", TO_THRESHOLD, lambda run: episodes_to(run, 195, EPISODES)),
        "last_100": Metric("return", OF_RETURN, lambda run: last_mean(run, EPISODES)),
        "best_100": Metric("return", OF_RETURN, lambda run: best_mean(run, EPISODES)),
        "explained": Metric("of variance", [IQM], explained),
        "collapsed": Metric("return", ["count"], lambda run: collapsed_mean(run, EPISODES)),
    },
    every=10,
    until=EPISODES,
    diagnosed={
        "baseline": (*PANELS, *NORMS),
        "slow_critic": PANELS,
        "patient": PANELS,
    },
    updates_a_point=5,
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs, and measure the ladder. Returns: the content of `claims/baselines.json`."""
    content = STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
    rungs = [measure_ladder(seed) for seed in content["seeds"]]
    for name in rungs[0]:
        per_seed = [rounded(each[name]) for each in rungs]
        content["values"][f"ladder/{name}"] = {"unit": "times", "statistics": [IQM], "per_seed": per_seed}
    return content


# --- Section 3: how noisy is the gradient of one episode? By what is subtracted, at stages of training ----------------

STAGES = (50, 150, 400)  # mean return of the last 20 episodes at which policy and critic are kept
TEST_EPISODES = 48  # to estimate the variance from
FIT_EPISODES = 160  # others, to fit the baselines to
GAMMA = reinforce.CARTPOLE.gamma


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
                for offset, num_episodes in enumerate((FIT_EPISODES, TEST_EPISODES))
            )
            content |= {
                f"{stage}/{name}": number for name, number in measure_rungs(policy, critic, train, test).items()
            }
    return content


def measure_rungs(policy: nn.Module, critic: nn.Module, train: list[Episode], test: list[Episode]) -> dict[str, float]:
    """The ladder for one policy. Baselines come from the episodes `train`, variances from `test`, so none is biased."""
    content: dict[str, float] = {}
    weights = {"undiscounted/whole": [episode.rewards.sum().expand_as(episode.rewards) for episode in test]}
    best = best_constants(policy, train[:TEST_EPISODES])
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
