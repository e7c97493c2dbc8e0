"""The mathematics of the trust region, against explicit matrices and numbers worked by hand."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.func import functional_call

from pgcourse.natural_gradient import conjugate_gradient, fisher_vector_product, line_search, step_scale
from pgcourse.networks import CategoricalPolicy, GaussianPolicy


def policies() -> dict[str, tuple[nn.Module, Callable[[nn.Module, dict[str, Tensor], Tensor], tuple[Tensor, ...]]]]:
    """Small networks in float64 away from their initial symmetry, and their distributions' parameters as a function."""
    torch.manual_seed(0)
    categorical, gaussian = CategoricalPolicy(3, 4, (3,)).double(), GaussianPolicy(3, 2, (3,)).double()
    with torch.no_grad():
        for policy in (categorical, gaussian):
            for parameter in policy.parameters():
                parameter.add_(0.3 * torch.randn_like(parameter))

    def logits(policy: nn.Module, weights: dict[str, Tensor], obs: Tensor) -> tuple[Tensor, ...]:
        return (functional_call(policy, weights, (obs,)).logits,)

    def mean_and_std(policy: nn.Module, weights: dict[str, Tensor], obs: Tensor) -> tuple[Tensor, ...]:
        distribution = functional_call(policy, weights, (obs,))
        return distribution.mean, distribution.stddev

    return {"categorical": (categorical, logits), "gaussian": (gaussian, mean_and_std)}


def kl_by_hand(old: tuple[Tensor, ...], new: tuple[Tensor, ...]) -> Tensor:
    """Mean over rows of sum_a p log(p / q), or of sum_d log(s2 / s1) + (s1^2 + (m1 - m2)^2) / (2 s2^2) - 1/2."""
    if len(old) == 1:
        p, q = old[0].softmax(dim=-1), new[0].softmax(dim=-1)
        return (p * (p / q).log()).sum(dim=-1).mean()
    (m1, s1), (m2, s2) = old, new
    return ((s2 / s1).log() + (s1**2 + (m1 - m2) ** 2) / (2 * s2**2) - 0.5).sum(dim=-1).mean()


def explicit_hessian(name: str, obs: Tensor) -> tuple[nn.Module, Tensor]:
    """The policy, and the Hessian [P, P] of its KL divergence from itself."""
    policy, parts = policies()[name]
    named = dict(policy.named_parameters())
    sizes = [parameter.numel() for parameter in named.values()]
    start = nn.utils.parameters_to_vector(named.values()).detach()

    def weights(vector: Tensor) -> dict[str, Tensor]:
        pieces = zip(named.items(), vector.split(sizes), strict=True)
        return {key: piece.view_as(parameter) for (key, parameter), piece in pieces}

    old = tuple(part.detach() for part in parts(policy, weights(start), obs))
    hessian = torch.autograd.functional.hessian(
        lambda vector: kl_by_hand(old, parts(policy, weights(vector), obs)), start
    )
    return policy, hessian


def observations(seed: int = 0) -> Tensor:
    return torch.randn(9, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def products(policy: nn.Module, obs: Tensor, *, damping: float) -> Tensor:
    """The whole matrix, column by column."""
    size = sum(parameter.numel() for parameter in policy.parameters())
    identity = torch.eye(size, dtype=torch.float64)
    return torch.stack([fisher_vector_product(policy, obs, unit, damping=damping) for unit in identity], dim=1)


@pytest.mark.parametrize("name", ["categorical", "gaussian"])
def test_fisher_vector_product_is_the_hessian_of_the_kl_times_the_vector(name: str) -> None:
    obs = observations()
    policy, hessian = explicit_hessian(name, obs)
    matrix = products(policy, obs, damping=0.0)
    torch.testing.assert_close(matrix, hessian, rtol=1e-8, atol=1e-10)
    assert hessian.abs().max() > 1e-2
    torch.testing.assert_close(matrix, matrix.T, rtol=0, atol=1e-12)
    assert torch.linalg.eigvalsh(matrix).min() > -1e-12


def test_fisher_is_the_mean_outer_product_of_the_score() -> None:
    """F = E[ score score^T ] over observations and actions of the policy: here every action is summed over."""
    obs = observations()
    policy, _ = policies()["categorical"]
    expected = torch.zeros(())
    for row in obs:
        distribution = policy(row[None])
        for action in range(4):
            log_prob = distribution.log_prob(torch.tensor([action])).squeeze()
            gradients = torch.autograd.grad(log_prob, list(policy.parameters()), retain_graph=True)
            score = torch.cat([gradient.flatten() for gradient in gradients])
            expected = expected + log_prob.exp().detach() * torch.outer(score, score) / len(obs)
    torch.testing.assert_close(products(policy, obs, damping=0.0), expected, rtol=1e-8, atol=1e-10)


def test_damping_is_added_to_the_diagonal() -> None:
    obs = observations()
    policy, _ = policies()["gaussian"]
    difference = products(policy, obs, damping=0.1) - products(policy, obs, damping=0.0)
    torch.testing.assert_close(difference, 0.1 * torch.eye(len(difference), dtype=torch.float64), rtol=0, atol=1e-12)


def test_the_product_leaves_policy_and_gradients_alone() -> None:
    policy, _ = policies()["gaussian"]
    before = nn.utils.parameters_to_vector(policy.parameters()).detach().clone()
    fisher_vector_product(policy, observations(), torch.ones_like(before), damping=0.1)
    assert torch.equal(nn.utils.parameters_to_vector(policy.parameters()), before)
    assert all(parameter.grad is None for parameter in policy.parameters())


# Conjugate gradient.


@settings(deadline=None, derandomize=True)
@given(st.integers(1, 12), st.integers(0, 2**31))
def test_conjugate_gradient_solves_random_positive_definite_systems(size: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    root, b = torch.randn(size, size + 1, generator=generator, dtype=torch.float64).split([size, 1], dim=1)
    matrix = root @ root.T + torch.eye(size, dtype=torch.float64)
    x = conjugate_gradient(lambda v: matrix @ v, b[:, 0], iterations=3 * size, tolerance=1e-12)
    torch.testing.assert_close(x, torch.linalg.solve(matrix, b[:, 0]), rtol=1e-6, atol=1e-8)


def test_a_right_side_of_zero_gives_zero_without_a_product() -> None:
    def never(vector: Tensor) -> Tensor:
        raise AssertionError("no product is needed")

    assert torch.equal(conjugate_gradient(never, torch.zeros(3), iterations=5, tolerance=1e-6), torch.zeros(3))


def test_the_first_iteration_by_hand() -> None:
    """A = diag(1, 3), b = (1, 1): one step of length b.b / b.Ab = 2 / 4 along b gives (1/2, 1/2); two solve it."""
    diagonal = torch.tensor([1.0, 3.0])
    b = torch.ones(2)
    one = conjugate_gradient(lambda v: diagonal * v, b, iterations=1, tolerance=0.0)
    two = conjugate_gradient(lambda v: diagonal * v, b, iterations=2, tolerance=0.0)
    torch.testing.assert_close(one, torch.tensor([0.5, 0.5]))
    torch.testing.assert_close(two, torch.tensor([1.0, 1 / 3]))


def test_it_stops_as_soon_as_the_residual_is_small_enough() -> None:
    """A = diag(1, 3), b = (1, 1): after one step the residual is (1/2, -1/2), half of b's norm."""
    diagonal, count = torch.tensor([1.0, 3.0]), []

    def product(vector: Tensor) -> Tensor:
        count.append(1)
        return diagonal * vector

    conjugate_gradient(product, torch.ones(2), iterations=10, tolerance=0.51)
    assert len(count) == 1
    conjugate_gradient(product, torch.ones(2), iterations=10, tolerance=0.49)
    assert len(count) == 1 + 2


# Length and line search.


def test_the_step_reaches_the_limit_of_the_quadratic_model() -> None:
    """x = (3, 4), F = 2 I: x.Fx = 50; the length s with s^2 * 50 / 2 = 0.01 is 0.02."""
    x = torch.tensor([3.0, 4.0])
    scale = step_scale(x, 2 * x, max_kl=0.01)
    assert scale.shape == ()
    assert scale.item() == pytest.approx(0.02)
    assert 0.5 * (scale * x) @ (2 * scale * x) == pytest.approx(0.01)


@pytest.mark.parametrize("product", [torch.zeros(2), torch.tensor([-1.0, 0.0])])
def test_no_step_where_the_curvature_is_not_positive(product: Tensor) -> None:
    assert step_scale(torch.tensor([1.0, 1.0]), product, max_kl=0.01).item() == 0


FULL = torch.tensor([1.0, -2.0])


@pytest.mark.parametrize(
    ("outcomes", "power"),
    [
        ([(0.3, 0.005)], 0),  # the full step will do
        ([(0.3, 0.010)], 0),  # exactly at the limit
        ([(0.3, 0.011), (0.2, 0.004)], 1),  # too far at first
        ([(-0.1, 0.005), (0.0, 0.003), (0.1, 0.001)], 2),  # no improvement, then none still, then some
        ([(math.nan, 0.001), (0.1, math.nan), (0.1, 0.001)], 2),  # what is not a number never qualifies
        ([(0.3, 0.02)] * 3, None),  # none within the limit
        ([(0.0, 0.0)] * 3, None),  # none that improves
    ],
)
def test_the_first_step_that_qualifies_is_taken(outcomes: list[tuple[float, float]], power: int | None) -> None:
    tried: list[Tensor] = []

    def evaluate(step: Tensor) -> tuple[float, float]:
        tried.append(step)
        return outcomes[len(tried) - 1]

    step = line_search(evaluate, FULL, max_kl=0.01, backtracks=3, shrink=0.5)
    assert len(tried) == (3 if power is None else power + 1)
    for number, candidate in enumerate(tried):
        torch.testing.assert_close(candidate, FULL * 0.5**number)
    torch.testing.assert_close(step, torch.zeros(2) if power is None else FULL * 0.5**power)
