"""Rounds of attacks by people who had the grader's code at hand: points without the work, secrets, right answers that lose.

A table of a round is a module: `CELLS`, name -> (notebook, exercise that is attacked, its cell, a part of what the grader says
of it, share of the points that it must not exceed). Perhaps also `OPEN`, name -> why it exceeds that; `ELSEWHERE`, attacks
that a person is told of; `RIGHT`, right answers: name -> (notebook, exercise, cell, perhaps further cells before it and behind).
"""

import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest

from pgcourse.checks.exercise import get
from pgcourse.grading.grader import ClassResult, grade
from pgcourse.grading.quarantine.prepare import inputs
from pgcourse.grading.quarantine.reader.review import review
from pgcourse.grading.release.make import Settings as Made
from pgcourse.grading.release.make import make
from pgcourse.grading.settings import Settings
from tests.grading.classroom import SEED, fill, grade_id, hand_in, notebook
from tests.grading.quarantine import (
    attacks_round_eight,
    attacks_round_eleven_networks,
    attacks_round_eleven_notebooks,
    attacks_round_eleven_values,
    attacks_round_five_networks,
    attacks_round_five_values,
    attacks_round_four_networks,
    attacks_round_four_values,
    attacks_round_nine,
    attacks_round_one,
    attacks_round_three,
    attacks_round_twelve_networks,
    attacks_round_twelve_values,
    attacks_round_two,
)

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")]
CLINIC = "06_debugging_traps"


def student_of(name: str) -> str:
    return re.sub(r"[^\w -]", "", name)


def own(source: str) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}


class Graded:
    """A class in which everybody hands in one attack, or one right answer, and nothing else."""

    def __init__(self, result: ClassResult, pages: Path) -> None:
        self.result, self.pages = result, pages

    def student(self, name: str) -> Any:
        return next(student for student in self.result.students if student.name == student_of(name))

    def row(self, name: str, exercise: str) -> Any:
        return next(row for row in self.student(name).rows if row.id == exercise)

    def page(self, name: str, suffix: str = "html") -> str:
        return (self.pages / f"{student_of(name)}.{suffix}").read_text(encoding="utf-8")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test asks for `attack`, `right` or `elsewhere`: it runs for each of the round."""
    tables = {"attack": "CELLS", "right": "RIGHT", "elsewhere": "ELSEWHERE"}
    for argument in {*tables} & {*metafunc.fixturenames}:
        names = getattr(metafunc.cls.table, tables[argument], ())
        opened = (
            getattr(metafunc.cls.table, "OPEN", {}) if metafunc.function.__name__.startswith("test_no_attack") else {}
        )
        marked = [
            pytest.param(name, marks=pytest.mark.xfail(strict=True, reason=opened[name])) if name in opened else name
            for name in names
        ]
        metafunc.parametrize(argument, marked)


class Round:
    table: ClassVar[ModuleType]
    seconds: ClassVar[float] = 5.0  # on the processor

    @pytest.fixture(scope="class")
    @classmethod
    def graded(cls, tmp_path_factory: pytest.TempPathFactory) -> Graded:
        """In a release as teachers make it: without libraries."""
        root = tmp_path_factory.mktemp("attacks")
        release, handed_in = root / "class", [*cls.handed_in()]
        units = {int(assignment[:2]) for _, assignment, *_ in handed_in} | cls.more_units()
        make(Made(out=release, units=tuple(sorted(units)), version="0.1.0", experiments=False))
        for name, assignment, exercise, cell, before, behind in handed_in:
            content = fill(notebook(release, assignment), {exercise: cell})
            place = next(place for place, each in enumerate(content["cells"]) if grade_id(each) == exercise)
            content["cells"][place + 1 : place + 1] = map(own, behind)
            content["cells"][place:place] = map(own, before)
            hand_in(root / "submissions", student_of(name), assignment, content)
        cls.hand_in_more(root / "submissions", release)
        settings = Settings(root / "submissions", release, root / "out", hidden_seed=SEED, timeout=cls.seconds, jobs=1)
        return Graded(grade(settings), root / "out" / "students")

    @classmethod
    def handed_in(cls) -> Any:
        """(name, notebook, exercise, cell, cells before, cells behind) of everybody."""
        for name, attack in cls.table.CELLS.items():
            yield name, *attack[:3], (), ()
        for name, right in getattr(cls.table, "RIGHT", {}).items():
            yield name, *right[:3], *(right[3:] or ((), ()))

    @classmethod
    def more_units(cls) -> set[int]:
        return set()

    @classmethod
    def hand_in_more(cls, submissions: Path, release: Path) -> None:
        pass

    def test_everybody_has_another_name_and_every_cause_is_of_an_attack(self) -> None:
        names = [student_of(name) for name, *_ in self.handed_in()]
        assert len({*names}) == len(names)
        assert {*getattr(self.table, "OPEN", ()), *getattr(self.table, "ELSEWHERE", ())} <= {*self.table.CELLS}

    def test_no_attack_scores_beyond_its_work(self, graded: Graded, attack: str) -> None:
        _, exercise, _, _, most = self.table.CELLS[attack]
        row = graded.row(attack, exercise)
        assert graded.student(attack).score == row.points, "nothing else of the notebook is filled in"
        assert row.points <= most * row.max_points

    def test_the_grader_says_what_it_should(self, graded: Graded, attack: str) -> None:
        assert self.table.CELLS[attack][3] in graded.page(attack)

    def test_a_person_is_told_to_look(self, graded: Graded, elsewhere: str) -> None:
        assert [text for part in graded.student(elsewhere).parts for text in part.look_at]

    def test_no_right_answer_loses_points(self, graded: Graded, right: str) -> None:
        row = graded.row(right, self.table.RIGHT[right][1])
        assert row.points == row.max_points


class TestRoundOne(Round):
    table, seconds = attacks_round_one, 2.0

    @classmethod
    def more_units(cls) -> set[int]:
        return {int(CLINIC[:2])}

    @classmethod
    def hand_in_more(cls, submissions: Path, release: Path) -> None:
        hand_in(submissions, "as handed out", CLINIC, notebook(release, CLINIC))

    @pytest.mark.parametrize("name", attacks_round_one.traces([0.0, 0.0, 0.0]))
    def test_no_page_tells_a_hidden_input(self, graded: Graded, name: str) -> None:
        hidden = inputs(get(attacks_round_one.D), SEED).cases[-1]["rewards"].flatten().tolist()
        told = json.loads(graded.page(name, "json"))
        said = json.dumps([told["notes"], [row["message"] for row in told["exercises"].values()]])
        assert not [trace for trace in attacks_round_one.traces(hidden)[name] if trace in said]

    def test_no_shape_tells_a_hidden_input(self, graded: Graded) -> None:
        shown = re.findall(r"\d{4,}", graded.page("writes hidden inputs as a shape", "json"))
        cases = inputs(get(attacks_round_one.D), SEED).cases
        hidden = {str(int(abs(x) * 10**5)) for case in cases for x in case["rewards"].flatten().tolist()}
        assert not hidden & {*shown}

    def test_a_person_is_told_to_look_at_a_hidden_gradient(self, graded: Graded) -> None:
        student = graded.student("hides a gradient that must not flow")
        assert [text for part in student.parts for text in part.look_at]

    def test_a_clinic_as_handed_out_earns_nothing(self, graded: Graded) -> None:
        assert graded.student("as handed out").score == 0


class TestRoundTwo(Round):
    table, seconds = attacks_round_two, 2.0

    @classmethod
    def handed_in(cls) -> Any:
        yield from super().handed_in()
        for name, leak in attacks_round_two.LEAKS.items():
            yield name, *leak[:3], (), ()

    @pytest.mark.parametrize("name", attacks_round_two.LEAKS)
    def test_no_page_tells_a_hidden_input(self, graded: Graded, name: str) -> None:
        _, exercise, _, given, words = attacks_round_two.LEAKS[name]
        drawn = inputs(get(exercise), SEED)
        # Of a network's observations the rows come in another order: any may stand first.
        cases = drawn.cases[drawn.visible :]
        numbers = [x for case in cases for x in case[given].reshape(len(case[given]), -1)[:, 0]]
        told = json.loads(graded.page(name, "json"))
        said = json.dumps([told["notes"], told["exercises"][exercise]["message"]])
        assert not [word for x in numbers for word in words(float(x)) if word in said]


@pytest.mark.parametrize("name", attacks_round_two.LOOK_AT)
def test_a_person_is_told_to_look(name: str) -> None:
    assert review(attacks_round_two.LOOK_AT[name])


class TestRoundThree(Round):
    table, seconds = attacks_round_three, 2.0


class TestRoundFourOnValues(Round):
    table = attacks_round_four_values


class TestRoundFourOnNetworks(Round):
    table, seconds = attacks_round_four_networks, 10.0


class TestRoundFiveOnValues(Round):
    table = attacks_round_five_values


class TestRoundFiveOnNetworks(Round):
    table, seconds = attacks_round_five_networks, 10.0


class TestRoundEight(Round):
    table, seconds = attacks_round_eight, 10.0


class TestRoundNine(Round):
    table, seconds = attacks_round_nine, 10.0


class TestRoundElevenOnNetworks(Round):
    table, seconds = attacks_round_eleven_networks, 10.0


class TestRoundElevenOnValues(Round):
    table, seconds = attacks_round_eleven_values, 10.0


class TestRoundElevenOnNotebooks(Round):
    table, seconds = attacks_round_eleven_notebooks, 10.0


class TestRoundTwelveOnNetworks(Round):
    table, seconds = attacks_round_twelve_networks, 10.0


class TestRoundTwelveOnValues(Round):
    table, seconds = attacks_round_twelve_values, 10.0
