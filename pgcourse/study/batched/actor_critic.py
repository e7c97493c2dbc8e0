"""A2C and PPO on S runs at once: the loops of `a2c.train` and `ppo.train` with an axis of runs in front.

Losses, advantages, normalisation and diagnostics are the functions of a single run: they reduce the last axis.
"""

from collections import defaultdict
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution

from ... import losses
from ...diagnostics import approx_kl, clip_fraction, explained_variance
from ...normalization import ReturnScale, update_normalization
from ...optim import STEP_METRICS, learning_rate
from ...returns import gae, normalize
from ...rollout import Batch, Rollout
from .parts import Parts, Trunk
from .record import BatchRecorder
from .stack import clip_gradients, gradient_norms


def train(parts: Parts, recorder: BatchRecorder) -> None:
    """Train until every run has used up its budget or has diverged; the recorder holds the outcomes."""
    settings, num_steps = parts.settings, parts.settings.common("num_steps")
    update = {"a2c": a2c_update, "ppo": ppo_update}[settings.common("algorithm")]
    scales = return_scales(parts)
    obs = parts.envs.obs
    while recorder.rows:
        recorder.begin_iteration()
        anneal(parts, recorder)
        rollout, obs = collect_rollout(parts, obs, num_steps)
        recorder.record_rollout(rollout.rewards, rollout.terminated | rollout.truncated, rollout.obs)
        rollout = scale_rewards(parts, scales, rollout)
        advantages = gae(
            rollout.rewards, rollout.values, rollout.next_values, rollout.terminated, rollout.truncated,
            gamma=settings.number("gamma"), gae_lambda=settings.number("gae_lambda"),
        )  # fmt: skip
        metrics = update(parts, flatten(rollout, advantages))
        for stack in parts.stacks:
            update_normalization(stack.network, by_run(rollout.obs))
        going = recorder.end_iteration(metrics)
        if len(going) < len(recorder.rows):
            scales = [scales[row] for row in going] if scales else []
            obs = parts.select(going)
            recorder.select(going)


def anneal(parts: Parts, recorder: BatchRecorder) -> None:
    """The learning rates of this iteration: constant, or falling where a run asks for it."""
    falls, schedule = parts.settings.column("anneal_lr"), parts.settings.common("lr_schedule")
    used = recorder.progress_fractions.to(falls.device) * falls
    for name, optimizer in parts.optimizers.items():
        initial = parts.settings.column("policy_lr" if parts.trunk is not None else f"{name}_lr")
        optimizer.rates = learning_rate(initial, used, schedule)


def collect_rollout(parts: Parts, obs: Tensor, num_steps: int) -> tuple[Rollout, Tensor]:
    """`rollout.collect_rollout` for S runs: columns [T, S, N, ...], and the next observations [S, N, D]."""
    policy, critic, envs = parts.policy.network, parts.required_critic.network, parts.envs
    steps: list[tuple[Tensor, ...]] = []
    with torch.inference_mode():
        for _ in range(num_steps):
            actions = parts.streams.sample(policy(obs))
            next_obs, rewards, terminated, truncated, final_obs = envs.step(actions)
            steps.append((obs, actions, rewards, final_obs, terminated, truncated))
            obs = next_obs
    all_obs, actions, rewards, final_obs, terminated, truncated = (
        torch.stack(column) for column in zip(*steps, strict=True)
    )  # [T, S, N, ...]
    with torch.no_grad():
        log_prob = by_time(policy(by_run(all_obs)).log_prob(by_run(actions)), num_steps)
        both = by_time(critic(by_run(torch.cat([all_obs, final_obs]))), 2 * num_steps)
        values, next_values = both.split(num_steps)
    return Rollout(all_obs, actions, log_prob, rewards, values, next_values, terminated, truncated), obs.clone()


def by_run(column: Tensor) -> Tensor:
    """[T, S, N, ...] -> [S, T * N, ...]."""
    return column.transpose(0, 1).flatten(1, 2)


def by_time(column: Tensor, num_steps: int) -> Tensor:
    """[S, T * N] -> [T, S, N]."""
    return column.view(len(column), num_steps, -1).transpose(0, 1)


def flatten(rollout: Rollout, advantages: Tensor) -> Batch:
    """`rollout.flatten` for S runs: columns [S, B, ...]."""
    returns = advantages + rollout.values
    columns = (rollout.obs, rollout.actions, rollout.log_prob, advantages, returns)
    return Batch(*(by_run(column) for column in columns))


def return_scales(parts: Parts) -> list[ReturnScale]:
    """One for each run where the batch normalises its rewards."""
    if not parts.settings.common("normalize_rewards"):
        return []
    configs, device = parts.settings.configs, parts.envs.device
    return [ReturnScale(parts.envs.num_envs, config.gamma).to(device) for config in configs]


def scale_rewards(parts: Parts, scales: list[ReturnScale], rollout: Rollout) -> Rollout:
    """As `Setup.scale_rewards`."""
    rewards = rollout.rewards * parts.settings.number("reward_scale")
    done = rollout.terminated | rollout.truncated
    if scales:
        scaled = [scale(rewards[:, row], done[:, row]) for row, scale in enumerate(scales)]
        rewards = torch.stack(scaled, dim=1)
    return rollout._replace(rewards=rewards)


def a2c_update(parts: Parts, batch: Batch) -> dict[str, Tensor]:
    """`a2c.update` for S runs: columns [S, B, ...], metrics [S]."""
    settings = parts.settings
    advantages = normalize(batch.advantages, dim=-1) if settings.common("normalize_advantages") else batch.advantages
    distribution = parts.policy.network(batch.obs)
    entropy = mean_entropy(parts, distribution)
    policy_loss = losses.reinforce_loss(distribution.log_prob(batch.actions), advantages)
    values = parts.required_critic.network(batch.obs)
    value_loss = losses.value_loss(values, batch.returns)
    norms = gradient_step(parts, policy_loss, entropy, value_loss)
    return {
        "losses/policy_loss": policy_loss.detach(),
        "losses/value_loss": value_loss.detach(),
        "losses/entropy": entropy.detach(),
        "losses/explained_variance": explained_variance(values, batch.returns),
        **dict(zip(STEP_METRICS, norms, strict=False)),
        "charts/value_mean": values.detach().mean(-1),
        "charts/return_mean": batch.returns.mean(-1),
        "charts/advantage_mean": batch.advantages.mean(-1),
        "charts/advantage_std": batch.advantages.std(-1, correction=0),
    }


def ppo_update(parts: Parts, batch: Batch) -> dict[str, Tensor]:
    """`ppo.update` for S runs: columns [S, B, ...], metrics [S]. A run that passes its target_kl takes no more steps."""
    settings, policy, critic = parts.settings, parts.policy.network, parts.required_critic.network
    clip_coef, target_kl = settings.number("clip_coef"), settings.number("target_kl")
    count, size = batch.log_prob.shape
    runs = torch.arange(count, device=batch.obs.device)[:, None]
    values = batch.returns - batch.advantages  # of the critic that acted, before it is fitted to these returns
    advantage_mean, advantage_std = batch.advantages.mean(-1), batch.advantages.std(-1, correction=0)
    normalization = settings.common("normalize_advantages")
    if normalization == "batch":
        batch = batch._replace(advantages=normalize(batch.advantages, dim=-1))
    history: dict[str, list[Tensor]] = defaultdict(list)
    active: Tensor | None = None  # [S], the runs that have not stopped; None is all
    epochs = torch.zeros(count, device=batch.obs.device)
    for _ in range(settings.common("update_epochs")):
        order = parts.streams.orders(size, None if active is None else active.nonzero()[:, 0].tolist())
        shuffled = (column[runs, order].split(settings.common("minibatch_size"), dim=1) for column in batch)
        for obs, actions, old_log_prob, advantages, returns in zip(*shuffled, strict=True):
            if normalization == "minibatch":
                advantages = normalize(advantages, dim=-1)
            distribution = policy(obs)
            log_prob = distribution.log_prob(actions)
            entropy = mean_entropy(parts, distribution)
            policy_loss = losses.ppo_clip_loss(log_prob, old_log_prob, advantages, clip_coef=clip_coef)
            value_loss = losses.value_loss(critic(obs), returns)
            norms = gradient_step(parts, policy_loss, entropy, value_loss, active)
            history["losses/policy_loss"].append(policy_loss.detach())
            history["losses/value_loss"].append(value_loss.detach())
            history["losses/entropy"].append(entropy.detach())
            for name, norm in zip(STEP_METRICS, norms, strict=False):
                history[name].append(norm)
            # Kept whole, and looked at after the update: diagnostics cost less on all steps at once.
            history["log_prob"].append(log_prob.detach())
            history["old_log_prob"].append(old_log_prob)
        epochs += 1 if active is None else active
        if target_kl is not None:
            with torch.no_grad():
                log_prob = policy(batch.obs).log_prob(batch.actions)
            over = approx_kl(log_prob, batch.log_prob) > torch.as_tensor(target_kl, device=log_prob.device).flatten()
            active = ~over if active is None else active & ~over
            if not bool(active.any()):
                break
    return over_own_epochs(history, epochs, clip_coef) | {
        "losses/explained_variance": explained_variance(values, batch.returns),
        "charts/value_mean": values.mean(-1),
        "charts/return_mean": batch.returns.mean(-1),
        "charts/advantage_mean": advantage_mean,
        "charts/advantage_std": advantage_std,
        "charts/epochs": epochs,
        "charts/early_stop": (epochs < settings.common("update_epochs")).float(),
    }


def over_own_epochs(history: dict[str, list[Tensor]], epochs: Tensor, clip_coef: Any) -> dict[str, Tensor]:
    """Metrics [S], each run's over the epochs that it took part in: the first `epochs` [S] of the history."""
    most = int(epochs.max())
    found: dict[str, Tensor] = {}
    for number in epochs.unique().int().tolist():
        taken = {name: values[: len(values) // most * number] for name, values in history.items()}
        log_prob, old_log_prob = torch.cat(taken.pop("log_prob"), -1), torch.cat(taken.pop("old_log_prob"), -1)
        ratio = (log_prob - old_log_prob).exp()
        metrics = {name: torch.stack(values).mean(0) for name, values in taken.items()} | {
            "losses/approx_kl": approx_kl(log_prob, old_log_prob),
            "losses/clipfrac": clip_fraction(log_prob, old_log_prob, clip_coef=0.2 if clip_coef is None else clip_coef),
            "charts/ratio_mean": ratio.mean(-1),
            "charts/ratio_std": ratio.std(-1, correction=0),
        }
        found = {name: torch.where(epochs == number, value, found.get(name, value)) for name, value in metrics.items()}
    return found


def mean_entropy(parts: Parts, distribution: Distribution) -> Tensor:
    """[S]; outside of the graph where no run is paid for it."""
    with torch.set_grad_enabled(parts.settings.any("ent_coef")):
        entropy: Tensor = distribution.entropy().mean(-1)
    return entropy


def gradient_step(
    parts: Parts, policy_loss: Tensor, entropy: Tensor, value_loss: Tensor, rows: Tensor | None = None
) -> tuple[Tensor, ...]:
    """`optim.actor_critic_step` for S runs: losses [S], of which those of `rows` [S] step. Returns: gradient norms [S]."""
    policy, critic, limits = parts.policy, parts.required_critic, parts.settings.number("max_grad_norm")
    ent_coef, vf_coef = (
        torch.as_tensor(parts.settings.number(name), device=entropy.device).flatten()
        for name in ("ent_coef", "vf_coef")
    )
    for stack in parts.stacks:
        stack.gradients.zero_()
    # No tensor is shared, so one backward pass over the sum gives each network of each run the gradient of its own loss.
    (policy_loss - ent_coef * entropy + vf_coef * value_loss).sum().backward()
    norms = gradient_norms([policy]), gradient_norms([critic])
    if parts.trunk is not None:
        return norms + shared_trunk_step(parts, parts.trunk, limits, rows)
    if limits is not None:
        joint = gradient_norms([policy, critic]) if parts.joint_clipping else None
        for stack, own in zip((policy, critic), norms, strict=True):
            clip_gradients(stack, own if joint is None else joint, limits)
    for optimizer in parts.optimizers.values():
        optimizer.step(rows)
    return norms


def shared_trunk_step(parts: Parts, trunk: Trunk, limits: Any, rows: Tensor | None) -> tuple[Tensor, Tensor]:
    """What `optim.shared_trunk_step` does with its gradients, for S runs: both copies of a trunk get the sum of the two.

    Returns: the value loss's share of the trunk's gradient, and the cosine between the two losses' gradients there, [S].
    """
    policy, critic = parts.policy, parts.required_critic
    of_policy, of_value = policy.gradients[:, trunk.policy], critic.gradients[:, trunk.critic]
    lengths = [torch.linalg.vector_norm(gradients, dim=1) for gradients in (of_policy, of_value)]
    smallest = torch.finfo(of_policy.dtype).tiny  # where a gradient is 0, so are share and cosine
    share = lengths[1] / (lengths[0] + lengths[1]).clamp(min=smallest)
    cosine = (of_policy * of_value).sum(1) / (lengths[0] * lengths[1]).clamp(min=smallest)
    of_value.copy_(of_policy.add_(of_value))
    if limits is not None:
        heads = critic.gradients.clone()
        heads[:, trunk.critic] = 0  # the trunk counts once
        norm = torch.linalg.vector_norm(torch.cat([policy.gradients, heads], dim=1), dim=1)
        for stack in (policy, critic):
            clip_gradients(stack, norm, limits)
    for optimizer in parts.optimizers.values():
        optimizer.step(rows)
    # Equal gradients make equal steps but for the last bit, which may depend on where a number lies in memory.
    critic.parameters[:, trunk.critic] = policy.parameters[:, trunk.policy]
    return share, cosine
