"""The clip's figures show the loss that PPO minimises: same heights, same places where the gradient stops."""

import numpy as np
import pytest
import torch

from pgcourse.errors import InvalidInput
from pgcourse.losses import ppo_clip_loss
from pgcourse.show.figures import clip

RATIOS = np.array([0.3, 0.75, 0.79, 0.81, 1.0, 1.19, 1.21, 1.6])


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("clip_coef", [0.1, 0.2, 0.5])
def test_the_line_is_minus_the_loss_and_flat_where_the_loss_has_no_gradient(sign: int, clip_coef: float) -> None:
    for ratio in RATIOS:
        log_prob = torch.tensor([np.log(ratio)], requires_grad=True)
        loss = ppo_clip_loss(log_prob, torch.zeros(1).double(), torch.tensor([float(sign)]), clip_coef=clip_coef)
        assert clip.objective(ratio, sign, clip_coef) == pytest.approx(-loss.item())
        (gradient,) = torch.autograd.grad(loss, log_prob)
        assert bool(clip.gradient_stops(ratio, sign, clip_coef)) == (gradient.item() == 0)


def test_each_row_stands_once_in_the_panel_of_its_sign_and_side() -> None:
    ratio = np.array([0.7, 0.9, 1.1, 1.3, 0.7, 0.9, 1.1, 1.3, 1.25])
    advantages = np.array([2.0, 2.0, 2.0, 2.0, -1.0, -1.0, -1.0, -1.0, 0.5])
    figure = clip.clip_cases(ratio, advantages, clip_coef=0.2)
    shown = [[points.get_offsets().tolist() for points in ax.collections] for ax in figure.axes]
    flows = [sorted(x for x, _ in panel[0]) for panel in shown]
    stopped = [sorted(x for x, _ in panel[1]) for panel in shown]
    # Panels: good and below 1, good and above, bad and below, bad and above.
    assert flows == [[0.7, 0.9], [1.1], [0.9], [1.1, 1.3]] and stopped == [[], [1.25, 1.3], [0.7], []]
    heights = {tuple(point) for panel in shown for points in panel for point in points}
    assert (1.3, 1.2) in heights and (0.7, -0.8) in heights and (1.3, -1.3) in heights and (0.7, 0.7) in heights


def test_the_shares_in_the_legends_add_up_to_the_batch() -> None:
    generator = np.random.default_rng(0)
    figure = clip.clip_cases(np.exp(generator.normal(0, 0.2, 500)), generator.choice([-1.0, 1.0], 500), clip_coef=0.2)
    words = [text.get_text() for ax in figure.axes for text in ax.get_legend().get_texts()]
    shares = [float(word.split(": ")[1].split("%")[0]) for word in words]
    assert len(shares) == 8 and sum(shares) == pytest.approx(100, abs=0.5)


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"shape \(3,\) and advantages \(2,\)"):
        clip.clip_cases(np.ones(3), np.ones(2), clip_coef=0.2)
