"""The studies of tools/claims: each says which tables it serves, and what lesson 07's studies change does what it says."""

import base64
import importlib
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from pgcourse.study.keep import Run
from pgcourse.study.prose import FIGURE_PLACEHOLDER
from tools.claims import comparison, sensitivity
from tools.claims.__main__ import STUDIES, first_line
from tools.claims.sensitivity import PAID_FROM, PaidLate

COURSE = Path(__file__).resolve().parents[2] / "course"


def sections_with_tables(lesson: str, study: str) -> set[str]:
    """Numbers of the lesson's sections in which a table quotes figures of the study."""
    section, found = "", set()
    path = next(path for path in COURSE.glob(f"{lesson}_*.py") if ".exercises" not in path.name)
    for line in path.read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"# ##+ (\d+(?:\.\d+)?)", line):
            section = heading[1]
        elif line.startswith("# |") and any(
            figure.startswith(f"{study}:") for figure in FIGURE_PLACEHOLDER.findall(line)
        ):
            found.add(section)
    return found


@pytest.mark.parametrize("study", STUDIES)
def test_a_study_says_first_which_lesson_and_tables_it_serves(study: str) -> None:
    lesson = re.match(r"Lesson (\d\d), ", first_line(study))[1]
    docstring = importlib.import_module(f"tools.claims.{study}").__doc__
    assert sections_with_tables(lesson, study) <= set(re.findall(r"\d+(?:\.\d+)?", docstring))


def test_the_late_reward_begins_at_its_step() -> None:
    envs = PaidLate(1)
    envs.reset(seed=0)
    paid = []
    for _ in range(PAID_FROM + 3):
        envs.state = torch.zeros_like(envs.state)  # held upright, so that the episode goes on
        _, reward, terminated, _, _ = envs.step(torch.tensor([0]))
        assert not terminated
        paid.append(float(reward))
    assert paid == [0.0] * PAID_FROM + [1.0] * 3


def test_a_stored_policy_has_the_weights_of_the_run() -> None:
    weights = {"a": np.arange(6, dtype=np.float32).reshape(2, 3) / 7, "b": np.zeros(2, dtype=np.float32)}
    empty = np.zeros(0, dtype=[("episodic_return", "f8")])
    stored = comparison.stored_policy(Run(3, empty, {}, np.array([10.0, 20.0]), weights))
    assert stored["seed"] == 3 and stored["held_out"] == 15.0
    for name, entry in stored["weights"].items():
        again = np.frombuffer(base64.b64decode(entry["float32"]), "<f4").reshape(entry["shape"])
        np.testing.assert_array_equal(again, weights[name])


def test_the_search_draws_the_same_points_each_time_within_their_ranges() -> None:
    points = sensitivity.random_points()
    assert points == sensitivity.random_points() and len(points) == sensitivity.DRAWS
    for point in points.values():
        assert 1e-4 <= point["policy_lr"] <= 1e-2 and 1e-3 <= point["critic_lr"] <= 0.032
        assert 0.1 <= point["clip_coef"] <= 0.4 and 2 <= point["update_epochs"] <= 12
    assert not set(sensitivity.SEARCH_SEEDS) & set(sensitivity.FRESH_SEEDS), (
        "a setting is not confirmed on the seeds that chose it"
    )
