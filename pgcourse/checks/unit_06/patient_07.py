"""patient_07: the optimiser of a network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import nn

from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe.optimizers import OptimizerSteps
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_06.optimizers import network_case, shown
from pgcourse.checks.unit_06.patient import Function, Patient, mistake, unpatched
from pgcourse.study.traps import MISSING_PARAMETERS

Parameters = list[nn.Parameter]


def ill(parameters, learning_rate):  # type: ignore[no-untyped-def]
    """Adam with eps = 1e-5 for a network, its matrices and its vectors in two groups, so that each can be treated apart.

    parameters: what network.parameters() gives. learning_rate: of both groups. Nothing else is set.
    """
    matrices = [parameter for parameter in parameters if parameter.ndim >= 2]
    vectors = [parameter for parameter in parameters if parameter.ndim < 2]
    return torch.optim.Adam([{"params": matrices}, {"params": vectors}], lr=learning_rate, eps=1e-5)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. The last gradients are as small as eps, which shows it, and weight decay."""
    yield network_case({"network": {"weight": (1, 2), "bias": (2,)}}, learning_rate=0.1)
    yield network_case({"network": {"weight": (2, 2), "bias": (2,), "log_std": (1,)}}, learning_rate=0.01)
    sizes = {"first_weight": (3, 2), "first_bias": (3,), "second_weight": (1, 3), "second_bias": (1,), "log_std": (2,)}
    yield network_case({"network": sizes}, seed=seed, learning_rate=0.05)
    yield network_case({"network": {"scale": (), "weight": (2, 3)}}, seed=seed + 1, learning_rate=0.02)
    yield network_case({"network": {"weight": (2, 2), "bias": (2,)}}, seed=seed + 2, gradient=1e-5, learning_rate=0.05)


def matrices(every: Parameters) -> Parameters:
    """The parameters of two axes and more."""
    return [parameter for parameter in every if parameter.ndim >= 2]


def vectors(every: Parameters) -> Parameters:
    """The others."""
    return [parameter for parameter in every if parameter.ndim < 2]


def optimizer_with(
    *groups: Function,
    make: Function = torch.optim.Adam,
    first: Function = lambda learning_rate: {},
    **settings: Any,
) -> Function:
    """An optimiser of groups from the list of parameters. Args: first: settings of the first group alone."""

    def attempt(parameters: Iterable[nn.Parameter], learning_rate: float) -> Any:
        every = list(parameters)
        parts: list[dict[str, Any]] = [{"params": group(every)} for group in groups or (matrices, vectors)]
        parts[0] |= first(learning_rate)
        return make(parts, **{"lr": learning_rate, "eps": 1e-5, **settings})

    return attempt


PATIENT = Patient(
    "patient_07", MISSING_PARAMETERS, ill=ill, cured=optimizer_with(), seams=lambda function: {"optimizer_fn": function}
)
EXERCISE = Exercise.listed(
    "patient_07",
    cases=cases,
    observe=OptimizerSteps("parameters, learning_rate", ("network",), grouped=True),
    reference=PATIENT.cured,
    show_case=shown("patient_07"),
    hints=(
        "Count: how many tensors does the network have, and how many are in optimizer.param_groups?",
        "network.parameters() is a generator. What does a second loop over the same generator find?",
        "parameters = list(parameters) as the first line.",
    ),
    misconceptions=(
        unpatched(ill, "Count the parameters in each group of the optimiser that it returns."),
        mistake(
            "vectors-alone",
            "Now the vectors move and the matrices stay as they were: the two loops have changed places, and still only the "
            "first one finds something. Both groups have to be filled.",
            optimizer_with(vectors),
        ),
        mistake(
            "some-left-out",
            "Not all parameters are in a group, so some of them never move: the last one, all but the first, or those whose "
            "number of axes is none of the two that you ask for. The groups together have to hold as many as the network.",
            optimizer_with(matrices, lambda every: [p for p in every if p.ndim == 1]),
            optimizer_with(lambda every: every[:-1]),
            optimizer_with(lambda every: every[:1]),
        ),
        mistake(
            "copies",
            "No parameter of the network moves: the optimiser holds copies of them. clone, detach and a new nn.Parameter make "
            "another tensor. list(parameters) keeps the tensors themselves.",
            optimizer_with(lambda every: [nn.Parameter(p.detach().clone()) for p in every]),
        ),
        mistake(
            "not-in-two-groups",
            "The parameters move as they should, and are not in two groups, matrices and vectors. Whoever wants to treat the "
            "biases apart next month could not. Sort by the number of axes: 2 and more, and less than 2.",
            optimizer_with(lambda every: every),
            optimizer_with(lambda every: [p for p in every if p.ndim], lambda every: [p for p in every if not p.ndim]),
        ),
        mistake(
            "eps-left-out",
            "eps is not 1e-5, but the optimiser's own 1e-8. Where gradients are small, steps are larger than in the run that you "
            "compare with. The repair changes no setting.",
            optimizer_with(eps=1e-8),
            optimizer_with(lambda every: every, eps=1e-8),
        ),
        mistake(
            "rate-of-one-group-alone",
            "Only one of the groups, or none, moves by learning_rate; the rest moves by the optimiser's own default. What stands "
            "in one group's dict is for that group: give the rate to the optimiser.",
            optimizer_with(lr=1e-3, first=lambda learning_rate: {"lr": learning_rate}),
            optimizer_with(lr=1e-3),
            optimizer_with(first=lambda learning_rate: {"lr": 1e-3}),
        ),
        mistake(
            "weight-decay",
            "The parameters are drawn towards 0 as well: weight decay is on, by hand, for one group, or by an optimiser that has "
            "it by default. Nothing but the learning rate and eps is asked for.",
            optimizer_with(make=torch.optim.AdamW),
            optimizer_with(weight_decay=0.01),
            *(optimizer_with(first=lambda _, size=size: {"weight_decay": size}) for size in (0.01, 1e-3, 1e-4)),
        ),
    ),
)
