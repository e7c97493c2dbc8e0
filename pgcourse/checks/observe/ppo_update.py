"""Observer for a PPO update: what it did to two linear networks, which rows it used, what it returned."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Categorical

from pgcourse.checks.observe import call, seed_everything
from pgcourse.checks.observe.asking import Ask, Asking
from pgcourse.checks.observe.networks import NETWORKS, LinearCritic, LinearPolicy, Watched, network_of, sgd
from pgcourse.checks.observe.record import Arrays, Case, fresh, record, record_mutations

COLUMNS = ("obs", "actions", "log_prob", "advantages", "returns")


class RowWatch:
    """Notes, for each optimiser step, which rows of the batch its gradient came from and where it led."""

    def __init__(
        self, batch_obs: Tensor, network: LinearPolicy | LinearCritic, optimizer: torch.optim.Optimizer
    ) -> None:
        self.batch_obs, self.network = batch_obs.clone(), network
        self.steps: list[list[int]] = []
        self.path: list[dict[str, Tensor]] = []
        self._reached: set[int] = set()
        self._seen: set[int] = set()
        optimizer.register_step_post_hook(self._end_step)
        network.watch = self._watch

    def _watch(self, obs: Tensor, result: Any) -> None:
        """One forward pass: its rows count once a gradient comes back through its output."""
        output = result.logits if isinstance(result, Categorical) else result
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
        self.path.append({name: value.detach().clone() for name, value in self.network.named_parameters()})


Answers = dict[tuple[int, ...], Arrays]  # to what `PpoUpdate` asks of single steps

MANY_ROWS = 32  # of which a shuffle parts or mixes fewer than four in ten by chance less than once in 10^8 cases
MOST_STEPS = 1000  # a right update of the cases takes 24 at most


@dataclass(frozen=True)
class PpoUpdate(Asking):
    """Call the attempt on a linear policy and a linear critic with SGD and a gradient left from before.

    The case holds `policy_weight` [A, D], `policy_bias` [A], `critic_weight` [D], `critic_bias` (0-d), perhaps hidden
    layers and `momentum` (see `network_of` and `sgd`), `learning_rate`, `critic_learning_rate`, the columns of the batch
    `obs` [B, D], `actions`, `log_prob`, `advantages`, `returns` [B], the settings of the update, `seed` of the generator,
    `judge_seed`, which the attempt never sees, and `look_at`, which says what is recorded besides the number of steps and
    epochs: "weights" (both networks after the
    update, where the shuffle cannot change them), "rows" (several minibatches: facts that hold for every shuffle),
    "stillness" (whether the policy stayed where it was), "metrics" (the numbers returned, where the shuffle cannot change
    them); "weights and metrics" for both.
    """

    signature: str = (
        "policy, critic, policy_optimizer, critic_optimizer, batch, *, clip_coef, ent_coef, update_epochs, "
        "minibatch_size, target_kl, max_grad_norm, generator"
    )
    metrics: tuple[str, ...] = ("losses/approx_kl", "losses/clipfrac")

    makes_optimizers: ClassVar[bool] = True
    sets: ClassVar[int] = 1  # of hidden inputs: each takes twenty updates

    @property
    def answerer(self) -> partial[Updates]:
        return partial(Updates, signature=self.signature, metrics=self.metrics)

    def drive(self, ask: Ask, case: Case) -> Arrays:
        given = {name: value for name, value in case.items() if name not in ("look_at", "judge_seed")}
        look_at, done = case["look_at"], ask("update", **given, world=0)
        kept = ("result.kind", "result/epochs", "result/epochs.kind", *(f"result/{name}.kind" for name in self.metrics))
        arrays = {name: done[name] for name in kept if name in done}
        for name in NETWORKS:
            record(arrays, f"the number of optimiser steps of the {name}", len(done[f"{name} sizes"]))
        if look_at == "rows":
            self._record_rows(arrays, ask, case, given, done)
        if look_at == "stillness":
            # After every step: steps that cancel within an epoch are steps all the same.
            moved = np.abs(done["policy bias path"] - case["policy_bias"].numpy()).max(initial=0.0)
            _answer(arrays, "does the policy stay where it is?", bool(moved < 1e-3))
        if "weights" in look_at:
            for network in NETWORKS:
                for name in (part for part in ("weight", "bias", "hidden") if f"{network}_{part}" in case):
                    label, value = f"the {network}'s {name} after the update", done[f"{network} {name}"]
                    record(arrays, label, torch.from_numpy(value.copy()))
        if "metrics" in look_at:
            arrays |= {f"result/{n}": done[f"result/{n}"] for n in self.metrics if f"result/{n}" in done}
        arrays |= {name: done[name] for name in ("mutated", "left")}
        return arrays

    def _record_rows(self, arrays: Arrays, ask: Ask, case: Case, given: Case, done: Arrays) -> None:
        size, part = len(case["obs"]), case["minibatch_size"]
        answers: Answers = {}
        expected = [part] * (size // part) + [size % part] * (size % part > 0)
        for name in NETWORKS:
            steps = _steps(done, name)
            epochs = [steps[start : start + len(expected)] for start in range(0, len(steps), len(expected))]
            once = all(sorted(row for rows in epoch for row in rows) == list(range(size)) for epoch in epochs)
            sizes = all([len(rows) for rows in epoch] == expected for epoch in epochs)
            _answer(arrays, f"does the {name} use every row once in each epoch?", once)
            _answer(arrays, f"has each minibatch of the {name} minibatch_size rows, the last the rest?", sizes)
            if once and sizes and size >= MANY_ROWS:
                together = torch.stack([_together(epoch, size) for epoch in epochs])  # [epochs, B, B]
                next_to = float(together.diagonal(1, 1, 2).mean(1).max())
                kept = float(((together[1:] * together[:-1]).sum((1, 2)) / together[1:].sum((1, 2))).max())
                _answer(arrays, f"are neighbouring rows parted in most minibatches of the {name}?", next_to < 0.6)
                _answer(arrays, f"do the minibatches of the {name} mix anew in each epoch?", kept < 0.6)
            if once and sizes:
                follows = self._follows(ask, case, given, done, name, answers)
                _answer(arrays, f"is a step of the {name} the one that its minibatch gives by itself?", follows)
            if case["target_kl"] is None:
                changing = any(epoch != epochs[0] for epoch in epochs[1:])
                _answer(arrays, f"does the {name} get other minibatches in each epoch?", changing)
        if case["target_kl"] is not None:
            return
        # Of all epochs: by chance two shuffles of few rows are alike too often.
        first, state = _steps(done, "policy"), torch.from_numpy(done["generator"].copy())
        runs: tuple[Case, ...] = ({}, {"state": state})
        again, later = (_steps(ask("update", **{**given, **run}, world=1), "policy") for run in runs)
        _answer(arrays, "does the same generator give the same minibatches again?", first == again)
        _answer(
            arrays,
            "does the generator, as the update leaves it, give other minibatches in the next one?",
            first != later,
        )

    def _follows(self, ask: Ask, case: Case, given: Case, done: Arrays, name: str, answers: Answers) -> bool:
        """Ask for some steps again, with their minibatch as the whole batch: does the network come to the same place?

        One step of each epoch, and one that ends an epoch. Args: answers: by place and rows; where both networks used the
        same rows, one is of both.
        """
        steps = _steps(done, name)
        paths = {part: _path(done, f"{name} {part}") for part in ("weight", "bias")}
        if any(len(path) != len(steps) for path in paths.values()):
            return False
        source = torch.Generator().manual_seed(case["judge_seed"])
        epochs = torch.arange(len(steps)).split(-(-len(case["obs"]) // case["minibatch_size"]))
        asked = {int(epoch[torch.randint(len(epoch), (), generator=source)]) for epoch in epochs}
        asked.add(int(epochs[torch.randint(len(epochs), (), generator=source)][-1]))
        for place in sorted(asked):
            rows = steps[place]
            if (place, *rows) not in answers:
                alone = {column: case[column][rows] for column in COLUMNS}
                before = {
                    f"{network}_{part}": path[place - 1]
                    for network in NETWORKS
                    for part in ("weight", "bias")
                    if 0 < place <= len(path := _path(done, f"{network} {part}"))
                }
                single = {"update_epochs": 1, "minibatch_size": len(rows), "target_kl": None}
                answers[place, *rows] = ask("update", **{**given, **alone, **before, **single}, world=0)
            after = answers[place, *rows]
            if not all(
                np.allclose(after[f"{name} {part}"], path[place].numpy(), rtol=1e-3, atol=1e-4)
                for part, path in paths.items()
            ):
                return False
        return True


def _together(epoch: list[list[int]], size: int) -> Tensor:
    """[B, B]: 1 where two different rows share a minibatch."""
    members = torch.zeros(len(epoch), size)
    for place, rows in enumerate(epoch):
        members[place, rows] = 1
    return members.T @ members - torch.eye(size)


def _path(done: Arrays, name: str) -> Tensor:
    return torch.from_numpy(done[f"{name} path"].copy())


def _steps(done: Arrays, network: str) -> list[list[int]]:
    """The rows of each step; nothing where they are no list of lists, or more than any update takes."""
    rows, sizes = done[f"{network} rows"], done[f"{network} sizes"]
    whole = rows.ndim == sizes.ndim == 1 and sizes.dtype.kind == rows.dtype.kind == "i" and (sizes >= 0).all()
    if not whole or sizes.sum() != len(rows) or len(sizes) > MOST_STEPS:
        return []
    return [part.tolist() for part in np.split(rows, np.cumsum(sizes)[:-1])] if len(sizes) else []


class Updates:
    """Beside the attempt: one update, and what became of the networks in it."""

    def __init__(self, attempt: Any, signature: str, metrics: tuple[str, ...]) -> None:
        self._attempt, self._signature, self._metrics = attempt, signature, metrics

    def update(self, world: int, **case: Any) -> Arrays:
        """Call the attempt once. Args: case: see `PpoUpdate`; with `state` that of the generator. world: global seed.

        Gives of each network `NETWORK weight` and `bias`, their `path` after each step, and the `rows` of all steps one
        after another with the `sizes` of the steps; the state of the `generator` then; the entries of the result that are
        numbers; `mutated`.
        """
        seed_everything(world)
        inputs = fresh(case)
        generator = torch.Generator().manual_seed(inputs["seed"])
        if "state" in inputs:
            generator.set_state(inputs["state"])
        result, watches, watched = self._run(inputs, generator)
        arrays = {
            "generator": generator.get_state().numpy(),
            "result.kind": np.array("dict" if isinstance(result, dict) else type(result).__name__),
        }
        entries: dict[str, Any] = result if isinstance(result, dict) else {}
        for name in ("epochs", *self._metrics):
            _record_number(arrays, f"result/{name}", entries)
        for name, watch in watches.items():
            steps = watch.steps
            arrays[f"{name} rows"] = np.array([row for rows in steps for row in rows], dtype=np.int64)
            arrays[f"{name} sizes"] = np.array([len(rows) for rows in steps], dtype=np.int64)
            for part, value in watch.network.named_parameters():
                arrays[f"{name} {part}"] = value.detach().numpy().copy()
                path = [place[part] for place in watch.path]
                arrays[f"{name} {part} path"] = torch.stack(path).numpy() if path else np.empty((0, *value.shape))
        record_mutations(arrays, case, inputs)
        watched.record(arrays)
        return arrays

    def _run(self, inputs: Case, generator: torch.Generator) -> tuple[Any, dict[str, RowWatch], Watched]:
        from pgcourse.rollout import Batch

        policy, critic = (network_of(inputs, name) for name in NETWORKS)
        policy_optimizer = sgd(inputs, policy, inputs["learning_rate"])
        critic_optimizer = sgd(inputs, critic, inputs["critic_learning_rate"])
        watches = {
            "policy": RowWatch(inputs["obs"], policy, policy_optimizer),
            "critic": RowWatch(inputs["obs"], critic, critic_optimizer),
        }
        for parameter in (*policy.parameters(), *critic.parameters()):
            parameter.grad = torch.ones_like(parameter)  # of whatever came before
        parts = {
            "policy": policy,
            "critic": critic,
            "policy_optimizer": policy_optimizer,
            "critic_optimizer": critic_optimizer,
            "batch": Batch(*(inputs[name] for name in Batch._fields)),
            "generator": generator,
        }
        watched = Watched({"policy": policy, "critic": critic}, (policy_optimizer, critic_optimizer))
        return call(self._attempt, self._signature, {**inputs, **parts}), watches, watched


def _answer(arrays: Arrays, question: str, yes: bool) -> None:
    record(arrays, f'the answer to "{question}" (1 is yes, 0 no)', int(yes))


def _record_number(arrays: Arrays, name: str, entries: dict[str, Any]) -> None:
    """An entry as a float, whatever kind of number it is."""
    key = name.removeprefix("result/")
    value = entries.get(key)
    if (isinstance(value, Tensor) and value.numel() == 1) or (isinstance(value, np.ndarray) and value.ndim == 0):
        value = value.item()
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        arrays[f"{name}.kind"] = np.array("number")
        arrays[name] = np.array(float(value))
    else:
        arrays[f"{name}.kind"] = np.array(type(value).__name__ if key in entries else "missing entry")
