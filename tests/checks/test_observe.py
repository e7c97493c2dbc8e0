"""A result that shares memory with an input is seen to change; a copy is seen to stay."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import torch

from pgcourse.checks.observe import AFTER, KEPT, TURNED, Call, CallAndKeep, observe
from pgcourse.checks.observe.record import OTHERWISE
from pgcourse.checks.runner import run

OBSERVER = CallAndKeep("x, flags")


def case() -> dict[str, torch.Tensor]:
    return {"x": torch.tensor([[1.0, 2.0], [3.0, 4.0]]), "flags": torch.tensor([True, False])}


@pytest.mark.parametrize("copied", [torch.clone, lambda x: x + 0, lambda x: x[[0, 1]], lambda x: torch.stack(list(x))])
def test_a_copy_stays(copied) -> None:
    arrays = observe(OBSERVER, lambda x, flags: copied(x), case())
    np.testing.assert_array_equal(arrays[AFTER], arrays["result"])


@pytest.mark.parametrize("shared", [lambda x: x, lambda x: x[:], lambda x: x.T, lambda x: x.detach(), lambda x: x[0]])
def test_what_shares_memory_changes(shared) -> None:
    arrays = observe(OBSERVER, lambda x, flags: shared(x), case())
    assert (arrays[AFTER] != arrays["result"]).all()
    np.testing.assert_array_equal(arrays["result"], shared(case()["x"]))
    assert not arrays["mutated"].size  # the attempt itself wrote nowhere


def test_the_case_itself_stays_as_it_is() -> None:
    given = case()
    observe(OBSERVER, lambda x, flags: x, given)
    assert torch.equal(given["x"], case()["x"]) and torch.equal(given["flags"], case()["flags"])


def test_what_is_no_tensor_has_nothing_to_look_at_again() -> None:
    for answer in (None, 3.0, [], (torch.ones(1), torch.ones(1))):
        assert AFTER not in observe(OBSERVER, lambda x, flags, answer=answer: answer, case())


def test_the_learner_reads_that_the_result_changed_later() -> None:
    def no_copy(next_obs, done, final_obs):
        return torch.where(done[:, None], final_obs, next_obs) if done.any() else next_obs

    message = run("true_next_observations", no_copy).message
    assert "Your result shares memory with an input: when the check overwrote that" in message.replace("\n    ", " ")
    assert "Make a new tensor" in message.replace("\n    ", " ")


def said_of(id: str, attempt: Callable[..., Any]) -> str:
    result = run(id, attempt)
    assert result.status == "not yet"
    return " ".join(result.message.split())


def test_the_second_call_has_other_numbers_in_the_same_tensors() -> None:
    seen: list[tuple[int, Any]] = []

    def attempt(x: torch.Tensor, flags: torch.Tensor) -> torch.Tensor:
        seen.append((id(x), x.tolist() + flags.tolist()))
        return x + 1

    for observer in (Call("x, flags"), OBSERVER):
        seen.clear()
        arrays = observe(observer, attempt, case())
        (first, one), (second, other) = seen
        assert first == second and one == [[1, 2], [3, 4], True, False] and other == [[3, 4], [1, 2], False, True]
        np.testing.assert_array_equal(arrays[TURNED], arrays["result"][::-1])
        np.testing.assert_array_equal(arrays[KEPT], arrays["result"])


def test_environments_are_turned_where_steps_hang_together() -> None:
    seen = []

    def attempt(x: torch.Tensor, flags: torch.Tensor) -> torch.Tensor:
        seen.append((x.tolist(), flags.tolist()))
        return x + 1

    for observer in (Call("x, flags", axis=1), CallAndKeep("x, flags", axis=1)):
        seen.clear()
        arrays = observe(observer, attempt, case())
        assert seen == [([[1, 2], [3, 4]], [True, False]), ([[2, 1], [4, 3]], [True, False])]
        np.testing.assert_array_equal(arrays[TURNED], arrays["result"][:, ::-1])
        assert TURNED not in observe(observer, attempt, {"x": torch.ones(3, 1), "flags": torch.ones(3)})


def test_what_is_kept_between_calls_is_said() -> None:
    @lru_cache
    def known_by_identity(rewards, *, gamma):
        return rewards * 1 if len(rewards) == 1 else with_discount(rewards, gamma)

    def with_discount(rewards, gamma):
        powers = gamma ** (torch.arange(len(rewards)) - torch.arange(len(rewards))[:, None])
        return torch.tensordot(powers.triu().to(rewards.dtype), rewards, dims=1)

    buffers: dict[Any, torch.Tensor] = {}

    def one_buffer(rewards, *, gamma):
        buffer = buffers.setdefault((rewards.shape, rewards.dtype), torch.empty_like(rewards))
        return buffer.copy_(with_discount(rewards, gamma))

    assert run("discounted_returns", lambda rewards, *, gamma: with_discount(rewards, gamma)).status == "correct"
    assert "your function gives the result of before" in said_of("discounted_returns", known_by_identity)
    message = said_of("discounted_returns", one_buffer)
    assert "Your first result changed when your function was called again" in message
    assert "something is kept for the next one" in message


def loss(log_prob, weight):
    return -(weight.detach() * log_prob).mean()


def left(what: Callable[..., Any]) -> Callable[..., Any]:
    """The loss, once this has been done to the inputs."""

    def attempt(log_prob, weight):
        result = loss(log_prob, weight)
        what(log_prob, weight)
        return result

    return attempt


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (lambda log_prob, weight: weight.requires_grad_(), "leaves another requires_grad at weight."),
        (lambda log_prob, weight: setattr(weight, "grad", torch.ones_like(weight)), "leaves a gradient in weight."),
        (
            lambda log_prob, weight: weight.requires_grad and weight.register_hook(torch.zeros_like),
            "leaves a hook at weight.",
        ),
        (lambda log_prob, weight: torch.set_grad_enabled(False), "leaves gradients switched off for everybody."),
        (lambda *_: torch.set_default_dtype(torch.float64), "leaves another default dtype for everybody."),
    ],
)
def test_what_a_call_leaves_behind_is_said(what, words: str) -> None:
    message = said_of("reinforce_loss", left(what))
    assert f"The result is right, but your function {words}" in message and "leaves something behind" in message


def test_a_gradient_is_asked_for_twice_with_other_weights_and_signs() -> None:
    class Own(torch.autograd.Function):
        @staticmethod
        def forward(ctx, log_prob, weight):
            ctx.save_for_backward(weight)
            return loss(log_prob, weight)

        @staticmethod
        def backward(ctx, gradient):
            return -ctx.saved_tensors[0] / len(ctx.saved_tensors[0]), None

    message = said_of("reinforce_loss", Own.apply)
    assert "with respect to log_prob, weighted otherwise, is the expected one times -" in message
    observer = Call("x", differentiable=("x",))
    arrays = observe(observer, lambda x: (x[0] * 1, x[1] * 1), {"x": torch.ones(2)})
    first, second = arrays["gradient/x"], arrays[f"gradient/x{OTHERWISE}"]
    assert first.tolist() == [1, 1] and len({*second.tolist()}) == 2
    many = observe(observer, lambda x: x * 1, {"x": torch.ones(50)})[f"gradient/x{OTHERWISE}"]
    assert (many > 0.3).sum() > 15 and (many < -0.3).sum() > 15 and abs(many).max() < 1


def test_the_order_of_a_dict_does_not_matter() -> None:
    observer = Call("x", differentiable=("x",))
    one, other = (
        observe(observer, attempt, {"x": torch.tensor([2.0, 3.0])})
        for attempt in (
            lambda x: {"a": x[0].square(), "b": x[1].square()},
            lambda x: OrderedDict(b=x[1].square(), a=x[0].square()),
        )
    )
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_an_error_that_is_only_called_like_one_of_pythons_is_another() -> None:
    own = type("ValueError", (Exception,), {})

    def refusing(values, returns):
        if values.shape != returns.shape:
            raise own("shapes")
        return 0.5 * (values - returns.detach()).square().mean()

    assert "refused with Python's ValueError; your code raised another class of that name" in said_of(
        "value_loss", refusing
    )
    own = type("Shapes", (ValueError,), {})
    assert run("value_loss", refusing).status == "correct"
