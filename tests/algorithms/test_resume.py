"""The same run again: from its seed, from a checkpoint, after a kill. Same means every bit but the clock."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces

from pgcourse import Checkpoint, a2c, load, ppo, reinforce, trpo
from pgcourse.runs import Result
from tests.recording import refused

TRAIN: dict[str, Callable[..., Result]] = {
    "reinforce": reinforce.train, "a2c": a2c.train, "ppo": ppo.train, "trpo": trpo.train
}  # fmt: skip
NETWORK: dict[str, Any] = {"hidden_sizes": (8,), "num_envs": 3}
# Steps of 3 environments that do not divide an episode, so that a checkpoint falls in the middle of some.
ROLLOUT = NETWORK | {"num_steps": 25, "num_episodes": None, "total_timesteps": 75 * 6}
EVERYTHING: dict[str, Any] = {"normalize_observations": True, "normalize_rewards": True, "reward_scale": 0.5}
CONFIGS: dict[str, Any] = {
    "reinforce": replace(reinforce.CARTPOLE, **(NETWORK | {"num_episodes": 18})),
    "a2c": replace(a2c.CARTPOLE, **ROLLOUT, **EVERYTHING),
    "ppo": replace(
        ppo.CARTPOLE, minibatch_size=40, update_epochs=2, anneal_lr=True, target_kl=0.1, **(ROLLOUT | EVERYTHING)
    ),
    "trpo": replace(trpo.CARTPOLE, critic_steps=2, **ROLLOUT, **EVERYTHING),
}  # fmt: skip
# Ours; and classic control of Gymnasium with states as arrays and as floats, and with a random start.
ENVIRONMENTS = ["CartPole-v1", "Pendulum-v1", "Acrobot-v1", "MountainCarContinuous-v0", "MountainCar-v0"]


def same(first: Result, second: Result) -> bool:
    """Whether two runs have the same episodes, metrics and weights, bit for bit, but for seconds and steps per second."""

    def content(run: Result) -> dict[str, np.ndarray]:
        arrays = {field: run.episodes[field] for field in ("env_step", "episodic_return", "length")}
        arrays |= {name: values for name, values in run.metrics.items() if name != "charts/SPS"}
        for kind, network in (("policy", run.policy), ("critic", run.critic)):
            state = network.state_dict() if network is not None else {}
            arrays |= {f"{kind}.{name}": tensor.numpy() for name, tensor in state.items()}
        return arrays

    one, other = content(first), content(second)
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name], equal_nan=True) for name in one)


# From the seed.


@pytest.mark.parametrize("name", CONFIGS)
def test_the_same_seed_gives_the_same_run_and_another_seed_another(name: str) -> None:
    config = CONFIGS[name]
    first = TRAIN[name](config)
    torch.manual_seed(99)  # whatever else the process draws in between
    torch.rand(7)
    np.random.seed(99)  # noqa: NPY002 - the global stream is what must not matter
    assert same(first, TRAIN[name](config))
    assert not same(first, TRAIN[name](replace(config, seed=1)))
    assert len(first.episodes) > 3


# From a checkpoint.


def stopped_and_resumed(config: Any, folder: Path, *, after: int, every: int = 2, **parts: Callable[[], Any]) -> Result:
    """The run, given up after so many iterations and taken up from its last checkpoint by a fresh call."""

    def train(*, resume: bool = False, **options: Any) -> Result:
        made = {name: make() for name, make in parts.items()}
        return TRAIN[config.algorithm](
            config, checkpoint=Checkpoint(folder, every=every, resume=resume), **made, **options
        )

    first = train(on_iteration=lambda progress: progress.iteration == after)
    assert len(first.metrics["losses/policy_loss"]) == after
    torch.rand(3)
    return train(resume=True)


# Whole episodes of Gymnasium's environments take long; REINFORCE gets one with a short limit, below.
PAIRS = [(name, env_id) for name in CONFIGS for env_id in (ENVIRONMENTS if name != "reinforce" else ENVIRONMENTS[:2])]


@pytest.mark.parametrize(("name", "env_id"), PAIRS)
def test_a_run_goes_on_from_its_checkpoint_as_if_nothing_had_happened(name: str, env_id: str, tmp_path: Path) -> None:
    """Stopped after iteration 3, resumed from the checkpoint of iteration 2; all that an algorithm has is switched on."""
    config = replace(CONFIGS[name], env_id=env_id)
    if (name, env_id) == ("reinforce", "Pendulum-v1"):
        config = replace(config, num_envs=2, num_episodes=8)
    uninterrupted = TRAIN[name](config)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # these environments can be copied, so nothing may be said of fresh episodes
        resumed = stopped_and_resumed(config, tmp_path, after=3)
    assert same(uninterrupted, resumed)
    assert len(resumed.metrics["losses/policy_loss"]) >= 4


def test_reinforce_goes_on_in_an_environment_of_gymnasiums_too(tmp_path: Path) -> None:
    def envs() -> gymnasium.vector.VectorEnv:
        makers = [lambda: gymnasium.make("Acrobot-v1", max_episode_steps=20)] * 2
        return gymnasium.vector.SyncVectorEnv(makers, autoreset_mode=gymnasium.vector.AutoresetMode.SAME_STEP)

    config = replace(CONFIGS["reinforce"], env_id="Acrobot-v1", num_envs=2, num_episodes=10)
    uninterrupted = reinforce.train(config, envs=envs())
    assert same(uninterrupted, stopped_and_resumed(config, tmp_path, after=3, envs=envs))


def test_a_checkpoint_taken_while_stopping_counts_too(tmp_path: Path) -> None:
    """every=1: the checkpoint is of the iteration at which the run stopped."""
    assert same(ppo.train(CONFIGS["ppo"]), stopped_and_resumed(CONFIGS["ppo"], tmp_path, after=4, every=1))


def test_a_finished_run_resumes_to_itself(tmp_path: Path) -> None:
    finished = a2c.train(CONFIGS["a2c"], checkpoint=Checkpoint(tmp_path, every=6))
    assert same(finished, a2c.train(CONFIGS["a2c"], checkpoint=Checkpoint(tmp_path, resume=True)))


def test_a_larger_budget_prolongs_a_finished_run(tmp_path: Path) -> None:
    short = replace(CONFIGS["a2c"], anneal_lr=False)  # falling rates would fall more slowly in the longer run
    long = replace(short, total_timesteps=75 * 9)
    a2c.train(short, checkpoint=Checkpoint(tmp_path, every=6))
    assert same(a2c.train(long), a2c.train(long, checkpoint=Checkpoint(tmp_path, resume=True)))


def test_the_clock_goes_on_where_it_stopped(tmp_path: Path) -> None:
    config = CONFIGS["a2c"]
    seconds: list[float] = []
    first = Checkpoint(tmp_path, every=1)
    a2c.train(config, checkpoint=first, on_iteration=lambda p: seconds.append(p.seconds) or p.iteration == 2)
    a2c.train(config, checkpoint=replace(first, resume=True), on_iteration=lambda p: seconds.append(p.seconds))
    assert len(seconds) == 6
    assert seconds == sorted(seconds)


# After a kill.

PROGRAM = """
import sys
from dataclasses import replace
from pgcourse import Checkpoint, ppo
config = replace(ppo.CARTPOLE, total_timesteps=4096, num_envs=8, num_steps=16, minibatch_size=64, seed=5,
                 hidden_sizes=(8,), normalize_observations=True)
def say(progress):
    print(progress.iteration, flush=True)
ppo.train(config, checkpoint=Checkpoint(sys.argv[1], every=1, resume=sys.argv[2] == "resume"),
          on_iteration=say).save(sys.argv[1])
"""


def killed(folder: Path, mode: str, delay: float) -> None:
    """Run the program, and kill it `delay` seconds after it has finished 6 iterations."""
    with subprocess.Popen([sys.executable, "-c", PROGRAM, folder, mode], stdout=subprocess.PIPE, text=True) as process:
        for _ in range(6):
            assert process.stdout.readline(), "the program ended before it could be killed"
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_killed_run_goes_on_to_the_same_end(tmp_path: Path) -> None:
    """Killed twice at moments that nobody chose, a checkpoint after each iteration: the third start ends as one would."""
    random = np.random.default_rng(0)
    for mode in ("begin", "resume"):
        killed(tmp_path / "killed", mode, delay=random.uniform(0, 0.02))
    for folder, mode in (("killed", "resume"), ("whole", "begin")):
        command = [sys.executable, "-c", PROGRAM, tmp_path / folder, mode]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    assert same(load(tmp_path / "killed"), load(tmp_path / "whole"))


# Environments that cannot be copied.


class Opaque(gymnasium.Env):
    """State that no array shows, as in a physics engine."""

    observation_space = spaces.Box(-1, 1, (1,), np.float32)
    action_space = spaces.Discrete(2)
    starts: list[float] = []

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self.left = 10
        start = self.np_random.uniform(-1, 1, 1).astype(np.float32)
        self.starts.append(float(start[0]))
        return start, {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict]:
        self.left -= 1
        return np.zeros(1, np.float32), 1.0, self.left == 0, False, {}


def test_environments_that_cannot_be_copied_go_on_with_fresh_episodes_and_say_so(tmp_path: Path) -> None:
    gymnasium.register("tests/Opaque-v0", entry_point=Opaque)
    try:
        config = replace(CONFIGS["ppo"], env_id="tests/Opaque-v0")
        Opaque.starts.clear()
        with pytest.warns(UserWarning, match="cannot be copied: the run goes on with fresh episodes"):
            result = stopped_and_resumed(config, tmp_path, after=3)
        assert len(result.metrics["losses/policy_loss"]) == 6
        assert set(result.episodes["length"]) == {10}  # the halves of two episodes were not added up
        assert result.episodes["env_step"].tolist() == sorted(result.episodes["env_step"])
        starts = np.array(Opaque.starts)
        assert len(np.unique(starts)) > len(starts) - 8  # fresh ones: only the resets of `make_envs` come twice
    finally:
        del gymnasium.registry["tests/Opaque-v0"]


# What is refused.


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    a2c.train(CONFIGS["a2c"], checkpoint=Checkpoint(tmp_path, every=3))
    return Checkpoint(tmp_path, resume=True)


def refuse(config: Any, checkpoint: Checkpoint, match: str) -> None:
    with refused(match):
        TRAIN[config.algorithm](config, checkpoint=checkpoint)


def test_nothing_to_resume_is_one_line(tmp_path: Path) -> None:
    refuse(CONFIGS["a2c"], Checkpoint(tmp_path, resume=True), "holds no checkpoint.pt")
    refuse(CONFIGS["a2c"], Checkpoint(tmp_path / "absent", resume=True), "no folder")


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
        lambda path: path.write_bytes(np.random.default_rng(0).bytes(1000)),
        lambda path: path.write_bytes(b""),
        lambda path: torch.save([1, 2], path),
        lambda path: torch.save({"weights": torch.zeros(3)}, path),
        lambda path: (a2c.train(CONFIGS["a2c"]).save(path.parent) / "run.pt").replace(path),
    ],
    ids=["cut", "noise", "empty", "list", "foreign", "run"],
)
def test_a_damaged_or_foreign_file_is_one_line(damage: Callable[[Path], Any], checkpoint: Checkpoint) -> None:
    damage(checkpoint.path)
    refuse(CONFIGS["a2c"], checkpoint, "damaged or was not written by pgcourse")


@pytest.mark.parametrize(
    "change", [{"policy_lr": 0.5}, {"hidden_sizes": (9,)}, {"num_envs": 4}, {"seed": 9}, {"env_id": "Acrobot-v1"}]
)
def test_other_settings_than_the_checkpoints_are_refused_by_name(change: dict, checkpoint: Checkpoint) -> None:
    """Most would be ignored without a word: learning rates, for one, come back with the optimiser."""
    ((name, value),) = change.items()
    shown = re.escape(str(value if not isinstance(value, tuple) else list(value)))
    refuse(replace(CONFIGS["a2c"], **change), checkpoint, rf"(?=.*{name}=).*{shown}")


def test_a_setting_younger_than_the_checkpoint_had_its_default(checkpoint: Checkpoint) -> None:
    state = checkpoint.read()
    description = json.loads(state["description"])
    assert description["config"].pop("lr_schedule") == "linear"
    checkpoint.write(state | {"description": json.dumps(description)})
    a2c.train(CONFIGS["a2c"], checkpoint=checkpoint)
    refuse(replace(CONFIGS["a2c"], lr_schedule="cosine"), checkpoint, "lr_schedule='cosine' is given, .*='linear'")


def test_another_algorithms_checkpoint_is_refused(checkpoint: Checkpoint) -> None:
    refuse(CONFIGS["ppo"], checkpoint, "(?=.*a2c).*ppo")


def test_a_checkpoint_every_0_iterations_is_refused(tmp_path: Path) -> None:
    with refused("every=0 is not positive"):
        Checkpoint(tmp_path, every=0)
