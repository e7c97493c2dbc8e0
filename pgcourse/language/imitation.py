"""Supervised learning from demonstrations: the most probable next token is the teacher's."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from .. import optim
from .sampling import Answers, answer_log_prob
from .tasks import Task
from .text import encode, encode_answers
from .transformer import Transformer


def demonstrations(task: Task, count: int, generator: np.random.Generator) -> Answers:
    """So many prompts with a demonstration each; log_prob is 0: no model chose them."""
    prompts = task.prompts(count, generator)
    tokens, mask = encode_answers([task.demonstrate(prompt, generator) for prompt in prompts], task.max_tokens)
    return Answers(encode(prompts), tokens, mask, torch.zeros(tokens.shape))


def imitation_loss(model: nn.Module, answers: Answers) -> Tensor:
    """Minus the mean log-probability of the answers' tokens: the cross entropy, nats a token. Prompts count for nothing."""
    return -answer_log_prob(model, answers).sum() / answers.mask.sum()


def fit(model: nn.Module, loss_fn: Callable[[], Tensor], *, steps: int, learning_rate: float) -> list[float]:
    """So many gradient steps at a rate that falls to 0. Args: loss_fn: the loss of the next step. Returns: each loss."""
    optimizer = optim.adam(model.parameters(), learning_rate)
    history = []
    for step in range(steps):
        optim.set_learning_rate(optimizer, optim.learning_rate(learning_rate, step / steps))
        loss = loss_fn()
        optim.gradient_step(loss, model, optimizer, max_grad_norm=1.0)
        history.append(float(loss.detach()))
    return history


def imitate(
    task: Task,
    *,
    steps: int | None = None,
    seed: int = 0,
    batch_size: int = 64,
    learning_rate: float = 1e-2,
    width: int = 32,
    layers: int = 2,
) -> tuple[Transformer, list[float]]:
    """A fresh model after so many gradient steps, the task's own number by default, each on new demonstrations.

    Returns: the model, and the loss of each step [nats a token].
    """
    steps = task.imitation_steps if steps is None else steps
    generator = np.random.default_rng(np.random.SeedSequence([seed, 0]))
    with optim.seeded(seed), optim.single_thread():
        model = Transformer(width=width, layers=layers)
        losses = fit(
            model, lambda: imitation_loss(model, demonstrations(task, batch_size, generator)),
            steps=steps, learning_rate=learning_rate,
        )  # fmt: skip
    return model, losses
