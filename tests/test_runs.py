"""Runs on disk: what is loaded is what was saved, and what is damaged is refused, not half believed."""

import csv
import io
import json
import os
import pickle
import random
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from pgcourse import load, reinforce
from pgcourse.errors import InvalidInput
from pgcourse.networks import CategoricalPolicy
from pgcourse.runs import RUN_FILE, Result, require_new_run_folder
from tests.recording import refused

OBS = torch.linspace(-1, 1, 20).reshape(5, 4)


@pytest.fixture(scope="module")
def result() -> Result:
    return reinforce.train(replace(reinforce.CARTPOLE, num_episodes=8, hidden_sizes=(16, 8), seed=3))


@pytest.fixture
def folder(result: Result, tmp_path: Path) -> Path:
    return result.save(tmp_path / "runs" / "r1")


class Own(nn.Module):
    """A learner's own policy."""

    def __init__(self, hidden: int = 5) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, hidden), nn.ReLU(), nn.Linear(hidden, 2))

    def forward(self, obs: torch.Tensor) -> torch.distributions.Distribution:
        return torch.distributions.Categorical(logits=self.body(obs))


def rewrite(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Replace the run's file by a whole one with other content."""
    content = torch.load(folder / RUN_FILE, weights_only=True)
    torch.save(change(content), folder / RUN_FILE)


# What comes back.


def test_a_loaded_run_acts_and_says_the_same(result: Result, folder: Path) -> None:
    again = load(folder)
    with torch.no_grad():
        assert torch.equal(again.policy(OBS).logits, result.policy(OBS).logits)
        assert again.critic is not None and result.critic is not None
        assert torch.equal(again.critic(OBS), result.critic(OBS))
    assert again.config == result.config and isinstance(again.config.hidden_sizes, tuple)
    assert np.array_equal(again.episodes, result.episodes) and again.episodes.dtype == result.episodes.dtype
    assert again.metrics.keys() == result.metrics.keys()
    for name, values in result.metrics.items():
        np.testing.assert_array_equal(again.metrics[name], values)
    assert (again.device, again.interrupted) == (result.device, result.interrupted)


def test_a_loaded_run_can_be_trained_further_and_saved_again(folder: Path, tmp_path: Path) -> None:
    again = load(folder)
    reinforce.train(replace(again.config, num_episodes=4), policy=again.policy, critic=again.critic)
    again.save(tmp_path / "second")
    assert load(tmp_path / "second").config == again.config


def test_a_run_without_a_critic_comes_back_without_one(tmp_path: Path) -> None:
    config = replace(reinforce.CARTPOLE_NO_BASELINE, num_episodes=4)
    assert load(reinforce.train(config).save(tmp_path)).critic is None


def test_people_can_read_settings_and_episodes(result: Result, folder: Path) -> None:
    assert sorted(os.listdir(folder)) == ["config.json", "episodes.csv", "run.pt"]
    description = json.loads((folder / "config.json").read_text())
    assert description["algorithm"] == "reinforce"
    assert description["config"]["gamma"] == 0.99 and description["config"]["seed"] == 3
    assert description["versions"]["torch"] == torch.__version__
    with open(folder / "episodes.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for column in ("episodic_return", "env_step"):
        assert [float(row[column]) for row in rows] == result.episodes[column].tolist()


def test_saving_again_replaces_the_run(folder: Path) -> None:
    other = reinforce.train(replace(reinforce.CARTPOLE, num_episodes=4, seed=77))
    other.save(folder)
    assert load(folder).config.seed == 77
    assert sorted(os.listdir(folder)) == ["config.json", "episodes.csv", "run.pt"]


def test_a_policy_of_the_learners_own_is_asked_for_and_filled(tmp_path: Path) -> None:
    trained = reinforce.train(replace(reinforce.CARTPOLE, num_episodes=4), policy=Own())
    trained.save(tmp_path)
    refuse(tmp_path, r"trained with a policy of your own; .*load\(directory, policy=\.\.\.\)")
    assert torch.equal(load(tmp_path, policy=Own()).policy(OBS).logits, trained.policy(OBS).logits)
    with refused("parts do not fit together"):
        load(tmp_path, policy=Own(hidden=6))


def test_a_policy_without_weights_is_asked_for_too(tmp_path: Path, result: Result) -> None:
    replace(result, policy=nn.Identity()).save(tmp_path)
    refuse(tmp_path, "policy of your own")
    assert isinstance(load(tmp_path, policy=nn.Identity()).policy, nn.Identity)


# What is damaged or foreign.


def refuse(folder: Path, match: str = "is damaged or was not written by pgcourse") -> None:
    with refused(match) as caught:
        load(folder)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_off_is_refused(folder: Path, share: float) -> None:
    data = (folder / RUN_FILE).read_bytes()
    (folder / RUN_FILE).write_bytes(data[: int(share * len(data))])
    refuse(folder)


def test_what_is_no_run_is_refused(folder: Path) -> None:
    """Random bytes, and torch's files of other things."""
    generator = random.Random(0)
    for _ in range(60):
        (folder / RUN_FILE).write_bytes(generator.randbytes(generator.randrange(1, 2000)))
        refuse(folder)
    descriptions = [{"description": text} for text in ("3", "[]", "{}")]
    for content in (torch.zeros(3), [1, 2], {"a": 1}, "text", None, 3, *descriptions):
        torch.save(content, folder / RUN_FILE)
        refuse(folder)


def test_one_flipped_bit_is_refused_or_changes_nothing(result: Result, folder: Path) -> None:
    """torch.load alone reads most of such files without complaint and gives other weights."""
    data = (folder / RUN_FILE).read_bytes()
    generator = random.Random(1)

    def weights(run: Result) -> list[torch.Tensor]:
        return [*run.policy.state_dict().values(), *run.critic.state_dict().values()]

    num_refused = 0
    for _ in range(80):
        damaged = bytearray(data)
        damaged[generator.randrange(len(data))] ^= 1 << generator.randrange(8)
        (folder / RUN_FILE).write_bytes(damaged)
        try:
            again = load(folder)
        except InvalidInput:
            num_refused += 1
        else:
            assert all(map(torch.equal, weights(again), weights(result)))
            assert np.array_equal(again.episodes, result.episodes)
    assert num_refused > 40


@pytest.mark.parametrize(
    "change",
    [
        *(lambda content, part=part: content.pop(part) for part in ("policy", "critic", "episodes", "metrics")),
        lambda content: content.update(policy=CategoricalPolicy(4, 2).state_dict()),
    ],
)
def test_a_run_whose_parts_are_missing_or_do_not_fit_is_refused(folder: Path, change: Callable[[dict], Any]) -> None:
    rewrite(folder, lambda content: (change(content), content)[1])
    refuse(folder, "parts do not fit together")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda description: description | {"format": 999}, "has format 999, this version reads 1; use the version"),
        (lambda description: description | {"algorithm": "dqn"}, "unknown algorithm 'dqn'; known are reinforce"),
        (lambda description: description | {"config": {"gamma": 7}}, "gamma=7 is not allowed"),
        (lambda description: description | {"policy": {"name": "X", "arguments": {}}}, "unknown network 'X'"),
        (lambda description: description | {"config": None}, "parts do not fit together"),
    ],
)
def test_a_description_that_this_version_does_not_know_is_refused(
    folder: Path, change: Callable[[dict], dict], match: str
) -> None:
    rewrite(folder, lambda content: content | {"description": json.dumps(change(json.loads(content["description"])))})
    refuse(folder, match)


class Evil:
    """Unpickled, it makes a file: a stand-in for code of a stranger."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("packed", ["pickle", "torch", "torch, old format", "inside a whole run"])
def test_code_in_a_file_does_not_run(folder: Path, tmp_path: Path, packed: str) -> None:
    evil = Evil(tmp_path / "it ran")
    if packed == "pickle":
        (folder / RUN_FILE).write_bytes(pickle.dumps({"description": evil}))
    elif packed == "inside a whole run":
        rewrite(folder, lambda content: content | {"metrics": evil})
    else:
        torch.save({"description": evil}, folder / RUN_FILE, _use_new_zipfile_serialization=packed == "torch")
    refuse(folder)
    assert not evil.path.exists()


def test_the_file_holds_tensors_and_text_only(folder: Path) -> None:
    """So a reader with weights_only takes it; no class of ours, which a later version might rename, is named in it."""
    data = (folder / RUN_FILE).read_bytes()
    torch.load(io.BytesIO(data), weights_only=True)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        pickled = next(archive.read(name) for name in archive.namelist() if name.endswith("data.pkl"))
    assert b"pgcourse.algorithms" not in pickled and b"cpgcourse" not in pickled


def test_what_is_not_there_is_said(folder: Path, tmp_path: Path) -> None:
    refuse(tmp_path / "nowhere", "no folder .*nowhere; give the folder")
    refuse(tmp_path / "runs", "holds no run.pt; give the folder")
    refuse(folder / RUN_FILE, "no folder")


# Writing.


def test_a_new_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    folder = require_new_run_folder(tmp_path / "a" / "b", overwrite=False)
    assert folder.is_dir() and not os.listdir(folder)
    (folder / "notes.txt").write_text("mine")
    assert require_new_run_folder(folder, overwrite=False) == folder  # a folder without a run is fine


def test_a_run_is_not_replaced_unless_asked(folder: Path) -> None:
    with refused("holds a run already; choose another folder, or replace it with --overwrite"):
        require_new_run_folder(folder, overwrite=False)
    assert require_new_run_folder(folder, overwrite=True) == folder
    assert load(folder), "and it stays until the new one is written"


def test_a_file_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with refused("is a file; give a folder"):
        require_new_run_folder(tmp_path / "file", overwrite=False)
    with refused(r"cannot write to .*; choose a folder you may write to"):
        require_new_run_folder(tmp_path / "file" / "below", overwrite=False)


@pytest.mark.skipif(not hasattr(os, "setuid"), reason="permissions are POSIX")
def test_a_folder_without_permission_is_refused_in_one_line(run_python: Callable[..., Any]) -> None:
    """Root may write anywhere, so as root the question is asked by a process that has become nobody.

    By then it has imported everything, since nobody may not be able to read the clone; and pytest's own folders are shut
    to nobody, so these lie beside them.
    """
    with tempfile.TemporaryDirectory() as base:
        shut, fixed = Path(base, "shut"), Path(base, "fixed")  # not to be entered; to be read only
        code = f"""
            import os
            from pgcourse import load
            from pgcourse.errors import InvalidInput
            from pgcourse.runs import require_new_run_folder
            if os.getuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            for folder in ({str(shut / "r1")!r}, {str(fixed / "r1")!r}):
                for call in (lambda: require_new_run_folder(folder + "/new", overwrite=False), lambda: load(folder)):
                    try:
                        call()
                    except InvalidInput as error:
                        print(error)
        """
        for folder in (shut, fixed):
            (folder / "r1").mkdir(parents=True)
        for folder, mode in {Path(base): 0o755, fixed / "r1": 0o555, fixed: 0o555, shut: 0o000}.items():
            folder.chmod(mode)
        done = run_python(code)
        for folder in (shut, fixed, fixed / "r1"):
            folder.chmod(0o755)
    first, second, third, fourth = done.stdout.splitlines()
    for line in (first, third):
        assert "cannot write to" in line and "choose a folder you may write to" in line
    assert "no folder" in second and "holds no run" in fourth
