"""The files that hosts of repositories read: they say the same version, and are of the form that is asked for."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FORMS = sorted(path.name for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config")
WORKFLOWS = sorted(path.name for path in (ROOT / ".github" / "workflows").glob("*.yml"))


def test_package_citation_and_changelog_name_one_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    newest = re.search(r"^## ([\d.]+)", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert newest is not None
    assert version == citation["version"] == newest[1]


def test_citation_has_what_its_format_demands() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(citation)
    assert all(set(author) == {"name"} for author in citation["authors"])


@pytest.mark.parametrize("name", FORMS)
def test_a_form_asks_each_question_once_and_says_what_it_is_for(name: str) -> None:
    form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / name).read_text())
    assert form["name"] and form["description"]
    questions = [part for part in form["body"] if part["type"] != "markdown"]
    ids = [part["id"] for part in questions]
    assert ids and len(ids) == len(set(ids))
    assert {part["type"] for part in form["body"]} <= {"markdown", "input", "textarea", "dropdown", "checkboxes"}
    assert all(part["attributes"]["label"] for part in questions)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_runs_pinned_actions_and_commands_that_exist(name: str) -> None:
    text = (ROOT / ".github" / "workflows" / name).read_text()
    jobs = yaml.safe_load(text)["jobs"]
    steps = [step for job in jobs.values() for step in job["steps"]]
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"]) for step in steps if "uses" in step)
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    commands = [step["run"] for step in steps if "run" in step]
    assert commands or name == "pages.yml"
    for command in commands:
        assert command == ".ci/run" or command.removeprefix("make ") in targets, command
    assert all("timeout-minutes" in job for job in jobs.values())


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_every_file_that_a_document_names_is_there(name: str) -> None:
    """A path from the root or in the package, but for what commands make and for names that are still to be chosen."""
    prose = re.sub(r"^```.*?^```$", "", (ROOT / name).read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    paths = set(re.findall(r"`((?:[\w.-]+/)+(?:[\w.-]+\.\w+)?)`", prose))
    made = {path for path in paths if path.startswith(("build/", "pgcourse-work/"))}
    to_be_chosen = {path for path in paths if re.search(r"(\b|_)(name|NAME|NN_name)\b", path)}
    assert len(paths) > len(made | to_be_chosen) + 5
    real = paths - made - to_be_chosen
    assert sorted(path for path in real if not any((root / path).exists() for root in (ROOT, ROOT / "pgcourse"))) == []
