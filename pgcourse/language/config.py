"""Settings of the training after imitation, and presets."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from ..errors import InvalidInput, require_choice, require_integers, require_numbers
from . import advantages, losses
from .tasks import TASKS

CRITIC = "critic"  # the advantage that needs a second network


@dataclass(frozen=True)
class LanguageConfig:
    """Settings of the training after imitation. One update takes `num_samples` answers to each of `num_prompts` prompts."""

    algorithm: ClassVar[str] = "language"

    task: str = "sorting"
    seed: int = 0
    num_updates: int = 240
    num_prompts: int = 32
    num_samples: int = 8
    temperature: float = 1.0
    advantage: str = (
        "leave_one_out"  # a name of `advantages.BY_NAME`, or "critic": generalised advantages, token by token
    )
    gae_lambda: float = 1.0  # with a critic
    update_epochs: int = 2  # gradient steps on the same answers
    ratio: Literal["token", "sequence"] = "token"
    clip_coef: float | None = 0.2
    average: losses.Average = "constant"
    kl_coef: float = 0.0
    kl_in: Literal["loss", "reward"] = "loss"
    kl_estimator: str = "k3"  # in the loss; in the reward it is k1, whose mean is the KL divergence
    policy_lr: float = 1e-3
    critic_lr: float = 3e-3
    max_grad_norm: float | None = 1.0

    def __post_init__(self) -> None:
        require_integers(self, "seed", at_least=0)
        require_integers(self, "num_updates", "num_prompts", "num_samples", "update_epochs")
        require_numbers(self, "temperature", "policy_lr", "critic_lr", above=True)
        require_numbers(self, "gae_lambda", high=1)
        require_numbers(self, "kl_coef")
        require_numbers(self, "clip_coef", "max_grad_norm", above=True, optional=True)
        require_choice(self, "task", *TASKS)
        require_choice(self, "advantage", *advantages.BY_NAME, CRITIC)
        require_choice(self, "ratio", "token", "sequence")
        require_choice(self, "average", "answer", "token", "constant")
        require_choice(self, "kl_in", "loss", "reward")
        require_choice(self, "kl_estimator", *losses.KL_BY_NAME)
        if self.num_samples == 1 and self.advantage in ("group_mean", "leave_one_out", "group_normalized"):
            raise InvalidInput(
                f"advantage={self.advantage!r} compares the answers to one prompt, and num_samples=1 leaves nothing to "
                "compare; use at least 2, or advantage='batch_mean'"
            )


# How many updates each task takes, on most seeds.
PRESETS = {
    "sorting": LanguageConfig(num_updates=150),
    "dial": LanguageConfig(task="dial", num_updates=120),
    "turtle": LanguageConfig(task="turtle", num_updates=200),
}
