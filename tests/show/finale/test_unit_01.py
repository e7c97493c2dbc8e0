"""The finale trains with the learner's functions, and answers with a curve and a sentence in any case."""

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
from pgcourse.networks import CategoricalPolicy
from pgcourse.returns import discounted_returns, normalize
from pgcourse.rollout import Episode
from pgcourse.show import finale
from pgcourse.show.finale import engine, validation


def update(policy: nn.Module, optimizer: torch.optim.Optimizer, episodes: list[Episode], *, gamma: float) -> float:
    """A right answer to the last exercise of unit 01."""
    obs = torch.cat([episode.obs for episode in episodes])
    actions = torch.cat([episode.actions for episode in episodes])
    weight = normalize(torch.cat([discounted_returns(episode.rewards, gamma=gamma) for episode in episodes]))
    loss = losses.reinforce_loss(policy(obs).log_prob(actions), weight)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def stub(*arguments: Any, **keywords: Any) -> Any:
    raise NotImplementedError("reinforce_update: write your code here, then run the check below")


def outcome(
    make_policy: Callable[..., Any] | None = CategoricalPolicy,
    update_fn: Callable[..., Any] | None = update,
    *,
    num_episodes: int = 16,
    seed: int = 0,
) -> engine.Outcome:
    return engine.run(finale.reinforce_plan(make_policy, update_fn, num_episodes=num_episodes, seed=seed))


def test_a_right_answer_gives_the_very_curve_of_the_package() -> None:
    # The learner's update does not clip; the optimiser does it, so the curves can be compared.
    ours = outcome(num_episodes=60, seed=3)
    config = replace(reinforce.CARTPOLE_NO_BASELINE, num_episodes=60, seed=3)
    with_same_start = reinforce.train(
        config, policy=validation.seeded_policy("p", lambda: CategoricalPolicy(4, 2), 4, 3)
    )
    assert ours.status == "trained"
    np.testing.assert_array_equal(ours.returns, with_same_start.episodes["episodic_return"])


def test_the_same_seed_gives_the_same_curve_and_another_seed_another() -> None:
    first, again, other = (outcome(seed=seed).returns for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first[:16], other[:16])


@pytest.mark.parametrize(
    ("make_policy", "update_fn", "names"),
    [
        (CategoricalPolicy, stub, "`reinforce_update`:"),
        (CategoricalPolicy, None, "`reinforce_update`:"),
        (None, update, "`policy_network`:"),
        (None, None, "`policy_network`, `reinforce_update`:"),
    ],
)
def test_an_untouched_function_is_named_in_one_line_and_nothing_is_trained(
    make_policy: Any, update_fn: Any, names: str, shown: list[dict[str, Any]]
) -> None:
    finale.reinforce(policy_network=make_policy, reinforce_update=update_fn)
    (bundle,) = shown
    assert bundle["text/plain"].startswith(f"{names} not attempted")
    assert "\n" not in bundle["text/plain"]


def test_a_stub_that_the_update_calls_is_the_one_that_is_named() -> None:
    def calls_a_stub(*arguments: Any, **keywords: Any) -> float:
        raise NotImplementedError("discounted_returns: write your code here, then run the check below")

    result = outcome(update_fn=calls_a_stub)
    assert result.status == "not attempted"
    assert result.sentence.startswith("`discounted_returns`: not attempted")


def test_an_error_half_way_gives_the_curve_so_far_and_names_the_function() -> None:
    calls = []

    def fails_later(*arguments: Any, gamma: float) -> float:
        calls.append(1)
        if len(calls) > 4:
            raise IndexError("list index out of range\nand more")
        return update(*arguments, gamma=gamma)

    result = outcome(update_fn=fails_later, num_episodes=80)
    assert result.status == "broken"
    assert len(result.returns) == 12  # one call was the probe, so 3 updates of 4 episodes
    assert result.sentence.startswith("`reinforce_update` raised IndexError: list index out of range.")
    assert "12 episodes before that" in result.sentence


def test_weights_that_become_nan_stop_the_run_and_the_last_good_ones_are_kept() -> None:
    def poison(policy: nn.Module, *arguments: Any, gamma: float) -> float:
        loss = update(policy, *arguments, gamma=gamma)
        with torch.no_grad():
            next(policy.parameters()).mul_(math.nan)
        return loss

    result = outcome(update_fn=poison)
    assert result.status == "broken"
    assert "NaN or infinite" in result.sentence
    assert result.policy is not None
    assert all(bool(parameter.isfinite().all()) for parameter in result.policy.parameters())
    assert len(result.returns) == 4


def test_a_loss_that_is_nan_is_said_of_the_loss() -> None:
    result = outcome(update_fn=lambda *arguments, gamma: update(*arguments, gamma=gamma) * math.nan)
    assert "`reinforce_update` returned nan" in result.sentence


def test_an_update_that_changes_nothing_is_recognised() -> None:
    result = outcome(update_fn=lambda *arguments, gamma: 0.0)
    assert result.status == "trained"
    assert "the very weights it began with" in result.sentence


def test_a_missing_return_value_trains_all_the_same_and_is_mentioned_once() -> None:
    def silent(*arguments: Any, gamma: float) -> None:
        update(*arguments, gamma=gamma)

    result = outcome(update_fn=silent)
    np.testing.assert_array_equal(result.returns, outcome().returns)
    assert result.sentence.count("returned NoneType where the loss is expected") == 1


@pytest.mark.parametrize(
    ("make_policy", "message"),
    [
        (lambda obs_dim, num_actions: None, "`policy_network` returned NoneType; let it return an nn.Module"),
        (nn.Linear, "gave Tensor; let its forward return a distribution"),
        (
            lambda obs_dim, num_actions: CategoricalPolicy(3, 2),
            "`forward of policy_network` raised RuntimeError",
        ),
        (lambda obs_dim: None, "`policy_network` raised TypeError"),
    ],
)
def test_a_policy_that_does_not_fit_is_said_of_the_policy(make_policy: Any, message: str) -> None:
    result = outcome(make_policy)
    assert result.status == "broken"
    assert message in result.sentence
    assert len(result.returns) == 0


def test_leaving_python_from_an_update_is_only_an_error() -> None:
    def leave(*arguments: Any, **keywords: Any) -> float:
        raise SystemExit(3)

    assert "raised SystemExit: 3" in outcome(update_fn=leave).sentence


def test_an_endless_loop_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "HARD_SECONDS", 0.6)

    def endless(*arguments: Any, **keywords: Any) -> float:
        while True:
            time.sleep(0.01)

    result = outcome(update_fn=endless)
    assert result.status == "broken"
    assert "look for an endless loop" in result.sentence


def test_a_run_that_takes_too_long_is_stopped_with_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "TRAIN_SECONDS", 0.0)
    result = outcome(num_episodes=400)
    assert result.status == "trained"
    assert len(result.returns) == 4
    assert "After 0 s of computing the time was up, at" in result.sentence


def test_a_flat_curve_says_where_to_look_and_a_good_one_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = finale.reinforce_plan(CategoricalPolicy, update, num_episodes=16, seed=0)
    assert plan.advice in engine.verdict(plan, np.full(100, 25.0), plan.advice)
    assert "It learns." in engine.verdict(plan, np.full(100, 200.0), plan.advice)
    good = engine.verdict(plan, np.full(100, 480.0), plan.advice)
    assert "Your own functions drove every update" in good
    assert "480" in good


REFERENCE = {
    "x": [10, 20],
    "mean": [22.0, 30.0],
    "low": [20.0, 24.0],
    "high": [25.0, 36.0],
    "n": 10,
    "window": 50,
}


def test_the_page_shows_curve_gif_and_sentence(shown: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "load_claims", lambda name: {"curves": {"no_baseline": REFERENCE}})
    monkeypatch.setattr(engine, "GIF_STEPS", 20)
    finale.reinforce(policy_network=CategoricalPolicy, reinforce_update=update, num_episodes=16)
    curve, gif, sentence = shown
    assert "interquartile mean of the reference" in curve["text/html"]
    assert "image/png" in curve
    assert "image/gif" in gif
    assert "the reference's interval is 24 to 36" in sentence["text/plain"]


def test_the_reference_is_drawn_in_the_colour_of_its_algorithm(monkeypatch: pytest.MonkeyPatch) -> None:
    from pgcourse.show.page.style import COLOURS

    monkeypatch.setattr(engine, "load_claims", lambda name: {"curves": {"no_baseline": REFERENCE}})
    plan = finale.reinforce_plan(CategoricalPolicy, update, num_episodes=16, seed=0)
    figure, _ = engine.curve_figure(plan, np.arange(16.0))
    drawn = {line.get_label(): line.get_color() for line in figure.axes[0].get_lines()}
    assert drawn == {
        "REINFORCE without baseline, 10 seeds": COLOURS["reinforce_no_baseline"],
        "yours, one seed": COLOURS["learner"],
    }


def test_without_the_measured_band_the_caption_says_that_it_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "load_claims", lambda name: {"curves": {}})
    plan = finale.reinforce_plan(CategoricalPolicy, update, num_episodes=16, seed=0)
    _, caption = engine.curve_figure(plan, np.arange(16.0))
    assert "is not measured in this copy" in caption
