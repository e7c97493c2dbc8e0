"""A result that shares memory with an input is seen to change; a copy is seen to stay."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pgcourse.checks.observe import AFTER, CallAndKeep, observe
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
