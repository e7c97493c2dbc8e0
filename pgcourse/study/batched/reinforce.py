"""REINFORCE on S runs at once: the loop of `reinforce.train` with an axis of runs in front.

Runs have different numbers of steps in a batch, so columns are padded: [S, B] with B of the longest. A mean over B is made
the mean over a run's own steps by weights: 0 for the padding, B / (own steps) for the rest.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from ... import losses
from ...diagnostics import explained_variance
from ...returns import discounted_returns, normalize
from .parts import Parts
from .record import BatchRecorder
from .stack import RowAdam, Stack, clip_gradients, gradient_norms


class PaddedEpisodes(NamedTuple):
    """One complete episode of each of S * N environments that began together."""

    obs: Tensor  # [T, S, N, D]
    actions: Tensor  # [T, S, N]
    rewards: Tensor  # [T, S, N]; 0 after an episode's end
    lengths: Tensor  # [S, N]


class PaddedBatch(NamedTuple):
    """The steps of a run's episodes in a row, padded to the longest of the runs."""

    obs: Tensor  # [S, B, D]
    actions: Tensor  # [S, B]
    returns: Tensor  # [S, B]; 0 in the padding
    own: Tensor  # [S], steps of each run
    weights: Tensor  # [S, B], see above


def train(parts: Parts, recorder: BatchRecorder) -> None:
    """Train until every run has used up its budget or has diverged; the recorder holds the outcomes."""
    while recorder.rows:
        recorder.begin_iteration()
        episodes = collect_episodes(parts)
        recorder.record_episodes(episodes.rewards, episodes.lengths, episodes.obs)
        going = recorder.end_iteration(update(parts, pad(episodes, parts.settings.number("gamma"))))
        if len(going) < len(recorder.rows):
            parts.select(going)
            recorder.select(going)


def collect_episodes(parts: Parts) -> PaddedEpisodes:
    """`rollout.collect_episodes` for S runs. A run that has all of its episodes draws nothing while others go on."""
    policy, envs = parts.policy.network, parts.envs
    steps: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
    with torch.inference_mode():
        obs = envs.reset()
        finished = torch.zeros(obs.shape[:2], dtype=torch.bool, device=obs.device)  # [S, N]
        episode = envs.episode.clone()  # that each environment is in when its run has all episodes
        going = list(range(len(obs)))
        while going:
            actions = parts.streams.sample(policy(obs), going)
            next_obs, rewards, terminated, truncated, _ = envs.step(actions)
            done = terminated | truncated
            steps.append((obs, actions, torch.where(finished, 0.0, rewards), done))
            finished |= done
            obs = next_obs
            if bool(done.any()):
                episode[going] = envs.episode[going]
                going = (~finished.all(1)).nonzero()[:, 0].tolist()
        envs.episode.copy_(episode)  # so that its next episodes do not depend on how long the others took
    all_obs, actions, rewards, done = (torch.stack(column) for column in zip(*steps, strict=True))
    return PaddedEpisodes(all_obs, actions, rewards, done.int().argmax(dim=0) + 1)


def pad(episodes: PaddedEpisodes, gamma: Any) -> PaddedBatch:
    """The batch of complete episodes, with their discounted returns. Args: gamma: a number, or a column [S, 1]."""
    # All episodes at once, in as many operations as the longest has steps. The zeros behind a shorter one add nothing.
    returns = discounted_returns(episodes.rewards, gamma=gamma)  # [T, S, N]
    time = torch.arange(len(returns), device=returns.device)
    valid = by_run(time[:, None, None] < episodes.lengths)  # [S, N * T]
    own = valid.sum(1)
    size = int(own.max())
    order = (~valid).byte().argsort(dim=1, stable=True)[:, :size]  # a run's own steps first
    runs = torch.arange(len(own), device=order.device)[:, None]
    obs, actions, returns, valid = (
        column[runs, order] for column in (by_run(episodes.obs), by_run(episodes.actions), by_run(returns), valid)
    )
    return PaddedBatch(obs, actions, returns * valid, own, valid * (size / own[:, None]))


def by_run(column: Tensor) -> Tensor:
    """[T, S, N, ...] -> [S, N * T, ...], one episode after the other."""
    return column.movedim(0, 2).flatten(1, 2)


def update(parts: Parts, batch: PaddedBatch) -> dict[str, Tensor]:
    """`reinforce.update` for S runs. Returns: metrics [S]."""
    settings, policy, critic = parts.settings, parts.policy, parts.critic
    own = batch.own.tolist()
    metrics = {"charts/return_mean": (batch.returns * batch.weights).mean(-1)}
    weight = batch.returns
    if critic is not None:
        with torch.no_grad():
            values = critic.network(batch.obs)  # [S, B], before the critic is fitted to these very returns
        weight = batch.returns - values
        metrics["charts/value_mean"] = (values * batch.weights).mean(-1)
        metrics["losses/explained_variance"] = torch.stack(
            [explained_variance(v[:size], g[:size]) for v, g, size in zip(values, batch.returns, own, strict=True)]
        )
    if settings.common("normalize_weights"):
        weight = torch.nn.utils.rnn.pad_sequence(
            [normalize(row[:size]) for row, size in zip(weight, own, strict=True)], batch_first=True
        )

    distribution = policy.network(batch.obs)
    policy_loss = losses.reinforce_loss(distribution.log_prob(batch.actions), weight * batch.weights)
    metrics["losses/policy_grad_norm"] = gradient_step(parts, policy_loss, policy, parts.optimizers["policy"])
    metrics["losses/policy_loss"] = policy_loss.detach()
    metrics["losses/entropy"] = (distribution.entropy().detach() * batch.weights).mean(-1)

    if critic is not None:
        value_losses, norms = [], []
        root = batch.weights.sqrt()  # the loss squares it
        for _ in range(settings.common("critic_steps")):
            loss = losses.value_loss(critic.network(batch.obs) * root, batch.returns * root)
            norms.append(gradient_step(parts, loss, critic, parts.optimizers["critic"]))
            value_losses.append(loss.detach())
        metrics["losses/value_loss"] = torch.stack(value_losses).mean(0)
        metrics["losses/critic_grad_norm"] = torch.stack(norms).mean(0)
    return metrics


def gradient_step(parts: Parts, loss: Tensor, stack: Stack, optimizer: RowAdam) -> Tensor:
    """`optim.gradient_step` for S runs: losses [S]. Returns: gradient norms [S] before clipping."""
    stack.gradients.zero_()
    loss.sum().backward()
    norms = gradient_norms([stack])
    limits = parts.settings.number("max_grad_norm")
    if limits is not None:
        clip_gradients(stack, norms, limits)
    optimizer.step()
    return norms
