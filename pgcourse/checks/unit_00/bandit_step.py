"""bandit_step(logits, action, reward, *, learning_rate): one REINFORCE step by hand."""

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.authoring import Case, Exercise, edits_of, generator, normal
from pgcourse.checks.observe import CallAndKeep


def bandit_step(logits: Tensor, action: int, reward: float, *, learning_rate: float) -> Tensor:
    """logits + learning_rate * reward * (onehot(action) - softmax(logits)). logits [A] -> new [A]."""
    hot = torch.nn.functional.one_hot(torch.tensor(action), len(logits))
    p = logits.softmax(dim=-1)
    step = learning_rate * reward * (hot - p)
    return logits + step


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"logits": torch.zeros(2), "action": 1, "reward": 1.0, "learning_rate": 0.5}
    yield {"logits": torch.tensor([0.0, 1.0, 2.0]), "action": 0, "reward": -2.0, "learning_rate": 0.1}
    yield {"logits": torch.tensor([1.0, -1.0, 0.5]), "action": 2, "reward": 0.0, "learning_rate": 0.3}
    source = generator(seed)
    yield {"logits": normal(source, 5), "action": 4, "reward": 1.7, "learning_rate": 0.2}
    yield {"logits": torch.tensor([100.0, -100.0]), "action": 1, "reward": 1.5, "learning_rate": 0.4}
    yield {"logits": normal(source, 4, dtype=torch.float64), "action": 0, "reward": 0.6, "learning_rate": 1.0}
    large = torch.tensor([1000.0, -1000.0, 1000.0]) + normal(source, 3)
    punished = -20 - 10 * float(normal(source, 1).abs())
    yield {"logits": large, "action": 1, "reward": punished, "learning_rate": 0.6}


mistake = edits_of(bandit_step)

EXERCISE = Exercise.listed(
    "bandit_step",
    cases=cases,
    observe=CallAndKeep("logits, action, reward, *, learning_rate"),
    reference=bandit_step,
    hints=(
        "Work the first case by hand: two logits of 0, action 1, reward 1. What is softmax(logits), and what is left when you "
        "subtract it from the one-hot vector of the action?",
        "Build the vector onehot(action) - softmax(logits), [A]; its entries sum to 0. Scale it by learning_rate * reward and "
        "add it to a new tensor, so that the caller's logits stay as they are.",
        "Start from score = -logits.softmax(-1), add 1 to score[action], and return logits + learning_rate * reward * score.",
    ),
    misconceptions=(
        mistake(
            "sampled-action-only",
            "You moved only the logit of the sampled action, by the full step. The gradient of log softmax also has the part "
            "-softmax(logits), which lowers all the others; without it logits grow for ever when rewards are positive.",
            {"hot - p": "hot"},
        ),
        mistake(
            "others-not-lowered-by-their-own",
            "The sampled action's logit moves rightly, but the others do not move at all, or all by the same amount. The score "
            "has one entry for every action: each of those not taken has -p, with its own probability.",
            {"hot - p": "hot * (1 - p)"},
            {"(hot - p)": "(1 - p[action]) * (hot - (1 - hot) / (len(p) - 1))"},
            {"hot - p": "hot - p[action]"},
        ),
        mistake(
            "logarithm-missing",
            "You followed the gradient of the probability, not of its logarithm: your step is too small by a factor p. Rare "
            "actions are sampled rarely already; dividing by p, which the logarithm does, makes up for that.",
            {"(hot - p)": "p[action] * (hot - p)"},
            {"(hot - p)": "p * (hot - p)"},
        ),
        mistake(
            "own-probability-not-subtracted",
            "The sampled action's entry of the score is 1 in your step, where 1 - p(action) belongs. If you began with -p, you "
            "set that entry to 1 instead of adding 1 to it; the entries of a score sum to 0.",
            {"hot - p": "hot - (1 - hot) * p"},
        ),
        mistake(
            "one-hot-of-a-number",
            "The action is a Python int, and torch's one_hot takes a tensor: it raises an error for a number. Make a tensor of "
            "the action first, or add 1 to one entry of -softmax(logits).",
            {"torch.tensor(action)": "action"},
        ),
        mistake(
            "divided-by-the-probability",
            "You divided by the probability of the action, as importance weights do. The logarithm has done that already: the "
            "gradient of log p is the gradient of p divided by p. Doing it twice lets rare actions take huge steps.",
            {"(hot - p)": "(hot - p) / p[action]"},
        ),
        mistake(
            "downhill",
            "Your step has the wrong direction: it makes rewarded actions less likely. This is gradient ascent on the reward, "
            "so the step is added. The minus of a loss appears only where an optimizer minimises.",
            {"logits + step": "logits - step"},
        ),
        mistake(
            "bad-pulls-ignored",
            "You learn from positive rewards alone. A pull that lost is as much news as one that paid: a negative reward turns "
            "the step round and makes its action rarer.",
            {"* reward": "* max(reward, 0.0)"},
        ),
        mistake(
            "logits-taken-for-probabilities",
            "You subtracted the logits themselves from the one-hot vector. The score is onehot - p, where p are the "
            "probabilities: the softmax is missing.",
            {"hot - p": "hot - logits"},
        ),
        mistake(
            "step-or-probabilities-returned",
            "You returned the step alone, or the new probabilities. Asked for are the new logits, which are the old ones plus "
            "the step: otherwise what was learned before is forgotten, or the next step takes a softmax of a softmax.",
            {"logits + step": "step"},
            {"logits + step": "(logits + step).softmax(-1)"},
        ),
        mistake(
            "shifted-by-a-constant",
            "The policy is right, but all logits are shifted by one number, as by subtracting their maximum or mean at the "
            "end. A softmax does not care; whoever compares the logits before and after does. Add the step and no more.",
            {"logits + step": "logits + step - (logits + step).max()"},
            {"logits + step": "logits + step - (logits + step).mean()"},
            {"logits + step": "(logits + step).log_softmax(-1)"},
        ),
    ),
)
