"""The finale of unit 05: a learner's Gaussian policy drives PPO on Pendulum, with a sentence whatever it does."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Independent, Normal

from pgcourse import ppo
from pgcourse.networks import GaussianPolicy
from pgcourse.show import finale
from pgcourse.show.finale import engine, validation

ROLLOUT = ppo.PENDULUM.num_envs * ppo.PENDULUM.num_steps  # steps of one update; each environment ends one episode


class Policy(nn.Module):
    """A right answer to `gaussian_policy` whose parts a test replaces."""

    def __init__(self, obs_dim: int, action_dim: int) -> None:
        super().__init__()
        self.layer = nn.Linear(obs_dim, action_dim)
        self.log_std = nn.Parameter(torch.zeros(action_dim))
        self.calls = 0

    def distribution(self, mean: Tensor, std: Tensor) -> Any:
        return Independent(Normal(mean, std), 1)

    def forward(self, obs: Tensor) -> Any:
        self.calls += 1
        return self.distribution(self.layer(obs), self.log_std.exp())


def changed(**methods: Any) -> type[Policy]:
    return type("Changed", (Policy,), methods)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine even a short run may take long; only the test of the limit is about seconds."""
    monkeypatch.setattr(engine, "TRAIN_SECONDS", 300.0)
    monkeypatch.setattr(engine, "HARD_SECONDS", 300.0)


def stub(*arguments: Any) -> Any:
    raise NotImplementedError("gaussian_policy: write your code here, then run the check below")


def outcome(make: Callable[..., Any] | None = GaussianPolicy, *, updates: int = 1, seed: int = 0) -> engine.Outcome:
    return engine.run(finale.continuous_ppo_plan(make, last_step=updates * ROLLOUT, seed=seed))


def test_a_right_answer_gives_the_very_curve_of_the_package() -> None:
    ours = outcome(updates=2, seed=3)
    config = replace(ppo.PENDULUM, seed=3)
    same_start = validation.seeded_policy("p", lambda: GaussianPolicy(3, 1), 3, 3)
    theirs = ppo.train(config, policy=same_start, on_iteration=lambda progress: progress.iteration == 2)
    assert ours.status == "trained" and "the time was up" not in ours.sentence
    np.testing.assert_array_equal(ours.returns, theirs.episodes["episodic_return"])
    np.testing.assert_array_equal(ours.env_steps, theirs.episodes["env_step"])


def test_the_same_seed_gives_the_same_curve_and_another_seed_another() -> None:
    first, again, other = (outcome(seed=seed).returns for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("make", [None, stub])
def test_an_untouched_policy_is_named_in_one_line_and_nothing_is_trained(make: Any, shown: list[Any]) -> None:
    finale.continuous_ppo(gaussian_policy=make)
    (bundle,) = shown
    assert bundle["text/plain"].startswith("`gaussian_policy`: not attempted")
    assert "\n" not in bundle["text/plain"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda obs_dim, action_dim: None, "`gaussian_policy` returned NoneType; let it return an nn.Module"),
        (nn.Linear, "gave Tensor; let its forward return a distribution"),
        (lambda obs_dim, action_dim: Policy(4, 1), "`forward of gaussian_policy` raised RuntimeError"),
        (lambda obs_dim, action_dim: Policy(3, 2), "gives actions of shape [2, 2] and log-probabilities of shape [2]"),
        (
            changed(distribution=lambda self, mean, std: Normal(mean, std)),
            "log-probabilities of shape [2, 1]; expected",
        ),
        (changed(distribution=lambda self, mean, std: Normal(mean[:, 0], std)), "gives actions of shape [2]"),
        (lambda obs_dim: None, "`gaussian_policy` raised TypeError"),
        (lambda obs_dim, action_dim: 1 / 0, "`gaussian_policy` raised ZeroDivisionError: division by zero"),
    ],
)
def test_a_policy_that_does_not_fit_is_said_of_the_policy(make: Any, message: str) -> None:
    result = outcome(make)
    assert result.status == "broken"
    assert message in result.sentence
    assert len(result.returns) == 0


def test_an_error_half_way_gives_the_curve_so_far() -> None:
    config = ppo.PENDULUM
    steps_to_learn = config.update_epochs * math.ceil(ROLLOUT / config.minibatch_size)
    first_update = config.num_steps + 1 + steps_to_learn  # calls to act, for log_prob, and to learn

    def fails_later(self: Policy, obs: Tensor) -> Any:
        if self.calls > first_update + 10:
            raise IndexError("list index out of range\nand more")
        return Policy.forward(self, obs)

    result = outcome(changed(forward=fails_later), updates=3)
    assert result.status == "broken"
    assert "IndexError: list index out of range" in result.sentence and "and more" not in result.sentence
    assert len(result.returns) == ppo.PENDULUM.num_envs
    assert f"{ppo.PENDULUM.num_envs} episodes before that" in result.sentence


def test_weights_that_become_nan_stop_the_run_and_the_last_good_ones_are_kept() -> None:
    def poisoned(self: Policy, obs: Tensor) -> Any:
        if self.calls == 250:
            with torch.no_grad():
                self.layer.bias.fill_(math.nan)
        self.calls += 1
        return Independent(Normal(self.layer(obs), self.log_std.exp(), validate_args=False), 1, validate_args=False)

    result = outcome(changed(forward=poisoned), updates=3)
    assert result.status == "broken"
    assert "NaN or infinite" in result.sentence
    assert result.policy is not None
    assert all(bool(parameter.isfinite().all()) for parameter in result.policy.parameters())


def test_a_policy_that_does_not_learn_is_recognised() -> None:
    result = outcome(changed(distribution=lambda self, mean, std: Independent(Normal(mean * 0, std * 0 + 1), 1)))
    assert result.status == "trained"
    assert "the very weights it began with" in result.sentence


def test_a_policy_without_gradients_gets_a_sentence() -> None:
    result = outcome(lambda obs_dim, action_dim: Policy(obs_dim, action_dim).requires_grad_(False))
    assert "the very weights it began with: are the mean and the standard deviation computed" in result.sentence


def test_a_spread_that_cannot_learn_is_mentioned() -> None:
    result = outcome(changed(distribution=lambda self, mean, std: Independent(Normal(mean, std.detach()), 1)))
    assert result.status == "trained"
    assert "no gradient reaches your standard deviation" in result.sentence
    assert "no gradient reaches" not in outcome(Policy).sentence


def test_a_run_that_takes_too_long_is_stopped_with_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "TRAIN_SECONDS", 0.0)
    result = outcome(updates=3)
    assert result.status == "trained"
    assert len(result.returns) == ppo.PENDULUM.num_envs
    assert "After 0 s of computing the time was up, at" in result.sentence


def test_negative_returns_are_judged_against_the_random_agent_of_pendulum() -> None:
    plan = finale.continuous_ppo_plan(GaussianPolicy)
    steps = np.full(100, plan.last_step)
    flat = engine.verdict(plan, np.full(100, -1230.0), plan.advice, steps)
    assert "hardly learnt" in flat and plan.advice in flat
    assert "It learns." in engine.verdict(plan, np.full(100, -300.0), plan.advice, steps)
    good = engine.verdict(plan, np.full(100, -170.0), plan.advice, steps)
    assert "Your own functions drove every update" in good


REFERENCE = {
    "x": [0, ROLLOUT, 2 * ROLLOUT],
    "mean": [-1200.0, -1100.0, -900.0],
    "low": [-1250.0, -1150.0, -1000.0],
    "high": [-1150.0, -1050.0, -800.0],
    "n": 10,
    "window": 10,
}


def test_the_page_shows_curve_gif_and_sentence_by_steps(shown: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "load_claims", lambda name: {"curves": {"pendulum": REFERENCE}})
    monkeypatch.setattr(engine, "GIF_STEPS", 10)
    finale.continuous_ppo(gaussian_policy=GaussianPolicy, last_step=ROLLOUT)
    curve, gif, sentence = shown
    assert "interquartile mean of the reference" in curve["text/html"]
    assert "image/gif" in gif
    assert "the reference's interval is -1150 to -1050" in sentence["text/plain"]


def test_the_curve_is_drawn_over_environment_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "load_claims", lambda name: {"curves": {"pendulum": REFERENCE}})
    plan = finale.continuous_ppo_plan(GaussianPolicy)
    together = np.array([ROLLOUT, ROLLOUT, 2 * ROLLOUT])  # two environments end at once: one point
    figure, _ = engine.curve_figure(plan, np.array([-1200.0, -1100.0, -900.0]), together)
    (ax,) = figure.axes
    drawn = {line.get_label(): line.get_xdata() for line in ax.get_lines()}
    (yours,) = (line.get_ydata() for line in ax.get_lines() if line.get_label() == "yours, one seed")
    np.testing.assert_allclose(yours, [-1150.0, -1200.0 / 3 - 1100 / 3 - 900 / 3])
    assert ax.get_xlabel() == "environment steps"
    np.testing.assert_array_equal(drawn["yours, one seed"], [ROLLOUT, 2 * ROLLOUT])
    np.testing.assert_array_equal(drawn["PPO, 10 seeds"], REFERENCE["x"])


def test_without_the_measured_band_the_caption_says_that_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "load_claims", lambda name: {"curves": {}})
    plan = finale.continuous_ppo_plan(GaussianPolicy)
    _, caption = engine.curve_figure(plan, np.full(4, -1200.0), np.arange(4))
    assert "is not measured in this copy" in caption
