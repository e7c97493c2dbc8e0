"""Policy gradients on a language model: sample answers, verify them, make the better ones likelier.

    maximise  E[ sum over tokens of  min( r A, clip(r, 1 - eps, 1 + eps) A ) ] - kl_coef * KL(pi || reference)

The parts that papers differ in are the config's words, and functions: the advantage (`advantages`), the ratio and what is
averaged (`losses`), where the distance to the reference counts (in the reward or in the loss) and how it is estimated.
"""

import copy
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .. import optim
from ..errors import InvalidInput
from ..runs import Result, read_result
from ..training import OnIteration
from . import losses
from .advantages import BY_NAME, AdvantageFn, informative
from .config import CRITIC, LanguageConfig
from .recorder import Recorder
from .sampling import answer_log_prob, sample
from .tasks import TASKS, Task
from .text import decode, encode
from .update import Metrics, critic_estimator, critic_like, group_estimator, update

PromptsFn = Callable[[Task, int, np.random.Generator], list[str]]
RewardFn = Callable[[Sequence[str], Sequence[str]], Tensor]  # prompts and answers, B each -> rewards [B]


def verifier(task: Task) -> RewardFn:
    """1 for a right answer, 0 for any other."""
    return lambda prompts, answers: torch.tensor(
        [float(task.verify(p, a)) for p, a in zip(prompts, answers, strict=True)]
    )


def train(
    config: LanguageConfig,
    model: nn.Module,
    *,
    device: str | torch.device = "auto",
    on_iteration: OnIteration | None = None,
    reference: nn.Module | None = None,
    critic: nn.Module | None = None,
    prompts_fn: PromptsFn | None = None,
    reward_fn: RewardFn | None = None,
    advantage_fn: AdvantageFn | None = None,
    update_fn: Callable[..., Metrics] = update,
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

    Returns: the result, in which an answer is an episode: its return is the reward, its length counts tokens, `env_step`
    too. Same config, same model, same machine, same curve, bit for bit on the CPU.
    Raises: TrainingDiverged, with the last good weights, where a number is not finite.
    """
    task = TASKS[config.task]
    generator = np.random.default_rng(np.random.SeedSequence([config.seed, 1]))
    chosen = optim.choose_device(device, tensor_envs=False, num_envs=config.num_prompts * config.num_samples)
    verify = verifier(task)
    with optim.seeded(config.seed), optim.single_thread():
        model = copy.deepcopy(model).to(chosen)
        optimizer = optim.adam(model.parameters(), config.policy_lr)
        if reference is None and config.kl_coef:
            reference = copy.deepcopy(model)
        if config.advantage == CRITIC and advantage_fn is None:
            critic = (critic_like(model) if critic is None else copy.deepcopy(critic)).to(chosen)
            estimate = critic_estimator(critic, config)
        else:
            critic = None
            estimate = group_estimator(advantage_fn or BY_NAME[config.advantage], config.num_samples)
        with Recorder(config, model, critic, chosen, on_iteration) as recorder:
            while recorder.running:
                if prompts_fn is None:
                    asked = task.prompts(config.num_prompts, generator)
                else:
                    asked = prompts_fn(task, recorder.iteration, generator)
                prompts = [prompt for prompt in asked for _ in range(config.num_samples)]
                answers = sample(
                    model, encode(prompts).to(chosen), max_tokens=task.max_tokens, temperature=config.temperature
                )
                texts = decode(answers.tokens)
                right = verify(prompts, texts)  # [B]
                rewards = (right if reward_fn is None else reward_fn(prompts, texts)).to(chosen)
                of_tokens = torch.zeros_like(answers.log_prob)  # [B, T]: the last token of an answer gets its reward
                of_tokens[torch.arange(len(prompts)), answers.lengths - 1] = rewards
                reference_log_prob = None
                if reference is not None:
                    with torch.no_grad():
                        reference_log_prob = answer_log_prob(reference, answers, temperature=config.temperature)
                    if config.kl_in == "reward":
                        of_tokens -= config.kl_coef * losses.k1(answers.log_prob, reference_log_prob)
                advantages, fitted = estimate(answers, of_tokens)
                metrics = update_fn(
                    model, optimizer, answers, advantages, config, reference_log_prob=reference_log_prob
                )
                recorder.end_iteration(answers, rewards, metrics | fitted | {
                    "charts/success": right.mean(),
                    "charts/informative": informative(rewards.view(-1, config.num_samples)),
                })  # fmt: skip
        return recorder.result()


def load(directory: str | os.PathLike[str]) -> Result:
    """The run that `Result.save` wrote to `directory`, on the CPU. Raises: InvalidInput where it holds no such run."""
    return read_result(directory, config_of)


def config_of(description: dict[str, Any]) -> Any:
    """The config of a run's JSON description. Raises: InvalidInput for a run of another algorithm."""
    if description["algorithm"] != LanguageConfig.algorithm:
        raise InvalidInput(f"a run of {description['algorithm']!r}, and no language model; read it with pgcourse.load")
    return LanguageConfig(**description["config"])
