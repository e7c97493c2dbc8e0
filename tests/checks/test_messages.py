"""What a learner reads: the order of its parts, in plain words, the same on every machine."""

from __future__ import annotations

import pytest
import torch

from pgcourse.checks import check, get, hint, progress, run, solution
from pgcourse.checks.wording import number, two_numbers, value
from pgcourse.returns import discounted_returns, normalize


def test_the_whole_message_word_for_word() -> None:
    forward = next(m for m in get("discounted_returns").misconceptions if m.id == "accumulated-forwards")
    assert run("discounted_returns", forward.wrong).message == (
        "✗ discounted_returns: not yet\n"
        "  Smallest failing input (case 2; 4 of 10 cases are right): discounted_returns([1, 2, 3], gamma=0.5)\n"
        "  At [0]: got 1, expected 2.75.\n"
        "  What happened: You went through time forwards, so each step collects the rewards before it. An\n"
        "    action can only change what comes after it: the return of step t looks ahead.\n"
        '  Next: hint("discounted_returns") gives hint 1 of 3.'
    )


def test_parts_come_in_the_promised_order() -> None:
    message = run("reinforce_loss", lambda log_prob, weight: (weight.detach() * log_prob).mean()).message
    parts = ["the sign is flipped", "Smallest failing input", "Got -1", "What happened", "Next: hint"]
    places = [message.index(part) for part in parts]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda returns: -returns, "minus the expected one everywhere"),
        (lambda returns: 3 * returns, "the expected one times 3"),
        (lambda returns: returns + 0.25, "is 0.25 more than expected everywhere"),
        (lambda returns: returns - 1, "Your result is 1 less than expected everywhere."),
        (lambda returns: 0 * returns, "0 everywhere"),
        (lambda returns: returns.flip(0), "in reverse order"),
        (lambda returns: returns.double(), "float64, expected float32"),
        (lambda returns: returns[None], "shape [1, 1], expected [1]"),
    ],
)
def test_differences_are_said_in_words(change, words: str) -> None:
    attempt = lambda rewards, *, gamma: change(discounted_returns(rewards, gamma=gamma))  # noqa: E731
    assert words in run("discounted_returns", attempt).message


def test_two_numbers_that_differ_never_look_alike() -> None:
    assert two_numbers(0.25, 0.3) == ("0.25", "0.3")
    assert two_numbers(0.252912, 0.252931) == ("0.252912", "0.252931")
    message = run("discounted_returns", lambda rewards, *, gamma: discounted_returns(rewards, gamma=gamma) + 2e-4)
    got, expected = message.message.split("At [0]: got ")[-1].split("Got ")[-1].split(".\n")[0].split(", expected ")
    assert got != expected


def test_the_smallest_failing_input_is_shown_not_the_first_random_one() -> None:
    def wrong_for_long_episodes(rewards, *, gamma):
        return discounted_returns(rewards, gamma=gamma) * (2 if len(rewards) == 12 else 1)

    message = run("discounted_returns", wrong_for_long_episodes).message
    assert "case 8; 9 of 10 cases are right" in message and "gamma=0.9)" in message


def test_a_seed_changes_the_random_cases_only() -> None:
    first, other = (run("discounted_returns", lambda rewards, *, gamma: rewards + 1, seed) for seed in (1, 2))
    assert first.message == other.message


def test_numbers_are_short_and_have_no_negative_zero() -> None:
    assert [number(x) for x in (2.0, -0.0, 1 / 3, 1e-9, 12345678.0, float("nan"), float("-inf"))] == [
        "2", "0", "0.3333", "1e-09", "1.235e+07", "nan", "-inf",
    ]  # fmt: skip
    assert value(torch.tensor([[1.0, 2.5]])) == "[[1, 2.5]]"
    assert value(torch.arange(100.0)) == "<float32 [100]: 0, 1, 2, 3, ...>"
    assert value(torch.tensor([True])) == "[True]"


def test_check_prints_one_line_where_nothing_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    check("standardize", normalize)
    check("standardize", None)
    assert capsys.readouterr().out.splitlines() == [
        "✓ standardize: correct (1 point)", "standardize: not attempted (1 point, about 8 minutes)",
    ]  # fmt: skip


def test_hints_come_one_by_one_and_the_check_counts_them(capsys: pytest.CaptureFixture[str]) -> None:
    for count in (1, 2, 3):
        assert f"gives hint {count} of 3" in run("standardize", lambda x: x).message
        hint("standardize")
        assert capsys.readouterr().out.startswith(f"Hint {count} of 3: ")
    assert 'solution("standardize")' in run("standardize", lambda x: x).message
    hint("standardize")
    assert capsys.readouterr().out.count("Hint ") == 3


def test_solution_asks_first(capsys: pytest.CaptureFixture[str]) -> None:
    solution("discounted_returns")
    before = capsys.readouterr().out
    assert "3 of 3 hints are left" in before and 'solution("discounted_returns", show=True)' in before
    assert "def " not in before
    solution("discounted_returns", show=True)
    assert "def discounted_returns(" in capsys.readouterr().out
    assert progress.load()["exercises"]["discounted_returns"]["solution_shown"]
