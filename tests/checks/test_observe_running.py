"""A class is driven through a script of calls: what is written down, and what a learner reads of a class half done."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pgcourse.checks import run
from pgcourse.checks.observe import observe
from pgcourse.checks.observe.running import RunningStatistics


class Kept(nn.Module):
    """A right answer that keeps all rows, in double precision buffers."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(shape, dtype=torch.float64))
        self.register_buffer("var", torch.ones(shape, dtype=torch.float64))
        self.rows: list[Tensor] = []

    def update(self, x: Tensor) -> None:
        self.rows += list(x.double())
        data = torch.stack(self.rows)
        self.mean, self.var = data.mean(0), data.var(0, correction=0)

    def normalize(self, x: Tensor) -> Tensor:
        return ((x - self.mean) / (self.var + 1e-8).sqrt()).to(x.dtype)


def changed(**methods: Any) -> type:
    return type("Changed", (Kept,), methods)


def case() -> dict[str, Any]:
    data = torch.tensor([[1.0], [3.0], [8.0]])
    return {"shape": (1,), "x": data, "splits": (1, 2), "first_probe": data[:1], "probe": data[2:]}


def test_the_script_writes_down_every_step() -> None:
    arrays = observe(RunningStatistics(), Kept, case())
    assert arrays["the mean after 1 update"].tolist() == [1.0]
    assert arrays["the var after 1 update"].tolist() == [0.0]
    assert arrays["the mean after 2 updates"].tolist() == [4.0]
    np.testing.assert_allclose(arrays["the var after 2 updates"], [26 / 3])
    np.testing.assert_allclose(arrays["the result of normalize after the updates"], [[4 / (26 / 3) ** 0.5]], rtol=1e-6)
    assert arrays["the mean after normalize"].tolist() == [4.0]
    assert "the mean after 1 update.dtype" not in arrays  # double precision inside is nobody's business
    assert str(arrays["the result of normalize after the updates.dtype"]) == "float32"
    assert arrays["mutated"].size == 0


class Stub:
    """What the exercise notebook contains."""

    def __init__(self, shape: Any) -> None:
        raise NotImplementedError("RunningMeanStd: write your code here, then run the check below")

    def update(self, x: Any) -> None:
        raise NotImplementedError("RunningMeanStd: write your code here, then run the check below")

    def normalize(self, x: Any) -> None:
        raise NotImplementedError("RunningMeanStd: write your code here, then run the check below")


def empty(self: Any, x: Any) -> None:
    pass


Empty = type("Empty", (), dict.fromkeys(("__init__", "update", "normalize"), empty))


@pytest.mark.parametrize("attempt", [Stub, Empty, None])
def test_an_untouched_class_is_not_attempted(attempt: Any) -> None:
    assert run("RunningMeanStd", attempt).status == "not attempted"


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (Kept, "✓"),
        (changed(update=Stub.update), "calls update, which is not written yet"),
        (changed(normalize=None), "has no method normalize"),
        (changed(normalize=lambda self, x: None), "expected a torch tensor"),
        (changed(normalize=lambda self, x: Kept.normalize(self, x).numpy()), "numpy array, expected a torch tensor"),
        (changed(normalize=lambda self, x: Kept.normalize(self, x).double()), "dtype float64, expected float32"),
        (changed(update=lambda self, x: (Kept.update(self, x), x.zero_())[0]), "changed its input x in place"),
        (changed(update=lambda self, x: Kept.update(self, x) or self), "of update is a value, expected a NoneType"),
        (changed(normalize=lambda self, x: Kept.normalize(self, x) if self.rows else x), "shares memory with an input"),
        (
            changed(normalize=lambda self, x: ((x - self.mean) / (self.var + 1e-5).sqrt()).to(x.dtype)),
            "after the updates differs",
        ),
        (Empty((2,)), "without brackets after its name"),
        (lambda shape: torch.zeros(shape), "has no method update"),
    ],
)
def test_what_a_learner_reads(attempt: Any, words: str) -> None:
    message = run("RunningMeanStd", attempt).message
    assert words in " ".join(message.split())
    assert "Traceback" not in message
