"""A panel for each critic: the dots, the means, and the number that cannot see an offset."""

import numpy as np
import pytest
import torch

from pgcourse.errors import InvalidInput
from pgcourse.show.figures.values import value_fit


def test_dots_means_and_explained_variance_of_each_critic() -> None:
    returns = torch.tensor([1.0, 2.0, 3.0, 4.0])
    critics = {"perfect": returns, "30 lower": returns - 30, "constant": torch.full((4,), 2.5)}
    figure = value_fit({name: (values, returns) for name, values in critics.items()})
    for ax, (name, values) in zip(figure.axes, critics.items(), strict=True):
        _, dots, means = ax.get_lines()
        np.testing.assert_allclose(dots.get_xdata(), values)
        np.testing.assert_allclose(dots.get_ydata(), returns)
        assert (means.get_xdata()[0], means.get_ydata()[0]) == (values.mean(), 2.5)
        assert ax.get_title(loc="left").startswith(name)
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert ["variance +1.00" in title for title in titles] == [True, True, False]
    assert "variance +0.00" in titles[2]
    assert "V -27.5, G 2.5" in titles[1]


def test_many_rows_are_thinned_and_the_numbers_are_of_all() -> None:
    values = torch.arange(1000.0)
    figure = value_fit({"many": (values, 2 * values)}, points=100)
    _, dots, means = figure.axes[0].get_lines()
    assert len(dots.get_xdata()) == 100
    assert means.get_ydata()[0] == pytest.approx(999.0)


def test_without_a_critic_there_is_nothing_to_draw() -> None:
    with pytest.raises(InvalidInput, match="no critic to draw"):
        value_fit({})
