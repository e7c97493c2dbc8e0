"""Which files are whose, by names alone."""

from pathlib import Path

import pytest

from pgcourse.errors import InvalidInput
from pgcourse.grading.quarantine.found import Place, discover
from pgcourse.grading.roster import Person, Roster

NAMES = ["01_reinforce", "02_baselines"]
CLASS = Roster(
    (
        Person("anna", "Anna van der Berg", id="1001", canvas="501", aliases=("a.berg",)),
        Person("ben", "Ben O'Hara", canvas="502"),
        Person("carl", "Carl Li", aliases=("Participant 31",)),
        Person("li2", "Carl Li", canvas="504"),
    ),
    "roster.csv",
)


def place(root: Path, *files: str, roster: Roster | None = CLASS, names: list[str] = NAMES) -> Place:
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("{}")
    return discover(root, names, roster)


def taken(found: Place) -> dict[str, str]:
    return {found.shown(each.path): f"{each.student} {each.assignment}" for each in found.records}


@pytest.mark.parametrize(
    ("file", "whose"),
    [
        ("anna/01_reinforce.ipynb", "anna 01_reinforce"),
        ("ANNA/02_baselines/02_baselines.ipynb", "anna 02_baselines"),
        ("A.Berg-01_reinforce.ipynb", "anna 01_reinforce"),
        # Moodle: a folder, or one file; characters left out, a blank or an underscore; the participant's number.
        ("Anna van der Berg_12345_assignsubmission_file_/01_reinforce.ipynb", "anna 01_reinforce"),
        ("Anna_van_der_Berg_12345_assignsubmission_file/02_baselines.ipynb", "anna 02_baselines"),
        ("Ben OHara_7_assignsubmission_file_01_reinforce.ipynb", "ben 01_reinforce"),
        ("Participant_31_assignsubmission_file_/01_reinforce.ipynb", "carl 01_reinforce"),
        ("Carl Li_31_assignsubmission_file_/01_reinforce.ipynb", "carl 01_reinforce"),
        # Canvas: the sortable name or Canvas's number, late or not, handed in again.
        ("vanderberganna_501_9001_01_reinforce.ipynb", "anna 01_reinforce"),
        ("vanderberganna_LATE_9_9001_02_baselines-2.ipynb", "anna 02_baselines"),
        ("oharaben_502_77_01_reinforce.ipynb", "ben 01_reinforce"),
        ("another_LATE_502_77_01_reinforce.ipynb", "ben 01_reinforce"),
        ("licarl_504_77_01_reinforce.ipynb", "li2 01_reinforce"),
    ],
)
def test_a_name_leads_to_its_student(tmp_path: Path, file: str, whose: str) -> None:
    found = place(tmp_path, file)
    assert taken(found) == {file: whose}
    assert found.remarks == []
    assert found.students == ["anna", "ben", "carl", "li2"], "all of the roster"


@pytest.mark.parametrize(
    "system", ["Eve Evil_9_assignsubmission_file_", "Eve Evil_9_assignsubmission_onlinetext_", "evileve_9_77_"]
)
@pytest.mark.parametrize(
    "own", ["Participant_31_assignsubmission_file_01_reinforce", "oharaben_502_78_01_reinforce", "ben_01_reinforce"]
)
def test_what_a_student_calls_a_file_makes_it_nobody_else_s(tmp_path: Path, system: str, own: str) -> None:
    eve = Roster((*CLASS.people, Person("eve", "Eve Evil")), CLASS.source)
    found = place(tmp_path, f"{system}{own}.ipynb", roster=eve)
    assert {each.student for each in found.records} | {*found.unnamed} == {"eve"}


@pytest.mark.parametrize(
    ("file", "student"),
    [
        ("Anna/01_reinforce.ipynb", "anna"),
        ("annna/01_reinforce.ipynb", "annna"),  # never by likeness
        ("1001/01_reinforce.ipynb", "1001"),  # a number is no alias unless the roster says so
        ("Carl Li_9_assignsubmission_file_/01_reinforce.ipynb", "Carl Li_9_assignsubmission_file_"),  # two of this name
        ("licarl_9_77_01_reinforce.ipynb", "licarl_9_77"),
        ("oharaben_501_77_01_reinforce.ipynb", "oharaben_501_77"),  # ben's name and anna's number
        ("bergvanderanna_9_77_01_reinforce.ipynb", "bergvanderanna_9_77"),
    ],
)
def test_who_is_not_known_for_sure_is_graded_under_the_name_as_it_stands(
    tmp_path: Path, file: str, student: str
) -> None:
    found = place(tmp_path, file)
    assert taken(found) == {file: f"{student} 01_reinforce"}
    said = f"{student!r} is nobody of roster.csv, and was graded all the same; if it is a student's, make it an alias."
    assert found.remarks == ([] if student == "anna" else [said])


def test_of_two_folders_the_student_s_own_name_comes_first_and_both_are_said(tmp_path: Path) -> None:
    found = place(tmp_path, "A.berg/01_reinforce.ipynb", "anna/01_reinforce.ipynb", "A.berg/02_baselines.ipynb")
    assert taken(found) == {
        "anna/01_reinforce.ipynb": "anna 01_reinforce",
        "A.berg/02_baselines.ipynb": "anna 02_baselines",
    }
    (said,) = found.remarks
    assert said == (
        "anna handed in 01_reinforce twice; anna/01_reinforce.ipynb was taken, A.berg/01_reinforce.ipynb was left out."
    )


def test_of_two_files_of_canvas_the_later_one_counts(tmp_path: Path) -> None:
    older, later = (f"oharaben_502_{number}_01_reinforce.ipynb" for number in (999, 1000))
    found = place(tmp_path, older, later)
    assert taken(found) == {later: "ben 01_reinforce"}
    assert found.remarks == [f"ben handed in 01_reinforce twice; {later} was taken, {older} was left out."]


def test_what_bears_no_notebook_s_name_is_kept_aside_for_each_student(tmp_path: Path) -> None:
    files = ("anna/01_reinforce (1).ipynb", "anna/02_baselines.ipynb", "oharaben_502_7_Untitled.ipynb")
    found = place(tmp_path, *files)
    assert {student: [found.shown(path) for path in paths] for student, paths in found.unnamed.items()} == {
        "anna": [files[0]],
        "ben": [files[2]],
    }
    found.take_unnamed(NAMES, lambda paths: [()] * len(paths))
    assert found.remarks[0] == "anna: 01_reinforce (1).ipynb is none of this release's notebooks, and was left out."


def test_a_release_of_one_notebook_takes_it_under_another_name(tmp_path: Path) -> None:
    files = ("anna/my work.ipynb", "oharaben_502_7_Untitled.ipynb", "li2.ipynb")
    found = place(tmp_path, *files, names=NAMES[:1])
    found.take_unnamed(NAMES[:1], lambda paths: [()] * len(paths))
    assert set(taken(found).values()) == {"anna 01_reinforce", "ben 01_reinforce", "li2 01_reinforce"}
    assert found.remarks[0] == "anna: my work.ipynb was taken for 01_reinforce.ipynb."


def test_a_copy_that_a_browser_renamed_is_taken_for_what_its_stamp_says(tmp_path: Path) -> None:
    found = place(tmp_path, "anna/01_reinforce (1).ipynb", "anna/02_baselines.ipynb", "anna/02_baselines (1).ipynb")
    found.take_unnamed(NAMES, lambda paths: [("ab" * 4, path.name.partition(" ")[0]) for path in paths])
    assert taken(found)["anna/01_reinforce (1).ipynb"] == "anna 01_reinforce"
    assert taken(found)["anna/02_baselines.ipynb"] == "anna 02_baselines"
    left = "02_baselines (1).ipynb was left out, since anna/02_baselines.ipynb was taken for 02_baselines."
    assert f"anna: {left}" in found.remarks


def test_without_a_roster_names_stand_as_they_are(tmp_path: Path) -> None:
    files = ("Anna/01_reinforce.ipynb", "ben_01_reinforce.ipynb", "Carl Li_9_assignsubmission_file_/02_baselines.ipynb")
    found = place(tmp_path, *files, roster=None)
    assert found.students == ["Anna", "Carl Li_9_assignsubmission_file_", "ben"]
    assert found.remarks == []


def test_a_folder_of_typed_texts_is_left_out(tmp_path: Path) -> None:
    found = place(tmp_path, "anna/01_reinforce.ipynb", "Ben OHara_7_assignsubmission_onlinetext_/onlinetext.html")
    assert found.remarks == [
        "Ben OHara_7_assignsubmission_onlinetext_ is Moodle's folder of a typed text, and was left out."
    ]


def test_nothing_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="holds no notebooks; it needs STUDENT/01_reinforce"):
        place(tmp_path, "readme.txt")


def test_a_name_of_nobody_is_said_with_the_near_ones(tmp_path: Path) -> None:
    found = place(tmp_path, "anna/01_reinforce.ipynb")
    assert found.chosen(["A.BERG", "ben"], CLASS) == ["anna", "ben"]
    with pytest.raises(InvalidInput, match=r"--only 'ana': nobody is called so; there is anna$"):
        found.chosen(["ana"], CLASS)
