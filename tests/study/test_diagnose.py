"""Alarms on series made by hand, thresholds that follow from the measured runs, and what the runs showed."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pgcourse import InvalidInput
from pgcourse.study import traps
from pgcourse.study.alarms import ALARMS, BY_ID, FAMILIES, OTHER, SETTLED, THRESHOLDS, Alarm, derive, derived, family_of
from pgcourse.study.claims import load_claims
from pgcourse.study.diagnose import Watch, describe, diagnose, suspects
from pgcourse.study.traps import TRAPS
from pgcourse.study.traps.table import alarm_table, false_alarms, healthy_name, ill_name, trap_rows, trap_table

UPDATES = 40
measured = pytest.mark.skipif(
    not (Path(__file__).resolve().parents[2] / "claims" / "traps.json").exists(),
    reason="claims/traps.json is not measured yet: python -m tools.claims traps",
)


def ramp(first: float, last: float, count: int = UPDATES) -> np.ndarray:
    return np.linspace(first, last, count)


def healthy() -> dict[str, np.ndarray]:
    """PPO on CartPole in round numbers."""
    zigzag = 0.01 * (-1.0) ** np.arange(UPDATES)
    return {
        "losses/approx_kl": 0.005 + zigzag / 5,
        "losses/clipfrac": 0.05 + zigzag,
        "losses/entropy": ramp(0.69, 0.40),
        "losses/explained_variance": ramp(0.0, 0.98),
        "losses/policy_grad_norm": ramp(0.1, 0.2),
        "losses/critic_grad_norm": ramp(20, 10),
        "charts/episodes": ramp(30, 270),
        "charts/ratio_std": np.full(UPDATES, 0.05),
        "charts/value_mean": ramp(3, 95),
        "charts/return_mean": ramp(7, 96),
        "updates/policy.logits": np.full(UPDATES, 0.1),
        "updates/critic.values": np.full(UPDATES, 0.3),
    }


def continuous() -> dict[str, np.ndarray]:
    """PPO on Pendulum in round numbers."""
    return healthy() | {
        "charts/return_mean": ramp(-5, -1),
        "charts/value_mean": ramp(-4.8, -1),
        "losses/entropy": ramp(1.8, -0.5),
        "charts/action_std": ramp(2.0, 1.3),
        "charts/episodes": 12 * np.arange(1, 41),
    }


DISCRETE_ILL: dict[str, dict[str, Any]] = {
    "few-updates": {"charts/episodes": ramp(180, 5000)},
    "kl-high": {"losses/approx_kl": np.r_[np.full(39, 0.005), 0.2]},
    "kl-zero": {"losses/approx_kl": np.zeros(UPDATES)},
    "clip-fraction-high": {"losses/clipfrac": np.r_[0.8, np.full(39, 0.05)]},
    "ratio-always-one": {"charts/ratio_std": np.zeros(UPDATES)},
    "entropy-impossible": {"losses/entropy": ramp(0.726, 0.5)},
    "entropy-collapsed": {"losses/entropy": ramp(0.69, 0.01)},
    "entropy-never-falls": {"losses/entropy": ramp(0.69, 0.68)},
    "entropy-jumps": {"losses/entropy": 0.55 + 0.1 * (-1.0) ** np.arange(UPDATES)},
    "explained-variance-low": {"losses/explained_variance": np.full(UPDATES, 0.05)},
    "value-offset": {"charts/value_mean": ramp(0, 10)},
    "critic-gradient-huge": {"losses/critic_grad_norm": np.full(UPDATES, 5000.0)},
    "policy-gradient-zero": {"losses/policy_grad_norm": np.full(UPDATES, 1e-9)},
    "return-falls": {"charts/return_mean": ramp(7, 4.8), "charts/value_mean": ramp(6.8, 4.8)},
    "part-not-updated": {"updates/policy.head": np.zeros(UPDATES)},
}
CONTINUOUS_ILL: dict[str, dict[str, Any]] = {
    "std-pinned": {"charts/action_std": np.full(UPDATES, 1.5)},
    "std-low": {"charts/action_std": ramp(0.05, 0.04)},
    "std-high": {"charts/action_std": ramp(7, 3)},
    "std-collapsed": {"charts/action_std": np.r_[ramp(1.5, 0.3, 10), np.full(30, 0.3)]},
}


def test_every_alarm_has_a_case_and_a_healthy_run_rings_none() -> None:
    assert {*DISCRETE_ILL, *CONTINUOUS_ILL} == BY_ID.keys()
    assert diagnose(healthy()) == diagnose(continuous()) == set()


@pytest.mark.parametrize("alarm", [*DISCRETE_ILL, *CONTINUOUS_ILL])
def test_an_alarm_rings_alone(alarm: str) -> None:
    run, ill = (healthy(), DISCRETE_ILL) if alarm in DISCRETE_ILL else (continuous(), CONTINUOUS_ILL)
    assert diagnose(run | ill[alarm]) == ({alarm, "std-collapsed"} if alarm == "std-low" else {alarm})


LATE = {"losses/approx_kl": np.full(160, 0.005), "losses/entropy": np.r_[np.full(60, 0.5), np.full(100, 0.01)]}
# Explained variance is NaN where all returns are equal.
SOME_NAN = np.where(np.arange(UPDATES) % 2, healthy()["losses/explained_variance"], np.nan)
YOUNG = {
    name: series[: SETTLED["ppo, discrete"] - 1]
    for name, series in (healthy() | DISCRETE_ILL["explained-variance-low"]).items()
}


@pytest.mark.parametrize(
    ("metrics", "ringing"),
    [
        ({}, set()),
        ({"losses/approx_kl": []}, set()),
        ({"losses/approx_kl": np.array([0.001, 0.9])}, {"kl-high"}),
        ({"losses/entropy": np.full(200, 0.001)}, {"entropy-collapsed"}),
        ({"charts/value_mean": np.zeros(200)}, set()),
        (YOUNG, set()),
        (LATE, set()),
        (healthy() | {"losses/explained_variance": SOME_NAN}, set()),
        (healthy() | {"losses/explained_variance": np.full(UPDATES, np.nan)}, set()),
    ],
    ids=[
        "nothing", "an empty series", "two updates", "entropy alone", "an offset needs both means",
        "a critic is given time", "a policy may become sure later", "some NaN", "all NaN",
    ],
)  # fmt: skip
def test_what_is_missing_or_early_is_not_looked_at(metrics: dict[str, Any], ringing: set[str]) -> None:
    assert diagnose(metrics) == ringing


@pytest.mark.parametrize("alarm", ["kl-zero", "ratio-always-one"])
def test_with_one_step_an_update_the_policy_is_compared_with_itself(alarm: str) -> None:
    """The KL is taken before each gradient step: where an update has only one, it is 0 in health."""
    ill = healthy() | DISCRETE_ILL[alarm]
    assert diagnose(ill | {"charts/epochs": np.ones(UPDATES)}) == set()
    assert diagnose(ill | {"charts/epochs": np.full(UPDATES, 4.0)}) == {alarm}


def test_thresholds_of_ones_own() -> None:
    assert diagnose(healthy(), thresholds={"kl-high": 0.001}) == {"kl-high"}
    assert diagnose(healthy() | DISCRETE_ILL["kl-high"], thresholds={"kl-high": 1.0}) == set()
    with pytest.raises(InvalidInput, match="no alarm 'kl'; known are few-updates"):
        diagnose(healthy(), thresholds={"kl": 1.0})


def test_the_input_stays_as_it_was() -> None:
    metrics = healthy()
    diagnose(metrics)
    assert metrics.keys() == healthy().keys()
    assert all(np.array_equal(series, healthy()[name]) for name, series in metrics.items())


def test_derived_series_by_hand() -> None:
    made = derived(
        {
            "charts/value_mean": np.array([0.0, 5.0]),
            "charts/return_mean": np.array([4.0, 10.0]),
            "updates/policy.a": np.array([1.0, 0.0]),
            "updates/policy.b": np.array([0.0, 0.5]),
            "losses/entropy": np.array([math.log(2), math.log(2.1)]),
        }
    )
    assert made["value_offset"].tolist() == [1.0, 0.5]
    assert made["return_change"].tolist() == [0.0, 1.5]
    assert made["smallest_update"].tolist() == [0.0, 0.5]  # b has not moved in the first update, and then it has
    assert made["perplexity"].tolist() == pytest.approx([0.0, 0.1], abs=1e-9)


@pytest.mark.parametrize(
    ("names", "family"),
    [
        (["losses/approx_kl"], "ppo, discrete"),
        (["losses/approx_kl", "charts/action_std"], "ppo, continuous"),
        (["charts/advantage_std"], "a2c"),
        (["losses/entropy"], "reinforce"),
        (["losses/approx_kl", "charts/step_accepted"], OTHER),
        (["charts/advantage_std", "charts/action_std"], OTHER),
    ],
)
def test_the_kind_of_a_run_shows_in_its_metrics(names: list[str], family: str) -> None:
    assert family_of({name: np.zeros(1) for name in names}) == family


def test_a_threshold_lies_as_far_beyond_the_worst_as_that_from_the_median() -> None:
    assert derive([[1, 2, 3]], "above") == 4
    assert derive([[1, 2, 3]], "below") == 0
    assert derive([[1, 2, 3], [5, 6, 6.5]], "above") == 7
    assert derive([[0.1111, 0.1234]], "above") == 0.13, "outwards, to two digits"
    assert derive([[0.1234, 0.1111]], "below") == 0.1
    assert derive([[-0.5, -0.52]], "below") == -0.53


def test_alarms_in_words() -> None:
    for alarm in ALARMS:
        assert len(describe(alarm.id).split()) > 4
    with pytest.raises(InvalidInput, match="no alarm 'kl'"):
        describe("kl")


def test_suspects_by_what_they_share() -> None:
    assert suspects({"explained-variance-low", "value-offset"})[0] == "slow-critic"
    assert suspects({"explained-variance-low", "value-offset", "critic-gradient-huge"})[0] == "reward-scale"
    candidates = [traps.SLOW_CRITIC, traps.BROADCASTING]
    assert suspects({"explained-variance-low"}, candidates=candidates) == ["broadcasting", "slow-critic"]
    assert suspects(set()) == [] == suspects({"policy-gradient-zero"})
    for trap in TRAPS:
        if trap.visible:
            assert trap.id in suspects(trap.alarms)[:2], "two traps may ring the same, in different kinds of run"


def test_suspects_of_another_kind_of_run_are_left_out() -> None:
    low = {"explained-variance-low"}
    assert suspects(low, healthy())[0] == "broadcasting"
    assert suspects(low, continuous())[0] == "truncation-as-termination"
    assert suspects(low, {"losses/entropy": np.zeros(1)}) == [], "REINFORCE without a critic"
    made_runs = {"losses/entropy": np.zeros(1)}, {"charts/advantage_std": np.zeros(1)}, healthy(), continuous()
    for trap in TRAPS:
        if trap.visible:
            metrics = next(made for made in made_runs if family_of(made) == trap.family)
            assert suspects(trap.alarms, metrics)[0] == trap.id, "no two visible traps of one kind have the same alarms"


@measured
def test_the_kind_of_a_trap_is_that_of_its_runs() -> None:
    families = load_claims("traps")["families"]
    assert all(families[ill_name(trap)] == trap.family == families[healthy_name(trap)] for trap in TRAPS)


def progress(iteration: int, metrics: dict[str, float]) -> Any:
    return SimpleNamespace(iteration=iteration, metrics=metrics)


def test_watching_tells_each_alarm_once() -> None:
    watch, ill = Watch(), healthy() | DISCRETE_ILL["explained-variance-low"]
    told = [
        watch(progress(index + 1, {name: float(series[index]) for name, series in ill.items()}))
        for index in range(UPDATES)
    ]
    assert [index + 1 for index, alarms in enumerate(told) if alarms] == [SETTLED["ppo, discrete"]]
    assert [alarm for alarms in told for alarm in alarms] == ["explained-variance-low"]


def test_watching_a_long_run_looks_ever_more_rarely() -> None:
    watch, looks = Watch(), []
    for iteration in range(1, 2001):
        before = watch.next_look
        watch(progress(iteration, {"losses/approx_kl": 0.01}))
        looks += [iteration] if watch.next_look != before else []
    assert looks[:40] == list(range(1, 41)) and len(looks) < 300 and looks[-1] > 1900


def test_every_threshold_is_of_an_alarm_that_needs_one() -> None:
    assert THRESHOLDS.keys() == {*FAMILIES, OTHER}
    for thresholds in THRESHOLDS.values():
        assert all(isinstance(BY_ID[alarm], Alarm) and BY_ID[alarm].threshold is None for alarm in thresholds)


@measured
def test_thresholds_follow_from_the_healthy_runs() -> None:
    content = load_claims("traps")
    assert not set(content["threshold_seeds"]) & set(content["seeds"])
    expected: dict[str, dict[str, float]] = {family: {} for family in FAMILIES}
    for family in FAMILIES:
        runs = {key for key, of in content["families"].items() if of == family}
        for alarm in ALARMS:
            healthy_runs = [
                entry["per_seed"]
                for key, entry in content["values"].items()
                if key.partition("/")[0] == alarm.id and key.partition("/")[2] in runs
            ]
            if any(len(set(numbers)) > 1 for numbers in healthy_runs):
                expected[family][alarm.id] = min(alarm.factor * derive(healthy_runs, alarm.side), alarm.at_most)
    assert content["thresholds"] == expected, "the file does not follow from its values: measure again"
    assert {family: THRESHOLDS[family] for family in FAMILIES} == expected, "put these numbers into alarms.THRESHOLDS"


@measured
def test_alarms_tell_visible_traps_from_healthy_runs_and_name_them() -> None:
    for row in trap_rows():
        if row.trap.visible:
            assert row.separated >= 0.8 * row.seeds, row.trap.id
            assert row.named >= 0.8 * row.seeds, row.trap.id


@measured
def test_healthy_runs_are_left_in_peace_and_the_tables_have_a_row_for_each() -> None:
    found = false_alarms()
    assert found.runs >= 100 and found.share <= 0.05
    assert all(trap.title in trap_table() for trap in TRAPS)
    assert all(f"| {alarm.id} |" in alarm_table() for alarm in ALARMS)
