"""The finale of unit 09: right functions train the package's model, anything else is a sentence about the function."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from pgcourse.checks.exercise import get
from pgcourse.language.config import PRESETS
from pgcourse.language.imitation import imitate
from pgcourse.language.tasks import SORTING
from pgcourse.language.training import train
from pgcourse.show import finale
from pgcourse.show.finale import engine
from pgcourse.show.finale import language_model as module
from pgcourse.study.claims import load_claims

NAMES = ("answer_log_prob", "leave_one_out", "clipped_token_loss")
RIGHT: dict[str, Any] = {name: get(name).reference for name in NAMES}


def outcome(*, num_updates: int = 3, seed: int = 0, **changes: Any) -> engine.Outcome:
    return engine.run(finale.language_plan(**(RIGHT | changes), num_updates=num_updates, seed=seed), seconds=60)


def test_right_functions_give_the_curve_of_the_package() -> None:
    ours = outcome(num_updates=4)
    config = replace(PRESETS["sorting"], num_updates=4, seed=0)
    theirs = train(config, imitate(SORTING, seed=0)[0], device="cpu")
    assert ours.status == "trained" and "One more thing" not in ours.sentence
    # Another number of positions is another order of additions: equal up to rounding, and a draw may fall on its edge.
    agree = np.mean(ours.returns == theirs.episodes["episodic_return"])
    assert agree > 0.98


def test_the_seed_decides_the_curve() -> None:
    first, again, other = (outcome(seed=seed, num_updates=1).returns for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("name", NAMES)
def test_an_untouched_function_is_named_and_nothing_trains(name: str) -> None:
    found = outcome(**{name: None})
    assert found.status == "not attempted" and found.sentence.startswith(f"`{name}`: not attempted")
    assert not len(found.returns)


@pytest.mark.parametrize("name", NAMES)
def test_errors_are_said_of_the_function_that_made_them(name: str) -> None:
    found = outcome(**{name: Mock(side_effect=IndexError("index 5 is out of bounds"))})
    assert (found.status, found.sentence) == ("broken", f"`{name}` raised IndexError: index 5 is out of bounds.")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"clipped_token_loss": lambda *_, clip_coef: 3.0}, "`clipped_token_loss` returned float; let it return"),
        ({"clipped_token_loss": lambda log_prob, *_, clip_coef: log_prob}, "returned a tensor of shape [256, 8]"),
        ({"answer_log_prob": lambda logits, tokens, mask: logits.mean(-1)}, "returned a tensor of shape [256, 15]"),
        ({"answer_log_prob": lambda logits, tokens, mask: logits[:, :8, 0].detach()}, "without gradient"),
        ({"leave_one_out": lambda rewards: rewards.mean(1)}, "`leave_one_out` returned a tensor of shape [32]"),
        ({"leave_one_out": lambda rewards: rewards / 0 * 0}, "`leave_one_out` returned numbers that are not finite"),
    ],
)
def test_what_cannot_be_trained_with_is_said(changes: dict[str, Callable[..., Any]], words: str) -> None:
    found = outcome(**changes)
    assert found.status == "broken" and words in found.sentence


def test_a_wrong_function_gives_its_curve_and_is_named() -> None:
    found = outcome(num_updates=12, leave_one_out=lambda rewards: -get("leave_one_out").reference(rewards))
    assert found.status == "trained" and len(found.returns) == 12 * 256
    assert "It has not learnt, or the opposite." in found.sentence
    assert "`leave_one_out` does not pass its check" in found.sentence


@pytest.mark.parametrize(
    ("success", "words"),
    [
        ([0.1] * 50 + [0.95] * 70, "Your own functions drove every update"),
        ([0.1] * 120, "It learns, but more slowly than the reference"),
        ([0.2] * 60 + [0.05] * 60, "It has not learnt"),
        ([0.1] * 20, "It learns, but more slowly"),
    ],
)
def test_the_curve_in_words(success: list[float], words: str) -> None:
    assert words in module.verdict(
        np.array(success), "Look at the mask.", load_claims("language")["curves"]["sorting/leave_one_out"]
    )


def test_curve_answers_and_sentence_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    monkeypatch.setattr(module.page, "display", lambda bundle, **_: shown.append(bundle))
    monkeypatch.setattr(module.page, "figure", lambda figure, *, alt, caption: shown.append(alt))
    monkeypatch.setattr(engine.page, "answer", lambda *_, **named: shown.append(named))
    plan = finale.language_plan(**RIGHT, num_updates=2, seed=0)
    engine.present(plan, engine.run(plan, seconds=60))
    curve, answers, card = shown
    assert curve.startswith("Your learning curve over 2 updates, from ")
    assert "352941" in answers["text/html"] and card["verdict"] == "Trained"


@pytest.mark.slow
def test_it_goes_from_ten_to_ninety_percent() -> None:
    found = outcome(num_updates=150, seed=1)
    success = found.returns.reshape(150, -1).mean(1)
    assert success[0] < 0.2 and success[-10:].mean() > 0.9
    assert "Your own functions drove every update" in found.sentence
