"""categorical_log_prob(logits, action): log-probability of the chosen actions."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.distributions import Categorical

from pgcourse.checks.authoring import Call, Case, Exercise, edits_of, generator, integers, normal


def categorical_log_prob(logits: Tensor, action: Tensor) -> Tensor:
    """log softmax(logits)[action], row by row. logits [B, A], action [B] int64 -> [B]."""
    log_prob = logits.log_softmax(dim=-1)  # [B, A]
    return log_prob.gather(-1, action.unsqueeze(-1)).squeeze(-1)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"logits": torch.tensor([[0.0, math.log(3)]]), "action": torch.tensor([0])}
    yield {"logits": torch.tensor([[1.0, 2.0, 4.0], [0.0, 5.0, 0.0]]), "action": torch.tensor([2, 0])}
    # No ties among large logits: x - logsumexp(x) is right too, but float32 leaves it three digits of log 2 at 10,000.
    yield {"logits": torch.tensor([[1e4, -1e4], [-1e4, 1e4]]), "action": torch.tensor([0, 0])}
    yield {"logits": torch.tensor([[1e4, 0.0], [1.0, 0.0]]), "action": torch.tensor([0, 1])}
    source = generator(seed)
    yield {"logits": normal(source, 5, 4), "action": integers(source, 4, 5)}
    yield {"logits": normal(source, 1, 3) * 5, "action": integers(source, 3, 1)}
    yield {"logits": normal(source, 4, 6, dtype=torch.float64), "action": integers(source, 6, 4)}
    large = 5000 + int(integers(source, 5000))
    logits = torch.tensor([[large, -large], [-large, large], [large, 0.0], normal(source, 2).tolist()])
    yield {"logits": logits, "action": torch.tensor([0, 0, 0, 1])}


mistake = edits_of(categorical_log_prob, Categorical=Categorical)

EXERCISE = Exercise.listed(
    "categorical_log_prob",
    cases=cases,
    observe=Call("logits, action", differentiable=("logits",)),
    reference=categorical_log_prob,
    hints=(
        "Write log softmax(x)_a as a difference of two terms before you write any code. Which of the two overflows for a logit "
        "of 10,000, and what happens if you subtract the largest logit first?",
        "log softmax(x)_a = x_a - log(sum of exp(x)). torch has a function that computes the second term without overflow, "
        "logsumexp, and one that does both at once. Then take one number from each row: gather along the last axis, with an "
        "index of shape [B, 1].",
        "logits.log_softmax(dim=-1) is [B, A]. Apply .gather(-1, action.unsqueeze(-1)) to it, which is [B, 1], and remove the "
        "last axis with .squeeze(-1).",
    ),
    misconceptions=(
        mistake(
            "log-of-rounded-softmax",
            "You computed probabilities first and their logarithm afterwards. exp overflows for large logits, and exp(-20000) "
            "is rounded to 0, whose logarithm is -inf. Stay in log space: write out log(exp(x) / sum) on paper.",
            {"log_softmax(dim=-1)": "softmax(-1).log()"},
            {"logits.log_softmax(dim=-1)": "(logits.exp() / logits.exp().sum(-1, keepdim=True)).log()"},
            {"logits.log_softmax(dim=-1)": "logits - logits.exp().sum(-1, keepdim=True).log()"},
        ),
        mistake(
            "clamped",
            "You kept the logarithm finite by clamping, or by adding a small number. That hides the overflow and answers -18 "
            "where the truth is -20000, with no gradient. The logarithm of a softmax can be computed exactly.",
            {"log_softmax(dim=-1)": "softmax(-1).add(1e-8).log()"},
            {"log_softmax(dim=-1)": "softmax(-1).add(1e-10).log()"},
            {"logits.log_softmax(dim=-1)": "Categorical(probs=logits.softmax(-1)).logits"},
            {"log_softmax": "clamp(-50, 50).log_softmax"},
        ),
        mistake(
            "maximum-of-the-whole-batch",
            "You subtracted the largest logit of the whole batch. In a row whose logits are all far below it, every "
            "exponential becomes 0, and log 0 is minus infinity. Subtract each row's own maximum: dim=-1, keepdim=True.",
            {"logits.log_softmax(dim=-1)": "(x := logits - logits.max()) - x.exp().sum(-1, keepdim=True).log()"},
        ),
        mistake(
            "logits-taken-for-log-probabilities",
            "You returned the chosen logit itself. Logits become log-probabilities only after normalising: their exponentials "
            "do not sum to 1. Check yours: do the exponentials of a row add up to 1?",
            {".log_softmax(dim=-1)": ""},
        ),
        mistake(
            "logits-taken-for-probabilities",
            "You gave logits to Categorical as its first argument, which is probs: negative ones raise an error, and positive "
            "ones are silently divided by their sum, without any exp. Write logits=.",
            {"logits.log_softmax(dim=-1)": "Categorical(logits).logits"},
            {"logits.log_softmax(dim=-1)": "Categorical(logits, validate_args=False).logits"},
        ),
        mistake(
            "softmax-before-logits",
            "You applied softmax twice: once yourself, and once in what takes logits. Probabilities lie between 0 and 1, so as "
            "logits they differ by 1 at most, and the policy can never become sure. Pass the logits as they are.",
            {"log_softmax": "softmax(-1).log_softmax"},
        ),
        mistake(
            "probability-not-logarithm",
            "You returned the probability of the action. The policy gradient needs its logarithm, which is never positive. One "
            "step is missing.",
            {"log_softmax": "softmax"},
        ),
        mistake(
            "normalised-along-another-axis",
            "You normalised over the batch, or over the whole table at once. A row is one state's distribution: which axis of "
            "[B, A] holds the actions? A sum over it keeps in its row with keepdim=True.",
            {"dim=-1": "dim=0"},
            {"log_softmax(dim=-1)": "flatten().log_softmax(0).view(logits.shape)"},
            {"logits.log_softmax(dim=-1)": "logits - logits.exp().sum().log()"},
        ),
        mistake(
            "normaliser-detached",
            "The numbers are right, but the log of the sum of exponentials is cut from the graph. It depends on every logit: "
            "through it, raising one action lowers the others. Without it, logits grow for ever.",
            {"log_softmax(dim=-1)": "sub(logits.logsumexp(-1, keepdim=True).detach())"},
        ),
        mistake(
            "all-rows-with-all-actions",
            "You indexed the columns with all actions at once, which pairs every row with every action of the batch: [B, B]. "
            "Each row must be paired with its own action only; gather does that, or a row index beside it.",
            {"log_prob.gather(-1, action.unsqueeze(-1)).squeeze(-1)": "log_prob[:, action]"},
        ),
    ),
)
