"""Wrong answers to baseline_update: advantages, targets, losses and what is returned; `STEPS` has the rest."""

from __future__ import annotations

import torch

from pgcourse.checks.unit_01.reinforce_update import (
    across_episodes,
    own_scale,
    rewards_only,
    standardize,
    undiscounted,
    whole_return,
)
from pgcourse.checks.unit_02.baseline_update_parts import half_mean_square, mistake, policy_loss
from pgcourse.checks.unit_02.baseline_update_wrong_steps import STEPS

MISCONCEPTIONS = (
    *STEPS,
    mistake(
        "returns-as-advantages",
        "The critic is fitted, but the policy never hears of it: its weights are the standardised returns. "
        "Subtracting one number from all of them, such as their mean, changes nothing, because standardising takes it "
        "away again. Subtract critic(obs), step by step.",
        advantage_fn=lambda returns, values: returns,
    ),
    mistake(
        "not-standardised",
        "You used the advantages as they are. The step's size then follows the reward's scale, and changes while the "
        "critic learns. The contract asks for advantages standardised over all steps of the batch.",
        scale_fn=lambda parts, c: torch.cat(parts),
    ),
    mistake(
        "only-centred",
        "You subtracted the mean advantage but did not divide by the standard deviation. The step then still follows "
        "the reward's scale.",
        scale_fn=lambda parts, c: torch.cat(parts) - torch.cat(parts).mean(),
    ),
    mistake(
        "only-scaled",
        "You divided by the standard deviation but did not subtract the mean advantage. A critic that is too low, as a "
        "new one is, makes all advantages positive, and then every sampled action is pushed up.",
        scale_fn=lambda parts, c: torch.cat(parts) / (torch.cat(parts).std(correction=c) + 1e-8),
    ),
    mistake(
        "only-the-good-ones",
        "You cut the negative advantages off at 0. Actions that went worse than expected should become less likely, "
        "and without them the estimate is biased.",
        {"scale_fn": lambda parts, c: standardize(torch.cat(parts).clamp(min=0), c)},
        scale_fn=lambda parts, c: standardize(torch.cat(parts), c).clamp(min=0),
    ),
    mistake(
        "each-episode-standardised-by-itself",
        "You standardised the advantages of each episode by itself. A poor and a splendid episode then both have mean "
        "0, and nothing tells the policy which was better. Put all steps together first.",
        scale_fn=own_scale,
    ),
    mistake(
        "returns-standardised-before-the-subtraction",
        "You standardised the returns and subtracted the values afterwards. The critic predicts returns in units of "
        "reward, so it has to be subtracted from those: first the difference, then the scale.",
        {
            "advantage_fn": lambda returns, values: standardize(returns, 1) - values,
            "scale_fn": lambda p, c: torch.cat(p),
        },
        {"advantage_fn": lambda returns, values: standardize(returns, 1) - values},
        {"advantage_fn": lambda returns, values: standardize(returns, 0) - values},
        advantage_fn=lambda returns, values: standardize(returns, 0) - values,
        scale_fn=lambda parts, c: torch.cat(parts),
    ),
    mistake(
        "critic-fitted-to-the-advantages",
        "You fitted the critic to the advantages. Its target is the return: once it predicts that well, the "
        "advantages become small by themselves.",
        {"target_fn": lambda returns, advantages, weights: weights},
        target_fn=lambda returns, advantages, weights: advantages,
    ),
    mistake(
        "critic-fitted-to-standardised-returns",
        "You fitted the critic to standardised returns. Their scale changes with every batch, and subtracted from raw "
        "returns such values take nothing away. The target is the return in units of reward.",
        {"target_fn": lambda returns, advantages, weights: standardize(returns, 1)},
        target_fn=lambda returns, advantages, weights: standardize(returns, 0),
    ),
    mistake(
        "sign-flipped",
        "Your update makes the actions that went better than expected less likely. Either the advantage is value minus "
        "return, or the policy's loss lacks its minus: optimizers minimise, so it is minus the mean of advantage times "
        "log-probability.",
        advantage_fn=lambda returns, values: values - returns,
    ),
    mistake(
        "policy-sum-for-mean",
        "You summed over the steps in the policy's loss where the mean is asked for. A batch of long episodes then "
        "takes a larger step than one of short ones.",
        policy_loss_fn=lambda policy, obs, actions, weights: policy_loss(policy, obs, actions, weights) * len(weights),
    ),
    mistake(
        "probability-not-logarithm",
        "You weighted the probabilities of the actions, not their logarithms. The gradient of p is p times that of log p, "
        "so likely actions would count twice: once by being sampled often, once by p. Use log_prob.",
        policy_loss_fn=lambda policy, obs, actions, weights: -(weights * policy(obs).log_prob(actions).exp()).mean(),
    ),
    mistake(
        "critic-half-missing",
        "The critic's loss is the mean squared error without the half, so its steps are twice as long as asked for, "
        "and the returned loss is twice too large. Use your value_loss.",
        value_loss_fn=lambda values, targets: 2 * half_mean_square(values, targets),
    ),
    mistake(
        "critic-sum-for-mean",
        "You summed the critic's squared errors where the mean is asked for. Its step then grows with the length of "
        "the episodes, far enough to make it diverge.",
        {"value_loss_fn": lambda values, targets: (values - targets).square().sum()},
        value_loss_fn=lambda values, targets: 0.5 * (values - targets).square().sum(),
    ),
    mistake(
        "whole-return-for-every-step",
        "Every step of an episode got the episode's whole return. Rewards that came before an action are no merit of "
        "it, and V(s) is what follows from s. Use the reward-to-go.",
        returns_fn=whole_return,
    ),
    mistake(
        "rewards-instead-of-returns",
        "You used the single rewards where returns are asked for. What an action leads to later is then ignored, and "
        "the critic learns the next reward only.",
        returns_fn=rewards_only,
    ),
    mistake(
        "returns-across-episodes",
        "You joined the rewards of all episodes before discounting, so the return of one episode contains the rewards "
        "of the next. Discount each on its own, join afterwards.",
        returns_fn=across_episodes,
    ),
    mistake(
        "discount-ignored",
        "Your returns are not discounted: gamma has no influence on your update. Pass it on to discounted_returns.",
        returns_fn=undiscounted,
    ),
    mistake(
        "gradients-clipped",
        "You clipped the gradients. It is a good habit, and the training loop of the finale does it for you; this "
        "update is to follow the gradient as it is.",
        *(
            {"max_norm": limit, "clipped": clipped}
            for limit in (0.5, 1.0, 0.1)
            for clipped in (("policy", "critic"), ("policy",), ("critic",))
            if (limit, clipped) != (1.0, ("policy",))  # the policy's gradient of standardised advantages is shorter
        ),
        max_norm=0.5,
    ),
    mistake(
        "losses-in-the-wrong-order",
        "The weights are right, but the two losses are returned in the wrong order: the policy's comes first.",
        answer=lambda loss, losses, after: (losses[-1].item(), loss.item()),
    ),
    mistake(
        "first-value-loss-returned",
        "The weights are right, but you returned the critic's first loss. Asked for is the loss that its last step "
        "followed, which shows how far the fit has come.",
        answer=lambda loss, losses, after: (loss.item(), losses[0].item()),
    ),
    mistake(
        "value-losses-summed-up",
        "The weights are right, but you returned the sum or the mean of the critic's losses. Asked for is the last "
        "one alone.",
        {"answer": lambda loss, losses, after: (loss.item(), torch.stack(losses).sum().item())},
        answer=lambda loss, losses, after: (loss.item(), torch.stack(losses).mean().item()),
    ),
    mistake(
        "value-loss-measured-after-the-last-step",
        "The weights are right, but you computed the value loss once more after the last step. Asked for is the one "
        "that the last step followed: it is there already, and costs no further pass through the critic.",
        answer=lambda loss, losses, after: (loss.item(), after.item()),
    ),
    mistake(
        "one-loss-returned",
        "The weights are right, but only one number comes back. Return both losses, the policy's first: a policy loss "
        "alone does not show a critic that diverges.",
        {"answer": lambda loss, losses, after: losses[-1].item()},
        {"answer": lambda loss, losses, after: loss},
        {"answer": lambda loss, losses, after: losses[-1]},
        {"answer": lambda loss, losses, after: (loss + losses[-1]).item()},
        answer=lambda loss, losses, after: loss.item(),
    ),
)
