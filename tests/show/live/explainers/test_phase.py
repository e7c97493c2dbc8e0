"""The phase portrait shows the policy's own torque, and the path that the environment takes."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from pgcourse import InvalidInput, make_envs
from pgcourse.networks import GaussianPolicy
from pgcourse.optim import seeded
from pgcourse.show.live.explainers.phase import STEPS, phase_of, swing, torque_field
from pgcourse.show.live.policy import policy_json


@pytest.fixture(scope="module")
def policy() -> GaussianPolicy:
    """Untrained, with a last layer large enough to reach the motor's limits."""
    with seeded(0), torch.no_grad():
        made = GaussianPolicy(3, 1, hidden_sizes=(16,))
        list(made.mean.parameters())[-2].mul_(300)
    return made


@torch.no_grad()
def test_the_field_is_the_policy_s_clipped_mode(policy: GaussianPolicy) -> None:
    field = torque_field(policy_json(policy))
    assert field.shape == (41, 61) and np.abs(field).max() == 2
    for row, column in ((0, 0), (20, 30), (7, 45)):
        angle, velocity = -math.pi + column * math.pi / 30, -8 + row * 0.4
        obs = torch.tensor([[math.cos(angle), math.sin(angle), velocity]])
        assert field[row, column] == pytest.approx(float(policy(obs).mode.clamp(-2, 2)), abs=1e-4)


@torch.no_grad()
def test_the_course_is_that_of_the_environment(policy: GaussianPolicy) -> None:
    envs: Any = make_envs("Pendulum-v1", 1, seed=0)
    envs.state = torch.tensor([[3.0, 0.5]])
    obs, rewards = envs.observe(envs.state), []
    for _ in range(30):
        obs, reward, *_ = envs.step(policy(obs).mode)
        rewards.append(float(reward))
    angles, velocities, torques, got = swing(policy_json(policy), 3.0, 0.5)
    np.testing.assert_allclose(got[:30], rewards, rtol=1e-3)
    assert math.cos(angles[30]) == pytest.approx(float(obs[0, 0]), abs=1e-3)
    assert velocities[30] == pytest.approx(float(obs[0, 2]), abs=1e-2)
    assert len(angles) == STEPS + 1 and np.abs(angles).max() <= math.pi and np.abs(torques).max() <= 2


def test_the_line_is_cut_where_the_angle_passes_from_one_side_to_the_other(policy: GaussianPolicy) -> None:
    left, right = phase_of({"a policy": policy}).at(angle=3.0, velocity=2.0)["panels"]
    line = next(mark for mark in left["marks"] if mark["kind"] == "line")
    gaps = np.flatnonzero(np.isnan(line["x"]))
    assert len(gaps) and all(np.sign(line["x"][gap - 1]) != np.sign(line["x"][gap + 1]) for gap in gaps)
    assert len(right["marks"][-1]["x"]) == STEPS + 1 == len(line["x"]) - len(gaps)


def test_words_say_where_the_rod_is_at_the_end(policy: GaussianPolicy) -> None:
    drawn = phase_of({"a policy": policy}).at(angle=3.0, velocity=0.0)
    away = np.array(drawn["panels"][1]["marks"][-1]["y"])
    assert ("does not stay upright" in drawn["words"]) == bool((away[-20:] >= 0.2).any())
    with torch.no_grad():  # torque against angle and velocity, in the form of the course's networks
        still = GaussianPolicy(3, 1, hidden_sizes=())
        still.mean[-1].weight.copy_(torch.tensor([[0.0, -20.0, -6.0]]))
        still.mean[-1].bias.zero_()
    assert "the rod stays upright from second 0.0 on" in phase_of({"still": still}).at(angle=0.1, velocity=0.0)["words"]


def test_no_policy_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no policy"):
        phase_of({})
