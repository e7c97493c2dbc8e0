"""Environments, networks and optimisers of a run, made from its config or taken from the user."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import torch
from gymnasium.vector import VectorEnv
from torch import Tensor, nn

from . import optim
from .config import Config
from .envs import TensorAdapter, TensorVectorEnv, as_tensor_envs, has_tensor_envs, make_envs
from .envs.snapshot import restore_envs, save_envs
from .errors import InvalidInput
from .networks import make_critic, make_policy, share_trunk
from .normalization import ReturnScale
from .registration import NAMESPACE
from .rollout import Rollout

ConfigT = TypeVar("ConfigT", bound=Config)
OptimizerFn = Callable[..., torch.optim.Optimizer]


@dataclass
class Setup(Generic[ConfigT]):
    """The moving parts of a run; together with the random stream and the counters, its whole state."""

    config: ConfigT  # what is really trained: number and id of the environments are those of `envs`
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
        """The optimisers, by name; a shared trunk has one, under the policy's."""
        parts = {"policy": self.policy_optimizer, "critic": self.critic_optimizer}
        if self.critic_optimizer is self.policy_optimizer:
            parts.pop("critic")
        return {name: part for name, part in parts.items() if part is not None}

    @property
    def networks(self) -> nn.Module:
        """Policy and critic as one module, in which what they share is there once."""
        return nn.ModuleList([network for network in (self.policy, self.critic) if network is not None])

    def anneal(self, used: float) -> None:
        """Learning rates as they are when a share `used` of the budget is used up, where the config asks for it."""
        config: Any = self.config
        if config.anneal_lr:
            for name, optimizer in self.optimizers.items():
                initial = getattr(config, f"{name}_lr")
                optim.set_learning_rate(optimizer, optim.learning_rate(initial, used, config.lr_schedule))

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
            "random_device": {kind: optim.random_state(kind) for kind in {self.device.type} - {"cpu"}},
        }

    def load_state_dict(self, state: dict[str, Any]) -> Tensor | None:
        """Go on from `state_dict`. Returns: the observations [N, D] to act on; None where there are no environments."""
        for name, module in self.modules.items():
            module.load_state_dict(state["modules"][name])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        obs = restore_envs(self.envs, state["envs"]) if state["envs"] is not None else None
        torch.set_rng_state(state["random"])
        for kind, streams in state.get("random_device", {}).items():
            if kind == self.device.type:  # a run may go on on another device, if not bit for bit
                optim.set_random_state(kind, streams)
        return obs


def prepare(
    config: ConfigT,
    *,
    device: str | torch.device,
    policy: nn.Module | None,
    critic: nn.Module | None,
    envs: VectorEnv | None,
    optimizer_fn: OptimizerFn,
    needs_critic: bool = True,
) -> Setup[ConfigT]:
    """Make what is not given, on the chosen device; draw initial weights from torch's stream, policy first.

    The policy gets an optimiser where the config has a `policy_lr`, and the rewards a scale where it asks for one. With
    `shared_trunk` the critic is a head on the policy's hidden layers, and one optimiser has all parameters.

    Raises: InvalidInput for an environment, spaces, autoreset mode or device that cannot be used, and for a policy and a
    critic that share parameters where the config does not say so, or do not where it does.
    """
    shared = getattr(config, "shared_trunk", False)
    tensor_envs = envs is None and has_tensor_envs(config.env_id)
    if isinstance(envs, TensorVectorEnv | TensorAdapter) and str(device) == "auto":
        device = envs.device  # where the given environments live
    chosen = optim.choose_device(device, tensor_envs=tensor_envs, num_envs=config.num_envs)
    given = envs is not None
    envs = as_tensor_envs(
        envs if envs is not None else make_envs(config.env_id, config.num_envs, seed=config.seed, device=chosen),
        device=chosen,
    )
    if given:
        config = with_given_envs(config, envs)
    if shared and (policy is None) != (critic is None):
        given_one = "critic" if policy is None else "policy"
        raise InvalidInput(
            f"shared_trunk=True with a {given_one} of your own alone; give policy and critic, built on one trunk, or neither"
        )
    if policy is None:
        policy = policy_for(config, envs)
    if critic is None and needs_critic:
        critic = critic_for(config, envs)
        if shared:
            share_trunk(policy, critic)
    require_trunk(config, policy, critic)
    policy = policy.to(chosen)
    setup = Setup(config, chosen, envs, policy, None)
    if critic is not None:
        setup.critic = critic.to(chosen)
    if (policy_lr := getattr(config, "policy_lr", None)) is not None:
        trained = setup.networks if shared else policy
        setup.policy_optimizer = optimizer_fn(trained.parameters(), policy_lr)
    if critic is not None:
        setup.critic_optimizer = (
            setup.policy_optimizer if shared else optimizer_fn(critic.parameters(), config.critic_lr)
        )
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
        activation=config.activation,
    )


def critic_for(config: Config, envs: VectorEnv) -> nn.Module:
    """A fresh critic for these environments, with the settings of the config."""
    normalize = getattr(config, "normalize_observations", False)
    space = envs.single_observation_space
    return make_critic(space, config.hidden_sizes, normalize_observations=normalize, activation=config.activation)


def with_given_envs(config: ConfigT, envs: VectorEnv) -> ConfigT:
    """The config as these environments make it, so that a run's record is true: their number, and their id where known.

    A batch that is smaller with them than one minibatch is one minibatch.
    """
    changes: dict[str, Any] = {"num_envs": envs.num_envs}
    if hasattr(config, "minibatch_size"):
        changes["minibatch_size"] = min(config.minibatch_size, envs.num_envs * getattr(config, "num_steps", 1))
    inner: Any = envs.unwrapped
    # Environments that were put together by hand have no description of their own; each of them does.
    spec = inner.spec or getattr(next(iter(getattr(inner, "envs", [])), None), "spec", None)
    if spec is not None and spec.id.removeprefix(NAMESPACE) != config.env_id.removeprefix(NAMESPACE):
        changes["env_id"] = spec.id
    return replace(config, **changes)


def require_trunk(config: Config, policy: nn.Module, critic: nn.Module | None) -> None:
    """Raises: InvalidInput where policy and critic share parameters that are trained and the config does not say so.

    Or where it says so and they share none. Buffers they may always share.
    """
    if critic is None:
        return
    expected = getattr(config, "shared_trunk", None)  # None: an algorithm that cannot
    names = {id(parameter): name for name, parameter in policy.named_parameters() if parameter.requires_grad}
    shared = [names[id(parameter)] for parameter in critic.parameters() if id(parameter) in names]
    if shared and not expected:
        other = "set shared_trunk=True, or " if expected is not None else ""
        raise InvalidInput(
            f"policy and critic share {len(shared)} parameters ({shared[0]}{', ...' if len(shared) > 1 else ''}), which two "
            f"optimisers would clip twice and step twice; {other}give each network layers of its own"
        )
    if expected and not shared:
        raise InvalidInput(
            "shared_trunk=True, but policy and critic share no parameter; give hidden_sizes at least one layer, or build "
            "your policy and critic on the same layers"
        )
