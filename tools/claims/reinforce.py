"""Lesson 01, tables of sections 5, 5.1, 5.2 and 5.6: a naive REINFORCE on CartPole, and its repairs one at a time."""

from dataclasses import dataclass, field, replace
from typing import Any

import torch
from gymnasium.vector import VectorEnv
from torch import Tensor, nn

from pgcourse import reinforce
from pgcourse.returns import normalize
from pgcourse.rollout import Episode

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
    metric_mean,
)

FOUR = replace(reinforce.CARTPOLE_NAIVE, num_envs=4)
STANDARDIZED = replace(FOUR, normalize_weights=True)
SMALL_STEP = replace(STANDARDIZED, policy_lr=3e-3)

# From the naive version to the package's, one change a line; a control that takes as long a way in one-episode steps
# as four_episodes does in its own; then three ways to spoil the result, and a bug.
VARIANTS = {
    "naive": reinforce.CARTPOLE_NAIVE,
    "four_episodes": FOUR,
    "standardized": STANDARDIZED,
    "small_step": SMALL_STEP,
    "no_baseline": reinforce.CARTPOLE_NO_BASELINE,  # clips the gradient's norm at 0.5
    "baseline": reinforce.CARTPOLE,
    "naive_small_step": replace(reinforce.CARTPOLE_NAIVE, policy_lr=reinforce.CARTPOLE_NAIVE.policy_lr / 4),
    "each_alone": reinforce.CARTPOLE_NO_BASELINE,
    "stale": replace(reinforce.CARTPOLE_NO_BASELINE, num_envs=16),
    "stale_four": replace(reinforce.CARTPOLE_NO_BASELINE, num_envs=16),
    "patient": reinforce.CARTPOLE_NO_BASELINE,
}


def update_each_alone(
    policy: nn.Module,
    critic: nn.Module | None,
    policy_optimizer: torch.optim.Optimizer,
    critic_optimizer: torch.optim.Optimizer | None,
    episodes: list[Episode],
    config: reinforce.ReinforceConfig,
    **functions: Any,
) -> dict[str, Tensor]:
    """`reinforce.update` with the weights of each episode standardised by themselves."""
    lengths = [len(episode.rewards) for episode in episodes]
    policy_loss_fn = functions.pop("policy_loss_fn")

    def loss(log_prob: Tensor, weight: Tensor) -> Tensor:
        return policy_loss_fn(log_prob, torch.cat([normalize(piece) for piece in weight.split(lengths)]))

    return reinforce.update(
        policy,
        critic,
        policy_optimizer,
        critic_optimizer,
        episodes,
        replace(config, normalize_weights=False),
        policy_loss_fn=loss,
        **functions,
    )


@dataclass
class StaleCollector:
    """Hands over episodes as soon as `at_least` of all environments' episodes have ended.

    The other environments are then in the middle of an episode, which goes on under the next policy: by the
    time it is trained on, most of its actions are those of older policies.
    """

    at_least: int
    envs: VectorEnv | None = field(default=None, repr=False, compare=False)

    def __call__(self, policy: nn.Module, envs: VectorEnv) -> list[Episode]:
        if envs is not self.envs:  # another run
            self.envs = envs
            self.obs, _ = envs.reset()
            self.steps: list[list[tuple[Tensor, Tensor, Tensor]]] = [[] for _ in range(envs.num_envs)]
        finished: list[Episode] = []
        with torch.no_grad():
            while len(finished) < self.at_least:
                actions = policy(self.obs).sample()
                next_obs, rewards, terminated, truncated, _ = envs.step(actions)
                for n, ended in enumerate((terminated | truncated).tolist()):
                    self.steps[n].append((self.obs[n], actions[n], rewards[n]))
                    if ended:
                        finished.append(Episode(*(torch.stack(column) for column in zip(*self.steps[n], strict=True))))
                        self.steps[n] = []
                self.obs = next_obs
        return finished


def paired_loss(log_prob: Tensor, weight: Tensor) -> Tensor:
    """The lesson's patient: weights [B, 1] against log-probabilities [B] pair every step with every other."""
    return -(weight[:, None] * log_prob).mean()


SEAMS: dict[str, dict[str, Any]] = {
    "each_alone": {"update_fn": update_each_alone},
    "stale": {"collect_fn": StaleCollector(1)},
    "stale_four": {"collect_fn": StaleCollector(4)},
    "patient": {"policy_loss_fn": paired_loss},
}


EPISODES = 1000  # the last update of a run may bring more
NORM, ENTROPY = SHOWN = ("losses/policy_grad_norm", "losses/entropy")


STUDY = Study(
    description="REINFORCE on CartPole-v1 for 1,000 episodes: the naive version, its repairs one by one, the same with a "
    "baseline, and three ways to spoil it.",
    variants=VARIANTS,
    seams=SEAMS,
    metrics={
        "episodes_to_475": Metric("episodes", TO_THRESHOLD, lambda run: episodes_to(run, 475, EPISODES)),
        "episodes_to_195": Metric("episodes", TO_THRESHOLD, lambda run: episodes_to(run, 195, EPISODES)),
        "last_100": Metric("return", OF_RETURN, lambda run: last_mean(run, EPISODES)),
        "best_100": Metric("return", OF_RETURN, lambda run: best_mean(run, EPISODES)),
        "lost": Metric("return lost", [IQM, "worst"], lambda run: best_mean(run, EPISODES) - last_mean(run, EPISODES)),
        "collapsed": Metric("return", ["count"], lambda run: collapsed_mean(run, EPISODES)),
        "clipped": Metric("of updates", [IQM], lambda run: float((run.metrics[NORM] > 0.5).mean())),
        "last_entropy": Metric("nats", [IQM], lambda run: metric_mean(run, ENTROPY, last=100)),
    },
    every=10,
    until=EPISODES,
    diagnosed={"no_baseline": SHOWN, "patient": SHOWN},
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/reinforce.json`."""
    return STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
