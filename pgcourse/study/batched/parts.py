"""The moving parts of a batch: environments, stacked networks, optimisers, random streams and settings of S runs."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ... import optim
from ...config import Config
from ...envs import make_envs
from ...networks import share_trunk
from ...setup import critic_for, policy_for
from .environments import RowEnvs
from .settings import Settings
from .stack import RowAdam, Stack
from .streams import Streams


@dataclass(frozen=True)
class Trunk:
    """Columns of the layers that policy and critic share: each stack holds a copy, and the two are kept equal."""

    policy: slice
    critic: slice


@dataclass
class Parts:
    """Everything that moves; `select` keeps the runs that go on."""

    settings: Settings
    envs: RowEnvs
    streams: Streams
    policy: Stack
    critic: Stack | None
    optimizers: dict[str, RowAdam]  # of "policy" and "critic"
    joint_clipping: bool  # one norm for both networks: a bug that the course compares with
    trunk: Trunk | None = None  # what policy and critic share

    @property
    def required_critic(self) -> Stack:
        """The critic of an algorithm that always has one."""
        assert self.critic is not None
        return self.critic

    @property
    def stacks(self) -> list[Stack]:
        """Policy and critic, or the policy alone."""
        return [self.policy] if self.critic is None else [self.policy, self.critic]

    def select(self, rows: Sequence[int]) -> Tensor:
        """Keep these runs alone. Returns: their observations [S, N, D]."""
        kept = torch.tensor(rows, dtype=torch.int64, device=self.envs.device)
        self.settings.select(rows)
        self.streams.select(rows)
        for stack in self.stacks:
            stack.select(kept)
        for optimizer in self.optimizers.values():
            optimizer.select(kept)
        return self.envs.select(kept) if rows else self.envs.obs


def prepare(configs: Sequence[Config], device: torch.device, *, joint_clipping: bool) -> Parts:
    """Make everything. Each run's networks are those that it would begin with alone: drawn from its seed, policy first."""
    first = configs[0]
    needs_critic, shared = getattr(first, "baseline", True), getattr(first, "shared_trunk", False)
    policies, critics, states = [], [], []
    single = make_envs(first.env_id, 1, seed=0)
    for config in configs:
        with optim.seeded(config.seed):
            policies.append(policy_for(config, single))
            if needs_critic:
                critics.append(critic_for(config, single))
            if shared:
                share_trunk(policies[-1], critics[-1])
            states.append(torch.get_rng_state())
    settings = Settings(configs, device)
    policy, critic = Stack(policies).to(device), Stack(critics).to(device) if critics else None
    optimizers = {"policy": RowAdam(policy, settings.column("policy_lr"))}
    if critic is not None:
        optimizers["critic"] = RowAdam(critic, settings.column("policy_lr" if shared else "critic_lr"))
    trunk = Trunk(policy.hidden, critic.hidden) if critic is not None and shared else None
    envs = RowEnvs(first.env_id, [config.seed for config in configs], first.num_envs, device)
    return Parts(settings, envs, Streams(states, device), policy, critic, optimizers, joint_clipping, trunk)
