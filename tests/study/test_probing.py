"""Probes find what is broken, and in right code nothing."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pgcourse import a2c, optim, ppo, returns
from pgcourse.envs import probes
from pgcourse.study import traps
from pgcourse.study.probing import A2C, PPO, Answer, Finding, first_failure, probe_algorithm


def unfit_critic(*arguments: Any, **options: Any) -> tuple[Tensor, Tensor]:
    """A gradient step that forgets the critic."""
    policy_loss, value_loss, *others = arguments
    return optim.actor_critic_step(policy_loss, 0 * value_loss, *others, **options)


def undiscounted(*arguments: Tensor, gamma: float, **options: float) -> Tensor:
    return returns.gae(*arguments, gamma=1.0, **options)


class Blind(nn.Module):
    """A critic that sees no observation."""

    def __init__(self) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.zeros(1))

    def forward(self, obs: Tensor) -> Tensor:
        return self.value.expand(len(obs))


@pytest.mark.parametrize(("train", "config"), [(ppo.train, PPO), (a2c.train, A2C)], ids=["ppo", "a2c"])
def test_right_algorithms_pass_every_probe(train: Any, config: Any) -> None:
    findings = probe_algorithm(train, config)
    assert [finding.probe for finding in findings] == list(probes.PROBES)
    assert first_failure(findings) is None, findings


@pytest.mark.parametrize(
    ("seams", "probe"),
    [
        ({"gradient_step_fn": unfit_critic}, probes.ConstantReward),
        (traps.BROADCASTING.seams, probes.ObservationPredictsReward),
        ({"advantage_fn": undiscounted}, probes.DelayedReward),
        (traps.TRUNCATION_AS_TERMINATION.seams, probes.Endless),
        (traps.ADVANTAGE_SIGN.seams, probes.ActionDecidesReward),
    ],
    ids=["critic", "broadcasting", "discount", "truncation", "sign"],
)
def test_the_first_probe_to_fail_names_the_bug(seams: Any, probe: type[probes.Probe]) -> None:
    findings = probe_algorithm(stop=True, **seams)
    found = first_failure(findings)
    assert found is not None and found.probe is probe and findings[-1] is found
    assert found.probe.suspect


def test_a_blind_critic_fails_where_the_observation_matters() -> None:
    found = first_failure(probe_algorithm(probes=probes.PROBES[:2], critic=Blind()))
    assert found is not None and found.probe is probes.ObservationPredictsReward
    assert [answer.question for answer in found.answers] == ["V(obs = -1)", "V(obs = 1)"]
    assert all(abs(answer.found) < 0.3 for answer in found.answers), "it can give no better than the mean"


def test_answers_are_what_the_probes_pay() -> None:
    """The expected values are mean discounted returns of plain episodes with random actions."""
    for probe in probes.PROBES[:3]:
        envs = probe(256)
        first, total = envs.reset(seed=5)[0][:, 0], torch.zeros(256)
        for step in range(probe.episode_steps):
            total += 0.9**step * envs.step(torch.randint(0, 2, (256,)))[1]
        for observation, value in probe.expected_values(0.9).items():
            seen = total[first == observation]
            assert not len(seen) or seen.mean().item() == pytest.approx(value), probe.__name__
    assert probes.Endless.expected_values(0.9)[1.0] == pytest.approx(sum(0.9**k for k in range(1000)))


def test_a_finding_passes_only_with_all_answers() -> None:
    right, wrong = Answer("a", "1", 1.0, True), Answer("b", "1", 0.0, False)
    passing, failing = Finding(probes.Endless, (right, right)), Finding(probes.Probe, (right, wrong))
    assert passing.passed and not failing.passed
    assert first_failure([passing, failing, failing]) is failing and first_failure([passing]) is None
