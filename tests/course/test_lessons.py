"""What holds of every lesson: comparisons have data or a reason, an hour for the core path, questions that do not leak."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from nbformat import NotebookNode

from pgcourse import ppo
from pgcourse.show.questions.ask import build_prediction, build_quiz, plain
from pgcourse.show.questions.lines import LINES, POINTS, judge
from pgcourse.study.claims import quote
from tools.builder.comparisons import REASONS, placed, unplaced
from tools.builder.course import SourceFile, raw_notebook
from tools.builder.minutes import FURTHER, minutes_of, parts

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [SourceFile(path) for path in sorted((ROOT / "course").glob("*.py"))]
LESSONS = [source for source in SOURCES if not source.is_exercises]
CORE = 60  # minutes
EVEN = (0.7, 1.3)  # length of the right option over the mean of the others
SHORT = 25  # characters below which a length tells nothing


@cache
def notebook(source: SourceFile) -> NotebookNode:
    return raw_notebook(source)


@cache
def questions() -> list[tuple[str, str, list[str], int]]:
    """Kind, id, options as they are shown and the place of the right one, of all questions of all lessons."""
    found = []
    for source in LESSONS:
        for cell in notebook(source).cells:
            if cell.cell_type != "code":
                continue
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.Call) and ast.unparse(node.func) in ("questions.quiz", "questions.predict"):
                    found.append(question(node))
    return found


def question(node: ast.Call) -> tuple[str, str, list[str], int]:
    kind = ast.unparse(node.func).removeprefix("questions.")
    given: dict[str, Any] = {keyword.arg or "": keyword.value for keyword in node.keywords}
    values = [text(argument) for argument in node.args]
    options = given.get("options")
    options = text(options) if options is not None else values[2]
    answer = literal(given["answer"])
    if kind == "quiz":
        built: Any = build_quiz(values[0], "?", options, answer=answer, reasons=["because"] * len(options))
    else:
        built = build_prediction(values[0], "?", options, answer=answer, explanation="because")
    return kind, values[0], [plain(option) for option in built.options], built.answer


def literal(node: ast.expr) -> int:
    """The answer; one that the cell computes counts as the first, since any could be right."""
    try:
        return int(ast.literal_eval(node))
    except ValueError:
        return 0


def text(node: ast.expr) -> Any:
    """A string or list of strings of the source; what is computed in an f-string counts as four characters."""
    if isinstance(node, ast.List | ast.Tuple):
        return [text(part) for part in node.elts]
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "0000" for part in node.values)
    if isinstance(node, ast.BinOp):
        return text(node.left) + text(node.right)
    return ast.literal_eval(node)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.label)
def test_every_comparison_has_data_or_a_reason(source: SourceFile) -> None:
    placed(notebook(source), source.label)  # raises where the data say otherwise
    left = [each for each in unplaced(notebook(source), source.label) if each.reason not in REASONS]
    assert left == []


@pytest.mark.parametrize("source", LESSONS, ids=lambda source: source.name)
def test_the_core_path_takes_an_hour_at_most(source: SourceFile) -> None:
    minutes = minutes_of(notebook(source))
    assert minutes.core <= CORE
    head = notebook(source).cells[1].source + notebook(source).cells[0].source
    assert "{{minutes:core}}" in head and "{{minutes:exercises}}" in head


@pytest.mark.parametrize("source", LESSONS, ids=lambda source: source.name)
def test_a_lesson_opens_with_three_questions_and_leaves_a_line_to_the_reader(source: SourceFile) -> None:
    number = source.name[:2]
    asked = [id for kind, id, *_ in questions() if kind == "quiz" and id.startswith(f"{number}-recall-")]
    assert asked == [f"{number}-recall-{k}" for k in (1, 2, 3)]
    core = "\n".join(cell.source for cell, further in parts(notebook(source)) if not further)
    lines = re.findall(r'check_line\(\s*"([^"]+)"', core)
    assert lines and set(lines) <= set(LINES)


@pytest.mark.parametrize("source", LESSONS, ids=lambda source: source.name)
def test_a_heading_of_what_goes_further_is_a_cell_s_first_line(source: SourceFile) -> None:
    for cell in notebook(source).cells:
        if cell.cell_type == "markdown":
            assert not [line for line in cell.source.split("\n")[1:] if FURTHER.match(line)]


def test_ids_are_unique_and_texts_name_no_letter_of_an_option() -> None:
    counts = Counter(id for _, id, *_ in questions())
    assert [id for id, count in counts.items() if count > 1] == []
    for source in LESSONS:
        for cell in notebook(source).cells:
            assert not re.search(r"\b[Oo]ption [A-E]\b", cell.source), f"{source.label}: options are shuffled"


@pytest.mark.parametrize("entry", questions(), ids=lambda entry: entry[1])
def test_the_length_of_an_option_tells_nothing(entry: tuple[str, str, list[str], int]) -> None:
    _, _, options, answer = entry
    lengths = [len(option) for option in options]
    if max(lengths) > SHORT:
        others = [length for place, length in enumerate(lengths) if place != answer]
        assert EVEN[0] <= lengths[answer] / (sum(others) / len(others)) <= EVEN[1], lengths


def test_the_right_option_is_neither_the_longest_nor_in_one_place() -> None:
    four = [(options, answer) for _, _, options, answer in questions() if len(options) == 4]
    assert len(four) >= 40
    longest = sum(max(range(4), key=lambda i: len(options[i])) == answer for options, answer in four)
    assert longest / len(four) <= 0.4
    places = Counter(answer for _, answer in four)
    assert all(0.12 <= places[place] / len(four) <= 0.4 for place in range(4)), places


@pytest.mark.parametrize("id", list(LINES))
def test_a_line_accepts_itself_and_names_its_slips(id: str) -> None:
    line = LINES[id]
    assert judge(id, line.right)[0] is True
    assert judge(id, lambda **_: ...)[0] is None
    assert line.slips
    for words, slip in line.slips.items():
        verdict, said = judge(id, slip)
        assert verdict is False and words in said
    assert POINTS >= 10


def test_a_line_that_stops_or_gives_no_number_is_no_traceback() -> None:
    id = next(iter(LINES))
    assert judge(id, lambda **_: 1 / 0) == (False, "✗ Your line stops with ZeroDivisionError: division by zero.")
    assert "str" in judge(id, lambda **_: "two")[1]


def rows(markdown: str) -> dict[str, str]:
    """Symbol -> meaning of the tables whose first column is called symbol."""
    found, reading = {}, False
    for line in markdown.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")] if line.strip().startswith("|") else []
        if cells[:2] == ["symbol", "meaning"]:
            reading = True
        elif not cells:
            reading = False
        elif reading and not set(cells[0]) <= set("-|"):
            found[cells[0]] = cells[1]
    return found


@pytest.mark.parametrize("source", LESSONS, ids=lambda source: source.name)
def test_symbols_mean_what_the_course_s_table_says(source: SourceFile) -> None:
    everywhere = rows((ROOT / "docs" / "symbols.md").read_text(encoding="utf-8"))
    here: dict[str, str] = {}
    for cell in notebook(source).cells:
        if cell.cell_type == "markdown":
            here |= rows(cell.source)
    assert {symbol: meaning for symbol, meaning in here.items() if everywhere.get(symbol) != meaning} == {}
    assert "docs/symbols.md" in notebook(source).cells[0].source + notebook(source).cells[1].source


def test_a_lesson_s_hours_in_the_readme_are_those_of_the_rule() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for source in LESSONS:
        number = source.name[:2]
        for part in ("core", "exercises"):
            assert f"<!-- claim minutes:{number}/{part} -->" in readme
    assert quote  # figures of the README are filled by the builder


def test_the_starting_points_of_lesson_07_are_the_presets() -> None:
    """Rows of the table in section 7.3 that say that they are presets of the package."""
    text = next(source for source in LESSONS if source.path.stem.startswith("07")).path.read_text(encoding="utf-8")
    rows = {"CartPole": ppo.CARTPOLE, "Pendulum": ppo.PENDULUM, "ppo.LUNAR_LANDER": ppo.LUNAR_LANDER}
    for name, preset in rows.items():
        (row,) = re.findall(rf"^# \| [^|]*{re.escape(name)}`?\) \|.*$", text, re.MULTILINE)
        _, rollout, epochs, rates, horizon, others = (cell.strip() for cell in row.removeprefix("# |").split("|")[:6])
        assert rollout.startswith(f"{preset.num_envs} × {preset.num_steps}")
        assert epochs == f"{preset.update_epochs}, {preset.minibatch_size}"
        assert [float(rate) for rate in re.findall(r"\d\S*e-\d", rates)] in (
            [preset.policy_lr, preset.critic_lr],
            [preset.policy_lr] if "both" in rates and preset.policy_lr == preset.critic_lr else [],
        )
        assert ("falling" in rates) == preset.anneal_lr
        assert horizon == f"{preset.gamma:g}, {preset.gae_lambda:g}"
        assert (f"reward × {preset.reward_scale:g}" in others) == (preset.reward_scale != 1)
        assert (f"std {preset.initial_std:g} at the start" in others) == (preset.initial_std != 1)
        assert (f"entropy {preset.ent_coef:g}" in others) == (preset.ent_coef > 0)
