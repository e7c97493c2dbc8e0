"""Traces of bugs alive: each trap stands beside its own healthy runs, with the numbers of the claims."""

import numpy as np
import pytest

from pgcourse.show.figures.diagnostics import PANELS, trap_runs
from pgcourse.show.live.explainers.trap_signatures import trap_signatures
from pgcourse.statistics import interquartile_mean
from pgcourse.study.claims import load_claims
from pgcourse.study.traps import TRAPS, Trap

CLAIMS = load_claims("traps")
EXPLAINER = trap_signatures(TRAPS, CLAIMS, first=TRAPS[0])


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.id)
def test_a_trap_has_its_own_curves_returns_and_words(trap: Trap) -> None:
    ill, healthy, returns = trap_runs(trap, CLAIMS)
    drawing = EXPLAINER.at(trap=trap.title)
    dots, *panels = drawing["panels"]
    drawn = [sorted(mark["y"]) for mark in dots["marks"]]
    expected = [sorted(seeds) for place in (1, 0) for seeds in (pair[place] for pair in returns.values())]
    np.testing.assert_allclose(drawn, expected)
    titles = [words for metric, (words, _) in PANELS.items() if metric in ill or metric in healthy]
    assert [panel["title"].split(" [")[0] for panel in panels] == titles
    for seeds in (pair[place] for pair in returns.values() for place in (0, 1)):
        assert f"{interquartile_mean(seeds):.0f}".replace("-", "") in drawing["words"]
    for panel in panels:
        lines = [mark for mark in panel["marks"] if mark["kind"] == "line"]
        assert lines and all(len(line["x"]) == len(line["y"]) for line in lines)
        assert panel["y"]["low"] < panel["y"]["high"] and (not panel["y"].get("log") or panel["y"]["low"] > 0)


def test_no_wild_number_flattens_a_panel() -> None:
    for chosen in EXPLAINER.data["traps"].values():
        assert chosen["limits"].get("losses/explained_variance", [-1])[0] >= -1.05
