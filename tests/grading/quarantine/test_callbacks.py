"""What an attempt is handed and must not see stays with the grader: a child calls back, and the grader answers and counts."""

import sys
import time
from typing import Any

import numpy as np
import pytest

from pgcourse.checks.exercise import get
from pgcourse.checks.observe import observe, to_json
from pgcourse.checks.observe.natural_gradient import PRODUCTS
from pgcourse.checks.sandbox import preserved_state
from pgcourse.grading.quarantine import running
from pgcourse.grading.quarantine.prepare import inputs, sources
from pgcourse.grading.quarantine.process import Limits
from pgcourse.grading.quarantine.reader.cells import Cell
from pgcourse.grading.quarantine.sandbox import arrays
from tests.grading.quarantine.test_running import END, READY, START, collected

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="nothing is graded there")
SOLVE = "import torch\ndef conjugate_gradient(matvec, b, *, iterations, tolerance):\n    "
SEARCH = "import torch\ndef line_search(evaluate, step, *, max_kl, backtracks, shrink):\n    "
ONES = ["float32", [2], "AACAPwAAgD8="]
ASKS = {"event": "asks", "name": "product", "array": ONES}
RESULT = {"result": ONES, "result.kind": ["text", [], ["tensor"]], PRODUCTS: ["int64", [], "AQAAAAAAAAA="]}
CASE = {"event": "case", "arrays": RESULT, "printed": ""}


def job(cell: str, *, most: int = 3) -> running.Job:
    """One exercise, the one that the cell defines, on its first cases."""
    id = "conjugate_gradient" if "conjugate_gradient" in cell else "line_search"
    cases, observer = inputs(get(id), 3).encoded[:most], get(id).observe
    return running.Job(
        "anna", "08_trpo", (Cell("8", id, cell, 8),), sources((), [observer]), {}, (), {id: to_json(observer)}, {id: cases},
        {id: len(cases)}, Limits(seconds=0.5),
    )  # fmt: skip


def seen(job: running.Job) -> list[dict[str, np.ndarray]]:
    """The facts of each case."""
    result = running.collect(job)
    assert (result.failed, result.cell_errors, result.stopped) == ("", {}, {})
    return [arrays.decode_arrays(facts) for facts in result.seen[next(iter(job.exercises))]]


@pytest.mark.parametrize(
    "cell",
    [
        SOLVE + "return matvec(b) + 1",
        SOLVE + "return matvec(torch.stack([b, b], 1))[:, 0] / 2",
        SOLVE + "return torch.as_tensor(matvec(b.numpy()))",
        SOLVE + "x = b.clone().requires_grad_()\n    return torch.autograd.grad(x @ matvec(x), x)[0]",
        SOLVE + "return [matvec(b) for _ in range(9)][0]",
        SOLVE + "return matvec(b[1:])",
        SOLVE + "return matvec([1.0, 2.0])",
        SOLVE + "return matvec(b.long())",
        SOLVE + "return matvec(b.sum())",
        SOLVE + "b.add_(1)\n    return matvec(b)",
        SEARCH + "return step * evaluate(step)[0] + evaluate(0.3 * step)[1]",
        SEARCH + "return [step * evaluate(step * k / 9)[0] for k in range(9)][-1]",
        SEARCH + "return evaluate([1.0])",
        SEARCH + "return evaluate(step[1:])",
        SEARCH + "step.mul_(0.5)\n    return step + evaluate(step)[0]",
        "from concurrent.futures import ThreadPoolExecutor\n"
        + SEARCH
        + "return step + sum(sum(pair) for pair in ThreadPoolExecutor(4).map(evaluate, [step * k for k in range(20)]))",
    ],
)
def test_the_facts_are_those_of_a_notebook(cell: str) -> None:
    given = job(cell)
    ((id, cases),) = given.inputs.items()
    space: dict[str, Any] = {}
    exec(compile(cell, "<cell 8>", "exec"), space)
    with preserved_state():
        here = [observe(get(id).observe, space[id], arrays.decode_case({"dict": case})) for case in cases]
    for facts, right in zip(seen(given), here, strict=True):
        for name in right.keys() - {"error"}:
            np.testing.assert_array_equal(facts[name], right[name])
        assert facts.get("error", np.array([]))[:4].tolist() == right.get("error", np.array([]))[:4].tolist()


def test_a_grader_that_lets_wait_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    called = running._called
    monkeypatch.setattr(running, "_called", lambda *given: (time.sleep(0.3), called(*given))[1])
    given = job(SOLVE + "return [matvec(b) for _ in range(12)][-1]", most=1)
    assert given.limits.patience < 12 * 0.3
    assert len(seen(given)) == 1


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (SOLVE + "while True:\n        matvec(b)", "was stopped after 1000 calls of the function that it is given"),
        (SOLVE + "while True:\n        matvec(b), sum(range(10**6))", "was stopped after 0.5 seconds"),
        (SOLVE + "matvec(b)\n    import time\n    time.sleep(99)", "by the clock"),
        (SOLVE + "return matvec(torch.ones(len(b), 10**5, dtype=b.dtype))", "no result"),
    ],
)
def test_who_never_ends_is_stopped_in_one_line(cell: str, said: str) -> None:
    result = running.collect(job(cell, most=1))
    assert said in result.stopped["conjugate_gradient"]
    assert not result.cell_errors


def test_time_that_is_up_leaves_no_half_message_behind() -> None:
    """The alarm strikes again and again around calls; the other exercises go on in the same child."""
    one, other = (
        job(SOLVE + "while True:\n        matvec(b), sum(range(4 * 10**5))"),
        job(SEARCH + "return step"),
    )
    package = sources((), [get(id).observe for id in ("conjugate_gradient", "line_search")])
    both = running.Job(
        "anna", "08_trpo", (*one.cells, Cell("9", "line_search", other.cells[0].source, 9)), package, {}, (),
        one.exercises | other.exercises, one.inputs | other.inputs, one.visible | other.visible, one.limits,
    )  # fmt: skip
    result = running.collect(both)
    assert "0.5 seconds" in result.stopped["conjugate_gradient"]
    assert (len(result.seen["line_search"]), result.starts) == (3, 1)


def test_nothing_is_called_after_the_end() -> None:
    cell = "kept = []\n" + SEARCH + "kept.append(evaluate)\n    return step * kept[0](step)[0]"
    # In the second search of the first case already.
    for each in seen(job(cell))[:2]:
        assert each["error"][:2].tolist() == ["RuntimeError", "called after the attempt had ended"]


def test_calls_are_counted_here_whatever_the_child_says() -> None:
    result = collected(START, END, READY, ASKS, ASKS, ASKS, CASE, CASE, job=job(SOLVE + "pass", most=1))
    facts = arrays.decode_arrays(result.seen["conjugate_gradient"][0])
    assert facts[PRODUCTS] == 2
    facts = arrays.decode_arrays(
        collected(START, END, READY, ASKS, CASE, CASE, job=job(SOLVE + "pass", most=1)).seen["conjugate_gradient"][0]
    )
    assert facts[PRODUCTS] == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "matrix"}, {"name": ["product"]}, {"name": None}, {"array": None}, {"array": ["object", [2], "AAAA"]},
        {"array": ["float32", [1], "AACAPw=="]}, {"array": ["text", [2], ["1", "1"]]}, {"array": ["float32", [], "AACAPw=="]},
        {"array": ["uint8", [3 * 2**18], "AAAA" * 2**18]}, {"count": 0},
    ],
    ids=str,
)  # fmt: skip
def test_a_call_that_no_honest_child_makes_is_nonsense(changes: dict[str, Any]) -> None:
    result = collected(START, END, READY, ASKS, ASKS | changes, CASE, job=job(SOLVE + "pass", most=1))
    assert "no result" in result.stopped["conjugate_gradient"]
    assert result.seen["conjugate_gradient"] == []


@pytest.mark.parametrize("before", [[], [START], [START, END]], ids=len)
def test_nobody_calls_but_while_a_question_is_answered(before: list[dict[str, Any]]) -> None:
    result = collected(*before, ASKS, job=job(SOLVE + "pass", most=1))
    assert any("no result" in said for said in (*result.cell_errors.values(), *result.stopped.values()))
