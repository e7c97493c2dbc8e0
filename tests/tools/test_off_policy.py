"""The study of off-policy methods: what it makes of its runs, and what a policy's watch keeps of them."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pgcourse.algorithms import ppo
from tools.bench import off_policy as bench
from tools.bench import solving, training
from tools.bench.solving import BENCH, Grid, PendulumWatch
from tools.claims import off_policy
from tools.claims.__main__ import as_text
from tools.claims.confirm import compared


def run(solved: int | None, seconds: float, every: int, *, slope: float = 1.0) -> dict[str, Any]:
    """A run of ten looks: a step takes a millisecond."""
    curve = [[every * i, every * i / 1000, -1000 + slope * i] for i in range(1, 11)]
    return {
        "solved_steps": solved, "solved_seconds": seconds, "final": -150.0, "seconds": every / 100, "curve": curve,
        "steps_per_second": 1000.0,
    }  # fmt: skip


RUNS = {
    "ppo": run(2000, 2.0, 400),
    "sb3_ppo": run(3000, 6.0, 400),
    "td3": run(1500, 20.0, 200),
    "ddpg": run(None, 0, 200),
}


@pytest.fixture
def stubbed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, int]]:
    """Training that gives `RUNS`. Returns: method and seed of each run that was made."""
    made: list[tuple[str, int]] = []

    def fresh_process(method: str, seed: int) -> dict[str, Any]:
        made.append((method, seed))
        return RUNS.get(method, run(1000, 12.0, 100))

    monkeypatch.setattr(off_policy, "fresh_process", fresh_process)
    monkeypatch.setattr(off_policy, "KEPT", tmp_path)
    monkeypatch.setattr(off_policy, "version", lambda name: "1.0")  # the library need not be there
    return made


def test_methods_alternate_by_seed_and_finished_runs_are_kept(stubbed: list[tuple[str, int]]) -> None:
    content = off_policy.study(num_seeds=2)
    assert stubbed == [(method, seed) for seed in (100, 101) for method in bench.METHODS]
    assert off_policy.study(num_seeds=2) == content and len(stubbed) == 2 * len(bench.METHODS)
    assert '"sac/steps_to_solved"' in as_text(content), "a file that JSON can hold"


@pytest.mark.usefixtures("stubbed")
def test_one_seed_gives_the_numbers_and_curves_of_its_runs() -> None:
    content = off_policy.study(num_seeds=1)
    values = {name: entry["per_seed"] for name, entry in content["values"].items()}
    assert values["sac/steps_to_solved"] == [1000] and values["ddpg/steps_to_solved"] == [None]
    assert values["ppo/seconds_to_solved"] == [2.0] and values["ppo/held_out"] == [-150.0]
    assert values["sac/early"] == values["ppo/early"] == [-990.0], "the last look, where the budget ends before"
    steps, seconds = content["curves"]["ppo"], content["curves"]["ppo/seconds"]
    assert steps["x"] == list(range(400, 4001, 400)) and steps["mean"][:2] == [-999, -998]
    assert seconds["x"][0] == 0.4 and seconds["x"][-1] == 4.0 and seconds["x_unit"] == "s"
    # At each second the last look by then: the curve never knows what comes later.
    looks = dict(zip([0.4 * i for i in range(1, 11)], steps["mean"], strict=True))
    expected = [[score for at, score in looks.items() if at <= x + 1e-9][-1] for x in seconds["x"]]
    np.testing.assert_allclose(seconds["mean"], expected, atol=0.1)


@pytest.mark.usefixtures("stubbed")
def test_a_step_that_costs_the_break_even_makes_two_methods_take_the_same_time() -> None:
    values = off_policy.study(num_seeds=1)["values"]
    milliseconds = values["sac/break_even_ppo"]["per_seed"][0]
    assert milliseconds == 10.0  # (12 - 2) s for 2,000 - 1,000 steps
    assert 12.0 + 1000 * milliseconds / 1000 == 2.0 + 2000 * milliseconds / 1000
    assert values["td3/break_even_sb3_ppo"]["per_seed"] == [pytest.approx(9.3333, abs=1e-4)]
    assert values["ddpg/break_even_ppo"]["per_seed"] == [None], "it never gets there"
    assert off_policy.break_even(RUNS["ppo"], RUNS["td3"]) is None, "it takes no fewer steps"


@pytest.mark.usefixtures("stubbed")
def test_another_day_may_have_other_seconds_but_no_other_returns() -> None:
    before = off_policy.study(num_seeds=1)
    later = off_policy.study(num_seeds=1)
    for name in ("sac/seconds_to_solved", "sac/seconds", "sac/break_even_ppo", "sac/steps_per_second"):
        later["values"][name]["per_seed"] = [99.0]
    later["curves"]["sac/seconds"]["first"][0] = 0.0
    assert compared(before, later).differences == []
    later["values"]["sac/held_out"]["per_seed"] = [-1.0]
    (difference,) = compared(before, later).differences
    assert difference.startswith("values/sac/held_out")


@pytest.fixture
def scores(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Held-out returns that the next looks give, in order; then -1000. Each takes a second by `clock`."""
    waiting: list[float] = []
    monkeypatch.setattr(solving, "pendulum_score", lambda act, *, seed: waiting.pop(0) if waiting else -1000.0)
    return waiting


def no_act(obs: np.ndarray) -> np.ndarray:
    return obs


def test_a_watch_to_the_end_keeps_its_curve_and_takes_its_own_time_out(scores: list[float]) -> None:
    clock = itertools.count(0.0, 1.0).__next__  # a look takes a second
    watch = PendulumWatch(no_act, Grid(every=10, clock=clock, to_the_end=True))
    scores += [-900.0, -190.0, -250.0, -180.0, -170.0, -500.0, -160.0]
    for step, seconds in ((5, 1.0), (10, 2.0), (12, 3.0), (25, 5.0), (30, 7.0), (41, 9.0)):
        watch(step, seconds)
    # At 25 it is good on the first 100 starts and not on the fresh ones; at 30 on both.
    assert watch.curve == [(10, 2.0, -900.0), (25, 4.0, -190.0), (30, 5.0, -180.0), (41, 6.0, -500.0)]
    assert watch.solved == (30, 5.0)
    assert watch.outcome() == {
        "solved_steps": 30, "solved_seconds": 5.0, "final": -160.0, "kept": True, "curve": watch.curve,
    }  # fmt: skip


def test_the_benchmarks_watch_looks_every_5000_steps_until_it_is_solved(scores: list[float]) -> None:
    watch = PendulumWatch(no_act)
    assert BENCH.every == 5_000 and watch.grid is BENCH
    scores += [-900.0, -190.0, -180.0]
    for step in range(2_400, 40_000, 2_400):
        watch(step, step / 1000)
    assert watch.solved is not None and watch.solved[0] == 12_000, "the first update behind 10,000"
    assert [step for step, *_ in watch.curve] == [7_200, 12_000]
    assert "curve" not in watch.outcome()


def test_ours_is_watched_after_each_update_and_timed_by_the_grids_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solving, "pendulum_score", lambda act, *, seed: float(act(np.zeros((1, 3), np.float32)).mean()))
    config = ppo.PPOConfig(
        env_id="Pendulum-v1", total_timesteps=80, num_envs=2, num_steps=20, minibatch_size=20, update_epochs=1
    )
    found = training.ours(config, 0, Grid(every=10, clock=itertools.count(0.0, 1.0).__next__, to_the_end=True))
    assert [step for step, *_ in found["curve"]] == [40, 80]
    # The clock is read at the start, once an update, twice a look and at the end.
    assert [seconds for _, seconds, _ in found["curve"]] == [1.0, 3.0] and found["seconds"] == 5.0
    assert found["solved_steps"] == 40, "a return near 0 is above -200"


# SAC learns after every step, the others after every episode, which takes 200.
@pytest.mark.parametrize(("method", "looks"), [("sac", [60, 120, 180]), ("td3", [200]), ("ddpg", [200])])
def test_the_librarys_methods_are_watched_too(method: str, looks: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("stable_baselines3")
    monkeypatch.setattr(solving, "pendulum_score", lambda act, *, seed: float(act(np.zeros((1, 3), np.float32)).mean()))
    small = {"total_timesteps": 200, "learning_starts": 190, "policy_kwargs": {"net_arch": [8]}, "batch_size": 4}
    monkeypatch.setitem(bench.SETTINGS, method, bench.SETTINGS[method] | small)
    found = bench.run(method, 0, Grid(every=60, to_the_end=True))
    assert [step for step, *_ in found["curve"]] == looks
    assert found["solved_steps"] == looks[0] and found["steps"] == 200
    assert "action_noise" not in bench.SETTINGS[method], "the settings stay as they are published"
