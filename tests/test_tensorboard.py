"""TensorBoard from Python: what is written, when it is complete, and what is said where it cannot be."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pgcourse import Checkpoint, Progress, TensorBoard, chain, ppo, reinforce
from tests.recording import refused

pytest.importorskip("tensorboard")
CONFIG = replace(
    ppo.CARTPOLE, hidden_sizes=(8,), num_envs=4, num_steps=25, minibatch_size=50, update_epochs=1, total_timesteps=600
)


def scalars(folder: Path, name: str) -> dict[int, float]:
    """Step -> number, as TensorBoard reads it."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    found = [(event.step, event.value) for event in events.Scalars(name)]
    assert len(dict(found)) == len(found), "no step twice"
    return dict(found)


def test_every_metric_is_there_as_soon_as_train_returns(tmp_path: Path) -> None:
    result = ppo.train(CONFIG, on_iteration=TensorBoard(tmp_path / "new" / "run"))
    steps = result.metrics["charts/env_step"].astype(int)
    assert len(steps) == 6
    for name, numbers in result.metrics.items():
        written = scalars(tmp_path / "new" / "run", name)
        assert list(written) == steps.tolist(), name
        np.testing.assert_allclose(list(written.values()), numbers, rtol=1e-6)
    last = scalars(tmp_path / "new" / "run", "charts/episodic_return")[600]
    assert last == pytest.approx(result.episodes["episodic_return"][-100:].mean(), rel=1e-6)


@pytest.mark.parametrize("board_first", [True, False])
def test_a_function_of_the_learners_goes_along_and_may_stop_the_run(tmp_path: Path, board_first: bool) -> None:
    seen = []

    def stop_at_three(progress: Progress) -> bool:
        seen.append(progress.env_step)
        return progress.iteration == 3

    board = TensorBoard(tmp_path)
    both = chain(board, stop_at_three) if board_first else chain(stop_at_three, board)
    ppo.train(CONFIG, on_iteration=both)
    board.close()
    assert seen == [100, 200, 300] == list(scalars(tmp_path, "losses/entropy"))


def test_a_resumed_run_takes_the_place_of_what_was_written_after_its_checkpoint(tmp_path: Path) -> None:
    """Stopped after iteration 3 and taken up from the checkpoint of iteration 2: iteration 3 is there once."""
    first = Checkpoint(tmp_path, every=2)
    stop = chain(TensorBoard(tmp_path / "board"), lambda progress: progress.iteration == 3)
    ppo.train(CONFIG, checkpoint=first, on_iteration=stop)
    ppo.train(CONFIG, checkpoint=replace(first, resume=True), on_iteration=TensorBoard(tmp_path / "board"))
    assert list(scalars(tmp_path / "board", "losses/entropy")) == [100, 200, 300, 400, 500, 600]


def test_what_was_written_before_an_error_can_be_read_after_it(tmp_path: Path) -> None:
    def failing(progress: Progress) -> None:
        if progress.iteration == 2:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), TensorBoard(tmp_path) as board:
        ppo.train(CONFIG, on_iteration=chain(board, failing))
    assert list(scalars(tmp_path, "losses/entropy")) == [100, 200]
    board.close()  # once more does no harm


def test_a_run_without_an_episode_yet_has_no_return(tmp_path: Path) -> None:
    ppo.train(replace(CONFIG, env_id="Acrobot-v1", total_timesteps=100), on_iteration=TensorBoard(tmp_path))
    assert list(scalars(tmp_path, "losses/entropy")) == [100]
    with pytest.raises(KeyError):
        scalars(tmp_path, "charts/episodic_return")


def test_without_tensorboard_it_is_said_in_one_line_before_any_training(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with refused("TensorBoard is not installed; pip install"):
        reinforce.train(reinforce.CARTPOLE, on_iteration=TensorBoard(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with refused("cannot write to .*file"):
        TensorBoard(tmp_path / "file")
