"""Every sentence of a stub's docstring has its case: an answer that ignores the sentence, and is refused.

`pgcourse/checks/unit_NN/<id>.toml` holds the docstring cut into sentences, in order and whole. Each `[[sentence]]` has
`text`, and one of

- `ignored_by`: ids of misconceptions of the exercise that ignore the sentence;
- `edits`: a list of edits, each a table {"old text" = "new text"} of the published solution, of which each is refused
  (the docstring is left out, and every old text stands in the rest exactly once);
- `answers`: a list of whole answers, each refused;
- `reason`: why nobody can ignore it (one of REASONS).

`ignored_by`, `edits` and `answers` may stand together.
"""

from __future__ import annotations

import ast
import re
import textwrap
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pgcourse.checks import catalogue, run
from pgcourse.checks.exercise import get
from pgcourse.checks.unit_06.patient import Patient

from .test_mutations import solutions

REASONS = {
    "example": "an example whose numbers are a case of the check",
    "source": "says where it comes from",
    "free": "leaves something to the learner; a right answer of tests/checks makes use of it",
    "background": "explains, and asks for nothing",
}
ROOT = Path(__file__).resolve().parents[2]


@cache
def published() -> dict[str, tuple[dict[str, Any], str]]:
    return solutions(ROOT)


def contract(id: str) -> str:
    """The docstrings of the stub, or of the patient's function, with single spaces."""
    module = __import__(catalogue.BY_ID[id].module, fromlist=["PATIENT"])
    patient = getattr(module, "PATIENT", None)
    source = patient.source() if isinstance(patient, Patient) else published()[id][1]
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    nodes.sort(key=lambda node: node.lineno)
    return " ".join(plain(ast.get_docstring(node) or "") for node in nodes).strip()


def plain(text: str) -> str:
    """The text with single spaces."""
    return re.sub(r"\s+", " ", text).strip()


def without_docstrings(source: str) -> str:
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            first = node.body[0]
            for number in range(first.lineno - 1, first.end_lineno or first.lineno):
                lines[number] = ""
    return "".join(lines)


def sentences(id: str) -> list[dict[str, Any]]:
    path = ROOT / f"{catalogue.BY_ID[id].module.replace('.', '/')}.toml"
    assert path.exists(), f"{path.relative_to(ROOT)} is missing"
    found = tomllib.loads(path.read_text(encoding="utf-8"))["sentence"]
    assert isinstance(found, list)
    return found


def edited(source: str, edits: dict[str, str]) -> str:
    for old, new in edits.items():
        assert source.count(old) == 1, f"{old!r} stands {source.count(old)} times in the solution"
        source = source.replace(old, new)
    return source


def answers_that_ignore(id: str, sentence: dict[str, Any]) -> list[str]:
    """Sources of the answers of one sentence."""
    source = without_docstrings(published()[id][1])
    return [edited(source, edits) for edits in sentence.get("edits", [])] + [
        textwrap.dedent(text) for text in sentence.get("answers", [])
    ]


@pytest.mark.parametrize("id", list(catalogue.BY_ID))
def test_the_sentences_are_the_docstring(id: str) -> None:
    assert plain(" ".join(sentence["text"] for sentence in sentences(id))) == contract(id)


@pytest.mark.parametrize("id", list(catalogue.BY_ID))
def test_every_sentence_has_its_case(id: str) -> None:
    known = {misconception.id for misconception in get(id).misconceptions}
    for sentence in sentences(id):
        kinds = set(sentence) - {"text"}
        assert kinds <= {"ignored_by", "edits", "answers", "reason"}, sentence
        assert ("reason" in kinds) != bool(kinds - {"reason"}), f"{sentence['text']!r} needs a case, or else a reason"
        assert sentence.get("reason", "free") in REASONS, sentence
        assert set(sentence.get("ignored_by", [])) <= known, sentence


@pytest.mark.parametrize("id", list(catalogue.BY_ID))
def test_who_ignores_a_sentence_is_refused(id: str) -> None:
    names, solution = published()[id]
    assert run(id, made_of(id, names, without_docstrings(solution))).status == "correct"
    passing = []
    for sentence in sentences(id):
        for source in answers_that_ignore(id, sentence):
            result = run(id, made_of(id, names, source))
            assert "NameError" not in result.message, source
            if result.status != "not yet":
                passing.append((sentence["text"], source))
    assert not passing


def made_of(id: str, names: dict[str, Any], source: str) -> Any:
    """The answer of this source."""
    there = dict(names)
    exec(compile(source, f"<{id}>", "exec"), there)
    return there[id]
