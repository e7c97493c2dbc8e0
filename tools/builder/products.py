"""What each source gives: the notebooks as they should stand on disk, apart from their outputs."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from pgcourse.errors import InvalidInput

from .course import Course, SourceFile, digest, flag, grade_id, read_source, text_of
from .rules import refuse_bad_exercises, refuse_exercise_cells, refuse_open_questions, refuse_repeated_exercises
from .stubs import solved_notebook, stub_notebook


@dataclass
class Product:
    """One notebook to build.

    `shown` is what is written. `run` has the same cells as they are executed (with the hidden tests), or is
    None for a stub, which is never executed. `source` is the digest that decides whether stored outputs still
    hold.
    """

    file: SourceFile
    path: str
    shown: NotebookNode
    run: NotebookNode | None = None
    source: str = ""

    def target(self, course: Course) -> Path:
        return course.root / self.path


def make_products(course: Course, files: Sequence[SourceFile]) -> list[Product]:
    """All products of `files`, not executed or written. Raises: InvalidInput for the first broken rule."""
    read = {file: read_source(course, file) for file in course.sources()}
    refuse_repeated_exercises(
        [
            (file, grade_id(cell) or "")
            for file in read
            if file.is_exercises
            for cell in read[file].cells
            if flag(cell, "solution")
        ]
    )
    products = []
    for file in files:
        refuse_open_questions(file, read[file])
        if file.is_exercises:
            refuse_bad_exercises(course, file, read[file])
            solved, stub = file.products
            products.append(
                _executed(
                    file,
                    solved,
                    solved_notebook(file, read[file], hidden_tests=False),
                    solved_notebook(file, read[file], hidden_tests=True),
                )
            )
            products.append(Product(file, stub, stub_notebook(file, read[file])))
        else:
            refuse_exercise_cells(file, read[file])
            products.append(_executed(file, file.products[0], read[file], copy.deepcopy(read[file])))
    return products


def _executed(file: SourceFile, path: str, shown: NotebookNode, run: NotebookNode) -> Product:
    return Product(file, path, shown, run, digest(text_of(shown), text_of(run)))


def read_notebook(path: Path) -> NotebookNode | None:
    """The notebook on disk; None where there is none or a damaged one, which has to be built anew."""
    try:
        return nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
    except (OSError, ValueError, AttributeError, KeyError, nbformat.ValidationError):
        return None


def same_cells(left: NotebookNode, right: NotebookNode) -> bool:
    """Whether two notebooks have the same cells, outputs and execution counts left aside."""
    return [_essence(cell) for cell in left.cells] == [_essence(cell) for cell in right.cells]


def _essence(cell: NotebookNode) -> tuple[str, str | None, str, dict]:
    return cell.cell_type, cell.get("id"), cell.source, dict(cell.metadata)


def outputs_hold(product: Product, stored: NotebookNode | None, package: str | None) -> bool:
    """Whether the outputs on disk are those of this source and, unless `package` is None, of this package."""
    if stored is None or not same_cells(product.shown, stored):
        return False
    known = stored.metadata.get("pgcourse", {})
    if known.get("source") != product.source or (package is not None and known.get("package") != package):
        return False
    return all(cell.execution_count is not None for cell in stored.cells if cell.cell_type == "code")


def with_outputs(product: Product, executed: NotebookNode, package: str) -> NotebookNode:
    """The product with the outputs of `executed`, counted from 1, and the digests that they belong to."""
    if len(executed.cells) != len(product.shown.cells):
        raise InvalidInput(
            f"{product.path}: executed and shown cells differ in number; this is a defect of the builder"
        )
    result = copy.deepcopy(product.shown)
    count = 0
    for cell, done in zip(result.cells, executed.cells, strict=True):
        if cell.cell_type != "code":
            continue
        count += 1
        cell.outputs = copy.deepcopy(done.outputs)
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
    result.metadata["pgcourse"] = nbformat.from_dict({"source": product.source, "package": package})
    return result
