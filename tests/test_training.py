"""Bookkeeping around training: what is recorded, when a run stops, and how an interrupt ends it."""

import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pgcourse import Progress, TrainingDiverged, optim, reinforce
from pgcourse.episodes import EpisodeLog
from pgcourse.rollout import Episode, collect_episodes

TINY = replace(reinforce.CARTPOLE, num_episodes=20, num_envs=4)  # five iterations


def episode(length: int, reward: float = 1.0) -> Episode:
    return Episode(torch.zeros(length, 4), torch.zeros(length, dtype=torch.int64), torch.full((length,), reward))


def same_weights(first: nn.Module, second: nn.Module) -> bool:
    return all(map(torch.equal, first.state_dict().values(), second.state_dict().values()))


# Records.


def test_episodes_are_recorded_in_order_of_completion_with_the_steps_taken_by_then() -> None:
    """Three environments side by side, episodes of 3, 1 and 2 steps; what runs on after an end is not counted.

    The one of 1 step ends when 3 steps have been taken; that of 2 after 1 + 2 + 2; that of 3 after 1 + 2 + 3. The
    second batch begins at 6: lengths 1, 1 and 4 give 6 + 3 twice, and 6 + 6.
    """
    batches = iter([[episode(3), episode(1), episode(2, 0.5)], [episode(1), episode(4), episode(1, -1.0)]])
    config = replace(TINY, num_envs=3, num_episodes=6)
    result = reinforce.train(config, collect_fn=lambda policy, envs: next(batches))
    assert result.episodes["env_step"].tolist() == [3, 5, 6, 9, 9, 12]
    assert result.episodes["length"].tolist() == [1, 2, 3, 1, 1, 4]
    assert result.episodes["episodic_return"].tolist() == [1, 1, 3, 1, -1, 4]


def test_episodes_of_a_rollout_are_counted_across_its_ends() -> None:
    """Two environments, two rollouts of 3 steps: the first environment ends at step 2, the second at step 5."""
    log = EpisodeLog(2)
    no, rewards = np.zeros((3, 2), bool), np.array([[1.0, 10.0]] * 3)
    first, second = no.copy(), no.copy()
    first[1, 0] = True  # 2 rows of 2 environments: 4 steps
    second[1, 1] = True  # 6 steps before, then 2 rows: 10
    log.add_rollout(rewards, first, env_step=0, wall_time=1.0)
    log.add_rollout(rewards, second, env_step=6, wall_time=2.0)
    assert log.records.tolist() == [(4, 1.0, 2.0, 2), (10, 2.0, 50.0, 5)]
    assert log.running_length.tolist() == [4, 1] and log.running_return.tolist() == [4.0, 10.0]


def test_thousands_of_episodes_are_kept_without_loss() -> None:
    """More than the memory that is there at the beginning, in batches that do not divide it."""
    config = replace(TINY, num_episodes=3500, baseline=False)
    batch = [episode(1, float(i)) for i in range(700)]
    result = reinforce.train(config, collect_fn=lambda policy, envs: batch)
    assert result.episodes["episodic_return"].tolist() == [float(i) for i in range(700)] * 5
    # All 700 begin together and end together: the count is the same for a batch.
    assert result.episodes["env_step"].tolist() == [700 * k for k in range(1, 6) for _ in range(700)]


def test_a_log_that_is_saved_and_loaded_goes_on() -> None:
    log = EpisodeLog(1)
    for step in range(1, 2001):
        log.add(np.array([step]), np.array([0.5]), np.array([1]), wall_time=0.0)
    twin = EpisodeLog(1)
    twin.load_state_dict(log.state_dict())
    twin.add(np.array([2001]), np.array([1.5]), np.array([1]), wall_time=0.0)
    assert twin.records["env_step"].tolist() == list(range(1, 2002))
    assert len(log) == 2000


def test_steps_and_lengths_and_returns_agree_in_a_real_run() -> None:
    result = reinforce.train(TINY)
    episodes = result.episodes
    assert len(episodes) == 20
    assert episodes["env_step"][-1] == episodes["length"].sum()
    assert (np.diff(episodes["env_step"]) >= 0).all() and (np.diff(episodes["wall_time"]) >= 0).all()
    assert (episodes["episodic_return"] == episodes["length"]).all()  # CartPole pays 1 a step


def test_every_metric_has_one_entry_an_iteration() -> None:
    result = reinforce.train(TINY)
    for name in ("losses/policy_loss", "losses/entropy", "losses/policy_grad_norm", "losses/critic_grad_norm"):
        assert name in result.metrics
    assert {len(values) for values in result.metrics.values()} == {5}
    assert result.metrics["losses/entropy"][0] == pytest.approx(np.log(2), abs=0.01)  # nearly uniform at first


def test_on_iteration_sees_how_the_run_goes() -> None:
    seen: list[Progress] = []
    result = reinforce.train(TINY, on_iteration=lambda progress: seen.append(progress))
    assert [progress.iteration for progress in seen] == [1, 2, 3, 4, 5]
    assert [len(progress.episodes) for progress in seen] == [4, 8, 12, 16, 20]
    assert [progress.env_step for progress in seen] == [int(p.episodes["length"].sum()) for p in seen]
    assert all(progress.policy is result.policy for progress in seen)
    for name in ("losses/policy_loss", "losses/entropy"):
        np.testing.assert_allclose([progress.metrics[name] for progress in seen], result.metrics[name])


def test_seconds_leave_out_the_time_that_on_iteration_takes() -> None:
    seen: list[float] = []

    def slow(progress: Progress) -> None:
        seen.append(progress.seconds)
        time.sleep(0.4)

    start = time.perf_counter()
    result = reinforce.train(TINY, on_iteration=slow)
    elapsed = time.perf_counter() - start
    assert elapsed > 2, "five pauses of 0.4 s"
    assert seen == sorted(seen)
    assert result.episodes["wall_time"][-1] <= seen[-1] < elapsed - 1.9, "all five pauses are left out"


# Stopping.


def test_on_iteration_stops_the_run_by_returning_true() -> None:
    result = reinforce.train(TINY, on_iteration=lambda progress: progress.iteration == 2)
    assert len(result.episodes) == 8 and not result.interrupted


@pytest.mark.parametrize("answer", [None, False, 0])
def test_any_other_answer_goes_on(answer: Any) -> None:
    assert len(reinforce.train(TINY, on_iteration=lambda progress: answer).episodes) == 20


@pytest.fixture
def handler() -> Iterator[Any]:
    """Give the handler of SIGINT that must be back after each run."""

    def mine(*_: Any) -> None:
        raise AssertionError("the interrupt came outside of training")

    before = signal.signal(signal.SIGINT, mine)
    yield mine
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_ends_the_run_at_the_end_of_the_iteration_and_keeps_it(handler: Any) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.iteration == 3:
            signal.raise_signal(signal.SIGINT)

    result = reinforce.train(TINY, on_iteration=interrupt)
    assert result.interrupted and len(result.episodes) == 12
    assert signal.getsignal(signal.SIGINT) is handler


def test_an_interrupt_within_a_gradient_step_waits_for_the_whole_update(handler: Any) -> None:
    """The weights are those of a run of three iterations, to the last bit."""
    calls = 0

    def step(loss: Tensor, module: nn.Module, optimizer: Any, *, max_grad_norm: float | None) -> Tensor:
        nonlocal calls
        calls += 1
        if calls == 2 * 6 + 1:  # the policy's step of the third iteration; each has one of it and five of the critic
            signal.raise_signal(signal.SIGINT)
        return optim.gradient_step(loss, module, optimizer, max_grad_norm=max_grad_norm)

    result = reinforce.train(TINY, gradient_step_fn=step)
    whole = reinforce.train(replace(TINY, num_episodes=12))
    assert result.interrupted and not whole.interrupted
    assert calls == 3 * 6
    assert same_weights(result.policy, whole.policy)
    assert result.critic is not None and whole.critic is not None and same_weights(result.critic, whole.critic)


def test_a_second_interrupt_stops_at_once(handler: Any) -> None:
    def twice(policy: nn.Module, envs: Any) -> list[Episode]:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        return collect_episodes(policy, envs)

    with pytest.raises(KeyboardInterrupt):
        reinforce.train(TINY, collect_fn=twice)
    assert signal.getsignal(signal.SIGINT) is handler


def test_the_handler_is_put_back_after_an_error_of_the_learners(handler: Any) -> None:
    def broken(progress: Progress) -> None:
        raise ZeroDivisionError

    state, threads = torch.get_rng_state(), torch.get_num_threads()
    with pytest.raises(ZeroDivisionError):
        reinforce.train(TINY, on_iteration=broken)
    assert signal.getsignal(signal.SIGINT) is handler
    assert torch.equal(torch.get_rng_state(), state) and torch.get_num_threads() == threads


def test_training_works_outside_the_main_thread_and_leaves_interrupts_alone(handler: Any) -> None:
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(reinforce.train(TINY)))
    thread.start()
    thread.join(timeout=120)
    assert len(results) == 1 and len(results[0].episodes) == 20
    assert same_weights(results[0].policy, reinforce.train(TINY).policy)


# Numbers that are not finite.


def test_a_reward_that_is_not_finite_ends_the_run_and_keeps_the_last_good_weights() -> None:
    iteration = 0

    def collect(policy: nn.Module, envs: Any) -> list[Episode]:
        nonlocal iteration
        iteration += 1
        episodes = collect_episodes(policy, envs)
        if iteration == 3:
            episodes[-1].rewards[0] = float("nan")  # of one environment among four
        return episodes

    with pytest.raises(TrainingDiverged, match="rewards are not finite in iteration 3") as caught:
        reinforce.train(TINY, collect_fn=collect)
    assert same_weights(caught.value.result.policy, reinforce.train(replace(TINY, num_episodes=8)).policy)


def test_a_loss_that_is_not_finite_is_named_with_its_iteration() -> None:
    def explode(log_prob: Tensor, weight: Tensor) -> Tensor:
        return log_prob.sum() * float("nan")

    with pytest.raises(TrainingDiverged, match=r"losses/policy_\w+ is nan in iteration 1") as caught:
        reinforce.train(TINY, policy_loss_fn=explode)
    weights = caught.value.result.policy.state_dict().values()
    assert all(bool(tensor.isfinite().all()) for tensor in weights)
