"""Observer for running statistics: a class that takes in batches, driven through a scripted sequence of calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pgcourse.checks.observe import AFTER, KEPT, call
from pgcourse.checks.observe.record import Arrays, Case, fresh, record, record_mutations

METHODS = ("update", "normalize")
FAR_OFF = (
    'the answer to "where a component has not varied, is 1 above its mean divided by the tiny number alone?" '
    "(1 is yes, 0 no)"
)
VARIED = 1e-3  # a variance beside which the tiny number of normalize does not count


@dataclass(frozen=True)
class RunningStatistics:
    """Build the object, feed it a batch at a time, and write down its statistics after each.

    The case holds `shape` (a tuple), `x` [M, *shape], `splits` (sizes of the batches, M in all), `probe` and
    `first_probe` [B, *shape]. Calls in order: normalize(first_probe); for each batch update, mean, var, then while
    the batch holds other numbers mean and var again, normalize(probe); normalize(probe); mean and var once more, which normalize
    must not have moved; normalize where a component has not varied: `FAR_OFF`; normalize with other numbers, and the result
    before it again: `KEPT`. Of the results between updates those are written down before which every component has varied,
    and where one row in float32 has been seen, that of itself.
    Behind the first update, a second object takes in a batch. At last first_probe is overwritten and the first result
    looked at again, under the name `AFTER`. The dtype of the statistics is the learner's business, and not written down;
    that of what normalize returns is.
    """

    signature: str = "shape"

    def __call__(self, attempt: Any, case: Case) -> Arrays:
        inputs = fresh(case)
        statistics = call(attempt, self.signature, inputs)
        whole = all(callable(getattr(statistics, name, None)) for name in METHODS)
        kind = "RunningMeanStd" if whole else type(statistics).__name__
        arrays: Arrays = {"result.kind": np.array(kind)}
        if not whole:
            if kind not in ("NoneType", "ellipsis"):
                missing = next(name for name in METHODS if not callable(getattr(statistics, name, None)))
                raise AttributeError(f"the object of your class has no method {missing}")
            return arrays
        try:
            return self._drive(arrays, attempt, statistics, case, inputs)
        except NotImplementedError as error:
            # The constructor is written, so the exercise is begun: say which method is still the stub.
            spot = error.__traceback__
            while spot is not None and spot.tb_next is not None:
                spot = spot.tb_next
            name = spot.tb_frame.f_code.co_name if spot is not None else ""
            if name not in METHODS:
                raise
            return {"error": np.array(["NotImplementedError", "", name, "", ""])}

    def _drive(self, arrays: Arrays, attempt: Any, statistics: Any, case: Case, inputs: Case) -> Arrays:
        first = statistics.normalize(inputs["first_probe"])
        if first is None and not hasattr(statistics, "mean"):  # a class of empty methods
            arrays["result.kind"] = np.array("NoneType")
            return arrays
        record(arrays, "the result of normalize before any update", detached(first))
        batches = inputs["x"].split(list(inputs["splits"]))
        other, seen = call(attempt, self.signature, fresh(case)), []
        for count, each in enumerate(batches, start=1):
            batch = each.clone()
            returned = statistics.update(batch)
            when = f"after {count} update{'s' * (count > 1)}"
            self._record_statistics(arrays, statistics, when)
            seen.append(batch.clone())
            with torch.no_grad():
                batch.copy_(-2 * each - 1)  # as an environment that reuses its memory does
            self._record_statistics(arrays, statistics, f"{when}, looked at again when the batch was overwritten,")
            with torch.no_grad():
                batch.copy_(each)  # who keeps the rows, and computes at once, is right
            scaled = statistics.normalize(inputs["probe"])
            so_far = torch.cat(seen)
            # Of a row in float32, statistics in any precision hold every digit.
            if len(so_far) == 1 and each.dtype == torch.float32:
                record(arrays, "the result of normalize for the only row so far", detached(statistics.normalize(batch)))
            elif count < len(batches) and so_far.double().var(0, correction=0).amin() > VARIED:
                record(arrays, f"the result of normalize {when}", detached(scaled))
            if count == 1:
                other.update(-2 * each - 1)
                self._record_statistics(arrays, other, "of a second object with a batch of its own")
        arrays["the result of update.kind"] = np.array("NoneType" if returned is None else "value")
        last = statistics.normalize(inputs["probe"])
        record(arrays, "the result of normalize after the updates", detached(last))
        self._record_statistics(arrays, statistics, "after normalize")
        if (still := torch.cat(seen).double().var(0, correction=0) == 0).any():
            scaled = detached(statistics.normalize(seen[0][:1] + still))
            # 1e4 or 1e8, as the tiny number stands beside the variance or its root. One that is too large shows elsewhere.
            far = scaled[:, still] if isinstance(scaled, Tensor) and scaled.shape[1:] == still.shape else torch.zeros(1)
            arrays[FAR_OFF] = np.array(int(bool(((far > 10) & (far < 2e8)).all())))
            arrays[f"{FAR_OFF}.kind"] = np.array("answer")
        statistics.normalize(-2 * case["probe"] - 1)
        record(arrays, KEPT, detached(last))
        record_mutations(arrays, case, {**inputs, "x": torch.cat(seen)})
        with torch.no_grad():
            inputs["first_probe"].mul_(-2)  # a result that lies in this memory becomes another
        record(arrays, AFTER, detached(first))
        return arrays

    def _record_statistics(self, arrays: Arrays, statistics: Any, when: str) -> None:
        for name in ("mean", "var"):
            record(arrays, f"the {name} {when}", detached(getattr(statistics, name)))
            arrays.pop(f"the {name} {when}.dtype", None)


def detached(value: Any) -> Any:
    """A tensor of any kind (buffer, parameter) as a plain one; everything else as it is."""
    return value.detach().as_subclass(Tensor) if isinstance(value, Tensor) else value
