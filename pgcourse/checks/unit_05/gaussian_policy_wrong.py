"""Wrong answers to gaussian_policy."""

from __future__ import annotations

import torch
from torch import nn
from torch.distributions import Independent, MultivariateNormal, Normal
from torch.nn.functional import softplus

from pgcourse.checks.exercise import Misconception
from pgcourse.checks.unit_05.gaussian_policy_parts import (
    Hidden,
    OtherName,
    Policy,
    StateDependent,
    WithoutParameter,
    all_zero,
    make_layers,
    policy_with,
    shared_log_std,
)

MISCONCEPTIONS = (
    Misconception(
        "no-distribution",
        "Your network returns numbers, not a distribution. Then every caller has to know what they are and how to "
        "sample. A distribution says it by itself and brings sample, log_prob and entropy along.",
        policy_with(output=lambda mean, std: (mean, std)),
        variants=(policy_with(output=lambda mean, std: mean),),
    ),
    Misconception(
        "dimensions-kept-apart",
        "You returned a Normal with one log-probability for each dimension, [B, D]. An action is one event, and its "
        "log-density the sum. Independent does this: it says how many of the last axes belong to one event.",
        policy_with(output=lambda mean, std: Normal(mean, std)),
        variants=(policy_with(output=lambda mean, std: Independent(Normal(mean, std), 0)),),
    ),
    Misconception(
        "covariance-matrix",
        "A MultivariateNormal is the same density here, but it carries a D x D matrix and factors it at every call. With "
        "independent dimensions the contract asks for Independent(Normal(...), 1).",
        policy_with(output=lambda mean, std: MultivariateNormal(mean, torch.diag(std**2))),
    ),
    Misconception(
        "log-std-not-a-parameter",
        "log_std is a plain tensor or a buffer. The optimizer only gets what policy.parameters() lists, so the policy "
        "would explore with its first standard deviation for ever.",
        lambda obs_dim, action_dim: WithoutParameter(obs_dim, action_dim, lambda zeros: zeros.requires_grad_(True)),
        variants=(
            lambda obs_dim, action_dim: WithoutParameter(obs_dim, action_dim, lambda zeros: zeros),
            lambda obs_dim, action_dim: WithoutParameter(obs_dim, action_dim, None),
            lambda obs_dim, action_dim: WithoutParameter(
                obs_dim, action_dim, lambda zeros: nn.Parameter(zeros, requires_grad=False)
            ),
        ),
    ),
    Misconception(
        "log-std-by-another-name",
        "Your policy learns its spread, but under another name. The course, its diagnostics and the saved weights look "
        "for a parameter called log_std, of shape [action_dim].",
        lambda obs_dim, action_dim: OtherName(obs_dim, action_dim, nn.Parameter(torch.zeros(1, action_dim))),
    ),
    Misconception(
        "constant-spread",
        "Your standard deviation is a constant. A policy must be able to explore widely at first and to become precise "
        "later, so it learns the logarithm of its standard deviation as a parameter, log_std.",
        lambda obs_dim, action_dim: OtherName(obs_dim, action_dim, torch.zeros(action_dim)),
    ),
    Misconception(
        "spread-from-the-network",
        "Your network computes the standard deviation from the observation. This is possible, and the lesson measures it; "
        "this exercise asks for one log_std that is a parameter and the same everywhere.",
        StateDependent,
    ),
    Misconception(
        "one-log-std-for-all",
        "log_std does not have one entry for each action dimension, [action_dim]. With a single one for all, a joint that "
        "needs precision must explore as widely as one that does not.",
        shared_log_std((1,)),
        variants=(shared_log_std(()),),
    ),
    Misconception(
        "log-std-used-as-std",
        "You gave log_std itself to Normal. A standard deviation must be positive, and gradient steps know no such "
        "bound; this is why the parameter is its logarithm. One exp is missing.",
        policy_with(initial=1.0, spread=lambda log_std: log_std),
        variants=(
            policy_with(spread=lambda log_std: log_std, output=lambda mean, std: Independent(Normal(mean, std), 1)),
        ),
    ),
    Misconception(
        "variance-for-std",
        "You gave the variance, exp(log_std) squared, to Normal, which takes the standard deviation.",
        policy_with(spread=lambda log_std: (2 * log_std).exp()),
    ),
    Misconception(
        "log-std-taken-for-log-variance",
        "Your standard deviation is exp(log_std / 2): you read the parameter as the logarithm of the variance. It is the "
        "logarithm of the standard deviation itself.",
        policy_with(spread=lambda log_std: (0.5 * log_std).exp()),
    ),
    Misconception(
        "softplus-for-exp",
        "Your standard deviation is positive, but it is not exp(log_std): perhaps a softplus, or a number added. A policy may "
        "be built that way, but then the parameter is no logarithm, and whoever reads log_std is misled.",
        policy_with(spread=lambda log_std: softplus(log_std)),
        variants=(
            policy_with(spread=lambda log_std: log_std.sigmoid()),
            policy_with(spread=lambda log_std: softplus(log_std) + 1e-3),
        ),
    ),
    Misconception(
        "spread-cut-off",
        "log_std is a parameter, but on its way into Normal it becomes a plain number, by data, detach, item or "
        "no_grad. No gradient reaches it, so the policy never learns how much to explore.",
        policy_with(spread=lambda log_std: log_std.detach().exp()),
    ),
    Misconception(
        "starts-too-narrow",
        "A new policy of yours hardly explores. Its actions all look alike, so it cannot find out which are better, and "
        "1 / std makes its gradients large. A log_std of 0, a standard deviation of 1, is a good start.",
        policy_with(initial=-2.0),
        variants=(policy_with(initial=-3.0), policy_with(initial=-20.0)),
    ),
    Misconception(
        "starts-too-wide",
        "A new policy of yours draws actions far outside what an environment takes. They are all clipped to its limits, "
        "so they act alike, and nothing is learnt from the difference. A log_std of 0 is a good start.",
        policy_with(initial=1.0),
        variants=(policy_with(initial=2.0),),
    ),
    Misconception(
        "opinionated-start",
        "Your means start away from 0, with opinions that nobody taught them. torch's default weights in the last layer "
        "do that; scale it down and set its bias to 0. Hidden layers may stay as they are.",
        lambda obs_dim, action_dim: Policy(make_layers(obs_dim, action_dim, gain=3.0), action_dim),
    ),
    Misconception(
        "bounded-mean",
        "Your mean cannot grow: a tanh, a clamp or another bounded function stands behind the last layer. The contract "
        "asks for an unbounded mean; clipping is the environment's part, and where tanh is flat the mean hardly learns.",
        policy_with(squash=torch.tanh),
        variants=(
            policy_with(squash=lambda mean: 2 * mean.tanh()),
            policy_with(squash=lambda mean: mean.clamp(-2, 2)),
            policy_with(squash=lambda mean: mean.clamp(-1, 1)),
        ),
    ),
    Misconception(
        "one-sided-mean",
        "Your means have one sign only: a ReLU stands behind the last layer. A torque may be negative; the mean is the "
        "last layer's output as it is.",
        lambda obs_dim, action_dim: Policy(make_layers(obs_dim, action_dim, gain=0.5), action_dim, squash=torch.relu),
    ),
    Misconception(
        "layers-not-registered",
        "Your layers are kept where nn.Module does not find them, for instance in a plain list. policy.parameters() "
        "then misses them, and an optimizer trains nothing but log_std. Use attributes, or nn.Sequential.",
        Hidden,
    ),
    Misconception(
        "blind-to-the-observation",
        "Your mean stays blind: at most a bias learns, the same for every observation. Either the observation plays no "
        "part in the forward pass, or all weights start at zero, where no gradient can tell one hidden unit from another. "
        "Only the last layer may be zero.",
        all_zero,
    ),
    Misconception(
        "no-gradient",
        "Between the layers and the distribution the path is cut: by detach, no_grad or numpy. Collecting experience "
        "may do without gradients; that is the caller's decision, not the network's.",
        policy_with(squash=lambda mean: mean.detach()),
    ),
    Misconception(
        "axis-squeezed-away",
        "With one action dimension your mean has shape [B] instead of [B, 1]: a squeeze took the axis away. Independent "
        "then takes the batch for the action's dimensions, and sums log-probabilities over it.",
        policy_with(squash=lambda mean: mean.squeeze(-1)),
    ),
    Misconception(
        "one-mean-for-all",
        "Your last layer has one output, and broadcasting hands it to every action dimension. There must be a mean for "
        "each: action_dim outputs.",
        lambda obs_dim, action_dim: Policy(make_layers(obs_dim, 1), action_dim),
    ),
)
