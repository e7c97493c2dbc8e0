"""Lesson 07, section 5.3: activations and the units that they switch off, initial weights, and dropout, in PPO's networks.

ReLU itself, torch's own initial weights in all layers and a large last layer are measured in claims/sensitivity.json and
claims/ppo.json; here are their switched-off units and their first update.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import torch
from gymnasium.vector import VectorEnv
from torch import Tensor, nn

from pgcourse import ppo
from pgcourse.diagnostics import clip_fraction
from pgcourse.networks import CategoricalPolicy, GaussianPolicy, ValueNetwork
from pgcourse.rollout import Batch, Rollout, collect_rollout
from pgcourse.study.seeds import Run

from .pendulum import solved, steps_to_solved
from .ppo import (
    CLIPFRAC,
    COMPARED,
    ENTROPY,
    KL,
    MILLI,
    SHORT,
    default_critic,
    default_policy,
    large_last_layer,
    late_mean,
    steps_within,
)
from .runs import kept_runs
from .study import IQM, OF_RETURN, TO_THRESHOLD, Metric, Study, held_out, metric_mean, metric_values

OBS, ACTIONS, HIDDEN = 4, 2, ppo.CARTPOLE.hidden_sizes  # of CartPole
DROPPED = 0.1  # probability
DDPG_BOUND = 3e-3  # of the last layer's weights and biases, as Lillicrap et al. (2016) draw them
FAST = 10  # times the policy's learning rate
LAST_UPDATES = 10

# One change each; "counted" ones count the units that are off.
ACTIVATIONS: dict[str, ppo.PPOConfig] = {
    "relu": replace(SHORT, activation="relu"),
    "leaky_relu": replace(SHORT, activation="leaky_relu"),
    "elu": replace(SHORT, activation="elu"),
    "relu_fast": replace(SHORT, activation="relu", policy_lr=SHORT.policy_lr * FAST),
}
INITIAL = dict.fromkeys(("hidden_xavier", "hidden_he"), SHORT)
DROPOUT = dict.fromkeys(("dropout", "dropout_still", "dropout_critic"), SHORT)
PENDULUM: dict[str, ppo.PPOConfig] = {
    "pendulum_relu": replace(ppo.PENDULUM, activation="relu"),
    "pendulum_large_last": ppo.PENDULUM,
    "pendulum_dropout": ppo.PENDULUM,
}
VARIANTS = ACTIVATIONS | INITIAL | DROPOUT | PENDULUM


# --- Units that are off ------------------------------------------------------------------------------------------------

# Positions [m], velocities [m/s], angles [rad] and angular velocities [rad/s] that a CartPole can have.
LIMITS = torch.tensor([2.4, 3.0, 0.209, 3.0])
EVERYWHERE = (2 * torch.rand(4096, OBS, generator=torch.Generator().manual_seed(0)) - 1) * LIMITS  # [4096, D]


def share_off(layers: nn.Sequential, obs: Tensor) -> float:
    """Share of the hidden units whose input to the activation is not positive on any of the observations [B, D].

    A ReLU unit among them gives 0 on every row, and no gradient of these rows reaches its weights.
    """
    off = []
    with torch.no_grad():
        for layer, after in pairwise(layers):
            obs = layer(obs)
            if isinstance(layer, nn.Linear) and not isinstance(after, nn.Linear):
                off.append((obs <= 0).all(dim=0))  # [units]
    return float(torch.cat(off).float().mean())


def counted(policy: nn.Module, critic: nn.Module, *rest: Any, **functions: Any) -> dict[str, Tensor | float]:
    """`ppo.update`, and the shares of units that are off on the rollout, and on observations from everywhere."""
    metrics = ppo.update(policy, critic, *rest, **functions)
    batch = next(each for each in rest if isinstance(each, Batch))
    for name, layers in (("policy", policy.logits), ("critic", critic.values)):
        assert isinstance(layers, nn.Sequential)
        metrics[f"charts/off_{name}"] = share_off(layers, batch.obs)
        metrics[f"charts/dead_{name}"] = share_off(layers, EVERYWHERE)
    return metrics


# --- Initial weights ---------------------------------------------------------------------------------------------------


def with_hidden(network: nn.Module, initialise: Callable[[nn.Linear], Any]) -> nn.Module:
    """The network with other initial weights in all layers but the last."""
    for layer in [module for module in network.modules() if isinstance(module, nn.Linear)][:-1]:
        initialise(layer)
    return network


def xavier(layer: nn.Linear) -> None:
    """Uniform with variance 2 / (inputs + outputs). Source: Glorot and Bengio (2010), eq. 16."""
    nn.init.xavier_uniform_(layer.weight)


def he(layer: nn.Linear) -> None:
    """Normal with variance 2 / inputs. Source: He et al. (2015), eq. 10."""
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")


def xavier_policy() -> nn.Module:
    """CartPole's policy, hidden layers after Glorot and Bengio."""
    return with_hidden(CategoricalPolicy(OBS, ACTIONS, HIDDEN), xavier)


def xavier_critic() -> nn.Module:
    """CartPole's critic, hidden layers after Glorot and Bengio."""
    return with_hidden(ValueNetwork(OBS, HIDDEN), xavier)


def he_policy() -> nn.Module:
    """CartPole's policy, hidden layers after He et al."""
    return with_hidden(CategoricalPolicy(OBS, ACTIONS, HIDDEN), he)


def he_critic() -> nn.Module:
    """CartPole's critic, hidden layers after He et al."""
    return with_hidden(ValueNetwork(OBS, HIDDEN), he)


def last_layer(network: nn.Module) -> nn.Linear:
    """The layer that gives the outputs."""
    return [module for module in network.modules() if isinstance(module, nn.Linear)][-1]


def with_ddpg_last(network: nn.Module) -> nn.Module:
    """The network with the last layer's weights and biases uniform within `DDPG_BOUND`."""
    last = last_layer(network)
    for parameter in (last.weight, last.bias):
        nn.init.uniform_(parameter, -DDPG_BOUND, DDPG_BOUND)
    return network


def ddpg_policy() -> nn.Module:
    """CartPole's policy with DDPG's last layer."""
    return with_ddpg_last(CategoricalPolicy(OBS, ACTIONS, HIDDEN))


def pendulum_policy() -> GaussianPolicy:
    """Pendulum's policy as the preset makes it."""
    return GaussianPolicy(3, 1, ppo.PENDULUM.hidden_sizes, initial_std=ppo.PENDULUM.initial_std)


def pendulum_large_last() -> nn.Module:
    """Pendulum's policy with a last layer a hundred times as large."""
    policy = pendulum_policy()
    with torch.no_grad():
        last_layer(policy).weight *= 100
    return policy


# --- Dropout -----------------------------------------------------------------------------------------------------------


def with_dropout(layers: nn.Sequential) -> nn.Sequential:
    """The layers with dropout behind each activation."""
    kinds = [[layer] if isinstance(layer, nn.Linear) else [layer, nn.Dropout(DROPPED)] for layer in layers]
    return nn.Sequential(*(layer for group in kinds for layer in group))


def dropout_policy() -> nn.Module:
    """CartPole's policy with dropout behind each activation."""
    policy = CategoricalPolicy(OBS, ACTIONS, HIDDEN)
    policy.logits = with_dropout(policy.logits)
    return policy


def dropout_critic() -> nn.Module:
    """CartPole's critic with dropout behind each activation."""
    critic = ValueNetwork(OBS, HIDDEN)
    critic.values = with_dropout(critic.values)
    return critic


def pendulum_dropout() -> nn.Module:
    """Pendulum's policy with dropout behind each activation."""
    policy = pendulum_policy()
    policy.mean = with_dropout(policy.mean)
    return policy


def watched(policy: nn.Module, *rest: Any, **functions: Any) -> dict[str, Tensor | float]:
    """`ppo.update`, and what the ratio to the stored log-probabilities is before its first step."""
    batch = next(each for each in rest if isinstance(each, Batch))
    with torch.no_grad():
        log_prob = policy(batch.obs).log_prob(batch.actions)
    first = {
        "charts/first_ratio_std": (log_prob - batch.log_prob).exp().std(correction=0),
        "charts/first_clipfrac": clip_fraction(log_prob, batch.log_prob, clip_coef=SHORT.clip_coef or 0.2),
    }
    return ppo.update(policy, *rest, **functions) | first


def collect_still(
    policy: nn.Module, critic: nn.Module, envs: VectorEnv, obs: Tensor, num_steps: int
) -> tuple[Rollout, Tensor]:
    """`collect_rollout` with the dropout of both networks switched off."""
    networks = (policy, critic)
    for network in networks:
        network.eval()
    found = collect_rollout(policy, critic, envs, obs, num_steps)
    for network in networks:
        network.train()
    return found


SEAMS: dict[str, dict[str, Any]] = {
    **{name: {"update_fn": counted} for name in ACTIVATIONS},
    "hidden_xavier": {"policy": xavier_policy, "critic": xavier_critic},
    "hidden_he": {"policy": he_policy, "critic": he_critic},
    "dropout": {"policy": dropout_policy, "update_fn": watched},
    "dropout_still": {"policy": dropout_policy, "update_fn": watched, "collect_fn": collect_still},
    "dropout_critic": {"critic": dropout_critic},
    "pendulum_large_last": {"policy": pendulum_large_last},
    "pendulum_dropout": {"policy": pendulum_dropout, "update_fn": watched},
}
# One update each, for what the first policy is like.
FIRST: dict[str, dict[str, Any]] = {
    "first": {},
    "first_large_last": {"policy": large_last_layer},
    "first_default": {"policy": default_policy, "critic": default_critic},
    "first_ddpg": {"policy": ddpg_policy},
    **{f"first_{name}": SEAMS[name] for name in INITIAL},
}
BEFORE, BEFORE_CLIPPED = "charts/first_ratio_std", "charts/first_clipfrac"

LEARNING = {
    "late": Metric("return", OF_RETURN, late_mean),
    "held_out": Metric("return", OF_RETURN, held_out),
    "kl": Metric(MILLI, [IQM], lambda run: 1000 * metric_mean(run, KL)),
    "first_kl": Metric(MILLI, [IQM], lambda run: 1000 * float(run.metrics[KL][0])),
    "clipfrac": Metric("of the rows", [IQM], lambda run: metric_mean(run, CLIPFRAC)),
    "end_entropy": Metric("nats", [IQM], lambda run: metric_mean(run, ENTROPY, last=LAST_UPDATES)),
}
ON_CARTPOLE = {"steps_to_475": Metric("environment steps", TO_THRESHOLD, steps_within)}
ON_PENDULUM = {
    "steps_to_solved": Metric("environment steps", TO_THRESHOLD, steps_to_solved),
    "solved": Metric("return", ["count"], solved),
}


def at_the_end(name: str) -> Callable[[Run], float]:
    """Mean of a metric over the last updates."""
    return lambda run: metric_mean(run, name, last=LAST_UPDATES)


UNITS = {
    f"{kind}_{network}": Metric("of the units", [IQM, "worst"], at_the_end(f"charts/{kind}_{network}"))
    for kind in ("off", "dead")
    for network in ("policy", "critic")
}
LIES = {
    "first_ratio_std": Metric("of the ratio", [IQM], lambda run: metric_mean(run, BEFORE)),
    "first_clipfrac": Metric("of the rows", [IQM], lambda run: metric_mean(run, BEFORE_CLIPPED)),
    "end_first_ratio_std": Metric("of the ratio", [IQM], at_the_end(BEFORE)),
    "end_first_clipfrac": Metric("of the rows", [IQM], at_the_end(BEFORE_CLIPPED)),
}
FIRST_METRICS = {
    "entropy": Metric("nats", [IQM], lambda run: float(run.metrics[ENTROPY][0])),
    "kl": Metric(MILLI, [IQM], lambda run: 1000 * float(run.metrics[KL][0])),
}
# What is told of some variants only.
TOLD: Sequence[tuple[Sequence[str], dict[str, Metric]]] = (
    ([name for name in VARIANTS if name not in PENDULUM], ON_CARTPOLE),
    (list(PENDULUM), ON_PENDULUM),
    (list(ACTIVATIONS), UNITS),
    (["dropout", "dropout_still", "pendulum_dropout"], LIES),
)
STUDY = Study(
    description=f"PPO for {COMPARED:,} environment steps on CartPole-v1 and on Pendulum-v1 with other networks: activations, "
    "with the share of the units that are off; initial weights of the hidden layers and of the policy's last layer; dropout "
    "in policy or critic, with the ratio before an update's first step.",
    variants=VARIANTS,
    seams=SEAMS,
    metrics=LEARNING,
    x="env_step",
    every=4096,
    until=98_304,
    window=50,
    diagnosed={
        **dict.fromkeys(("relu", "relu_fast"), ("charts/off_policy", "charts/off_critic")),
        **dict.fromkeys(("dropout", "dropout_still"), (BEFORE, BEFORE_CLIPPED, CLIPFRAC)),
    },
    updates_a_point=5,
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/networks.json`."""
    content = STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
    seeds = content["seeds"]
    runs = kept_runs(VARIANTS, seeds, seams=SEAMS, num_workers=num_workers)
    for names, metrics in TOLD:
        for name in names:
            content["values"] |= {f"{name}/{key}": metric_values(metric, runs[name]) for key, metric in metrics.items()}
    one_update = replace(SHORT, total_timesteps=SHORT.batch_size)
    first = kept_runs(dict.fromkeys(FIRST, one_update), seeds, seams=FIRST, num_workers=num_workers)
    for name, group in first.items():
        content["values"] |= {f"{name}/{key}": metric_values(metric, group) for key, metric in FIRST_METRICS.items()}
    return content
