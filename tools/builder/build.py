"""Build the course's notebooks from course/*.py: `python -m tools.build_notebooks [NAMES...]`.

Lessons and solutions are executed, but only where their source or the package changed; stubs come out byte
for byte the same from the same source. Exit status: 0 done, 1 differences found by --check, 2 a source was
refused or a cell failed, 130 interrupted.
"""

import argparse
import copy
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path

from pgcourse.errors import InvalidInput
from pgcourse.storage import atomic_write

from .builder.claims import refresh_spans
from .builder.compare import differences, old_outputs, readme_difference
from .builder.execute import Runner
from .builder.layout import Course, package_digest
from .builder.outputs import publish
from .builder.products import Product, make_products, outputs_hold, read_notebook, with_outputs
from .builder.source import text_of

ROOT = Path(__file__).resolve().parent.parent
WORKERS = 2
LESSON_SECONDS = 60  # what a lesson may take on two cores
Say = Callable[[str], None]


def course_here() -> Course:
    """This repository's course, with the package's figures and exercises."""
    from pgcourse.checks import exercises
    from pgcourse.study.claims import quote

    return Course(ROOT, quote, tuple(exercises()), package_digest(ROOT))


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
    if readme.exists() and readme_difference(course):
        atomic_write(readme, refresh_spans(readme.read_text(encoding="utf-8"), course.quote))
        say("README.md: figures refreshed")


def check(course: Course, names: Sequence[str] = (), *, say: Say = print) -> list[str]:
    """Compare what is on disk with what the sources give, without executing or writing.

    Returns: one line for each difference. Raises: InvalidInput for a refused source.
    """
    products = make_products(course, course.select(names))
    found = differences(course, products) + readme_difference(course)
    found += [f"{orphan}: has no source in course/; delete it" for orphan in course.orphans()]
    for path in old_outputs(course, products):
        say(f"note: {path}: outputs of an older state of the package; `make notebooks` renews them")
    return found


def main(arguments: Sequence[str] | None = None, *, course: Course | None = None) -> int:
    """Run the command. Returns: its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.build_notebooks",
        description="Build notebooks/, solutions/ and exercises/ from course/.",
        epilog="example: python -m tools.build_notebooks 01_reinforce --force",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="units or sources to build (default: all)")
    parser.add_argument("--force", action="store_true", help="execute even where the stored outputs still hold")
    parser.add_argument("--check", action="store_true", help="write nothing; report what differs from the sources")
    parser.add_argument("--no-execute", action="store_true", help="leave new or changed notebooks without outputs")
    options = parser.parse_args(arguments)
    try:
        course = course or course_here()
        if options.check:
            problems = check(course, options.names)
        else:
            problems = build(course, options.names, force=options.force, execute=not options.no_execute)
    except InvalidInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: notebooks written so far are whole, the others are as they were", file=sys.stderr)
        return 130
    for problem in problems:
        print(problem if options.check else f"error: {problem}", file=sys.stderr)
    if problems:
        return 1 if options.check else 2
    if options.check:
        print("all notebooks are what their sources give")
    return 0


if __name__ == "__main__":
    sys.exit(main())
