"""The panels show what a diagnostic of a critic can and cannot see."""

from typing import Any

import numpy as np
import pytest
import torch

from pgcourse.errors import InvalidInput
from pgcourse.show.figures.values import critic_panels, value_fit


def curve(level: float) -> dict[str, Any]:
    return {"x": [5, 10], "x_unit": "update", "mean": [level, level], "low": [level - 1] * 2, "high": [level + 1] * 2}


def test_each_critic_has_its_means_above_its_explained_variance() -> None:
    columns = {
        name: ([(curve(80.0), "mean of G", "#000000"), (curve(level), "mean of V", "#0072B2")], curve(explained))
        for name, level, explained in (("healthy", 79.0, 0.4), ("slow", 20.0, 0.1))
    }
    top_left, top_right, bottom_left, bottom_right = critic_panels(columns).axes
    assert top_right.get_title(loc="left") == "slow"
    assert [list(line.get_ydata()) for line in top_right.get_lines()] == [[80.0, 80.0], [20.0, 20.0]]
    assert list(bottom_left.get_lines()[0].get_ydata()) == [0.4, 0.4]
    assert list(bottom_right.get_lines()[0].get_ydata()) == [0.1, 0.1]
    assert top_left.get_ylim() == top_right.get_ylim() and bottom_left.get_xlim() == (0, 10)
    assert bottom_left.get_xlabel() == "update"


def test_dots_means_and_explained_variance_of_each_critic() -> None:
    returns = torch.tensor([1.0, 2.0, 3.0, 4.0])
    critics = {"perfect": returns, "30 lower": returns - 30, "constant": torch.full((4,), 2.5)}
    axes = value_fit({name: (values, returns) for name, values in critics.items()}).axes
    for ax, (name, values), words in zip(axes, critics.items(), ("+1.00", "+1.00", "+0.00"), strict=True):
        _, dots, means = ax.get_lines()
        np.testing.assert_allclose(dots.get_xdata(), values)
        np.testing.assert_allclose(dots.get_ydata(), returns)
        assert (means.get_xdata()[0], means.get_ydata()[0]) == (values.mean(), 2.5)
        assert ax.get_title(loc="left").startswith(name) and f"variance {words}" in ax.get_title(loc="left")
    assert "V -27.5, G 2.5" in axes[1].get_title(loc="left")


def test_many_rows_are_thinned_and_the_numbers_are_of_all() -> None:
    values = torch.arange(1000.0)
    _, dots, means = value_fit({"many": (values, 2 * values)}, points=100).axes[0].get_lines()
    assert len(dots.get_xdata()) == 100 and means.get_ydata()[0] == pytest.approx(999.0)


@pytest.mark.parametrize(("draw", "message"), [
    (lambda: critic_panels({}), "no critic"),
    (lambda: value_fit({}), "no critic to draw"),
])  # fmt: skip
def test_what_cannot_be_drawn_is_refused(draw: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        draw()
