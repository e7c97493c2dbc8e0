"""Which files are whose, by names alone."""

import errno
import os
import re
from pathlib import Path
from typing import Any

import pytest

from pgcourse.errors import InvalidInput
from pgcourse.grading.quarantine.found import Place, discover
from pgcourse.grading.quarantine.submissions import find
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


@pytest.mark.parametrize("written", ["Anna van der Berg", "van der Berg, Anna"])
@pytest.mark.parametrize("shown", ["Anna van der Berg", "van der Berg, Anna", "van_der_Berg,_Anna"])
def test_moodle_and_the_roster_may_each_put_the_last_name_first(tmp_path: Path, written: str, shown: str) -> None:
    roster = Roster((Person("anna", written), Person("ben", "Berg, Anna van der II")), "roster.csv")
    file = f"{shown}_12345_assignsubmission_file_/01_reinforce.ipynb"
    assert taken(place(tmp_path, file, roster=roster)) == {file: "anna 01_reinforce"}
    both = Roster((*roster.people, Person("anna2", "Anna van der Berg")), "roster.csv")
    assert not taken(place(tmp_path, roster=both))[file].startswith("anna"), "two of this name: it is nobody's"


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
    found.take_unnamed(NAMES, lambda files: [("ab" * 4, each.path.name.partition(" ")[0]) for each in files])
    assert taken(found)["anna/01_reinforce (1).ipynb"] == "anna 01_reinforce"
    assert taken(found)["anna/02_baselines.ipynb"] == "anna 02_baselines"
    left = "02_baselines (1).ipynb was left out, since anna/02_baselines.ipynb was taken for 02_baselines."
    assert f"anna: {left}" in found.remarks


def test_of_two_other_names_the_stamp_decides_in_a_release_of_one_notebook_too(tmp_path: Path) -> None:
    made = {"00_warmup": ("cd" * 4, "00_warmup"), "01_reinforce (1)": ("ab" * 4, "01_reinforce"), "a": ()}
    found = place(tmp_path, *(f"anna/{name}.ipynb" for name in made), names=NAMES[:1])
    found.take_unnamed(NAMES[:1], lambda files: [made[each.path.stem] for each in files])
    assert taken(found) == {"anna/01_reinforce (1).ipynb": "anna 01_reinforce"}
    assert found.remarks == [
        "anna: 00_warmup.ipynb is the notebook '00_warmup', which this release does not have, and was left out.",
        "anna: 01_reinforce (1).ipynb was taken for 01_reinforce.ipynb.",
        "anna: a.ipynb was left out, since anna/01_reinforce (1).ipynb was taken for 01_reinforce.",
    ]


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


def test_where_every_folder_is_left_out_the_first_reason_is_said(tmp_path: Path) -> None:
    for name in ("Ada  Lovelace", "=Grace"):
        (tmp_path / name).mkdir()
    with pytest.raises(InvalidInput, match=r"can be graded: '=Grace' begins with '=', .* \(and 1 more such\)$"):
        discover(tmp_path, ["01_reinforce"])


def test_some_students_alone_by_any_of_their_names(tmp_path: Path) -> None:
    found = place(tmp_path, "anna/01_reinforce.ipynb", "anna/x.ipynb", "ben/02_baselines.ipynb", "ben/y.ipynb")
    with pytest.raises(InvalidInput, match=r"--only 'ana': nobody is called so; there is anna$"):
        found.keep(["ana"], CLASS)
    found.keep(["A.BERG"], CLASS)
    assert found.students == [*found.unnamed] == ["anna"]
    assert [*found.files] == [("anna", "01_reinforce")]


# What does not lie where it should


@pytest.mark.parametrize("file", ["01_reinforce.IPYNB", "01_reinforce/01_reinforce.Ipynb"])
def test_the_ending_may_be_in_capitals(tmp_path: Path, file: str) -> None:
    found = place(tmp_path, f"joerg/{file}", roster=None)
    assert taken(found) == {f"joerg/{file}": "joerg 01_reinforce"} and found.remarks == []


def test_one_notebook_further_down_is_taken_and_its_place_said(tmp_path: Path) -> None:
    found = place(tmp_path, "anna/homework/week 1/01_reinforce.ipynb", "anna/.ipynb_checkpoints/01_reinforce.ipynb")
    assert taken(found) == {"anna/homework/week 1/01_reinforce.ipynb": "anna 01_reinforce"}
    assert found.remarks == ["anna: homework/week 1/01_reinforce.ipynb was taken for 01_reinforce.ipynb."]


def test_of_several_further_down_none_is_taken_and_one_above_goes_before(tmp_path: Path) -> None:
    found = place(tmp_path, "anna/a/01_reinforce.ipynb", "anna/b/01_reinforce.ipynb", "ben/01_reinforce.ipynb")
    assert taken(found) == {"ben/01_reinforce.ipynb": "ben 01_reinforce"}
    (said,) = found.remarks
    assert said == (
        "anna: a/01_reinforce.ipynb, b/01_reinforce.ipynb were left out, since one alone could count; "
        "leave one, as 01_reinforce.ipynb."
    )
    found = place(tmp_path, "ben/old/01_reinforce.ipynb")
    assert taken(found) == {"ben/01_reinforce.ipynb": "ben 01_reinforce"}
    assert found.remarks[-1] == "ben: old/01_reinforce.ipynb was left out, since one lies above."


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("01_reinforce.zip", "01_reinforce.zip is no notebook, and was left out; unpack it."),
        ("work/01_reinforce.7z", "work/01_reinforce.7z is no notebook, and was left out; unpack it."),
        (
            "01_reinforce.ipynb.txt",
            "01_reinforce.ipynb.txt is no notebook, and was left out; a notebook's name ends with .ipynb.",
        ),
        ("01_reinforce.py", "01_reinforce.py is no notebook, and was left out."),
        ("\x1b[2Jx", "'\\x1b[2Jx' is no notebook, and was left out."),
        ("a/b/c/d/e/01_reinforce.ipynb", "a/b/c/d/e lies too deep, and was left out."),
    ],
)
def test_what_is_no_notebook_is_said(tmp_path: Path, file: str, said: str) -> None:
    assert place(tmp_path, f"anna/{file}").remarks == [f"anna: {said}"]
    (one, _), remarks = find(tmp_path, NAMES)
    assert remarks == [f"anna: {said}"] and one.notes == ("files left out: see remarks.txt",)


def test_many_files_are_one_line_of_bounded_length(tmp_path: Path) -> None:
    found = place(
        tmp_path, *(f"anna/{number:04}.txt" for number in range(1500)), "anna/z/x.py", "anna/01_reinforce.ipynb"
    )
    assert taken(found) == {"anna/01_reinforce.ipynb": "anna 01_reinforce"}, "found however much lies beside it"
    files, cut = found.remarks
    assert re.fullmatch(r"anna: (\d{4}\.txt, ){4}\d{4}\.txt and \d+ more are no notebooks, and were left out\.", files)
    assert cut.startswith("anna: of more than 1000 files and folders the rest was not looked at")


def test_no_link_is_followed_however_deep(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "01_reinforce.ipynb").write_text("{}")
    (tmp_path / "in" / "eve" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "eve" / "deep" / "er").symlink_to(tmp_path / "secret")
    (tmp_path / "in" / "eve" / "01_reinforce").symlink_to(tmp_path / "secret")
    (tmp_path / "in" / "eve" / "02_baselines.ipynb").symlink_to(tmp_path / "secret" / "01_reinforce.ipynb")
    os.mkfifo(tmp_path / "in" / "eve" / "deep" / "01_reinforce.ipynb")
    found = discover(tmp_path / "in", NAMES)
    assert found.files == {} and found.unnamed == {}
    assert found.remarks == [
        "eve: 01_reinforce, 02_baselines.ipynb, deep/er are links, and were left out.",
        "eve: deep/01_reinforce.ipynb is no notebook, and was left out.",
    ]


def test_a_closed_folder_costs_its_student_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = os.scandir

    def scandir(path: Path) -> Any:
        if Path(path).name == "anna":
            raise PermissionError(errno.EACCES, "Permission denied")
        return listed(path)

    place(tmp_path, "anna/01_reinforce.ipynb", "ben/01_reinforce.ipynb")
    monkeypatch.setattr(os, "scandir", scandir)
    submissions, remarks = find(tmp_path, NAMES[:1])
    assert [(each.student, bool(each.path)) for each in submissions] == [("anna", False), ("ben", True)]
    assert remarks == ["anna: anna (Permission denied) cannot be read, and was left out; open it to yourself."]
    assert "the folder cannot be read" in submissions[0].notes


def test_what_is_packed_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"holds no notebooks but all\.zip; unpack it first$"):
        place(tmp_path, "all.zip")
    with pytest.raises(InvalidInput, match=r"all\.zip is packed; unpack it first, and give the folder$"):
        discover(tmp_path / "all.zip", NAMES)
    found = place(tmp_path, "anna/01_reinforce.ipynb")
    assert found.remarks == ["all.zip is no notebook, and was left out; unpack it."]


# Another notebook than the name says


def after_stamps(root: Path, says: dict[str, str]) -> tuple[dict[str, str], list[str], list[tuple[str, ...]]]:
    """(place -> the file that is taken for it, remarks, notes) of anna. Args: says: file's name -> its stamp's assignment."""
    for name in says:
        (root / "anna").mkdir(exist_ok=True)
        (root / "anna" / f"{name}.ipynb").write_text("{}")
    made = [*NAMES, "03_more"]
    found, remarks = find(root, made, stamps=lambda files: [("ab" * 4, says[each.path.stem]) for each in files])
    return (
        {each.assignment: Path(each.path).stem for each in found if each.path},
        remarks,
        [each.notes for each in found],
    )


def test_two_swapped_notebooks_are_taken_for_what_they_are(tmp_path: Path) -> None:
    files, remarks, notes = after_stamps(tmp_path, {NAMES[0]: NAMES[1], NAMES[1]: NAMES[0]})
    assert files == {NAMES[0]: NAMES[1], NAMES[1]: NAMES[0]}
    assert remarks == [
        "anna: 01_reinforce.ipynb is the notebook 02_baselines, and was taken for it.",
        "anna: 02_baselines.ipynb is the notebook 01_reinforce, and was taken for it.",
    ]
    assert not any(notes)


def test_a_wrong_notebook_goes_to_a_free_place_and_a_chain_of_them_too(tmp_path: Path) -> None:
    files, remarks, _ = after_stamps(tmp_path, {NAMES[0]: NAMES[1], NAMES[1]: "03_more"})
    assert files == {NAMES[1]: NAMES[0], "03_more": NAMES[1]} and len(remarks) == 2


def test_a_wrong_notebook_takes_no_place_that_is_taken(tmp_path: Path) -> None:
    files, remarks, notes = after_stamps(tmp_path, {NAMES[0]: NAMES[1], NAMES[1]: NAMES[1]})
    assert files == {name: name for name in NAMES}
    assert remarks == ["anna: 01_reinforce.ipynb is the notebook 02_baselines."]
    assert notes[0] == ("01_reinforce is another notebook",)


def test_of_two_that_are_the_same_notebook_one_is_moved(tmp_path: Path) -> None:
    files, remarks, _ = after_stamps(tmp_path, {NAMES[0]: "03_more", NAMES[1]: "03_more"})
    assert files == {"03_more": NAMES[0], NAMES[1]: NAMES[1]}
    assert remarks[1] == "anna: 02_baselines.ipynb is the notebook 03_more."


def test_a_notebook_of_another_release_stays_and_is_said(tmp_path: Path) -> None:
    files, remarks, _ = after_stamps(tmp_path, {NAMES[0]: "09_x\nben: all is well"})
    assert files == {NAMES[0]: NAMES[0]}
    (said,) = remarks
    assert (
        said == "anna: 01_reinforce.ipynb is the notebook '09_x\\nben: all is well', which this release does not have."
    )


def test_a_stamp_moves_nothing_into_another_student_s_place(tmp_path: Path) -> None:
    place(tmp_path, "eve/01_reinforce.ipynb", "eve/anna/02_baselines.ipynb")
    found, _ = find(tmp_path, NAMES, CLASS, stamps=lambda files: [("anna", NAMES[1])] * len(files))
    assert {each.student for each in found if each.path} == {"eve"}
