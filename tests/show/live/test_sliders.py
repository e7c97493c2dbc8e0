"""Moving a control redraws the figure; without a front end the figure of the start stands there."""

import io
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from pgcourse.errors import InvalidInput
from pgcourse.show.live.sliders import Choice, Slider, build_explorer, explore
from pgcourse.show.page import style

SLIDER = Slider(0.1, 5.0, 1.0, 0.1, "temperature")


def draw(temperature: float, shape: str = "line") -> Figure:
    figure, ax = style.new_figure()
    x = np.linspace(0, 1, 20)
    ax.plot(x, x**temperature, "o" if shape == "dots" else "-")
    return figure


def test_moving_the_slider_changes_the_picture_and_moving_it_back_restores_it() -> None:
    explorer = build_explorer(draw, alt="A curve.", controls={"temperature": SLIDER})
    assert explorer.controls["temperature"].description == "temperature" and explorer.image.tooltip == "A curve."
    before = explorer.image.value
    explorer.controls["temperature"].value = 3.0
    after = explorer.image.value
    assert after != before and Image.open(io.BytesIO(after)).size == Image.open(io.BytesIO(before)).size
    explorer.controls["temperature"].value = 1.0
    assert explorer.image.value == before


def test_a_choice_hands_its_value_to_draw() -> None:
    controls = {"temperature": SLIDER, "shape": Choice({"a line": "line", "points": "dots"}, "line", "drawn as")}
    explorer = build_explorer(draw, alt="A curve.", controls=controls)
    before = explorer.image.value
    explorer.controls["shape"].label = "points"
    assert explorer.controls["shape"].value == "dots" and explorer.image.value != before


def test_whole_numbers_stay_whole_and_a_readout_shows_the_digits_of_the_step() -> None:
    assert isinstance(Slider(1, 10, 5, 1).widget("n"), ipywidgets.IntSlider)
    assert isinstance(Slider(1, 10, 5, 1).widget("n").value, int)
    assert Slider(0.0, 1.0, 0.5, 0.05).widget("x").readout_format == ".2f"
    assert Slider(0.0, 1.0, 0.5, 0.05).widget("x").description == "x"


def test_a_setting_that_cannot_be_drawn_is_said_and_the_next_one_draws() -> None:
    def fragile(temperature: float) -> Figure:
        if temperature > 4:
            raise ZeroDivisionError("too hot")
        return draw(temperature)

    explorer = build_explorer(fragile, alt="A curve.", controls={"temperature": SLIDER})
    before = explorer.image.value
    explorer.controls["temperature"].value = 4.5
    assert "ZeroDivisionError: too hot" in explorer.message.value and explorer.image.value == before
    explorer.controls["temperature"].value = 2.0
    assert explorer.message.value == "" and explorer.image.value != before


def test_figures_of_pyplot_are_closed_after_each_drawing() -> None:
    def with_pyplot(temperature: float) -> Figure:
        figure, ax = plt.subplots()
        ax.plot([0, temperature])
        return figure

    before = plt.get_fignums()
    explorer = build_explorer(with_pyplot, alt="A line.", controls={"temperature": SLIDER})
    explorer.controls["temperature"].value = 2.0
    assert plt.get_fignums() == before


def test_the_page_without_kernel_holds_the_picture_and_says_what_could_be_moved(shown: list[Any]) -> None:
    explore(draw, alt="A curve.", caption="Watch the bend.", temperature=SLIDER)
    (bundle,) = shown
    assert set(bundle) == {"text/html", "image/png", "text/plain"}
    assert "Watch the bend. (Run this cell to move: temperature, from 0.1 to 5.)" in bundle["text/html"]
    assert 'alt="A curve."' in bundle["text/html"]


@pytest.mark.parametrize(("control", "message"), [
    (Slider(0, 1, 2, 1), "does not work; give low < high"),
    (Slider(1, 1, 1, 1), "does not work"),
    (Slider(0, 1, 0, 0), "a step above 0"),
    (Choice(["a", "b"], "c"), "starts at 'c', which is none of its options"),
])  # fmt: skip
def test_controls_that_cannot_work_are_refused(control: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        build_explorer(lambda x: draw(1.0), alt="A curve.", controls={"x": control})


@pytest.mark.parametrize(("function", "controls", "message"), [
    (draw, {"heat": SLIDER}, "draw does not take the controls heat"),
    (lambda temperature: None, {"temperature": SLIDER}, "draw returned NoneType"),
    (draw, {}, "nothing to move"),
])  # fmt: skip
def test_draw_must_take_the_controls_and_return_a_figure(function: Any, controls: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        build_explorer(function, alt="A curve.", controls=controls)
