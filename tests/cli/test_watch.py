"""`pgcourse train --watch`: one line for each alarm, and none for a healthy run."""

from pathlib import Path

import pytest

from pgcourse import cli

SHORT = ["train", "ppo", "--hidden-sizes", "8", "--update-epochs", "2", "--device", "cpu", "--no-progress"]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def watched(capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    assert cli.main([*SHORT, *options]) == 0
    captured = capsys.readouterr()
    return [line for line in (captured.out + captured.err).splitlines() if line.startswith("watch: ")]


def test_a_sick_run_is_told_of_once(capsys: pytest.CaptureFixture[str]) -> None:
    long_rollouts = ["--num-steps", "128", "--total-timesteps", "12000", "--minibatch-size", "4096"]
    (line,) = watched(capsys, "--watch", *long_rollouts)
    assert line.startswith("watch: step 4,096: the first update has used up many episodes")
    assert line.endswith("(few-updates)")
    assert watched(capsys, *long_rollouts) == []


def test_a_healthy_run_is_left_in_peace(capsys: pytest.CaptureFixture[str]) -> None:
    assert watched(capsys, "--watch", "--total-timesteps", "4096", "--minibatch-size", "1024") == []
