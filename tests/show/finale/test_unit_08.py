"""The finale of unit 08: four functions drive TRPO, with a curve and a sentence in any case."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from pgcourse import natural_gradient, trpo
from pgcourse.networks import CategoricalPolicy
from pgcourse.show import finale
from pgcourse.show.finale import engine, validation

BATCH = trpo.CARTPOLE.num_envs * trpo.CARTPOLE.num_steps
STEPS = 2 * BATCH  # two updates
NAMES = ("conjugate_gradient", "fisher_vector_product", "step_scale", "line_search")
RIGHT: dict[str, Callable[..., Any] | None] = {name: getattr(natural_gradient, name) for name in NAMES}


def outcome(*, last_step: int = STEPS, seed: int = 0, **changes: Callable[..., Any] | None) -> engine.Outcome:
    return engine.run(finale.trpo_plan(*(RIGHT | changes).values(), last_step=last_step, seed=seed))


def stub(*arguments: Any, **keywords: Any) -> Any:
    raise NotImplementedError("the_stub: write your code here, then run the check below")


def test_right_functions_give_the_very_curve_of_the_package() -> None:
    ours, other = outcome(seed=3), outcome(seed=4)
    reference = trpo.train(
        replace(trpo.CARTPOLE, seed=3),
        policy=validation.seeded_policy("policy", lambda: CategoricalPolicy(4, 2, trpo.CARTPOLE.hidden_sizes), 4, 3),
        on_iteration=lambda progress: progress.env_step >= STEPS,
    )
    assert ours.status == "trained"
    assert "the time was up" not in ours.sentence
    np.testing.assert_array_equal(ours.returns, reference.episodes["episodic_return"])
    np.testing.assert_array_equal(ours.env_steps, reference.episodes["env_step"])
    for weight, wanted in zip(ours.policy.parameters(), reference.policy.parameters(), strict=True):
        assert torch.equal(weight, wanted)
    assert not np.array_equal(ours.returns[:20], other.returns[:20])


def test_a_number_and_a_tensor_serve_alike_as_a_scale() -> None:
    def in_python(x: Tensor, fx: Tensor, *, max_kl: float) -> float:
        curvature = float(x @ fx)
        return math.sqrt(2 * max_kl / curvature) if curvature > 0 else 0

    assert outcome(step_scale=in_python).status == "trained"


@pytest.mark.parametrize("name", NAMES)
def test_each_function_is_really_called_in_every_update(name: str) -> None:
    calls = []

    def counting(*arguments: Any, **settings: Any) -> Any:
        calls.append(settings)
        return RIGHT[name](*arguments, **settings)

    outcome(**{name: counting}, last_step=BATCH)
    assert len(calls) >= 2  # the probe, then the update
    preset = trpo.CARTPOLE
    known = {"iterations": preset.cg_iterations, "tolerance": preset.cg_tolerance, "max_kl": preset.max_kl}
    known |= {"damping": preset.damping, "backtracks": preset.backtracks, "shrink": preset.shrink}
    assert calls[-1] == {key: known[key] for key in calls[-1]}


@pytest.mark.parametrize("name", NAMES)
def test_an_untouched_function_is_named_in_one_line(name: str, shown: list[dict[str, Any]]) -> None:
    finale.trpo(**(RIGHT | {name: None}))
    finale.trpo(**(RIGHT | {name: stub}))
    first, second = shown
    assert first["text/plain"].startswith(f"`{name}`: not attempted")
    assert second["text/plain"].startswith("`the_stub`: not attempted")
    assert "\n" not in first["text/plain"]


def test_all_untouched_functions_are_named_together() -> None:
    sentence = outcome(**dict.fromkeys(NAMES)).sentence
    assert sentence.startswith(
        "`conjugate_gradient`, `fisher_vector_product`, `step_scale`, `line_search`: not attempted"
    )


@pytest.mark.parametrize("name", NAMES)
def test_errors_are_said_of_the_function_that_made_them(name: str) -> None:
    def raising(*arguments: Any, **settings: Any) -> Any:
        raise IndexError("index 5 is out of bounds")

    broken = outcome(**{name: raising})
    assert broken.status == "broken"
    assert broken.sentence.startswith(f"`{name}` raised IndexError: index 5 is out of bounds.")


@pytest.mark.parametrize("name", ["conjugate_gradient", "fisher_vector_product", "line_search"])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda found: None, "returned NoneType; let it return a tensor of shape ["),
        (lambda found: found[None], "returned a tensor of shape [1, "),
        (lambda found: found * math.nan, "returned numbers that are not finite"),
    ],
)
def test_what_is_no_finite_vector_is_said_of_its_function(name: str, change: Any, words: str) -> None:
    broken = outcome(**{name: lambda *arguments, **settings: change(RIGHT[name](*arguments, **settings))})
    assert broken.status == "broken"
    assert f"`{name}` {words}" in broken.sentence


@pytest.mark.parametrize(
    ("scale", "words"),
    [
        (lambda x, fx, *, max_kl: None, "`step_scale` returned NoneType; let it return one number"),
        (lambda x, fx, *, max_kl: x, "`step_scale` returned a tensor of shape [4610]; let it return one number"),
        (lambda x, fx, *, max_kl: math.nan, "`step_scale` returned nan"),
    ],
)
def test_what_is_no_finite_number_is_said_of_the_scale(scale: Any, words: str) -> None:
    broken = outcome(step_scale=scale)
    assert broken.status == "broken"
    assert words in broken.sentence


def test_a_step_that_is_never_taken_is_recognised() -> None:
    for idle in (
        outcome(step_scale=lambda x, fx, *, max_kl: 0.0, last_step=BATCH),
        outcome(line_search=lambda evaluate, step, **settings: torch.zeros_like(step), last_step=BATCH),
        outcome(conjugate_gradient=lambda matvec, b, **settings: -b, last_step=BATCH),
    ):
        assert idle.status == "trained"
        assert "no step was ever accepted" in idle.sentence


def test_a_learner_who_skips_the_search_still_gets_a_curve() -> None:
    reckless = outcome(line_search=lambda evaluate, step, **settings: 3 * step, last_step=BATCH)
    assert reckless.status == "trained"
    assert len(reckless.returns) > 0


def test_a_run_that_takes_too_long_is_stopped_before_its_last_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "TRAIN_SECONDS", 0.0)
    stopped = outcome()
    assert stopped.env_steps.max() <= BATCH
    assert "After 0 s of computing the time was up, at" in stopped.sentence


REFERENCE = {
    "x": [1000, 2000], "x_unit": "env_step", "mean": [22.0, 30.0], "low": [20.0, 24.0], "high": [25.0, 36.0], "n": 10,
    "window": 100,
}  # fmt: skip


@pytest.mark.parametrize("measured", [True, False])
def test_the_page_shows_the_curve_the_gif_and_the_sentence(
    measured: bool, shown: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    curves = {"cartpole": REFERENCE} if measured else {}
    monkeypatch.setattr(engine, "load_claims", lambda name: {"curves": curves})
    monkeypatch.setattr(engine, "GIF_STEPS", 10)
    finale.trpo(**RIGHT, last_step=STEPS)
    curve, gif, sentence = shown
    assert ("interquartile mean of the reference" in curve["text/html"]) is measured
    assert ("is not measured in this copy" in curve["text/html"]) is not measured
    assert "image/gif" in gif
    assert ("the reference's interval is 24 to 36" in sentence["text/plain"]) is measured
