"""Copies of a policy on the way are frozen moments, and the GIF shows them side by side."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from pgcourse import reinforce
from pgcourse.errors import InvalidInput
from pgcourse.networks import CategoricalPolicy
from pgcourse.show.live.stages import stages_gif, train_with_stages

CONFIG = replace(reinforce.CARTPOLE, num_episodes=40, num_envs=4, baseline=False)


def test_stages_are_copies_that_differ_and_the_last_is_the_result() -> None:
    result, policies = train_with_stages(reinforce.train, CONFIG, at=(0, 8, 24), by="episode")
    assert list(policies) == ["random", "8 episodes", "24 episodes", "end, 40 episodes"]
    assert policies["random"] is None and policies["end, 40 episodes"] is result.policy
    early, later = policies["8 episodes"], policies["24 episodes"]
    assert early is not None and later is not None
    weights = [torch.cat([p.flatten() for p in policy.parameters()]) for policy in (early, later, result.policy)]
    assert not torch.equal(weights[0], weights[1]) and not torch.equal(weights[1], weights[2])


def test_a_stage_is_the_policy_that_a_shorter_run_ends_with() -> None:
    _, policies = train_with_stages(reinforce.train, CONFIG, at=(3,))
    shorter = reinforce.train(replace(CONFIG, num_episodes=12))
    stage = policies["3 updates"]
    assert stage is not None
    for ours, theirs in zip(stage.parameters(), shorter.policy.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_the_learners_own_callback_still_stops_the_run_and_later_stages_are_left_out() -> None:
    options = {"at": (2, 9), "on_iteration": lambda progress: progress.iteration == 4}
    result, policies = train_with_stages(reinforce.train, CONFIG, **options)
    assert len(result.episodes) == 16 and list(policies) == ["2 updates", "end, 16 episodes"]


def test_steps_are_counted_too() -> None:
    _, policies = train_with_stages(reinforce.train, CONFIG, at=(50,), by="env_step")
    assert next(iter(policies)) == "50 steps"


@pytest.mark.parametrize(("keywords", "message"), [
    ({"at": ()}, "give ascending numbers of updates"),
    ({"at": (5, 5)}, "ascending"),
    ({"at": (9, 2)}, "ascending"),
    ({"at": (-1, 2)}, "ascending"),
    ({"at": (1,), "by": "second"}, "by='second' is not allowed"),
])  # fmt: skip
def test_stages_that_make_no_sense_are_refused_before_training(keywords: dict, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        train_with_stages(lambda *args, **more: pytest.fail("trained"), CONFIG, **keywords)


def test_the_gif_shows_the_agents_side_by_side_at_true_speed_and_stays_small(tmp_path: Path) -> None:
    policies = {"random": None, "untrained": CategoricalPolicy(4, 2)}
    path = stages_gif(policies, "CartPole-v1", tmp_path / "stages.gif", seed=0, max_steps=60, tile_width=300)
    gif = Image.open(path)
    assert gif.width == 2 * 300 and gif.is_animated and path.stat().st_size < 1_000_000
    assert gif.info["duration"] == 40  # ms: every second of CartPole's 50 steps a second


def test_a_tall_picture_is_no_higher_than_a_wide_one(tmp_path: Path) -> None:
    path = stages_gif({"random": None}, "Pendulum-v1", tmp_path / "tall.gif", seed=0, max_steps=5)
    gif = Image.open(path)
    assert gif.width == 240, "Pendulum draws squares"
    assert gif.info["duration"] == 30, "Pendulum's own 30 frames a second"


def test_no_agent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no policy given"):
        stages_gif({}, "CartPole-v1", tmp_path / "none.gif", seed=0)
