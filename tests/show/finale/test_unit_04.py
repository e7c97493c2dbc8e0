"""The finales of unit 04: the learner's clipped loss, then the learner's whole update, drive PPO on CartPole."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from pgcourse import ppo, returns
from pgcourse.checks.unit_04.ppo_update import ppo_update as right_update
from pgcourse.losses import ppo_clip_loss as right_loss
from pgcourse.networks import CategoricalPolicy
from pgcourse.show import finale
from pgcourse.show.finale import engine, validation

ROLLOUT = (ppo.CARTPOLE.num_steps, ppo.CARTPOLE.num_envs)
SETTINGS = ("clip_coef", "ent_coef", "update_epochs", "minibatch_size", "target_kl", "max_grad_norm")
STEPS = 3 * ppo.CARTPOLE.batch_size  # three updates


def with_loss(loss: Callable[..., Any] | None, gae: Any = None, *, steps: int = STEPS, seed: int = 0) -> engine.Outcome:
    return engine.run(finale.ppo_plan(loss, gae, total_timesteps=steps, seed=seed))


def with_update(update: Callable[..., Any] | None, *, steps: int = STEPS, seed: int = 0) -> engine.Outcome:
    return engine.run(finale.ppo_update_plan(update, total_timesteps=steps, seed=seed))


def of_the_package(seed: int) -> np.ndarray:
    config = replace(ppo.CARTPOLE, total_timesteps=STEPS, seed=seed)
    policy = validation.seeded_policy("policy", lambda: CategoricalPolicy(4, 2, config.hidden_sizes), 4, seed)
    return ppo.train(config, policy=policy).episodes["episodic_return"]


def stub(*arguments: Any, **keywords: Any) -> Any:
    raise NotImplementedError("the_stub: write your code here, then run the check below")


@pytest.mark.parametrize(
    "outcome", [lambda seed: with_loss(right_loss, seed=seed), lambda seed: with_update(right_update, seed=seed)]
)
def test_right_functions_give_the_very_curve_of_the_package(outcome: Callable[[int], engine.Outcome]) -> None:
    ours, other = outcome(3), outcome(4)
    assert ours.status == "trained"
    np.testing.assert_array_equal(ours.returns, of_the_package(3))
    assert ours.env_steps.shape == ours.returns.shape
    assert not np.array_equal(ours.returns[:20], other.returns[:20])


def test_the_learners_gae_is_used() -> None:
    same = with_loss(right_loss, returns.gae)
    np.testing.assert_array_equal(same.returns, with_loss(right_loss).returns)
    calls = []

    def counting(*inputs: Tensor, **settings: float) -> Tensor:
        calls.append(inputs[0].shape)
        return returns.gae(*inputs, **settings)

    with_loss(right_loss, counting)
    assert calls == [(2, 1)] + [ROLLOUT] * 3  # the probe, then one rollout an update


def test_the_learners_update_gets_the_settings_of_the_preset() -> None:
    seen: list[dict[str, Any]] = []

    def spying(*arguments: Any, **settings: Any) -> dict[str, float]:
        seen.append(settings)
        return right_update(*arguments, **settings)

    with_update(spying)
    assert len(seen) == 4  # the probe, then the three updates
    preset = dataclasses.asdict(ppo.CARTPOLE)
    assert set(seen[-1]) == {*SETTINGS, "generator"}
    assert {name: seen[-1][name] for name in SETTINGS} == {name: preset[name] for name in SETTINGS}


@pytest.mark.parametrize(
    ("show", "names"),
    [
        (lambda: finale.ppo(ppo_clip_loss=None), "`ppo_clip_loss`:"),
        (lambda: finale.ppo(ppo_clip_loss=stub), "`the_stub`:"),
        (lambda: finale.ppo(ppo_clip_loss=stub, gae=stub), "`the_stub`:"),
        (lambda: finale.ppo_update(ppo_update=None), "`ppo_update`:"),
        (lambda: finale.ppo_update(ppo_update=stub), "`the_stub`:"),
    ],
)
def test_an_untouched_function_is_named_in_one_line(show: Any, names: str, shown: list[dict[str, Any]]) -> None:
    show()
    (bundle,) = shown
    assert bundle["text/plain"].startswith(f"{names} not attempted")
    assert "\n" not in bundle["text/plain"]


def test_errors_are_said_of_the_function_that_made_them() -> None:
    def raising(*arguments: Any, **settings: Any) -> Any:
        raise IndexError("index 5 is out of bounds")

    for outcome, name in (
        (with_loss(raising), "ppo_clip_loss"),
        (with_loss(right_loss, raising), "gae"),
        (with_update(raising), "ppo_update"),
    ):
        assert outcome.status == "broken"
        assert outcome.sentence.startswith(f"`{name}` raised IndexError: index 5 is out of bounds.")


@pytest.mark.parametrize(
    ("loss", "sentence"),
    [
        (
            lambda *tensors, clip_coef: tensors[0] * 1,
            "`ppo_clip_loss` returned a tensor of shape [",
        ),
        (lambda *tensors, clip_coef: None, "`ppo_clip_loss` returned NoneType; let it return a scalar tensor"),
        (lambda *tensors, clip_coef: tensors[0].mean() * math.nan, "`ppo_clip_loss` returned nan; look for"),
    ],
)
def test_a_loss_that_is_no_finite_scalar_is_said_of_the_loss(loss: Any, sentence: str) -> None:
    outcome = with_loss(loss)
    assert outcome.status == "broken"
    assert sentence in outcome.sentence


def test_advantages_of_another_shape_or_not_finite_are_said_of_gae() -> None:
    flat = with_loss(right_loss, lambda rewards, *rest, gamma, gae_lambda: rewards[0])
    assert f"let it return a tensor of shape {list(ROLLOUT)}" in flat.sentence
    nan = with_loss(right_loss, lambda rewards, *rest, gamma, gae_lambda: rewards * math.nan)
    assert "`gae` returned numbers that are not finite" in nan.sentence


def test_a_loss_without_a_gradient_and_an_update_that_does_nothing_are_recognised() -> None:
    detached = with_loss(lambda *tensors, clip_coef: right_loss(*tensors, clip_coef=clip_coef).detach())
    assert "does a gradient reach `log_prob` through your loss?" in detached.sentence
    idle = with_update(
        lambda *arguments, **settings: dict.fromkeys(("losses/approx_kl", "losses/clipfrac", "epochs"), 0)
    )
    assert "does your update call `backward()` and `step()`?" in idle.sentence


def test_an_update_that_reports_badly_trains_all_the_same_and_is_told_once() -> None:
    def silent(*arguments: Any, **settings: Any) -> None:
        right_update(*arguments, **settings)

    def nameless(*arguments: Any, **settings: Any) -> dict[str, Any]:
        return {"losses/approx_kl": right_update(*arguments, **settings)["losses/approx_kl"], "losses/clipfrac": "0.1"}

    without, partly = with_update(silent), with_update(nameless)
    np.testing.assert_array_equal(without.returns, with_update(right_update).returns)
    assert without.sentence.count("returned NoneType where a dict with losses/approx_kl") == 1
    assert partly.sentence.count("`ppo_update` returned no number called losses/clipfrac") == 1


def test_numbers_and_weights_that_become_nan_end_the_run() -> None:
    def lying(*arguments: Any, **settings: Any) -> dict[str, float]:
        return right_update(*arguments, **settings) | {"losses/approx_kl": math.nan}

    assert "`ppo_update` returned nan for losses/approx_kl" in with_update(lying).sentence

    def poison(policy: Any, *arguments: Any, **settings: Any) -> dict[str, float]:
        metrics = right_update(policy, *arguments, **settings)
        with torch.no_grad():
            next(policy.parameters()).mul_(math.nan)
        return metrics

    poisoned = with_update(poison)
    assert poisoned.status == "broken"
    assert "NaN or infinite" in poisoned.sentence
    assert len(poisoned.returns) == len(poisoned.env_steps) > 0


def test_a_run_that_takes_too_long_is_stopped_before_its_last_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "TRAIN_SECONDS", 0.0)
    outcome = with_loss(right_loss)
    assert outcome.status == "trained"
    assert outcome.env_steps.max() <= ppo.CARTPOLE.batch_size
    assert "After 0 s of computing the time was up, at" in outcome.sentence


REFERENCE = {
    "x": [1000, 3000], "x_unit": "env_step", "mean": [22.0, 30.0], "low": [20.0, 24.0], "high": [25.0, 36.0], "n": 10,
    "window": 100,
}  # fmt: skip


def test_the_page_shows_the_curve_by_steps_the_gif_and_the_sentence(
    shown: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "load_claims", lambda name: {"curves": {"cartpole": REFERENCE}})
    monkeypatch.setattr(engine, "GIF_STEPS", 10)
    finale.ppo_update(ppo_update=right_update, total_timesteps=STEPS)
    curve, gif, sentence = shown
    assert "Moving average of 100 episodes" in curve["text/html"]
    assert "image/gif" in gif
    assert "the reference's interval is 24 to 36" in sentence["text/plain"]


def test_the_curve_is_drawn_by_environment_steps() -> None:
    plan = finale.ppo_plan(right_loss, None, total_timesteps=STEPS, seed=0)
    figure, _ = engine.curve_figure(plan, np.arange(4.0), np.array([100, 250, 250, 900]))
    (ax,) = figure.axes
    drawn = next(line for line in ax.get_lines() if line.get_label() == "yours, one seed")
    assert ax.get_xlabel() == "environment steps"
    # Episodes that end at the same step are one point.
    np.testing.assert_array_equal(drawn.get_xdata(), [100, 250, 900])
    np.testing.assert_allclose(drawn.get_ydata(), [0.0, 1.0, 1.5])
