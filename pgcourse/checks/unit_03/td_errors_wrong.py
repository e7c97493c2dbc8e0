"""Wrong answers to td_errors: r rewards, v values, w next values, e terminated."""

from __future__ import annotations

import torch
from torch import Tensor

from pgcourse.checks.exercise import Misconception
from pgcourse.checks.unit_03.rollouts import shifted_back, shifted_on


def _right(r: Tensor, v: Tensor, w: Tensor, e: Tensor, *, gamma: float) -> Tensor:
    return r + gamma * w * ~e - v


def _in_place(r: Tensor, v: Tensor, w: Tensor, e: Tensor, *, gamma: float) -> Tensor:
    r += gamma * w * ~e
    r -= v
    return r


MISCONCEPTIONS = (
    Misconception(
        "bootstraps-through-terminated",
        "You added the next value also where the episode had terminated. After a termination no reward can follow, "
        "so its future is worth 0, whatever number the critic gives to that last observation.",
        lambda r, v, w, e, *, gamma: r + gamma * w - v,
    ),
    Misconception(
        "mask-inverted",
        "You kept the next value where the episode terminated and dropped it everywhere else. terminated is True at "
        "the end of an episode: the factor that you want there is 0.",
        lambda r, v, w, e, *, gamma: r + gamma * w * e - v,
    ),
    Misconception(
        "value-of-the-same-step-as-the-next",
        "You used V(s_t) where the value of the next state belongs. The error would then compare a state with "
        "itself. values holds V(s_t), next_values holds V(s_t+1).",
        lambda r, v, w, e, *, gamma: r + gamma * v * ~e - v,
    ),
    Misconception(
        "next-value-from-the-next-row",
        "You took values[t + 1] for the next value. At an episode's end the next row already belongs to another "
        "episode, and after the last row there is none. next_values[t] is the value of the true next observation.",
        lambda r, v, w, e, *, gamma: r + gamma * torch.cat([v[1:], w[-1:]]) * ~e - v,
        (
            lambda r, v, w, e, *, gamma: r + gamma * torch.cat([v[1:], torch.zeros_like(v[:1])]) * ~e - v,
            lambda r, v, w, e, *, gamma: r + gamma * torch.cat([v[1:], v[-1:]]) * ~e - v,
            lambda r, v, w, e, *, gamma: r + gamma * v.roll(-1, 0) * ~e - v,
        ),
    ),
    Misconception(
        "next-values-one-row-late",
        "You shifted next_values by another row. It is aligned already: next_values[t] is the value of the state "
        "that step t led to.",
        lambda r, v, w, e, *, gamma: r + gamma * torch.cat([w[1:], w[-1:]]) * ~e - v,
        (
            lambda r, v, w, e, *, gamma: r + gamma * torch.cat([w[1:], torch.zeros_like(w[:1])]) * ~e - v,
            lambda r, v, w, e, *, gamma: r + gamma * w.roll(-1, 0) * ~e - v,
        ),
    ),
    Misconception(
        "flag-of-another-step",
        "You looked at the flag of the step before or after. terminated[t] says that step t ended the episode, so it "
        "decides over the next value of step t itself.",
        lambda r, v, w, e, *, gamma: r + gamma * w * ~shifted_back(e) - v,
        (
            lambda r, v, w, e, *, gamma: r + gamma * w * ~shifted_on(e) - v,
            lambda r, v, w, e, *, gamma: r + gamma * w * ~e.roll(-1, 0) - v,
            lambda r, v, w, e, *, gamma: r + gamma * w * ~e.roll(1, 0) - v,
        ),
    ),
    Misconception(
        "reward-lost-at-the-end",
        "Your mask removes more than the next value: the last reward of an episode, or the value that is subtracted, "
        "vanishes with it. Both belong to a state in which the agent really was. Only the future is gone: mind the "
        "brackets.",
        lambda r, v, w, e, *, gamma: (r + gamma * w) * ~e - v,
        (
            lambda r, v, w, e, *, gamma: (r + gamma * w - v) * ~e,
            lambda r, v, w, e, *, gamma: r + (gamma * w - v) * ~e,
        ),
    ),
    Misconception(
        "target-for-error",
        "You returned the target and did not compare it with anything. The error is how far the target lies above "
        "what the critic had said before the step: subtract V(s_t).",
        lambda r, v, w, e, *, gamma: r + gamma * w * ~e,
    ),
    Misconception(
        "sign-flipped",
        "You subtracted the target from the value. A step that went better than expected must have a positive error, "
        "or the policy would avoid it: target minus value.",
        lambda r, v, w, e, *, gamma: v - r - gamma * w * ~e,
    ),
    Misconception(
        "discount-missing",
        "You did not discount the next value: gamma has no influence on your result. The next state lies one step "
        "in the future, so its value counts gamma times.",
        lambda r, v, w, e, *, gamma: r + w * ~e - v,
    ),
    Misconception(
        "discount-of-too-much",
        "You discounted more than the next value. The reward of step t arrives at once, and V(s_t) is about now; only "
        "what comes after the step is multiplied by gamma. Look at your brackets.",
        lambda r, v, w, e, *, gamma: gamma * (r + w * ~e) - v,
        (
            lambda r, v, w, e, *, gamma: r + gamma * (w * ~e - v),
            lambda r, v, w, e, *, gamma: r + gamma * (w - v),
            lambda r, v, w, e, *, gamma: r + gamma * (w - v) * ~e,
            lambda r, v, w, e, *, gamma: gamma * (r + w) * ~e - v,
            lambda r, v, w, e, *, gamma: gamma * (r + w - v),
            lambda r, v, w, e, *, gamma: gamma * (r + w) - v,
            lambda r, v, w, e, *, gamma: gamma * (r + w * ~e - v),
        ),
    ),
    Misconception(
        "values-exchanged",
        "The two values have changed places: you discounted V(s_t) and subtracted the next value. The guess from "
        "before the step is subtracted, the guess from after it is discounted.",
        lambda r, v, w, e, *, gamma: r + gamma * v * ~e - w,
        (lambda r, v, w, e, *, gamma: r + gamma * v - w * ~e, lambda r, v, w, e, *, gamma: r + gamma * v - w),
    ),
    Misconception(
        "squared",
        "You squared the errors, as for the critic's loss. As a measure of an action the sign is what counts: squared, "
        "a disappointment looks as good as a success.",
        lambda r, v, w, e, *, gamma: (r + gamma * w * ~e - v) ** 2,
        (lambda r, v, w, e, *, gamma: 0.5 * (r + gamma * w * ~e - v) ** 2,),
    ),
    Misconception(
        "averaged",
        "You averaged the errors. One for each step of each environment is asked for, [T, N]: every action gets its "
        "own.",
        lambda r, v, w, e, *, gamma: _right(r, v, w, e, gamma=gamma).mean(),
        (
            lambda r, v, w, e, *, gamma: _right(r, v, w, e, gamma=gamma).mean(1),
            lambda r, v, w, e, *, gamma: _right(r, v, w, e, gamma=gamma).mean(0),
            lambda r, v, w, e, *, gamma: _right(r, v, w, e, gamma=gamma).square().mean(),
        ),
    ),
    Misconception(
        "changed-in-place",
        "The numbers are right, but you wrote them into the rewards, which the rollout still needs. Operations such "
        "as += change the caller's tensor; make a new one.",
        _in_place,
    ),
    Misconception(
        "always-float32",
        "The numbers are right, but float64 input came back as float32. Keep the dtype of the rewards.",
        lambda r, v, w, e, *, gamma: _right(r, v, w, e, gamma=gamma).float(),
    ),
)
