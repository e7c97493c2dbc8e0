"""A notebook of a new version takes up what the learner wrote: worked cases, and the promise for any notebook."""

import copy
from collections.abc import Mapping

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from pgcourse.workfolder.handed_out import cell_digest, cell_key
from pgcourse.workfolder.merge import Merged, merge


def text(source: str, id: str) -> NotebookNode:
    return new_markdown_cell(source, id=id)


def code(source: str, id: str, **more) -> NotebookNode:
    return new_code_cell(source, id=id, **more)


def answer(name: str, body: str = "raise NotImplementedError", *, doc: str = "Double it.") -> NotebookNode:
    nbgrader = {"grade": False, "grade_id": name, "locked": False, "schema_version": 3, "solution": True, "task": False}
    return code(f'def {name}(x):\n    """{doc}"""\n    {body}', name, metadata={"nbgrader": nbgrader})


def check(name: str) -> NotebookNode:
    nbgrader = {"grade": True, "grade_id": f"check-{name}", "locked": True, "points": 1}
    nbgrader |= {"schema_version": 3, "solution": False, "task": False}
    return code(f'check("{name}", {name})', f"check-{name}", metadata={"nbgrader": nbgrader})


def notebook(*cells: NotebookNode) -> NotebookNode:
    made = new_notebook(cells=copy.deepcopy(list(cells)))
    made.nbformat_minor = 5
    return made


def cells_of(handed_out: NotebookNode) -> dict[str, str]:
    return {str(cell_key(cell)): cell_digest(cell) for cell in handed_out.cells}


def update(mine: NotebookNode, old: NotebookNode | None, new: NotebookNode) -> Merged:
    merged = merge(mine, {} if old is None else cells_of(old), new, version="2")
    nbformat.validate(merged.notebook)
    return merged


def sources(made: NotebookNode) -> list[str]:
    return [cell.source for cell in made.cells]


OLD = notebook(text("# Unit", "t1"), answer("double"), check("double"), text("The end.", "t2"))


def test_an_untouched_notebook_becomes_the_new_one() -> None:
    new = notebook(text("# Unit one", "t1b"), answer("double", doc="Twice x."), check("double"), text("The end.", "t2"))
    merged = update(OLD, OLD, new)
    assert (sources(merged.notebook), merged.conflicts) == (sources(new), [])


def test_an_answer_stays_in_its_cell_with_its_outputs_and_the_new_points() -> None:
    mine = copy.deepcopy(OLD)
    mine.cells[1].source = answer("double", "return 2 * x").source
    mine.cells[2].outputs = [nbformat.v4.new_output("stream", text="correct")]
    new = notebook(text("# New title", "t0"), answer("double"), check("double"), answer("triple"), check("triple"))
    new.cells[1].metadata["nbgrader"]["points"] = 3
    merged = update(mine, OLD, new)
    assert merged.conflicts == []
    assert [cell.id for cell in merged.notebook.cells] == ["t0", "double", "check-double", "triple", "check-triple"]
    assert merged.notebook.cells[1].source.endswith("return 2 * x")
    assert merged.notebook.cells[1].metadata["nbgrader"]["points"] == 3
    assert merged.notebook.cells[2].outputs[0].text == "correct"


def test_where_the_task_has_changed_the_answer_still_counts_and_the_new_task_stands_above_it() -> None:
    mine = copy.deepcopy(OLD)
    mine.cells[1].source = answer("double", "return 2 * x").source
    new = notebook(
        text("# Unit", "t1"), answer("double", doc="Twice ```x```."), check("double"), text("The end.", "t2")
    )
    merged = update(mine, OLD, new)
    note, kept = merged.notebook.cells[1:3]
    assert (note.cell_type, kept.id, kept.source) == ("markdown", "double", mine.cells[1].source)
    assert f"````python\n{new.cells[1].source}\n````" in note.source
    assert merged.conflicts == ["double: its task has changed; a note above your answer shows how"]


def test_added_cells_stay_behind_the_cell_that_they_followed_even_where_that_one_was_rewritten() -> None:
    first, second, last = (code(f"my_{name}()", f"mine-{name}") for name in ("first", "second", "last"))
    mine = notebook(first, OLD.cells[0], second, *OLD.cells[1:], last)
    new = notebook(text("# Unit, anew", "t9"), answer("double"), check("double"), text("The end, anew.", "t8"))
    merged = update(mine, OLD, new)
    assert [cell.id for cell in merged.notebook.cells] == [
        "mine-first", "t9", "mine-second", "double", "check-double", "t8", "mine-last",
    ]  # fmt: skip
    assert merged.conflicts == []


def test_an_edited_text_stays_where_the_course_has_not_changed_it_else_both_are_there() -> None:
    mine = copy.deepcopy(OLD)
    mine.cells[0].source = "# My unit"
    assert sources(update(mine, OLD, notebook(*OLD.cells, text("More.", "t3"))).notebook)[0] == "# My unit"
    new = notebook(text("# Unit one", "t1b"), *OLD.cells[1:])
    merged = update(mine, OLD, new)
    assert [cell.source for cell in merged.notebook.cells if cell.source.startswith("#")] == ["# Unit one", "# My unit"]
    assert merged.conflicts == ["the cell that begins “# My unit” has changed; yours stands below the new one"]


def test_edited_code_of_the_course_is_kept_as_text_that_is_not_run() -> None:
    old, new = notebook(code("plot(1)", "p1")), notebook(code("plot(2)", "p2"))
    merged = update(notebook(code("plot(7)", "p1")), old, new)
    assert [(cell.cell_type, cell.source) for cell in merged.notebook.cells if cell.cell_type != "markdown"] == [
        ("code", "plot(2)"), ("raw", "plot(7)"),
    ]  # fmt: skip


def test_cells_are_known_without_their_ids_and_as_copies() -> None:
    mine = copy.deepcopy(OLD)
    mine.nbformat_minor = 4
    mine.cells[1].source = answer("double", "return 2 * x").source
    mine.cells.insert(2, copy.deepcopy(mine.cells[1]))  # a copy, and its grade_id
    mine.cells[2].source += "  # a copy"
    for cell in mine.cells:
        del cell["id"]
    merged = update(mine, OLD, notebook(*OLD.cells, text("More.", "t3")))
    assert [cell.source.splitlines()[-1].strip() for cell in merged.notebook.cells] == [
        "# Unit", "return 2 * x", "return 2 * x  # a copy", 'check("double", double)', "The end.", "More.",
    ]  # fmt: skip


def test_without_a_record_answers_are_kept_and_the_rest_stands_side_by_side() -> None:
    mine = copy.deepcopy(OLD)
    mine.cells[1].source = answer("double", "return 2 * x").source
    mine.cells[3].source = "My own end."
    merged = update(mine, None, OLD)
    assert merged.notebook.cells[1].source.endswith("return 2 * x")
    assert [cell.source for cell in merged.notebook.cells[3:]][::2] == ["The end.", "My own end."]


# What learners do to a notebook, and versions to a course: cells of few sources, so that keys and texts clash.
SOURCES = st.sampled_from(["a", "b", "a\nb", "# a", "def f():\n    return 1", "", "x = 1\n\ny = 2"])
IDS = st.sampled_from(["one", "two", "three", "four", "five"])


@st.composite
def course_notebooks(draw: st.DrawFn) -> NotebookNode:
    cells = []
    for id in draw(st.lists(IDS, unique=True, max_size=5)):
        if draw(st.booleans()):
            cells.append(answer(id, draw(SOURCES).replace("\n", "; ") or "pass"))
        else:
            cells.append(draw(st.sampled_from([code, text]))(draw(SOURCES), id))
    return notebook(*cells)


@st.composite
def works(draw: st.DrawFn, handed_out: NotebookNode) -> NotebookNode:
    mine = copy.deepcopy(handed_out)
    for number in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(mine.cells)))
        act = draw(st.sampled_from(["add", "edit", "delete", "copy", "move", "no id", "type"]))
        if act == "add":
            make = draw(st.sampled_from([code, text]))
            mine.cells.insert(at, make(draw(SOURCES), draw(st.sampled_from([f"own-{number}", "one", "six"]))))
        elif at < len(mine.cells):
            cell = mine.cells[at]
            if act == "edit":
                cell.source = draw(SOURCES) + f"\nmine {number}" * draw(st.booleans())
            elif act == "delete":
                del mine.cells[at]
            elif act == "copy":
                mine.cells.append(copy.deepcopy(cell))
            elif act == "move":
                mine.cells.insert(0, mine.cells.pop(at))
            elif act == "no id":
                cell.pop("id", None)
            else:
                cell = text(cell.source, cell.get("id", "x"))
                mine.cells[at] = cell
    return mine


def own_lines(mine: NotebookNode, base: Mapping[str, str]) -> list[str]:
    """Every line of a cell that is not as it was handed out."""
    return [line for cell in mine.cells if cell_digest(cell) not in base.values() for line in cell.source.splitlines()]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), course_notebooks(), course_notebooks(), st.booleans())
def test_nothing_of_the_learners_ever_vanishes_and_a_second_update_changes_nothing(
    data: st.DataObject, old: NotebookNode, new: NotebookNode, recorded: bool
) -> None:
    mine = data.draw(works(old))
    base = cells_of(old) if recorded else {}
    merged = merge(mine, base, new, version="2").notebook
    nbformat.validate(merged)
    # A cell that is not as it was handed out is there as a whole, and so is each of its lines.
    for cell in mine.cells:
        if cell_digest(cell) not in base.values():
            assert cell.source in sources(merged)
    # Each cell of the new course is there, or the learner's answer or edit in its place.
    assert {str(cell_key(cell)) for cell in new.cells} <= {cell.id for cell in merged.cells}
    again = merge(merged, cells_of(new), new, version="2").notebook
    assert sources(again) == sources(merged)
    assert [cell.id for cell in again.cells] == [cell.id for cell in merged.cells]
    # The same where an interrupt came before the record was written. An unchanged copy of a cell of the course may go.
    again = merge(merged, base, new, version="2").notebook
    assert set(own_lines(mine, base)) <= {line for cell in again.cells for line in cell.source.splitlines()}
    more = {cell.source for cell in again.cells} - {cell.source for cell in merged.cells}
    assert all(source.startswith(("*Your version", "**The task")) for source in more)


@pytest.mark.parametrize("count", [1, 2])
def test_two_versions_in_a_row_keep_both_notes(count: int) -> None:
    mine = copy.deepcopy(OLD)
    mine.cells[1].source = answer("double", "return 2 * x").source
    before, current = OLD, mine
    for number in range(count):
        new = notebook(answer("double", doc=f"Version {number}."), check("double"))
        current, before = update(current, before, new).notebook, new
    assert sum("has changed" in cell.source for cell in current.cells) == count
    assert current.cells[count].source.endswith("return 2 * x")
