"""Answers to bandit_step, written from the lesson and the stub alone."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn.functional import one_hot


def wrong_pulled_arm_only(logits, action, reward, *, learning_rate):
    """Raises the pulled arm and leaves the rest alone, one minus its probability for it."""
    new = logits.clone()
    new[action] += learning_rate * reward * (1 - logits.softmax(0)[action])
    return new


def wrong_other_arms_alone_by_the_reward(logits, action, reward, *, learning_rate):
    """Forgets the probabilities: the arm gets the reward, nothing is taken from anybody."""
    return logits + learning_rate * reward * one_hot(torch.tensor(action), len(logits))


def wrong_descends(logits, action, reward, *, learning_rate):
    """Writes the minus of every other update rule that he knows."""
    score = one_hot(torch.tensor(action), logits.shape[0]) - torch.softmax(logits, dim=-1)
    return logits - learning_rate * reward * score


def wrong_forgot_the_reward(logits, action, reward, *, learning_rate):
    """Follows the score, and forgets to weigh it with what the pull paid."""
    probs = logits.softmax(-1)
    target = torch.zeros_like(logits)
    target[action] = 1.0
    return logits + learning_rate * (target - probs)


def wrong_forgot_the_softmax(logits, action, reward, *, learning_rate):
    """Subtracts the logits themselves from the one-hot vector."""
    hot = torch.eye(len(logits), dtype=logits.dtype)[action]
    return logits + learning_rate * reward * (hot - logits)


def wrong_changes_the_given_logits(logits, action, reward, *, learning_rate):
    """Adds in place and hands the same tensor back."""
    probs = torch.softmax(logits, dim=0)
    logits -= learning_rate * reward * probs
    logits[action] += learning_rate * reward
    return logits


def wrong_softmax_again_for_every_arm(logits, action, reward, *, learning_rate):
    """Goes arm by arm and takes the probabilities of the half-updated logits."""
    new = logits.clone()
    for arm in range(len(new)):
        p = torch.softmax(new, dim=0)[arm]
        new[arm] = new[arm] + learning_rate * reward * ((1.0 if arm == action else 0.0) - p)
    return new


def wrong_only_the_step(logits, action, reward, *, learning_rate):
    """Returns what is to be added, not the sum."""
    hot = one_hot(torch.tensor(action), logits.numel()).to(logits.dtype)
    return learning_rate * reward * (hot - logits.softmax(dim=-1))


def wrong_new_probabilities(logits, action, reward, *, learning_rate):
    """Takes the right step and returns the new policy in place of its logits."""
    step = -logits.softmax(0)
    step[action] += 1
    return torch.softmax(logits + learning_rate * reward * step, dim=0)


def wrong_gradient_of_the_probability(logits, action, reward, *, learning_rate):
    """Differentiates pi(a) and not log pi(a), so frequent arms are pushed harder."""
    z = logits.detach().clone().requires_grad_()
    z.softmax(dim=-1)[action].backward()
    return (z + learning_rate * reward * z.grad).detach()


def wrong_numpy_left_in_double(logits, action, reward, *, learning_rate):
    """Builds the one-hot row in numpy, and float64 spreads from there."""
    hot = torch.from_numpy(np.eye(len(logits))[action])
    return logits + learning_rate * reward * (hot - logits.softmax(dim=0))


def wrong_bad_pulls_ignored(logits, action, reward, *, learning_rate):
    """Thinks that a pull that lost money has nothing to teach."""
    if reward <= 0:
        return logits.clone()
    hot = one_hot(torch.tensor(action), len(logits))
    return logits + learning_rate * reward * (hot - logits.softmax(dim=0))


def wrong_divided_by_the_probability(logits, action, reward, *, learning_rate):
    """Corrects for rare arms by an importance weight, as in EXP3."""
    probs = torch.softmax(logits, dim=0)
    hot = one_hot(torch.tensor(action), len(logits))
    return logits + learning_rate * reward / probs[action] * (hot - probs)


def wrong_others_share_the_loss_evenly(logits, action, reward, *, learning_rate):
    """Takes from every other arm the same, whatever its probability."""
    gain = learning_rate * reward * (1 - logits.softmax(-1)[action])
    new = logits - gain / (len(logits) - 1)
    new[action] = logits[action] + gain
    return new


def wrong_result_centred(logits, action, reward, *, learning_rate):
    """Takes the maximum away at the end, because softmax does not care."""
    score = -logits.softmax(0)
    score[action] += 1
    new = logits + learning_rate * reward * score
    return new - new.max()


def wrong_learning_rate_as_temperature(logits, action, reward, *, learning_rate):
    """Mixes up the learning rate and the temperature of the lesson."""
    hot = one_hot(torch.tensor(action), len(logits))
    return logits + learning_rate * reward * (hot - torch.softmax(logits / learning_rate, dim=-1))


_seen = []


def wrong_running_mean_subtracted(logits, action, reward, *, learning_rate):
    """Subtracts the mean of all rewards seen so far, as Sutton and Barto's gradient bandit does."""
    baseline = sum(_seen) / len(_seen) if _seen else 0.0
    _seen.append(reward)
    hot = one_hot(torch.tensor(action), len(logits))
    return logits + learning_rate * (reward - baseline) * (hot - logits.softmax(dim=-1))


def right_autograd(logits, action, reward, *, learning_rate):
    """Lets autograd find the score on a copy."""
    z = logits.detach().clone().requires_grad_()
    (score,) = torch.autograd.grad(torch.log_softmax(z, dim=0)[action], z)
    return logits.detach() + learning_rate * reward * score


def right_optimiser_that_climbs(logits, action, reward, *, learning_rate):
    """One step of SGD with maximize=True on reward times log-probability."""
    parameter = nn.Parameter(logits.detach().clone())
    optimizer = torch.optim.SGD([parameter], lr=learning_rate, maximize=True)
    (reward * torch.distributions.Categorical(logits=parameter).log_prob(torch.tensor(action))).backward()
    optimizer.step()
    return parameter.detach()


def right_plain_python(logits, action, reward, *, learning_rate):
    """Lists and math.exp, a tensor only at the end."""
    z = logits.tolist()
    top = max(z)
    weights = [math.exp(x - top) for x in z]
    total = math.fsum(weights)
    new = [x + learning_rate * reward * ((k == action) - w / total) for k, (x, w) in enumerate(zip(z, weights))]
    return torch.tensor(new, dtype=logits.dtype)


def right_numpy(logits, action, reward, *, learning_rate):
    """Numpy in double precision; the subtraction by ufunc.at, cast back at the end."""
    z = logits.detach().numpy().astype(np.float64)
    score = -np.exp(z - np.logaddexp.reduce(z))
    np.add.at(score, action, 1.0)
    return torch.from_numpy(z + learning_rate * reward * score).to(logits.dtype)


def right_row_of_the_jacobian(logits, action, reward, *, learning_rate):
    """Row `action` of identity minus probabilities, with addcmul and the number as a 0-d tensor."""
    size = logits.shape[0]
    jacobian = torch.eye(size, dtype=logits.dtype) - torch.softmax(logits, dim=0).expand(size, size)
    return torch.add(logits, jacobian[action], alpha=learning_rate * reward)
