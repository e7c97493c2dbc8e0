"""discounted_returns(rewards, *, gamma): the reward-to-go of complete episodes."""

from collections.abc import Iterator

import torch

from pgcourse.checks.authoring import Case, Exercise, edits_of, generator, normal
from pgcourse.checks.observe import CallAndKeep
from pgcourse.returns import discounted_returns


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"rewards": torch.tensor([4.0]), "gamma": 0.5}
    yield {"rewards": torch.tensor([1.0, 2.0, 3.0]), "gamma": 0.5}
    yield {"rewards": torch.tensor([1.0, 2.0, 3.0]), "gamma": 0.0}
    yield {"rewards": torch.tensor([1.0, 2.0, 3.0]), "gamma": 1.0}
    yield {"rewards": torch.tensor([[1.0, 10.0], [0.0, 20.0], [2.0, 30.0]]), "gamma": 0.5}
    yield {"rewards": torch.tensor([[1.0, 10.0]]), "gamma": 0.5}
    yield {"rewards": torch.tensor([[1.0], [2.0], [3.0]]), "gamma": 0.0}
    source = generator(seed)
    yield {"rewards": normal(source, 12), "gamma": 0.9}
    # What is far off counts, and adds up: the first returns are above 100.
    yield {"rewards": 2 * normal(source, 90, 3, dtype=torch.float64) + 3, "gamma": 0.987}
    # So long that the last powers of gamma are 0 in float32.
    yield {"rewards": normal(source, 160), "gamma": 0.5}


def written_out(rewards, *, gamma):  # type: ignore[no-untyped-def]
    """A right answer in a learner's words, from which the wrong ones are made."""
    returns, following = torch.zeros_like(rewards), torch.zeros_like(rewards[0])
    steps = range(len(rewards))
    for t in reversed(steps):
        following = rewards[t] + gamma * following
        returns[t] = following
    return returns


mistake = edits_of(written_out)

EXERCISE = Exercise.listed(
    "discounted_returns",
    cases=cases,
    observe=CallAndKeep("rewards, *, gamma"),
    reference=discounted_returns,
    hints=(
        "Work [1, 2, 3] with gamma = 0.5 by hand, starting with the last step. How does the return of step t follow from the "
        "return of step t + 1?",
        "G_t = r_t + gamma * G_{t+1}, and nothing follows the last step. Go through time backwards, carry the running value "
        "along, and write it to a new tensor made with torch.empty_like. With [T, N], rewards[t] is a row of N numbers and the "
        "same code works.",
        "following = torch.zeros_like(rewards[0]); for t in reversed(range(len(rewards))): following = rewards[t] + gamma * "
        "following; returns[t] = following.",
    ),
    misconceptions=(
        mistake(
            "accumulated-forwards",
            "You went through time forwards, so each step collects the rewards before it. An action can only change what comes "
            "after it: the return of step t looks ahead.",
            {"reversed(steps)": "steps"},
            {"reversed(steps)": "steps", "rewards[t] + gamma *": "gamma**t * rewards[t] +"},
            {"reversed(steps)": "steps", "gamma * following": "following"},
            lambda r, *, gamma: (gamma ** torch.arange(len(r)) * r).cumsum(0),
        ),
        mistake(
            "past-rewards-too",
            "Rewards that came before a step count for it too, as where a matrix of powers of gamma is not cut to its upper "
            "triangle. An action can only change what comes after it.",
            {"return returns": "return returns - rewards + discounted_returns(rewards.flip(0), gamma=gamma).flip(0)"},
            {"return returns": "return torch.stack([returns[0] / gamma**t for t in steps])"},
        ),
        mistake(
            "discounted-from-the-start",
            "You discounted each reward by its distance from the episode's start. The clock of a return begins at its own "
            "step. To divide by gamma^t afterwards is 0 / 0 for gamma = 0, and loses all digits in long episodes.",
            {"rewards[t] + gamma *": "gamma**t * rewards[t] +"},
            {"rewards[t] + gamma *": "gamma**t * rewards[t] +", "= following": "= following / gamma**t"},
            lambda r, *, gamma: (gamma ** torch.arange(len(r)) * r).flip(0).cumsum(0).flip(0),
            lambda r, *, gamma: (
                (gamma ** torch.arange(len(r)) * r).flip(0).cumsum(0).flip(0) / gamma ** torch.arange(len(r))
            ),
        ),
        mistake(
            "discounted-and-not-added-up",
            "You discounted each reward by its step and stopped there. A return is a sum: a step's own reward, and what "
            "follows it, discounted from that step on.",
            {"returns[t] = following": "returns[t] = gamma**t * rewards[t]"},
            lambda r, *, gamma: gamma ** torch.arange(len(r)) * r,
        ),
        mistake(
            "own-reward-not-in-full",
            "In your return of step t the step's own reward is left out, discounted, or weighted with 1 - gamma. In this "
            "course r_t is the reward for the action at t: it counts in full, and gamma times what follows is added to it.",
            {"rewards[t] + gamma * following": "gamma * (rewards[t] + following)"},
            {"return returns": "return torch.cat([returns[1:], 0 * returns[:1]])"},
            {"return returns": "return returns - rewards"},
            {"= rewards[t]": "= (1 - gamma) * rewards[t]"},
            {"= rewards[t]": "= (1 - gamma) * rewards[t]", "torch.zeros_like(rewards[0])": "rewards[-1]"},
        ),
        mistake(
            "same-return-everywhere",
            "Every step got the return of the whole episode. That is an unbiased weight too, but noisier: rewards that came "
            "before an action are no merit of it. Asked for is the reward-to-go of each step.",
            {"return returns": "return returns[:1].expand_as(rewards)"},
            {"return returns": "return returns[0]"},
        ),
        mistake(
            "only-one-step-ahead",
            "You added the next reward and stopped there. What follows step t is its whole future, the return of step t + 1.",
            {"= following": "= following\n        following = rewards[t]"},
        ),
        mistake(
            "one-step-off-at-an-end",
            "At one end your loop misses a step, or counts it twice. Nothing follows the last step, but it has a reward, once; "
            "range(T - 1, -1, -1) begins with it and ends with step 0.",
            {"reversed(steps)": "reversed(steps[:-1])"},
            {"torch.zeros_like(rewards[0])": "rewards[-1]"},
            {"reversed(steps)": "reversed(steps[1:])"},
            {"reversed(steps)": "reversed(steps[1:])", "torch.zeros_like(rewards)": "rewards.clone()"},
        ),
        mistake(
            "environments-mixed",
            "For [T, N] you accumulated over environments. Each column is an episode of its own, and nothing flows from one "
            "into another; time is the first axis.",
            lambda r, *, gamma: discounted_returns(r.T, gamma=gamma).T,
            lambda r, *, gamma: discounted_returns(r.flatten(), gamma=gamma).reshape(r.shape),
            lambda r, *, gamma: discounted_returns(r.T.flatten(), gamma=gamma).reshape(r.T.shape).T,
        ),
        mistake(
            "one-episode-only",
            "For [T] all is right, and [T, N] raises an error: you make a Python number of rewards[t], which then is a row of "
            "N numbers. Keep tensors; with zeros_like(rewards[0]) as the running value the same loop serves both.",
            {"= rewards[t]": "= rewards[t].item()"},
        ),
    ),
)
