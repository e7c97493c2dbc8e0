"""Effects alive: each has its seeds, and a ring exactly where its interval holds 0."""

from pgcourse.show.figures.factorial import EFFECTS, FIVE_EFFECTS
from pgcourse.show.live.explainers.fault_effects import fault_effects
from pgcourse.statistics import bootstrap_interval
from pgcourse.study.claims import load_claims

VALUES = load_claims("factorial")["values"]
MENU = {"story": ("story", "late", "return"), "five": ("five", "area", "mean return")}


def test_rows_seeds_and_rings_are_those_of_the_claims() -> None:
    explainer = fault_effects(VALUES, MENU)
    for words, names in (("story", EFFECTS), ("five", FIVE_EFFECTS)):
        cube, outcome, _ = MENU[words]
        drawing = explainer.at(outcome=words)
        (panel,) = drawing["panels"]
        assert panel["y"]["names"] == list(names.values())[::-1]
        dots = [mark for mark in panel["marks"] if mark["kind"] == "points" and len(mark["x"]) > 1]
        means = [mark for mark in panel["marks"] if mark["kind"] == "points" and len(mark["x"]) == 1]
        told = 0
        for key, seeds, mean in zip(names, dots, means, strict=True):
            numbers = VALUES[f"effects/{cube}/{outcome}/{key}"]["per_seed"]
            assert seeds["x"] == numbers
            low, high = bootstrap_interval(numbers)
            assert mean.get("hollow", False) == (low <= 0 <= high)
            told += not low <= 0 <= high
        assert drawing["words"].startswith(f"Told from nothing, {told} of {len(names)}")
