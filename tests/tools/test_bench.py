"""The benchmark's report: what it says follows from the runs, and README says what it says."""

import json
from pathlib import Path
from typing import Any

import pytest

from tools.bench import batches
from tools.bench.__main__ import measure
from tools.bench.report import BEGIN, END, ratios_of, speed_table, summaries, write_readme

ROOT = Path(__file__).resolve().parents[2]
STORED = ROOT / "claims" / "speed.json"
BATCHES = ROOT / "claims" / "batches.json"


def run(
    seconds: float | None, *, steps: int | None = 60_000, kept: bool = True, speed: float = 20_000.0
) -> dict[str, Any]:
    return {
        "solved_seconds": seconds, "solved_steps": steps if seconds is not None else None, "kept": kept,
        "steps_per_second": speed, "peak_memory_mb": 300.0, "final": 500.0, "seed": 1000,
    }  # fmt: skip


def test_an_unsolved_run_counts_as_infinitely_slow() -> None:
    rows = {
        "cartpole/ours": [run(2.0), run(3.0), run(None, kept=False)],
        "trpo/cartpole": [run(None), run(None), run(1.0)],
    }
    summary = summaries(rows)
    assert summary["cartpole/ours"]["median_seconds"] == 3.0
    assert (summary["cartpole/ours"]["solved"], summary["cartpole/ours"]["kept"]) == (2, 2)
    assert summary["cartpole/ours"]["seconds_interval"][1] is None, "the interval may reach the unsolved run"
    assert summary["trpo/cartpole"]["median_seconds"] is None


def test_a_ratio_is_of_the_peers_medians_to_ours() -> None:
    rows = {
        "cartpole/ours": [run(2.0), run(2.0)],
        "cartpole/sb3_tuned": [run(12.0, speed=5_000.0), run(16.0, speed=5_000.0)],
        "pendulum/sb3_tuned": [run(1.0)],
    }
    assert ratios_of(rows) == {"cartpole/sb3_tuned": {"seconds a step": 4.0, "seconds to solve": 7.0}}


def test_the_table_stands_between_its_marks_and_nothing_else_changes(tmp_path: Path) -> None:
    rows = {"cartpole/ours": [run(2.0), run(2.0)], "cartpole/sb3_tuned": [run(None), run(None)]}
    content = {"summary": summaries(rows), "ratios": ratios_of(rows)}
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_readme(readme, content)
    assert readme.read_text() == f"before\n{BEGIN}\n\n{speed_table(content)}\n\n{END}\nafter\n"
    assert "| CartPole | `ppo.CARTPOLE` | 2 of 2 | 2 of 2 | 60,000 | 2.0 [2.0, 2.0] |  |" in readme.read_text()
    assert "| 0 of 2 | 2 of 2 | never | never | 1.0 |" in readme.read_text()
    five = {"steps_per_second": 90_000.4, "sb3_tuned_steps_per_second": 3_000.0, "rounds": [{}, {}, {}]}
    write_readme(readme, content | {"final_five": five})
    assert "90,000 environment steps a second in all,\n30 times one run" in readme.read_text()
    readme.write_text("no marks")
    with pytest.raises(ValueError, match=r"README\.md lacks the marks"):
        write_readme(readme, content)


def test_a_slow_method_takes_part_in_the_first_rounds_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    called: list[tuple[str, int]] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tools.bench.__main__._child", lambda method, seed: called.append((method, seed)) or {})
    monkeypatch.setattr("tools.bench.methods.FEWER_SEEDS", {"slow": 1})
    measure(["quick", "slow"], [7, 8, 9], repeat=False)
    assert called == [("quick", 7), ("slow", 7), ("quick", 8), ("quick", 9)]
    measure(["quick"], [7, 8, 9, 10], repeat=False)
    assert called[4:] == [("quick", 10)], "finished runs are kept"


def test_the_stored_figures_follow_from_the_stored_runs_and_stand_in_the_readme() -> None:
    content = json.loads(STORED.read_text())
    assert content["summary"] == json.loads(json.dumps(summaries(content["runs"])))
    assert content["ratios"] == json.loads(json.dumps(ratios_of(content["runs"])))
    assert speed_table(content) in (ROOT / "README.md").read_text(encoding="utf-8")
    ours = content["summary"]["cartpole/ours"]
    assert ours["runs"] >= 20 and min(entry["runs"] for entry in content["summary"].values()) >= 5


def test_the_stored_batches_stand_in_the_readme_with_their_figure() -> None:
    tasks = json.loads(BATCHES.read_text())["tasks"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert batches.memory_table(tasks) in readme and f"(docs/{batches.FIGURE.name})" in readme
    assert batches.FIGURE.read_bytes() == batches.draw(tasks)
    for task, entry in tasks.items():
        assert [row["seeds"] for row in entry["batches"]] == list(batches.SIZES["cpu"]), task
        for row in entry["batches"]:
            alone = entry["alone_seconds"] * row["seeds"]
            assert abs(row["times_faster"] - alone / row["seconds"]) <= 0.01 + 0.01 * row["times_faster"], task
