"""Answers to a2c_losses, written from the lesson and the stub alone."""

from typing import NamedTuple

import torch
from torch.nn import functional as F


class _Losses(NamedTuple):
    policy: torch.Tensor
    value: torch.Tensor


def wrong_policy_sign(log_prob, advantages, values, returns, entropy, *, ent_coef):
    """Takes the objective for the loss: no minus in front of advantage times log-probability."""
    policy_loss = (advantages.detach() * log_prob).mean() - ent_coef * entropy.mean()
    value_loss = 0.5 * (values - returns.detach()).pow(2).mean()
    return policy_loss, value_loss


def wrong_entropy_sign(log_prob, advantages, values, returns, entropy, *, ent_coef):
    """Adds the entropy to the loss, which punishes it."""
    pg = -(log_prob * advantages.detach()).mean()
    bonus = ent_coef * entropy.mean()
    v = F.mse_loss(values, returns.detach()) / 2
    return pg + bonus, v


def wrong_sums(log_prob, advantages, values, returns, entropy, *, ent_coef):
    """Sums over the batch where means are asked for."""
    policy_loss = -torch.sum(log_prob * advantages.detach()) - ent_coef * torch.sum(entropy)
    value_loss = 0.5 * torch.sum((values - returns.detach()) ** 2)
    return policy_loss, value_loss


def wrong_no_half(log_prob, advantages, values, returns, entropy, *, ent_coef):
    """The mean squared error of torch, without the half."""
    actor = -(advantages.detach() * log_prob).mean() - ent_coef * entropy.mean()
    critic = F.mse_loss(values, returns.detach())
    return actor, critic


def wrong_advantages_not_detached(log_prob, advantages, values, returns, entropy, *, ent_coef):
    """Gradient flows from the policy's loss into the advantages."""
    policy_loss = -(log_prob * advantages).mean() - ent_coef * entropy.mean()
    difference = values - returns.detach()
    return policy_loss, 0.5 * (difference * difference).mean()


def wrong_returns_not_detached(log_prob, advantages, values, returns, entropy, *, ent_coef):
    """The full gradient: the critic's target is differentiated too."""
    objective = (advantages.detach() * log_prob + ent_coef * entropy).mean()
    return -objective, ((values - returns) ** 2).mean() / 2


def wrong_values_detached_instead(log_prob, advantages, values, returns, entropy, *, ent_coef):
    """Detaches the wrong side of the squared error."""
    adv = advantages.detach()
    loss_pi = -(adv * log_prob).mean() - ent_coef * entropy.mean()
    loss_v = 0.5 * ((values.detach() - returns) ** 2).mean()
    return loss_pi, loss_v


def wrong_entropy_detached(log_prob, advantages, values, returns, entropy, *, ent_coef):
    """Takes the entropy for a number to subtract, without a gradient."""
    advantages, returns, entropy = (x.detach() for x in (advantages, returns, entropy))
    policy_loss = -(advantages * log_prob).mean() - ent_coef * entropy.mean()
    return policy_loss, 0.5 * (values - returns).square().mean()


def wrong_normalises_advantages(log_prob, advantages, values, returns, entropy, *, ent_coef):
    """Standardises the advantages inside the loss."""
    adv = advantages.detach()
    adv = (adv - adv.mean()) / (adv.std(unbiased=False) + 1e-8)
    policy_loss = -(adv * log_prob).mean() - ent_coef * entropy.mean()
    value_loss = 0.5 * (values - returns.detach()).square().mean()
    return policy_loss, value_loss


def wrong_order_of_the_pair(log_prob, advantages, values, returns, entropy, *, ent_coef):
    """Gives the value loss first."""
    value_loss = 0.5 * torch.mean((values - returns.detach()) ** 2)
    policy_loss = -torch.mean(log_prob * advantages.detach()) - ent_coef * torch.mean(entropy)
    return value_loss, policy_loss


def wrong_one_loss_for_both(log_prob, advantages, values, returns, entropy, *, ent_coef):
    """Adds the value loss to the policy's, as with a shared network."""
    value_loss = 0.5 * (values - returns.detach()).square().mean()
    policy_loss = -(advantages.detach() * log_prob).mean() - ent_coef * entropy.mean() + value_loss
    return policy_loss, value_loss


def wrong_own_advantages(log_prob, advantages, values, returns, entropy, *, ent_coef):
    """Works the advantages out again as returns minus values and ignores the ones given."""
    td = returns.detach() - values
    policy_loss = -(td.detach() * log_prob).mean() - ent_coef * entropy.mean()
    return policy_loss, 0.5 * td.pow(2).mean()


def wrong_smooth_l1(log_prob, advantages, values, returns, entropy, *, ent_coef):
    """Uses the Huber loss for the critic, as many DQN programs do."""
    policy = -(log_prob * advantages.detach()).mean() - ent_coef * entropy.mean()
    return policy, F.smooth_l1_loss(values, returns.detach())


def wrong_square_of_the_mean(log_prob, advantages, values, returns, entropy, *, ent_coef):
    """Squares the mean difference instead of averaging the squares."""
    policy_loss = -(advantages.detach() @ log_prob) / len(log_prob) - ent_coef * entropy.mean()
    value_loss = 0.5 * (values - returns.detach()).mean() ** 2
    return policy_loss, value_loss


def wrong_product_of_means(log_prob, advantages, values, returns, entropy, *, ent_coef):
    """Multiplies the mean advantage by the mean log-probability."""
    policy_loss = -advantages.detach().mean() * log_prob.mean() - ent_coef * entropy.mean()
    value_loss = (values - returns.detach()).square().mean() * 0.5
    return policy_loss, value_loss


def wrong_python_floats(log_prob, advantages, values, returns, entropy, *, ent_coef):
    """Adds the rows up as Python floats, through which no gradient can flow."""
    n = len(log_prob)
    policy = sum(-a * lp for a, lp in zip(advantages.tolist(), log_prob.tolist(), strict=True)) / n
    policy -= ent_coef * sum(entropy.tolist()) / n
    value = sum((v - r) ** 2 for v, r in zip(values.tolist(), returns.tolist(), strict=True)) / (2 * n)
    return torch.tensor(policy, dtype=log_prob.dtype), torch.tensor(value, dtype=values.dtype)


def wrong_coefficient_on_everything(log_prob, advantages, values, returns, entropy, *, ent_coef):
    """Mixes the two terms with weights 1 - ent_coef and ent_coef."""
    gain = (log_prob * advantages.detach()).mean()
    policy_loss = -((1 - ent_coef) * gain + ent_coef * entropy.mean())
    return policy_loss, 0.5 * (returns.detach() - values).square().mean()


def right_dot_products(log_prob, advantages, values, returns, entropy, *, ent_coef):
    """Dot products divided by the number of rows, the pair as a named tuple."""
    rows = log_prob.numel()
    error = values - returns.detach()
    policy = -(torch.dot(advantages.detach(), log_prob) + ent_coef * entropy.sum()) / rows
    return _Losses(policy, torch.einsum("b,b->", error, error) / (2 * rows))


def right_modules_of_torch(log_prob, advantages, values, returns, entropy, *, ent_coef):
    """MSELoss and sub with alpha; the constants are clones made under no_grad."""
    with torch.no_grad():
        weights, targets = advantages.clone(), returns.clone()
    policy_loss = torch.mean(torch.mul(log_prob, -weights)).sub(entropy.mean(), alpha=ent_coef)
    return policy_loss, torch.nn.MSELoss()(values, targets).div(2)


def right_double_and_back(log_prob, advantages, values, returns, entropy, *, ent_coef):
    """Averages in double precision, row by row, and casts both results back."""
    weights, targets = advantages.detach().double(), returns.detach().double()
    policy, value = 0.0, 0.0
    for i in range(len(weights)):
        policy = policy - weights[i] * log_prob[i].double() - ent_coef * entropy[i].double()
        value = value + (values[i].double() - targets[i]) ** 2 / 2
    return (policy / len(weights)).to(log_prob.dtype), (value / len(weights)).to(values.dtype)


def right_views_of_a_stack(log_prob, advantages, values, returns, entropy, *, ent_coef):
    """A pair cut from one stacked tensor: the losses are views of it."""
    gain = advantages.data * log_prob + ent_coef * entropy
    error = (values - returns.data).square().mul(0.5)
    policy_loss, value_loss = torch.stack([-gain, error]).mean(dim=1).unbind()
    return policy_loss, value_loss
