"""The clip up close: the point stands on PPO's loss, and words, arrow and square agree with its gradient."""

import numpy as np
import pytest

from pgcourse.show.figures.clip import objective
from pgcourse.show.live.explainers.clip import CLIP


@pytest.mark.parametrize(("ratio", "good", "bad", "arrows"), [
    (1.35, "likelier by enough: gradient 0", "likelier than before: the gradient makes it rarer again", [0, 1]),
    (0.6, "rarer than before: the gradient makes it likelier again", "rarer by enough: gradient 0", [1, 0]),
    (1.1, "likelier than before: the gradient makes it likelier.", "likelier than before: the gradient makes it rarer a", [1, 1]),
    (1.0, "as likely as before: the gradient makes it likelier.", "as likely as before: the gradient makes it rarer.", [1, 1]),
])  # fmt: skip
def test_the_point_says_which_case_it_is(ratio: float, good: str, bad: str, arrows: list[int]) -> None:
    drawn = CLIP.at(ratio=ratio)
    assert f"a good action is {good}" in drawn["words"] and f"A bad action is {bad}" in drawn["words"]
    for panel, sign, expected in zip(drawn["panels"], (1, -1), arrows, strict=True):
        kinds = {mark["kind"]: mark for mark in panel["marks"]}
        assert ("arrow" in kinds) == bool(expected)
        assert kinds["points"]["y"][0] == pytest.approx(objective(ratio, sign, 0.2))
        if expected:
            (x0, x1), (y0, y1) = kinds["arrow"]["x"], kinds["arrow"]["y"]
            assert y1 > y0 and (x1 > x0) == (sign > 0), "it points uphill"


def test_the_bold_line_is_the_smaller_of_the_two_terms() -> None:
    for panel in CLIP.at(clip_coef=0.35)["panels"]:
        lines = {mark.get("label"): mark.get("y") for mark in panel["marks"]}
        smaller = np.minimum(lines["ρ A"], lines["clip(ρ) A"])
        np.testing.assert_array_equal(lines["the smaller one"], smaller)
