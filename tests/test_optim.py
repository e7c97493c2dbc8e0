"""One gradient step, and settings of the process that are put back."""

import pytest
import torch
from torch import nn

from pgcourse import optim
from pgcourse.networks import mlp
from tests.recording import refused


class Point(nn.Module):
    def __init__(self, *numbers: float) -> None:
        super().__init__()
        self.x = nn.Parameter(torch.tensor(numbers))


@pytest.mark.parametrize(
    ("max_grad_norm", "expected"),
    [
        (None, [-3.0, -4.0]),
        (10.0, [-3.0, -4.0]),  # the gradient (3, 4) has norm 5: below the limit
        (1.0, [-0.6, -0.8]),  # cut to length 1
    ],
)
def test_a_step_follows_the_gradient_clipped_to_its_norm(max_grad_norm: float | None, expected: list[float]) -> None:
    point = Point(0.0, 0.0)
    loss = (point.x * torch.tensor([3.0, 4.0])).sum()
    norm = optim.gradient_step(loss, point, torch.optim.SGD(point.parameters(), lr=1.0), max_grad_norm=max_grad_norm)
    assert norm.item() == pytest.approx(5.0), "the norm before clipping is reported"
    torch.testing.assert_close(point.x.detach(), torch.tensor(expected), rtol=1e-5, atol=1e-5)


def test_gradients_of_an_earlier_step_are_forgotten() -> None:
    point = Point(0.0)
    optimizer = torch.optim.SGD(point.parameters(), lr=1.0)
    for _ in range(3):
        norm = optim.gradient_step(2 * point.x.sum(), point, optimizer, max_grad_norm=None)
        assert norm.item() == 2.0
    assert point.x.item() == -6.0


def test_clipping_looks_at_this_network_only() -> None:
    """Policy and critic each have their own norm: a large gradient of one leaves the other whole."""
    policy, critic = Point(0.0), Point(0.0)
    loss = 1.0 * policy.x.sum() + 1000.0 * critic.x.sum()
    norm = optim.gradient_step(loss, policy, torch.optim.SGD(policy.parameters(), lr=1.0), max_grad_norm=2.0)
    assert norm.item() == 1.0 and policy.x.item() == -1.0


@pytest.mark.parametrize("max_grad_norm", [None, 0.5, 1e6])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6, float("nan")])
def test_clipping_is_torchs_to_the_bit(max_grad_norm: float | None, scale: float) -> None:
    """Committed curves rest on it. A part without a gradient, such as a frozen layer, is left out of the norm."""
    ours, torchs = (mlp([4, 8, 2]) for _ in range(2))
    for seed, (mine, other) in enumerate(zip(ours.parameters(), torchs.parameters(), strict=True)):
        if seed:
            mine.grad = torch.randn(mine.shape, generator=torch.Generator().manual_seed(seed)) * scale
            other.grad = mine.grad.clone()
    norm = optim.clip_and_step(ours, torch.optim.SGD(ours.parameters(), lr=0.0), max_grad_norm=max_grad_norm)
    limit = float("inf") if max_grad_norm is None else max_grad_norm
    expected = nn.utils.clip_grad_norm_(torchs.parameters(), limit)
    torch.testing.assert_close(norm, expected, rtol=0, atol=0, equal_nan=True)
    for mine, other in zip(list(ours.parameters())[1:], list(torchs.parameters())[1:], strict=True):
        torch.testing.assert_close(mine.grad, other.grad, rtol=0, atol=0, equal_nan=True)


def test_a_network_without_gradients_stays_and_its_norm_is_0() -> None:
    """A learner's loss that is detached from the policy shows as a norm of 0, and not as an error of torch.stack."""
    point = Point(3.0)
    norm = optim.clip_and_step(point, torch.optim.SGD(point.parameters(), lr=1.0), max_grad_norm=0.5)
    assert norm.item() == 0.0 and point.x.item() == 3.0


def test_the_number_of_threads_is_put_back_also_after_an_error() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with pytest.raises(ZeroDivisionError), optim.single_thread():
            assert torch.get_num_threads() == 1
            raise ZeroDivisionError
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_seeded_draws_do_not_depend_on_the_past_nor_change_the_future() -> None:
    torch.manual_seed(0)
    torch.rand(17)
    state = torch.get_rng_state()
    with optim.seeded(5):
        first = torch.rand(3)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(2)
    with pytest.raises(ZeroDivisionError), optim.seeded(5):
        assert torch.equal(torch.rand(3), first)
        raise ZeroDivisionError
    with optim.seeded(6):
        assert not torch.equal(torch.rand(3), first)


@pytest.mark.parametrize(
    "device", ["banana", "meta", "cuda:99", "cuda" if not torch.cuda.is_available() else "cuda:98"]
)
def test_a_device_that_is_not_there_is_refused_with_those_that_are(device: str) -> None:
    with refused(rf"device '{device}' is not available here; use one of auto, cpu"):
        optim.choose_device(device, tensor_envs=True, num_envs=4)


@pytest.mark.parametrize("device", ["auto", "cpu", torch.device("cpu")])
def test_few_environments_train_on_the_cpu(device: str | torch.device) -> None:
    assert optim.choose_device(device, tensor_envs=True, num_envs=1) == torch.device("cpu")


@pytest.mark.parametrize(
    ("pays_from", "there", "tensor_envs", "num_envs", "expected"),
    [
        (256, True, True, 256, "cuda"),
        (256, True, True, 255, "cpu"),
        (256, True, False, 4096, "cpu"),  # NumPy environments stay on the CPU anyway
        (256, False, True, 4096, "cpu"),
        (None, True, True, 10**6, "cpu"),  # no measurement, no claim
    ],
)
def test_auto_takes_cuda_only_from_where_the_measurement_says_it_pays(
    monkeypatch: pytest.MonkeyPatch, pays_from: int | None, there: bool, tensor_envs: bool, num_envs: int, expected: str
) -> None:
    monkeypatch.setattr(optim, "CUDA_PAYS_FROM", pays_from)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert optim.choose_device("auto", tensor_envs=tensor_envs, num_envs=num_envs).type == expected


def test_adam_has_the_epsilon_of_the_literature_and_moves_by_the_learning_rate_at_first() -> None:
    """Its first step is the learning rate times g / (|g| + eps), whatever the size of g."""
    point = Point(0.0, 0.0)
    optimizer = optim.adam(point.parameters(), 0.125)
    assert isinstance(optimizer, torch.optim.Adam)
    assert (optimizer.defaults["lr"], optimizer.defaults["eps"]) == (0.125, 1e-5)
    optim.gradient_step((point.x * torch.tensor([1e3, -1e-2])).sum(), point, optimizer, max_grad_norm=None)
    assert point.x.tolist() == pytest.approx([-0.125, 0.125 * 1e-2 / (1e-2 + 1e-5)], rel=1e-4)


@pytest.mark.parametrize("schedule", optim.LR_SCHEDULES)
def test_rates_of_many_runs_are_those_of_each_run(schedule: str) -> None:
    """Each run has a rate and a share of the budget of its own; all rates start whole, and fall."""
    initial, used = [1e-3, 2e-3, 5e-3, 3e-3], [0.0, 0.2, 0.5, 1.0]
    expected = [optim.learning_rate(*pair, schedule) for pair in zip(initial, used, strict=True)]
    together = optim.learning_rate(torch.tensor(initial), torch.tensor(used), schedule)
    assert together.tolist() == pytest.approx(expected, rel=1e-6, abs=1e-10)
    for_one_rate = optim.learning_rate(1.0, torch.linspace(0, 1, 11), schedule)
    assert for_one_rate[0] == 1 and (for_one_rate.diff() < 0).all() and for_one_rate[-1] >= -1e-7


def test_the_linear_rate_is_the_product_bit_for_bit() -> None:
    for used in (0.1, 1 / 3, 0.7, 0.999):
        assert optim.learning_rate(0.003, used) == 0.003 * (1 - used)
