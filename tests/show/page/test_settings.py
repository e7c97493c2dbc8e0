"""The table of settings holds every field that differs and no other."""

from dataclasses import replace
from typing import Any

import pytest

from pgcourse import InvalidInput, a2c, ppo
from pgcourse.show.page import settings

OTHER = replace(ppo.CARTPOLE, gamma=0.9, anneal_lr=True, seed=7)


def test_fields_that_differ_and_no_others() -> None:
    assert settings.differing_settings(ppo.CARTPOLE, OTHER) == {"gamma": (0.99, 0.9), "anneal_lr": (False, True)}
    assert settings.differing_settings(ppo.CARTPOLE, replace(ppo.CARTPOLE, seed=3)) == {}


def test_the_table_has_a_row_for_each_and_the_notes_beside_it(shown: list[Any]) -> None:
    settings.settings_table({"one": ppo.CARTPOLE, "two": OTHER}, notes={"gamma": "shorter"}, note_title="why")
    assert shown[0]["text/markdown"].splitlines() == [
        "| setting | one | two | why |",
        "| --- | --- | --- | --- |",
        "| `gamma` | `0.99` | `0.9` | shorter |",
        "| `anneal_lr` | `False` | `True` |  |",
    ]


def test_fields_can_be_left_out(shown: list[Any]) -> None:
    settings.settings_table({"one": ppo.CARTPOLE, "two": OTHER}, ignore=("anneal_lr",))
    assert "anneal_lr" not in shown[0]["text/markdown"] and "gamma" in shown[0]["text/markdown"]


def test_a_note_on_what_does_not_differ_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no difference in 'clip_coef'"):
        settings.settings_table({"one": ppo.CARTPOLE, "two": OTHER}, notes={"clip_coef": "?"})


def test_settings_of_two_algorithms_are_refused() -> None:
    with pytest.raises(InvalidInput, match="A2CConfig and PPOConfig"):
        settings.differing_settings(a2c.CARTPOLE, ppo.CARTPOLE)
    with pytest.raises(InvalidInput, match="give two"):
        settings.settings_table({"one": ppo.CARTPOLE})
