"""Networks for the study of lesson 07, section 5.3, and what it looks at in an update: no study by itself.

They stand apart from the study, so that a change of what is measured does not make runs anew.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from gymnasium.vector import VectorEnv
from torch import Tensor, nn

from pgcourse import ppo
from pgcourse.diagnostics import clip_fraction
from pgcourse.networks import CategoricalPolicy, GaussianPolicy, ValueNetwork
from pgcourse.rollout import Batch, Rollout, collect_rollout

OBS, ACTIONS, HIDDEN = 4, 2, ppo.CARTPOLE.hidden_sizes  # of CartPole
CLIP = 0.2  # of both presets
DROPPED = 0.1  # probability
DDPG_BOUND = 3e-3  # of the last layer's weights and biases, as Lillicrap et al. (2016) draw them

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
    policy = GaussianPolicy(3, 1, ppo.PENDULUM.hidden_sizes, initial_std=ppo.PENDULUM.initial_std)
    policy.mean = with_dropout(policy.mean)
    return policy


def watched(policy: nn.Module, *rest: Any, **functions: Any) -> dict[str, Tensor | float]:
    """`ppo.update`, and what the ratio to the stored log-probabilities is before its first step."""
    batch = next(each for each in rest if isinstance(each, Batch))
    with torch.no_grad():
        log_prob = policy(batch.obs).log_prob(batch.actions)
    first = {
        "charts/first_ratio_std": (log_prob - batch.log_prob).exp().std(correction=0),
        "charts/first_clipfrac": clip_fraction(log_prob, batch.log_prob, clip_coef=CLIP),
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
