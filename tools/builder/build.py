"""Build notebooks: write the stubs, execute lessons and solutions where their source or the package changed."""

import copy
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed

from pgcourse.errors import InvalidInput
from pgcourse.storage import atomic_write

from .claims import refresh_spans
from .course import Course, quote_of_readme, text_of
from .execute import Runner
from .outputs import publish
from .products import Product, make_products, outputs_hold, read_notebook, with_outputs

WORKERS = 2
LESSON_SECONDS = 60  # what a lesson may take on two cores
Say = Callable[[str], None]


def build(
    course: Course,
    names: Sequence[str] = (),
    *,
    force: bool = False,
    execute: bool = True,
    runner: Runner | None = None,
    say: Say = print,
) -> list[str]:
    """Write the notebooks of the sources that `names` means, and the README's figures.

    Every source is held against the rules before anything is executed or written. A cell that fails costs
    only its own notebook.
    Args: force: execute also where stored outputs still hold. execute: False leaves new notebooks without
    outputs.
    Returns: one line for each notebook that failed.
    Raises: InvalidInput for a refused source.
    """
    products = make_products(course, course.select(names))
    _refresh_readme(course, say)
    for product in products:
        if product.run is None:
            _write(course, product.path, text_of(product.shown), say)
    waiting = []
    for product in products:
        if product.run is None:
            continue
        # Without executing, outputs of an older package are still better than none.
        package = course.package if execute else None
        if not force and outputs_hold(product, read_notebook(product.target(course)), package):
            say(f"{product.path}: outputs kept")
        elif execute:
            waiting.append(product)
        else:
            _write(course, product.path, text_of(product.shown), say, "written without outputs")
    for orphan in course.orphans():
        say(f"note: {orphan} has no source in course/; delete it")
    return _execute_all(course, waiting, runner or Runner(), say)


def _execute_all(course: Course, products: list[Product], runner: Runner, say: Say) -> list[str]:
    if not products:
        return []
    # The first plot on a new machine announces its font cache on stderr: let that happen here.
    import matplotlib.font_manager  # noqa: F401

    failures = []
    pool = ThreadPoolExecutor(max_workers=WORKERS)
    try:
        jobs: dict[Future[None], Product] = {pool.submit(_execute, course, p, runner, say): p for p in products}
        for job in as_completed(jobs):
            try:
                job.result()
            except InvalidInput as error:
                failures.append(str(error))
                say(f"{jobs[job].path}: FAILED, the file on disk is untouched")
    except BaseException:
        runner.stop()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return sorted(failures)


def _execute(course: Course, product: Product, runner: Runner, say: Say) -> None:
    target = product.target(course)
    target.parent.mkdir(parents=True, exist_ok=True)
    assert product.run is not None  # only executed products get here
    executed = copy.deepcopy(product.run)
    try:
        seconds = runner.execute(executed, folder=target.parent)
    except InvalidInput as error:
        raise InvalidInput(f"{product.path}, {error}") from error
    result = with_outputs(product, executed, course.package)
    for index, cell in enumerate(result.cells):
        if cell.cell_type == "code":
            publish(cell, f"{product.path}, cell {index + 1} ({cell.id})", root=course.root)
    _write(course, product.path, text_of(result), say, f"executed in {seconds:.1f} s")
    if not product.file.is_exercises and seconds > LESSON_SECONDS:
        say(f"warning: {product.path} takes {seconds:.0f} s; a lesson may take {LESSON_SECONDS}")


def _write(course: Course, path: str, text: str, say: Say, how: str = "written") -> None:
    target = course.root / path
    if target.exists() and target.read_bytes() == text.encode("utf-8"):
        say(f"{path}: unchanged" if how == "written" else f"{path}: {how}, unchanged")
        return
    atomic_write(target, text)
    say(f"{path}: {how}")


def _refresh_readme(course: Course, say: Say) -> None:
    readme = course.root / "README.md"
    if not readme.exists():
        return
    text = readme.read_text(encoding="utf-8")
    fresh = refresh_spans(text, quote_of_readme(course))
    if fresh != text:
        atomic_write(readme, fresh)
        say("README.md: figures refreshed")
