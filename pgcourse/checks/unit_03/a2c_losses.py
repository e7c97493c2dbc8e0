"""a2c_losses(...): the two losses of A2C, each for an optimiser of its own."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from pgcourse.checks.authoring import Call, Case, Exercise, edits_of, generator, normal
from pgcourse.checks.unit_03.rollouts import named_call
from pgcourse.returns import normalize

SIGNATURE = "log_prob, advantages, values, returns, entropy, *, ent_coef"
NAMES = ("log_prob", "advantages", "values", "returns", "entropy")


def a2c_losses(
    log_prob: Tensor, advantages: Tensor, values: Tensor, returns: Tensor, entropy: Tensor, *, ent_coef: float
) -> tuple[Tensor, Tensor]:
    """Policy loss with entropy bonus, and half the mean squared error of the critic. All inputs [B]."""
    policy_loss = -(advantages.detach() * log_prob).mean() - ent_coef * entropy.mean()
    value_loss = 0.5 * (values - returns.detach()).square().mean()
    return policy_loss, value_loss


def _as_list(*inputs: Tensor, ent_coef: float) -> list[Tensor]:
    return list(a2c_losses(*inputs, ent_coef=ent_coef))


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield _case([-0.5], [2.0], [1.0], [4.0], [0.6], ent_coef=0.5)
    yield _case([-1.0, -2.0], [3.0, -1.0], [1.0, 5.0], [3.0, 1.0], [0.5, 0.25], ent_coef=0.1)
    yield _case([-1.0, -0.5, -2.0], [20.0, -2.0, 0.0], [0.0, 2.0, -1.0], [1.0, 2.0, 5.0], [0.7, 0.1, 0.0], ent_coef=0.0)
    source = generator(seed)
    batches = ((7, 0.01, 1, torch.float32), (5, 2.5, 30, torch.float32), (6, 0.02, 1, torch.float64))
    for count, ent_coef, unlikely, dtype in batches:
        log_prob, advantages, values, returns, entropy = (normal(source, count, dtype=dtype) for _ in NAMES)
        yield {
            "log_prob": -unlikely * log_prob.abs(), "advantages": 3 * advantages + 1, "values": 4 * values,
            "returns": 30 * returns + 9, "entropy": entropy, "ent_coef": ent_coef,
        }  # fmt: skip


def _case(*columns: list[float], ent_coef: float) -> Case:
    return dict(zip(NAMES, map(torch.tensor, columns), strict=True)) | {"ent_coef": ent_coef}


mistake = edits_of(a2c_losses, functional=functional, normalize=normalize)

EXERCISE = Exercise.listed(
    "a2c_losses",
    cases=cases,
    observe=Call(SIGNATURE, differentiable=("log_prob", "values", "entropy"), constant=("advantages", "returns")),
    reference=a2c_losses,
    also_correct=(_as_list,),
    show_case=named_call("a2c_losses", SIGNATURE),
    hints=(
        "Two networks, two losses, and nothing of one in the other. Optimisers minimise: which of the three quantities, "
        "weighted log-probability, entropy and squared error, should become larger?",
        "Policy: minus the mean of advantage times log-probability, minus ent_coef times the mean entropy. Critic: half "
        "the mean of (value - return) squared. Advantages and returns are data: detach them.",
        "policy_loss = -(advantages.detach() * log_prob).mean() - ent_coef * entropy.mean(); value_loss = 0.5 * (values - "
        "returns.detach()).square().mean(); return policy_loss, value_loss",
    ),
    misconceptions=(
        mistake(
            "entropy-sign",
            "You added the entropy term to the loss. An optimiser would then make the entropy small, and the policy would "
            "stop exploring early. A bonus makes the loss smaller: subtract it.",
            {"- ent_coef": "+ ent_coef"},
        ),
        mistake(
            "policy-sign",
            "The minus is missing before the weighted log-probabilities: an optimiser would make good actions rarer.",
            {"-(advantages": "(advantages"},
            {"-(advantages": "(advantages", "- ent_coef": "+ ent_coef"},
        ),
        mistake(
            "sum-for-mean",
            "You summed over the batch where a mean is asked for: the size of the step would grow with the batch.",
            {"log_prob).mean()": "log_prob).sum()", "square().mean()": "square().sum()"},
            {"log_prob).mean()": "log_prob).sum()"},
            {"square().mean()": "square().sum()"},
            {"0.5 * (values - returns.detach()).square().mean()": "(values - returns.detach()).square().sum()"},
            {"log_prob).mean()": "log_prob).sum()", "square().mean()": "square().sum()", "entropy.mean": "entropy.sum"},
            {"entropy.mean()": "entropy.sum()"},
        ),
        mistake(
            "half-missing",
            "Your value loss is twice as large as asked: half the mean squared error is. With the half its gradient is the "
            "plain error. Adam hardly minds the factor, the clipped gradient norm does.",
            {"0.5 * ": ""},
        ),
        mistake(
            "errors-not-squared",
            "Your value loss is not a mean of squared errors. Without a square, or squared after averaging, errors of "
            "opposite sign cancel; absolute ones pull the critic towards the median return, and the value is the mean.",
            {"0.5 * ": "", ".square()": ""},
            {".square()": ""},
            {"0.5 * ": "", ".square()": ".abs()"},
            {".square()": ".abs()"},
            {"0.5 * (values -": "functional.smooth_l1_loss(values,", ".square().mean()": ""},
            {".square().mean()": ".mean().square()"},
            {"0.5 * ": "", ".square().mean()": ".mean().square()"},
        ),
        mistake(
            "critic-fitted-to-advantages",
            "Your value loss squares the advantages, or compares the values with them. The advantages are detached data, and "
            "the critic learns nothing from their size. Its loss compares values with returns.",
            {"(values - returns.detach())": "advantages.detach()"},
            {"values - returns.detach()": "values - advantages.detach()"},
            {"0.5 * (values - returns.detach())": "(values - advantages.detach())"},
        ),
        mistake(
            "advantages-not-used",
            "You weighted the log-probabilities by something other than the given advantages: the returns, or returns minus "
            "values, or nothing. The advantages come from GAE and are ready to use.",
            {"advantages.detach() * ": "returns.detach() * "},
            {"advantages.detach() * ": "(returns - values).detach() * "},
            {"advantages.detach() * ": "(returns.detach() - values) * "},
            {"advantages.detach() * ": ""},
        ),
        mistake(
            "normalised-inside",
            "You normalised the advantages inside the loss. The training loop standardises them, as a step of its own before "
            "the losses: use them as they are given.",
            {"advantages.detach() *": "normalize(advantages.detach()) *"},
            {"advantages.detach() *": "(a := advantages.detach()).sub(a.mean()) / (a.std() + 1e-8) *"},
            {"advantages.detach() *": "(advantages - advantages.mean()).detach() *"},
        ),
        mistake(
            "losses-joined",
            "You joined the two losses. With an optimiser for each network, the pieces are kept apart: a weight such as 0.5 "
            "between them, and one norm for clipping both, would tie two learning rates together.",
            {"policy_loss, value_loss": "policy_loss + value_loss"},
            {"policy_loss, value_loss": "policy_loss + 0.5 * value_loss"},
            {"policy_loss, value_loss": "policy_loss + value_loss, value_loss"},
            {"policy_loss, value_loss": "policy_loss + value_loss, policy_loss + value_loss"},
        ),
        mistake(
            "order-exchanged",
            "You returned the value loss first: each optimiser would follow the loss of the other network.",
            {"policy_loss, value_loss": "value_loss, policy_loss"},
        ),
    ),
)
