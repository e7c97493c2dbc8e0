"""Inputs that must be refused, and contracts with two readings: what a learner is told about them."""

from __future__ import annotations

import pytest
import torch

from pgcourse.checks import run
from tests.checks.right.baseline_update import right_with_unbiased_deviation as unbiased


def test_a_wrong_formula_without_the_refusal_is_described_and_named() -> None:
    # On the refused inputs there is no expected array to compare with.
    result = run("value_loss", lambda values, returns: (values - returns).square().mean())
    assert (result.status, result.misconception) == ("not yet", "half-missing")
    assert "the expected one times 2 everywhere" in result.message


@pytest.mark.parametrize("words", ["", "returns [3], values [3, 1]", "two\nlines"])
def test_a_refusal_is_free_in_its_words(words: str) -> None:
    def with_gradient(returns, values):
        if returns.shape != values.shape:
            raise ValueError(words)
        return returns - values

    def right(returns, values):
        return with_gradient(returns, values.detach())

    assert run("advantages_with_baseline", right).status == "correct"
    assert run("advantages_with_baseline", with_gradient).misconception == "left-attached"


def raising_another_error(returns, values):
    assert returns.shape == values.shape, "shapes differ"
    return returns - values.detach()


def only_printing(returns, values):
    if returns.shape != values.shape:
        print("shapes differ")
        return None
    return returns - values.detach()


def returning_the_error(returns, values):
    return returns - values.detach() if returns.shape == values.shape else ValueError("shapes differ")


@pytest.mark.parametrize(
    ("attempt", "words", "name"),
    [
        (raising_another_error, "your code raised AssertionError: shapes differ", "another-error"),
        (only_printing, "your function returned None", "refused-without-an-error"),
        (returning_the_error, "your function returned that error; raise it", "refused-without-an-error"),
    ],
)
def test_another_refusal_is_told_which_one_is_wanted(attempt, words: str, name: str) -> None:
    result = run("advantages_with_baseline", attempt)
    assert f"must be refused with ValueError; {words}" in " ".join(result.message.split())
    assert result.misconception == name


def test_what_differs_is_shown_against_the_reading_that_the_attempt_follows() -> None:
    # Everything is right for the unbiased standard deviation but the second number.
    def attempt(*arguments, **keywords):
        policy_loss, value_loss = unbiased(*arguments, **keywords)
        return policy_loss, value_loss + 1

    message = run("baseline_update", attempt).message
    assert "policy.weight" not in message
    assert "Entry 1 returned by update 1" in message and "Got 3.167, expected 2.167." in message


def test_an_input_changed_in_place_is_seen_in_the_other_reading_too() -> None:
    def attempt(policy, critic, policy_optimizer, critic_optimizer, episodes, **keywords):
        result = unbiased(policy, critic, policy_optimizer, critic_optimizer, episodes, **keywords)
        for episode in episodes:
            episode.rewards.add_(torch.ones(()))
        return result

    assert "changed its input rewards in place" in run("baseline_update", attempt).message
