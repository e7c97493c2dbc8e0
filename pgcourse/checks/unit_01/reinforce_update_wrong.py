"""Wrong answers to reinforce_update. Each is the right update with one thing changed, for either standard deviation."""

from __future__ import annotations

from typing import Any

import torch

from pgcourse.checks.exercise import Misconception
from pgcourse.checks.unit_01.reinforce_update_parts import (
    across_episodes,
    build,
    mean_of_means,
    own_scale,
    rewards_only,
    step_for_each_episode,
    undiscounted,
    whole_return,
)


def _mistake(id: str, explanation: str, *more: dict[str, Any], **changes: Any) -> Misconception:
    """A misconception from the changed parts, in both standard deviations; `more` are further spellings."""
    builds = [build(correction, **change) for change in (changes, *more) for correction in (0, 1)]
    return Misconception(id, explanation, builds[0], tuple(builds[1:]))


MISCONCEPTIONS = (
    _mistake(
        "gradients-not-cleared",
        "The first update is right and the second is not: the old gradient is still there, and backward adds to it. "
        "Every update has to start with cleared gradients.",
        clear=False,
    ),
    Misconception(
        "step-for-each-episode",
        "You took an optimiser step after each episode. From the second one on, the episodes no longer come from the "
        "policy that you are changing, and each step follows the noise of a single episode. Collect all of them into "
        "one loss.",
        step_for_each_episode(0, together=True),
        (
            step_for_each_episode(1, together=True),
            step_for_each_episode(0, together=False),
            step_for_each_episode(1, together=False),
        ),
    ),
    _mistake(
        "each-episode-standardised-by-itself",
        "You standardised the returns of each episode by itself. A poor and a splendid episode then both have mean 0, "
        "and nothing tells the policy which was better. Put all steps together first.",
        {"standardize_fn": own_scale, "reduce_fn": mean_of_means},
        standardize_fn=own_scale,
    ),
    _mistake(
        "not-standardised",
        "You used the returns as they are. With all-positive returns every action is pushed up, and the step's size "
        "follows the reward's scale. The contract asks for returns standardised over all steps of the batch.",
        standardize_fn=lambda parts, c: torch.cat(parts),
    ),
    _mistake(
        "only-centred",
        "You subtracted the mean return but did not divide by the standard deviation. The step then still follows the "
        "reward's scale.",
        standardize_fn=lambda parts, c: torch.cat(parts) - torch.cat(parts).mean(),
    ),
    _mistake(
        "whole-return-for-every-step",
        "Every step of an episode got the episode's whole return. Rewards that came before an action are no merit of "
        "it; they only add noise. Use the reward-to-go of each step.",
        returns_fn=whole_return,
    ),
    _mistake(
        "rewards-instead-of-returns",
        "You weighted each action by its own reward only. What an action leads to later is then ignored, and in "
        "CartPole every step has the same reward. The weight is the return.",
        returns_fn=rewards_only,
    ),
    _mistake(
        "returns-across-episodes",
        "You joined the rewards of all episodes before discounting, so the return of one episode contains the rewards "
        "of the next. Each episode ends on its own: discount first, join afterwards.",
        returns_fn=across_episodes,
    ),
    _mistake(
        "discount-ignored",
        "Your returns are not discounted: gamma has no influence on your update. Pass it on to discounted_returns.",
        returns_fn=undiscounted,
    ),
    _mistake(
        "divided-by-episodes",
        "You divided the sum by the number of episodes. The contract asks for a mean over all steps of the batch, so "
        "that the step does not grow with the length of the episodes.",
        reduce_fn=lambda terms, lengths: terms.sum() / len(lengths),
    ),
    _mistake(
        "sum-for-mean",
        "You summed over the steps where the mean is asked for. A batch of long episodes then takes a larger step "
        "than one of short ones, whatever the learning rate was tuned for.",
        reduce_fn=lambda terms, lengths: terms.sum(),
    ),
    _mistake(
        "every-episode-alike",
        "You averaged within each episode first and over episodes afterwards. A step of a short episode then weighs "
        "more than one of a long episode; the contract asks for one mean over all steps.",
        reduce_fn=mean_of_means,
    ),
    _mistake(
        "downhill",
        "Your update makes the better actions less likely. Optimizers minimise: the loss is minus the mean of weight "
        "times log-probability.",
        sign=1.0,
    ),
    _mistake(
        "backward-missing",
        "The loss is right, but no parameter moves. Between clearing the gradients and the step, the gradient has to "
        "be computed.",
        {"backward": False, "clear": False},
        backward=False,
    ),
    _mistake(
        "no-path-to-the-policy",
        "backward found nothing to follow: the log-probabilities are cut off from the policy, by no_grad, detach, "
        "item or torch.tensor. They have to be computed anew from policy(obs) here, with gradients on, although the "
        "actions were sampled long ago.",
        detach=True,
    ),
    _mistake(
        "several-steps",
        "You took more than one optimiser step. After the first, the episodes are no longer from the policy that "
        "acts; unit 04 shows what it takes to reuse them. Exactly one step here.",
        {"steps": 3},
        steps=2,
    ),
    _mistake(
        "first-episode-only",
        "You used only the first episode of the batch. The others are as good, and averaging over them is what calms "
        "the gradient. Look for an index, or for a return inside a loop.",
        first_only=True,
    ),
    _mistake(
        "tensor-returned",
        "The update is right, but it returns the loss as a tensor. Whoever collects losses would keep tensors, and "
        "with them perhaps whole graphs, in memory: return a float.",
        answer=lambda loss: loss,
    ),
)
