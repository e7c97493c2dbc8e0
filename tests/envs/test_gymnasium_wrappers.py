"""What lesson 03 says of Gymnasium's wrappers, held against the installed version; where this fails, mend section 5.3."""

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import NormalizeObservation
from gymnasium.wrappers import vector as wrappers

PUSH_RIGHT = np.array([1, 1])


def envs(mode: AutoresetMode, *, limit: int = 9) -> SyncVectorEnv:
    return SyncVectorEnv([lambda: gymnasium.make("CartPole-v1", max_episode_steps=limit)] * 2, autoreset_mode=mode)


def test_observations_are_normalised_for_a_vector_in_next_step_mode_alone() -> None:
    wrappers.NormalizeObservation(envs(AutoresetMode.NEXT_STEP))
    for mode in (AutoresetMode.SAME_STEP, AutoresetMode.DISABLED):
        with pytest.raises(ValueError, match="autoreset_mode"):
            wrappers.NormalizeObservation(envs(mode))


def test_a_wrapper_around_each_environment_normalises_equal_states_differently() -> None:
    singles = [NormalizeObservation(gymnasium.make("CartPole-v1")) for _ in range(2)]
    for env, action in zip(singles, (0, 1), strict=True):  # one is pushed left, the other right
        env.reset(seed=0)
        for _ in range(5):
            env.step(action)
    state = np.zeros(4, dtype=np.float32)
    left, right = (env.observation(state) for env in singles)
    assert not np.allclose(left, right, atol=0.1)


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_lengths_that_a_vector_wrapper_reports(mode: AutoresetMode) -> None:
    wrapped = wrappers.RecordEpisodeStatistics(envs(mode))
    wrapped.reset(seed=[1, 2])
    true, reported = [], []
    steps, after_an_end = np.zeros(2, dtype=int), np.zeros(2, dtype=bool)
    for _ in range(60):
        *_, terminated, truncated, info = wrapped.step(PUSH_RIGHT)
        is_reset_row = after_an_end & (mode == AutoresetMode.NEXT_STEP)
        steps = np.where(is_reset_row, 0, steps + 1)
        ended = terminated | truncated
        if ended.any():
            true += steps[ended].tolist()
            reported += info["episode"]["l"][ended].tolist()
            if mode == AutoresetMode.DISABLED:
                wrapped.reset(options={"reset_mask": ended})
        steps[ended & (mode != AutoresetMode.NEXT_STEP)] = 0
        after_an_end = ended
    assert len(true) >= 8
    if mode == AutoresetMode.DISABLED:
        assert reported != true and all(said <= length for said, length in zip(reported, true, strict=True))
    else:
        assert reported == true
