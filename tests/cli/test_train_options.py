"""`pgcourse train` and `pgcourse resume` with every algorithm and option, as a new user would type them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pgcourse import cli, load

TINY = ["--num-envs", "4", "--hidden-sizes", "8", "--device", "cpu", "--no-progress"]
SHORT = {
    "a2c": ["--num-episodes", "6", *TINY],
    "ppo": ["--total-timesteps", "512", "--minibatch-size", "64", *TINY],
    "trpo": ["--total-timesteps", "512", "--critic-steps", "2", *TINY],
}


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs without --out go below the current folder."""
    monkeypatch.chdir(tmp_path)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert cli.main(list(arguments)) == 2
    out, err = capsys.readouterr()
    assert err.startswith("pgcourse: ") and err.count("\n") == 1 and out == ""
    return err


@pytest.mark.parametrize("algorithm", SHORT)
def test_each_algorithm_trains_saves_and_is_evaluated(algorithm: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["train", algorithm, *SHORT[algorithm], "--seed", "3", "--out", "run"]) == 0
    assert "saved to run" in capsys.readouterr().out
    result = load("run")
    assert (result.config.algorithm, result.config.seed, result.config.num_envs) == (algorithm, 3, 4)
    assert result.config.hidden_sizes == (8,)
    assert len(result.episodes) > 0
    assert cli.main(["evaluate", "run", "--num-episodes", "3"]) == 0
    assert "over 3 episodes" in capsys.readouterr().out


def test_a_preset_for_continuous_actions(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--preset", "PENDULUM", "--total-timesteps", "4096", "--hidden-sizes", "8", "--no-progress"]
    assert cli.main(["train", "ppo", *options, "--out", "run"]) == 0
    result = load("run")
    assert (result.config.env_id, result.config.gamma, result.config.reward_scale) == ("Pendulum-v1", 0.93, 0.1)
    assert result.policy.log_std.shape == (1,)
    assert result.episodes["length"].tolist() == [200] * 24
    assert (result.episodes["episodic_return"] < -500).all()  # in the environment's own rewards, not a tenth of them


@pytest.mark.parametrize("algorithm", [*SHORT, "reinforce"])
def test_the_activation_reaches_the_networks_and_comes_back(algorithm: str) -> None:
    options = SHORT.get(algorithm, ["--num-episodes", "4", *TINY])
    assert cli.main(["train", algorithm, *options, "--activation", "leaky_relu", "--out", "run"]) == 0
    result = load("run")
    assert result.config.activation == "leaky_relu"
    for network in (result.policy, result.critic):
        assert network.arguments["activation"] == "leaky_relu"
        assert any(isinstance(module, torch.nn.LeakyReLU) for module in network.modules())


def test_switches_reach_the_run() -> None:
    switches = ["--normalize-observations", "--normalize-rewards", "--anneal-lr"]
    options = [*switches, "--target-kl", "0.05", "--clip-coef", "None"]
    assert cli.main(["train", "ppo", *SHORT["ppo"], *options, "--out", "run"]) == 0
    result = load("run")
    assert (result.config.target_kl, result.config.clip_coef, result.config.anneal_lr) == (0.05, None, True)
    assert result.policy.norm.count == 512


def test_tensorboard_gets_every_metric() -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert cli.main(["train", "a2c", *SHORT["a2c"], "--tensorboard", "--out", "run"]) == 0
    assert len(list(Path("run/tensorboard").glob("events.out.tfevents.*"))) == 1
    events = EventAccumulator("run/tensorboard")
    events.Reload()
    metrics = load("run").metrics
    assert set(events.Tags()["scalars"]) >= metrics.keys()
    entropy = events.Scalars("losses/entropy")
    np.testing.assert_allclose([event.value for event in entropy], metrics["losses/entropy"], rtol=1e-6)
    assert [event.step for event in entropy] == metrics["charts/env_step"].astype(int).tolist()


def table(path: str = "run/evaluations.csv") -> list[list[float]]:
    header, *rows = Path(path).read_text().splitlines()
    assert header == "iteration,env_step,mean_return,standard_error"
    return [[float(cell) for cell in row.split(",")] for row in rows]


def test_held_out_evaluations_are_kept_in_a_table() -> None:
    options = ["--total-timesteps", "1024", "--num-steps", "32", *SHORT["trpo"][2:]]  # 128 steps an iteration
    assert cli.main(["train", "trpo", *options, "--evaluate-every", "3", "--out", "run"]) == 0
    assert [row[:2] for row in table()] == [[3, 384], [6, 768]]
    assert all(8 <= row[2] <= 500 for row in table())
    # looking on does not change the run
    assert cli.main(["train", "trpo", *options, "--out", "alone"]) == 0
    assert np.array_equal(load("run").episodes["episodic_return"], load("alone").episodes["episodic_return"])


def test_a_stopped_run_is_resumed_to_the_end_of_an_uninterrupted_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run stops in iteration 5, after the checkpoint of iteration 4; it was evaluated after iterations 2 and 4."""
    options = ["--total-timesteps", "1024", "--num-steps", "32", *SHORT["ppo"][2:], "--evaluate-every", "2"]
    assert cli.main(["train", "ppo", *options, "--out", "whole"]) == 0

    from pgcourse.algorithms import ppo

    original, calls = ppo.update_normalization, []

    def power_cut(*arguments: object) -> None:
        calls.append(1)
        if len(calls) == 5:  # one call an iteration
            raise RuntimeError("power cut")
        original(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(ppo, "update_normalization", power_cut)
        with pytest.raises(RuntimeError, match="power cut"):
            cli.main(["train", "ppo", *options, "--checkpoint-every", "2", "--out", "run"])
    assert not Path("run/run.pt").exists()
    assert cli.main(["resume", "run", "--no-progress", "--evaluate-every", "2"]) == 0
    whole, resumed = load("whole"), load("run")
    for field in ("env_step", "episodic_return", "length"):
        assert np.array_equal(whole.episodes[field], resumed.episodes[field])
    assert np.array_equal(whole.metrics["losses/value_loss"], resumed.metrics["losses/value_loss"])
    assert table() == table("whole/evaluations.csv")


def test_an_unfinished_run_is_not_overwritten_by_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["train", "a2c", *SHORT["a2c"], "--checkpoint-every", "1", "--out", "run"]) == 0
    Path("run/run.pt").unlink()  # as after a kill
    line = refused(capsys, "train", "a2c", *SHORT["a2c"], "--out", "run")
    assert "unfinished run" in line and "pgcourse resume run" in line and "--overwrite" in line
    assert Path("run/checkpoint.pt").exists()


def test_overwriting_a_run_takes_its_checkpoint_away_too(capsys: pytest.CaptureFixture[str]) -> None:
    """Or `resume` would go on with the run that was replaced."""
    assert cli.main(["train", "a2c", *SHORT["a2c"], "--checkpoint-every", "1", "--out", "run"]) == 0
    assert cli.main(["train", "a2c", *SHORT["a2c"], "--seed", "5", "--overwrite", "--out", "run"]) == 0
    assert load("run").config.seed == 5
    assert "holds no checkpoint.pt" in refused(capsys, "resume", "run")


# --watch: one line for each alarm, and none for a healthy run.

WATCHED = ["train", "ppo", "--hidden-sizes", "8", "--update-epochs", "2", "--device", "cpu", "--no-progress"]


def watched(capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    assert cli.main([*WATCHED, *options]) == 0
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
