"""rewards_with_kl(rewards, log_prob, reference_log_prob, mask, *, kl_coef): a mark at the end, and a price on every token."""

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.authoring import Call, Case, Exercise, edits_of, generator, integers, normal


def rewards_with_kl(
    rewards: Tensor, log_prob: Tensor, reference_log_prob: Tensor, mask: Tensor, *, kl_coef: float
) -> Tensor:
    """Reward of each token [B, T]: -kl_coef (log p - log q), and the answer's mark on its last token."""
    with torch.no_grad():
        difference = log_prob - reference_log_prob
        result = -kl_coef * difference * mask
        rows, last = torch.arange(len(rewards)), mask.sum(1) - 1
        result[rows, last] += rewards
        return result


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. On what fills a row up the two log-probabilities may differ."""
    yield _case([1.0], [[-1.0, -1.0, 0.0]], [[-2.0, -0.5, 0.0]], [2], kl_coef=0.1)
    yield _case([2.0], [[-1.0]], [[-3.0]], [1], kl_coef=0.5)
    yield _case([1.0, -1.0], [[-1.0, -2.0], [-1.0, 4.0]], [[-1.0, -1.0], [-3.0, -4.0]], [2, 1], kl_coef=0.5)
    yield _case([3.0, 0.0], [[-1.0, -2.0], [-1.0, -0.5]], [[-2.0, -1.0], [-1.0, -3.0]], [1, 2], kl_coef=0.0)
    # Answers of 1, 2 and 3 tokens in rows of 4: nobody reaches the last column.
    yield _case(
        [5.0, -4.0, 0.5],
        [[-1.0, 0.0, 7.0, 0.0], [-0.5, -0.5, 0.0, 2.0], [-3.0, -1.0, -2.0, -9.0]],
        [[-2.0, -5.0, 0.0, 1.0], [-0.5, -4.0, -1.0, 0.0], [-1.0, -1.0, -2.5, 3.0]],
        [1, 2, 3],
        kl_coef=2.0,
    )
    # A token that the reference would never have chosen.
    yield _case([1.0], [[-1.0, -2.0, -0.5]], [[-31.0, -2.5, -0.25]], [3], kl_coef=0.5)
    source = generator(seed)
    yield _random(source, 4, 6, kl_coef=1.5)
    yield _random(source, 6, 5, kl_coef=0.05, dtype=torch.float64)
    case = _random(source, 4, 5, kl_coef=0.5)  # of tokens that the reference likes better
    yield case | {"log_prob": case["reference_log_prob"], "reference_log_prob": case["log_prob"]}


def _case(
    rewards: list[float],
    log_prob: list[list[float]],
    reference: list[list[float]],
    lengths: list[int],
    *,
    kl_coef: float,
) -> Case:
    return {
        "rewards": torch.tensor(rewards),
        "log_prob": torch.tensor(log_prob),
        "reference_log_prob": torch.tensor(reference),
        "mask": torch.arange(len(log_prob[0])) < torch.tensor(lengths)[:, None],
        "kl_coef": kl_coef,
    }


def _random(
    source: torch.Generator, answers: int, length: int, *, kl_coef: float, dtype: torch.dtype = torch.float32
) -> Case:
    """Marks that are no plain 0 and 1; the first answer has all `length` tokens, the second a single one."""
    lengths = 1 + integers(source, length, answers)
    lengths[:2] = torch.tensor([length, 1])
    return {
        "rewards": 2 * normal(source, answers, dtype=dtype),
        "log_prob": -normal(source, answers, length, dtype=dtype).abs(),
        "reference_log_prob": -30 * normal(source, answers, length, dtype=dtype).abs() - 0.3,
        "mask": torch.arange(length) < lengths[:, None],
        "kl_coef": kl_coef,
    }


mistake = edits_of(rewards_with_kl)
MARK = "result[rows, last] += rewards"
PRICE = "-kl_coef * difference * mask"
LAST = "mask.sum(1) - 1"

EXERCISE = Exercise.listed(
    "rewards_with_kl",
    cases=cases,
    observe=Call(
        "rewards, log_prob, reference_log_prob, mask, *, kl_coef",
        constant=("rewards", "log_prob", "reference_log_prob"),
    ),
    reference=rewards_with_kl,
    hints=(
        "Work the first case by hand. Two tokens belong to the answer: what does each of them cost, and which of the two gets "
        "the mark as well?",
        "The price of each token is kl_coef times (log p - log q), and it is taken off wherever the mask is True. The last token "
        "of a row with n tokens has the index n - 1, and n is the row's sum of the mask. There the mark is added to the price.",
        "with torch.no_grad(): result = -kl_coef * (log_prob - reference_log_prob) * mask; "
        "result[torch.arange(len(rewards)), mask.sum(1) - 1] += rewards; return result",
    ),
    misconceptions=(
        mistake(
            "mark-on-every-token",
            "You put the mark on every token, whole or in equal parts. It is given once, for the finished answer; the whole mark "
            "on each token would pay for length. Only the last token gets it.",
            {MARK: "result += rewards[:, None]"},
            {MARK: "result += rewards[:, None] * mask"},
            {MARK: "result += rewards[:, None] * mask / mask.sum(1, keepdim=True)"},
            {MARK: "result += rewards[:, None] / mask.shape[1]"},
        ),
        mistake(
            "mark-in-one-column",
            "You put the marks of all answers into one column: the first, the last, or that where the longest answer ends. The "
            "mark belongs to the end of each answer: the last token of a row has the index mask.sum(1) - 1.",
            {LAST: "-1"},
            {LAST: "mask.sum(1).max() - 1"},
            {LAST: "0"},
            {MARK: "result[:, -1] += rewards * mask[:, -1]"},
        ),
        mistake(
            "mark-one-token-off",
            "Your mark stands one token too late or too early. A row with n tokens has them at the indices 0 to n - 1, so the "
            "last one is mask.sum(1) - 1; the token that ends the answer is one of them.",
            {LAST: "mask.sum(1).clamp(max=mask.shape[1] - 1)"},
            {LAST: "mask.sum(1)"},
            {LAST: "mask.sum(1) - 2"},
            {LAST: "(mask.sum(1) - 2).clamp(min=0)"},
            {MARK: "result[:, :-1] += (rewards[:, None] * (torch.arange(1, mask.shape[1]) == last[:, None]))"},
        ),
        mistake(
            "mark-in-place-of-the-price",
            "The last token has the mark and no longer its price. It costs as every other token does: add the mark to what "
            "stands there.",
            {MARK: "result[rows, last] = rewards"},
        ),
        mistake(
            "price-paid-out",
            "You add what has to be taken off. A token that the model likes better than the reference does has a positive "
            "log p - log q and costs something: the sign before kl_coef is a minus.",
            {"-kl_coef": "kl_coef"},
        ),
        mistake(
            "filling-has-a-price",
            "You counted what fills the rows up. Nothing was chosen there, and the numbers mean nothing: where the mask is False "
            "the reward is 0.",
            {"difference * mask": "difference"},
            {"difference * mask": "difference * ~mask"},
        ),
        mistake(
            "price-at-the-end",
            "You took the price of all tokens together, as a sum or a mean. Each token has its own, on its own place: then a "
            "token is charged for what it has done itself and for what follows, and not for what was before it.",
            {PRICE: "torch.zeros_like(difference)", "+= rewards": "+= rewards - kl_coef * (difference * mask).sum(1)"},
            {PRICE: "torch.zeros_like(difference)", "+= rewards": "+= rewards - kl_coef * difference.sum(1)"},
            {
                PRICE: "torch.zeros_like(difference)",
                "+= rewards": "+= rewards - kl_coef * (difference * mask).sum(1) / mask.sum(1)",
            },
            {PRICE: "-kl_coef * (difference * mask).sum(1, keepdim=True) * mask"},
            {PRICE: "-kl_coef * (difference * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True) * mask"},
            {PRICE: "-kl_coef * difference[mask].mean() * mask"},
        ),
        mistake(
            "another-estimate",
            "Your price is not log p - log q: it is k2, k3 or an absolute value, or it is made of probabilities. The task asks "
            "for the plain difference of the logarithms, whose mean over tokens drawn from p is the divergence.",
            {"-kl_coef * difference": "-kl_coef * ((-difference).exp() - 1 + difference)"},
            {"-kl_coef * difference": "-kl_coef * (difference.exp() - 1 - difference)"},
            {"-kl_coef * difference": "-kl_coef * difference.abs()"},
            {"-kl_coef * difference": "-kl_coef * difference.square() / 2"},
            {"-kl_coef * difference": "-kl_coef * difference.square()"},
            {"-kl_coef * difference": "-kl_coef * log_prob.exp() * difference"},
            {"log_prob - reference_log_prob": "log_prob.exp() - reference_log_prob.exp()"},
            {"log_prob - reference_log_prob": "(log_prob - reference_log_prob).exp()"},
        ),
        mistake(
            "only-one-sign",
            "You cut the price at 0. A token that the reference likes better has a negative price, which is a payment, and the "
            "mean over tokens is the divergence only if those count too.",
            {"-kl_coef * difference": "-kl_coef * difference.clamp(min=0)"},
            {"-kl_coef * difference": "-kl_coef * difference.clamp(max=0)"},
            {MARK: "result.clamp_(min=0)\n        result[rows, last] += rewards"},
            {"return result": "return result.clamp(min=0)"},
        ),
        mistake(
            "mark-scaled",
            "You multiplied the mark by kl_coef, or by 1 - kl_coef. The coefficient says what a nat of distance costs; the mark "
            "counts in full.",
            {"+= rewards": "+= kl_coef * rewards"},
            {"+= rewards": "+= (1 - kl_coef) * rewards"},
            {"+= rewards": "-= kl_coef * rewards"},
        ),
        mistake(
            "price-not-scaled",
            "Your price is not kl_coef a nat: the coefficient is missing, or something else multiplies the difference, such as "
            "one over the answer's length. Every token's difference is multiplied by kl_coef alone.",
            {"-kl_coef * difference": "-difference"},
            {PRICE: "-kl_coef * difference * mask / mask.sum(1, keepdim=True)"},
            {PRICE: "-kl_coef * difference * mask / mask.shape[1]"},
            {PRICE: "-kl_coef * difference * mask / mask.sum()"},
        ),
        mistake(
            "returns-for-rewards",
            "You summed up: each token holds what comes from it to the end, or from the start up to it. Asked for are the "
            "rewards themselves, what each token earns at its own place; returns are made of them later.",
            {"return result": "return result.flip(1).cumsum(1).flip(1)"},
            {"return result": "return result.flip(1).cumsum(1).flip(1) * mask"},
            {"return result": "return result.cumsum(1) * mask"},
            {"return result": "return result.cumsum(1)"},
        ),
    ),
)
