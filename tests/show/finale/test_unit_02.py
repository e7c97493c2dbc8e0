"""The finale of unit 02: a right update gives the package's own curve, anything else gives a sentence."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from pgcourse import losses, reinforce
from pgcourse.returns import discounted_returns, normalize
from pgcourse.rollout import Episode
from pgcourse.show import finale
from pgcourse.show.finale import engine
from pgcourse.show.page.style import COLOURS


def update(
    policy: nn.Module,
    critic: nn.Module,
    policy_optimizer: torch.optim.Optimizer,
    critic_optimizer: torch.optim.Optimizer,
    episodes: list[Episode],
    *,
    gamma: float,
    critic_steps: int,
) -> tuple[float, float]:
    """A right answer to the last exercise of unit 02; it does not clip."""
    obs, actions, _ = (torch.cat(column) for column in zip(*episodes, strict=True))
    returns = torch.cat([discounted_returns(episode.rewards, gamma=gamma) for episode in episodes])
    advantages = normalize(returns - critic(obs).detach())
    policy_loss = losses.reinforce_loss(policy(obs).log_prob(actions), advantages)
    policy_optimizer.zero_grad()
    policy_loss.backward()
    policy_optimizer.step()
    for _ in range(critic_steps):
        value_loss = losses.value_loss(critic(obs), returns)
        critic_optimizer.zero_grad()
        value_loss.backward()
        critic_optimizer.step()
    return policy_loss.item(), value_loss.item()


def outcome(update_fn: Callable[..., Any] | None = update, *, num_episodes: int = 12, seed: int = 0) -> engine.Outcome:
    return engine.run(finale.baseline_plan(update_fn, num_episodes=num_episodes, seed=seed))


def test_a_right_answer_gives_the_very_curve_of_the_package() -> None:
    ours = outcome(num_episodes=60, seed=3)
    package = reinforce.train(replace(reinforce.CARTPOLE, num_episodes=60, seed=3))
    assert ours.status == "trained"
    np.testing.assert_array_equal(ours.returns, package.episodes["episodic_return"])
    assert "One more thing" not in ours.sentence


def test_the_seed_decides_the_curve() -> None:
    first, again, other = (outcome(seed=seed).returns for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_an_untouched_update_is_named_in_one_line_and_nothing_is_trained(shown: list[dict[str, Any]]) -> None:
    def stub(*arguments: Any, **keywords: Any) -> Any:
        raise NotImplementedError("baseline_update: write your code here, then run the check below")

    finale.baseline(baseline_update=stub)
    finale.baseline(baseline_update=None)
    assert [bundle["text/plain"] for bundle in shown] == [
        "`baseline_update`: not attempted. The finale runs once your functions are there; come back to it then."
    ] * 2


def test_a_stub_that_the_update_calls_is_the_one_that_is_named() -> None:
    def calls_a_stub(*arguments: Any, **keywords: Any) -> Any:
        raise NotImplementedError("value_loss: write your code here, then run the check below")

    assert outcome(calls_a_stub).sentence.startswith("`value_loss`: not attempted")


def test_an_error_half_way_gives_the_curve_so_far_and_names_the_function() -> None:
    calls = []

    def fails_later(*arguments: Any, **keywords: Any) -> tuple[float, float]:
        calls.append(1)
        if len(calls) > 3:
            raise ValueError("returns have shape [84], values [84, 1]")
        return update(*arguments, **keywords)

    result = outcome(fails_later, num_episodes=80)
    assert result.status == "broken"
    assert len(result.returns) == 8  # one call was the probe, so 2 updates of 4 episodes
    assert result.sentence.startswith("`baseline_update` raised ValueError: returns have shape [84], values [84, 1].")
    assert "8 episodes before that" in result.sentence


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda pair: (math.nan, pair[1]), "`baseline_update` returned nan"),
        (lambda pair: (pair[0], math.inf), "`baseline_update` returned inf"),
    ],
)
def test_a_loss_that_is_not_finite_is_said_of_the_update(change: Any, sentence: str) -> None:
    result = outcome(lambda *arguments, **keywords: change(update(*arguments, **keywords)))
    assert result.status == "broken" and sentence in result.sentence


@pytest.mark.parametrize(("which", "words"), [(0, "The policy's weights"), (1, "made the critic's weights NaN")])
def test_weights_that_become_nan_are_said_of_their_network(which: int, words: str) -> None:
    def poison(*arguments: Any, **keywords: Any) -> tuple[float, float]:
        pair = update(*arguments, **keywords)
        with torch.no_grad():
            next(arguments[which].parameters()).mul_(math.nan)
        return pair

    result = outcome(poison)
    assert result.status == "broken" and words in result.sentence
    assert len(result.returns) in (0, 4)


def test_an_update_that_changes_nothing_is_recognised() -> None:
    result = outcome(lambda *arguments, **keywords: (0.0, 0.0))
    assert result.status == "trained"
    assert "the very weights it began with" in result.sentence
    assert "every weight of the critic as it was" in result.sentence


def test_a_critic_that_is_never_fitted_is_mentioned_once_and_the_policy_trains_all_the_same() -> None:
    def without_critic(*arguments: Any, **keywords: Any) -> tuple[float, float]:
        policy, critic, policy_optimizer, _, episodes = arguments
        elsewhere = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
        return update(policy, critic, policy_optimizer, elsewhere, episodes, **keywords)

    result = outcome(without_critic)
    assert result.status == "trained" and len(result.returns) == 12
    assert result.sentence.count("every weight of the critic as it was") == 1
    assert "very weights it began with" not in result.sentence


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda pair: None, "returned NoneType where the policy's loss and the last value loss are expected"),
        (lambda pair: pair[0], "returned float where the policy's loss"),
        (lambda pair: (*pair, 0.0), "returned 3 values where the policy's loss"),
        (lambda pair: (pair[0], "small"), "returned str where the loss is expected"),
    ],
)
def test_other_return_values_train_all_the_same_and_are_mentioned_once(change: Any, words: str) -> None:
    result = outcome(lambda *arguments, **keywords: change(update(*arguments, **keywords)))
    np.testing.assert_array_equal(result.returns, outcome().returns)
    assert result.sentence.count(words) == 1


def test_tensors_and_lists_are_as_good_as_floats() -> None:
    result = outcome(lambda *arguments, **keywords: [torch.tensor(x) for x in update(*arguments, **keywords)])
    np.testing.assert_array_equal(result.returns, outcome().returns)
    assert "One more thing" not in result.sentence


def test_a_critic_in_another_shape_is_refused_by_name_not_broadcast() -> None:
    def column(policy: nn.Module, critic: nn.Module, *arguments: Any, **keywords: Any) -> tuple[float, float]:
        values = critic(torch.zeros(3, 4))[:, None]
        losses.value_loss(values, torch.zeros(3))
        return update(policy, critic, *arguments, **keywords)

    result = outcome(column)
    assert result.status == "broken"
    assert result.sentence.startswith("`baseline_update` raised ValueError: values and returns have shapes [3, 1]")


def test_an_endless_loop_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "HARD_SECONDS", 0.6)

    def endless(*arguments: Any, **keywords: Any) -> tuple[float, float]:
        while True:
            time.sleep(0.01)

    result = outcome(endless)
    assert result.status == "broken" and "look for an endless loop" in result.sentence


def test_the_page_shows_the_curve_on_the_measured_band_the_agent_and_the_sentence(
    shown: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "GIF_STEPS", 20)
    finale.baseline(baseline_update=update, num_episodes=16)
    curve, gif, sentence = shown
    assert "interquartile mean of the reference" in curve["text/html"]
    assert "image/png" in curve and "image/gif" in gif
    assert "the reference's interval is" in sentence["text/plain"]


def test_the_reference_is_reinforce_with_baseline_in_its_colour() -> None:
    plan = finale.baseline_plan(update, num_episodes=16, seed=0)
    figure, _ = engine.curve_figure(plan, np.arange(16.0))
    (reference, learner) = figure.axes[0].get_lines()
    assert (reference.get_label(), reference.get_color()) == ("REINFORCE with baseline, 10 seeds", COLOURS["reinforce"])
    assert learner.get_color() == COLOURS["learner"]
    assert engine.reference_curve(plan) is not None
