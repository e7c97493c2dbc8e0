"""patient_07: the optimiser of a network."""

from collections.abc import Iterable, Iterator

import torch
from torch import nn

from pgcourse.checks.authoring import Case, edits_of, generator
from pgcourse.checks.observe.optimizers import OptimizerSteps
from pgcourse.checks.unit_06.optimizers import network_case, shown
from pgcourse.checks.unit_06.patient import Patient, exercise_of
from pgcourse.study.traps import MISSING_PARAMETERS


def ill(parameters, learning_rate):  # type: ignore[no-untyped-def]
    """Adam with eps = 1e-5 for a network, its matrices and its vectors in two groups, so that each can be treated apart.

    parameters: what network.parameters() gives: those of two axes or more are matrices, all others vectors, a single number
    too. learning_rate: of both groups. Nothing else is set.
    """
    matrices = [parameter for parameter in parameters if parameter.ndim >= 2]
    vectors = [parameter for parameter in parameters if parameter.ndim < 2]
    return torch.optim.Adam([{"params": matrices}, {"params": vectors}], lr=learning_rate, eps=1e-5)


def patient_07(parameters: Iterable[nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
    """Adam with eps = 1e-5 for a network, its matrices and its vectors in two groups."""
    parameters = list(parameters)
    matrices = [parameter for parameter in parameters if parameter.ndim >= 2]
    vectors = [parameter for parameter in parameters if parameter.ndim < 2]
    return torch.optim.Adam([{"params": matrices}, {"params": vectors}], lr=learning_rate, eps=1e-5)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. The last gradients are as small as eps, which shows it, and weight decay."""
    yield network_case({"network": {"weight": (1, 2), "bias": (2,)}}, learning_rate=0.1)
    yield network_case({"network": {"weight": (2, 2), "bias": (2,), "log_std": (1,)}}, learning_rate=0.01)
    sizes = {
        "first_weight": (3, 2),
        "first_bias": (3,),
        "second_weight": (1, 3),
        "second_bias": (1,),
        "kernel": (2, 1, 2),
    }
    yield network_case({"network": sizes}, seed=seed, learning_rate=0.05)
    yield network_case({"network": {"scale": (), "weight": (2, 3)}}, seed=seed + 1, learning_rate=0.02)
    yield network_case({"network": {"weight": (2, 2), "bias": (2,)}}, seed=seed + 2, gradient=1e-5, learning_rate=0.05)
    once, again = (1 + torch.rand(2, generator=generator(seed))).tolist()
    for each, rate in ((seed + 3, 2e-4 / once), (seed + 4, 2.0 * again)):  # below and above every usual bound
        yield network_case({"network": {"weight": (2, 2), "bias": (2,)}}, seed=each, learning_rate=rate)


BOTH_GROUPS = '[{"params": matrices}, {"params": vectors}]'
mistake = edits_of(patient_07)
PATIENT = Patient("patient_07", MISSING_PARAMETERS, ill, patient_07, lambda function: {"optimizer_fn": function})
EXERCISE = exercise_of(
    PATIENT,
    "Count the parameters in each group of the optimiser that it returns.",
    cases=cases,
    observe=OptimizerSteps("parameters, learning_rate", ("network",), grouped=True),
    show_case=shown("patient_07"),
    hints=(
        "Count: how many tensors does the network have, and how many are in optimizer.param_groups?",
        "network.parameters() is a generator. What does a second loop over the same generator find?",
        "parameters = list(parameters) as the first line.",
    ),
    misconceptions=(
        mistake(
            "some-left-out",
            "Not all parameters are in a group, so some never move: all matrices, the last one, or those whose number of axes is "
            "none of the two that you ask for. The groups together have to hold as many as the network.",
            {'"params": matrices': '"params": []'},
            {"ndim < 2": "ndim == 1"},
            {"list(parameters)": "list(parameters)[:-1]"},
            {"list(parameters)": "list(parameters)[:1]"},
        ),
        mistake(
            "copies",
            "No parameter of the network moves: the optimiser holds copies of them. clone, detach and a new nn.Parameter make "
            "another tensor. list(parameters) keeps the tensors themselves.",
            {"list(parameters)": "[nn.Parameter(each.detach().clone()) for each in parameters]"},
        ),
        mistake(
            "not-in-two-groups",
            "The parameters move as they should, and are not in two groups, matrices and vectors. Whoever wants to treat the "
            "biases apart next month could not. Sort by the number of axes: 2 and more, and less than 2.",
            {BOTH_GROUPS: "parameters"},
            {"ndim >= 2": "ndim >= 1", "ndim < 2": "ndim < 1"},
        ),
        mistake(
            "another-setting-changed",
            "eps is not 1e-5, or weight decay is on, by hand or by an optimiser that has it by default: another run than the one "
            "that you compare with. A repair of the groups changes no setting.",
            {", eps=1e-5": ""},
            {BOTH_GROUPS: "parameters", ", eps=1e-5": ""},
            {"optim.Adam(": "optim.AdamW("},
            {"eps=1e-5": "eps=1e-5, weight_decay=0.01"},
            *({"matrices}": f'matrices, "weight_decay": {size}}}'} for size in (0.01, 0.001, 0.0001)),
        ),
        mistake(
            "rate-of-one-group-alone",
            "Only one of the groups, or none, moves by learning_rate; the rest moves by the optimiser's own default. What stands "
            "in one group's dict is for that group: give the rate to the optimiser.",
            {"matrices}": 'matrices, "lr": learning_rate}', "lr=learning_rate, ": ""},
            {"vectors}": 'vectors, "lr": learning_rate}', "lr=learning_rate, ": ""},
            {"lr=learning_rate, ": ""},
        ),
    ),
)
