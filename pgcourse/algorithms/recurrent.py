"""PPO with a memory: policy and critic carry a state through an episode, where one observation does not tell enough.

    m_t = GRU(o_t, m_{t-1}),  m_{t-1} = 0 at an episode's first step;  actions from pi(a | m_t),  values V(m_t)

The loop is `ppo.train`; here are the networks and the two seams in which a memory makes a difference. `collect` carries the
states from step to step, empties them where an episode ends, and goes on with them in the next rollout. `update` computes
them anew with the weights of each gradient step: from those with which the rollout began, in order of time, emptied at the
same steps. So a minibatch is whole columns of the rollout, all steps of some environments: a row without the rows before it
has no memory. Gradients flow back through time to the rollout's first step, and no further: truncated backpropagation.

Sources: Hausknecht and Stone (2015), "Deep recurrent Q-learning for partially observable MDPs"; Kapturowski et al. (2019),
"Recurrent experience replay in distributed reinforcement learning", on states stored and computed anew.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from gymnasium import spaces
from gymnasium.vector import VectorEnv
from torch import Tensor, nn

from .. import losses, optim
from ..diagnostics import approx_kl, clip_fraction, explained_variance
from ..envs import make_envs
from ..errors import InvalidInput
from ..networks import NETWORKS, Categorical, mlp
from ..normalization import normalization
from ..returns import normalize
from ..rollout import Batch, Rollout
from ..runs import Result
from ..spaces import describe
from . import ppo
from .ppo import PPOConfig, minibatches

# Rollouts of 16 steps: an update costs as many cell steps one after the other as its sequences are long, and a speed shows in
# two. Observations are normalised, since a position moves by a hundredth of its unit from one to the next. Rewards are scaled
# down: with rewards of 1 and a fast critic, the GRU's values were the same in every state (explained variance 0).
CARTPOLE = replace(
    ppo.CARTPOLE, env_id="CartPolePositions-v0", num_envs=64, num_steps=16, update_epochs=4, policy_lr=3e-3, critic_lr=3e-3,
    reward_scale=0.05, normalize_observations=True,
)  # fmt: skip


def unroll(
    cell: Callable[[Tensor, Tensor], Tensor], inputs: Tensor, state: Tensor, ended: Tensor
) -> tuple[Tensor, Tensor]:
    """States of a recurrent cell over T steps of N environments, each episode from zeros.

        outputs_t = cell(inputs_t, m_t),    m_{t+1} = 0 where ended_t, else outputs_t,    m_0 = state

    Args: cell: (inputs [N, D], states [N, H]) -> states [N, H]. inputs: [T, N, D]. state: [N, H], before the first step.
    ended: [T, N] bool, whether the episode ended with step t, so that step t + 1 is the first of another one.
    Returns: outputs [T, N, H], and the states [N, H] before step T, where the next rollout begins. Differentiable.
    """
    outputs = []
    for step_inputs, over in zip(inputs.unbind(), ended.unsqueeze(-1).unbind(), strict=True):
        state = cell(step_inputs, state)
        outputs.append(state)
        state = state.masked_fill(over, 0)
    return torch.stack(outputs), state


class Memory(nn.Module):
    """A GRU, and where training left it: the states [N, H] of N environments, and the observations [N, D] that come next.

    Both are saved with the weights, so that an interrupted run goes on bit for bit. What belongs to the last rollout alone,
    `first` [N, H] and `ended` [T, N], is what an update needs to compute its states anew.
    """

    def __init__(self, obs_dim: int, size: int) -> None:
        super().__init__()
        self.cell = nn.GRUCell(obs_dim, size)
        self.state, self.next_obs = torch.zeros(0, size), torch.zeros(0, obs_dim)
        self.first, self.ended = torch.zeros(0, size), torch.zeros(0, 0, dtype=torch.bool)

    def state_at(self, obs: Tensor) -> Tensor:
        """The states [N, H] before a step from `obs` [N, D]: where the last rollout ended, else empty ones."""
        goes_on = torch.equal(self.next_obs.to(obs.device), obs)
        return self.state.to(obs.device) if goes_on else obs.new_zeros(len(obs), self.cell.hidden_size)

    def keep(self, first: Tensor, ended: Tensor, state: Tensor, next_obs: Tensor) -> None:
        """Take down a rollout: the states before its first step, its ends, and what the next one begins with."""
        self.first, self.ended, self.state, self.next_obs = first, ended, state, next_obs

    def get_extra_state(self) -> Tensor:
        return torch.cat([self.state, self.next_obs], dim=-1)

    def set_extra_state(self, saved: Tensor) -> None:
        self.state, self.next_obs = saved.split([self.cell.hidden_size, self.cell.input_size], dim=-1)


class RecurrentPolicy(nn.Module):
    """A policy over A discrete actions with a memory: `remember` a step's observations, then `decide`.

    `policy(obs)` is what it does at an episode's first step, with an empty memory; `at_start()` acts through an episode.
    Args: hidden_sizes: units of the GRU, then of the layers between its state and the logits.
    """

    def __init__(
        self,
        obs_dim: int,
        num_actions: int,
        hidden_sizes: Sequence[int] = (32, 32),
        *,
        normalize_observations: bool = False,
    ) -> None:
        super().__init__()
        self.arguments = {
            "obs_dim": obs_dim,
            "num_actions": num_actions,
            "hidden_sizes": list(hidden_sizes),
            "normalize_observations": normalize_observations,
        }
        self.norm = normalization(obs_dim, normalize_observations)
        self.memory = Memory(obs_dim, hidden_sizes[0])
        self.logits = mlp([*hidden_sizes, num_actions], output_gain=0.01)

    def remember(self, obs: Tensor, state: Tensor) -> Tensor:
        """States [N, H] after a step with observations [N, D], from those before it."""
        return self.memory.cell(self.norm(obs), state)

    def decide(self, state: Tensor) -> Categorical:
        """Actions' distribution from states [B, H]."""
        return Categorical(self.logits(state))

    def forward(self, obs: Tensor) -> Categorical:
        return self.decide(self.memory.cell(self.norm(obs)))

    def at_start(self) -> "Acting":
        """This policy at the start of an episode, for `evaluate` and the films."""
        return Acting(self)


class RecurrentCritic(nn.Module):
    """A critic with a memory of its own: `remember` a step's observations, then `judge`. For its arguments see the policy."""

    def __init__(
        self, obs_dim: int, hidden_sizes: Sequence[int] = (32, 32), *, normalize_observations: bool = False
    ) -> None:
        super().__init__()
        self.arguments = {
            "obs_dim": obs_dim,
            "hidden_sizes": list(hidden_sizes),
            "normalize_observations": normalize_observations,
        }
        self.norm = normalization(obs_dim, normalize_observations)
        self.memory = Memory(obs_dim, hidden_sizes[0])
        self.values = mlp([*hidden_sizes, 1])

    def remember(self, obs: Tensor, state: Tensor) -> Tensor:
        """States [N, H] after a step with observations [N, D], from those before it."""
        return self.memory.cell(self.norm(obs), state)

    def judge(self, state: Tensor) -> Tensor:
        """Values [B] of states [B, H]."""
        return self.values(state).squeeze(-1)

    def forward(self, obs: Tensor) -> Tensor:
        return self.judge(self.memory.cell(self.norm(obs)))


NETWORKS.update({network.__name__: network for network in (RecurrentPolicy, RecurrentCritic)})


class Acting(nn.Module):
    """A recurrent policy from an episode's start on: each call is the next step, observations [N, D] -> distribution."""

    def __init__(self, policy: RecurrentPolicy) -> None:
        super().__init__()
        self.policy = policy
        self.state: Tensor | None = None

    def forward(self, obs: Tensor) -> Categorical:
        if self.state is None:
            self.state = obs.new_zeros(len(obs), self.policy.memory.cell.hidden_size)
        self.state = self.policy.remember(obs, self.state)
        return self.policy.decide(self.state)


def collect(
    policy: RecurrentPolicy, critic: RecurrentCritic, envs: VectorEnv, obs: Tensor, num_steps: int
) -> tuple[Rollout, Tensor]:
    """`rollout.collect_rollout` with memory: the states go through the rollout, and on into the next one."""
    first = state = policy.memory.state_at(obs)  # [N, H]
    steps: list[tuple[Tensor, ...]] = []
    with torch.inference_mode():
        for _ in range(num_steps):
            state = policy.remember(obs, state)
            actions = policy.decide(state).sample()
            next_obs, rewards, terminated, truncated, info = envs.step(actions)
            steps.append((obs, state, actions, rewards, info["final_obs"], terminated, truncated))
            state = state.masked_fill((terminated | truncated)[:, None], 0)
            obs = next_obs
    all_obs, states, actions, rewards, final_obs, terminated, truncated = (
        torch.stack(column) for column in zip(*steps, strict=True)
    )  # [T, N, ...]
    obs, ended = obs.clone(), terminated | truncated
    policy.memory.keep(first, ended, state.clone(), obs)
    first = critic.memory.state_at(all_obs[0])
    with torch.no_grad():
        log_prob = policy.decide(states.flatten(0, 1)).log_prob(actions.flatten(0, 1)).view(rewards.shape)
        states, state = unroll(critic.remember, all_obs, first, ended)
        values = critic.judge(states.flatten(0, 1)).view(rewards.shape)
        # The true next observation belongs to the episode that ends: it is seen with the state as it is before it is emptied.
        states = critic.remember(final_obs.flatten(0, 1), states.flatten(0, 1))
        next_values = critic.judge(states).view(rewards.shape)
    critic.memory.keep(first, ended, state, obs)
    return Rollout(all_obs, actions, log_prob, rewards, values, next_values, terminated, truncated), obs


def update(
    policy: RecurrentPolicy,
    critic: RecurrentCritic,
    policy_optimizer: torch.optim.Optimizer,
    critic_optimizer: torch.optim.Optimizer,
    batch: Batch,
    config: PPOConfig,
    *,
    policy_loss_fn: Callable[..., Tensor] = losses.ppo_clip_loss,
    gradient_step_fn: Callable[..., tuple[Tensor, ...]] = optim.actor_critic_step,
) -> dict[str, Tensor | float]:
    """`ppo.update` on sequences: a minibatch is all T steps of `minibatch_size / T` environments, from their first states.

    Returns: the metrics of `ppo.update`, and the largest distance between the log-probabilities of acting and those of the
    first epoch's first minibatch, 0 but for rounding.
    """
    ended = policy.memory.ended  # [T, N]
    num_steps, num_envs = ended.shape
    columns = Batch(*(column.unflatten(0, (num_steps, num_envs)) for column in batch))  # [T, N, ...]
    history: dict[str, list[Tensor]] = defaultdict(list)
    values = batch.returns - batch.advantages  # of the critic that acted, before it is fitted to these returns
    if config.normalize_advantages == "batch":
        columns = columns._replace(advantages=normalize(columns.advantages))

    def log_prob_and_entropy(chosen: Tensor) -> tuple[Tensor, Tensor]:
        states, _ = unroll(policy.remember, columns.obs[:, chosen], policy.memory.first[chosen], ended[:, chosen])
        distribution = policy.decide(states.flatten(0, 1))
        return distribution.log_prob(columns.actions[:, chosen].flatten(0, 1)), distribution.entropy().mean()

    epochs, stopped = 0, False
    while epochs < config.update_epochs and not stopped:
        for chosen in minibatches(num_envs, sequences(config, num_steps), device=ended.device):
            old_log_prob, advantages, returns = (column[:, chosen].flatten(0, 1) for column in columns[2:])
            if config.normalize_advantages == "minibatch":
                advantages = normalize(advantages)
            log_prob, entropy = log_prob_and_entropy(chosen)
            policy_loss = policy_loss_fn(log_prob, old_log_prob, advantages, clip_coef=config.clip_coef)
            states, _ = unroll(critic.remember, columns.obs[:, chosen], critic.memory.first[chosen], ended[:, chosen])
            value_loss = losses.value_loss(critic.judge(states.flatten(0, 1)), returns)
            policy_norm, critic_norm = gradient_step_fn(
                policy_loss - config.ent_coef * entropy, value_loss, policy, critic, policy_optimizer, critic_optimizer,
                max_grad_norm=config.max_grad_norm,
            )  # fmt: skip
            history["losses/policy_loss"].append(policy_loss.detach())
            history["losses/value_loss"].append(value_loss.detach())
            history["losses/entropy"].append(entropy.detach())
            history["losses/policy_grad_norm"].append(policy_norm)
            history["losses/critic_grad_norm"].append(critic_norm)
            history["log_prob"].append(log_prob.detach())
            history["old_log_prob"].append(old_log_prob)
        epochs += 1
        if config.target_kl is not None:
            with torch.no_grad():
                log_prob, _ = log_prob_and_entropy(torch.arange(num_envs, device=ended.device))
            stopped = float(approx_kl(log_prob, batch.log_prob)) > config.target_kl

    recomputed = (history["log_prob"][0] - history["old_log_prob"][0]).abs().max()
    log_prob, old_log_prob = torch.cat(history.pop("log_prob")), torch.cat(history.pop("old_log_prob"))
    ratio = (log_prob - old_log_prob).exp()
    metrics: dict[str, Tensor | float] = {name: torch.stack(values).mean() for name, values in history.items()}
    return metrics | {
        "losses/approx_kl": approx_kl(log_prob, old_log_prob),
        "losses/clipfrac": clip_fraction(log_prob, old_log_prob, clip_coef=config.clip_coef or 0.2),
        "losses/explained_variance": explained_variance(values, batch.returns),
        "charts/ratio_mean": ratio.mean(),
        "charts/ratio_std": ratio.std(correction=0),
        "charts/recomputed_log_prob": recomputed,
        "charts/value_mean": values.mean(),
        "charts/return_mean": batch.returns.mean(),
        "charts/advantage_mean": batch.advantages.mean(),
        "charts/advantage_std": batch.advantages.std(correction=0),
        "charts/epochs": float(epochs),
        "charts/early_stop": float(epochs < config.update_epochs),
    }


def sequences(config: PPOConfig, num_steps: int) -> int:
    """Environments in a minibatch. Raises: InvalidInput where a minibatch is no whole number of sequences."""
    if config.minibatch_size % num_steps:
        raise InvalidInput(
            f"minibatch_size={config.minibatch_size} is not a multiple of num_steps={num_steps}, and a minibatch is made of "
            f"whole sequences; use a multiple, such as {max(config.minibatch_size // num_steps, 1) * num_steps}"
        )
    return config.minibatch_size // num_steps


def train(config: PPOConfig = CARTPOLE, *, envs: VectorEnv | None = None, **options: Any) -> Result:
    """`ppo.train` with a GRU in policy and critic; `options` are its other keyword arguments."""
    known = envs if envs is not None else make_envs(config.env_id, 1, seed=0)
    with optim.seeded(config.seed):
        policy, critic = networks_for(known, config)
    if envs is None:
        known.close()
    seams: dict[str, Any] = {"policy": policy, "critic": critic, "collect_fn": collect, "update_fn": update}
    return ppo.train(config, envs=envs, **(seams | options))


def networks_for(envs: VectorEnv, config: PPOConfig) -> tuple[RecurrentPolicy, RecurrentCritic]:
    """Fresh networks for flat observations and Discrete actions. Raises: InvalidInput for other spaces."""
    seen, taken = envs.single_observation_space, envs.single_action_space
    if not isinstance(seen, spaces.Box) or len(seen.shape) != 1 or not isinstance(taken, spaces.Discrete):
        raise InvalidInput(
            f"observations are {describe(seen)} and actions {describe(taken)}; the recurrent networks take flat "
            "observations and Discrete actions: choose another environment, or write networks of your own"
        )
    obs_dim, sizes, normalized = seen.shape[0], config.hidden_sizes, config.normalize_observations
    return (
        RecurrentPolicy(obs_dim, int(taken.n), sizes, normalize_observations=normalized),
        RecurrentCritic(obs_dim, sizes, normalize_observations=normalized),
    )
