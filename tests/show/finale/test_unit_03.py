"""The finale of unit 03: A2C driven by the learner's functions, with a curve and a sentence in any case."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from pgcourse import a2c, returns
from pgcourse.networks import CategoricalPolicy
from pgcourse.show import finale
from pgcourse.show.finale import engine, validation


def losses(
    log_prob: Tensor, advantages: Tensor, values: Tensor, targets: Tensor, entropy: Tensor, *, ent_coef: float
) -> tuple[Tensor, Tensor]:
    """A right answer to the last exercise of unit 03."""
    policy_loss = -(advantages.detach() * log_prob).mean() - ent_coef * entropy.mean()
    return policy_loss, 0.5 * (values - targets.detach()).square().mean()


def true_next(next_obs: Tensor, done: Tensor, final_obs: Tensor) -> Tensor:
    return torch.where(done[:, None], final_obs, next_obs)


def stub(*arguments: Any, **keywords: Any) -> Any:
    raise NotImplementedError("gae: write your code here, then run the check below")


def outcome(
    gae: Callable[..., Any] | None = returns.gae,
    a2c_losses: Callable[..., Any] | None = losses,
    true_next_observations: Callable[..., Any] | None = None,
    *,
    num_episodes: int = 30,
    seed: int = 0,
) -> engine.Outcome:
    return engine.run(finale.a2c_plan(gae, a2c_losses, true_next_observations, num_episodes=num_episodes, seed=seed))


@pytest.mark.parametrize("true_next_observations", [None, true_next])
def test_right_answers_give_the_very_curve_of_the_package(true_next_observations: Any) -> None:
    ours = outcome(true_next_observations=true_next_observations, num_episodes=80, seed=3)
    # With the preset's own budget, because its learning rates fall over it.
    reference = a2c.train(
        replace(a2c.CARTPOLE, seed=3),
        policy=validation.seeded_policy("p", lambda: CategoricalPolicy(4, 2), 4, 3),
        on_iteration=lambda progress: len(progress.episodes) >= 80,
    )
    assert ours.status == "trained"
    assert "the time was up" not in ours.sentence
    np.testing.assert_array_equal(ours.returns, reference.episodes["episodic_return"])
    np.testing.assert_array_equal(ours.env_steps, reference.episodes["env_step"])
    for ours_weight, weight in zip(ours.policy.parameters(), reference.policy.parameters(), strict=True):
        assert torch.equal(ours_weight, weight)


def test_a_mask_by_arithmetic_gives_the_same_curve() -> None:
    def blended(next_obs: Tensor, done: Tensor, final_obs: Tensor) -> Tensor:
        mask = done.to(next_obs.dtype)[:, None]
        return mask * final_obs + (1 - mask) * next_obs

    np.testing.assert_array_equal(outcome(true_next_observations=blended).returns, outcome().returns)


def test_another_seed_gives_another_curve() -> None:
    assert not np.array_equal(outcome(seed=1).returns[:30], outcome().returns[:30])


@pytest.mark.parametrize(
    ("functions", "names"),
    [
        ({"gae": stub, "a2c_losses": losses}, "`gae`:"),
        ({"gae": None, "a2c_losses": None}, "`gae`, `a2c_losses`:"),
        ({"gae": returns.gae, "a2c_losses": losses, "true_next_observations": stub}, "`gae`:"),
        ({"gae": returns.gae, "a2c_losses": None}, "`a2c_losses`:"),
    ],
)
def test_an_untouched_function_is_named_in_one_line(
    functions: dict[str, Any], names: str, shown: list[dict[str, Any]]
) -> None:
    finale.a2c(**functions)
    (bundle,) = shown
    assert bundle["text/plain"].startswith(f"{names} not attempted")
    assert "\n" not in bundle["text/plain"]


def broken_gae(answer: Callable[[Tensor], Any]) -> Callable[..., Any]:
    return lambda rewards, *rest, **settings: answer(returns.gae(rewards, *rest, **settings))


def broken_losses(answer: Callable[[Tensor, Tensor], Any]) -> Callable[..., Any]:
    return lambda *inputs, ent_coef: answer(*losses(*inputs, ent_coef=ent_coef))


@pytest.mark.parametrize(
    ("functions", "words"),
    [
        ({"gae": broken_gae(lambda a: None)}, "`gae` returned NoneType"),
        ({"gae": broken_gae(lambda a: a.numpy())}, "`gae` returned ndarray"),
        ({"gae": broken_gae(lambda a: a.mean())}, "`gae` returned shape [] for [16, 8]"),
        ({"gae": broken_gae(lambda a: a.flatten())}, "`gae` returned shape [128] for [16, 8]"),
        ({"gae": broken_gae(lambda a: a / 0)}, "`gae` returned numbers that are NaN or infinite"),
        ({"gae": lambda rewards: rewards}, "`gae` raised TypeError"),
        ({"a2c_losses": broken_losses(lambda p, v: p + v)}, "`a2c_losses` returned Tensor; let it return two losses"),
        ({"a2c_losses": broken_losses(lambda p, v: (p, v, p))}, "`a2c_losses` returned 3 parts"),
        ({"a2c_losses": broken_losses(lambda p, v: (p.item(), v))}, "The policy loss of `a2c_losses` is a float"),
        ({"a2c_losses": broken_losses(lambda p, v: (p, v.expand(4)))}, "value loss of `a2c_losses` is a tensor of shape"),
        ({"a2c_losses": broken_losses(lambda p, v: (p.detach(), v))}, "The policy loss of `a2c_losses` has no gradient"),
        ({"a2c_losses": broken_losses(lambda p, v: (p, v.detach()))}, "The value loss of `a2c_losses` has no gradient"),
        ({"a2c_losses": broken_losses(lambda p, v: (p * math.nan, v))}, "The policy loss of `a2c_losses` is nan"),
        ({"a2c_losses": lambda *inputs, ent_coef: 1 / 0}, "`a2c_losses` raised ZeroDivisionError"),
        ({"true_next_observations": lambda *inputs: inputs[2][0]}, "`true_next_observations` returned shape [4] for [8, 4]"),
        ({"true_next_observations": lambda next_obs, done, final_obs: torch.where(done, final_obs, next_obs)}, "raised Runt"),
        ({"true_next_observations": lambda *inputs: inputs[0] * math.inf}, "NaN or infinite"),
    ],
)  # fmt: skip
def test_a_function_that_does_not_fit_is_said_of_it_before_any_episode(functions: dict[str, Any], words: str) -> None:
    result = outcome(**functions)
    assert result.status == "broken"
    assert words in result.sentence
    assert "\n" not in result.sentence
    assert len(result.returns) == 0


def test_an_error_half_way_gives_the_curve_so_far() -> None:
    calls = []

    def fails_later(*inputs: Any, **settings: Any) -> Tensor:
        calls.append(1)
        if len(calls) > 8:
            raise IndexError("list index out of range")
        return returns.gae(*inputs, **settings)

    result = outcome(fails_later, num_episodes=200)
    assert result.status == "broken"
    assert result.sentence.startswith("`gae` raised IndexError: list index out of range.")
    assert len(result.returns) > 0
    assert f"{len(result.returns)} episodes before that" in result.sentence


def test_losses_that_teach_nothing_are_recognised() -> None:
    result = outcome(a2c_losses=broken_losses(lambda p, v: (0 * p, v)))
    assert result.status == "trained"
    assert "the very weights it began with" in result.sentence
    assert "log_prob" in result.sentence


def test_advantages_with_a_gradient_do_no_harm() -> None:
    attached = broken_gae(lambda a: a.clone().requires_grad_())
    np.testing.assert_array_equal(outcome(attached).returns, outcome().returns)


def test_a_run_that_takes_too_long_is_stopped_with_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "TRAIN_SECONDS", 0.0)
    assert "the time was up, at " in outcome(num_episodes=400).sentence


def test_losses_in_double_precision_train_too() -> None:
    assert outcome(a2c_losses=broken_losses(lambda p, v: (p.double(), v.double()))).status == "trained"


def test_final_observations_in_every_row_change_the_training() -> None:
    # Rows of running episodes hold nothing there, as in Gymnasium, so the critic would judge them by nothing.
    spoilt = outcome(true_next_observations=lambda next_obs, done, final_obs: final_obs, num_episodes=60)
    assert not np.array_equal(spoilt.returns[:60], outcome(num_episodes=60).returns[:60])


def test_writing_into_next_obs_spoils_the_run_and_is_named_as_the_cause() -> None:
    def in_place(next_obs: Tensor, done: Tensor, final_obs: Tensor) -> Tensor:
        next_obs[done] = final_obs[done]
        return next_obs

    result = outcome(true_next_observations=in_place, num_episodes=60)
    assert result.status == "trained"
    assert result.returns[8:].mean() < 5  # the environments go on from states that are over
    assert "far below a random agent's" in result.sentence
    assert "`true_next_observations` writes into its input `next_obs`" in result.sentence
    assert "signs in `a2c_losses`" not in result.sentence  # nobody else is blamed


def test_a_gae_that_writes_into_the_rewards_is_told_so_although_it_learns() -> None:
    def in_place(rewards: Tensor, *rest: Tensor, **settings: float) -> Tensor:
        return rewards.copy_(returns.gae(rewards, *rest, **settings))

    result = outcome(in_place)
    assert result.sentence.count("`gae` writes into its input `rewards`") == 1


def test_a_flipped_sign_learns_nothing_and_says_where_to_look() -> None:
    result = outcome(a2c_losses=broken_losses(lambda p, v: (-p, v)), num_episodes=100)
    assert "hardly learnt" in result.sentence
    assert "signs in `a2c_losses`" in result.sentence


REFERENCE = {"x": [10, 20], "mean": [22.0, 30.0], "low": [20.0, 24.0], "high": [25.0, 36.0], "n": 10, "window": 50}


def test_the_page_shows_curve_gif_and_sentence(shown: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "load_claims", lambda name: {"curves": {"cartpole": REFERENCE}})
    monkeypatch.setattr(engine, "GIF_STEPS", 20)
    finale.a2c(gae=returns.gae, a2c_losses=losses, true_next_observations=true_next, num_episodes=24)
    curve, gif, sentence = shown
    assert "interquartile mean of the reference" in curve["text/html"]
    assert "image/png" in curve
    assert "image/gif" in gif
    assert "the reference's interval is 24 to 36" in sentence["text/plain"]
