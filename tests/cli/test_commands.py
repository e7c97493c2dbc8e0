"""The commands do what they say: train, evaluate, draw, look over, and stop cleanly."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pgcourse import __version__, evaluate, load, reinforce
from pgcourse.cli import main
from pgcourse.doctor import examine

TRAIN = ["train", "reinforce", "--num-episodes", "8", "--no-progress"]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kept") / "r1"
    assert main([*TRAIN, "--seed", "2", "--out", str(folder)]) == 0
    return folder


def test_python_with_the_packages_name_is_the_command(repository: Path) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "pgcourse", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=repository)
        return done.returncode, done.stdout + done.stderr

    assert run("--version") == (0, f"pgcourse {__version__}\n")
    status, text = run("nonsense")
    assert status == 2 and text.startswith("pgcourse: unknown command 'nonsense'") and text.count("\n") == 1


def test_train_gives_the_run_of_the_package_and_says_what_it_reached(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TRAIN, "--seed", "2", "--gamma", "0.9", "--out", "a/b"]) == 0
    out = capsys.readouterr().out
    result = load("a/b")
    expected = reinforce.train(replace(reinforce.CARTPOLE, num_episodes=8, seed=2, gamma=0.9))
    assert result.config == expected.config
    assert result.episodes["length"].tolist() == expected.episodes["length"].tolist()
    steps = int(expected.episodes["length"].sum())
    for said in (
        f"8 episodes, {steps:,} steps",
        f"mean return of the last 8: {expected.episodes['episodic_return'].mean():.1f}",
        "100-episode mean of 475 not reached",
        "saved to a/b",
    ):
        assert said in out


def test_without_a_folder_each_run_gets_a_new_one() -> None:
    assert main(TRAIN) == main(TRAIN) == 0
    names = sorted(os.listdir("runs"))
    assert names == ["reinforce-CartPole-v1-seed0-1", "reinforce-CartPole-v1-seed0-2"]
    assert load(Path("runs", names[0])).config.seed == 0


def test_a_preset_is_the_start_options_change_it_and_a_gif_of_before_and_after_is_written_when_asked() -> None:
    assert main([*TRAIN, "--preset", "cartpole_no_baseline", "--num-envs", "2", "--out", "r", "--gif"]) == 0
    assert load("r").config == replace(reinforce.CARTPOLE_NO_BASELINE, num_episodes=8, num_envs=2)
    with Image.open("r/agent.gif") as gif:
        assert gif.size == (1200, 428) and gif.info["loop"] == 0


def test_evaluate_prints_what_the_package_finds(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(run), "--seed", "9", "--num-episodes", "30"]) == 0
    out = capsys.readouterr().out
    scores = evaluate(load(run).policy, "CartPole-v1", num_episodes=30, seed=9)
    assert f"mean return {scores.mean:.1f} (standard error {scores.standard_error:.1f}) over 30 episodes" in out
    assert f"lowest {scores.returns.min():.1f}, highest {scores.returns.max():.1f}" in out
    assert out.count("\n") == 1


def test_evaluate_of_one_episode_claims_no_error(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(run), "--num-episodes", "1", "--no-deterministic"]) == 0
    assert re.match(r"mean return [\d.]+ over 1 episodes", capsys.readouterr().out)


def test_gif_draws_one_agent_or_several_side_by_side(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gif", str(run), "one.gif", "--max-steps", "3"]) == 0
    assert main(["gif", str(run), str(run), "two.gif", "--max-steps", "3", "--random"]) == 0
    assert capsys.readouterr().out == "wrote one.gif\nwrote two.gif\n"
    assert [Image.open(name).size for name in ("one.gif", "two.gif")] == [(600, 428), (1200, 428)]


def test_a_finished_run_with_checkpoints_can_be_resumed_further(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TRAIN, "--out", "r", "--checkpoint-every", "1"]) == 0
    before = load("r").episodes["length"].tolist()
    assert main(["resume", "r", "--no-progress"]) == 0
    assert load("r").episodes["length"].tolist() == before


def test_the_doctor_finds_this_installation_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "✗" not in out
    for subject in ("Python", "torch", "gymnasium", "environments", "rendering", "own folder", "JupyterLab", "kernel"):
        assert re.search(rf"^✓ .*{subject}", out, re.MULTILINE), subject


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("", "more have equal shares (cgroups)"),
        ("other programs are in its own", "more share by niceness alone (cgroups: other programs are in its own)"),
    ],
)
def test_the_doctor_says_how_notebooks_share_a_processor(why: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pgcourse.grading.quarantine.cgroups.run", lambda jobs: contextlib.nullcontext(why))
    (finding,) = (finding for finding in examine() if finding.subject == "grading")
    assert finding.works and finding.text.endswith(f"; {said}")


def test_the_doctor_speaks_to_a_terminal_that_knows_no_check_marks(repository: Path, tmp_path: Path) -> None:
    process = start(["doctor"], repository, tmp_path, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    out, err = process.communicate(timeout=100)
    assert process.returncode == 0, err
    assert "? Python" in out and "Traceback" not in err


def test_the_doctor_says_what_to_do_where_something_is_broken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_, **__):
        raise RuntimeError("no\nvideo device")

    (tmp_path / "file").write_text("")
    monkeypatch.setattr("pgcourse.render.record_frames", broken)
    monkeypatch.setenv("PGCOURSE_HOME", str(tmp_path / "file"))
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    failed = [index for index, line in enumerate(lines) if line.startswith("✗")]
    assert [lines[index].split()[1] for index in failed] == ["rendering", "own"]
    assert "no video device" in lines[failed[0]]
    assert all("what to do:" in lines[index + 1] for index in failed)
    assert "PGCOURSE_HOME" in lines[failed[1] + 1]


def test_progress_shows_every_exercise(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["progress"]) == 0
    out = capsys.readouterr().out
    assert "discounted_returns" in out and "not attempted" in out


def start(arguments: list[str], repository: Path, folder: Path, **variables: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(repository), "PYTHONUNBUFFERED": "1"} | variables
    code = "import sys; from pgcourse.cli import main; sys.exit(main())"
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", code, *arguments], env=environment, cwd=folder, text=True, **pipes)


def test_ctrl_c_saves_the_run_and_exits_with_130(repository: Path, tmp_path: Path) -> None:
    long_run = ["train", "reinforce", "--num-episodes", "100000", "--out", "r", "--checkpoint-every", "1"]
    process = start(long_run, repository, tmp_path)
    deadline = time.monotonic() + 100
    while not (tmp_path / "r" / "checkpoint.pt").exists():  # written after the first iteration: training is under way
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=100)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "stopped by an interrupt; what was learned so far is kept" in out and "saved to r" in out
    result = load(tmp_path / "r")
    assert result.interrupted and len(result.episodes) >= 4 and len(result.episodes) % 4 == 0, "whole iterations only"


def test_an_interrupt_outside_of_training_is_one_line(
    monkeypatch: pytest.MonkeyPatch, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("pgcourse.evaluation.evaluate", interrupted)
    assert main(["evaluate", str(run)]) == 130
    assert capsys.readouterr().err == "pgcourse: interrupted\n"


def test_a_reader_that_has_gone_is_no_error(repository: Path, tmp_path: Path) -> None:
    """`pgcourse evaluate --help | head -0`: the pipe is closed before anything is written."""
    process = start(["evaluate", "--help"], repository, tmp_path)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait(timeout=100) == 0
    assert "Traceback" not in err and "BrokenPipe" not in err, err
