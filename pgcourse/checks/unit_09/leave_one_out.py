"""leave_one_out(rewards): each answer's reward less the mean of the other answers to its prompt."""

from collections.abc import Iterator

import torch

from pgcourse.checks.authoring import Call, Case, Exercise, edits_of, generator, normal
from pgcourse.language.advantages import leave_one_out


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"rewards": torch.tensor([[1.0, 0.0]])}
    yield {"rewards": torch.tensor([[1.0, 0.0, 0.0, 0.0]])}
    yield {"rewards": torch.tensor([[1.0, 0.0, 0.0, 0.0], [2.0, 4.0, 2.0, 4.0]])}
    # All right, and all wrong: nothing to learn from either.
    yield {"rewards": torch.tensor([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])}
    # As many prompts as answers, and one prompt that is far easier.
    yield {"rewards": torch.tensor([[1.0, 2.0, 6.0], [-3.0, 0.0, 1.0], [10.0, 12.0, 11.0]])}
    yield {"rewards": torch.tensor([[1.0, 0.0], [0.0, 0.0], [5.0, 2.0]])}
    source = generator(seed)
    yield {"rewards": 3 * normal(source, 4, 24) + 1}
    yield {"rewards": normal(source, 5, 3, dtype=torch.float64) - 2}


def written_out(rewards):  # type: ignore[no-untyped-def]
    """A right answer in a learner's words, from which the wrong ones are made."""
    num_answers = rewards.shape[1]
    total = rewards.sum(1, keepdim=True)  # [P, 1]
    baseline = (total - rewards) / (num_answers - 1)
    return rewards - baseline


mistake = edits_of(written_out)
OTHERS = "(total - rewards) / (num_answers - 1)"

EXERCISE = Exercise.listed(
    "leave_one_out",
    cases=cases,
    observe=Call("rewards"),
    reference=leave_one_out,
    hints=(
        "Take the rewards 1, 0, 0, 0. What is the mean of the other three for the first answer, and what for the second?",
        "The sum of the others is the sum of the row less the answer's own reward. Their number is M - 1. keepdim=True keeps "
        "the row's sum as [P, 1], so that it meets each answer of its own row.",
        "total = rewards.sum(1, keepdim=True); return rewards - (total - rewards) / (rewards.shape[1] - 1)",
    ),
    misconceptions=(
        mistake(
            "own-reward-in-the-baseline",
            "You subtracted the mean of the whole row, in which the answer's own reward stands too. That takes 1/M of its "
            "own reward away, and every advantage is (M - 1)/M times the right one. The baseline is the mean of the others.",
            {OTHERS: "total / num_answers"},
            {OTHERS: "total / (num_answers - 1)"},
        ),
        mistake(
            "others-divided-by-all",
            "You divided the sum of the others by M. There are M - 1 of them: with M, or with a 0 in the answer's own place of "
            "a mean over the row, the baseline is too close to 0.",
            {OTHERS: "(total - rewards) / num_answers"},
        ),
        mistake(
            "sum-of-the-others",
            "You subtracted the sum of the other rewards and not their mean. For 1, 1, 1, 1 that gives -2 to each answer, "
            "although none is worse than the others. Divide the sum by their number, M - 1.",
            {" / (num_answers - 1)": ""},
        ),
        mistake(
            "mean-of-the-whole-batch",
            "Your baseline is the mean over all prompts. An answer to a hard prompt is then compared with answers to easy "
            "ones, and comes out badly whatever it says. Compare it with the answers to its own prompt.",
            {OTHERS: "rewards.mean()"},
        ),
        mistake(
            "others-of-the-whole-batch",
            "You left one answer out of the whole batch, not out of its group. The answers to other prompts say how hard "
            "those are, and nothing about this one. Sum and number are those of the answer's own row.",
            {OTHERS: "(rewards.sum() - rewards) / (rewards.numel() - 1)"},
        ),
        mistake(
            "along-the-prompts",
            "Your baseline runs down the columns, over answers to different prompts. A row of [P, M] holds the M answers to "
            "one prompt: sum along axis 1.",
            {"rewards.sum(1, keepdim=True)": "rewards.sum(0)", "rewards.shape[1]": "rewards.shape[0]"},
            {"rewards.sum(1, keepdim=True)": "rewards.sum(0)"},
            {OTHERS: "rewards.mean(0)"},
        ),
        mistake(
            "rows-lost",
            "The sum of each row has the shape [P] in your code and meets [P, M]: the sums lie along the answers, so each is "
            "subtracted from the wrong prompts, or the shapes do not fit. keepdim=True makes it [P, 1].",
            {", keepdim=True": ""},
        ),
        mistake(
            "baseline-alone",
            "You returned the baseline, the mean of the others. The advantage is the answer's own reward less this baseline.",
            {"return rewards - baseline": "return baseline"},
        ),
        mistake(
            "baseline-less-reward",
            "Your difference is the wrong way round: an answer that is better than the others gets a negative advantage and "
            "becomes rarer. The advantage is the reward less the baseline.",
            {"rewards - baseline": "baseline - rewards"},
        ),
        mistake(
            "divided-by-the-spread",
            "You divided by the group's standard deviation as well. That is the next exercise; it makes the answers to very "
            "easy and very hard prompts count more, and changes the expected gradient. Only subtract here.",
            {"rewards - baseline": "(rewards - baseline) / (rewards.std(1, keepdim=True) + 1e-8)"},
            {"rewards - baseline": "(rewards - baseline) / (rewards.std(1, keepdim=True) + 1e-4)"},
            {"rewards - baseline": "(rewards - baseline) / rewards.std(1, keepdim=True)"},
            {"rewards - baseline": "(rewards - rewards.mean(1, keepdim=True)) / (rewards.std(1, keepdim=True) + 1e-8)"},
            {"rewards - baseline": "(rewards - rewards.mean(1, keepdim=True)) / (rewards.std(1, keepdim=True) + 1e-4)"},
        ),
    ),
)
