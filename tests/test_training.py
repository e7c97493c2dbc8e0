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

from pgcourse import Progress, optim, ppo, reinforce
from pgcourse.rollout import Episode, collect_episodes

TINY = replace(reinforce.CARTPOLE, num_episodes=20, num_envs=4)  # five iterations


def same_weights(first: nn.Module, second: nn.Module) -> bool:
    return all(map(torch.equal, first.state_dict().values(), second.state_dict().values()))


# Records.


def test_steps_lengths_returns_and_metrics_agree_in_a_real_run() -> None:
    result = reinforce.train(TINY)
    episodes = result.episodes
    assert len(episodes) == 20
    assert episodes["env_step"][-1] == episodes["length"].sum()
    assert (np.diff(episodes["env_step"]) >= 0).all() and (np.diff(episodes["wall_time"]) >= 0).all()
    assert (episodes["episodic_return"] == episodes["length"]).all()  # CartPole pays 1 a step
    names = {"policy_loss", "entropy", "policy_grad_norm", "critic_grad_norm"}
    assert {f"losses/{name}" for name in names} <= result.metrics.keys()
    assert {len(values) for values in result.metrics.values()} == {5}  # iterations
    assert result.metrics["losses/entropy"][0] == pytest.approx(np.log(2), abs=0.01)  # nearly uniform at first


def test_charts_count_steps_and_episodes_and_follow_the_standard_deviation() -> None:
    """A rollout of 100 steps of 3 pendulums, whose episodes have 200: every other update ends three."""
    seen: list[Progress] = []
    config = replace(
        ppo.PENDULUM,
        num_envs=3,
        num_steps=100,
        minibatch_size=300,
        update_epochs=1,
        total_timesteps=1200,
        hidden_sizes=(4,),
    )
    stds = []

    def look(progress: Progress) -> None:
        seen.append(progress)
        stds.append(float(progress.policy.log_std.detach().exp().mean()))

    metrics = ppo.train(config, on_iteration=look).metrics
    assert metrics["charts/env_step"].tolist() == [300, 600, 900, 1200]
    assert metrics["charts/episodes"].tolist() == [0, 3, 3, 6]
    np.testing.assert_allclose(metrics["charts/action_std"], stds, rtol=1e-6)
    for progress in seen:
        assert 0.5 < progress.metrics["charts/SPS"] * progress.seconds / progress.env_step < 2


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


@pytest.mark.parametrize(("answer", "episodes"), [(True, 4), (None, 20), (False, 20), (0, 20)])
def test_on_iteration_stops_the_run_by_returning_true_only(answer: Any, episodes: int) -> None:
    result = reinforce.train(TINY, on_iteration=lambda progress: answer)
    assert len(result.episodes) == episodes and not result.interrupted


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
