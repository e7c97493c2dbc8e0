"""Each patient's function is its trap's bug: in the real loop it gives the trap's run, and mended the healthy one."""

import inspect
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from pgcourse.checks.observe import observe
from pgcourse.checks.observe.alarms import Alarms, question
from pgcourse.checks.observe.networks import PolicyLoss
from pgcourse.checks.observe.optimizers import OptimizerSteps
from pgcourse.checks.unit_06 import PATIENTS
from pgcourse.checks.unit_06.diagnose import diagnose
from pgcourse.checks.unit_06.patient import Patient
from pgcourse.show.clinic import retrain

EACH = [pytest.param(patient, id=patient.id) for patient in PATIENTS]
# Here the healthy run draws its networks in another order than one whose policy is handed in.
DRAWN_OTHERWISE = ("patient_06", "patient_12")


def first_updates(patient: Patient, train: Any, *arguments: Any) -> dict[str, np.ndarray]:
    # A pendulum's update is 90 steps long, after which rounding shows.
    updates = 1 if "Pendulum" in patient.settings.env_id else 2
    result = train(*arguments, seed=3, on_iteration=lambda progress: progress.iteration >= updates)
    return {name: numbers for name, numbers in result.metrics.items() if "seconds" not in name and "per_" not in name}


@pytest.mark.parametrize("patient", EACH)
def test_the_code_that_the_learner_reads_gives_the_measured_run(patient: Patient) -> None:
    ill = first_updates(patient, retrain, patient, patient.ill)
    trap = first_updates(patient, patient.trap.train)
    assert {"losses/entropy", "charts/return_mean"} <= ill.keys() & trap.keys()
    for name in ("losses/entropy", "losses/approx_kl", "losses/explained_variance", "charts/return_mean"):
        np.testing.assert_allclose(ill[name], trap[name], rtol=2e-3, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("patient", [each for each in EACH if each.id not in DRAWN_OTHERWISE])
def test_mended_the_run_is_the_healthy_one_and_the_bug_changes_it(patient: Patient) -> None:
    cured = first_updates(patient, retrain, patient, patient.cured)
    healthy = first_updates(patient, patient.trap.train_healthy)
    ill = first_updates(patient, retrain, patient, patient.ill)
    names = ("losses/entropy", "losses/approx_kl", "losses/explained_variance", "losses/critic_grad_norm")
    for name in names:
        np.testing.assert_allclose(cured[name], healthy[name], rtol=2e-3, atol=1e-5, err_msg=name)
    assert any(not np.allclose(ill[name], healthy[name], rtol=1e-2) for name in names)


def test_the_twelve_patients_have_twelve_different_bugs_that_the_diagnostics_see() -> None:
    assert [patient.id for patient in PATIENTS] == [f"patient_{number:02}" for number in range(1, 13)]
    assert len({patient.trap.id for patient in PATIENTS}) == 12
    assert all(patient.trap.visible for patient in PATIENTS)


@pytest.mark.parametrize("patient", EACH)
def test_the_source_is_a_function_of_the_right_name_with_its_contract(patient: Patient) -> None:
    source = patient.source()
    assert source.startswith(f"def {patient.id}(") and "type: ignore" not in source
    scope: dict[str, Any] = {"torch": torch, "math": __import__("math")}
    exec(compile(source, "cell", "exec"), scope)
    assert inspect.getdoc(scope[patient.id]) == inspect.getdoc(patient.ill)
    words = (inspect.getdoc(patient.ill) or "").lower()
    assert not any(word in words for word in ("bug", "wrong", "patient"))


# The observers


def test_alarms_are_recorded_one_by_one_and_the_inputs_are_watched() -> None:
    observer = Alarms(("kl-high", "kl-zero"))
    case = {"metric losses/approx_kl": torch.tensor([0.1], dtype=torch.float64)}
    seen = observe(observer, lambda metrics: {"kl-high", "strange"}, case)
    assert seen[question("kl-high")] == 1 and seen[question("kl-zero")] == 0
    assert seen["the number of unknown names in your set"] == 1 and not seen["mutated"].size

    def spoiling(metrics: dict[str, np.ndarray]) -> set[str]:
        metrics["losses/approx_kl"] *= 2
        return set()

    assert list(observe(observer, spoiling, case)["mutated"]) == ["metric losses/approx_kl"]
    assert str(observe(observer, lambda metrics: "kl-high", case)["result.kind"]) == "str"


TWO_PARAMETERS = {"learning_rate": 0.1} | {
    f"{kind}network.{name}": torch.ones(1) for name in "ab" for kind in ("", "grad ")
}


def test_optimizer_steps_show_a_parameter_that_is_left_out() -> None:
    observer = OptimizerSteps("parameters, learning_rate", ("network",))
    seen = observe(observer, lambda parameters, rate: torch.optim.SGD([next(parameters)], lr=rate), TWO_PARAMETERS)
    moved, still = (seen[f"the network's {name} after 9 steps"] for name in "ab")
    assert moved == pytest.approx(1 - 0.1 * 3 * 0.75) and still == 1.0  # factors 1 - 0.5 + 0.25, three times
    assert str(observe(observer, lambda parameters, rate: [1], TWO_PARAMETERS)["result.kind"]) == "list"


def test_optimizer_steps_show_groups_and_amsgrad() -> None:
    observer = OptimizerSteps("parameters, learning_rate", ("network",), grouped=True)

    def apart(parameters, rate):
        return torch.optim.Adam([{"params": [p], "amsgrad": True} for p in parameters], lr=rate)

    for attempt, size, amsgrad in ((apart, 1, 2), (lambda parameters, rate: torch.optim.Adam(parameters, rate), 2, 0)):
        seen = observe(observer, attempt, TWO_PARAMETERS)
        assert [seen[f"the number of parameters in the group of {name}"] for name in "ab"] == [size] * 2
        assert seen["the number of parameter groups with amsgrad"] == amsgrad


def test_policy_loss_records_the_gradient_of_the_loss_alone() -> None:
    observer = PolicyLoss("policy, obs")
    case = {"weight": torch.zeros(2, 1), "bias": torch.zeros(2), "obs": torch.ones(1, 1)}

    def loss(policy: nn.Module, obs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        log_prob = policy(obs).log_prob(torch.tensor([0]))
        return log_prob.sum(), log_prob

    seen = observe(observer, loss, case)
    np.testing.assert_allclose(seen["gradient/the policy's bias"], [0.5, -0.5], rtol=1e-6)
    kept = 'the answer to "does entry 1 of your result keep a gradient?" (1 is yes, 0 no)'
    assert seen[kept] == 1
    assert not observe(observer, lambda policy, obs: torch.zeros(()), case)["gradient/the policy's bias"].any()
    without = observe(observer, lambda policy, obs: (policy(obs).logits.sum(), torch.zeros(1)), case)
    assert without[kept] == 0


def test_the_alarms_of_the_exercise_are_those_of_the_package() -> None:
    """Same ids and, on runs that are clearly ill or clearly healthy, the same answer."""
    from pgcourse.checks.unit_06.diagnose import ALARMS
    from pgcourse.study import alarms
    from pgcourse.study import diagnose as package

    assert set(ALARMS) <= {alarm.id for alarm in alarms.ALARMS}
    healthy = {
        "losses/approx_kl": np.full(60, 0.01), "losses/clipfrac": np.full(60, 0.1),
        "losses/entropy": np.linspace(0.69, 0.45, 60), "losses/explained_variance": np.linspace(0, 0.97, 60),
        "charts/value_mean": np.full(60, 50.0), "charts/return_mean": np.full(60, 51.0),
    }  # fmt: skip
    assert diagnose(healthy) == package.diagnose(healthy) & set(ALARMS) == set()
    ill = healthy | {"losses/approx_kl": np.full(60, 0.3), "charts/value_mean": np.full(60, 5.0)}
    assert diagnose(ill) == package.diagnose(ill) & set(ALARMS) == {"kl-high", "value-offset"}
