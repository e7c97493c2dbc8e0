"""bandit_step(logits, action, reward, *, learning_rate): one REINFORCE step by hand."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case


def bandit_step(logits: Tensor, action: int, reward: float, *, learning_rate: float) -> Tensor:
    """logits + learning_rate * reward * (onehot(action) - softmax(logits)). logits [A] -> new [A]."""
    score = -logits.softmax(dim=-1)  # [A]
    score[action] += 1
    return logits + learning_rate * reward * score


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"logits": torch.zeros(2), "action": 1, "reward": 1.0, "learning_rate": 0.5}
    yield {"logits": torch.tensor([0.0, 1.0, 2.0]), "action": 0, "reward": -2.0, "learning_rate": 0.1}
    yield {"logits": torch.tensor([1.0, -1.0, 0.5]), "action": 2, "reward": 0.0, "learning_rate": 0.3}
    source = generator(seed)
    yield {"logits": normal(source, 5), "action": 3, "reward": 1.7, "learning_rate": 0.2}
    yield {"logits": torch.tensor([100.0, -100.0]), "action": 1, "reward": 1.5, "learning_rate": 0.4}
    yield {"logits": normal(source, 4, dtype=torch.float64), "action": 0, "reward": 0.6, "learning_rate": 1.0}


def _one_hot(logits: Tensor, action: int) -> Tensor:
    return torch.nn.functional.one_hot(torch.tensor(action), len(logits)).to(logits.dtype)


def _with_one_hot(logits: Tensor, action: int, reward: float, *, learning_rate: float) -> Tensor:
    return logits + learning_rate * reward * (_one_hot(logits, action) - torch.softmax(logits, 0))


def _with_autograd(logits: Tensor, action: int, reward: float, *, learning_rate: float) -> Tensor:
    parameter = logits.detach().clone().requires_grad_(True)
    (reward * parameter.log_softmax(0)[action]).backward()
    assert parameter.grad is not None
    return (parameter + learning_rate * parameter.grad).detach()


def _with_optimizer(logits: Tensor, action: int, reward: float, *, learning_rate: float) -> Tensor:
    parameter = torch.nn.Parameter(logits.clone())
    optimizer = torch.optim.SGD([parameter], lr=learning_rate)
    loss = -reward * torch.distributions.Categorical(logits=parameter).log_prob(torch.tensor(action))
    loss.backward()
    optimizer.step()
    return parameter.data


def _with_loop(logits: Tensor, action: int, reward: float, *, learning_rate: float) -> Tensor:
    prob = logits.double().softmax(0).tolist()
    moved = [
        logit + learning_rate * reward * ((1 if index == action else 0) - prob[index])
        for index, logit in enumerate(logits.tolist())
    ]
    return torch.tensor(moved, dtype=logits.dtype)


def _in_place(logits: Tensor, action: int, reward: float, *, learning_rate: float) -> Tensor:
    logits += learning_rate * reward * (_one_hot(logits, action) - logits.softmax(0))
    return logits


def _without_log(logits: Tensor, action: int, reward: float, *, learning_rate: float) -> Tensor:
    prob = logits.softmax(0)
    return logits + learning_rate * reward * prob[action] * (_one_hot(logits, action) - prob)


def _chosen_only(logits: Tensor, action: int, reward: float, *, learning_rate: float) -> Tensor:
    new = logits.clone()
    new[action] += learning_rate * reward * (1 - logits.softmax(0)[action])
    return new


EXERCISE = Exercise(
    id="bandit_step",
    unit="00",
    title="One learning step on a bandit",
    points=2,
    minutes=10,
    difficulty=1,
    cases=cases,
    observe=Call("logits, action, reward, *, learning_rate"),
    reference=bandit_step,
    alternatives=(_with_one_hot, _with_autograd, _with_optimizer, _with_loop),
    hints=(
        "Work the first case by hand: two logits of 0, action 1, reward 1. What is softmax(logits), and what is left "
        "when you subtract it from the one-hot vector of the action?",
        "Build the vector onehot(action) - softmax(logits), [A]; its entries sum to 0. Scale it by learning_rate * "
        "reward and add it to a new tensor, so that the caller's logits stay as they are.",
        "Start from score = -logits.softmax(-1), add 1 to score[action], and return logits + learning_rate * reward * "
        "score.",
    ),
    misconceptions=(
        Misconception(
            "sampled-action-only",
            "You moved only the logit of the sampled action, by the full step. The gradient of log softmax also has "
            "the part -softmax(logits), which lowers all the others; without it the logits grow for ever when rewards "
            "are positive. Do the changes of all logits sum to 0?",
            lambda logits, action, reward, *, learning_rate: logits + learning_rate * reward * _one_hot(logits, action),
        ),
        Misconception(
            "other-actions-left-alone",
            "The sampled action's logit moves rightly, but the others do not move at all. The score has one entry for "
            "every action: those not taken have -p, not 0.",
            _chosen_only,
        ),
        Misconception(
            "logarithm-missing",
            "You followed the gradient of the probability, not of its logarithm: your step is p(action) times too "
            "small. Rare actions are sampled rarely already; dividing by p, which the logarithm does, makes up for "
            "that.",
            _without_log,
        ),
        Misconception(
            "downhill",
            "Your step has the wrong direction: it makes rewarded actions less likely. This is gradient ascent on the "
            "reward, so the step is added. The minus of a loss appears only where an optimizer minimises.",
            lambda logits, action, reward, *, learning_rate: (
                logits - learning_rate * reward * (_one_hot(logits, action) - logits.softmax(0))
            ),
        ),
        Misconception(
            "reward-ignored",
            "Your step does not depend on the reward, so good and bad actions are reinforced alike. The reward is the "
            "weight of the score.",
            lambda logits, action, reward, *, learning_rate: (
                logits + learning_rate * (_one_hot(logits, action) - logits.softmax(0))
            ),
        ),
        Misconception(
            "learning-rate-ignored",
            "Your step has its full length: the learning rate is never used. One reward is a noisy sample, so move "
            "only a part of the way.",
            lambda logits, action, reward, *, learning_rate: (
                logits + reward * (_one_hot(logits, action) - logits.softmax(0))
            ),
        ),
        Misconception(
            "changed-in-place",
            "The numbers are right, but you changed the caller's tensor. Whoever compares before and after, or keeps "
            "the old logits, finds them changed. Return a new tensor.",
            _in_place,
        ),
        Misconception(
            "probabilities-returned",
            "You returned the new probabilities; the new logits are asked for. The next step would take a softmax of a "
            "softmax.",
            lambda logits, action, reward, *, learning_rate: bandit_step(
                logits, action, reward, learning_rate=learning_rate
            ).softmax(0),
        ),
        Misconception(
            "step-returned",
            "You returned the step alone. The new logits are the old ones plus the step; otherwise everything learned "
            "before is forgotten.",
            lambda logits, action, reward, *, learning_rate: (
                learning_rate * reward * (_one_hot(logits, action) - logits.softmax(0))
            ),
        ),
        Misconception(
            "logits-taken-for-probabilities",
            "You subtracted the logits themselves from the one-hot vector. The score is onehot - p, where p are the "
            "probabilities: the softmax is missing.",
            lambda logits, action, reward, *, learning_rate: (
                logits + learning_rate * reward * (_one_hot(logits, action) - logits)
            ),
        ),
        Misconception(
            "most-probable-action",
            "You reinforced the most probable action, not the one that was taken. The reward says something about the "
            "action that earned it and about no other.",
            lambda logits, action, reward, *, learning_rate: bandit_step(
                logits, int(logits.argmax()), reward, learning_rate=learning_rate
            ),
        ),
    ),
)
