"""Test an algorithm on the probe environments, whose values and best actions are known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from ..algorithms import a2c, ppo
from ..config import Config
from ..envs.probes import PROBES, Probe
from ..runs import Result

# Small networks, large steps, few of them: a second for all probes. A gamma of 0.8 tells a discount from none within
# the tolerance.
PPO = replace(
    ppo.CARTPOLE, gamma=0.8, num_envs=16, num_steps=8, minibatch_size=64, policy_lr=1e-2, critic_lr=2e-2,
    hidden_sizes=(16,), total_timesteps=128 * 25,
)  # fmt: skip
A2C = replace(
    a2c.CARTPOLE, gamma=0.8, num_envs=16, num_steps=4, ent_coef=0.0, policy_lr=2e-2, critic_lr=3e-2, anneal_lr=False,
    max_grad_norm=None, hidden_sizes=(16,), num_episodes=None, total_timesteps=64 * 100, reward_scale=1.0,
)  # fmt: skip
VALUE_TOLERANCE = 0.1  # of the largest value that is expected
SURE = 0.85  # probability of the right action that counts as learnt


@dataclass(frozen=True)
class Answer:
    """What a probe asked, and what the algorithm found."""

    question: str  # such as "V(obs = 1)"
    expected: str
    found: float
    passed: bool


@dataclass(frozen=True)
class Finding:
    """One probe's answers."""

    probe: type[Probe]
    answers: tuple[Answer, ...]

    @property
    def passed(self) -> bool:
        """Whether all answers are right."""
        return all(answer.passed for answer in self.answers)


def probe_algorithm(
    train: Callable[..., Result] = ppo.train,
    config: Config = PPO,
    *,
    probes: Sequence[type[Probe]] = PROBES,
    stop: bool = False,
    **seams: Any,
) -> list[Finding]:
    """Train on each probe and compare values and probabilities with the known answers.

    Args: train: as `ppo.train`: (config, *, envs, **seams) -> Result with a critic. config: small and quick, as `PPO`
    and `A2C` here. stop: end with the first probe that fails. seams: keyword arguments of
    `train`: your own functions, or a trap's.
    """
    findings = []
    for probe in probes:
        result = train(config, envs=probe(config.num_envs), **seams)
        findings.append(Finding(probe, (*_values(result, probe), *_actions(result, probe))))
        if stop and not findings[-1].passed:
            break
    return findings


def first_failure(findings: Sequence[Finding]) -> Finding | None:
    """The first probe that fails: it names the suspect. Later ones may fail because of it."""
    return next((finding for finding in findings if not finding.passed), None)


@torch.no_grad()
def _values(result: Result, probe: type[Probe]) -> list[Answer]:
    expected = probe.expected_values(result.config.gamma)
    tolerance = VALUE_TOLERANCE * max(map(abs, expected.values()), default=1.0)
    answers = []
    for obs, value in expected.items():
        assert result.critic is not None
        found = float(result.critic(torch.tensor([[obs]])))
        answers.append(Answer(f"V(obs = {obs:g})", f"{value:g}", found, abs(found - value) <= tolerance))
    return answers


@torch.no_grad()
def _actions(result: Result, probe: type[Probe]) -> list[Answer]:
    answers = []
    for obs, action in probe.expected_actions.items():
        found = float(result.policy(torch.tensor([[obs]])).log_prob(torch.tensor([action])).exp())
        answers.append(Answer(f"π({action} | obs = {obs:g})", f"above {SURE}", found, found > SURE))
    return answers
