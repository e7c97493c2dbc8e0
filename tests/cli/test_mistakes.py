"""Whatever a new user gets wrong is told in one clear line with exit status 2, and nothing is left behind."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from pgcourse import load, reinforce
from pgcourse.cli import COMMANDS, main
from pgcourse.runs import RUN_FILE

TRAIN = ["train", "reinforce", "--num-episodes", "4", "--no-progress"]


@pytest.fixture(autouse=True)
def in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="module")
def kept_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return reinforce.train(replace(reinforce.CARTPOLE, num_episodes=4)).save(tmp_path_factory.mktemp("kept") / "r1")


@pytest.fixture
def run(kept_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept_run, tmp_path / "r1"))


@pytest.fixture
def mistake(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that must be refused, and return its one line."""

    def refused(*arguments: object) -> str:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert (status, out) == (2, ""), err
        assert err.startswith("pgcourse: ") and err.endswith("\n") and err.count("\n") == 1, err
        assert "Traceback" not in err and len(err) < 500
        assert "───" not in err and "----" not in err, "a piece of a drawn box"
        return err

    return refused


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["bogus"], "unknown command 'bogus'; use one of lab, update, doctor"),
        (["train", "dqn"], "unknown algorithm 'dqn'; use one of reinforce"),
        ([*TRAIN, "--preset", "nope"], "unknown preset 'NOPE' of reinforce; use one of CARTPOLE"),
        ([*TRAIN, "--env-id", "CartPole-v9"], "no environment 'CartPole-v9'"),
        ([*TRAIN, "--env-id", "NoSuchThing-v0"], "no environment 'NoSuchThing-v0'"),
        ([*TRAIN, "--env-id", "Catch-v0"], "observations are an image"),
        ([*TRAIN, "--activation", "sigmoid"], "activation"),
        ([*TRAIN, "--gamma", "1.5"], "gamma=1.5 is not allowed; use a number of at least 0 and at most 1"),
        ([*TRAIN, "--gamma", "high"], "--gamma"),
        ([*TRAIN, "--total-timesteps", "-5"], "total_timesteps=-5 is not allowed; use an integer of at least 1"),
        ([*TRAIN, "--num-episodes", "-5"], "num_episodes=-5 is not allowed"),
        ([*TRAIN, "--num-episodes", "many"], "Error parsing --num-episodes: ['many'] is no {None}|INT"),
        ([*TRAIN, "--num-envs", "0"], "num_envs=0 is not allowed"),
        ([*TRAIN, "--seed", "-1"], "seed=-1 is not allowed; use an integer of at least 0"),
        ([*TRAIN, "--hidden-sizes", "0"], "hidden_sizes=(0,) is not allowed"),
        ([*TRAIN, "--device", "banana"], "device 'banana' is not available here; use one of auto, cpu"),
        pytest.param(
            [*TRAIN, "--device", "cuda"],
            "device 'cuda' is not available here; use one of auto, cpu",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is here"),
        ),
        ([*TRAIN, "--device", "meta"], "device 'meta' is not available here"),
        ([*TRAIN, "--bananas", "3"], "Unrecognized options: --bananas, 3; see pgcourse train reinforce --help"),
        ([*TRAIN, "--gama", "0.9"], "Unrecognized options: --gama, 0.9 (did you mean --gamma?)"),
        ([*TRAIN, "--out", "/dev/null"], "/dev/null is a file; give a folder"),
        ([*TRAIN, "--out", "/dev/null/r1"], "cannot write to /dev/null/r1"),
        ([*TRAIN, "--env-id", "pgcourse/ShortCorridor-v0", "--gif"], "cannot draw itself"),
        ([*TRAIN, "--checkpoint-every", "0"], "every=0 is not positive"),
        ([*TRAIN, "--evaluate-every", "0"], "evaluate_every=0 is not positive"),
        (["train", "reinforce", "--num-episodes", "None"], "total_timesteps and num_episodes are both None"),
        (["train", "ppo", "--num-envs", "4", "--num-steps", "8", "--minibatch-size", "64"], "exceeds the batch of 32"),
        (["train", "a2c", "--evaluate-every", "0"], "evaluate_every=0 is not positive"),
        (["train", "a2c", "--checkpoint-every", "0"], "every=0 is not positive"),
        (["train", "trpo", "--max-kl", "-1"], "max_kl=-1"),
        (["train", "ppo", "--gae-lambda", "1.5"], "gae_lambda=1.5"),
        (["train", "a2c", "--preset", "PENDULUM"], "unknown preset 'PENDULUM' of a2c; use one of CARTPOLE, ONLINE"),
        (["train", "ppo", "--normalize-advantages", "always"], "always"),
        (["train", "trpo", "--policy-lr", "0.1"], "policy-lr"),
        (["resume"], "run"),
        (["resume", "."], "holds no checkpoint.pt"),
        (["evaluate"], "Folder of the run"),
        (["evaluate", "nowhere"], "no folder nowhere; give the folder"),
        (["resume", "nowhere"], "no folder nowhere; give the folder"),
        (["gif"], "given nothing; give one or more run folders, then a file that ends in .gif"),
        (["gif", "runs/r1"], "given runs/r1; give one or more run folders"),
        (["gif", "runs/r1", "agent.png"], "give one or more run folders, then a file that ends in .gif"),
        (["gif", "nowhere", "agent.gif"], "no folder nowhere"),
        (["check", "nowhere.ipynb"], "nowhere.ipynb"),
        (["check"], "notebook"),
        (["doctor", "--fix"], "--fix"),
        (["progress", "everything"], "everything"),
    ],
    ids=lambda value: " ".join(value[-3:]) if isinstance(value, list) else "",
)
def test_a_mistake_is_told_in_one_line_and_leaves_nothing(
    mistake: Callable[..., str], in_its_own_folder: Path, arguments: list[str], said: str
) -> None:
    assert said in mistake(*arguments)
    assert list(in_its_own_folder.iterdir()) == []


def test_an_existing_run_is_not_replaced_unless_asked(
    mistake: Callable[..., str], run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (run / RUN_FILE).read_bytes()
    assert "holds a run already; choose another folder, or replace it with --overwrite" in mistake(*TRAIN, "--out", run)
    assert (run / RUN_FILE).read_bytes() == before
    assert main([*TRAIN, "--seed", "5", "--out", str(run), "--overwrite"]) == 0
    assert (run / RUN_FILE).read_bytes() != before


@pytest.mark.parametrize("command", ["evaluate", "gif", "resume"])
def test_a_damaged_file_is_refused(mistake: Callable[..., str], run: Path, command: str) -> None:
    """Which damage is found, tests/test_runs.py and tests/algorithms/test_resume.py say."""
    (run / "checkpoint.pt").write_bytes(b"no checkpoint")
    (run / RUN_FILE).write_bytes((run / RUN_FILE).read_bytes()[:1000])
    file = "checkpoint.pt" if command == "resume" else RUN_FILE
    assert f"{file} is damaged" in mistake(command, run, *(["agent.gif"] if command == "gif" else []))


def test_what_does_not_fit_the_run_is_refused(mistake: Callable[..., str], run: Path) -> None:
    assert "does not fit observations of 6 numbers" in mistake("evaluate", run, "--env-id", "Acrobot-v1")
    assert "no environment 'Nope-v0'" in mistake("evaluate", run, "--env-id", "Nope-v0")
    assert "num_episodes=0 is not positive" in mistake("evaluate", run, "--num-episodes", "0")
    assert "seed=-3" in mistake("evaluate", run, "--seed", "-3")
    assert "max_steps=0" in mistake("gif", run, "agent.gif", "--max-steps", "0")
    assert "cannot write" in mistake("gif", run, "/dev/null/agent.gif", "--max-steps", "2")


def test_agents_of_different_environments_do_not_share_a_gif(
    mistake: Callable[..., str], run: Path, tmp_path: Path
) -> None:
    config = replace(reinforce.CARTPOLE, env_id="pgcourse/ShortCorridor-v0", num_episodes=4)
    other = reinforce.train(config).save(tmp_path / "other")
    assert "the runs are of different environments" in mistake("gif", run, other, "agent.gif")


def test_a_write_that_fails_half_way_keeps_the_old_run_and_is_one_line(
    run: Path, run_python: Callable[..., Any]
) -> None:
    before, files = load(run), sorted(os.listdir(run))
    code = f"""
        import resource, signal, sys
        from pgcourse.cli import main
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
        sys.exit(main({[*TRAIN, "--seed", "9", "--overwrite", "--out", str(run)]!r}))
    """
    done = run_python(code, status=2)
    assert done.stderr.count("\n") == 1 and "cannot write" in done.stderr and "File too large" in done.stderr
    assert sorted(os.listdir(run)) == files
    again = load(run)
    assert again.config == before.config
    assert torch.equal(again.policy(torch.ones(1, 4)).logits, before.policy(torch.ones(1, 4)).logits)


@pytest.mark.skipif(not hasattr(os, "setuid"), reason="permissions are POSIX")
def test_a_folder_that_may_not_be_entered_is_one_line(
    tmp_path_factory: pytest.TempPathFactory, run_python: Callable[..., Any]
) -> None:
    """Root may write anywhere, so as root the question is asked by a process that becomes nobody right before it.

    Not earlier: nobody may not be able to read the clone, nor then to import from it.
    """
    locked = tmp_path_factory.mktemp("locked")
    os.chmod(locked, 0o000)
    code = f"""
        import os, sys
        from pgcourse.cli import main, train
        require = train.require_new_run_folder

        def as_nobody(*arguments, **options):
            if os.getuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            return require(*arguments, **options)

        train.require_new_run_folder = as_nobody
        sys.exit(main({[*TRAIN, "--out", str(locked / "r1")]!r}))
    """
    try:
        done = run_python(code, status=2)
    finally:
        os.chmod(locked, 0o755)
    assert done.stderr.count("\n") == 1 and "cannot write to" in done.stderr


def test_every_command_has_help_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "usage: pgcourse COMMAND" in capsys.readouterr().out
    for name in [*COMMANDS, "train reinforce", "train a2c", "train ppo", "train trpo", ""]:
        capsys.readouterr()
        try:
            status = main([*name.split(), "--help"])
        except SystemExit as stop:
            status = stop.code
        out, err = capsys.readouterr()
        assert status in (0, None) and err == "", (name, err)
        assert f"Example: pgcourse {name.split()[0] if name else 'train'}" in out, name
        if name in ("train a2c", "train ppo", "train trpo"):
            assert "--gae-lambda" in out and "--normalize-observations" in out
    assert all(name in out for name in COMMANDS), "and the first help names them all"


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_the_line_is_the_same_whatever_the_terminal_can_show(encoding: str, run_python: Callable[..., Any]) -> None:
    """Where the terminal shows no lines, tyro draws its box with plus and minus signs."""
    code = "import sys; from pgcourse.cli import main; sys.exit(main(['evaluate', 'r1', '--sede', '1']))"
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "LC_ALL": "C"}
    done = run_python(code, status=2, env=environment)
    said = "Unrecognized options: --sede, 1 (did you mean --seed?)"
    assert done.stderr == f"pgcourse: {said}; see pgcourse evaluate --help\n"


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    import pgcourse

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"pgcourse {pgcourse.__version__}\n"
