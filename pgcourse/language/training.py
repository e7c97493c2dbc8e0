"""Policy gradients on a language model: sample answers, verify them, make the better ones likelier.

    maximise  E[ sum over tokens of  min( r A, clip(r, 1 - eps, 1 + eps) A ) ] - kl_coef * KL(pi || reference)

The parts that papers differ in are the config's words, and functions: the advantage (`advantages`), the ratio and what is
averaged (`losses`), where the distance to the reference counts (in the reward or in the loss) and how it is estimated.
"""

import copy
import math
import os
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn

from .. import optim
from ..episodes import EpisodeLog
from ..errors import InvalidInput, require_choice, require_integers, require_numbers
from ..returns import gae
from ..runs import Result, read_result
from ..training import Interrupt, OnIteration, Progress, TrainingDiverged, not_finite_number, watched
from . import advantages as group_advantages
from . import losses
from .sampling import Answers, answer_log_prob, answer_logits, sample
from .tasks import TASKS, Task
from .text import decode, encode
from .transformer import Transformer

RewardFn = Callable[[Sequence[str], Sequence[str]], Tensor]  # prompts and answers, B each -> rewards [B]
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
        require_choice(self, "advantage", *group_advantages.BY_NAME, CRITIC)
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
SORTING = LanguageConfig(num_updates=150)
DIAL = LanguageConfig(task="dial", num_updates=120)
TURTLE = LanguageConfig(task="turtle", num_updates=200)


def verifier(task: Task) -> RewardFn:
    """1 for a right answer, 0 for any other."""
    return lambda prompts, answers: torch.tensor(
        [float(task.verify(p, a)) for p, a in zip(prompts, answers, strict=True)]
    )


def update(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    answers: Answers,
    advantages: Tensor,
    config: LanguageConfig,
    *,
    reference_log_prob: Tensor | None = None,
) -> dict[str, Tensor | float]:
    """A few gradient steps on the same answers. Args: advantages, reference_log_prob: [B, T].

    Returns: metrics, each the mean over the steps.
    """
    history: dict[str, list[Tensor]] = defaultdict(list)
    for _ in range(config.update_epochs):
        choices = (answer_logits(model, answers) / config.temperature).log_softmax(-1)  # [B, T, V]
        log_prob = choices.gather(-1, answers.tokens.unsqueeze(-1)).squeeze(-1)
        log_ratio = losses.log_ratio(log_prob, answers.log_prob, answers.mask, of=config.ratio)
        each = losses.clipped_loss(log_ratio, advantages, clip_coef=config.clip_coef)
        if reference_log_prob is not None:
            if config.kl_coef and config.kl_in == "loss":
                each = each + config.kl_coef * losses.KL_BY_NAME[config.kl_estimator](log_prob, reference_log_prob)
            with torch.no_grad():  # nats an answer
                distance = losses.k1(log_prob, reference_log_prob) * answers.mask
                history["losses/reference_kl"].append(distance.sum(-1).mean())
        loss = losses.average(each, answers.mask, config.average)
        norm = optim.gradient_step(loss, model, optimizer, max_grad_norm=config.max_grad_norm)
        with torch.no_grad():
            ratio = log_ratio[answers.mask]
            history["losses/policy_loss"].append(loss.detach())
            history["losses/entropy"].append(-(choices.exp() * choices).sum(-1)[answers.mask].mean())  # nats a token
            history["losses/approx_kl"].append((ratio.expm1() - ratio).mean())
            history["losses/clipfrac"].append((ratio.expm1().abs() > (config.clip_coef or 0.2)).float().mean())
            history["losses/policy_grad_norm"].append(norm)
    return {name: torch.stack(values).mean() for name, values in history.items()}


def critic_advantages(
    critic: nn.Module, answers: Answers, rewards: Tensor, *, gae_lambda: float
) -> tuple[Tensor, Tensor]:
    """Generalised advantages of every token, and the returns that the critic is fitted to, [B, T] each.

    Args: rewards: [B, T], of each token. Nothing is discounted; an answer that is cut short has ended all the same.
    """
    with torch.no_grad():
        values = answer_values(critic, answers).T  # in order of time, [T, B], as `gae` has it
    last = answers.mask.T & ~torch.cat([answers.mask.T[1:], torch.zeros_like(answers.mask.T[:1])])
    following = torch.cat([values[1:], torch.zeros_like(values[:1])])
    advantages = gae(rewards.T, values, following, last, torch.zeros_like(last), gamma=1.0, gae_lambda=gae_lambda)
    return advantages.T, (advantages + values).T


def answer_values(critic: nn.Module, answers: Answers) -> Tensor:
    """What the critic expects [B, T] before each of the answers' tokens is chosen."""
    text = torch.cat([answers.prompts, answers.tokens[:, :-1]], dim=1)
    values: Tensor = critic(text)[:, answers.prompts.shape[1] - 1 :]
    return values


def update_critic(
    critic: nn.Module, optimizer: torch.optim.Optimizer, answers: Answers, returns: Tensor, config: LanguageConfig
) -> dict[str, Tensor | float]:
    """As many steps as the policy takes, on half of the squared error. Returns: metrics."""
    history = []
    for _ in range(config.update_epochs):
        error = (answer_values(critic, answers) - returns)[answers.mask]
        loss = 0.5 * error.square().mean()
        optim.gradient_step(loss, critic, optimizer, max_grad_norm=config.max_grad_norm)
        history.append(loss.detach())
    return {"losses/value_loss": torch.stack(history).mean()}


def critic_like(model: nn.Module) -> Transformer:
    """A network of the model's shape and weights whose last layer gives values: a critic that can read already."""
    if not isinstance(model, Transformer):
        raise InvalidInput(
            f"no critic can be made from a {type(model).__name__}; hand one over: `critic=`, tokens [B, L] -> values [B, L]"
        )
    critic = Transformer(**{**model.arguments, "values": True})
    weights = {name: value for name, value in model.state_dict().items() if not name.startswith("head.")}
    critic.load_state_dict(weights, strict=False)
    return critic


class Log:
    """Counts answers as episodes, keeps metrics, and asks `on_iteration` whether to go on."""

    def __init__(self, on_iteration: OnIteration | None) -> None:
        self.on_iteration = on_iteration
        self.answers = EpisodeLog(num_envs=0)
        self.iteration = self.num_tokens = 0
        self.metrics: dict[str, list[float]] = defaultdict(list)
        self.stopped = False
        self._seconds, self._since = 0.0, time.perf_counter()

    def add(self, answers: Answers, rewards: Tensor, model: nn.Module, metrics: dict[str, Tensor | float]) -> None:
        """Take down an update."""
        self.iteration += 1
        self._seconds += time.perf_counter() - self._since
        lengths = answers.lengths.cpu().numpy()
        self.num_tokens += int(lengths.sum())
        steps = np.full(len(lengths), self.num_tokens)
        self.answers.add(steps, rewards.cpu().numpy(), lengths, wall_time=self._seconds)
        numbers = {name: float(value) for name, value in metrics.items()} | {"charts/env_step": float(self.num_tokens)}
        for name, number in numbers.items():
            self.metrics[name].append(number)
        if self.on_iteration is not None:
            records = self.answers.records
            progress = Progress(self.iteration, self.num_tokens, self._seconds, records, numbers, model)
            self.stopped = bool(self.on_iteration(progress))
        self._since = time.perf_counter()  # what `on_iteration` took is not training time


def train(
    config: LanguageConfig,
    model: nn.Module,
    *,
    device: str | torch.device = "auto",
    on_iteration: OnIteration | None = None,
    reference: nn.Module | None = None,
    critic: nn.Module | None = None,
    prompts_fn: Callable[[Task, int, np.random.Generator], list[str]] | None = None,
    reward_fn: RewardFn | None = None,
    advantage_fn: group_advantages.AdvantageFn | None = None,
    update_fn: Callable[..., dict[str, Tensor | float]] = update,
) -> Result:
    """Train a copy of `model` for `num_updates` updates, until `on_iteration` returns True, or an interrupt.

    What a learner may replace:
      model           tokens [B, L] -> logits [B, L, V], or an object whose `logits` are that
      reference       the model from which KL counts; without it the given one, if kl_coef asks for one
      critic          tokens [B, L] -> values [B, L]; with advantage="critic" only
      prompts_fn      (task, updates so far, generator) -> num_prompts prompts: a curriculum
      reward_fn       (prompts, answers), texts, B each -> rewards [B]; without it 1 for a right answer
      advantage_fn    rewards [P, M] -> [P, M]
      update_fn       the signature of `update`

    Raises: TrainingDiverged, with the last good weights, where a number is not finite.
    Returns: the result, in which an answer is an episode: its return is the reward, its length counts tokens, `env_step`
    too. Same config, same model, same machine, same curve, bit for bit on the CPU.
    """
    task = TASKS[config.task]
    generator = np.random.default_rng(np.random.SeedSequence([config.seed, 1]))
    chosen = optim.choose_device(device, tensor_envs=False, num_envs=config.num_prompts * config.num_samples)
    with optim.seeded(config.seed), optim.single_thread():
        model = copy.deepcopy(model).to(chosen)
        optimizer = optim.adam(model.parameters(), config.policy_lr)
        if reference is None and config.kl_coef:
            reference = copy.deepcopy(model)
        critic_optimizer = None
        if config.advantage != CRITIC or advantage_fn is not None:
            critic = None
        else:
            critic = (critic_like(model) if critic is None else copy.deepcopy(critic)).to(chosen)
            critic_optimizer = optim.adam(critic.parameters(), config.critic_lr)
        reward_fn = reward_fn or verifier(task)
        advantage_fn = advantage_fn or group_advantages.BY_NAME.get(config.advantage)
        log = Log(on_iteration)
        good = copy.deepcopy(model.state_dict())

        def finished() -> Result:
            as_config: Any = config  # the fields of environments are not among its own
            metrics = {name: np.array(values) for name, values in log.metrics.items()}
            episodes = log.answers.records.copy()
            return Result(model, critic, as_config, str(chosen), interrupt.requested, episodes, metrics)

        with Interrupt() as interrupt:
            while log.iteration < config.num_updates and not interrupt.requested and not log.stopped:
                if prompts_fn is None:
                    prompts = task.prompts(config.num_prompts, generator)
                else:
                    prompts = prompts_fn(task, log.iteration, generator)
                prompts = [prompt for prompt in prompts for _ in range(config.num_samples)]
                answers = sample(
                    model, encode(prompts).to(chosen), max_tokens=task.max_tokens, temperature=config.temperature
                )
                texts = decode(answers.tokens)
                rewards = reward_fn(prompts, texts).to(chosen)
                reference_log_prob, penalty = None, torch.zeros_like(answers.log_prob)
                if reference is not None:
                    with torch.no_grad():
                        reference_log_prob = answer_log_prob(reference, answers, temperature=config.temperature)
                    if config.kl_in == "reward":
                        penalty = config.kl_coef * losses.k1(answers.log_prob, reference_log_prob)
                metrics: dict[str, Any] = {}
                if critic_optimizer is not None:
                    assert critic is not None
                    of_tokens = torch.zeros_like(penalty)
                    of_tokens[torch.arange(len(rewards)), answers.lengths - 1] = rewards
                    advantages, returns = critic_advantages(
                        critic, answers, of_tokens - penalty, gae_lambda=config.gae_lambda
                    )
                    metrics |= update_critic(critic, critic_optimizer, answers, returns, config)
                else:
                    assert advantage_fn is not None
                    of_groups = advantage_fn((rewards - penalty.sum(-1)).view(-1, config.num_samples))  # [P, M]
                    advantages = of_groups.reshape(-1, 1).expand_as(answers.log_prob)
                metrics |= update_fn(
                    model, optimizer, answers, advantages, config, reference_log_prob=reference_log_prob
                )
                for name, value in metrics.items():
                    if watched(name) and not math.isfinite(value):
                        model.load_state_dict(good)
                        line = not_finite_number(name, float(value), log.iteration + 1, log.num_tokens)
                        raise TrainingDiverged(line, finished())
                good = copy.deepcopy(model.state_dict())
                right = [task.verify(prompt, text) for prompt, text in zip(prompts, texts, strict=True)]
                log.add(answers, rewards, model, metrics | {
                    "charts/reward": rewards.mean(),
                    "charts/success": float(np.mean(right)),
                    "charts/length": answers.lengths.float().mean(),
                    "charts/informative": group_advantages.informative(rewards.view(-1, config.num_samples)),
                })  # fmt: skip
        return finished()


def load(directory: str | os.PathLike[str]) -> Result:
    """The run that `Result.save` wrote to `directory`, on the CPU. Raises: InvalidInput where it holds no such run."""
    return read_result(directory, config_of)


def config_of(description: dict[str, Any]) -> Any:
    """The config of a run's JSON description. Raises: InvalidInput for a run of another algorithm."""
    if description["algorithm"] != LanguageConfig.algorithm:
        raise InvalidInput(f"a run of {description['algorithm']!r}, and no language model; read it with pgcourse.load")
    return LanguageConfig(**description["config"])
