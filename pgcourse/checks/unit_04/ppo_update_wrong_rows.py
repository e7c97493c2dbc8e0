"""Wrong answers to ppo_update that use the wrong rows: epochs, minibatches, columns."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from pgcourse.checks.unit_04.ppo_update_parts import mistake
from pgcourse.rollout import Batch

Generator = torch.Generator


def _order(size: int, generator: Generator) -> Tensor:
    return torch.randperm(size, generator=generator)


def _one_permutation(size: int, part: int, generator: Generator, epoch: int) -> Iterable[Tensor]:
    if epoch:
        generator.manual_seed(generator.initial_seed())
    return _order(size, generator).split(part)


def _without_remainder(size: int, part: int, generator: Generator, epoch: int) -> Iterable[Tensor]:
    return _order(size, generator)[: size // part * part].split(part)


def _with_replacement(size: int, part: int, generator: Generator, epoch: int) -> Iterable[Tensor]:
    return torch.randint(size, (size,), generator=generator).split(part)


def _drawn_each_time(size: int, part: int, generator: Generator, epoch: int) -> Iterable[Tensor]:
    return [_order(size, generator)[: min(part, size - start)] for start in range(0, size, part)]


def _mismatched(batch: Batch, rows: Tensor) -> Batch:
    return Batch(
        batch.obs[rows], batch.actions[rows], batch.log_prob[rows], batch.advantages[: len(rows)], batch.returns[rows]
    )


def _mismatched_returns(batch: Batch, rows: Tensor) -> Batch:
    return Batch(
        batch.obs[rows], batch.actions[rows], batch.log_prob[rows], batch.advantages[rows], batch.returns[: len(rows)]
    )


def _mismatched_log_prob(batch: Batch, rows: Tensor) -> Batch:
    return Batch(
        batch.obs[rows], batch.actions[rows], batch.log_prob[: len(rows)], batch.advantages[rows], batch.returns[rows]
    )


ROW_MISTAKES = (
    mistake(
        "one-epoch",
        "You went through the batch once. PPO uses each batch update_epochs times: that is what ratio and clip are for.",
        epochs_of=lambda update_epochs: 1,
    ),
    mistake(
        "one-epoch-too-many",
        "Your update has another number of epochs than update_epochs: count the rounds of the outer loop.",
        {"epochs_of": lambda update_epochs: update_epochs - 1},
        epochs_of=lambda update_epochs: update_epochs + 1,
    ),
    mistake(
        "one-step-an-epoch",
        "You took one step an epoch, on the whole batch or with the gradients of all minibatches added up. Each minibatch "
        "gets a step of its own: clear, backward, clip and step belong into the inner loop.",
        {"rows_fn": lambda size, part, generator, epoch: [torch.arange(size)]},
        {"step_each_epoch": True},
        rows_fn=lambda size, part, generator, epoch: [_order(size, generator)],
    ),
    mistake(
        "first-minibatch-only",
        "Each epoch ends after its first minibatch. Look for a break or a return inside of the inner loop.",
        rows_fn=lambda size, part, generator, epoch: [_order(size, generator)[:part]],
    ),
    mistake(
        "last-minibatch-dropped",
        "You left out the last minibatch because it is shorter. Its rows were collected at the same price as all the "
        "rest; every epoch uses every row once.",
        rows_fn=_without_remainder,
    ),
    mistake(
        "with-replacement",
        "Some rows come several times in an epoch and others never. Draw one permutation an epoch and cut it into "
        "minibatches.",
        {"rows_fn": _drawn_each_time},
        rows_fn=_with_replacement,
    ),
    mistake(
        "one-permutation-for-all-epochs",
        "Every epoch has the same minibatches. Draw a new permutation inside of the loop over epochs; with always the "
        "same neighbours, an odd minibatch pulls the same odd way each time.",
        rows_fn=_one_permutation,
    ),
    mistake(
        "not-shuffled",
        "You took the rows in their old order. Neighbouring rows are neighbouring steps of the same episodes, so each "
        "minibatch would be of one kind. Shuffle with the generator.",
        rows_fn=lambda size, part, generator, epoch: torch.arange(size).split(part),
    ),
    mistake(
        "generator-not-used",
        "The minibatches do not come from the generator that was handed in, but from the global random numbers. The same "
        "seed then gives another run, and nobody can repeat yours.",
        rows_fn=lambda size, part, generator, epoch: torch.randperm(size).split(part),
    ),
    mistake(
        "columns-mixed-up",
        "You shuffled some columns of the batch and not the others, so advantages, returns or old log-probabilities are "
        "those of other rows. Index all five with the same rows.",
        {"take": _mismatched_returns},
        {"take": _mismatched_log_prob},
        take=_mismatched,
    ),
)
