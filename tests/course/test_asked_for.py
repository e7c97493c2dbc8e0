"""docs/asked_for.md: a row for each topic, places and names that exist, and a list of what is not there that only shrinks."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import fields
from functools import cache
from pathlib import Path

import gymnasium
import pytest

from pgcourse.algorithms.by_name import ALGORITHMS, CONFIGS
from pgcourse.checks.catalogue import BY_ID, EXERCISES
from pgcourse.registration import register_envs
from pgcourse.study import traps
from tools.asked_for import NOT_YET, PAGE, Row, Section, anchor, completed, find, linked, rows, sections
from tools.builder.course import SourceFile, raw_notebook

ROOT = Path(__file__).resolve().parents[2]
LESSONS = [file for path in sorted((ROOT / "course").glob("*.py")) if not (file := SourceFile(path)).is_exercises]
DEPTHS = ("derived", "measured", "shown", "exercise", "stated", "brushed", "pointer")

# Topics that the course does not treat. A topic that arrives leaves the list and gets a place in the page. The list never grows.
LEFT_OUT: list[str] = []
OUTSIDE_LESSONS = {"batches"}  # claims that the README alone quotes
OF_EVERY_LESSON = (
    "The idea in plain words", "Quiz", "What to remember", "Watch it learn", "What comes next", "Further reading",
    "Where this ends", "Common mistakes, and how they look", "Your run among the ten", "The whole step",
)  # fmt: skip
AT_MOST = 0
FEWEST_ROWS = 383


@cache
def page() -> str:
    return (ROOT / PAGE).read_text(encoding="utf-8")


@cache
def table() -> list[Row]:
    return rows(page())


def named(row: Row) -> list[Section]:
    """The sections that a row names."""
    return [find(place) for place in row.where if not place.startswith("exercise ")]


def depths(row: Row) -> dict[str, list[str]]:
    """How deep -> names behind it: "shown, measured `a2c`" is {"shown": [], "measured": ["a2c"]}."""
    return {part.split()[0]: re.findall(r"`([^`]+)`", part) for part in row.how.split(", ")} if row.how else {}


@cache
def studies(unit: str) -> dict[str, str]:
    """Variable of a lesson -> study whose claims it holds: `measured` -> "a2c"."""
    found = {}
    for line in next(file for file in LESSONS if file.name[:2] == unit).path.read_text(encoding="utf-8").splitlines():
        if names := re.match(r"^([\w, ]+) = load_claims\(", line):
            found |= dict(zip(names[1].split(", "), re.findall(r'load_claims\("(\w+)"\)', line), strict=True))
    return found


def draws_on(section: Section, study: str) -> bool:
    """Whether a section quotes figures of a study, or draws them."""
    words = [f"{study}:", f'"{study}"', *(f"{name}[" for name, held in studies(section.unit).items() if held == study)]
    return any(word in section.text for word in words)


@cache
def names_of_the_package() -> frozenset[str]:
    """What a row may name in code font, besides code of Python and PyTorch."""
    register_envs()
    presets = [f"{name}.{key}" for name, module in ALGORITHMS.items() for key in vars(module) if key.isupper()]
    settings = [field.name for config in CONFIGS.values() for field in fields(config)]
    environments = [name for each in gymnasium.registry for name in (each, each.rpartition("/")[2])]
    claims = [path.stem for path in (ROOT / "claims").glob("*.json")]
    return frozenset([*presets, *settings, *environments, *claims, *BY_ID, *traps.BY_ID])


def test_titles_links_and_numbers_are_those_of_the_lessons() -> None:
    assert completed(page()) == page(), "run `python -m tools.asked_for`"


def test_no_row_stands_twice_and_none_is_lost() -> None:
    counts = Counter(row.topic for row in table())
    assert [topic for topic, count in counts.items() if count > 1] == []
    assert len(table()) >= FEWEST_ROWS


def test_what_is_not_there_yet_is_listed_and_can_only_become_less() -> None:
    missing = [row.topic for row in table() if not row.where]
    assert Counter(missing) == Counter(LEFT_OUT)
    assert len(missing) <= AT_MOST
    assert page().count(f"| {NOT_YET} |") == len(missing)


@pytest.mark.parametrize("row", [row for row in table() if row.where], ids=lambda row: row.topic)
def test_a_row_goes_as_deep_as_it_says(row: Row) -> None:
    how, places = depths(row), named(row)
    assert how and set(how) <= set(DEPTHS), row.how
    assert ("exercise" in how) == any(place.startswith("exercise ") for place in row.where)
    assert bool(how.get("measured")) == ("measured" in how), "say the claims: measured `a2c`"
    for study in how.get("measured", []):
        assert (ROOT / "claims" / f"{study}.json").exists()
        assert any(draws_on(section, study) for section in places), f"none of its sections holds figures of {study}"
    if "derived" in how:
        assert any("$" in section.text for section in places)
    if "shown" in how:
        assert any(section.runs for section in places)
    if "brushed" in how:
        assert set(how) == {"brushed"}


def test_code_that_a_row_names_exists() -> None:
    of_python = {
        "[B, 1]",
        "[B]",
        "[T, N]",
        "done",
        "reset",
        "info",
        "logits=",
        "probs=",
        "log_softmax",
        "final_obs",
        "zero_grad",
    }
    of_python |= {"exp", "log_std", "RescaleAction"}
    written = {name for row in table() for name in re.findall(r"`([^`]+)`", f"{row.topic} {row.how}")}
    assert written - names_of_the_package() - of_python == set()


def test_what_the_course_has_can_be_found_in_the_table() -> None:
    """Exercises, claims, traps and sections that no row names: add a row, or name them in one that is there."""
    places = {place for row in table() for place in row.where}
    exercises = {place.removeprefix("exercise ").strip("`") for place in places if place.startswith("exercise ")}
    assert {entry.id for entry in EXERCISES if not entry.id.startswith("patient_")} - exercises == set()
    told = {study for row in table() for study in depths(row).get("measured", [])}
    assert {path.stem for path in (ROOT / "claims").glob("*.json")} - told - OUTSIDE_LESSONS == set()
    assert {id for id in traps.BY_ID if not any(f"`{id}`" in row.topic for row in table())} == set()
    chapters = [section for section in sections() if section.number and "." not in section.number]
    unnamed = [
        section.place for section in chapters if section.title not in OF_EVERY_LESSON and not named_in(section, places)
    ]
    assert unnamed == []


def named_in(section: Section, places: set[str]) -> bool:
    """Whether one of the places lies in the section."""
    inside = set(re.findall(r"^#{2,4} (.+)$", section.text, re.MULTILINE))
    found = [find(place) for place in places if place.startswith(section.unit)]
    return any(each.heading in inside for each in found)


def test_a_number_that_moved_is_mended_and_a_lost_title_is_told() -> None:
    header = "| asked for | where it is | how deep |\n|---|---|---|\n"
    right = (
        "[03 §5.2 The truncation bug, measured](../notebooks/03_a2c_gae.ipynb#52-the-truncation-bug-measured--further)"
    )
    for given in ("03 §5.2", "03 §9.9 The truncation bug, measured", "[03 §5.2 The truncation bug, measured](old.md)"):
        assert completed(f"{header}| x | {given} | stated |\n") == f"{header}| x | {right} | stated |\n"
    for given, complaint in (
        ("03 §5.2 Another title", "that number is now '03 §5.2 The truncation bug, measured'"),
        ("03 §17.4", "names 0 sections"),
        ("somewhere", "is no place"),
        ("exercise gea", "no exercise 'gea'"),
    ):
        with pytest.raises(LookupError, match=re.escape(complaint)):
            completed(f"{header}| x | {given} | stated |\n")
    with pytest.raises(ValueError, match="has 2 cells"):
        rows(header + "| x | 03 §5.2 |\n")


def test_a_title_that_stands_twice_needs_its_number() -> None:
    twice = [place for place, count in Counter((each.unit, each.title) for each in sections()).items() if count > 1]
    for unit, title in twice:
        with pytest.raises(LookupError, match="names 2 sections"):
            find(f"{unit} {title}")


@pytest.mark.parametrize("file", LESSONS, ids=lambda file: file.name)
def test_anchors_are_those_of_the_site(file: SourceFile) -> None:
    """The site's parser names the anchors; GitHub shows a notebook without any."""
    parser = pytest.importorskip("myst_parser.parsers.mdit", reason="the packages of the site are not installed")
    from markdown_it.renderer import RendererHTML
    from myst_parser.config.main import MdParserConfig
    from myst_parser.mdit_to_docutils.base import compute_unique_slug

    config = MdParserConfig(enable_extensions={"dollarmath", "amsmath", "deflist"}, dmath_double_inline=True)
    reader = parser.create_md_parser(config, RendererHTML)
    from markdown_it.tree import SyntaxTreeNode

    slugs: list[str] = []
    for cell in raw_notebook(file).cells:
        if cell.cell_type == "markdown":
            for node in SyntaxTreeNode(reader.parse(cell.source)).walk():
                if node.type == "heading" and node.tag != "h1":
                    slugs.append(compute_unique_slug(node, slugs))
    assert slugs == [anchor(section.heading) for section in sections() if section.file == file.name]


def test_an_exercise_leads_to_its_notebook() -> None:
    assert linked("exercise gae") == "[exercise `gae`](../exercises/03_a2c_gae.ipynb)"
    for place in {place for row in table() for place in row.where}:
        target = re.search(r"\]\(\.\./([^)#]+)", linked(place))
        assert target is not None and (ROOT / target[1]).exists()
