"""Numbers that are not finite end a run with one clear line, and with the last weights that were good."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import Tensor

from pgcourse import TrainingDiverged, a2c, cli, load, losses, ppo, reinforce, trpo
from pgcourse.envs.probes import Probe
from pgcourse.runs import Result
from tests.recording import refused

ALGORITHMS: dict[str, Any] = {"reinforce": reinforce, "a2c": a2c, "ppo": ppo, "trpo": trpo}
SMALL: dict[str, Any] = {"num_envs": 4, "hidden_sizes": (8,), "total_timesteps": None, "num_episodes": 400}
CONFIGS: dict[str, Any] = {
    "reinforce": replace(reinforce.CARTPOLE, **SMALL),
    "a2c": replace(a2c.CARTPOLE, num_steps=8, anneal_lr=False, **SMALL),
    "ppo": replace(ppo.CARTPOLE, num_steps=8, minibatch_size=16, **SMALL),
    "trpo": replace(trpo.CARTPOLE, num_steps=8, critic_steps=2, **SMALL),
}
everyone = pytest.mark.parametrize("name", CONFIGS)


class Faulty(Probe):
    """Two-step episodes; from the 70th step on, environment 2 gives NaN as reward or observation."""

    episode_steps = 2
    steps = 0

    def __init__(self, num_envs: int, *, reward: float = 1.0, observation: float = 1.0) -> None:
        super().__init__(num_envs)
        self.reward, self.observation = reward, observation

    def rewards(self, state: Tensor, actions: Tensor) -> Tensor:
        self.steps += 1
        return self._with_fault(actions.float(), self.reward)

    def observe(self, state: Tensor) -> Tensor:
        return self._with_fault(state[:, :1], self.observation)

    def _with_fault(self, column: Tensor, fault: float) -> Tensor:
        column = column.clone()
        if self.steps >= 70 and not np.isfinite(fault):
            column[2] = fault
        return column


def diverged(name: str, config: Any = None, **parts: Any) -> tuple[str, Result, int]:
    """The error's line, its result, and the number of good iterations, whose last weights are the result's."""
    history: list[dict[str, Tensor]] = []

    def keep(progress: Any) -> None:
        history.append({key: value.clone() for key, value in progress.policy.state_dict().items()})

    with refused("in iteration", TrainingDiverged) as caught:
        ALGORITHMS[name].train(config or CONFIGS[name], on_iteration=keep, **parts)
    result: Result = caught.value.result  # type: ignore[attr-defined]
    for network in (result.policy, result.critic):
        assert network is not None
        assert all(value.isfinite().all() for value in network.state_dict().values())
    for key, value in result.policy.state_dict().items():
        assert not history or torch.equal(value, history[-1][key])
    return str(caught.value), result, len(history)


@everyone
@pytest.mark.parametrize("fault", [{"reward": float("nan")}, {"reward": float("inf")}, {"observation": float("nan")}])
def test_what_the_environment_gives_is_named(name: str, fault: dict[str, float]) -> None:
    """Environment 2 of 4 alone is faulty, and only from step 70 on: the iteration is found from the metrics."""
    message, result, iterations = diverged(name, envs=Faulty(4, **fault))
    tensor = "rewards" if "reward" in fault else "observations"
    assert message.startswith(f"{tensor} are not finite in iteration {iterations + 1}, after ")
    assert "environment" in message
    assert len(result.metrics["losses/policy_loss"]) == iterations >= 5


@pytest.mark.parametrize(
    ("name", "original", "steps"),  # gradient steps of an iteration
    [("reinforce", losses.reinforce_loss, 1), ("a2c", losses.reinforce_loss, 1), ("ppo", losses.ppo_clip_loss, 12)],
)
def test_a_loss_that_is_not_a_number_is_named_and_undone(name: str, original: Any, steps: int) -> None:
    """The third iteration's loss is NaN, and so are the weights after its step: those of the second come back."""
    calls: list[int] = []

    def loss(*arguments: Tensor, **settings: Any) -> Tensor:
        calls.append(1)
        return original(*arguments, **settings) * (torch.nan if len(calls) > 2 * steps else 1.0)

    message, _, iterations = diverged(name, policy_loss_fn=loss)
    assert message.startswith("losses/policy_")
    assert " is nan in iteration 3, after " in message and "learning rates" in message
    assert iterations == 2


def test_a_broken_policy_step_of_trpo_is_named_and_undone() -> None:
    def step(policy: torch.nn.Module, *rest: Any) -> dict[str, Tensor]:
        for parameter in policy.parameters():
            torch.nn.init.constant_(parameter, torch.nan)
        return {"losses/policy_loss": torch.tensor(0.0)}

    message, _, iterations = diverged("trpo", policy_step_fn=step)
    assert message.startswith("updates/policy.logits is nan in iteration 1, after 32 steps")
    assert iterations == 0


@pytest.mark.parametrize("name", ["reinforce", "a2c", "ppo"])
def test_an_infinite_step_is_undone_although_the_loss_before_it_was_fine(name: str) -> None:
    """Each loss is taken before its step, so the first iteration of one step looks healthy in every loss."""
    infinite = lambda parameters, learning_rate: torch.optim.SGD(parameters, lr=float("inf"))  # noqa: E731
    message, result, iterations = diverged(name, optimizer_fn=infinite)
    assert "in iteration 1, after " in message
    assert iterations == len(result.metrics) == 0


@everyone
def test_a_huge_learning_rate_ends_in_one_line_or_in_finite_weights(name: str) -> None:
    rates = {key: 1e30 for key in ("policy_lr", "critic_lr") if hasattr(CONFIGS[name], key)}
    message, result, _ = diverged(name, replace(CONFIGS[name], **rates))
    assert "in iteration" in message
    assert result.policy(torch.zeros(2, 4)).sample().shape == (2,)


# On the command line.


class Broken(gymnasium.Env):
    observation_space = spaces.Box(-1, 1, (1,), np.float32)
    action_space = spaces.Discrete(2)
    steps = 0

    def reset(self, **options: Any) -> tuple[np.ndarray, dict]:
        return np.zeros(1, np.float32), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict]:
        self.steps += 1
        return np.zeros(1, np.float32), float("nan") if self.steps > 40 else 1.0, self.steps % 5 == 0, False, {}


def test_the_command_line_says_one_line_saves_the_run_and_exits_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gymnasium.envs.registration, "registry", dict(gymnasium.registry))
    gymnasium.register("tests/Broken-v0", entry_point=Broken)
    options = ["--env-id", "tests/Broken-v0", "--num-envs", "2", "--num-steps", "8", "--no-progress"]
    assert cli.main(["train", "a2c", *options, "--out", str(tmp_path / "run")]) == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("pgcourse: rewards are not finite in iteration ")
    assert line.endswith(f"in {tmp_path / 'run'}")
    saved = load(tmp_path / "run")
    assert len(saved.metrics["losses/policy_loss"]) == 5  # 16 steps each, the fault comes at step 41 of an environment
    assert all(value.isfinite().all() for value in saved.policy.state_dict().values())
