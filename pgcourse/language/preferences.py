"""A reward learnt from preferences, in place of a verifier: it is told which of two answers is better, and never why.

A model of scores reads prompt and answer; of two answers the one with the higher score is believed to be preferred, with the
probability sigmoid(difference). What it says of answers that nobody compared is a guess, and a policy that is trained on it
goes where the guess is high. Sources: Christiano et al. (2017), "Deep reinforcement learning from human preferences"; Gao et
al. (2023), "Scaling laws for reward model overoptimization", on how the true reward falls while the learnt one rises.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from .. import optim
from .imitation import fit
from .losses import bradley_terry_loss
from .sampling import Answers, sample
from .tasks import Task
from .text import decode, encode, encode_answers
from .transformer import Transformer

Quality = Callable[[str, str], float]  # prompt and answer -> how good it is


class Preferences(NamedTuple):
    """Two answers to each of B prompts, of which the first was preferred."""

    chosen: Answers
    rejected: Answers


def compare(
    task: Task,
    model: nn.Module,
    quality: Quality,
    count: int,
    generator: np.random.Generator,
    *,
    sharpness: float = 4.0,
) -> Preferences:
    """Two answers of the model to each of `count` prompts, and a judge who prefers one.

    Args: quality: what the judge goes by. sharpness: the better one is preferred with probability sigmoid(sharpness *
    difference in quality), so that of two equal ones either is.
    """
    prompts = task.prompts(count, generator)
    first, second = (sample(model, encode(prompts), max_tokens=task.max_tokens) for _ in range(2))
    difference = [
        quality(prompt, one) - quality(prompt, other)
        for prompt, one, other in zip(prompts, decode(first.tokens), decode(second.tokens), strict=True)
    ]
    likely = torch.sigmoid(sharpness * torch.tensor(difference))
    takes_first = torch.as_tensor(generator.random(count)) < likely
    return Preferences(choose(takes_first, first, second), choose(~takes_first, first, second))


def choose(takes_first: Tensor, first: Answers, second: Answers) -> Answers:
    """Of each pair the first answer where `takes_first` [B] says so, else the second."""
    return Answers(*(torch.where(takes_first.unsqueeze(-1), *pair) for pair in zip(first, second, strict=True)))


def scores(reward_model: nn.Module, answers: Answers) -> Tensor:
    """What the model of scores says [B] when it has read prompt and answer, END included."""
    read: Tensor = reward_model(torch.cat([answers.prompts, answers.tokens], dim=1))  # [B, P + T]
    last = answers.prompts.shape[1] + answers.lengths - 1
    return read.gather(-1, last.unsqueeze(-1)).squeeze(-1)


def fit_reward_model(
    preferences: Callable[[], Preferences], *, steps: int, seed: int = 0, learning_rate: float = 1e-2
) -> tuple[Transformer, list[float]]:
    """A fresh model of scores after so many gradient steps. Args: preferences: new ones for each step.

    Returns: the model, and the loss of each step [nats a pair].
    """
    with optim.seeded(seed), optim.single_thread():
        model = Transformer(values=True)

        def loss() -> Tensor:
            chosen, rejected = preferences()
            return bradley_terry_loss(scores(model, chosen), scores(model, rejected))

        return model, fit(model, loss, steps=steps, learning_rate=learning_rate)


def learnt_reward(reward_model: nn.Module, task: Task) -> Callable[[Sequence[str], Sequence[str]], Tensor]:
    """The scores as a `reward_fn` of `training.train`; an answer that was cut off is read as if it had ended."""

    @torch.no_grad()
    def reward(prompts: Sequence[str], answers: Sequence[str]) -> Tensor:
        tokens, mask = encode_answers(answers, task.max_tokens + 1)
        return scores(reward_model, Answers(encode(prompts), tokens, mask, torch.zeros(tokens.shape)))

    return reward
