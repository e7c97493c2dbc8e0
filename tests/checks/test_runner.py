# ruff: noqa: NPY002 - the global generator is what these tests watch
"""`run` answers whatever an attempt does, and leaves no trace of it."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgcourse.checks import run, runner
from pgcourse.checks.sandbox import time_limit
from pgcourse.errors import InvalidInput
from pgcourse.returns import discounted_returns


def raising(error: BaseException):
    def attempt(rewards, *, gamma):
        raise error

    return attempt


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class SubTensor(torch.Tensor):
    pass


class EqualToEverything:
    shape, dtype, ndim = torch.Size([1]), torch.float32, 1

    def __eq__(self, other: object) -> bool:
        return True

    def __array__(self, dtype=None):
        return np.array([4.0])


@pytest.mark.parametrize(
    "error",
    [
        ValueError("bad"), SystemExit(3), KeyboardInterrupt(), GeneratorExit(), MemoryError(), StopIteration(),
        Unprintable(), AssertionError(), RuntimeError("two\nlines"), BaseException("base"),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_exceptions_become_one_line(error: BaseException) -> None:
    result = run("discounted_returns", raising(error))
    assert result.status == "not yet" and result.misconception is None
    assert f"raised {type(error).__name__}" in result.message
    assert "line 2 of attempt: raise error" in result.message.replace("\n    ", " ")
    assert "Traceback" not in result.message and "File" not in result.message


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "returned None"), ("text", "is a str"), (EqualToEverything(), "is an EqualToEverything"),
        (torch.Tensor([4.0]).as_subclass(SubTensor), "is a SubTensor"), (np.array([4.0]), "numpy array"),
        (4, "is an int"), (10**400, "is an int"), ([4.0], "list of 1"), ((), "tuple of 0"), ({"a": 1.0}, "dict of 1"),
        (torch.tensor([4.0], dtype=torch.complex64), "complex64"), (torch.tensor([4.0]).to_sparse(), "sparse"),
        (torch.tensor([4.0], dtype=torch.bfloat16), "bfloat16"), (torch.empty(1, device="meta"), "meta"),
        (torch.tensor([float("nan")]), "not finite"), (torch.empty(0), "has shape [0]"),
        (torch.tensor([[4.0]]), "has shape [1, 1], expected [1]"), (torch.tensor([4]), "dtype int64, expected float32"),
        (discounted_returns, "is a function"), (torch, "is a module"),
    ],
)  # fmt: skip
def test_odd_results_are_described(value: object, words: str) -> None:
    def attempt(rewards, *, gamma):
        # Not `return value`, whose bytecode could be a stub's.
        torch.ones(1)
        return value

    result = run("discounted_returns", attempt)
    assert result.status == "not yet"
    assert words in result.message.replace("\n    ", " ")


def without_end(rewards, *, gamma):
    return without_end(rewards, gamma=gamma)


def standardize(x):
    raise NotImplementedError("standardize: write your code here")


def without_return(rewards, *, gamma):
    discounted_returns(rewards, gamma=gamma)


@pytest.mark.parametrize(
    ("id", "attempt", "words"),
    [
        ("discounted_returns", without_end, "RecursionError"),
        ("discounted_returns", torch.ones(3), "without brackets after its name; got Tensor"),
        ("discounted_returns", lambda rewards: rewards, "TypeError"),
        ("discounted_returns", lambda rewards: rewards, "gamma"),
        ("discounted_returns", lambda r, *, gamma: standardize(r), "Your code calls standardize, which is not written yet"),
        ("discounted_returns", without_return, "is a return missing?"),
        # An operation that torch lacks is no stub.
        ("discounted_returns", lambda r, *, gamma: torch.distributions.Distribution(validate_args=False).sample(), ""),
        ("clip_fraction", lambda new, old, *, clip_coef: (new - old > 0).abs(), "not implemented for 'Bool'"),
    ],
)  # fmt: skip
def test_mistakes_in_the_code_are_told(id: str, attempt: object, words: str) -> None:
    result = run(id, attempt)
    assert result.status == "not yet" and words in result.message.replace("\n    ", " ")
    assert id == "discounted_returns" or "not written yet" not in result.message


def test_positional_arguments_may_have_other_names() -> None:
    assert run("discounted_returns", lambda r, *, gamma: discounted_returns(r, gamma=gamma)).status == "correct"


def test_global_state_is_restored() -> None:
    def attempt(rewards, *, gamma):
        torch.manual_seed(5), np.random.seed(5), random.seed(5)
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        torch.autograd.set_detect_anomaly(True)
        torch.set_num_threads(2)
        np.seterr(all="raise")
        sys.setrecursionlimit(5000)
        sys.stdout = None
        warnings.warn("noise", stacklevel=1)
        return rewards

    torch.manual_seed(1), np.random.seed(1), random.seed(1)
    expected = torch.rand(1), np.random.rand(), random.random()
    torch.manual_seed(1), np.random.seed(1), random.seed(1)

    def global_settings() -> tuple[object, ...]:
        return (
            torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_num_threads(), np.geterr(), sys.stdout,
            sys.getrecursionlimit(), signal.getsignal(signal.SIGALRM), signal.getsignal(signal.SIGINT),
        )  # fmt: skip

    before = global_settings()
    assert run("discounted_returns", attempt).status == "not yet"
    assert (torch.rand(1), np.random.rand(), random.random()) == expected
    assert before == global_settings()
    assert not torch.is_anomaly_enabled()


def test_the_callers_settings_do_not_matter() -> None:
    with torch.no_grad():
        torch.set_default_dtype(torch.float64)
        try:
            assert run("policy_network", runner.get("policy_network").reference).status == "correct"
        finally:
            torch.set_default_dtype(torch.float32)


def test_output_is_captured_and_quoted_briefly(capsys: pytest.CaptureFixture[str]) -> None:
    def attempt(rewards, *, gamma):
        for line in range(100_000):
            print("line", line)
        print("trouble", file=sys.stderr)
        return rewards * 0

    result = run("discounted_returns", attempt)
    assert capsys.readouterr() == ("", "")
    assert "Your code printed here: line 0 | line 1 | line 2 | line 3 | line 4" in result.message.replace("\n    ", " ")
    assert len(result.message) < 1000


def test_endless_loop_is_stopped_and_the_timer_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "TIME_LIMIT", 0.3)

    def attempt(rewards, *, gamma):
        while True:
            with contextlib.suppress(Exception):
                time.sleep(0.01)

    signal.signal(signal.SIGALRM, handler := lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 50)
    try:
        result = run("discounted_returns", attempt)
        assert result.status == "not yet" and "stopped after 0.3 seconds" in result.message
        assert signal.getsignal(signal.SIGALRM) is handler
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 50
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def test_one_bare_except_does_not_swallow_the_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "TIME_LIMIT", 0.2)

    def attempt(rewards, *, gamma):
        try:
            time.sleep(20)
        except BaseException:
            time.sleep(20)

    assert "stopped after" in run("discounted_returns", attempt).message


def test_a_thread_can_check_too() -> None:
    found = []
    thread = threading.Thread(target=lambda: found.append(run("discounted_returns", discounted_returns)))
    thread.start()
    thread.join()
    assert found[0].status == "correct"


def test_a_real_interrupt_gets_through() -> None:
    with pytest.raises(KeyboardInterrupt), time_limit(5), contextlib.suppress(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_unknown_exercise_names_the_closest() -> None:
    with pytest.raises(InvalidInput, match="did you mean discounted_returns"):
        run("discounted_return", discounted_returns)
    with pytest.raises(InvalidInput, match="there are: categorical_log_prob"):
        run("zzzz", discounted_returns)


def test_importing_the_observers_does_not_import_the_answers() -> None:
    code = (
        "import sys, pgcourse.checks.observe, pgcourse.checks.observe.networks;"
        "assert not [name for name in sys.modules if 'checks.unit_' in name]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


NUMBERS = st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), min_size=0, max_size=4)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    value=st.one_of(NUMBERS.map(torch.tensor), NUMBERS, st.none(), st.integers(), st.floats(), st.text(), st.binary())
)
def test_any_constant_answer_is_not_yet(value: object) -> None:
    def attempt(rewards, *, gamma):
        torch.ones(1)
        return value

    result = run("discounted_returns", attempt)
    assert result.status == "not yet" and result.message.startswith("✗ discounted_returns: not yet\n")
