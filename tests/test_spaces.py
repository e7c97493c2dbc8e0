"""Spaces are flattened as Gymnasium flattens them, the mask of a Dict is found, and actions reach the environment."""

import copy
import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector.utils import batch_space

from pgcourse import networks
from pgcourse.spaces import MaskedBox, describe, flattened, to_env_actions
from tests.recording import refused

BOX = spaces.Box(-1, 1, (3,), np.float32)


@pytest.mark.parametrize(
    ("space", "size"),
    [
        (spaces.Discrete(16), 16),
        (spaces.Discrete(3, start=5), 3),
        (spaces.MultiBinary(4), 4),
        (spaces.MultiDiscrete([3, 2]), 5),
        (spaces.Tuple([spaces.Discrete(32), BOX]), 35),
        (spaces.Dict({"b": BOX, "a": spaces.Dict({"c": spaces.Discrete(2)})}), 5),
        (spaces.Dict({"image": spaces.Box(0, 255, (2, 2, 3), np.uint8)}), 12),
        (spaces.Box(-1, 1, ()), 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_all_but_a_box_becomes_the_flat_box_of_gymnasium(space: spaces.Space, size: int) -> None:
    flat = flattened(space)
    assert flat == spaces.flatten_space(space) and flat.shape == (size,)
    assert networks.make_critic(space, (4,)).arguments["obs_dim"] == size


@pytest.mark.parametrize("space", [BOX, spaces.Box(0, 255, (4, 4, 3), np.uint8), spaces.Graph(BOX, None)])
def test_a_box_and_what_cannot_be_flat_stay_as_they_are(space: spaces.Space) -> None:
    assert flattened(space) is space


MASKED = spaces.Dict(
    {"zone": spaces.Discrete(5), "action_mask": spaces.MultiBinary(4), "about": spaces.Tuple([BOX, BOX])}
)


def test_the_mask_is_where_gymnasium_puts_it() -> None:
    flat = flattened(MASKED)
    assert isinstance(flat, MaskedBox) and flat.mask_size == 4
    MASKED.seed(0)
    for _ in range(5):
        observation = MASKED.sample()
        vector = spaces.flatten(MASKED, observation)
        found = vector[flat.mask_start : flat.mask_start + flat.mask_size]
        assert found.tolist() == observation["action_mask"].tolist()


def test_a_space_with_a_mask_survives_copies_and_batches() -> None:
    flat = flattened(MASKED)
    for twin in (copy.deepcopy(flat), pickle.loads(pickle.dumps(flat))):
        assert isinstance(twin, MaskedBox) and (twin.mask_start, twin.mask_size) == (flat.mask_start, 4)
    assert batch_space(flat, 3).shape == (3, *flat.shape)


def test_the_policy_of_a_masked_observation_takes_the_mask_from_there() -> None:
    policy = networks.make_policy(MASKED, spaces.Discrete(4), (4,), activation="relu")
    assert isinstance(policy, networks.MaskedPolicy)
    start = flattened(MASKED).mask_start
    assert policy.mask == slice(start, start + 4)
    with refused(r"action_mask has 4 elements for 3 actions; make its space MultiBinary\(3\)"):
        networks.make_policy(MASKED, spaces.Discrete(3))


@pytest.mark.parametrize(
    ("space", "actions", "expected"),
    [
        (spaces.Discrete(3, start=5), [0, 2], [5, 7]),
        (spaces.MultiDiscrete([3, 2], start=[1, 0]), [[0, 1]], [[1, 1]]),
        (spaces.MultiBinary(2), [[0, 1]], [[0, 1]]),
        (spaces.Box(-1, 1, (2,)), [[3.0, -0.5]], [[1.0, -0.5]]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_actions_of_a_policy_are_those_of_the_space(space: spaces.Space, actions: list, expected: list) -> None:
    given = to_env_actions(np.array(actions), space)
    assert given.tolist() == expected
    if not isinstance(space, spaces.Box):
        assert all(space.contains(action) for action in given)


def test_a_space_in_short() -> None:
    assert describe(BOX) == "Box(3,)"
    assert describe(gymnasium.spaces.Discrete(3)) == "Discrete(3)"
