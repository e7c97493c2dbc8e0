"""Panels as SVG: where a number is drawn, what is left out, and that page and picture hold the same."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from pgcourse.show.dashboard.sheet import UNITS, Line, Panel, live, still

PANEL = Panel("KL & co", [Line([0, 5, 10], [0.0, 1.0, 0.5], "red")], x_end=10, number="0.5")


def drawn(panel: Panel) -> ElementTree.Element:
    """The picture of one panel. Raises: ParseError for what is no XML."""
    return ElementTree.fromstring(still([panel]))


def paths(panel: Panel) -> list[str]:
    return [found for found in re.findall(r'<path d="([^"]*)"', still([panel]).decode()) if "h24" not in found]


def test_numbers_lie_where_the_axes_say() -> None:
    (path,) = paths(PANEL)
    # The y axis reaches a tenth of the numbers' range beyond them: 0 is at 11/12 of the height from the top.
    assert path == f"M0 {round(UNITS * 11 / 12)}L{UNITS // 2} {round(UNITS / 12)}L{UNITS} {UNITS // 2}"


def test_a_missing_number_breaks_the_line_and_a_wild_one_leaves_the_picture() -> None:
    broken = replace(PANEL, lines=[Line([0, 1, 2, 3], [0.0, np.nan, 1.0, 0.5], "red")])
    assert paths(broken)[0].count("M") == 2 and paths(broken)[0].count("L") == 1
    wild = replace(PANEL, lines=[Line([0, 5, 10], [-500.0, 1.0, 0.5], "red")], limits=(-1.0, np.inf))
    assert paths(wild)[0].startswith(f"M0 {2 * UNITS}L"), "far below the picture, which does not shrink for it"


def test_an_empty_panel_has_no_numbers_on_its_y_axis() -> None:
    empty = Panel("return", [Line([], [], "red", label="a run")], x_end=80)
    words = [text.text for text in drawn(empty).iter("{http://www.w3.org/2000/svg}text")]
    assert "a run" in words and "60" in words and not any("." in (word or "") for word in words)


@pytest.mark.parametrize("count", [1, 4, 7])
def test_page_and_picture_hold_every_panel(count: int) -> None:
    panels = [replace(PANEL, title=f"panel <{i}>", alarm=i == 3) for i in range(count)]
    words = [text.text for text in ElementTree.fromstring(still(panels)).iter("{http://www.w3.org/2000/svg}text")]
    page = live(panels, 'says "this"')
    for i in range(count):
        title = f"panel <{i}>" if i != 3 else f"⚠ panel <{i}>: alarm"
        assert title in words and title.replace("<", "&lt;").replace(">", "&gt;") in page
    assert 'role="img" aria-label="says &quot;this&quot;"' in page
