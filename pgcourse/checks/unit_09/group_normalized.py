"""group_normalized(rewards, *, eps): each answer's reward less its group's mean, over the group's standard deviation."""

from collections.abc import Iterator

import torch

from pgcourse.checks.authoring import (
    Call,
    Case,
    Exercise,
    Misconception,
    edits_of,
    generator,
    integers,
    normal,
    rewritten,
)
from pgcourse.checks.rewritten import Edits
from pgcourse.language.advantages import group_normalized


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. A group's equal rewards have a mean without rounding, so that they give exactly 0."""
    yield {"rewards": torch.tensor([[1.0, 0.0], [1.0, 1.0]]), "eps": 1e-4}
    yield {"rewards": torch.tensor([[1.0, 0.0]]), "eps": 0.3}
    yield {"rewards": torch.tensor([[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]]), "eps": 0.01}
    yield {"rewards": torch.tensor([[1.0, 0.0, 0.0, 0.0], [2.0, 4.0, 2.0, 4.0]]), "eps": 1e-4}
    # As many prompts as answers; one group has hardly any spread, and one much.
    yield {"rewards": torch.tensor([[1.0, 2.0, 6.0], [3.0, 3.02, 3.01], [-90.0, 0.0, 60.0]]), "eps": 0.02}
    yield {"rewards": torch.tensor([[1.0, 0.0, 1.0]]), "eps": 2.0}
    source = generator(seed)
    yield {"rewards": 3 * normal(source, 4, 8) + 1, "eps": 0.1}
    # One answer lies more than 5 deviations off.
    yield {"rewards": torch.tensor([[1.0] + [0.0] * 39, [0.0, 1.0] * 20]), "eps": 1e-4}
    yield {"rewards": normal(source, 5, 3, dtype=torch.float64) - 2, "eps": 0.05}
    yield {"rewards": torch.stack([torch.full((4,), 1.0 + int(integers(source, 9))), normal(source, 4)]), "eps": 0.02}
    yield {"rewards": 0.002 * normal(source, 3, 4), "eps": 0.001}


def written_out(rewards, *, eps):  # type: ignore[no-untyped-def]
    """A right answer in a learner's words, from which the wrong ones are made."""
    mean = rewards.mean(1, keepdim=True)  # [P, 1]
    spread = rewards.std(1, keepdim=True, correction=1)
    centred = rewards - mean
    return centred / (spread + eps)


edited = edits_of(written_out)
DIVIDED = "centred / (spread + eps)"


def mistake(id: str, explanation: str, *spellings: Edits) -> Misconception:
    """The spellings with the unbiased standard deviation and with the biased one."""
    biased = ({**edits, "correction=1": "correction=0"} for edits in spellings)
    return edited(id, explanation, *spellings, *biased)


EXERCISE = Exercise.listed(
    "group_normalized",
    cases=cases,
    observe=Call("rewards, *, eps"),
    reference=group_normalized,
    also_correct=(rewritten(written_out, {"correction=1": "correction=0"}),),
    hints=(
        "Work the rewards 1, 0 and 1, 1 by hand. What is the deviation of the second group, and what does the division give "
        "without eps?",
        "Mean and standard deviation of each row: along axis 1, with keepdim=True, so that they are [P, 1] and meet the answers "
        "of their own row. Subtract the mean, add eps to the deviation, then divide.",
        "mean = rewards.mean(1, keepdim=True); deviation = rewards.std(1, keepdim=True); return (rewards - mean) / "
        "(deviation + eps)",
    ),
    misconceptions=(
        mistake(
            "eps-left-out",
            "You left eps out, used it only where the deviation is 0, or put a number of your own in its place. Every deviation "
            "gets eps added, as it is given. Without it a group of equal rewards is 0 / 0, which is NaN, and one update spreads "
            "that over all parameters.",
            {" + eps": ""},
            {"+ eps": "+ 1e-8"},
            {"+ eps": "+ 1e-6"},
            {"+ eps": "+ 1e-4"},
            {DIVIDED: "torch.nan_to_num(centred / spread)"},
            {DIVIDED: "torch.where(spread > 0, centred / spread, 0.0)"},
            {DIVIDED: "centred / torch.where(spread > 0, spread, eps)"},
        ),
        mistake(
            "equal-group-not-zero",
            "A group whose rewards are all equal does not get zeros from you. None of its answers was better than the others, "
            "so it has nothing to say: no 1, and no reward as it was. Centred rewards are 0 there by themselves.",
            {DIVIDED: "torch.where(spread > 0, centred / (spread + eps), 1.0)"},
            {DIVIDED: "torch.where(spread > 0, centred / (spread + eps), rewards)"},
            {DIVIDED: "torch.where(spread > 0, centred / spread, 1.0)"},
            {DIVIDED: "torch.where(spread > 0, centred / spread, rewards)"},
        ),
        mistake(
            "eps-under-the-root",
            "You added eps to the variance, below the root. Its root is then added to a deviation of 0, and a small eps is "
            "no longer small: the root of 0.0001 is 0.01. eps stands beside the deviation.",
            {"(spread + eps)": "(spread.square() + eps).sqrt()"},
            {"(spread + eps)": "(spread.square() + eps**2).sqrt()"},
        ),
        mistake(
            "eps-as-a-floor",
            "You took eps as the least that the deviation may be. Then it changes nothing for a group with more spread; here "
            "it is added to every deviation, large or small.",
            {"(spread + eps)": "spread.clamp(min=eps)"},
        ),
        mistake(
            "eps-outside-the-divisor",
            "Your eps is not added to the deviation: it stands behind the division, because the brackets are missing, or in "
            "the numerator, or it is subtracted. Divide by (deviation + eps).",
            {"(spread + eps)": "spread + eps"},
            {DIVIDED: "(centred + eps) / spread"},
            {DIVIDED: "(centred + eps) / (spread + eps)"},
            {"spread + eps": "spread - eps"},
        ),
        mistake(
            "over-the-whole-batch",
            "Mean or deviation, or both, are of the whole batch in your code. A group is a row: its answers are compared with "
            "one another, not with answers to easier or harder prompts.",
            {"mean(1, keepdim=True)": "mean()", "std(1, keepdim=True, ": "std("},
            {"std(1, keepdim=True, ": "std("},
            {"mean(1, keepdim=True)": "mean()"},
        ),
        mistake(
            "along-the-prompts",
            "You normalised down the columns, over answers to different prompts. A row of [P, M] holds the M answers to one "
            "prompt: take mean and deviation along axis 1.",
            {"mean(1": "mean(0", "std(1": "std(0"},
            {"std(1": "std(0"},
            {"mean(1": "mean(0"},
        ),
        mistake(
            "not-centred",
            "You did not subtract the mean of the group. Where all rewards are 0 or more, no answer then has a negative "
            "advantage, and all that was sampled is pushed up. Mind the brackets around the difference.",
            {"rewards - mean": "rewards"},
            {DIVIDED: "rewards - mean / (spread + eps)"},
        ),
        mistake(
            "variance-for-deviation",
            "You divided by the variance. It has the unit of the reward squared: rewards ten times as large would give "
            "advantages a tenth as large. The standard deviation is its root.",
            {".std(": ".var("},
        ),
        edited(
            "not-scaled",
            "You subtracted the mean and did not divide. Asked for is the difference over the group's standard deviation "
            "plus eps, so that the answers to hard and to easy prompts get advantages of one size.",
            {DIVIDED: "centred"},
        ),
        edited(
            "another-measure-of-spread",
            "You divided by another measure of spread: the range, the mean distance from the mean, or the root of the sum of "
            "squares. The standard deviation is the root of the mean square of what is left after centring.",
            {"spread + eps": "rewards.amax(1, keepdim=True) - rewards.amin(1, keepdim=True) + eps"},
            {"spread + eps": "centred.abs().mean(1, keepdim=True) + eps"},
            {"spread + eps": "centred.norm(dim=1, keepdim=True) + eps"},
            {"spread + eps": "rewards.square().mean(1, keepdim=True).sqrt() + eps"},
        ),
        mistake(
            "own-reward-left-out",
            "You subtracted the mean of the other answers, as in the exercise before. Here it is the mean of the whole "
            "group, the answer's own reward among the others.",
            {"rewards - mean": "(rewards - mean) * rewards.shape[1] / (rewards.shape[1] - 1)"},
        ),
    ),
)
