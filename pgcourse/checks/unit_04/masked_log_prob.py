"""masked_log_prob(logits, mask, action): log-probability of an action among those that are allowed."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.authoring import Call, Case, Exercise, edits_of, generator, integers, normal


def masked_log_prob(logits: Tensor, mask: Tensor, action: Tensor) -> Tensor:
    """log softmax of the allowed logits alone, at the action. logits, mask [B, A], action [B] int64 -> [B]."""
    allowed = logits.masked_fill(~mask, -1e8)  # [B, A]
    log_prob = allowed.log_softmax(dim=-1)  # [B, A]
    return log_prob.gather(-1, action.unsqueeze(-1)).squeeze(-1)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. Every action is allowed in its row, so no row allows nothing."""
    yield from_rows([[0.0, math.log(3), math.log(4)]], ["110"], [0])
    yield from_rows([[1.0, 2.0, 4.0], [0.0, 5.0, 0.0]], ["101", "011"], [2, 2])
    yield from_rows([[1.0, 2.0, 3.0]], ["111"], [1])
    yield from_rows([[3.0, -2.0, 1.0]], ["010"], [1])
    # What is not allowed is far likelier than all that is.
    yield from_rows([[-1.0, 0.5, 30.0, 200.0], [200.0, -2.0, 0.0, 30.0]], ["1100", "0110"], [0, 2])
    # No ties among large logits: x - logsumexp(x) is right too, but float32 leaves it three digits of log 2 at 10,000.
    yield from_rows([[1e4, -1e4, 0.0], [-1e4, 0.0, 1e4], [0.0, -1e4, 1e4]], ["101", "110", "110"], [2, 0, 1])
    yield from_rows([[-1e4, 1e4, 0.0], [-1e4, 1e4, 1e4]], ["100", "100"], [0, 0])
    source = generator(seed)
    yield random_rows(source, 5, 4)
    yield random_rows(source, 1, 6)
    yield random_rows(source, 4, 4)
    yield random_rows(source, 4, 6, dtype=torch.float64)
    large = [[-1e4, 1e4, 0.0], [-1e4, 1e4, 1e4], [1e4, -1e4, 0.0], normal(source, 3).tolist()]
    yield from_rows(large, ["100", "100", "101", "110"], [0, 0, 2, int(integers(source, 2))])


def from_rows(logits: list[list[float]], allowed: list[str], action: list[int]) -> Case:
    """Masks written as text, 1 for allowed."""
    mask = torch.tensor([[digit == "1" for digit in row] for row in allowed])
    return {"logits": torch.tensor(logits), "mask": mask, "action": torch.tensor(action)}


def random_rows(source: torch.Generator, batch: int, actions: int, dtype: torch.dtype = torch.float32) -> Case:
    """About half of the actions are allowed, and the one that was taken is."""
    logits, action = 2 * normal(source, batch, actions, dtype=dtype), integers(source, actions, batch)
    mask = integers(source, 2, batch, actions).bool().scatter(-1, action[:, None], True)
    return {"logits": logits, "mask": mask, "action": action}


mistake = edits_of(masked_log_prob)
FILLED = "logits.masked_fill(~mask, -1e8)"
NORMALISED = "allowed.log_softmax(dim=-1)"

EXERCISE = Exercise.listed(
    "masked_log_prob",
    cases=cases,
    observe=Call("logits, mask, action", differentiable=("logits",)),
    reference=masked_log_prob,
    hints=(
        "Work the example by hand. Which exponentials belong into the sum below the fraction? Then ask which logit an action "
        "would need so that its exponential is exactly 0.",
        "Change the logits before the softmax: put a very large negative number, such as -1e8, where the mask is False. "
        "Then it is the log_softmax and the gather of unit 00. masked_fill(condition, number) fills where the condition is "
        "True, so the mask has to be turned round.",
        "logits.masked_fill(~mask, -1e8).log_softmax(dim=-1) is [B, A]. Apply .gather(-1, action.unsqueeze(-1)) to it, which is "
        "[B, 1], and remove the last axis with .squeeze(-1).",
    ),
    misconceptions=(
        mistake(
            "not-renormalised",
            "Your probabilities are those among all actions: the mask came after the softmax, or not at all. What forbidden "
            "actions had is lost then, and the allowed ones do not sum to 1. The policy that acts shares it out again, so its "
            "log-probabilities are others. Mask the logits first.",
            {FILLED: "logits"},
            {"~mask, -1e8": "~mask & False, -1e8"},
            {NORMALISED: "logits.log_softmax(dim=-1).masked_fill(~mask, -1e8)"},
        ),
        mistake(
            "log-of-masked-probabilities",
            "You masked the probabilities and took the logarithm afterwards. The logarithm of the 0 that stands at a forbidden "
            "action has an infinite slope, and 0 times infinity is NaN in the gradient, although nobody asked for that number; "
            "where the allowed ones round to 0, it is in the number as well. Mask the logits, before the softmax.",
            {NORMALISED: "(logits.softmax(-1) * mask).log()"},
            {NORMALISED: "((p := logits.softmax(-1) * mask) / p.sum(-1, keepdim=True)).log()"},
            {NORMALISED: "((p := logits.exp() * mask) / p.sum(-1, keepdim=True)).log()"},
        ),
        mistake(
            "exponentials-overflow",
            "You took the exponentials of the logits yourself. exp(200) is infinite in float32, and infinity times a mask of 0 "
            "is NaN; without the mask the sum is infinite. log_softmax and logsumexp subtract the largest logit first: mask the "
            "logits, and leave the exponentials to them.",
            {NORMALISED: "logits - (logits.exp() * mask).sum(-1, keepdim=True).log()"},
            {NORMALISED: "logits - logits.exp().masked_fill(~mask, 0).sum(-1, keepdim=True).log()"},
        ),
        mistake(
            "logarithm-with-a-small-number",
            "You masked the probabilities and kept the logarithm finite with a small number. Where forbidden actions have "
            "nearly all the probability, that number is all that is left, and the gradient with it. Masked logits need no "
            "such help.",
            {NORMALISED: "((p := logits.softmax(-1) * mask) / p.sum(-1, keepdim=True) + 1e-8).log()"},
            {NORMALISED: "((p := logits.softmax(-1) * mask) / (p.sum(-1, keepdim=True) + 1e-8) + 1e-8).log()"},
            {NORMALISED: "((p := logits.softmax(-1) * mask) / p.sum(-1, keepdim=True)).clamp(min=1e-8).log()"},
        ),
        mistake(
            "zero-for-a-logit",
            "You gave forbidden actions the logit 0, for instance by multiplying the logits with the mask. A logit of 0 is no "
            "probability of 0: exp(0) is 1, more than any negative logit has. Which number has an exponential of 0?",
            {FILLED: "logits * mask"},
            {"-1e8": "0.0"},
        ),
        mistake(
            "mask-the-wrong-way-round",
            "Your numbers are those of the opposite mask: the forbidden actions share the probability, and the allowed ones have "
            "none. The mask is True where an action is allowed, masked_fill fills where it is given True, and what it fills in "
            "has to be negative.",
            {"~mask": "mask"},
            {"~mask, -1e8": "mask, -1e9"},
            {"~mask, -1e8": "mask, float('-inf')"},
            {"-1e8": "1e8"},
        ),
        mistake(
            "not-negative-enough",
            "The number that you put in for forbidden actions, or took off from their logits, is too close to real logits. Where "
            "the allowed ones are as low, or a forbidden one was as high, something is left for what is forbidden. -1e8 "
            "is below everything that a network gives.",
            {"-1e8": "-10.0"},
            {"-1e8": "-100.0"},
            {"-1e8": "-1e3"},
            {"-1e8": "-1e4"},
            {"-1e8": "logits.min().item()"},
            {FILLED: "logits + ~mask * -10.0"},
            {FILLED: "logits + ~mask * -100.0"},
            {FILLED: "logits + ~mask * -1e3"},
            {FILLED: "logits + ~mask * -1e4"},
            {FILLED: "logits + (mask + 1e-8).log()"},
            {FILLED: "logits + (mask + 1e-45).log()"},
        ),
        mistake(
            "zero-times-infinity",
            "You multiplied the mask by infinity. Where it is 0, that is 0 times infinity, which is NaN, so the allowed actions "
            "are lost. Choose with torch.where or masked_fill, or take a finite number.",
            {FILLED: "logits + ~mask * float('-inf')"},
            {FILLED: "logits * mask + ~mask * float('-inf')"},
        ),
        mistake(
            "one-mask-for-all-rows",
            "You took one mask for the whole batch. Each row is another state, in which other actions are allowed.",
            {"~mask": "~mask[:1]"},
            {"~mask": "~mask[-1:]"},
            {"~mask": "~mask.any(0)"},
            {"~mask": "~mask.all(0)"},
        ),
        mistake(
            "logits-taken-for-log-probabilities",
            "You returned the masked logit itself. Logits become log-probabilities only after normalising: subtract the "
            "logarithm of the sum of the exponentials of the allowed ones.",
            {".log_softmax(dim=-1)": ""},
        ),
        mistake(
            "probability-not-logarithm",
            "You returned the probability of the action. PPO's ratio is made of logarithms, which are never positive. One "
            "step is missing.",
            {"log_softmax": "softmax"},
        ),
        mistake(
            "normalised-along-another-axis",
            "You normalised over the batch, or over the whole table at once. A row is one state's distribution: which axis of "
            "[B, A] holds the actions?",
            {"dim=-1": "dim=0"},
            {NORMALISED: "allowed.flatten().log_softmax(0).view(logits.shape)"},
        ),
        mistake(
            "normaliser-detached",
            "The numbers are right, but the log of the sum of exponentials is cut from the graph. It depends on every allowed "
            "logit: through it, raising one action lowers the others.",
            {NORMALISED: "allowed.sub(allowed.logsumexp(-1, keepdim=True).detach())"},
        ),
        mistake(
            "all-rows-with-all-actions",
            "You indexed the columns with all actions at once, which pairs every row with every action of the batch: [B, B]. "
            "Each row must be paired with its own action only; gather does that, or a row index beside it.",
            {"log_prob.gather(-1, action.unsqueeze(-1)).squeeze(-1)": "log_prob[:, action]"},
        ),
        mistake(
            "gathered-along-another-axis",
            "You gathered along the batch: the action then chooses a row of the table, and its place in the list the column. "
            "It has to choose a column in its own row: gather along the last axis, with an index of shape [B, 1].",
            {
                "log_prob.gather(-1, action.unsqueeze(-1)).squeeze(-1)": "log_prob.gather(0, action.unsqueeze(0)).squeeze(0)"
            },
        ),
    ),
)
