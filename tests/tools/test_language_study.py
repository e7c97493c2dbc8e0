"""The study of language models: what it takes of a run, and what it makes of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pgcourse.language.sampling import answer_log_prob, sample
from pgcourse.language.tasks import SORTING, TASKS
from pgcourse.language.text import encode
from pgcourse.language.transformer import Transformer
from tools.claims import language, language_runs
from tools.claims.__main__ import as_text


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Little of everything, kept elsewhere."""
    monkeypatch.setattr(language_runs, "KEPT", tmp_path)
    monkeypatch.setattr(language, "KEPT", tmp_path)
    for name, number in {
        "HELD_OUT_PROMPTS": 3, "GREEDY_PROMPTS": 5, "COMPARISONS": 70, "FIT_STEPS": 2,
        "SCORE_BATCHES": 1, "GRADIENT_BATCHES": 2,
    }.items():  # fmt: skip
        monkeypatch.setattr(language_runs, name, number)
    monkeypatch.setattr(language_runs, "imitate", lambda task, seed: (untrained(seed), []))
    language_runs.learnt.cache_clear()


def untrained(seed: int) -> Transformer:
    torch.manual_seed(seed)
    return Transformer()


def run(success: list[float], **metrics: list[float | None]) -> dict[str, Any]:
    return {"metrics": {"success": success, **metrics}}


def test_half_is_reached_by_the_moving_average() -> None:
    jump = run([0.0] * 10 + [1.0] * 10)
    assert language.updates_to(jump, 0.5) == 13, "the first window of five with three right updates"
    assert language.updates_to(run([0.9] + [0.0] * 9), 0.5) is None, "one lucky update is no mean of five"


def test_updates_without_a_wrong_answer_have_no_length_of_one() -> None:
    assert language.mean_of(run([], wrong_length=[4.0, None, 6.0]), "wrong_length") == 5.0
    assert language.none_where_not_a_number(language.mean_of(run([], wrong_length=[None]), "wrong_length")) is None


@pytest.mark.parametrize(
    "name", ["sorting/leave_one_out", "sorting/k3", "dial/none_plus_1", "hacked/0.5", "turtle/curriculum"]
)
@pytest.mark.usefixtures("small")
def test_a_run_is_taken_down_and_read_back(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    variant = language.VARIANTS[name]
    tiny = replace(variant, config=replace(variant.config, num_updates=2, num_prompts=32, num_samples=2))
    made = []

    def make() -> dict[str, Any]:
        made.append(name)
        return language_runs.run_record(tiny, 3)

    record = language_runs.kept(name, 3, tiny.settings(), make)
    assert language_runs.kept(name, 3, tiny.settings(), make) == record and made == [name]
    assert all(len(record["metrics"][metric]) == 2 for metric in ("success", "wrong_length", "quality", "reference_kl"))
    offset = np.array(record["metrics"]["reward"]) - record["metrics"]["success"]
    assert variant.learnt or np.allclose(offset, variant.offset, atol=1e-6), "success counts right answers, not rewards"
    assert 0 <= record["end"]["pass"]["1"] <= record["end"]["pass"]["64"] <= 1


@pytest.mark.usefixtures("small")
def test_the_whole_file_can_be_written_from_one_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = {
        name: replace(variant, config=replace(variant.config, num_updates=2, num_prompts=32, num_samples=2))
        for name, variant in language.VARIANTS.items()
    }
    monkeypatch.setattr(language, "VARIANTS", tiny)
    variances = dict.fromkeys(("none", "batch_mean", "group_mean", "leave_one_out", "none_plus_1"), 2.0)
    look = {"success": 0.5, "best_baseline": 0.1, "scores": {"right": 1.0, "wrong": 2.0}, "variance": variances}
    monkeypatch.setattr(language, "gradient_record", lambda *_: look)
    content = language.study(num_seeds=1)
    assert as_text(content).startswith("{")
    assert content["values"]["gradients/late/variance_leave_one_out"]["per_seed"] == [1.0]
    assert set(content["settings"]) == set(tiny)
    stored = content["policies"]["dial"]["weights"]
    assert {name: tuple(one["shape"]) for name, one in stored.items()} == {
        name: tuple(tensor.shape) for name, tensor in Transformer().state_dict().items()
    }


def test_the_score_of_an_answer_is_the_gradient_of_its_log_probability() -> None:
    model = untrained(0)
    answers = sample(model, encode(["352941>", "111111>", "987654>"]), max_tokens=SORTING.max_tokens)
    found = language_runs.squared_scores(model, answers)
    for row, log_prob in enumerate(answer_log_prob(model, answers).sum(-1)):
        gradient = torch.autograd.grad(log_prob, list(model.parameters()), retain_graph=True)
        assert found[row] == pytest.approx(float(sum(part.square().sum() for part in gradient)), rel=1e-4)


@pytest.mark.usefixtures("small")
def test_an_offset_makes_the_gradient_scatter_and_the_group_does_not_see_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language_runs, "GRADIENT_BATCHES", 4)
    look = language_runs.gradient_record(untrained(0), TASKS["sorting"], 0)
    assert look["success"] == 0 and look["best_baseline"] == 0 and np.isnan(look["scores"]["right"])
    assert look["variance"]["none"] == look["variance"]["leave_one_out"] == 0 < look["variance"]["none_plus_1"]
