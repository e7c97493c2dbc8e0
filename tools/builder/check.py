"""Check, without executing or writing, that every committed notebook is what its source gives."""

from collections.abc import Callable, Sequence

import nbformat
from nbformat import NotebookNode

from pgcourse.errors import InvalidInput

from .claims import refresh_spans
from .course import REBUILD, Course, quote_of_readme, text_of
from .outputs import publish
from .products import Product, make_products, outputs_hold, read_notebook


def check(course: Course, names: Sequence[str] = (), *, say: Callable[[str], None] = print) -> list[str]:
    """Compare what is on disk with what the sources give.

    Returns: one line for each difference. Raises: InvalidInput for a refused source.
    """
    products = make_products(course, course.select(names))
    found = [line for product in products for line in _differences(course, product)] + readme_difference(course)
    found += [f"{orphan}: has no source in course/; delete it" for orphan in course.orphans()]
    for path in old_outputs(course, products):
        say(f"note: {path}: outputs of an older state of the package; `make notebooks` renews them")
    return found


def old_outputs(course: Course, products: list[Product]) -> list[str]:
    """Paths whose outputs were made with another state of package or claims: worth a note."""
    executed = [product for product in products if product.run is not None]
    stored = {product.path: read_notebook(product.target(course)) for product in executed}
    return [
        product.path
        for product in executed
        if outputs_hold(product, stored[product.path], None)
        and not outputs_hold(product, stored[product.path], course.package)
    ]


def readme_difference(course: Course) -> list[str]:
    """A line when the README quotes a figure that the claims no longer hold."""
    readme = course.root / "README.md"
    if not readme.exists():
        return []
    text = readme.read_text(encoding="utf-8")
    fresh = refresh_spans(text, quote_of_readme(course))
    if fresh == text:
        return []
    lines = zip(text.split("\n"), fresh.split("\n"), strict=False)
    number = next(i for i, (old, new) in enumerate(lines, start=1) if old != new)
    return [f"README.md, line {number}: a quoted figure is not the measured one; {REBUILD}"]


def _differences(course: Course, product: Product) -> list[str]:
    """Each difference of the file on disk from what its source gives, in one line."""
    path = product.target(course)
    if not path.exists():
        return [f"{product.path}: missing; {REBUILD}"]
    # A stub is the same to the byte; a checkout may have Windows line ends.
    if product.run is None and path.read_bytes().replace(b"\r\n", b"\n") == text_of(product.shown).encode("utf-8"):
        return []
    stored = read_notebook(path)
    if stored is None:
        return [f"{product.path}: no readable notebook; {REBUILD}"]
    found = _cell_differences(product, stored)
    if found:
        return found
    if product.run is None:
        return [f"{product.path}: layout or metadata differ; {REBUILD}"]
    metadata = {key: value for key, value in stored.metadata.items() if key != "pgcourse"}
    if metadata != dict(product.shown.metadata) or stored.nbformat_minor != product.shown.nbformat_minor:
        found.append(f"{product.path}: the notebook's metadata differ; {REBUILD}")
    if stored.metadata.get("pgcourse", {}).get("source") != product.source:
        found.append(f"{product.path}: the outputs belong to an older state of {product.file.label}; {REBUILD}")
    return found + _output_problems(course, product, stored)


def _cell_differences(product: Product, stored: NotebookNode) -> list[str]:
    wanted, there = product.shown.cells, stored.cells
    if len(wanted) != len(there):
        return [f"{product.path}: {len(there)} cells, but {product.file.label} gives {len(wanted)}; {REBUILD}"]
    found = []
    for index, (new, old) in enumerate(zip(wanted, there, strict=True)):
        parts = [
            name
            for name, left, right in (
                ("type", new.cell_type, old.cell_type),
                ("source", new.source, old.source),
                ("id", new.get("id"), old.get("id")),
                ("metadata", dict(new.metadata), dict(old.metadata)),
            )
            if left != right
        ]
        if parts:
            place = f"{product.path}, cell {index + 1} ({new.id})"
            found.append(f"{place}: {', '.join(parts)} differ from {product.file.label}; {REBUILD}")
    return found


def _output_problems(course: Course, product: Product, stored: NotebookNode) -> list[str]:
    found = []
    for index, cell in enumerate(stored.cells):
        if cell.cell_type != "code":
            continue
        place = f"{product.path}, cell {index + 1} ({cell.id})"
        if cell.execution_count is None:
            found.append(f"{place}: was never executed; {REBUILD}")
        elif cell.id.startswith("check-") and not cell.outputs:
            found.append(f"{place}: a check without an answer; {REBUILD}")
        copy = nbformat.from_dict(cell)
        before = nbformat.v4.new_notebook(cells=[nbformat.from_dict(cell)])
        try:
            publish(copy, place, root=course.root)
        except InvalidInput as error:
            found.append(str(error))
        else:
            if nbformat.v4.new_notebook(cells=[copy]) != before:
                found.append(f"{place}: the outputs are not as the builder leaves them; {REBUILD}")
    return found
