"""Runs on disk: named after everything that they follow from, and whole or not there."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pgcourse import ppo, reinforce
from pgcourse.algorithms.by_name import ALGORITHMS
from pgcourse.study import keep
from pgcourse.study.keep import Run, code_digest, read_run, run_path, source_key, training_files, write_run
from pgcourse.study.source import PACKAGE, files_behind


def a_run() -> Run:
    episodes = np.zeros(3, [("env_step", np.int64), ("episodic_return", np.float64)])
    episodes["episodic_return"] = [9, 8, 7]
    weights = {"logits.0.weight": np.arange(6, dtype=np.float32).reshape(2, 3)}
    return Run(7, episodes, {"losses/policy_loss": np.array([0.5, np.nan])}, np.array([1.0, 2.0]), weights)


def no_step(*arguments: Any, **options: Any) -> tuple[float, float]:
    return 0.0, 0.0


def test_a_run_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "run.npz"
    write_run(path, a_run())
    again = read_run(path, 7)
    assert again is not None and again.seed == 7
    np.testing.assert_array_equal(again.episodes, a_run().episodes)
    np.testing.assert_array_equal(again.metrics["losses/policy_loss"], [0.5, np.nan])
    np.testing.assert_array_equal(again.evaluation, [1, 2])
    np.testing.assert_array_equal(again.policy["logits.0.weight"], [[0, 1, 2], [3, 4, 5]])
    assert [file.name for file in path.parent.iterdir()] == ["run.npz"], "nothing half-written is left beside it"


def test_a_run_from_before_runs_kept_policy_and_evaluation_is_read_too(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "old.npz", episodes=a_run().episodes)
    old = read_run(tmp_path / "old.npz", 3)
    assert old is not None and old.policy == {} and old.evaluation.shape == (0,)


def flip_a_bit_of_the_first_array(data: bytes) -> bytes:
    at = data.index(b"episodes.npy") + 40
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-40], lambda data: b"", lambda data: b"no archive", flip_a_bit_of_the_first_array]
)
def test_a_damaged_run_counts_as_missing(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "run.npz"
    write_run(path, a_run())
    path.write_bytes(damage(path.read_bytes()))
    assert read_run(path, 7) is None and read_run(tmp_path / "nothing.npz", 7) is None


def test_the_key_holds_settings_algorithm_name_and_seams_but_not_the_seed() -> None:
    config = ppo.CARTPOLE
    key = source_key("ppo", config, {})
    assert key == source_key("ppo", replace(config, seed=9), {})
    others = {
        source_key("other", config, {}),
        source_key("ppo", replace(config, gamma=0.5), {}),
        source_key("ppo", config, {"gradient_step_fn": no_step}),
        source_key("ppo", reinforce.CARTPOLE, {}),
    }
    others.add(source_key("ppo", config, {}, batched=True))
    assert len(others) == 5 and key not in others


def test_the_digest_moves_with_the_code_of_this_algorithm_and_what_all_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = (
        "losses.py", "normalization.py", "render.py", "envs/cartpole.py", "envs/new/catch.py", "algorithms/ppo.py",
        "algorithms/a2c.py", "study/jobs.py", "study/batched/rows.py", "study/batched/loops/ppo.py", "study/verdicts.py",
    )  # fmt: skip
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("x = 1")
    monkeypatch.setattr(keep, "PACKAGE", tmp_path)

    def digest() -> str:
        code_digest.cache_clear()
        return code_digest("ppo")

    before, moved = digest(), []
    try:
        for file in files:
            (tmp_path / file).write_text("x = 2")
            moved += [file] if digest() != before else []
            (tmp_path / file).write_text("x = 1  # as it was")
            assert digest() == before
    finally:
        code_digest.cache_clear()
    assert set(files) - set(moved) == {"render.py", "algorithms/a2c.py", "study/verdicts.py"}


@pytest.mark.parametrize("algorithm", ["reinforce", "a2c", "ppo", "trpo"])
def test_the_digest_holds_every_file_that_a_run_imports(algorithm: str) -> None:
    """What is left out writes, reads, names or hands out runs; nothing in it changes a number of one."""
    starts = [PACKAGE / "algorithms" / f"{algorithm}.py", PACKAGE / "study" / "seeds.py", *PACKAGE.glob("envs/**/*.py")]
    outside = {path.relative_to(PACKAGE).as_posix() for path in files_behind(starts) - training_files(algorithm)}
    bookkeeping = {
        "algorithms/__init__.py", "registration.py", "runs.py", "storage.py", "study/__init__.py", "study/keep.py",
        "study/seeds.py", "study/source.py", "study/workers.py",
    }  # fmt: skip
    assert outside <= bookkeeping


def test_no_algorithm_uses_anothers_file(repository: Path) -> None:
    """Else its digest would not see that file. What is no algorithm of its own comes as a seam, and is digested with it."""
    for name in ALGORITHMS:
        path = repository / "pgcourse" / "algorithms" / f"{name}.py"
        assert not re.findall(r"^from \.[^.].*", path.read_text(), re.MULTILINE), path.name


def test_the_name_of_a_file_holds_no_character_that_a_system_may_refuse() -> None:
    assert run_path(Path("x"), "no clip/PPO: 2", 3, "abc") == Path("x/no_clip_PPO_2-3-abc.npz")
