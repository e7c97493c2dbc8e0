# ruff: noqa: B023 - the losses below are used within the round of the loop that defines them
"""The observers of unit 04 write down facts, and what they write tells right styles from wrong ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call, grad

from pgcourse.checks import get, run
from pgcourse.checks.observe.minibatches import Minibatches
from pgcourse.checks.observe.ppo_update import PpoUpdate
from pgcourse.checks.unit_04.ppo_update import ppo_update
from pgcourse.diagnostics import approx_kl, clip_fraction
from pgcourse.losses import ppo_clip_loss, value_loss
from pgcourse.returns import normalize

CASE = {"batch_size": 5, "minibatch_size": 2, "epochs": 2, "seed": 3}


def test_minibatches_are_written_down_epoch_by_epoch() -> None:
    def counting_up(batch_size: int, minibatch_size: int, *, generator: torch.Generator) -> Any:
        return torch.arange(batch_size).split(minibatch_size)

    arrays = Minibatches()(counting_up, CASE)
    assert str(arrays["result.kind"]) == "tuple"
    for epoch in range(2):
        np.testing.assert_array_equal(arrays[f"sizes {epoch}"], [2, 2, 1])
        np.testing.assert_array_equal(arrays[f"rows {epoch}"], [0, 1, 2, 3, 4])
    assert arrays["repeated with the same seed"] and arrays["repeated with another seed"]


def test_the_generator_goes_on_from_epoch_to_epoch_and_its_seed_decides() -> None:
    arrays = Minibatches()(get("minibatches").reference, CASE | {"batch_size": 50})
    assert not np.array_equal(arrays["rows 0"], arrays["rows 1"])
    assert arrays["repeated with the same seed"] and not arrays["repeated with another seed"]


def test_an_endless_iterator_is_left_after_two_rounds() -> None:
    def endless(batch_size: int, minibatch_size: int, *, generator: torch.Generator) -> Any:
        while True:
            yield torch.arange(minibatch_size)

    assert Minibatches()(endless, CASE)["endless"]


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        (lambda part: part.float(), "float32 tensor"),
        (lambda part: part > 0, "bool tensor"),
        (lambda part: part.numpy(), "ndarray"),
        (lambda part: part.tolist(), "list"),
        (lambda part: part[:, None], "tensor of shape [2, 1]"),
    ],
)
def test_what_is_no_index_tensor_is_named(entry: Any, kind: str) -> None:
    def attempt(batch_size: int, minibatch_size: int, *, generator: torch.Generator) -> Any:
        return [entry(part) for part in torch.randperm(batch_size, generator=generator).split(minibatch_size)]

    assert str(Minibatches()(attempt, CASE)["entry.kind"]) == kind


def update_case(look_at: str) -> dict[str, Any]:
    return next(case for case in get("ppo_update").cases(5) if case["look_at"] == look_at)


def test_an_update_is_written_down_as_weights_steps_and_epochs() -> None:
    arrays = PpoUpdate()(ppo_update, update_case("weights"))
    assert arrays["the number of optimiser steps of the policy"] == 1
    assert arrays["result/epochs"] == 1
    assert str(arrays["result/losses/approx_kl.kind"]) == "number"
    assert "result/losses/approx_kl" not in arrays  # when it was measured matters here, so it is not compared
    # By hand: scores of +-0.5, advantages of -1 and 1, a mean over two rows, learning rate 1.
    np.testing.assert_allclose(arrays["the policy's bias after the update"], [-0.5, 0.5], rtol=1e-6)
    # Values of 0, returns of 1 and 3, half the mean squared error, learning rate 0.1.
    np.testing.assert_allclose(arrays["the critic's bias after the update"], 0.2, rtol=1e-6)


def test_the_facts_about_rows_are_all_yes_for_a_right_update() -> None:
    arrays = PpoUpdate()(ppo_update, update_case("rows"))
    answers = {name: int(value) for name, value in arrays.items() if name.startswith("the answer") and name[-1] == ")"}
    assert len(answers) == 14
    assert set(answers.values()) == {1}
    assert arrays["the number of optimiser steps of the critic"] == 12  # 3 epochs of 32 rows in minibatches of 9


def test_equal_rows_stand_still_only_where_each_minibatch_is_normalised() -> None:
    case, question = update_case("stillness"), 'the answer to "does the policy stay where it is?" (1 is yes, 0 no)'
    assert PpoUpdate()(ppo_update, case)[question] == 1
    wrong = next(m.wrong for m in get("ppo_update").misconceptions if m.id == "normalised-over-the-batch")
    assert PpoUpdate()(wrong, case)[question] == 0


@pytest.mark.parametrize("whole", [False, True])
def test_other_ways_of_taking_a_gradient_are_seen_too(whole: bool) -> None:
    """torch.func and manual gradients; a forward pass over the whole batch of which rows are picked."""

    def attempt(policy, critic, policy_optimizer, critic_optimizer, batch, *, clip_coef, target_kl, **settings):
        kl, fractions, epochs = [], [], 0
        for _ in range(settings["update_epochs"]):
            order = torch.randperm(len(batch.obs), generator=settings["generator"])
            for rows in order.split(settings["minibatch_size"]):
                obs, actions, old, advantages, returns = (column[rows] for column in batch)

                def policy_loss(weights):
                    distribution = functional_call(policy, weights, (batch.obs if whole else obs,))
                    log_prob = distribution.log_prob(batch.actions if whole else actions)
                    entropy = distribution.entropy()
                    if whole:
                        log_prob, entropy = log_prob[rows], entropy[rows]
                    loss = ppo_clip_loss(log_prob, old, normalize(advantages), clip_coef=clip_coef)
                    return loss - settings["ent_coef"] * entropy.mean()

                def critic_loss(weights):
                    return value_loss(functional_call(critic, weights, (obs,)), returns)

                with torch.no_grad():
                    log_prob = policy(obs).log_prob(actions)
                kl.append(approx_kl(log_prob, old))
                fractions.append(clip_fraction(log_prob, old, clip_coef=clip_coef))
                for network, loss, optimizer in (
                    (policy, policy_loss, policy_optimizer),
                    (critic, critic_loss, critic_optimizer),
                ):
                    weights = dict(network.named_parameters())
                    if whole:
                        slopes = torch.autograd.grad(loss(weights), list(weights.values()))
                    else:
                        slopes = grad(loss)({name: weight.detach() for name, weight in weights.items()}).values()
                    for weight, slope in zip(weights.values(), slopes, strict=True):
                        weight.grad = slope
                    nn.utils.clip_grad_norm_(weights.values(), settings["max_grad_norm"])
                    optimizer.step()
            epochs += 1
            # With gradients on: wasteful, and as right.
            log_prob = policy(batch.obs).log_prob(batch.actions)
            if target_kl is not None and approx_kl(log_prob, batch.log_prob) > target_kl:
                break
        mean_kl, fraction = torch.stack(kl).mean(), torch.stack(fractions).mean()
        return {"losses/approx_kl": mean_kl, "losses/clipfrac": fraction, "epochs": epochs}

    for seed in (None, 3):
        result = run("ppo_update", attempt, seed)
        assert result.status == "correct", result.message


@pytest.mark.parametrize(
    "changes",
    [
        {"clip_coef": 0.2}, {"ent_coef": 0.01}, {"update_epochs": 4}, {"minibatch_size": 4}, {"target_kl": 0.015},
        {"max_grad_norm": 0.5},
    ],
)  # fmt: skip
def test_a_setting_that_is_written_into_the_code_does_not_pass(changes: dict[str, Any]) -> None:
    result = run("ppo_update", lambda *arguments, **settings: ppo_update(*arguments, **settings | changes))
    assert result.status == "not yet"


@pytest.mark.parametrize(
    "change",
    [
        lambda batch: batch._replace(returns=normalize(batch.returns)),
        lambda batch: batch._replace(advantages=batch.advantages.sub_(batch.advantages.mean())),
        lambda batch: batch._replace(log_prob=batch.log_prob.mean().expand_as(batch.log_prob)),
    ],
)
def test_a_changed_batch_does_not_pass(change: Any) -> None:
    def attempt(policy, critic, policy_optimizer, critic_optimizer, batch, **settings):
        return ppo_update(policy, critic, policy_optimizer, critic_optimizer, change(batch), **settings)

    assert run("ppo_update", attempt).status == "not yet"
