"""The engine of the finales: a limit for every clock, the curve as far as it got, and what the page shows of it."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pgcourse import losses, ppo
from pgcourse.checks.exercise import get
from pgcourse.networks import CategoricalPolicy, GaussianPolicy
from pgcourse.show import finale
from pgcourse.show.finale import engine
from pgcourse.show.page.style import COLOURS

REFERENCE = {
    "x": [10, 20], "mean": [22.0, 30.0], "low": [20.0, 24.0], "high": [25.0, 36.0], "n": 10, "window": 50,
}  # fmt: skip


def update(*arguments: Any, **keywords: Any) -> Any:
    return get("reinforce_update").reference(*arguments, **keywords)


def plan_of(update_fn: Callable[..., Any] = update, *, num_episodes: int = 16) -> engine.Plan:
    return finale.reinforce_plan(CategoricalPolicy, update_fn, num_episodes=num_episodes, seed=0)


def after(calls_before: int, action: Callable[[], Any]) -> Callable[..., Any]:
    """An update that is right for so many calls, and does something else from then on."""
    calls = []

    def function(*arguments: Any, **keywords: Any) -> Any:
        calls.append(1)
        return update(*arguments, **keywords) if len(calls) <= calls_before else action()

    return function


def raising(error: BaseException) -> Callable[[], Any]:
    def action() -> Any:
        raise error

    return action


def test_an_error_half_way_gives_the_curve_so_far_and_names_the_function() -> None:
    result = engine.run(plan_of(after(4, raising(IndexError("list index out of range\nand more"))), num_episodes=80))
    assert result.status == "broken" and len(result.returns) == 12  # one call was the probe, so 3 updates of 4 episodes
    error = "`reinforce_update` raised IndexError: list index out of range."
    assert result.sentence == f"{error} The curve shows the 12 episodes before that."


def test_an_error_of_the_policy_half_way_gives_the_curve_so_far() -> None:
    class Fragile(GaussianPolicy):
        def forward(self, obs: Any) -> Any:
            if len(updates) > 1:
                raise IndexError("list index out of range\nand more")
            return super().forward(obs)

    updates: list[int] = []
    plan = finale.continuous_ppo_plan(Fragile, last_step=10**6)

    def train(policy: Any, on_iteration: Any) -> Any:
        def watch(progress: Any) -> bool:
            updates.append(progress.iteration)
            return bool(on_iteration(progress))

        return ppo.train(ppo.PENDULUM, policy=policy, on_iteration=watch)

    result = engine.run(replace(plan, train=train))
    assert result.status == "broken"
    assert "IndexError: list index out of range." in result.sentence and "and more" not in result.sentence
    assert f"The curve shows the {len(result.returns)} episodes before that." in result.sentence
    assert len(result.returns) == 2 * ppo.PENDULUM.num_envs


@pytest.mark.parametrize(("error", "status", "words"), [
    (NotImplementedError("discounted_returns: write your code"), "not attempted", "`discounted_returns`: not attempted"),
    (SystemExit(3), "broken", "`reinforce_update` raised SystemExit: 3"),
])  # fmt: skip
def test_a_stub_is_named_and_an_exit_is_an_error(error: BaseException, status: str, words: str) -> None:
    result = engine.run(plan_of(after(0, raising(error))))
    assert result.status == status and result.sentence.startswith(words)


def test_an_endless_loop_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless() -> Any:
        while True:
            time.sleep(0.01)

    monkeypatch.setattr(engine, "HARD_SECONDS", 0.3)
    result = engine.run(plan_of(after(0, endless)))
    assert result.status == "broken" and "look for an endless loop" in result.sentence


@pytest.mark.parametrize(("plan", "most"), [
    (lambda: plan_of(num_episodes=400), "at 4 of 400 episodes"),
    (lambda: finale.ppo_plan(losses.ppo_clip_loss, None, total_timesteps=4096, seed=0), "at 1,024 of 4,096 steps"),
    (lambda: finale.continuous_ppo_plan(GaussianPolicy), " of 60,000 steps"),
])  # fmt: skip
def test_a_slow_run_is_stopped_with_what_it_has(plan: Any, most: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "TRAIN_SECONDS", 0.0)
    monkeypatch.setattr(engine, "HARD_SECONDS", 300.0)
    result = engine.run(plan())
    assert result.status == "trained" and len(result.returns) > 0
    assert "After 0 s of computing the time was up, at" in result.sentence and most in result.sentence


def slowly(*arguments: Any, **keywords: Any) -> Any:
    time.sleep(0.2)  # as on a machine that is busy with something else
    return update(*arguments, **keywords)


def test_waiting_for_the_processor_does_not_count_as_computing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "HARD_SECONDS", 300.0)
    monkeypatch.setattr(engine, "WALL_FACTOR", 1000)
    plan = plan_of(slowly, num_episodes=12)
    outcome = engine.run(plan, seconds=0.55)  # 0.6 s and more by the clock
    assert len(outcome.returns) >= 12 and "the time was up" not in outcome.sentence
    # Yet nothing may sleep for ever, and no single call may.
    monkeypatch.setattr(engine, "WALL_FACTOR", 0)
    assert "the time was up, at 4 of 12 episodes" in engine.run(plan, seconds=300).sentence
    monkeypatch.setattr(engine, "HARD_SECONDS", 0.1)
    assert "look for an endless loop" in engine.run(plan, seconds=300).sentence


def test_the_clock_of_an_endless_call_starts_anew_with_each_update(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "HARD_SECONDS", 1.5)
    assert len(engine.run(plan_of(slowly, num_episodes=32), seconds=300).returns) >= 32  # 1.6 s and more in all


@pytest.mark.parametrize(
    ("plan", "flat", "middle", "good"),
    [(plan_of(), 25, 200, 480), (finale.continuous_ppo_plan(GaussianPolicy), -1230, -300, -170)],
)
def test_only_a_flat_curve_says_where_to_look(plan: engine.Plan, flat: float, middle: float, good: float) -> None:
    steps = np.full(100, plan.last_step)
    said = [engine.judge(plan, np.full(100, float(mean)), plan.advice, steps) for mean in (flat, middle, good)]
    assert "hardly learnt" in said[0] and plan.advice in said[0] and "It learns." in said[1]
    assert "Your own functions drove every update" in said[2] and str(good) in said[2]


def measured(monkeypatch: pytest.MonkeyPatch, **curves: Any) -> None:
    monkeypatch.setattr(engine, "load_claims", lambda name: {"curves": curves})


def test_the_reference_is_drawn_in_the_colour_of_its_algorithm(monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, no_baseline=REFERENCE, baseline=REFERENCE)
    with_baseline = finale.baseline_plan(None, num_episodes=16, seed=0)
    for plan, label, colour in (
        (plan_of(), "REINFORCE without baseline, 10 seeds", COLOURS["reinforce_no_baseline"]),
        (with_baseline, "REINFORCE with baseline, 10 seeds", COLOURS["reinforce"]),
    ):
        figure, _ = engine.curve_figure(plan, np.arange(16.0))
        drawn = {line.get_label(): line.get_color() for line in figure.axes[0].get_lines()}
        assert drawn == {label: colour, "yours, one seed": COLOURS["learner"]}


def test_without_the_measured_band_the_caption_says_that_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch)
    assert "is not measured in this copy" in engine.curve_figure(plan_of(), np.arange(16.0))[1]


def test_by_environment_steps_episodes_that_end_together_are_one_point(monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, cartpole=REFERENCE)
    plan = finale.ppo_plan(losses.ppo_clip_loss, None, total_timesteps=1000, seed=0)
    figure, _ = engine.curve_figure(plan, np.arange(4.0), np.array([100, 250, 250, 900]))
    (ax,) = figure.axes
    lines = {line.get_label(): line for line in ax.get_lines()}
    assert ax.get_xlabel() == "environment steps"
    np.testing.assert_array_equal(lines["yours, one seed"].get_xdata(), [100, 250, 900])
    np.testing.assert_allclose(lines["yours, one seed"].get_ydata(), [0.0, 1.0, 1.5])
    np.testing.assert_array_equal(lines["PPO, 10 seeds"].get_xdata(), REFERENCE["x"])


def test_the_alt_text_says_what_is_drawn(shown: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, no_baseline=REFERENCE | {"window": 4})
    returns = np.array([10.0, 20.0, 30.0, 40.0, 100.0, 100.0, 100.0, 102.0])
    plan = plan_of()
    engine.present(plan, engine.Outcome("trained", engine.judge(plan, returns, ""), returns))
    picture, sentence = shown
    assert "Your learning curve over 8 episodes, from 10 at first to 100." in picture["text/html"]
    assert sentence["text/plain"].startswith("The last 4 of 8 episodes returned 100 on average")
