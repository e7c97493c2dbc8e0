"""Evaluation: one complete episode from each start state, from starts that training never sees."""

import math

import gymnasium
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pgcourse import evaluate, evaluation
from pgcourse.envs import TensorVectorEnv, env_seeds, make_envs
from pgcourse.evaluation import Evaluation
from pgcourse.networks import CategoricalPolicy, GaussianPolicy
from tests.recording import Recorded, refused


class Deterministic(torch.distributions.Distribution):
    """Always these actions, element by element, so that no batch size changes a rounding."""

    def __init__(self, actions: Tensor) -> None:
        super().__init__(validate_args=False)
        self.actions = actions

    @property
    def mode(self) -> Tensor:
        return self.actions

    def sample(self, sample_shape=()) -> Tensor:
        return 1 - self.actions


class Balance(nn.Module):
    """Pushes under the falling pole; remembers in which mode it was and which observations it saw."""

    def __init__(self, angular: float = 1.0) -> None:
        super().__init__()
        self.angular = angular
        self.modes: set[bool] = set()
        self.seen: list[Tensor] = []

    def forward(self, obs: Tensor) -> Deterministic:
        self.modes.add(self.training)
        self.seen.append(obs.clone())
        return Deterministic((obs[:, 2] + self.angular * obs[:, 3] > 0).long())


def one_by_one(policy: nn.Module, seeds: list[int]) -> list[float]:
    """Return what each start state gives in an environment of its own."""
    found = []
    for seed in seeds:
        envs = make_envs("CartPole-v1", 1, seed=0)
        obs, _ = envs.reset(seed=[seed])
        total, done = 0.0, False
        while not done:
            obs, rewards, terminated, truncated, _ = envs.step(policy(obs).mode)
            total += rewards.item()
            done = bool(terminated | truncated)
        found.append(total)
    return found


@pytest.mark.parametrize("batch", [1, 3, 10, 128])
def test_each_start_state_counts_once_whatever_the_batch(monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    monkeypatch.setattr(evaluation, "BATCH", batch)
    policy = Balance(angular=0.0)  # without it the pole swings ever further: episodes of many lengths
    result = evaluate(policy, "CartPole-v1", num_episodes=10, seed=7)
    assert result.returns.tolist() == one_by_one(policy, env_seeds(7, 10, "evaluation"))
    assert result.lengths.tolist() == result.returns.tolist()
    assert len(set(result.lengths)) > 3, "the episodes are too much alike for this test"


def test_the_seed_picks_the_start_states_and_none_of_them_is_a_training_one() -> None:
    def starts(seed: int) -> set[tuple[float, ...]]:
        policy = Balance()
        evaluate(policy, "CartPole-v1", num_episodes=20, seed=seed)
        return {tuple(row) for row in policy.seen[0].tolist()}

    assert len(starts(3)) == 20
    assert starts(3) == starts(3)
    assert starts(3) & starts(4) == set()
    envs = make_envs("CartPole-v1", 20, seed=3)
    training = {tuple(row) for _ in range(30) for row in envs.reset()[0].tolist()}
    assert starts(3) & training == set()


@pytest.mark.parametrize("env_id", ["CartPole-v1", "MountainCar-v0"])
def test_the_environments_get_seeds_of_the_evaluation_stream_only(env_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    envs = make_envs(env_id, 3, seed=0)
    reset = Recorded(envs.reset)
    monkeypatch.setattr(envs, "reset", reset)
    evaluate(None, envs, num_episodes=3, seed=5)
    (call,) = reset.calls
    assert call.keywords == {"seed": env_seeds(5, 3, "evaluation")}
    assert not set(call.keywords["seed"]) & {value for seed in range(200) for value in env_seeds(seed, 64)}


def test_long_episodes_are_not_lost_among_short_ones() -> None:
    """Half of the starts last 1 step and half 20: the mean of one each is about 10.5; of the first to finish, near 1."""

    class Coin(TensorVectorEnv):
        start_size = 1

        def __init__(self, num_envs: int) -> None:
            super().__init__(num_envs, max_episode_steps=100)

        def spaces(self):
            return gymnasium.spaces.Box(0, 20, (1,)), gymnasium.spaces.Discrete(2)

        def start_states(self, numbers: Tensor) -> Tensor:
            return torch.where(numbers < 0.5, 1.0, 20.0)

        def dynamics(self, state: Tensor, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            return state - 1, torch.ones(len(state)), state[:, 0] <= 1

        def observe(self, state: Tensor) -> Tensor:
            return state

    result = evaluate(None, Coin(128), num_episodes=400, seed=0)
    assert abs(result.mean - 10.5) < 4 * 9.5 / math.sqrt(400)


@pytest.mark.parametrize("training", [True, False])
def test_the_policy_acts_in_evaluation_mode_and_is_put_back(training: bool) -> None:
    policy = Balance().train(training)
    evaluate(policy, "CartPole-v1", num_episodes=2, seed=0)
    assert policy.modes == {False} and policy.training is training


def test_the_mode_is_put_back_after_an_error() -> None:
    class Broken(nn.Module):
        def forward(self, obs: Tensor):
            raise ZeroDivisionError

    policy = Broken().train()
    with pytest.raises(ZeroDivisionError):
        evaluate(policy, "CartPole-v1", num_episodes=2, seed=0)
    assert policy.training


def test_deterministic_takes_the_mode_and_otherwise_a_sample() -> None:
    good = evaluate(Balance(), "CartPole-v1", num_episodes=5, seed=0)
    assert good.mean > 200  # the mode pushes under the pole
    assert evaluate(Balance(), "CartPole-v1", num_episodes=5, seed=0, deterministic=False).mean < 20  # the opposite


def test_sampling_reproduces_with_the_seed_and_leaves_the_random_stream_alone() -> None:
    torch.manual_seed(0)
    policy = CategoricalPolicy(4, 2)
    found = []
    for _ in range(2):
        torch.rand(5)
        state = torch.get_rng_state()
        found.append(evaluate(policy, "CartPole-v1", num_episodes=30, seed=1, deterministic=False).returns.tolist())
        assert torch.equal(torch.get_rng_state(), state)
    assert found[0] == found[1] and len(set(found[0])) > 5


def test_a_random_agent_on_cartpole_stays_up_for_about_22_steps() -> None:
    first, second = (evaluate(None, "CartPole-v1", num_episodes=300, seed=0) for _ in range(2))
    assert 19 < first.mean < 26
    assert first.returns.tolist() == second.returns.tolist()


def test_mean_and_standard_error_by_hand() -> None:
    # Deviations -3, -1, 4 from the mean 5: sum of squares 26, variance 13, error sqrt(13 / 3).
    result = Evaluation(np.array([2.0, 4.0, 9.0]), np.array([1, 1, 1]))
    assert result.mean == 5.0
    assert result.standard_error == pytest.approx(math.sqrt(13 / 3))
    assert math.isnan(Evaluation(np.array([2.0]), np.array([1])).standard_error)


def test_continuous_actions_are_evaluated_too() -> None:
    result = evaluate(GaussianPolicy(3, 1), "Pendulum-v1", num_episodes=2, seed=0)
    assert result.lengths.tolist() == [200, 200] and (result.returns < 0).all()


@pytest.mark.parametrize(
    ("policy", "env_id", "message"),
    [
        (CategoricalPolicy(4, 2), "Acrobot-v1", "does not fit observations of 6 numbers"),
        (CategoricalPolicy(2, 3), "MountainCarContinuous-v0", r"discrete actions .* takes Box\(1,\)"),
        (GaussianPolicy(2, 1), "MountainCar-v0", r"continuous actions of shape \[1\].*takes Discrete\(3\)"),
        (GaussianPolicy(2, 3), "MountainCarContinuous-v0", r"continuous actions of shape \[3\].*takes Box\(1,\)"),
        (CategoricalPolicy(4, 2), "NoSuchThing-v0", "no environment 'NoSuchThing-v0'"),
    ],
)
def test_a_policy_for_another_environment_is_refused_in_one_line(policy: nn.Module, env_id: str, message: str) -> None:
    with refused(message):
        evaluate(policy, env_id, num_episodes=2, seed=0)


@pytest.mark.parametrize("actions", [3, 9], ids=["one more", "many more"])
def test_a_policy_with_more_actions_than_the_environment_is_refused(actions: int) -> None:
    policy = CategoricalPolicy(4, actions)
    nn.init.constant_(policy.logits[-1].bias[-1:], 5.0)
    with refused(r"takes Discrete\(2\)"):
        evaluate(policy, "CartPole-v1", num_episodes=2, seed=0)


def test_no_episode_and_a_negative_seed_are_refused() -> None:
    with refused("num_episodes=0 is not positive; use at least 1"):
        evaluate(None, "CartPole-v1", num_episodes=0, seed=0)
    with refused("seed=-1 is negative"):
        evaluate(None, "CartPole-v1", num_episodes=1, seed=-1)
