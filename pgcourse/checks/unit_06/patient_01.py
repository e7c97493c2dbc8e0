"""patient_01: the clipped loss of a minibatch, from the policy itself."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from pgcourse.checks.authoring import Case, edits_of, generator, integers, normal
from pgcourse.checks.observe.networks import PolicyLoss
from pgcourse.checks.unit_04.ppo_clip_loss import EXERCISE as PPO_CLIP_LOSS
from pgcourse.checks.unit_06.patient import Patient, exercise_of, with_loss_in
from pgcourse.checks.wording import value
from pgcourse.study import hooks
from pgcourse.study.traps import OLD_LOG_PROB_RECOMPUTED


def ill(policy, obs, actions, old_log_prob, advantages, *, clip_coef):  # type: ignore[no-untyped-def]
    """The clipped loss of one minibatch, and the logarithm of each row's ratio for the diagnostics.

    policy: obs [B, D] -> distribution. actions, advantages: [B]. old_log_prob: [B], of the policy that acted. clip_coef:
    half the width of the ratio's interval.
    Returns (loss, log_ratio): a scalar whose gradient reaches the policy, and [B], new minus old, without gradient.
    """
    log_prob = policy(obs).log_prob(actions)  # [B]
    with torch.no_grad():
        before = policy(obs).log_prob(actions)  # [B]
    log_ratio = log_prob - before
    ratio = log_ratio.exp()
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    loss = -torch.minimum(ratio * advantages, clipped * advantages).mean()
    return loss, log_ratio.detach()


def patient_01(
    policy: nn.Module, obs: Tensor, actions: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float
) -> tuple[Tensor, Tensor]:
    """The clipped loss of one minibatch, with the log-probabilities of the policy that acted."""
    log_prob = policy(obs).log_prob(actions)  # [B]
    log_ratio = log_prob - old_log_prob
    ratio = log_ratio.exp()
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    loss = -torch.minimum(ratio * advantages, clipped * advantages).mean()
    return loss, log_ratio.detach()


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. A policy of weight 0 gives each of two actions the log-probability -0.693."""
    fixed = {"weight": torch.zeros(2, 1), "bias": torch.zeros(2), "clip_coef": 0.2}
    for obs, chosen, *data in (
        ([1.0], [0], [-0.8], [2.0]),
        ([1.0, 2.0, 3.0, 4.0], [0, 0, 1, 1], [-1.2, -0.3, -1.3, -0.2], [2.0, 1.0, -1.0, -3.0]),
        # Here the unclipped mean is the smaller one, and means taken first differ from the clipped ratio alone.
        ([1.0, 1.0], [0, 1], [-1.0986, 0.0], [-3.0, 1.0]),
    ):
        numbers = dict(zip(("old_log_prob", "advantages"), map(torch.tensor, data), strict=True))
        yield {**fixed, "obs": torch.tensor(obs)[:, None], "actions": torch.tensor(chosen), **numbers}
    source = generator(seed)
    for batch, actions, clip_coef, dtype in ((12, 3, 0.2, torch.float32), (16, 2, 0.3, torch.float64)):
        case: Case = {
            "weight": 0.5 * normal(source, actions, 2, dtype=dtype),
            "bias": 0.1 * normal(source, actions, dtype=dtype),
            "obs": normal(source, batch, 2, dtype=dtype),
            "actions": integers(source, actions, batch),
            "old_log_prob": -normal(source, batch, dtype=dtype).abs() - 0.2,
            "advantages": normal(source, batch, dtype=dtype),
            "clip_coef": clip_coef,
        }
        if dtype == torch.float64:  # a bad action that has become likelier by far: nothing bounds what it costs
            case["old_log_prob"][0] -= 6
            case["advantages"][0] = -1
        yield case
    rows = {name: case[name][:2] for name in ("obs", "actions", "old_log_prob")}
    rows["old_log_prob"] = rows["old_log_prob"] - torch.tensor([19.0, 25.0])
    yield {**case, **rows, "advantages": -torch.ones(2, dtype=torch.float64)}


def shown(case: Case) -> str:
    """The case as a call, the policy in words."""
    policy = f"<linear policy of weight {value(case['weight'])} and bias {value(case['bias'])}>"
    tensors = ", ".join(value(case[name]) for name in ("obs", "actions", "old_log_prob", "advantages"))
    return f"patient_01({policy}, {tensors}, clip_coef={value(case['clip_coef'])})"


mistake = edits_of(patient_01)
PATIENT = Patient("patient_01", OLD_LOG_PROB_RECOMPUTED, ill, patient_01, hooks.loss_of_policy)
EXERCISE = exercise_of(
    PATIENT,
    "Look for an argument that the code never reads, and ask which policy `before` is of.",
    like=PPO_CLIP_LOSS,
    cases=cases,
    observe=PolicyLoss("policy, obs, actions, old_log_prob, advantages, *, clip_coef"),
    show_case=shown,
    hints=(
        "Which two policies does the ratio compare? Name, for each of the two log-probabilities in the code, the policy that "
        "it is of.",
        "One of the arguments is never read. It was stored when the actions were taken, and stays as it is in all epochs.",
        "log_ratio = log_prob - old_log_prob; the block under no_grad goes.",
    ),
    misconceptions=(
        mistake(
            "only-the-report-mended",
            "The logarithm of the ratio that you return is right, and the loss still compares the policy with itself. The "
            "diagnostics would show a KL that nothing limits. Both come from the same difference.",
            {"ratio = log_ratio.exp()": "ratio = (log_prob - log_prob.detach()).exp()"},
        ),
        mistake(
            "ratio-upside-down",
            "Your ratio is the old probability over the new one, so the step goes the wrong way: making a good action more "
            "likely lowers your objective. The new policy stands on top.",
            {"log_prob - old_log_prob": "old_log_prob - log_prob"},
        ),
        mistake(
            "another-number-reported",
            "The loss is right, and with it comes something else than the logarithm of each row's ratio, new over old: the "
            "ratio, its clip, the difference turned round, or one that hangs on the policy. Detach what you report.",
            {"log_ratio.detach()": "ratio.detach()"},
            {"log_ratio.detach()": "clipped.log().detach()"},
            {"log_ratio.detach()": "-log_ratio.detach()"},
            {"log_ratio.detach()": "log_ratio"},
        ),
    ),
    dress=with_loss_in(patient_01),
)
