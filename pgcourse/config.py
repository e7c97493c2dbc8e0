"""The fields that the configs of all algorithms share, as a type for code that takes any of them."""

from dataclasses import Field
from typing import Any, ClassVar, Literal, Protocol

Activation = Literal["tanh", "relu", "leaky_relu", "elu", "gelu", "silu"]  # between the layers of policy and critic


class Config(Protocol):
    """A frozen dataclass of settings: `PPOConfig`, `A2CConfig`, `ReinforceConfig`, `TRPOConfig`."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    algorithm: ClassVar[str]

    @property
    def env_id(self) -> str: ...
    @property
    def seed(self) -> int: ...
    @property
    def total_timesteps(self) -> int | None: ...
    @property
    def num_episodes(self) -> int | None: ...
    @property
    def num_envs(self) -> int: ...
    @property
    def gamma(self) -> float: ...
    @property
    def critic_lr(self) -> float: ...
    @property
    def max_grad_norm(self) -> float | None: ...
    @property
    def hidden_sizes(self) -> tuple[int, ...]: ...
    @property
    def activation(self) -> Activation: ...
