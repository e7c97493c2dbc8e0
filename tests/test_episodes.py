"""Our own count of episodes, against tables worked by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pgcourse import a2c, ppo, trpo
from pgcourse.envs.probes import Probe
from pgcourse.episodes import EPISODE_FIELDS, EpisodeLog, pack_episodes, unpack_episodes
from tests.recording import Recorded


def rows(log: EpisodeLog) -> list[tuple[int, float, int]]:
    return [(int(r["env_step"]), float(r["episodic_return"]), int(r["length"])) for r in log.records]


def column(*numbers: float) -> np.ndarray:
    return np.array(numbers, np.float32)[:, None]


def flags(*numbers: int) -> np.ndarray:
    return np.array(numbers, bool)[:, None]


def test_an_episode_that_ends_in_the_middle_of_a_rollout() -> None:
    """One environment; rewards 1 2 | 3 4, the end after the second: return 3, length 2, at step 2."""
    log = EpisodeLog(1)
    log.add_rollout(column(1, 2, 3, 4), flags(0, 1, 0, 0), env_step=0, wall_time=0.5)
    assert rows(log) == [(2, 3.0, 2)]
    assert log.records["wall_time"].tolist() == [0.5]


def test_an_episode_that_spans_three_rollouts() -> None:
    """Rewards 1 2 | 3 4 | 5 .., the end after the 5: return 15, length 5, at step 5."""
    log = EpisodeLog(1)
    log.add_rollout(column(1, 2), flags(0, 0), env_step=0, wall_time=0)
    log.add_rollout(column(3, 4), flags(0, 0), env_step=2, wall_time=1)
    assert rows(log) == []
    log.add_rollout(column(5, 7), flags(1, 0), env_step=4, wall_time=2)
    assert rows(log) == [(5, 15.0, 5)]
    log.add_rollout(column(1, 0), flags(1, 1), env_step=6, wall_time=3)
    assert rows(log)[1:] == [(7, 8.0, 2), (8, 0.0, 1)]


def test_environments_that_end_at_once_and_apart() -> None:
    """Two environments side by side: every row of the rollout is two steps.

    step 2: both run      step 4: both end      step 6: the second ends      step 8: the first ends
    """
    rewards = np.array([[1, 10], [2, 20], [3, 30], [4, 40]], np.float32)
    done = np.array([[0, 0], [1, 1], [0, 1], [1, 0]], bool)
    log = EpisodeLog(2)
    log.add_rollout(rewards, done, env_step=100, wall_time=0)
    assert rows(log) == [(104, 3.0, 2), (104, 30.0, 2), (106, 30.0, 1), (108, 7.0, 2)]
    log.add_rollout(np.ones((1, 2), np.float32), np.ones((1, 2), bool), env_step=108, wall_time=0)
    assert rows(log)[4:] == [(110, 1.0, 1), (110, 41.0, 2)]  # the second had begun with the 40


def test_complete_episodes_that_began_together() -> None:
    """Lengths 3, 1, 2: the one of length 1 ends when all have taken 1 step each (3), then 3 + 2 = 5, then 6."""
    log = EpisodeLog(3)
    log.add_batch([np.ones(3), 5 * np.ones(1), 2 * np.ones(2)], env_step=10, wall_time=0)
    assert rows(log) == [(13, 5.0, 1), (15, 4.0, 2), (16, 3.0, 3)]
    log.add_batch([np.ones(1)] * 5000, env_step=16, wall_time=0)  # more than the table holds at first, twice over
    assert rows(log)[3:] == [(5016, 1.0, 1)] * 5000


def test_many_small_rewards_are_added_up_without_loss() -> None:
    """In float32 a running sum of 0.1 is off by 2 after a million steps' worth; in float64 it is not."""
    log = EpisodeLog(1)
    rewards = np.full((100_000, 1), 0.1, np.float32)
    done = np.zeros((100_000, 1), bool)
    done[-1] = True
    log.add_rollout(rewards, done, env_step=0, wall_time=0)
    assert log.records["episodic_return"][0] == pytest.approx(100_000 * float(np.float32(0.1)), rel=1e-9)


def test_the_table_grows_and_survives_saving() -> None:
    log = EpisodeLog(2)
    for step in range(1500):
        log.add_rollout(np.full((1, 2), step, np.float32), np.ones((1, 2), bool), env_step=2 * step, wall_time=step)
    log.add_rollout(np.array([[7.0, 8.0]]), np.zeros((1, 2), bool), env_step=3000, wall_time=0)
    assert len(log) == 3000
    again = EpisodeLog(2)
    again.load_state_dict(log.state_dict())
    for one in (log, again):
        one.add_rollout(np.array([[1.0, 1.0]]), np.array([[False, True]]), env_step=3002, wall_time=0)
    assert np.array_equal(log.records, again.records)
    assert rows(again)[-1] == (3004, 9.0, 2)
    assert np.array_equal(unpack_episodes(pack_episodes(log.records)), log.records)
    assert log.records.dtype == EPISODE_FIELDS
    again.drop_running()
    again.add_rollout(np.array([[1.0, 1.0]]), np.array([[True, True]]), env_step=3004, wall_time=0)
    assert rows(again)[-2:] == [(3006, 1.0, 1), (3006, 1.0, 1)]


class ThreeSteps(Probe):
    """Rewards 1, 1, 1, then the end."""

    episode_steps = 3


SMALL = {"num_envs": 2, "num_steps": 4, "num_episodes": None, "total_timesteps": 24, "hidden_sizes": (4,)}


@pytest.mark.parametrize("scaling", [{"reward_scale": 0.1}, {"normalize_rewards": True}, {"reward_scale": 10.0}])
@pytest.mark.parametrize("name", ["a2c", "ppo", "trpo"])
def test_episodes_are_counted_in_the_environments_own_rewards(name: str, scaling: dict) -> None:
    """Two environments, three rollouts of four steps: episodes end at steps 3, 6, 9 and 12 of each."""
    module, more = {"a2c": (a2c, {}), "ppo": (ppo, {"minibatch_size": 8}), "trpo": (trpo, {"critic_steps": 1})}[name]
    advantages = Recorded(module.gae)
    config = replace(module.CARTPOLE, **SMALL, **more, **scaling)
    result = module.train(config, envs=ThreeSteps(2), advantage_fn=advantages)
    assert result.episodes["episodic_return"].tolist() == [3.0] * 8
    assert result.episodes["length"].tolist() == [3] * 8
    assert result.episodes["env_step"].tolist() == [6, 6, 12, 12, 18, 18, 24, 24]
    for call in advantages.calls:  # and the learner does get the scaled ones
        rewards = call.arguments[0]
        if "reward_scale" in scaling:
            torch.testing.assert_close(rewards, torch.full((4, 2), scaling["reward_scale"]))
        else:
            assert (rewards - 1).abs().min() > 0.01
