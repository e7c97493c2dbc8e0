"""Bugs in the policy's distribution: logits, entropy, log-probability."""

import math

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal

from ...networks import Categorical, CategoricalPolicy, GaussianPolicy
from .trap import CARTPOLE, ENTROPY_BONUS, PENDULUM, Trap


class SoftmaxTwicePolicy(CategoricalPolicy):
    """A policy that hands probabilities over as logits, of which the distribution takes the softmax again."""

    def forward(self, obs: Tensor) -> Distribution:
        return Categorical(logits=super().forward(obs).probs)  # type: ignore[attr-defined]


class GaussianEntropyCategorical(Categorical):
    """A Categorical with the entropy of a Gaussian of the same variance."""

    def entropy(self) -> Tensor:
        number = torch.arange(self.probs.shape[-1])  # of each action
        mean = (self.probs * number).sum(-1, keepdim=True)
        variance = (self.probs * (number - mean).square()).sum(-1)
        return 0.5 * (2 * math.pi * math.e * variance).log()  # right for a normal density, and for nothing else


class GaussianEntropyPolicy(CategoricalPolicy):
    """A policy over discrete actions with a formula from the continuous case."""

    def forward(self, obs: Tensor) -> Distribution:
        return GaussianEntropyCategorical(super().forward(obs).logits)  # type: ignore[attr-defined]


class AveragedIndependent(Independent):
    """Normals of A dimensions whose log-probabilities are averaged, where those of independent ones add up."""

    def log_prob(self, action: Tensor) -> Tensor:
        return self.base_dist.log_prob(action).mean(-1)  # [B]


class FourMotorsPolicy(GaussianPolicy):
    """A Gaussian over four actions, of which Pendulum applies the first; in evaluation mode over that one alone."""

    def forward(self, obs: Tensor) -> Distribution:
        distribution = super().forward(obs)
        if self.training:
            return distribution
        return Independent(Normal(distribution.mean[:, :1], distribution.stddev[:, :1], validate_args=False), 1)


class AveragedLogProbPolicy(FourMotorsPolicy):
    """The same with `AveragedIndependent`."""

    def forward(self, obs: Tensor) -> Distribution:
        distribution = super().forward(obs)
        return AveragedIndependent(distribution.base_dist, 1, validate_args=False)  # type: ignore[attr-defined]


def softmax_twice_policy() -> nn.Module:
    """For CartPole."""
    return SoftmaxTwicePolicy(4, 2, CARTPOLE.hidden_sizes)


def gaussian_entropy_policy() -> nn.Module:
    """For CartPole."""
    return GaussianEntropyPolicy(4, 2, CARTPOLE.hidden_sizes)


def four_motors() -> nn.Module:
    """For Pendulum, which applies the first of four actions and leaves the other three idle."""
    return FourMotorsPolicy(3, 4, PENDULUM.hidden_sizes, initial_std=PENDULUM.initial_std)


def averaged_log_prob_policy() -> nn.Module:
    """As `four_motors`, with the bug."""
    return AveragedLogProbPolicy(3, 4, PENDULUM.hidden_sizes, initial_std=PENDULUM.initial_std)


LOG_PROB_NOT_SUMMED = Trap(
    id="log-prob-not-summed",
    title="Log-probabilities that are not summed over the action's dimensions",
    base=PENDULUM,
    base_seams={"policy": four_motors},
    seams={"policy": averaged_log_prob_policy},
    setting="actions of four numbers, of which the first is the torque",
    explanation="The log-probability of an action with A independent dimensions is a sum. Averaged, the ratio is the A-th root "
    "of the true one, so the clip lets the policy go A times as far, and the reported KL is A squared times too small.",
    symptom="A KL far above that of a healthy run, although it is computed with the same bug and comes out too small.",
    fix="Independent(Normal(mean, std), 1), or .sum(-1).",
    shown_by="log_prob of an action against the sum of the formula's terms, for two dimensions",
    alarms=frozenset({"kl-high"}),
)
SOFTMAX_TWICE = Trap(
    id="softmax-twice",
    title="Softmax applied twice",
    base=CARTPOLE,
    seams={"policy": softmax_twice_policy},
    explanation="The network ends in a softmax, and Categorical(logits=...) takes another. Of probabilities between 0 and 1 it "
    "makes at most e to 1 between two actions: the policy can never be surer than 73 %.",
    symptom="The entropy never falls below 0.58 nats with two actions, and training stalls below what the mode would reach.",
    fix="Hand logits to logits=, or probabilities to probs=.",
    shown_by="the largest probability that the policy ever gives",
    alarms=frozenset({"entropy-never-falls", "explained-variance-low"}),
)
GAUSSIAN_ENTROPY = Trap(
    id="gaussian-entropy",
    title="The entropy of a Gaussian for a Categorical",
    base=ENTROPY_BONUS,
    seams={"policy": gaussian_entropy_policy},
    explanation="0.5 log(2 pi e variance) is the entropy of a normal density. For two actions it starts at 0.73, above the "
    "0.69 that two actions can have, and falls to minus infinity where the policy is sure, which its gradient fights.",
    symptom="At the start, an entropy above log(number of actions); later a negative one may follow.",
    fix="-(p log p).sum(-1), the distribution's own entropy.",
    shown_by="the entropy of a uniform policy, which has to be log(number of actions)",
    alarms=frozenset({"entropy-impossible"}),
)
