"""The table of settings holds every field that differs and no other."""

from dataclasses import replace
from typing import Any

import pytest

from pgcourse import InvalidInput, a2c, ppo
from pgcourse.show.page import settings

OTHER = replace(ppo.CARTPOLE, gamma=0.9, anneal_lr=True, seed=7)
BOTH = {"one": ppo.CARTPOLE, "two": OTHER}


def test_fields_that_differ_and_no_others() -> None:
    assert settings.differing_settings(ppo.CARTPOLE, OTHER) == {"gamma": (0.99, 0.9), "anneal_lr": (False, True)}
    assert settings.differing_settings(ppo.CARTPOLE, replace(ppo.CARTPOLE, seed=3)) == {}


def test_the_table_has_a_row_for_each_and_the_notes_beside_it(shown: list[Any]) -> None:
    settings.settings_table(BOTH, notes={"gamma": "shorter"}, note_title="why")
    assert shown[0]["text/markdown"].splitlines() == [
        "| setting | one | two | why |",
        "| --- | --- | --- | --- |",
        "| `gamma` | `0.99` | `0.9` | shorter |",
        "| `anneal_lr` | `False` | `True` |  |",
    ]


def test_fields_can_be_left_out(shown: list[Any]) -> None:
    settings.settings_table(BOTH, ignore=("anneal_lr",))
    assert "anneal_lr" not in shown[0]["text/markdown"] and "gamma" in shown[0]["text/markdown"]


@pytest.mark.parametrize(("call", "message"), [
    (lambda: settings.settings_table(BOTH, notes={"clip_coef": "?"}), "no difference in 'clip_coef'"),
    (lambda: settings.differing_settings(a2c.CARTPOLE, ppo.CARTPOLE), "A2CConfig and PPOConfig"),
    (lambda: settings.settings_table({"one": ppo.CARTPOLE}), "give two"),
])  # fmt: skip
def test_what_cannot_be_compared_is_refused(call: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        call()
