"""The committed figures: each follows from its per-seed values, and today's code still gives such values."""

import copy
import importlib
import json
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pgcourse import InvalidInput, reinforce
from pgcourse.algorithms.a2c import A2CConfig
from pgcourse.algorithms.ppo import PPOConfig
from pgcourse.algorithms.reinforce import ReinforceConfig
from pgcourse.algorithms.trpo import TRPOConfig
from pgcourse.statistics import bootstrap_interval, interquartile_mean
from pgcourse.study import claims, jobs
from pgcourse.study.claims import (
    YOUNGER,
    describe_values,
    figures_of,
    format_number,
    load_claims,
    quote,
    with_younger_settings,
)
from pgcourse.study.prose import FIGURE_PLACEHOLDER
from tools.claims import __main__ as command
from tools.claims.optimizers import OPTIMIZERS, influence, update_norms
from tools.claims.reinforce import SEAMS
from tools.claims.runs import BATCHED, first_returns, kept_runs, made
from tools.claims.study import Study

ROOT = Path(__file__).resolve().parents[2]
# The benchmarks' files have shapes and tests of their own: tests/tools/test_bench.py.
BENCHMARKS = ("batches", "speed")
FILES = sorted(path for path in (ROOT / "claims").glob("*.json") if path.stem not in BENCHMARKS)
IDS = [path.stem for path in FILES]
STUDIES: dict[str, Study] = {name: importlib.import_module(f"tools.claims.{name}").STUDY for name in IDS}


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def differing_figures(content: dict[str, Any]) -> list[str]:
    expected, stored = figures_of(content["values"]), content["figures"]
    return sorted(name for name in {*expected, *stored} if not same_figure(expected.get(name), stored.get(name)))


def same_figure(one: dict[str, Any] | None, other: dict[str, Any] | None) -> bool:
    """Equal, but for one unit of the sixth digit: sums in another order may be rounded another way."""
    if one is None or other is None or one.keys() != other.keys():
        return False
    return all(
        abs(value - other[key]) < 1.5e-6
        if isinstance(value, float) and isinstance(other[key], float)
        else value == other[key]
        for key, value in one.items()
    )


each_file = pytest.mark.parametrize("path", FILES, ids=IDS)


@each_file
def test_every_figure_follows_from_its_values(path: Path) -> None:
    assert differing_figures(read(path)) == []


def test_a_figure_changed_by_hand_is_found() -> None:
    content = read(FILES[IDS.index("reinforce")])
    content["figures"]["no_baseline/last_100"]["value"] += 0.001
    assert differing_figures(content) == ["no_baseline/last_100"]


@each_file
def test_every_number_has_one_value_of_each_of_ten_seeds_and_bands_follow_from_curves(path: Path) -> None:
    content = read(path)
    assert len(set(content["seeds"])) == len(content["seeds"]) >= 10
    for name, entry in content["values"].items():
        seeds = entry.get("seeds", content["seeds"])  # a group of the runs says which
        assert set(seeds) <= set(content["seeds"]), name
        assert len(entry["per_seed"]) == len(seeds) == len(set(seeds)), name
    for name, curve in content["curves"].items():
        assert curve["n"] == len(content["seeds"]), name
        assert len({len(curve[key]) for key in ("x", "mean", "low", "high")}) == 1, name
        if "per_seed" in curve:
            runs = np.array(curve["per_seed"])
            expected = interquartile_mean(runs, axis=0), *bootstrap_interval(runs.T)
            for key, values in zip(("mean", "low", "high"), expected, strict=True):
                np.testing.assert_allclose(curve[key], values, rtol=1e-3, err_msg=f"{name} {key}")


@each_file
def test_a_file_says_how_it_was_made_with_todays_settings(path: Path) -> None:
    content, study = read(path), STUDIES[path.stem]
    assert content["command"] == f"python -m tools.claims {path.stem}"
    assert content["description"]
    assert {"python", "torch", "gymnasium", "numpy"} <= content["versions"].keys()
    assert set(content["machine"]) == {"system", "processor"}, "nothing that names a place or a person"
    assert content["configs"].keys() == study.variants.keys()
    for variant, config in study.variants.items():
        measured = with_younger_settings(content["configs"][variant], config)
        assert as_json(study.describe_config(variant)) == as_json(measured)


def as_json(content: Any) -> Any:
    return json.loads(json.dumps(content))


@pytest.mark.parametrize("config", [A2CConfig, PPOConfig, ReinforceConfig, TRPOConfig])
def test_a_younger_setting_is_completed_by_its_default(config: Any) -> None:
    defaults = {field.name: field.default for field in fields(config)}
    completed = with_younger_settings({}, config())
    assert completed.keys() == YOUNGER.keys() & defaults.keys()
    assert completed.items() <= defaults.items()


@pytest.mark.parametrize("path", sorted((ROOT / "course").glob("*.py")), ids=lambda path: path.name)
def test_every_figure_that_a_lesson_quotes_is_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    literal = re.findall(r"(?<!f)\bquote\([\"']([\w:./-]+)[\"']\)", text)
    for reference in [*FIGURE_PLACEHOLDER.findall(text), *literal]:
        assert reference.startswith("minutes:") or quote(reference)  # minutes are counted from the text itself


@pytest.mark.parametrize(("name", "variant"), [(name, variant) for name in IDS for variant in STUDIES[name].variants])
def test_the_episodes_before_the_first_update_are_those_that_were_measured(name: str, variant: str) -> None:
    study, stored = STUDIES[name], load_claims(name)
    config, seams = study.variants[variant], study.seams.get(variant, {})
    if name == "mujoco":
        pytest.importorskip("mujoco", reason="needs the extra")
    # Episodes that end in the first rollout. Stale ones: the first update comes after the first to end.
    steps = getattr(config, "batch_size", None)
    count = 1 if "collect_fn" in seams else config.num_envs
    again = first_returns(config, stored["seeds"][0], seams, num_episodes=count, within_steps=steps)
    if not again:
        pytest.skip("no episode ends in the first rollout")
    assert again == pytest.approx(stored["prefixes"][variant][: len(again)], rel=1e-3)


def test_a_run_today_stays_in_the_range_of_the_measured_ones() -> None:
    """Bits differ between processors, so the comparison after many updates is with the range over seeds."""
    stored = load_claims("reinforce")
    curve = stored["curves"]["no_baseline"]
    config = replace(reinforce.CARTPOLE_NO_BASELINE, seed=stored["seeds"][0], num_episodes=150)
    reached = reinforce.train(config, device="cpu").episodes["episodic_return"][100:150].mean()
    measured = np.array(curve["per_seed"])[:, curve["x"].index(150)]
    assert 0.8 * measured.min() <= reached <= 1.2 * measured.max()


def test_the_patient_is_ill_and_the_healthy_run_is_not() -> None:
    config = replace(reinforce.CARTPOLE_NO_BASELINE, seed=100, num_episodes=40)
    ill = reinforce.train(config, device="cpu", **SEAMS["patient"]).metrics["losses/policy_grad_norm"]
    healthy = reinforce.train(config, device="cpu").metrics["losses/policy_grad_norm"]
    assert ill.max() < 1e-6 < 1e-3 < healthy.min()


def test_momentum_evens_out_the_steps_and_no_optimiser_what_a_gradient_does_in_the_end() -> None:
    import torch

    generator = torch.Generator().manual_seed(0)
    gradients = torch.randn(300, 50, generator=generator)
    gradients[150] *= 5
    large = float(gradients[150].norm() / gradients.norm(dim=1).median())
    for name, make in OPTIMIZERS.items():
        steps, weights = update_norms(gradients, make), influence(gradients, make)
        assert weights[150] / np.median(weights[20:-20]) == pytest.approx(large, rel=0.15), name
        even = name in ("adam", "momentum")
        assert (steps[150] / np.median(steps[20:]) < 0.6 * large) == even, name
    np.testing.assert_allclose(update_norms(gradients, OPTIMIZERS["sgd"]), 0.01 * gradients.norm(dim=1), rtol=1e-5)
    np.testing.assert_allclose(influence(gradients, OPTIMIZERS["sgd"]), 0.01 * gradients.norm(dim=1), rtol=1e-3)


def test_figures_of_seeds_that_never_got_there() -> None:
    never_for_most = describe_values([None] * 8 + [300, 400], unit="episodes")
    assert never_for_most["value"] is None and format_number(never_for_most["value"]) == "never"
    # The upper quarter may be missing: it is left out of the interquartile mean, and bounds the interval.
    some = describe_values([100, 200, 300, 400, None], unit="episodes")
    assert some["low"] < some["value"] and some["high"] is None
    for values, unit, statistic, expected in [
        ([None, 3.0, 4.0], "episodes", "count", 2),
        ([None, 3.0, 4.0], "episodes", "worst", None),
        ([5.0, 3.0, 4.0], "return", "worst", 3.0),
    ]:
        assert describe_values(values, unit=unit, statistic=statistic)["value"] == expected


def test_a_quote_is_the_value_with_its_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = {
        "a/b": {"value": 289.4, "low": 274.2, "high": None, "n": 10},
        "c": {"value": 7, "low": None, "n": 10},
    }
    monkeypatch.setattr(claims, "load_claims", lambda name: {"figures": figures})
    quoted = [quote(reference) for reference in ("x:a/b", "x:a/b.value", "x:a/b.n", "x:c")]
    assert quoted == ["289 [274, never]", "289", "10", "7"]
    with pytest.raises(InvalidInput, match="no figure"):
        quote("x:nothing")


def test_a_claims_file_is_json_with_one_figure_a_line() -> None:
    values = {
        "a": {"unit": "return", "statistics": ["interquartile mean"], "per_seed": [1.0, 2.0, 3.0, 4.0]},
        "b": {"unit": "episodes", "statistics": ["count"], "per_seed": [None, 2, 3, 4]},
    }
    text = command.as_text({"description": "what", "seeds": [1, 2, 3, 4], "values": copy.deepcopy(values)})
    content = json.loads(text)
    assert content["figures"] == as_json(figures_of(values))
    assert command.as_text(content) == text, "what is read and written again is the same"
    assert sum('"b/count"' in line for line in text.splitlines()) == 1


def test_an_unknown_study_is_one_line_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["reinforced"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "reinforced" in error and "reinforce" in error


TINY = {
    "one": replace(reinforce.CARTPOLE_NAIVE, num_episodes=6),
    "two": replace(reinforce.CARTPOLE, num_episodes=8),
}


def test_a_study_that_was_interrupted_trains_only_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = kept_runs(TINY, [1, 2], seams={}, folder=tmp_path)

    monkeypatch.delattr(jobs, "_train_alone")  # a kept run is not trained again
    again = kept_runs(TINY, [1, 2], seams={}, folder=tmp_path)
    for name, runs in again.items():
        assert [run.episodes.tolist() for run in runs] == [run.episodes.tolist() for run in first[name]]


def test_runs_of_batches_are_not_taken_for_runs_made_one_by_one(tmp_path: Path) -> None:
    kept_runs({"one": TINY["one"]}, [1], seams={}, folder=tmp_path)
    with made(BATCHED):
        kept_runs({"one": TINY["one"]}, [1], seams={}, folder=tmp_path)
    assert len({path.parent.name for path in tmp_path.rglob("*.npz")}) == 2


def test_a_kept_run_of_other_settings_or_other_code_is_not_used(tmp_path: Path) -> None:
    def lazy_update(*arguments: Any, **options: Any) -> dict[str, Any]:
        return {"losses/policy_loss": 0.0}

    usual, other = TINY["one"], replace(TINY["one"], gamma=0.5)
    for config, seams in ((usual, {}), (other, {}), (usual, {"one": {"update_fn": lazy_update}})):
        kept_runs({"one": config}, [1], seams=seams, folder=tmp_path)
    assert len(list(tmp_path.rglob("*.npz"))) == 3
