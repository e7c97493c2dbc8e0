"""The observers of unit 08 build what a function is handed; unlisted wrong answers fail, odd right ones pass."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from pgcourse import natural_gradient
from pgcourse.checks import get, run
from pgcourse.checks.observe.natural_gradient import (
    PRODUCTS,
    SECOND,
    PolicyProduct,
    Search,
    SolveByProducts,
    make_policy,
)
from pgcourse.networks import CategoricalPolicy

TABLE = {
    "step": torch.tensor([2.0, 0.0]), "max_kl": 0.01, "backtracks": 2, "shrink": 0.5,
    "lengths": [0.0, 0.5, 1.0], "improvements": [0.0, 0.4, 0.2], "kls": [0.0, 0.01, 0.05],
}  # fmt: skip


def test_matvec_multiplies_by_the_hidden_matrix() -> None:
    case = {"matrix": torch.tensor([[2.0, 1.0], [1.0, 3.0]]), "b": torch.ones(2), "iterations": 1, "tolerance": 0.0}
    arrays = SolveByProducts()(lambda matvec, b, *, iterations, tolerance: matvec(b) * iterations, case)
    np.testing.assert_array_equal(arrays["result"], [3.0, 4.0])


HIDDEN = torch.tensor([[2.0, 1.0], [1.0, 3.0]])


def solved(attempt: Any, iterations: int = 1) -> dict[str, np.ndarray]:
    case = {"matrix": HIDDEN, "b": torch.ones(2), "iterations": iterations, "tolerance": 0.0}
    return SolveByProducts()(lambda matvec, b, **settings: attempt(matvec, b), case)


def test_a_product_of_several_vectors_at_once_counts_for_each() -> None:
    arrays = solved(lambda matvec, b: matvec(torch.eye(2)), iterations=0)
    np.testing.assert_array_equal(arrays["result"], HIDDEN)
    assert arrays[PRODUCTS] == 2
    assert solved(lambda matvec, b: matvec(b), iterations=0)[PRODUCTS] == 1


def test_gradients_come_back_through_a_product() -> None:
    def half_squared(matvec: Any, b: Tensor) -> Tensor:
        x = b.clone().requires_grad_()
        return torch.autograd.grad(0.5 * x @ matvec(x), x)[0]

    np.testing.assert_array_equal(solved(half_squared)["result"], HIDDEN @ torch.ones(2))


@pytest.mark.parametrize(
    "vector", [torch.ones(3), torch.ones(2).double(), torch.tensor(1.0), [1.0, 1.0], None], ids=str
)
def test_what_no_matrix_multiplies_raises_what_it_raises(vector: Any) -> None:
    with pytest.raises((RuntimeError, TypeError)) as theirs:
        HIDDEN @ vector
    with pytest.raises(theirs.type, match=re.escape(str(theirs.value))):
        solved(lambda matvec, b: matvec(vector))


@pytest.mark.parametrize(
    ("id", "hidden"), [("conjugate_gradient", {"matrix"}), ("line_search", {"lengths", "improvements", "kls"})]
)
def test_the_half_beside_the_attempt_is_sent_nothing_hidden(id: str, hidden: set[str]) -> None:
    sent: dict[str, Any] = {}
    exercise = get(id)
    case = next(iter(exercise.cases(0)))
    exercise.observe.drive(lambda question, **given: sent.update(given) or {}, case)  # type: ignore[attr-defined]
    assert {name for name, value in sent.items() if not callable(value)} == case.keys() - hidden


def test_evaluate_looks_up_the_length_of_a_step() -> None:
    seen = []

    def attempt(evaluate: Any, step: Tensor, *, max_kl: float, backtracks: int, shrink: float) -> Tensor:
        seen.extend([evaluate(step), evaluate(0.5 * step), evaluate(0.25 * step), evaluate(0 * step)])
        return step

    Search()(attempt, TABLE)
    # In a second search, for another step, the same lengths.
    np.testing.assert_allclose(seen, 2 * [(0.2, 0.05), (0.4, 0.01), (0.2, 0.005), (0.0, 0.0)])


@pytest.mark.parametrize("extra", [{}, {"log_std": torch.zeros(2)}, {"hidden": torch.ones(3, 4)}])
def test_a_policy_is_called_twice_and_watched_for_changes(extra: dict[str, Tensor]) -> None:
    inputs = 3 if "hidden" in extra else 4
    case = {"weight": torch.ones(2, inputs), "bias": torch.zeros(2), "obs": torch.ones(5, 4), "damping": 0.0, **extra}
    case["vector"] = torch.ones(sum(p.numel() for p in make_policy(case).parameters()))

    def moving(policy: Any, obs: Tensor, vector: Tensor, *, damping: float) -> Tensor:
        with torch.no_grad():
            policy.parameters().__next__().add_(1)
        return policy(obs).log_prob(policy(obs).sample())

    arrays = PolicyProduct()(moving, case)
    assert arrays["result"].shape == arrays[SECOND].shape == (5,)
    assert [str(name) for name in arrays["mutated"]] == [
        f"policy.{next(iter(dict(make_policy(case).named_parameters())))}"
    ]


def test_the_packages_policies_and_the_cases_agree_on_the_first_case_by_hand() -> None:
    """Two equally likely actions: F of the two biases is [[1/4, -1/4], [-1/4, 1/4]]."""
    policy = CategoricalPolicy(1, 2, ())
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.zero_()
    case = next(iter(get("fisher_vector_product").cases(0)))
    product = natural_gradient.fisher_vector_product(policy, case["obs"], case["vector"], damping=0.0)
    torch.testing.assert_close(product, torch.tensor([0.0, 0.0, 0.5, -0.5]))


def _rounds(change: Any) -> Any:
    """Conjugate gradient whose answer goes through `change(x, residual, b, iterations)`."""

    def attempt(matvec: Any, b: Tensor, *, iterations: int, tolerance: float) -> Any:
        x = natural_gradient.conjugate_gradient(matvec, b, iterations=iterations, tolerance=tolerance)
        return change(x, b - matvec(x), b, iterations)

    return attempt


def _product(change: Any) -> Any:
    def attempt(policy: Any, obs: Tensor, vector: Tensor, *, damping: float) -> Any:
        product = natural_gradient.fisher_vector_product(policy, obs, vector, damping=0.0)
        return change(product, vector, damping, policy, obs)

    return attempt


def _search(accepts: Any, found: Any = lambda candidate: candidate) -> Any:
    def attempt(evaluate: Any, step: Tensor, *, max_kl: float, backtracks: int, shrink: float) -> Any:
        before = -math.inf
        for power in range(backtracks):
            gain, kl = evaluate(step * shrink**power)
            if accepts(gain, kl, max_kl, before):
                return found(step * shrink**power)
            before = gain
        return torch.zeros_like(step)

    return attempt


def _right(gain: float, kl: float, max_kl: float, before: float) -> bool:
    return gain > 0 and kl <= max_kl


WRONG: dict[str, list[Any]] = {
    "conjugate_gradient": [
        lambda matvec, b, **settings: b,
        lambda matvec, b, **settings: torch.zeros_like(b),
        lambda matvec, b, **settings: matvec(b),
        lambda matvec, b, **settings: (b @ b) / (b @ matvec(b)) * b,
        _rounds(lambda x, residual, b, iterations: -x),
        _rounds(lambda x, residual, b, iterations: x + residual),
        _rounds(lambda x, residual, b, iterations: x[:, None]),
        _rounds(lambda x, residual, b, iterations: x.numpy()),
        _rounds(lambda x, residual, b, iterations: x.tolist()),
        _rounds(lambda x, residual, b, iterations: x / iterations),
        _rounds(lambda x, residual, b, iterations: x.double()),
        _rounds(lambda x, residual, b, iterations: x.float()),
        lambda matvec, b, **settings: natural_gradient.conjugate_gradient(matvec, b, iterations=10, tolerance=1e-5),
        lambda matvec, b, *, iterations, tolerance: natural_gradient.conjugate_gradient(
            lambda v: matvec(v) + 0.1 * v, b, iterations=iterations, tolerance=tolerance
        ),
    ],
    "fisher_vector_product": [
        _product(change)
        for change in (
            lambda product, v, d, policy, obs: v,
            lambda product, v, d, policy, obs: product - d * v,
            lambda product, v, d, policy, obs: product + d**2 * v,
            lambda product, v, d, policy, obs: product + d * product.norm() * v,
            lambda product, v, d, policy, obs: product.flip(0) + d * v,
            lambda product, v, d, policy, obs: product.abs() + d * v,
            lambda product, v, d, policy, obs: v @ (product + d * v),
            lambda product, v, d, policy, obs: (product + d * v)[None],
            lambda product, v, d, policy, obs: (product + d * v).double(),
            lambda product, v, d, policy, obs: product / len(obs) + d * v,
            lambda product, v, d, policy, obs: product + 0.1 * v,
            lambda product, v, d, policy, obs: (product + d * v).tolist(),
        )
    ],
    "step_scale": [
        lambda x, fx, max_kl: 1.0,
        lambda x, fx, max_kl: max_kl,
        lambda x, fx, max_kl: (2 * max_kl) ** 0.5,
        lambda x, fx, max_kl: math.sqrt(2 * max_kl / max(float(x @ fx), 2 * max_kl)),
        lambda x, fx, max_kl: (2 * max_kl / (x @ fx)).clamp(min=0).sqrt(),
        lambda x, fx, max_kl: torch.nan_to_num((2 * max_kl / (x @ fx)).sqrt()),
        lambda x, fx, max_kl: (2 * max_kl / (x @ fx)).sqrt() if x @ fx >= 0 else torch.tensor(0.0),
        lambda x, fx, max_kl: (2 * max_kl / (x @ fx)).sqrt() if x @ fx > 0 else None,
        lambda x, fx, max_kl: (2 * max_kl / (x @ fx)).sqrt()[None] if x @ fx > 0 else torch.zeros(1),
        lambda x, fx, max_kl: (2 * max_kl / (x.mean() * fx.mean())).sqrt() if x @ fx > 0 else torch.tensor(0.0),
        lambda x, fx, max_kl: -(2 * max_kl / (x @ fx)).sqrt() if x @ fx > 0 else torch.tensor(0.0),
    ],
    "line_search": [
        lambda evaluate, step, **settings: step,
        lambda evaluate, step, **settings: torch.zeros_like(step),
        _search(lambda gain, kl, max_kl, before: gain > kl and kl <= max_kl and gain > 0.3),
        _search(lambda gain, kl, max_kl, before: gain > 0 and kl <= 1.5 * max_kl),
        _search(lambda gain, kl, max_kl, before: gain > 0 and kl <= max_kl / 2),
        _search(lambda gain, kl, max_kl, before: gain > 0.01 and kl <= max_kl),
        _search(lambda gain, kl, max_kl, before: gain > before and gain > 0 and kl <= max_kl and before > -math.inf),
        _search(lambda gain, kl, max_kl, before: abs(gain) > 0 and kl <= max_kl),
        _search(lambda gain, kl, max_kl, before: gain < 0 and kl <= max_kl),
        _search(lambda gain, kl, max_kl, before: gain > 0 and kl >= max_kl),
        _search(_right, lambda candidate: -candidate),
        _search(_right, lambda candidate: candidate[None]),
        _search(_right, lambda candidate: candidate.tolist()),
        _search(_right, lambda candidate: (candidate, True)),
    ],
}


@pytest.mark.parametrize(("id", "attempt"), [(id, attempt) for id, attempts in WRONG.items() for attempt in attempts])
def test_other_wrong_answers_fail(id: str, attempt: Any) -> None:
    assert run(id, attempt).status == "not yet"


def test_a_right_product_that_keeps_its_graph_passes() -> None:
    def with_graph(policy: Any, obs: Tensor, vector: Tensor, *, damping: float) -> Tensor:
        product = natural_gradient.fisher_vector_product(policy, obs, vector, damping=damping)
        return product + 0 * sum(parameter.sum() for parameter in policy.parameters())

    assert run("fisher_vector_product", with_graph).status == "correct"


def test_what_a_learner_reads_of_a_step_too_far() -> None:
    message = run("line_search", _search(lambda gain, kl, max_kl, before: gain > 0)).message
    assert "evaluate gives (0.3, 0.02), (0.2, 0.005), (0.1, 0.001)" in message.replace("\n    ", " ")
    assert "At [0]: got 4, expected 2." in message and "both conditions must hold" in message.replace("\n    ", " ")
