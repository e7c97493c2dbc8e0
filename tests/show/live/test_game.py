"""The game starts with its button, keeps the clock, ends by itself, and costs nothing where nobody plays."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import gymnasium
import pytest
from PIL import Image

from pgcourse import reinforce
from pgcourse.errors import InvalidInput
from pgcourse.evaluation import evaluate
from pgcourse.show.live import game as game_module
from pgcourse.show.live.game import Game, encode, rivals

PICTURE = encode([[[255, 255, 255]]])


def in_a_loop(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run it as a kernel would, and make sure that no task is left behind."""

    async def run() -> None:
        await scenario()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


def play_to_the_end(game: Game) -> None:
    async def scenario() -> None:
        game.start.click()
        assert game.running and game.start.disabled and not game.stop.disabled
        await asyncio.wait_for(game.task or asyncio.sleep(0), timeout=60)

    in_a_loop(scenario)


def test_showing_the_game_starts_nothing(shown: list[Any]) -> None:
    async def scenario() -> None:
        game_module.play()
        await asyncio.sleep(0)

    in_a_loop(scenario)
    (bundle,) = shown
    assert set(bundle) == {"text/html", "image/jpeg", "text/plain"}
    assert "Run this cell in JupyterLab to play" in bundle["text/html"]


def test_a_cart_that_is_pushed_one_way_only_falls_and_the_game_ends_by_itself() -> None:
    game = Game("CartPole-v1", 20.0, PICTURE)
    play_to_the_end(game)
    # Pushed to one side, the pole falls within 8 to 11 steps from any start state.
    assert 7 <= game.steps <= 12 and game.score == game.best == game.steps
    assert "the episode has ended" in game.text.value and game.env is None
    assert game.stop.disabled and not game.start.disabled


@pytest.mark.usefixtures("balanced")
@pytest.mark.parametrize(("speed", "least", "most"), [("true speed", 8, 26), ("half speed", 3, 13)])
def test_steps_keep_the_clock_of_the_environment_at_each_speed(speed: str, least: int, most: int) -> None:
    game = Game("CartPole-v1", 0.5, PICTURE)
    game.speed.label = speed
    play_to_the_end(game)
    assert "the time is over" in game.text.value
    # 50 steps a second and never faster; generous below, as a busy machine may drop the last ones.
    assert least <= game.steps <= most


def test_buttons_and_arrow_keys_choose_the_same_push() -> None:
    game = Game("CartPole-v1", 20.0, PICTURE)
    assert [button.description for button in game.buttons] == ["Left", "Right"]
    for number in (1, 0):
        game.buttons[number].click()
        assert (game.push.value, game.push.label) == (number, ["Left", "Right"][number])


@pytest.mark.usefixtures("balanced")
def test_the_picture_moves_and_the_score_stands_beside_the_random_agent() -> None:
    game = Game("CartPole-v1", 0.3, PICTURE)
    pictures: set[bytes] = set()
    game.image.observe(lambda change: pictures.add(change["new"]), names="value")
    play_to_the_end(game)
    assert len(pictures) >= 3 and Image.open(io.BytesIO(game.image.value)).size == (600, 400)
    random_mean = evaluate(None, "CartPole-v1", num_episodes=100, seed=0).mean
    assert f"A random agent: {random_mean:.1f}, PPO of unit 04: 500, on average of 100 episodes" in game.text.value
    assert f"<strong>{game.score:.0f}</strong>" in game.text.value


@pytest.mark.usefixtures("balanced")
def test_stop_ends_the_game_and_start_begins_a_new_one() -> None:
    game = Game("CartPole-v1", 60.0, PICTURE)

    async def scenario() -> None:
        for number in (1, 2):
            game.start.click()
            game.start.click()  # a second press is ignored
            await asyncio.sleep(0.1)
            game.stop.click()
            assert game.task is not None
            await asyncio.wait({game.task}, timeout=5)
            assert "you stopped it" in game.text.value and game.games == number

    in_a_loop(scenario)


def test_an_environment_that_breaks_down_ends_the_game_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    game = Game("CartPole-v1", 20.0, PICTURE)
    monkeypatch.setattr(game_module, "make_single_env", Mock(side_effect=OSError("no display")))
    play_to_the_end(game)
    assert "it cannot go on: OSError: no display" in game.text.value and not game.start.disabled


def test_the_pendulum_is_played_with_five_forces_and_begins_without_one() -> None:
    game = Game("Pendulum-v1", 0.3, PICTURE)
    assert [button.description for button in game.buttons] == ["-2", "-1", "0", "+1", "+2"]
    assert game.push.label == "0"
    game.buttons[4].click()
    assert game.moves.actions[game.push.value].tolist() == [2.0]
    play_to_the_end(game)
    assert game.steps > 1 and game.score < 0 and "PPO of unit 05: -17" in game.text.value


def test_the_learners_own_agent_is_the_rival_where_one_is_given() -> None:
    policy = reinforce.train(replace(reinforce.CARTPOLE, num_episodes=8)).policy
    words = rivals("CartPole-v1", policy)
    mean = evaluate(policy, "CartPole-v1", num_episodes=100, seed=0).mean
    assert f"the trained agent: {mean:.1f}, on average of 100 episodes." in words


def test_actions_that_fit_on_no_buttons_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    env = SimpleNamespace(action_space=gymnasium.spaces.Box(-1.0, 1.0, (2,)), close=lambda: None)
    monkeypatch.setattr(game_module, "make_single_env", lambda env_id: env)
    with pytest.raises(InvalidInput, match="choose one with a few discrete actions, or one bounded force"):
        Game("Walker-v0", 20.0, PICTURE)


@pytest.mark.parametrize(
    ("env_id", "seconds", "message"),
    [("Nothing-v0", 20.0, "no environment 'Nothing-v0'"), ("CartPole-v1", 0.0, "seconds=0.0 is not positive")],
)
def test_a_game_that_cannot_be_played_is_refused(env_id: str, seconds: float, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        Game(env_id, seconds, PICTURE)


@pytest.fixture
def balanced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pole stay up whatever is pushed, so that a test can measure time."""
    original = game_module.make_single_env

    def make(env_id: str, *, render_mode: str | None = None) -> Any:
        env = original(env_id, render_mode=render_mode)
        if render_mode is not None:
            env.unwrapped.theta_threshold_radians = env.unwrapped.x_threshold = 1e9
        return env

    monkeypatch.setattr(game_module, "make_single_env", make)
