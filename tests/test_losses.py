"""Losses: values and gradients worked by hand, and shapes that must not broadcast."""

import math

import pytest
import torch
from torch import Tensor

from pgcourse import losses


def tensor(*numbers: float, grad: bool = False) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64, requires_grad=grad)


def test_the_reinforce_loss_and_its_gradient_by_hand() -> None:
    # -(2 * -1 + -3 * -0.5) / 2 = 0.25; the derivative to log-probability i is -weight_i / 2.
    log_prob = tensor(-1.0, -0.5, grad=True)
    loss = losses.reinforce_loss(log_prob, tensor(2.0, -3.0))
    loss.backward()
    assert loss.item() == 0.25
    assert log_prob.grad is not None and log_prob.grad.tolist() == [-1.0, 1.5]


def test_gradients_flow_into_log_prob_only() -> None:
    log_prob, old, weight = tensor(-1.0, -0.5, grad=True), tensor(-1.1, -0.4, grad=True), tensor(2.0, -3.0, grad=True)
    losses.reinforce_loss(log_prob, weight).backward()
    losses.ppo_clip_loss(log_prob, old, weight, clip_coef=0.2).backward()
    assert old.grad is None and weight.grad is None


def test_a_step_down_the_reinforce_loss_makes_the_rewarded_action_more_probable() -> None:
    logits = torch.zeros(3, requires_grad=True)
    losses.reinforce_loss(logits.log_softmax(0)[1:2], torch.ones(1)).backward()
    assert logits.grad is not None
    # The score of a softmax is one-hot minus the probabilities; the loss is its negative.
    torch.testing.assert_close(-logits.grad, torch.tensor([-1 / 3, 2 / 3, -1 / 3]))


# PPO's clip: ratio r on either side of the interval [0.8, 1.2], advantage A of either sign.
@pytest.mark.parametrize(
    ("ratio", "advantage", "objective", "slope"),
    [
        (1.5, 2.0, 1.2 * 2.0, 0.0),  # already far up, and good: no more push
        (1.5, -2.0, 1.5 * -2.0, -2.0),  # far up, but bad: pushed back
        (0.5, 2.0, 0.5 * 2.0, 2.0),  # far down, but good: pushed back
        (0.5, -2.0, 0.8 * -2.0, 0.0),  # already far down, and bad: no more push
        (1.1, 2.0, 1.1 * 2.0, 2.0),  # inside, the plain objective
        (0.9, -2.0, 0.9 * -2.0, -2.0),
    ],
)
def test_the_clip_stops_the_push_only_where_it_would_go_further(
    ratio: float, advantage: float, objective: float, slope: float
) -> None:
    log_prob = tensor(math.log(ratio), grad=True)
    loss = losses.ppo_clip_loss(log_prob, tensor(0.0), tensor(advantage), clip_coef=0.2)
    loss.backward()
    assert loss.item() == pytest.approx(-objective)
    assert log_prob.grad is not None
    assert log_prob.grad.item() == pytest.approx(-slope * ratio)  # d r / d log pi = r


def test_without_a_clip_the_objective_is_the_importance_weighted_advantage() -> None:
    log_prob = tensor(math.log(3.0), math.log(0.1), grad=True)
    loss = losses.ppo_clip_loss(log_prob, tensor(0.0, 0.0), tensor(2.0, -1.0), clip_coef=None)
    assert loss.item() == pytest.approx(-(3.0 * 2 + 0.1 * -1) / 2)


def test_before_the_first_step_the_clipped_loss_has_the_gradient_of_reinforce() -> None:
    """The ratio is 1 there, so no element is clipped."""
    generator = torch.Generator().manual_seed(0)
    old = torch.randn(50, generator=generator)
    advantages = torch.randn(50, generator=generator)
    first, second = old.clone().requires_grad_(), old.clone().requires_grad_()
    losses.ppo_clip_loss(first, old, advantages, clip_coef=0.2).backward()
    losses.reinforce_loss(second, advantages).backward()
    torch.testing.assert_close(first.grad, second.grad)


def test_the_value_loss_and_its_gradient_by_hand() -> None:
    # 1/2 * ((1 - 3)^2 + (5 - 4)^2) / 2 = 1.25; the derivative to value i is (V_i - G_i) / 2.
    values, targets = tensor(1.0, 5.0, grad=True), tensor(3.0, 4.0, grad=True)
    loss = losses.value_loss(values, targets)
    loss.backward()
    assert loss.item() == 1.25
    assert values.grad is not None and values.grad.tolist() == [-1.0, 0.5]
    assert targets.grad is None


FLAT, COLUMN = torch.zeros(4), torch.zeros(4, 1)


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: losses.reinforce_loss(FLAT, COLUMN), "log_prob and weight"),
        (lambda: losses.reinforce_loss(COLUMN, FLAT), "log_prob and weight"),
        (lambda: losses.ppo_clip_loss(FLAT, COLUMN, FLAT, clip_coef=0.2), "log_prob and old_log_prob"),
        (lambda: losses.ppo_clip_loss(FLAT, FLAT, COLUMN, clip_coef=0.2), "log_prob and advantages"),
        (lambda: losses.ppo_clip_loss(FLAT, FLAT, torch.zeros(1), clip_coef=None), "log_prob and advantages"),
        (lambda: losses.value_loss(COLUMN, FLAT), "values and returns"),
    ],
)
def test_shapes_that_would_broadcast_are_refused_by_name(call, names: str) -> None:
    with pytest.raises(ValueError, match=rf"{names} have shapes \[.*\] and \[.*\]; they must be equal"):
        call()
