"""patient_07: the optimiser of a network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import nn

from pgcourse import optim
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe.optimizers import OptimizerSteps
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_06.networks import network_case, shown
from pgcourse.checks.unit_06.patient import Function, Patient
from pgcourse.checks.unit_06.shared import unpatched
from pgcourse.study.traps import MISSING_PARAMETERS


def ill(parameters, learning_rate):  # type: ignore[no-untyped-def]
    """Adam with eps = 1e-5 for a network, its matrices and its vectors in two groups, so that each can be treated apart.

    parameters: what network.parameters() gives. learning_rate: of both groups. Nothing else is set.
    """
    matrices = [parameter for parameter in parameters if parameter.ndim >= 2]
    vectors = [parameter for parameter in parameters if parameter.ndim < 2]
    return torch.optim.Adam([{"params": matrices}, {"params": vectors}], lr=learning_rate, eps=1e-5)


def patient_07(parameters: Iterable[nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
    """Adam for all parameters, in two groups."""
    every = list(parameters)  # a generator can be gone through only once
    matrices = [parameter for parameter in every if parameter.ndim >= 2]
    vectors = [parameter for parameter in every if parameter.ndim < 2]
    return torch.optim.Adam([{"params": matrices}, {"params": vectors}], lr=learning_rate, eps=1e-5)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. Gradients are far above eps, so that its value does not matter."""
    yield network_case({"network": {"weight": (1, 2), "bias": (2,)}}, learning_rate=0.1)
    yield network_case({"network": {"weight": (2, 2), "bias": (2,), "log_std": (1,)}}, learning_rate=0.01)
    sizes = {"first_weight": (3, 2), "first_bias": (3,), "second_weight": (1, 3), "second_bias": (1,), "log_std": (2,)}
    yield network_case({"network": sizes}, seed=seed, learning_rate=0.05)
    yield network_case({"network": {"scale": (), "weight": (2, 3)}}, seed=seed + 1, learning_rate=0.02)


def _of(choose: Function, make: Function = torch.optim.Adam, **settings: Any) -> Function:
    """An optimiser of what `choose` leaves of the list of parameters."""

    def attempt(parameters: Iterable[nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
        return make(choose(list(parameters)), **{"lr": learning_rate, **settings})

    return attempt


def _with_list(parameters: Iterable[nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
    groups: list[list[nn.Parameter]] = [[], []]
    for parameter in parameters:
        groups[parameter.dim() < 2].append(parameter)
    return torch.optim.Adam([{"params": group} for group in groups if group], lr=learning_rate, eps=1e-5)


def _added_later(parameters: Iterable[nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
    every = tuple(parameters)
    optimizer = torch.optim.AdamW(every[:1], lr=learning_rate, eps=1e-5, weight_decay=0.0)
    optimizer.add_param_group({"params": every[1:]})
    return optimizer


PATIENT = Patient(
    id="patient_07",
    trap=MISSING_PARAMETERS,
    part="the optimiser of a network",
    ill=ill,
    cured=patient_07,
    seams=lambda function: {"optimizer_fn": function},
)
EXERCISE = Exercise(
    id="patient_07",
    unit="06",
    title="Patient 7",
    points=2,
    minutes=10,
    difficulty=2,
    cases=cases,
    observe=OptimizerSteps("parameters, learning_rate", ("network",)),
    reference=patient_07,
    show_case=shown("patient_07"),
    alternatives=(optim.adam, _with_list, _added_later),
    hints=(
        "Count: how many tensors does the network have, and how many are in optimizer.param_groups?",
        "network.parameters() is a generator. What does a second loop over the same generator find?",
        "parameters = list(parameters) as the first line.",
    ),
    misconceptions=(
        unpatched(
            ill,
            "Count the parameters in each group of the optimiser that it returns.",
            _of(lambda every: [p for p in every if p.ndim >= 2]),
        ),
        Misconception(
            "vectors-alone",
            "Now the vectors move and the matrices stay as they were: the two loops have changed places, and still "
            "only the first one finds something. Both groups have to be filled.",
            _of(lambda every: [p for p in every if p.ndim < 2] or [nn.Parameter(torch.zeros(1))]),
        ),
        Misconception(
            "last-left-out",
            "All but the last parameter move. Adding up the parameters of all groups has to give as many as the "
            "network has.",
            _of(lambda every: every[:-1]),
        ),
        Misconception(
            "first-alone",
            "Only the first parameter moves. Taking one item from the generator, or returning inside the loop, leaves "
            "the others behind.",
            _of(lambda every: every[:1]),
        ),
        Misconception(
            "plain-gradient-descent",
            "All parameters move, but by the learning rate times the gradient: that is plain gradient descent. The "
            "repair asks for no other optimiser, and with gradients this large and small it is another run.",
            _of(lambda every: every, torch.optim.SGD),
        ),
        Misconception(
            "learning-rate-unused",
            "All parameters move, but by the optimiser's own default rate, whatever learning_rate says. A setting "
            "that is accepted and not used is a bug of its own.",
            lambda parameters, learning_rate: torch.optim.Adam(list(parameters)),
        ),
        Misconception(
            "weight-decay",
            "All parameters move, but they are drawn towards 0 as well: weight decay is on, by hand or by an "
            "optimiser that has it by default. Nothing but the learning rate and eps is asked for.",
            _of(lambda every: every, torch.optim.AdamW),
            (_of(lambda every: every, torch.optim.Adam, weight_decay=0.01),),
        ),
        Misconception(
            "slower-vectors",
            "The second group moves by a tenth of what is asked for. The groups are there so that they could be "
            "treated apart; for now they have the same learning rate.",
            lambda parameters, learning_rate: _two_rates(list(parameters), learning_rate),
        ),
    ),
)  # fmt: skip


def _two_rates(every: list[nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
    slow: dict[str, Any] = {"params": [p for p in every if p.ndim < 2], "lr": 0.1 * learning_rate}
    matrices: dict[str, Any] = {"params": [p for p in every if p.ndim >= 2]}
    return torch.optim.Adam([matrices, slow], lr=learning_rate, eps=1e-5)
