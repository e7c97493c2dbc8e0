"""What a source becomes, and which sources are refused before anything is executed or written."""

import json
import re

import nbformat
import pytest

from pgcourse.errors import InvalidInput
from tools.builder.claims import fill_placeholders, refresh_spans
from tools.builder.course import SourceFile, package_digest, read_source
from tools.builder.minutes import minutes_of
from tools.builder.products import make_products

EXERCISES = "01_tiny.exercises.py"
SOLUTION_CELL = '"grade_id": "double", "locked": false, "schema_version": 3, "solution": true'
CHECK_CELL = '"grade_id": "check-double", "locked": true, "points": 2'
STUB_LINE = '    raise NotImplementedError("double: write your code here, then run the check below")'
BEGIN, END = "    ### BEGIN SOLUTION\n", "    ### END SOLUTION\n"
LAST_LINE = "### END HIDDEN TESTS\n"
MARKDOWN_ANSWER = (
    '\n\n# %% [markdown] nbgrader={"grade_id": "why", "solution": true}\n# ### BEGIN SOLUTION\n# Because.\n'
)
MARKDOWN_ANSWER += "# ### END SOLUTION\n"


def products(tiny):
    return {product.path: product for product in make_products(tiny.course, tiny.course.sources())}


def stub(tiny):
    return products(tiny)["exercises/01_tiny.ipynb"].shown


def lesson(tiny):
    return products(tiny)["notebooks/01_tiny.ipynb"].shown


def cell(notebook, name):
    return next(each for each in notebook.cells if each.id == name)


def refused(tiny, place="course/01_tiny"):
    """Message of the refusal, which must be one line that names the file."""
    with pytest.raises(InvalidInput) as caught:
        products(tiny)
    message = str(caught.value)
    assert "\n" not in message
    assert place in message
    return message


# Building


def test_stub_keeps_the_task_and_loses_solution_outputs_hidden_tests_and_markers(tiny):
    source = cell(stub(tiny), "double").source
    assert source == f'def double(number):\n    """Twice the number: double(2) is 4."""\n{STUB_LINE}'
    text = json.dumps(stub(tiny))
    assert not any(word in text for word in ("HIDDEN", "SOLUTION", "assert run"))
    assert all(each.outputs == [] for each in stub(tiny).cells if each.cell_type == "code")
    # Its checks are locked, and bear nbgrader's checksum.
    metadata = cell(stub(tiny), "check-double").metadata
    assert metadata.editable is metadata.deletable is False
    assert re.fullmatch("[0-9a-f]{32}", metadata.nbgrader.checksum)


def test_solved_notebook_shows_the_solution_without_markers_and_is_run_with_the_hidden_tests(tiny):
    solved = products(tiny)["solutions/01_tiny.ipynb"]
    assert cell(solved.shown, "double").source.endswith("twice = number + number\n    return twice")
    assert cell(solved.shown, "check-double").source == 'check("double", double)'
    assert "assert run(" in cell(solved.run, "check-double").source


def test_a_class_with_two_marked_methods_gets_a_stub_in_each(tiny):
    tiny.exercises = [tiny.exercise("Mean")]
    method = "    def {}\n        ### BEGIN SOLUTION\n        {}\n        ### END SOLUTION\n"
    methods = method.format("update(self, x):", "self.total += x") + method.format(
        "get(self):", "return self.total / 2"
    )
    text = (tiny.root / "course" / EXERCISES).read_text().replace("double", "Mean")
    tiny.write(
        EXERCISES, re.sub(r"def Mean.*?    ### END SOLUTION\n", f"class Mean:\n{methods}", text, flags=re.DOTALL)
    )
    source = cell(stub(tiny), "Mean").source
    assert source.count('        raise NotImplementedError("Mean: ') == 2
    assert "total" not in source


def test_an_answer_outside_a_function_becomes_a_comment_so_that_run_all_goes_on(tiny):
    marked = '\n\n# %% nbgrader={"grade_id": "double-answer", "solution": true}\nanswer = None\n'
    marked += "### BEGIN SOLUTION\nanswer = 'adding it to itself'\n### END SOLUTION\n"
    tiny.edit(EXERCISES, LAST_LINE, LAST_LINE + marked)
    assert cell(stub(tiny), "double-answer").source == "answer = None\n# write your answer here"


def test_a_markdown_answer_without_points_becomes_an_invitation_to_write(tiny):
    answer = MARKDOWN_ANSWER.replace('{"grade_id": "why"', '{"grade": true, "grade_id": "why", "points": 0')
    tiny.edit(EXERCISES, LAST_LINE, LAST_LINE + answer)
    assert cell(stub(tiny), "why").source == "*Write your answer here: double-click this cell.*"
    assert cell(products(tiny)["solutions/01_tiny.ipynb"].shown, "why").source == "Because."


def test_ids_are_the_grade_id_else_a_hash_and_equal_cells_get_a_suffix(tiny):
    tiny.write("01_tiny.py", "# %%\nprint(1)\n\n# %%\nprint(1)\n\n# %% [markdown]\n# print(1)\n")
    ids = [each.id for each in lesson(tiny).cells]
    assert re.fullmatch("c-[0-9a-f]{12}", ids[0])
    assert ids[1] == f"{ids[0]}-2"
    assert ids[2] not in ids[:2]
    assert [each.id for each in stub(tiny).cells][2:] == ["double", "check-double"]
    # An id does not change when other cells do.
    tiny.edit("01_tiny.py", "print(1)\n\n# %% [markdown]", "print(2)\n\n# %% [markdown]")
    assert [each.id for each in lesson(tiny).cells][::2] == ids[::2]


def test_notebooks_say_nothing_of_versions_or_of_this_machine(tiny):
    for product in products(tiny).values():
        assert product.shown.metadata.language_info == {"name": "python"}
        assert set(product.shown.metadata) == {"kernelspec", "language_info"}
        assert nbformat.validator.validate(product.shown) is None
        assert product.shown.nbformat_minor == 5


@pytest.mark.parametrize("blank", ["", "\n\n\n\n"], ids=["none", "many"])
def test_blank_lines_between_cells_change_nothing(tiny, blank):
    before = {path: nbformat.writes(product.shown) for path, product in products(tiny).items()}
    for path in (tiny.root / "course").glob("*.py"):
        path.write_text(re.sub(r"\n+# %%", f"\n{blank}# %%", path.read_text()))
    assert {path: nbformat.writes(product.shown) for path, product in products(tiny).items()} == before


def test_magics_of_a_source_become_magics_of_the_notebook(tiny):
    path = tiny.write("01_tiny.py", "# %%\n# %matplotlib inline\nprint(1)\n")
    assert read_source(tiny.course, SourceFile(path)).cells[0].source == "%matplotlib inline\nprint(1)"


@pytest.mark.parametrize(
    ("code", "first"),
    [
        ("import math", "# Imports"),
        ("from math import pi", "# Imports"),
        ('# {{# question}}\nquestions.quiz("a", "b", [], answer=0, reasons=[])', "# Question"),
        ("x = 1\nwatch(agents)", "# Agents at work"),
        ('page.figure(figure, alt="A line.")', "# Figure"),
        ("x = 1", "# Preparation"),
        ("# Two seeds of each\nx = 1", "# Two seeds of each"),
    ],
)
def test_a_folded_cell_says_in_its_first_line_what_it_is(tiny, code, first):
    path = tiny.write("01_tiny.py", f'# %% jupyter={{"source_hidden": true}}\n{code}\n\n# %%\nimport math\n')
    hidden, shown = read_source(tiny.course, SourceFile(path)).cells
    assert hidden.source.split("\n")[0] == first
    assert shown.source == "import math"


# Figures


def test_figures_are_filled_in_prose_but_not_in_code_and_latex_braces_stay(tiny):
    tiny.edit("01_tiny.py", "print(sum(numbers))", 'print("{{cartpole:episodes}}")')
    prose, code, _ = (each.source for each in lesson(tiny).cells)
    assert "after 289 [274, 301] episodes" in prose
    assert r"$\frac{{a}}{b}$ stays" in prose
    assert "{{cartpole:episodes}}" in code


def test_an_unknown_figure_names_file_and_cell(tiny):
    tiny.edit("01_tiny.py", "cartpole:episodes", "cartpole:episode")
    assert "cartpole:episode" in refused(tiny, "course/01_tiny.py, cell 1")


@pytest.mark.parametrize("error", [KeyError("no claims file"), FileNotFoundError("no claims file")])
def test_any_way_of_not_finding_a_figure_is_refused(error):
    def quote(figure):
        raise error

    with pytest.raises(InvalidInput, match=r"README, cell 3: unknown figure \{\{a:b\}\}: no claims file"):
        fill_placeholders("{{a:b}}", quote, "README, cell 3")


def test_readme_spans_take_the_measured_text_and_doing_it_twice_changes_nothing():
    quote = {"a:b": "289", "a:c.value": "5"}.__getitem__
    text = "in <!-- claim a:b -->old\ntext<!-- /claim --> steps, <!-- claim a:c.value --><!-- /claim -->."
    fresh = refresh_spans(text, quote)
    assert fresh == "in <!-- claim a:b -->289<!-- /claim --> steps, <!-- claim a:c.value -->5<!-- /claim -->."
    assert refresh_spans(fresh, quote) == fresh


@pytest.mark.parametrize(
    "text",
    [
        "<!-- claim a:b -->never closed",
        "closed<!-- /claim -->",
        "<!-- claim a:b -->one <!-- claim a:b -->two<!-- /claim -->",
        "<!-- claim without a figure -->text<!-- /claim -->",
    ],
)
def test_readme_marks_that_make_no_pair_are_refused(text):
    with pytest.raises(InvalidInput, match=r"README\.md"):
        refresh_spans(text, lambda figure: "1")


# Refusals

# The reason, then what is changed in the exercises' source.
WRONG_EXERCISES = [
    # markers
    ("never closed", (END, "")),
    ("closes nothing", (BEGIN, "")),
    ("inside another region", ("    # the secret", f"{BEGIN}    # the secret")),
    ("never closed", (LAST_LINE, "")),
    ("closes nothing", (LAST_LINE, "### END SOLUTION\n")),
    ("is no marker", (BEGIN, "    # BEGIN SOLUTION\n")),
    ("is no marker", (BEGIN, "    ### Begin solution\n")),
    ("is no marker", (BEGIN, "    ### BEGIN_SOLUTION\n")),
    ("is no marker", (BEGIN, "    ### BEGIN SOLUTIONS\n")),
    (
        "nothing stands between",
        ("    # the secret is to add\n    twice = number + number\n    return twice\n", "\n"),
    ),
    ("a solution cell without markers", (BEGIN, ""), (END, "")),
    (
        "the stub loses `def double`",
        (BEGIN, ""),
        ("def double(", "### BEGIN SOLUTION\ndef double("),
        (END, END.lstrip()),
    ),
    ("is not valid Python", (END, ""), ("twice = number + number", f"twice = (number +\n{END}    number)")),
    # metadata
    ('without `"solution": true`', ('"solution": true', '"solution": false')),
    ("hidden tests outside a check cell", ('"grade": true', '"grade": false')),
    ("3 points, 2 in pgcourse.checks", (CHECK_CELL, CHECK_CELL.replace(' "points": 2', ' "points": 3'))),
    ("None points, 2 in pgcourse.checks", (CHECK_CELL, CHECK_CELL.replace(', "points": 2', ""))),
    ('"locked": true', (CHECK_CELL, CHECK_CELL.replace("true", "false", 1))),
    ('does not call check("double", double)', ('check("double", double)\n###', "print(1)\n###")),
    ("without hidden tests", ('assert run("double", double).status == "correct"', "pass")),
    ("would pass the notebook tests", (' tags=["nbval-check-output"]', "")),
    ("defines twice, not double", ("def double(", "def twice(")),
    ("used twice", (SOLUTION_CELL, SOLUTION_CELL.replace("double", "check-double"))),
    ("no exercise 'triple' in pgcourse.checks", (SOLUTION_CELL, SOLUTION_CELL.replace("double", "triple"))),
    ("no exercise 'other'", ('"grade_id": "check-double"', '"grade_id": "check-other"')),
    ("is no cell id", ('"grade_id": "double"', '"grade_id": "my double"')),
    ("Markdown solution cell is not marked as a grade cell", (LAST_LINE, LAST_LINE + MARKDOWN_ANSWER)),
    # a leak
    (
        "the whole solution also stands unmarked in cell 5",
        (LAST_LINE, f"{LAST_LINE}\n\n# %%\n# the secret is to add\ntwice = number + number\nreturn twice\n"),
    ),
]


@pytest.mark.parametrize("wrong", WRONG_EXERCISES, ids=lambda wrong: wrong[0])
def test_wrong_markers_and_cells_of_an_exercise(tiny, wrong):
    reason, *edits = wrong
    for old, new in edits:
        tiny.edit(EXERCISES, old, new)
    assert reason in refused(tiny)


@pytest.mark.parametrize("above", [False, True], ids=["missing", "above its exercise"])
def test_a_check_cell_must_stand_below_its_exercise(tiny, above):
    path = tiny.root / "course" / EXERCISES
    head, solution, check = re.split(r"(?=# %% nbgrader)", path.read_text())
    path.write_text(head + (f"{check}\n" if above else "") + solution)
    assert "has no check cell" in refused(tiny)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"minutes": 0}, "minutes 0"),
        ({"minutes": None}, "minutes None"),
        ({"difficulty": 4}, "difficulty 4"),
        ({"hints": ("one", "two")}, "2 hints"),
        ({"hints": ("one", "two", " ")}, "3 hints"),
        ({"unit": "02"}, "is of unit 02"),
    ],
)
def test_an_incomplete_record_of_an_exercise(tiny, changes, reason):
    tiny.exercises = [tiny.exercise(**changes)]
    assert reason in refused(tiny)


def test_an_exercise_of_the_unit_that_is_missing_in_its_source(tiny):
    tiny.exercises.append(tiny.exercise("halve"))
    assert "exercise 'halve' of pgcourse.checks is missing" in refused(tiny)


def test_an_exercise_in_two_files_or_in_a_lesson(tiny):
    text = (tiny.root / "course" / EXERCISES).read_text()
    more = tiny.write("02_more.exercises.py", text)
    assert "exercise 'double' is in course/01_tiny.exercises.py too" in refused(tiny, "course/02_more")
    more.unlink()
    tiny.write("01_tiny.py", text)
    assert "no exercise belongs in a lesson" in refused(tiny)


def test_a_shared_line_such_as_an_import_may_stand_in_solution_and_stub(tiny):
    tiny.edit(EXERCISES, "    # the secret is to add\n", "    import itertools\n")
    tiny.edit(EXERCISES, "def run(name", "import itertools\n\n\ndef run(name")
    assert "import itertools" in stub(tiny).cells[1].source


def test_a_solution_line_that_nbgrader_left_behind_is_found(tiny, monkeypatch):
    monkeypatch.setattr("tools.builder.stubs.ClearSolutions.preprocess_cell", lambda self, each, *rest: (each, rest))
    assert "survives in the stub" in refused(tiny)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"\n", "holds no cells"),
        (b"# %%\nprint('\xff')\n", "cannot be read"),
        (b"# %%\nnumbers = [1]\nnumbers[0];\n", "end a plotting cell with plt.show()"),
    ],
)
def test_a_file_that_is_no_lesson(tiny, text, reason):
    (tiny.root / "course" / "01_tiny.py").write_bytes(text)
    assert reason in refused(tiny)


def test_a_source_with_a_wrong_name(tiny):
    tiny.write("reinforce.py", "# %%\nprint(1)\n")
    assert "name it like 03_a2c_gae.py" in refused(tiny, "course/reinforce.py")


# Which sources a command means, and what their outputs depend on


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        *(
            (name, ["01_tiny.py", EXERCISES])
            for name in ("01", "01_tiny", "course/01_tiny.py", "notebooks/01_tiny.ipynb")
        ),
        ("01_tiny.exercises", [EXERCISES]),
    ],
)
def test_a_name_selects_a_unit_or_its_exercises_alone(tiny, name, chosen):
    tiny.write("02_more.py", "# %%\nprint(1)\n")
    assert [file.path.name for file in tiny.course.select([name])] == chosen


def test_an_unknown_name_is_refused(tiny):
    with pytest.raises(InvalidInput, match="'07'; there are: 01_tiny"):
        tiny.course.select(["07"])


def test_the_package_digest_follows_content_and_names_but_not_line_ends(tmp_path):
    (tmp_path / "pgcourse").mkdir()
    (tmp_path / "claims").mkdir()
    code = tmp_path / "pgcourse" / "returns.py"
    code.write_bytes(b"x = 1\ny = 2\n")
    first = package_digest(tmp_path)
    code.write_bytes(b"x = 1\r\ny = 2\r\n")
    assert package_digest(tmp_path) == first
    (tmp_path / "claims" / "cartpole.json").write_text("{}")
    with_claim = package_digest(tmp_path)
    assert with_claim != first
    code.rename(code.with_name("losses.py"))
    assert package_digest(tmp_path) not in (first, with_claim)


# Comparisons and minutes

TRUE, FALSE = "traps:joint_clipping/last_100 < 600", "traps:joint_clipping/last_100 > 600"


def append(tiny, text):
    """Put cells behind the lesson's own."""
    path = tiny.root / "course" / "01_tiny.py"
    path.write_text(path.read_text() + text)


@pytest.mark.parametrize("text", [
    "\n# %% [markdown]\n# It returns {{{{more | {relation}}}}} than 100.\n",
    "\n# %%\nprint('{{{{more | {relation}}}}}')\n",
    "\n# %%\ncompared('more', '{relation}')\n",
])  # fmt: skip
def test_a_false_comparison_stops_the_build_before_anything_is_written(tiny, text):
    append(tiny, text.format(relation=FALSE))
    assert "'more' is not what the data say" in refused(tiny)


def test_a_true_comparison_is_written_with_its_interval_and_reasons_are_left_out(tiny):
    text = f"\n# %% [markdown]\n# It stays {{{{below | {TRUE}}}}} 600. {{{{# wording}}}}\n\n# %%\n# {{{{# computed}}}}\n1 + 1\n"
    append(tiny, text)
    prose, code = lesson(tiny).cells[-2:]
    assert re.fullmatch(r'It stays <abbr title="difference to 600: -.* seeds: .*">below</abbr> 600\.', prose.source)
    assert code.source == "1 + 1"


def test_what_goes_further_is_folded_and_no_part_of_the_core(tiny):
    words = " ".join(["word"] * 400)
    text = (
        f"\n# %% [markdown]\n# ## 2 More · further\n# {words}\n\n# %% [markdown]\n# ## 3 Back\n# {{{{minutes:core}}}}\n"
    )
    append(tiny, text)
    further, inside, back = lesson(tiny).cells[-3:]
    assert further.source == "## 2 More · further" and inside.source == words
    assert further.metadata["jp-MarkdownHeadingCollapsed"] is True and not inside.metadata and not back.metadata
    assert back.source.endswith("5")
    minutes = minutes_of(lesson(tiny))
    assert 4 <= minutes.further < 4.1 and 0 < minutes.core < 1
