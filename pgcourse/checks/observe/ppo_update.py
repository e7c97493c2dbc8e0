"""Observer for a PPO update: what it did to two linear networks, which rows it used, what it returned."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Categorical

from pgcourse.checks.observe import call
from pgcourse.checks.observe.networks import LinearCritic, LinearPolicy
from pgcourse.checks.observe.record import Arrays, Case, fresh, record, record_mutations


class RowWatch:
    """Notes, for each optimiser step, which rows of the batch its gradient came from."""

    def __init__(self, batch_obs: Tensor, optimizer: torch.optim.Optimizer) -> None:
        self.batch_obs = batch_obs
        self.steps: list[list[int]] = []
        self._reached: set[int] = set()
        self._seen: set[int] = set()
        optimizer.register_step_post_hook(self._end_step)

    def __call__(self, obs: Tensor, output: Tensor) -> None:
        """Watch one forward pass: its rows count once a gradient comes back through its output."""
        if not output.requires_grad:
            return  # a look at the policy, say for the KL, is no part of a step
        same = (obs.detach().reshape(-1, 1, self.batch_obs.shape[1]) == self.batch_obs).all(-1)  # [rows, B]
        rows = [
            row if known else -1
            for row, known in zip(same.int().argmax(-1).tolist(), same.any(-1).tolist(), strict=True)
        ]
        self._seen.update(rows)
        output.register_hook(lambda gradient: self._note(rows, gradient))

    def _note(self, rows: list[int], gradient: Tensor) -> None:
        # Who computes the whole batch and then picks rows has used those that a gradient came back to.
        picked = (gradient.reshape(len(rows), -1) != 0).any(-1).tolist()
        whole = len(rows) == len(self.batch_obs)
        self._reached.update(row for row, used in zip(rows, picked, strict=True) if used or not whole)

    def _end_step(self, *_: object) -> None:
        # Where the gradient was taken in a way that passes the hooks by, what was seen has to do.
        self.steps.append(sorted(self._reached or self._seen))
        self._reached, self._seen = set(), set()


class WatchedPolicy(LinearPolicy):
    """The linear policy, whose forward passes are watched; `path` holds its bias after each step."""

    watch: RowWatch
    path: list[Tensor]

    def forward(self, obs: Tensor) -> Categorical:
        logits = nn.functional.linear(obs, self.weight, self.bias)
        self.watch(obs, logits)
        return Categorical(logits=logits, validate_args=False)


class WatchedCritic(LinearCritic):
    """The linear critic, whose forward passes are watched."""

    watch: RowWatch

    def forward(self, obs: Tensor) -> Tensor:
        values = super().forward(obs)
        self.watch(obs, values)
        return values


@dataclass(frozen=True)
class PpoUpdate:
    """Call the attempt once, on a linear policy and a linear critic with plain SGD and a gradient left from before.

    The case holds `policy_weight` [A, D], `policy_bias` [A], `critic_weight` [D], `critic_bias` (0-d),
    `learning_rate`, `critic_learning_rate`, the columns of the batch `obs` [B, D], `actions`, `log_prob`, `advantages`,
    `returns` [B], the settings of the update, `seed` of the generator, and `look_at`, which says what is recorded
    besides the number of steps and epochs: "weights" (both networks after the update, where the shuffle cannot change
    them), "rows" (several minibatches: facts that hold for every shuffle), "stillness" (whether the policy stayed where
    it was), "metrics" (the numbers returned, where the shuffle cannot change them); "weights and metrics" for both.
    """

    signature: str = (
        "policy, critic, policy_optimizer, critic_optimizer, batch, *, clip_coef, ent_coef, update_epochs, "
        "minibatch_size, target_kl, max_grad_norm, generator"
    )
    metrics: tuple[str, ...] = ("losses/approx_kl", "losses/clipfrac")

    makes_optimizers: ClassVar[bool] = True

    def __call__(self, attempt: Any, case: Case) -> Arrays:
        arrays: Arrays = {}
        inputs = fresh(case)
        result, policy, critic = self._run(attempt, inputs, case["seed"])
        arrays["result.kind"] = np.array("dict" if isinstance(result, dict) else type(result).__name__)
        entries: dict[str, Any] = result if isinstance(result, dict) else {}
        _record_number(arrays, "result/epochs", entries, keep=True)
        record(arrays, "the number of optimiser steps of the policy", len(policy.watch.steps))
        record(arrays, "the number of optimiser steps of the critic", len(critic.watch.steps))
        if case["look_at"] == "rows":
            self._record_rows(arrays, attempt, case, policy, critic)
        if case["look_at"] == "stillness":
            # After every step: steps that cancel within an epoch are steps all the same.
            moved = max(((bias - case["policy_bias"]).abs().max().item() for bias in policy.path), default=0.0)
            _answer(arrays, "does the policy stay where it is?", moved < 1e-3)
        if "weights" in case["look_at"]:
            for name, module in (("policy", policy), ("critic", critic)):
                for parameter, value in module.named_parameters():
                    record(arrays, f"the {name}'s {parameter} after the update", value.detach())
        for name in self.metrics:
            _record_number(arrays, f"result/{name}", entries, keep="metrics" in case["look_at"])
        record_mutations(arrays, case, inputs)
        return arrays

    def _run(self, attempt: Any, inputs: Case, seed: int) -> tuple[Any, WatchedPolicy, WatchedCritic]:
        from pgcourse.rollout import Batch

        policy = WatchedPolicy(inputs["policy_weight"], inputs["policy_bias"])
        critic = WatchedCritic(inputs["critic_weight"], inputs["critic_bias"])
        policy_optimizer = torch.optim.SGD(policy.parameters(), lr=inputs["learning_rate"])
        critic_optimizer = torch.optim.SGD(critic.parameters(), lr=inputs["critic_learning_rate"])
        policy.watch = RowWatch(inputs["obs"].clone(), policy_optimizer)
        critic.watch = RowWatch(inputs["obs"].clone(), critic_optimizer)
        for parameter in (*policy.parameters(), *critic.parameters()):
            parameter.grad = torch.ones_like(parameter)  # of whatever came before
        policy.path = []
        policy_optimizer.register_step_post_hook(lambda *_: policy.path.append(policy.bias.detach().clone()))
        parts = {
            "policy": policy,
            "critic": critic,
            "policy_optimizer": policy_optimizer,
            "critic_optimizer": critic_optimizer,
            "batch": Batch(*(inputs[name] for name in Batch._fields)),
            "generator": torch.Generator().manual_seed(seed),
        }
        return call(attempt, self.signature, {**inputs, **parts}), policy, critic

    def _record_rows(
        self, arrays: Arrays, attempt: Any, case: Case, policy: WatchedPolicy, critic: WatchedCritic
    ) -> None:
        size, part = len(case["obs"]), case["minibatch_size"]
        expected = [part] * (size // part) + [size % part] * (size % part > 0)
        for name, steps in (("policy", policy.watch.steps), ("critic", critic.watch.steps)):
            epochs = [steps[start : start + len(expected)] for start in range(0, len(steps), len(expected))]
            once = all(sorted(row for rows in epoch for row in rows) == list(range(size)) for epoch in epochs)
            sizes = all([len(rows) for rows in epoch] == expected for epoch in epochs)
            _answer(arrays, f"does the {name} use every row once in each epoch?", once)
            _answer(arrays, f"has each minibatch of the {name} minibatch_size rows, the last the rest?", sizes)
            if case["target_kl"] is None:
                changing = any(epoch != epochs[0] for epoch in epochs[1:])
                _answer(arrays, f"does the {name} get other minibatches in each epoch?", changing)
        if case["target_kl"] is not None:
            return
        torch.default_generator.manual_seed(1)
        np.random.seed(1)  # noqa: NPY002 - the learner may use the global generator
        random.seed(1)
        first = policy.watch.steps[: len(expected)]
        one_epoch = {**case, "update_epochs": 1}
        again, other = (self._run(attempt, fresh(one_epoch), case["seed"] + extra)[1].watch.steps for extra in (0, 1))
        _answer(arrays, "does the same generator give the same minibatches again?", first == again[: len(expected)])
        _answer(arrays, "does another generator give other minibatches?", first != other[: len(expected)])


def _answer(arrays: Arrays, question: str, yes: bool) -> None:
    record(arrays, f'the answer to "{question}" (1 is yes, 0 no)', int(yes))


def _record_number(arrays: Arrays, name: str, entries: dict[str, Any], *, keep: bool) -> None:
    """An entry as a float, whatever kind of number it is; only its kind where `keep` is False."""
    key = name.removeprefix("result/")
    value = entries.get(key)
    if (isinstance(value, Tensor) and value.numel() == 1) or (isinstance(value, np.ndarray) and value.ndim == 0):
        value = value.item()
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        arrays[f"{name}.kind"] = np.array("number")
        if keep:
            arrays[name] = np.array(float(value))
    else:
        arrays[f"{name}.kind"] = np.array(type(value).__name__ if key in entries else "missing entry")
