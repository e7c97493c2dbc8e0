"""Diagnostics against closed formulas, and by hand."""

import math
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pgcourse import diagnostics

# The same examples each time, and no clock: a busy machine is slow without being wrong.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")

CALLS = [diagnostics.approx_kl, partial(diagnostics.clip_fraction, clip_coef=0.2), diagnostics.explained_variance]


def test_the_estimate_of_kl_by_hand() -> None:
    # r = 2 and r = 1/2: ((2 - 1 - ln 2) + (1/2 - 1 + ln 2)) / 2 = 1/4
    log_prob = torch.tensor([math.log(2.0), math.log(0.5)], dtype=torch.float64)
    assert diagnostics.approx_kl(log_prob, torch.zeros(2, dtype=torch.float64)).item() == pytest.approx(0.25)


def test_the_estimate_of_kl_is_right_on_average_in_the_direction_old_to_new() -> None:
    """Against the formula for two small categorical laws; the other direction is far outside the error."""
    old = torch.tensor([0.7, 0.2, 0.1], dtype=torch.float64)
    new = torch.tensor([0.5, 0.1, 0.4], dtype=torch.float64)
    exact = (old * (old / new).log()).sum().item()
    reverse = (new * (new / old).log()).sum().item()
    actions = torch.multinomial(old, 200_000, replacement=True, generator=torch.Generator().manual_seed(0))
    log_ratio = (new.log() - old.log())[actions]
    each = torch.stack([diagnostics.approx_kl(part, torch.zeros_like(part)) for part in log_ratio.split(2000)])
    error = each.std() / len(each) ** 0.5
    assert abs(each.mean().item() - exact) < 4 * error
    assert abs(each.mean().item() - reverse) > 8 * error


@settings(max_examples=50)
@given(st.integers(0, 2**32), st.floats(0, 3))
def test_the_estimate_of_kl_is_never_negative_and_zero_for_the_same_policy(seed: int, spread: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    old = torch.randn(20, generator=generator)
    new = old + spread * torch.randn(20, generator=generator)
    assert diagnostics.approx_kl(new, old).item() >= 0
    assert diagnostics.approx_kl(old, old).item() == 0


def test_the_estimate_of_kl_sees_a_difference_that_float32_nearly_swallows() -> None:
    # For a small log-ratio x it is x^2 / 2: here 5e-9, while exp(x) - 1 - x in float32 would be 0 or 1e-7.
    log_ratio = torch.full((10,), 1e-4)
    assert diagnostics.approx_kl(log_ratio, torch.zeros(10)).item() == pytest.approx(5e-9, rel=0.02)


def test_the_clip_fraction_counts_ratios_outside_the_interval_on_either_side() -> None:
    ratios = torch.tensor([0.5, 0.79, 0.81, 1.0, 1.19, 1.21, 3.0, 1.1])  # four of eight outside [0.8, 1.2]
    assert diagnostics.clip_fraction(ratios.log(), torch.zeros(8), clip_coef=0.2).item() == 0.5


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-7), (torch.float64, 1e-15)])
def test_the_clip_fraction_is_in_the_dtype_of_its_input(dtype: torch.dtype, tolerance: float) -> None:
    ratios = torch.tensor([0.5, 1.0, 1.0], dtype=dtype)
    fraction = diagnostics.clip_fraction(ratios.log(), torch.zeros(3, dtype=dtype), clip_coef=0.2)
    assert fraction.dtype == dtype
    assert fraction.item() == pytest.approx(1 / 3, abs=tolerance)  # a third is not one in float32


def test_explained_variance_of_a_perfect_a_mean_and_an_opposed_critic() -> None:
    returns = torch.tensor([1.0, 2.0, 3.0, 6.0])
    assert diagnostics.explained_variance(returns, returns).item() == 1
    assert diagnostics.explained_variance(torch.full((4,), 3.0), returns).item() == 0
    # V = -G: Var(G - V) = Var(2 G) = 4 Var(G), so 1 - 4 = -3.
    assert diagnostics.explained_variance(-returns, returns).item() == pytest.approx(-3)
    # V = G / 2: 1 - 1/4.
    assert diagnostics.explained_variance(returns / 2, returns).item() == pytest.approx(0.75)
    # It cannot see an offset.
    assert diagnostics.explained_variance(returns + 100, returns).item() == pytest.approx(1, abs=1e-4)


# 7.7 and 1e5 / 3 are not sums of few powers of 2: the variance of equal ones comes out as a small positive number.
@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, 7.7, 1e5 / 3])
@pytest.mark.parametrize("count", [1, 3, 1000])
def test_explained_variance_of_constant_returns_is_undefined(value: float, count: int) -> None:
    values = torch.arange(count, dtype=torch.float32)
    assert math.isnan(diagnostics.explained_variance(values, torch.full((count,), value)).item())


@pytest.mark.parametrize("call", CALLS)
def test_diagnostics_record_no_gradient_and_refuse_shapes_that_would_broadcast(call) -> None:
    result = call(torch.tensor([-1.0, -2.0], requires_grad=True), torch.tensor([-1.5, -0.5]))
    assert not result.requires_grad and result.shape == ()
    with pytest.raises(ValueError, match=r"shapes \[4\] and \[4, 1\]"):
        call(torch.zeros(4), torch.zeros(4, 1))
