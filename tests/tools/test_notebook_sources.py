"""What a source becomes, and which sources are refused before anything is executed or written."""

import json
import re

import nbformat
import pytest

from pgcourse.errors import InvalidInput
from tools.builder.claims import fill_placeholders, refresh_spans
from tools.builder.course import SourceFile, package_digest, read_source
from tools.builder.products import make_products

SOLUTION_CELL = '"grade_id": "double", "locked": false, "schema_version": 3, "solution": true'
CHECK_CELL = '"grade_id": "check-double", "locked": true, "points": 2'
STUB_LINE = '    raise NotImplementedError("double: write your code here, then run the check below")'


def stub(tiny):
    return products(tiny)["exercises/01_tiny.ipynb"].shown


def products(tiny):
    return {product.path: product for product in make_products(tiny.course, tiny.course.sources())}


def cell(notebook, name):
    return next(each for each in notebook.cells if each.id == name)


def refused(tiny):
    """Message of the refusal, which must be one line."""
    with pytest.raises(InvalidInput) as caught:
        products(tiny)
    message = str(caught.value)
    assert "\n" not in message
    assert "course/01_tiny" in message
    return message


# Building


def test_two_builds_of_all_products_are_byte_identical(tiny):
    texts = [{path: nbformat.writes(each.shown) for path, each in products(tiny).items()} for _ in range(2)]
    assert texts[0] == texts[1]
    assert sorted(texts[0]) == [
        "exercises/01_tiny.ipynb",
        "notebooks/01_tiny.ipynb",
        "solutions/01_tiny.ipynb",
    ]


def test_stub_keeps_the_task_and_loses_every_line_of_the_solution(tiny):
    source = cell(stub(tiny), "double").source
    assert source == f'def double(number):\n    """Twice the number: double(2) is 4."""\n{STUB_LINE}'


def test_stub_has_no_outputs_no_hidden_tests_and_no_markers(tiny):
    text = json.dumps(stub(tiny))
    assert "HIDDEN" not in text
    assert "SOLUTION" not in text
    assert "assert run" not in text
    assert all(each.outputs == [] for each in stub(tiny).cells if each.cell_type == "code")


def test_stub_check_cells_are_locked_and_bear_nbgraders_checksum(tiny):
    metadata = cell(stub(tiny), "check-double").metadata
    assert metadata.editable is False
    assert metadata.deletable is False
    assert re.fullmatch("[0-9a-f]{32}", metadata.nbgrader.checksum)


def test_solved_notebook_shows_the_solution_without_markers_and_is_run_with_the_hidden_tests(tiny):
    solved = products(tiny)["solutions/01_tiny.ipynb"]
    assert cell(solved.shown, "double").source.endswith("twice = number + number\n    return twice")
    assert cell(solved.shown, "check-double").source == 'check("double", double)'
    assert "assert run(" in cell(solved.run, "check-double").source


def test_a_class_with_two_marked_methods_gets_a_stub_in_each(tiny, make_exercise):
    tiny.exercises = [make_exercise(name="Mean")]
    tiny.write(
        "01_tiny.exercises.py",
        (tiny.root / "course" / "01_tiny.exercises.py")
        .read_text()
        .replace("double", "Mean")
        .replace("def Mean(number):", "class Mean:\n    def update(self, x):")
        .replace("    ### BEGIN SOLUTION", "        ### BEGIN SOLUTION")
        .replace(
            "    ### END SOLUTION",
            "        ### END SOLUTION\n\n    def get(self):\n        ### BEGIN SOLUTION\n"
            "        return self.total / self.count\n        ### END SOLUTION",
        )
        .replace("    # the secret", "        # the secret")
        .replace("    twice", "        twice")
        .replace("    return twice", "        return twice")
        .replace('    """Twice', '        """Twice'),
    )
    source = cell(stub(tiny), "Mean").source
    assert source.count('        raise NotImplementedError("Mean: ') == 2
    assert "total" not in source


def test_an_answer_outside_a_function_becomes_a_comment_so_that_run_all_goes_on(tiny):
    marked = '\n\n# %% nbgrader={"grade_id": "double-answer", "solution": true}\nanswer = None\n'
    marked += "### BEGIN SOLUTION\nanswer = 'adding it to itself'\n### END SOLUTION\n"
    path = tiny.root / "course" / "01_tiny.exercises.py"
    path.write_text(path.read_text() + marked)
    assert cell(stub(tiny), "double-answer").source == "answer = None\n# write your answer here"


def test_ids_are_the_grade_id_else_a_hash_and_equal_cells_get_a_suffix(tiny):
    tiny.write("01_tiny.py", "# %%\nprint(1)\n\n# %%\nprint(1)\n\n# %% [markdown]\n# print(1)\n")
    ids = [each.id for each in products(tiny)["notebooks/01_tiny.ipynb"].shown.cells]
    assert re.fullmatch("c-[0-9a-f]{12}", ids[0])
    assert ids[1] == f"{ids[0]}-2"
    assert ids[2] not in ids[:2]
    assert [each.id for each in stub(tiny).cells][2:] == ["double", "check-double"]


def test_an_id_does_not_change_when_other_cells_do(tiny):
    before = products(tiny)["notebooks/01_tiny.ipynb"].shown.cells[-1].id
    tiny.edit("01_tiny.py", "numbers = [1, 2, 3]", "numbers = [1, 2, 3, 4]")
    assert products(tiny)["notebooks/01_tiny.ipynb"].shown.cells[-1].id == before


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


# Figures


def test_figures_are_filled_in_and_latex_braces_stay(tiny):
    text = products(tiny)["notebooks/01_tiny.ipynb"].shown.cells[0].source
    assert "after 289 [274, 301] episodes" in text
    assert r"$\frac{{a}}{b}$ stays" in text


def test_figures_in_code_are_left_alone(tiny):
    tiny.write("01_tiny.py", '# %%\nprint("{{cartpole:episodes}}")\n')
    assert "{{cartpole:episodes}}" in products(tiny)["notebooks/01_tiny.ipynb"].shown.cells[0].source


def test_an_unknown_figure_names_file_and_cell(tiny):
    tiny.edit("01_tiny.py", "cartpole:episodes", "cartpole:episode")
    message = refused(tiny)
    assert "course/01_tiny.py, cell 1" in message
    assert "cartpole:episode" in message


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


# Refusals: markers


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("    ### END SOLUTION\n", "", "never closed"),
        ("    ### BEGIN SOLUTION\n", "", "closes nothing"),
        ("    # the secret", "    ### BEGIN SOLUTION\n    # the secret", "inside another region"),
        ("### END HIDDEN TESTS\n", "", "never closed"),
        ("### END HIDDEN TESTS", "### END SOLUTION", "closes nothing"),
        ("    ### BEGIN SOLUTION", "    # BEGIN SOLUTION", "is no marker"),
        ("    ### BEGIN SOLUTION", "    ### Begin solution", "is no marker"),
        ("    ### BEGIN SOLUTION", "    ### BEGIN_SOLUTION", "is no marker"),
        ("    ### BEGIN SOLUTION", "    ### BEGIN SOLUTIONS", "is no marker"),
        (
            "    # the secret is to add\n    twice = number + number\n    return twice\n",
            "\n",
            "nothing stands between",
        ),
    ],
)
def test_wrong_markers(tiny, old, new, reason):
    tiny.edit("01_tiny.exercises.py", old, new)
    assert reason in refused(tiny)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"solution": true', '"solution": false', 'without `"solution": true`'),
        ('"grade": true', '"grade": false', "hidden tests outside a check cell"),
        (CHECK_CELL, CHECK_CELL.replace(' "points": 2', ' "points": 3'), "3 points, 2 in pgcourse.checks"),
        (CHECK_CELL, CHECK_CELL.replace(', "points": 2', ""), "None points, 2 in pgcourse.checks"),
        (CHECK_CELL, CHECK_CELL.replace("true", "false", 1), '"locked": true'),
        ('check("double", double)\n###', "print(1)\n###", 'does not call check("double", double)'),
        ('assert run("double", double).status == "correct"', "pass", "without hidden tests"),
        (' tags=["nbval-check-output"]', "", "would pass the notebook tests"),
        ("def double(", "def twice(", "defines twice, not double"),
        (SOLUTION_CELL, SOLUTION_CELL.replace("double", "check-double"), "used twice"),
        (SOLUTION_CELL, SOLUTION_CELL.replace("double", "triple"), "no exercise 'triple' in pgcourse.checks"),
        ('"grade_id": "check-double"', '"grade_id": "check-other"', "no exercise 'other'"),
        ('"grade_id": "double"', '"grade_id": "my double"', "is no cell id"),
    ],
)
def test_wrong_exercise_cells(tiny, old, new, reason):
    tiny.edit("01_tiny.exercises.py", old, new)
    assert reason in refused(tiny)


def test_a_solution_cell_without_markers_would_lose_its_task(tiny):
    tiny.edit("01_tiny.exercises.py", "    ### BEGIN SOLUTION\n", "")
    tiny.edit("01_tiny.exercises.py", "    ### END SOLUTION\n", "")
    assert "a solution cell without markers" in refused(tiny)


def test_markers_around_the_whole_function_would_lose_its_name(tiny):
    tiny.edit("01_tiny.exercises.py", "    ### BEGIN SOLUTION\n", "")
    tiny.edit("01_tiny.exercises.py", "def double(", "### BEGIN SOLUTION\ndef double(")
    tiny.edit("01_tiny.exercises.py", "    ### END SOLUTION", "### END SOLUTION")
    assert "the stub loses `def double`" in refused(tiny)


def test_markers_that_cut_a_statement_leave_no_valid_stub(tiny):
    tiny.edit(
        "01_tiny.exercises.py",
        "twice = number + number",
        "twice = (number +\n    ### END SOLUTION\n    number)",
    )
    tiny.edit("01_tiny.exercises.py", "    return twice\n    ### END SOLUTION\n", "    return twice\n")
    assert "is not valid Python" in refused(tiny)


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
def test_an_incomplete_record_of_an_exercise(tiny, make_exercise, changes, reason):
    tiny.exercises = [make_exercise(**changes)]
    assert reason in refused(tiny)


def test_an_exercise_of_the_unit_that_is_missing_in_its_source(tiny, make_exercise):
    tiny.exercises.append(make_exercise(name="halve"))
    assert "exercise 'halve' of pgcourse.checks is missing" in refused(tiny)


def test_an_exercise_without_a_check_cell(tiny):
    path = tiny.root / "course" / "01_tiny.exercises.py"
    path.write_text(path.read_text().split('# %% nbgrader={"grade": true')[0])
    assert "has no check cell" in refused(tiny)


def test_a_check_cell_above_its_exercise(tiny):
    path = tiny.root / "course" / "01_tiny.exercises.py"
    head, solution, check = re.split(r"(?=# %% nbgrader)", path.read_text())
    path.write_text(head + check + "\n" + solution)
    assert "has no check cell" in refused(tiny)


def test_the_same_exercise_in_two_files(tiny):
    path = tiny.root / "course" / "01_tiny.exercises.py"
    tiny.write("02_more.exercises.py", path.read_text())
    assert "exercise 'double' is in course/01_tiny.exercises.py too" in refused_anywhere(tiny)


def refused_anywhere(tiny):
    with pytest.raises(InvalidInput) as caught:
        products(tiny)
    return str(caught.value)


def test_exercise_cells_in_a_lesson(tiny):
    text = (tiny.root / "course" / "01_tiny.exercises.py").read_text()
    tiny.write("01_tiny.py", text)
    assert "no exercise belongs in a lesson" in refused(tiny)


def test_a_markdown_answer_that_nbgrader_would_refuse_says_why(tiny):
    marked = '\n\n# %% [markdown] nbgrader={"grade_id": "why", "solution": true}\n# ### BEGIN SOLUTION\n'
    path = tiny.root / "course" / "01_tiny.exercises.py"
    path.write_text(path.read_text() + marked + "# Because.\n# ### END SOLUTION\n")
    assert "Markdown solution cell is not marked as a grade cell" in refused(tiny)


def test_a_markdown_answer_without_points_becomes_an_invitation_to_write(tiny):
    marked = '\n\n# %% [markdown] nbgrader={"grade": true, "grade_id": "why", "points": 0, "solution": true}\n'
    path = tiny.root / "course" / "01_tiny.exercises.py"
    path.write_text(path.read_text() + marked + "# ### BEGIN SOLUTION\n# Because.\n# ### END SOLUTION\n")
    assert cell(stub(tiny), "why").source == "*Write your answer here: double-click this cell.*"
    assert cell(products(tiny)["solutions/01_tiny.ipynb"].shown, "why").source == "Because."


# Refusals: leaks


def test_a_whole_solution_given_away_in_another_cell(tiny):
    path = tiny.root / "course" / "01_tiny.exercises.py"
    tail = "\n\n# %%\n# the secret is to add\ntwice = number + number\nreturn twice\n"
    path.write_text(path.read_text() + tail)
    assert "the whole solution also stands unmarked in cell 5" in refused(tiny)


def test_a_shared_line_such_as_an_import_may_stand_in_solution_and_stub(tiny):
    tiny.edit("01_tiny.exercises.py", "    # the secret is to add\n", "    import itertools\n")
    tiny.edit("01_tiny.exercises.py", "def run(name", "import itertools\n\n\ndef run(name")
    assert "import itertools" in stub(tiny).cells[1].source


def test_a_solution_line_that_nbgrader_left_behind_is_found(tiny, monkeypatch):
    monkeypatch.setattr("tools.builder.stubs.ClearSolutions.preprocess_cell", lambda self, each, *rest: (each, rest))
    assert "survives in the stub" in refused(tiny)


# Refusals: files


def test_an_empty_source(tiny):
    tiny.write("01_tiny.py", "\n")
    assert "holds no cells" in refused(tiny)


def test_a_source_that_is_no_text(tiny):
    (tiny.root / "course" / "01_tiny.py").write_bytes(b"# %%\nprint('\xff')\n")
    assert "cannot be read" in refused(tiny)


def test_a_plot_ended_by_a_semicolon(tiny):
    tiny.write("01_tiny.py", "# %%\nnumbers = [1]\nnumbers[0];\n")
    assert "end a plotting cell with plt.show()" in refused(tiny)


def test_a_source_with_a_wrong_name(tiny):
    tiny.write("reinforce.py", "# %%\nprint(1)\n")
    assert "name it like 03_a2c_gae.py" in refused_anywhere(tiny)


@pytest.mark.parametrize("name", ["01", "01_tiny", "course/01_tiny.py", "notebooks/01_tiny.ipynb"])
def test_names_select_a_unit(tiny, name):
    tiny.write("02_more.py", "# %%\nprint(1)\n")
    chosen = [file.path.name for file in tiny.course.select([name])]
    assert chosen == ["01_tiny.py", "01_tiny.exercises.py"]


def test_a_name_with_exercises_selects_only_them_and_an_unknown_one_is_refused(tiny):
    assert [file.path.name for file in tiny.course.select(["01_tiny.exercises"])] == ["01_tiny.exercises.py"]
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


def test_magics_of_a_source_become_magics_of_the_notebook(tiny):
    path = tiny.write("01_tiny.py", "# %%\n# %matplotlib inline\nprint(1)\n")
    assert read_source(tiny.course, SourceFile(path)).cells[0].source == "%matplotlib inline\nprint(1)"
