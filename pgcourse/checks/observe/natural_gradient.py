"""Observers for the parts of a natural-gradient step, which are handed functions or a policy (no answers in here)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Distribution, Independent, Normal

from pgcourse.checks.observe import KEPT, TURNED, call, ours
from pgcourse.checks.observe.asking import Ask, Asking, Callback
from pgcourse.checks.observe.networks import LinearPolicy, Watched
from pgcourse.checks.observe.record import Arrays, Case, fresh, record, record_mutations

SECOND = "your result after the policy has changed"
PRODUCTS = "the number of products a round"
# Of the second b or step, in so many of the first: all numbers of a right answer are exactly so many times as large.
OTHER_SIDE = -2
TRIED = "the number of steps tried beyond backtracks"


@dataclass(frozen=True)
class SolveByProducts(Asking):
    """Call the attempt with `matvec`, a function that multiplies by the case's `matrix` [P, P], which `drive` keeps to itself.

    The case also holds what the attempt asks for by name: `b` [P], `iterations`, `tolerance`. PRODUCTS is 1, or 2 for more
    products than rounds and one for the start.
    """

    signature: str = "matvec, b, *, iterations, tolerance"

    @property
    def answerer(self) -> partial[Solutions]:
        return partial(Solutions, signature=self.signature)

    def drive(self, ask: Ask, case: Case) -> Arrays:
        matrix, products = case["matrix"].numpy(), 0

        def product(vector: np.ndarray) -> np.ndarray:
            """[P] -> [P]; of K vectors at once, [P, K], each counts."""
            nonlocal products
            products += vector.size // len(matrix)
            return np.asarray(matrix @ vector)

        given = {name: case[name] for name in ("b", "iterations", "tolerance")}
        arrays = ask("solve", **given, product=product)
        first, products = products, 0
        again = ask("solve_again", **given, product=product)
        arrays |= {name: array for name, array in again.items() if name.startswith((TURNED, KEPT, "left"))}
        for when, count in (("", first), (" the second time", products)):
            record(arrays, f"{PRODUCTS}{when}", 1 + (count > case["iterations"] + 1))
        return arrays


class Solutions:
    """Beside the attempt: one solution, and another beside it, with products from elsewhere."""

    def __init__(self, attempt: Any, signature: str) -> None:
        self._attempt, self._signature = attempt, signature
        self._inputs: Case = {}
        self._result: Any = None

    def solve(self, product: Callback, **case: Any) -> Arrays:
        """Call the attempt once. Args: product: [P] -> [P]. case: see `SolveByProducts`."""
        arrays: Arrays = {}
        self._inputs = inputs = fresh(case)
        self._result = self._solution(product, inputs)
        record(arrays, "result", self._result)
        record_mutations(arrays, case, inputs)
        return arrays

    def solve_again(self, product: Callback, **case: Any) -> Arrays:
        """Once more with another `b` in the same tensor: `TURNED`; and the first solution as it is then: `KEPT`."""
        arrays: Arrays = {}
        inputs = self._inputs
        with torch.no_grad():
            inputs["b"].copy_(OTHER_SIDE * case["b"])
        record(arrays, TURNED, self._solution(product, inputs))
        record(arrays, KEPT, self._result)
        return arrays

    def _solution(self, product: Callback, inputs: Case) -> Any:
        size, dtype = len(inputs["b"]), inputs["b"].dtype
        blank = torch.zeros(size, size, dtype=dtype)

        def matvec(vector: Tensor) -> Tensor:
            blank @ vector  # raises what the matrix would
            result: Tensor = _Product.apply(torch.as_tensor(vector), product)
            return result

        return call(self._attempt, self._signature, {**inputs, "matvec": matvec})


class _Product(torch.autograd.Function):
    """A product with a matrix from elsewhere. It is symmetric: gradients come back through the same product."""

    @staticmethod
    def forward(ctx: Any, vector: Tensor, product: Callback) -> Tensor:
        ctx.product = product
        return torch.from_numpy(product(vector.detach().numpy()))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Product.apply(gradient, ctx.product), None


@ours
class GaussianLinearPolicy(nn.Module):
    """A normal distribution whose mean is linear in the observation. forward: [B, D] -> Independent(Normal, 1)."""

    def __init__(self, weight: Tensor, bias: Tensor, log_std: Tensor) -> None:
        super().__init__()
        self.log_std = nn.Parameter(log_std.clone())
        self.weight, self.bias = nn.Parameter(weight.clone()), nn.Parameter(bias.clone())

    def forward(self, obs: Tensor) -> Independent:
        mean = nn.functional.linear(obs, self.weight, self.bias)
        std = self.log_std.exp().expand_as(mean)
        return Independent(Normal(mean, std, validate_args=False), 1, validate_args=False)


@ours
class HiddenLayerPolicy(nn.Module):
    """One hidden layer of tanh, then logits. forward: [B, D] -> Categorical."""

    def __init__(self, hidden: Tensor, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.hidden, self.last = nn.Parameter(hidden.clone()), LinearPolicy(weight, bias)

    def forward(self, obs: Tensor) -> Distribution:
        distribution: Categorical = self.last(torch.tanh(nn.functional.linear(obs, self.hidden)))
        return distribution


def make_policy(case: Case) -> nn.Module:
    """The policy of a case: linear logits, a Gaussian where there is `log_std`, a hidden layer where there is `hidden`."""
    if "log_std" in case:
        return GaussianLinearPolicy(case["weight"], case["bias"], case["log_std"])
    if "hidden" in case:
        return HiddenLayerPolicy(case["hidden"], case["weight"], case["bias"])
    return LinearPolicy(case["weight"], case["bias"])


@dataclass(frozen=True)
class PolicyProduct:
    """Call the attempt on a small policy, with another vector, and again after the policy has changed, as updates change it.

    The case holds the policy's `weight` and `bias` (`log_std` or `hidden` too, see `make_policy`), `obs` [B, D], `vector`
    [P] and `damping`. A parameter of the policy that is another afterwards is named in `mutated`.
    """

    signature: str = "policy, obs, vector, *, damping"

    def __call__(self, attempt: Any, case: Case) -> Arrays:
        arrays: Arrays = {}
        inputs = fresh(case)
        policy = make_policy(case)
        watched = Watched({"policy": policy})
        before = {name: value.detach().clone() for name, value in policy.named_parameters()}
        result = call(attempt, self.signature, {**inputs, "policy": policy})
        record(arrays, "result", result)
        after = {name: value.detach().clone() for name, value in policy.named_parameters()}
        record_mutations(arrays, {**case, **_named(before)}, {**inputs, **_named(after)})
        watched.record(arrays)
        if not arrays["mutated"].size and not arrays["left"].size:
            with torch.no_grad():
                inputs["vector"].copy_(case["vector"].flip(0))
            record(arrays, TURNED, call(attempt, self.signature, {**inputs, "policy": policy}))
            record(arrays, KEPT, result)
        if arrays["left"].size:  # nothing more can be learned with that one
            policy = make_policy(case)
        with torch.no_grad():
            for parameter in policy.parameters():
                parameter.mul_(0.5)
        record(arrays, SECOND, call(attempt, self.signature, {**fresh(case), "policy": policy}))
        return arrays


def _named(parameters: dict[str, Tensor]) -> Case:
    return {f"policy.{name}": value for name, value in parameters.items()}


@dataclass(frozen=True)
class Search(Asking):
    """Call the attempt with `evaluate`, which says what a step of this length brings; `drive` looks that up.

    The case holds `step` [P], the settings by name, and a table: at `lengths` [K] (rising, as multiples of `step`) the
    surrogate improvement is `improvements` [K] and the KL divergence `kls` [K]; between them both are linear. TRIED counts
    different lengths.
    """

    signature: str = "evaluate, step, *, max_kl, backtracks, shrink"

    @property
    def answerer(self) -> partial[Searches]:
        return partial(Searches, signature=self.signature)

    def drive(self, ask: Ask, case: Case) -> Arrays:
        lengths, improvements, kls = (np.asarray(case[name]) for name in ("lengths", "improvements", "kls"))
        tried: set[float] = set()  # of one search

        def outcome(given: np.ndarray) -> np.ndarray:
            """Length [] -> improvement and KL divergence [2]."""
            length = float(given)
            tried.add(round(length, 6))
            # A length a rounding error away from an entry of the table is that entry.
            near = lengths[np.abs(lengths - length) < 1e-6]
            length = float(near[0]) if near.size else length
            return np.array([np.interp(length, lengths, improvements), np.interp(length, lengths, kls)])

        given = {name: case[name] for name in ("step", "max_kl", "backtracks", "shrink")}
        arrays = ask("search", **given, outcome=outcome)
        record(arrays, TRIED, max(len(tried - {0.0}) - case["backtracks"], 0))
        tried.clear()
        again = ask("search_again", **given, outcome=outcome)
        arrays |= {name: array for name, array in again.items() if name.startswith((TURNED, KEPT, "left"))}
        record(arrays, f"{TRIED} the second time", max(len(tried - {0.0}) - case["backtracks"], 0))
        return arrays


class Searches:
    """Beside the attempt: one search, and another beside it, with outcomes from elsewhere."""

    def __init__(self, attempt: Any, signature: str) -> None:
        self._attempt, self._signature = attempt, signature
        self._result: Any = None

    def search(self, outcome: Callback, **case: Any) -> Arrays:
        """Call the attempt once. Args: outcome: length [] -> improvement and KL divergence [2]. case: see `Search`."""
        arrays: Arrays = {}
        inputs = fresh(case)
        self._result = self._found(outcome, case["step"], inputs)
        record(arrays, "result", self._result)
        record_mutations(arrays, case, inputs)
        return arrays

    def search_again(self, outcome: Callback, **case: Any) -> Arrays:
        """Once more with another tensor as `step`: `TURNED`; and the first result, be it the first step itself: `KEPT`."""
        arrays: Arrays = {}
        step = OTHER_SIDE * case["step"]
        record(arrays, TURNED, self._found(outcome, step, {**case, "step": step.clone()}))
        record(arrays, KEPT, self._result)
        return arrays

    def _found(self, outcome: Callback, step: Tensor, inputs: Case) -> Any:
        step = step.double()

        def evaluate(candidate: Tensor) -> tuple[float, float]:
            length = float(candidate.detach().double() @ step / (step @ step))
            improvement, kl = outcome(np.array(length)).tolist()
            return improvement, kl

        return call(self._attempt, self._signature, {**inputs, "evaluate": evaluate})
