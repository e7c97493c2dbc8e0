"""`pgcourse compare`: five agents, their table, curves and GIFs; an interrupt costs the run that it falls in."""

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pgcourse import a2c, ppo, reinforce
from pgcourse.cli import main
from pgcourse.show.page.style import LABELS
from pgcourse.study import comparison, jobs, seeds
from pgcourse.study.seeds import Run

command = importlib.import_module("pgcourse.cli.compare")  # its name in pgcourse.cli is the function
SMALL = ["compare", "--episodes", "6", "--seeds", "2", "--workers", "1", "--no-progress", "--out"]
NAMES = ["reinforce_no_baseline", "reinforce", "a2c", "ppo", "ppo_buggy"]


def a_run(seed: int, returns: list[float], held_out: float, steps: int = 1000) -> Run:
    episodes = np.zeros(len(returns), [("env_step", np.int64), ("episodic_return", np.float64)])
    episodes["episodic_return"] = returns
    episodes["env_step"] = np.linspace(1, steps, len(returns))
    return Run(seed, episodes, {}, np.array([held_out]))


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compared")
    assert main([*SMALL, str(folder)]) == 0
    return folder


def test_it_writes_table_curves_a_gif_of_each_agent_and_the_runs(compared: Path) -> None:
    table = (compared / "table.txt").read_text().splitlines()
    assert table[0] == "2 seeds, 6 episodes each"
    assert [line.split("  ")[0] for line in table[3:]] == [LABELS[name] for name in NAMES]
    for name in ("curves.png", "curves_by_steps.png"):
        assert Image.open(compared / name).size == (760, 420)
    for name in NAMES:
        with Image.open(compared / f"{name}.gif") as gif:
            assert gif.info["loop"] == 0
    assert len(list((compared / "runs").iterdir())) == 10


def test_an_interrupt_keeps_what_is_finished_and_the_second_call_goes_on(
    compared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    train, trained, interrupt_at = jobs.train_batch, [], 6

    def counted(configs: Any, **options: Any) -> Any:
        if len(trained) == interrupt_at:
            raise KeyboardInterrupt
        trained.extend(configs)
        return train(configs, **options)

    monkeypatch.setattr(jobs, "train_batch", counted)
    assert main([*SMALL, str(tmp_path)]) == 130
    err = capsys.readouterr().err
    assert err == "pgcourse: interrupted; finished runs are kept, and the same command goes on from here\n"
    assert (tmp_path / "table.txt").read_text() == "2 seeds, 6 episodes each: not finished yet\n"
    interrupt_at = 100
    assert main([*SMALL, str(tmp_path)]) == 0
    assert len(trained) == 10, "each run once"
    assert (tmp_path / "table.txt").read_text() == (compared / "table.txt").read_text()
    assert capsys.readouterr().out.startswith("agent ")


def test_the_agents_are_the_courses_presets_bounded_by_episodes_alone() -> None:
    agents = comparison.agents(1000)
    bound = {"num_episodes": 1000, "total_timesteps": None}
    assert agents == {
        "reinforce_no_baseline": replace(reinforce.CARTPOLE_NO_BASELINE, **bound),
        "reinforce": replace(reinforce.CARTPOLE, **bound),
        "a2c": replace(a2c.CARTPOLE, **bound),
        "ppo": replace(ppo.CARTPOLE, **bound),
        "ppo_buggy": replace(ppo.BUGGY, **bound),
    }
    assert set(comparison.SEAMS) == {"ppo_buggy"} and set(comparison.SEAMS["ppo_buggy"]) == {"gradient_step_fn"}


def test_the_rows_by_hand() -> None:
    late = [10.0] * 50 + [480.0] * 100  # 99 of 480 and one of 10 have a mean above 475; 98 and two do not
    runs = {
        "a": [a_run(0, [10.0] * 150, 20), a_run(1, [30.0] * 150, 40)],
        "b": [a_run(0, [*late, 999.0], 490, steps=5000), a_run(1, [20.0] * 150, 10, steps=3000)],
    }
    first, second = comparison.rows_of(runs, 150)
    assert first.last.tolist() == [10, 30] and np.isnan(first.better)
    assert second.last.tolist() == [480, 20], "what a rollout finished after the last episode does not count"
    assert second.held_out.tolist() == [490, 10] and second.solved.tolist() == [149, np.inf]
    assert second.better == 3 / 4  # 480 beats 10 and 30; 20 beats 10
    assert second.better_interval == (0.0, 1.0), "two runs of each say nearly nothing"


def test_the_table_gives_estimates_with_intervals_and_says_never() -> None:
    runs = {
        "a": [a_run(seed, [10.0 + seed] * 150, 20) for seed in range(4)],
        "b": [a_run(seed, [480.0] * 150, 500) for seed in range(4)],
    }
    lines = comparison.table_of(comparison.rows_of(runs, 150), {"a": "Slow", "b": "Fast"}, 150).splitlines()
    assert [line.split("  ")[0] for line in lines] == ["agent", "Slow", "Fast"]
    assert "last 100 episodes" in lines[0]
    assert "11.5 [10, 13]" in lines[1] and "never" in lines[1] and "0 of 4" in lines[1]
    assert "480 [480, 480]" in lines[2] and "100 [100, 100]" in lines[2] and "4 of 4" in lines[2]
    assert lines[2].endswith("1.00 [1.00, 1.00]")


def test_the_agent_shown_is_the_one_in_the_middle_as_it_was_trained(compared: Path) -> None:
    runs = [a_run(seed, [1.0], held_out) for seed, held_out in enumerate((500, 20, 300, 9))]
    assert [comparison.middle_run(runs[:count]).seed for count in (4, 3)] == [1, 2]
    config = comparison.agents(6)["a2c"]
    run = seeds.run_seeds({"a2c": config}, [1], folder=compared / "runs", progress=False)["a2c"][0]
    trained = a2c.train(replace(config, seed=1), device="cpu").policy.state_dict()
    for name, weights in comparison.policy_of(run, config).state_dict().items():
        np.testing.assert_allclose(weights, trained[name], atol=1e-5)  # it was trained in a batch


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--episodes", "0"], "episodes=0, seeds=10; use at least 1 of each"),
        (["--seeds", "0"], "episodes=1000, seeds=0; use at least 1 of each"),
        (["--workers", "0"], "workers=0 is not positive; use at least 1"),
        (["--workers", "2", "--dask", "tcp://127.0.0.1:1"], "give one of the two"),
        (["--seed", "1"], "Unrecognized options: --seed"),
        (["--out", "/dev/null"], "cannot write /dev/null/table.txt"),
        (["--dask", "tcp://127.0.0.1:1"], "no Dask scheduler answers at 'tcp://127.0.0.1:1'"),
    ],
)
def test_a_mistake_is_one_line_before_any_training(
    options: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pgcourse.study.workers.CONNECT_SECONDS", 1)
    assert main(["compare", *options]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("pgcourse: ") and err.count("\n") == 1 and said in err
    assert not list(tmp_path.rglob("*.npz"))


def test_workers_default_to_one_for_each_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def recorded(configs: Any, of: Any, **options: Any) -> Any:
        asked.update(options)
        raise KeyboardInterrupt

    monkeypatch.setattr(seeds, "run_seeds", recorded)
    monkeypatch.setattr("joblib.cpu_count", lambda: 7)
    assert main(["compare", "--out", str(tmp_path)]) == 130
    assert asked["num_workers"] == 7 and asked["folder"] == tmp_path / "runs" and asked["seams"] == comparison.SEAMS
