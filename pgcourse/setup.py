"""Environments, networks and optimisers of a run, made from its config or taken from the user."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from gymnasium.vector import VectorEnv
from torch import Tensor, nn

from . import optim
from .config import Config
from .envs import TensorAdapter, TensorVectorEnv, as_tensor_envs, has_tensor_envs, make_envs
from .envs.snapshot import restore_envs, save_envs
from .networks import make_critic, make_policy
from .normalization import ReturnScale
from .rollout import Rollout

OptimizerFn = Callable[..., torch.optim.Optimizer]


@dataclass
class Setup:
    """The moving parts of a run; together with the random stream and the counters, its whole state."""

    config: Config
    device: torch.device
    envs: VectorEnv
    policy: nn.Module
    policy_optimizer: torch.optim.Optimizer | None
    critic: nn.Module | None = None
    critic_optimizer: torch.optim.Optimizer | None = None
    return_scale: ReturnScale | None = None

    @property
    def modules(self) -> dict[str, nn.Module]:
        """What has weights or buffers, by name."""
        parts = {"policy": self.policy, "critic": self.critic, "return_scale": self.return_scale}
        return {name: part for name, part in parts.items() if part is not None}

    @property
    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """The optimisers, by name."""
        parts = {"policy": self.policy_optimizer, "critic": self.critic_optimizer}
        return {name: part for name, part in parts.items() if part is not None}

    def scale_rewards(self, rollout: Rollout) -> Rollout:
        """The rewards that training sees: times `reward_scale`, and by the returns' running scale where there is one."""
        rewards = rollout.rewards * getattr(self.config, "reward_scale", 1.0)
        if self.return_scale is not None:
            rewards = self.return_scale(rewards, rollout.terminated | rollout.truncated)
        return rollout._replace(rewards=rewards)

    def state_dict(self) -> dict[str, Any]:
        """Weights, buffers, optimisers, environments (None where they cannot be copied) and random streams."""
        return {
            "modules": {name: module.state_dict() for name, module in self.modules.items()},
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "envs": save_envs(self.envs),
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if self.device.type == "cuda" else [],
        }

    def load_state_dict(self, state: dict[str, Any]) -> Tensor | None:
        """Go on from `state_dict`. Returns: the observations [N, D] to act on; None where there are no environments."""
        for name, module in self.modules.items():
            module.load_state_dict(state["modules"][name])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        obs = restore_envs(self.envs, state["envs"]) if state["envs"] is not None else None
        torch.set_rng_state(state["random"])
        if state["random_cuda"]:
            torch.cuda.set_rng_state_all(state["random_cuda"])
        return obs


def prepare(
    config: Config,
    *,
    device: str | torch.device,
    policy: nn.Module | None,
    critic: nn.Module | None,
    envs: VectorEnv | None,
    optimizer_fn: OptimizerFn,
    needs_critic: bool = True,
) -> Setup:
    """Make what is not given, on the chosen device; draw initial weights from torch's stream, policy first.

    The policy gets an optimiser where the config has a `policy_lr`, and the rewards a scale where it asks for one.

    Raises: InvalidInput for an environment, spaces, autoreset mode or device that cannot be used.
    """
    tensor_envs = envs is None and has_tensor_envs(config.env_id)
    if isinstance(envs, TensorVectorEnv | TensorAdapter) and str(device) == "auto":
        device = envs.device  # where the given environments live
    chosen = optim.choose_device(device, tensor_envs=tensor_envs, num_envs=config.num_envs)
    envs = as_tensor_envs(
        envs if envs is not None else make_envs(config.env_id, config.num_envs, seed=config.seed, device=chosen),
        device=chosen,
    )
    if policy is None:
        policy = policy_for(config, envs)
    if critic is None and needs_critic:
        critic = critic_for(config, envs)
    policy = policy.to(chosen)
    setup = Setup(config, chosen, envs, policy, None)
    if (policy_lr := getattr(config, "policy_lr", None)) is not None:
        setup.policy_optimizer = optimizer_fn(policy.parameters(), policy_lr)
    if critic is not None:
        setup.critic = critic.to(chosen)
        setup.critic_optimizer = optimizer_fn(critic.parameters(), config.critic_lr)
    if getattr(config, "normalize_rewards", False):
        setup.return_scale = ReturnScale(envs.num_envs, config.gamma).to(chosen)
    return setup


def policy_for(config: Config, envs: VectorEnv) -> nn.Module:
    """A fresh policy for these environments, with the settings of the config."""
    return make_policy(
        envs.single_observation_space,
        envs.single_action_space,
        config.hidden_sizes,
        normalize_observations=getattr(config, "normalize_observations", False),
        initial_std=getattr(config, "initial_std", 1.0),
    )


def critic_for(config: Config, envs: VectorEnv) -> nn.Module:
    """A fresh critic for these environments, with the settings of the config."""
    normalize = getattr(config, "normalize_observations", False)
    return make_critic(envs.single_observation_space, config.hidden_sizes, normalize_observations=normalize)
