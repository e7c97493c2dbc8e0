"""The timeline shows every row of the data, in the colour of what happened in it."""

import gymnasium
import pytest
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from torch import Tensor

from pgcourse.errors import InvalidInput
from pgcourse.networks import CategoricalPolicy, ValueNetwork
from pgcourse.rollout import Rollout
from pgcourse.show.figures.returns import KINDS, RESET, STEP, TERMINATED, TRUNCATED, kinds_of, timeline
from pgcourse.study import autoreset

FLAGS = {STEP: (False, False), TERMINATED: (True, False), TRUNCATED: (False, True)}


def rollout_of(kinds: list[list[int]]) -> Rollout:
    """A rollout whose flags are those of the kinds [T][N]."""
    flags = torch.tensor([[FLAGS[kind] for kind in row] for row in kinds])  # [T, N, 2]
    numbers = torch.zeros(flags.shape[:2])
    return Rollout(numbers[..., None], numbers, numbers, numbers, numbers, numbers, flags[..., 0], flags[..., 1])


def boxes(figure: Figure, panel: int) -> dict[tuple[int, int], str]:
    """(step, lane) -> colour of each box in a panel."""
    return {
        (round(box.get_x()), round(-box.get_y() - box.get_height() / 2)): to_hex(box.get_facecolor()).upper()
        for box in figure.axes[panel].patches
    }


def test_both_flags_set_is_an_end_and_an_invalid_row_is_a_reset_row() -> None:
    rollout = rollout_of([[STEP, TRUNCATED], [TERMINATED, STEP]])
    assert kinds_of(rollout).tolist() == [[STEP, TRUNCATED], [TERMINATED, STEP]]
    both = rollout._replace(truncated=torch.ones_like(rollout.truncated))
    assert kinds_of(both).tolist() == [[TRUNCATED, TRUNCATED], [TERMINATED, TRUNCATED]]
    valid = torch.tensor([[True, True], [True, False]])
    assert kinds_of(rollout, valid)[1].tolist() == [TERMINATED, RESET]


def test_every_row_is_one_box_in_the_colour_of_its_kind() -> None:
    first, second = [[STEP, STEP], [TRUNCATED, STEP]], [[STEP, TERMINATED], [STEP, STEP], [STEP, STEP]]
    figure = timeline({"SAME_STEP": [(rollout_of(first), None), (rollout_of(second), None)]})
    expected = {
        (t, lane): KINDS[kind][1].upper() for t, row in enumerate([*first, *second]) for lane, kind in enumerate(row)
    }
    assert boxes(figure, 0) == expected
    assert sorted(text.get_text() for text in figure.axes[0].texts) == ["L", "T"]


def test_the_end_of_each_rollout_is_a_line() -> None:
    rollouts: list[tuple[Rollout, Tensor | None]] = [(rollout_of([[STEP]] * length), None) for length in (2, 3)]
    figure = timeline({"SAME_STEP": rollouts}, columns=[0])
    ends = [line.get_xdata()[0] for line in figure.axes[0].get_lines() if len(line.get_xdata())]
    assert ends == [2, 5]


def test_only_the_chosen_environments_are_drawn_in_their_order() -> None:
    rollout = rollout_of([[STEP, TERMINATED, TRUNCATED]])
    figure = timeline({"SAME_STEP": [(rollout, None)]}, columns=[2, 1])
    assert boxes(figure, 0) == {(0, 0): KINDS[TRUNCATED][1].upper(), (0, 1): KINDS[TERMINATED][1].upper()}
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["env 2", "env 1"]


def test_the_legend_names_what_is_there_and_nothing_else() -> None:
    figure = timeline({"SAME_STEP": [(rollout_of([[STEP], [TERMINATED]]), None)]}, columns=[0])
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["step within an episode", "T  terminated: no bootstrap", "end of a rollout: bootstrap"]


def test_real_data_in_next_step_mode_show_a_reset_row_after_each_end() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        policy, critic = CategoricalPolicy(4, 2), ValueNetwork(4)
        envs = SyncVectorEnv(
            [lambda: gymnasium.make("CartPole-v1", max_episode_steps=8)] * 2, autoreset_mode=AutoresetMode.NEXT_STEP
        )
        rollout, valid, _ = autoreset.collect_next_step(policy, critic, envs, autoreset.begin(envs, seed=1), 20)
    figure = timeline({"NEXT_STEP": [(rollout, valid)]})
    drawn = boxes(figure, 0)
    reset = KINDS[RESET][1].upper()
    ended = {KINDS[TERMINATED][1].upper(), KINDS[TRUNCATED][1].upper()}
    ends = [(t, lane) for (t, lane), colour in drawn.items() if colour in ended and t < 19]
    assert len(ends) >= 4
    assert {(t + 1, lane) for t, lane in ends} == {place for place, colour in drawn.items() if colour == reset}


@pytest.mark.parametrize("modes", [{}, {"SAME_STEP": []}])
def test_nothing_to_draw_is_refused(modes: dict[str, list]) -> None:
    with pytest.raises(InvalidInput, match="nothing to draw; give"):
        timeline(modes)
