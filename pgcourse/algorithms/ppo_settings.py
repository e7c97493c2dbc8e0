"""What PPO can be told, and settings measured for a task."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from ..errors import InvalidInput, require_budget, require_integers, require_numbers, require_sizes


@dataclass(frozen=True)
class PPOConfig:
    """Settings of a run. One update uses `num_steps` steps of `num_envs` environments, `update_epochs` times over."""

    algorithm: ClassVar[str] = "ppo"

    env_id: str = "CartPole-v1"
    seed: int = 0
    total_timesteps: int | None = 200_000
    num_episodes: int | None = None
    num_envs: int = 32
    num_steps: int = 32
    update_epochs: int = 6
    minibatch_size: int = 512  # few large gradient steps: a batch of 512 costs less than two of 256
    gamma: float = 0.99
    gae_lambda: float = 0.95
    normalize_advantages: Literal["minibatch", "batch", "never"] = "minibatch"
    clip_coef: float | None = 0.2  # None leaves the ratio unclipped
    target_kl: float | None = None  # stop the epochs of an update once the approximate KL exceeds it
    ent_coef: float = 0.0
    policy_lr: float = 1.5e-3
    critic_lr: float = 1e-2
    anneal_lr: bool = False  # both rates fall linearly to 0 over the budget
    max_grad_norm: float | None = 0.5  # of policy and critic each; None clips nothing
    reward_scale: float = 1.0
    normalize_observations: bool = False
    normalize_rewards: bool = False  # divide by the running standard deviation of the return
    hidden_sizes: tuple[int, ...] = (64, 64)
    initial_std: float = 1.0  # of continuous actions

    def __post_init__(self) -> None:
        require_integers(self, "seed", at_least=0)
        require_integers(self, "num_envs", "num_steps", "update_epochs", "minibatch_size")
        require_integers(self, "num_episodes", "total_timesteps", optional=True)
        require_numbers(self, "gamma", "gae_lambda", high=1)
        require_numbers(self, "policy_lr", "critic_lr", "reward_scale", "initial_std", above=True)
        require_numbers(self, "ent_coef")
        require_numbers(self, "clip_coef", "target_kl", "max_grad_norm", above=True, optional=True)
        require_sizes(self, "hidden_sizes")
        require_budget(self)
        if self.minibatch_size > self.batch_size:
            raise InvalidInput(
                f"minibatch_size={self.minibatch_size} exceeds the batch of {self.batch_size} (num_envs {self.num_envs} x "
                f"num_steps {self.num_steps}); use at most {self.batch_size}"
            )
        if self.normalize_advantages not in ("minibatch", "batch", "never"):
            raise InvalidInput(
                f"normalize_advantages={self.normalize_advantages!r}; use 'minibatch', 'batch' or 'never'"
            )

    @property
    def batch_size(self) -> int:
        """Rows in an update."""
        return self.num_envs * self.num_steps


# Layers of 32 take a fifth less time to the solved task than layers of 64, although they need a few more steps.
CARTPOLE = PPOConfig(hidden_sizes=(32, 32))
# A rollout is as long as an episode: all pendulums start together, so shorter ones would hold now only swings, now only
# balancing, and the policy would forget one for the other. Torques go up to 2: a standard deviation of 1 explores too
# little to find the swing early on every seed.
PENDULUM = PPOConfig(
    env_id="Pendulum-v1", total_timesteps=100_000, num_envs=12, num_steps=200, minibatch_size=400, update_epochs=15,
    gamma=0.9, gae_lambda=0.98, policy_lr=3e-3, critic_lr=3e-3, anneal_lr=True, reward_scale=0.1, initial_std=1.5,
    hidden_sizes=(32, 32),
)  # fmt: skip
ACROBOT = replace(
    CARTPOLE, env_id="Acrobot-v1", total_timesteps=100_000, num_envs=16, num_steps=128, update_epochs=4, policy_lr=1e-3,
    critic_lr=3e-3, hidden_sizes=(64, 64), normalize_observations=True,
)  # fmt: skip
LUNAR_LANDER = replace(
    CARTPOLE, env_id="LunarLander-v3", total_timesteps=500_000, num_steps=128, update_epochs=4, gamma=0.995,
    gae_lambda=0.97, ent_coef=0.01, policy_lr=1e-3, critic_lr=2e-3, reward_scale=0.05, hidden_sizes=(64, 64),
)  # fmt: skip
INVERTED_PENDULUM = replace(
    PENDULUM, env_id="InvertedPendulum-v5", total_timesteps=60_000, num_envs=8, num_steps=128, minibatch_size=256,
    update_epochs=10, gamma=0.99, gae_lambda=0.95, policy_lr=1e-3, initial_std=0.5, hidden_sizes=(64, 64),
)  # fmt: skip
HALF_CHEETAH = replace(
    PENDULUM, env_id="HalfCheetah-v5", total_timesteps=500_000, num_envs=16, num_steps=128, minibatch_size=256,
    update_epochs=10, gamma=0.98, gae_lambda=0.95, policy_lr=1e-3, critic_lr=1e-3, reward_scale=1.0, initial_std=1.0,
    hidden_sizes=(64, 64), normalize_observations=True, normalize_rewards=True,
)  # fmt: skip
# Settings that together look like a broken algorithm when the budget is 1,000 episodes: long rollouts, so few updates,
# and a slow critic. The third trap, one clipping norm for both networks, is a seam: `gradient_step_fn`.
BUGGY = replace(
    CARTPOLE, total_timesteps=None, num_episodes=1000, num_envs=16, num_steps=128, update_epochs=4, policy_lr=1e-3,
    critic_lr=3e-4,
)  # fmt: skip
