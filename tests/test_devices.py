"""Devices other than the CPU and CUDA: their random streams belong to a run too, and they may lack float64.

No such device is here. A generator of the CPU stands in for that of MPS behind the functions that torch.mps has, and a
watch over torch's calls for a device without float64. What runs on CUDA is tested where there is one.
"""

from dataclasses import replace
from typing import Any

import gymnasium
import pytest
import torch
from gymnasium.wrappers import TransformReward
from torch import Tensor
from torch.overrides import TorchFunctionMode

from pgcourse import evaluate, evaluation, optim, ppo
from pgcourse.networks import CategoricalPolicy
from pgcourse.setup import Setup, prepare

MPS = torch.device("mps")


class FakeMPS:
    """The random stream of MPS: one device, and so no functions for all of them."""

    def __init__(self) -> None:
        self.generator = torch.Generator()

    def draw(self) -> list[float]:
        return torch.rand(3, generator=self.generator).tolist()


@pytest.fixture
def mps(monkeypatch: pytest.MonkeyPatch) -> FakeMPS:
    fake = FakeMPS()
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda *_, **__: MPS)
    monkeypatch.setattr(torch.mps, "manual_seed", fake.generator.manual_seed)
    monkeypatch.setattr(torch.mps, "get_rng_state", lambda device="mps": fake.generator.get_state())
    monkeypatch.setattr(torch.mps, "set_rng_state", lambda state, device="mps": fake.generator.set_state(state))
    return fake


def test_the_stand_in_has_the_functions_that_torch_has() -> None:
    """Were there functions for all devices, `random_state` would take those."""
    assert not hasattr(torch.mps, "get_rng_state_all") and not hasattr(torch.mps, "set_rng_state_all")
    for kind in ("cuda", "xpu"):
        assert hasattr(torch.get_device_module(kind), "get_rng_state_all")


def test_a_seed_sets_the_accelerators_stream_and_leaves_it_as_it_was(mps: FakeMPS) -> None:
    before = mps.generator.get_state()
    drawn = []
    for seed in (1, 2, 1):
        with optim.seeded(seed):
            drawn.append((mps.draw(), torch.rand(3).tolist()))
        assert torch.equal(mps.generator.get_state(), before)
    assert drawn[0] == drawn[2] != drawn[1]


def test_the_stream_is_left_as_it_was_after_an_error_too(mps: FakeMPS) -> None:
    before = mps.generator.get_state(), torch.get_rng_state()
    with pytest.raises(ZeroDivisionError), optim.seeded(1):
        mps.draw()
        torch.rand(1)
        raise ZeroDivisionError
    assert torch.equal(mps.generator.get_state(), before[0]) and torch.equal(torch.get_rng_state(), before[1])


def setup_on(device: torch.device) -> Setup[Any]:
    """The parts of a run that takes itself to be on this device; they are on the CPU."""
    config = replace(ppo.CARTPOLE, num_envs=2, hidden_sizes=(4,), minibatch_size=32)
    parts = {"policy": None, "critic": None, "envs": None, "optimizer_fn": optim.adam}
    return replace(prepare(config, device="cpu", **parts), device=device)


def test_a_checkpoint_takes_the_devices_stream_along(mps: FakeMPS) -> None:
    state = setup_on(MPS).state_dict()
    expected = mps.draw(), torch.rand(3).tolist()
    mps.draw()
    setup_on(MPS).load_state_dict(state)
    assert (mps.draw(), torch.rand(3).tolist()) == expected


def test_a_checkpoint_of_another_device_leaves_this_ones_stream_alone(mps: FakeMPS) -> None:
    state = setup_on(MPS).state_dict()
    expected = torch.rand(3).tolist()
    mps.draw()
    before = mps.generator.get_state()
    setup_on(torch.device("cpu")).load_state_dict(state)
    assert torch.equal(mps.generator.get_state(), before) and torch.rand(3).tolist() == expected
    assert setup_on(torch.device("cpu")).state_dict()["random_device"] == {}


class NoFloat64(TorchFunctionMode):
    """Refuses, as MPS does, float64 on the given device: when a tensor is made there, or turned into one there."""

    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self.device, self.made = device, 0
        self.there: list[Tensor] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func is Tensor.cpu:
            return result.clone()  # from a real device it would be another tensor too
        asked = (kwargs or {}).get("device") == self.device
        inputs = [tensor for tensor in args if isinstance(tensor, Tensor)]
        # What is made without naming the device is on the CPU, unless it comes from something that is there.
        there = asked or any(tensor is other for tensor in inputs for other in self.there)
        if there and isinstance(result, Tensor):
            self.made += 1
            self.there.append(result)
            if result.dtype == torch.float64:
                raise TypeError("this device has no float64")
        return result


@pytest.mark.parametrize("policy", [CategoricalPolicy(4, 2, (4,)), None], ids=["trained", "random"])
def test_evaluation_asks_no_device_for_float64(monkeypatch: pytest.MonkeyPatch, policy: Any) -> None:
    expected = evaluate(policy, "CartPole-v1", num_episodes=4, seed=0)
    device = torch.device("cpu", 0)  # the same memory by another name, so that the watch can tell
    assert device != torch.device("cpu")
    monkeypatch.setattr(evaluation, "policy_device", lambda _: device)
    with NoFloat64(device) as watch:
        scores = evaluate(policy, "CartPole-v1", num_episodes=4, seed=0)
    assert watch.made > 0, "the environments are on the device"
    assert scores.returns.tolist() == expected.returns.tolist() and scores.returns.dtype == "float64"


def test_long_sums_of_rewards_are_exact() -> None:
    """999 times 0.1 in float32 is off in the fifth digit; the sum of the float32 numbers is not."""

    def envs() -> gymnasium.Env:
        return TransformReward(gymnasium.make("MountainCarContinuous-v0"), lambda _: 0.1)

    result = evaluate(None, envs, num_episodes=1, seed=0)
    assert result.lengths.tolist() == [999]
    assert result.returns[0] == pytest.approx(float(torch.tensor(0.1)) * 999, rel=1e-12)
