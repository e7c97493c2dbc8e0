"""Answers to group_normalized, written from the lesson and the stub alone."""

import statistics

import torch


def wrong_no_eps(rewards, *, eps):
    """Leaves eps out; a group of equal rewards gives 0 / 0."""
    return (rewards - rewards.mean(1, keepdim=True)) / rewards.std(1, keepdim=True)


def wrong_eps_under_the_root(rewards, *, eps):
    """Adds eps to the variance."""
    deviation = (rewards.var(1, keepdim=True) + eps).sqrt()
    return (rewards - rewards.mean(1, keepdim=True)) / deviation


def wrong_layer_norm(rewards, *, eps):
    """Uses layer normalisation, which adds its eps under the root."""
    return torch.nn.functional.layer_norm(rewards, (rewards.shape[1],), eps=eps)


def wrong_eps_as_a_floor(rewards, *, eps):
    """Takes the larger of the deviation and eps."""
    deviation = rewards.std(1, keepdim=True).clamp(min=eps)
    return (rewards - rewards.mean(1, keepdim=True)) / deviation


def wrong_eps_of_its_own(rewards, *, eps):
    """Writes 1e-8 down, as always, and ignores the argument."""
    deviation = rewards.std(1, keepdim=True, unbiased=False)
    return (rewards - rewards.mean(1, keepdim=True)) / (deviation + 1e-8)


def wrong_eps_added_at_the_end(rewards, *, eps):
    """Forgets the brackets."""
    equal = rewards.amax(1, keepdim=True) == rewards.amin(1, keepdim=True)
    scaled = (rewards - rewards.mean(1, keepdim=True)) / rewards.std(1, keepdim=True) + eps
    return torch.where(equal, 0.0, scaled)


def wrong_over_prompts(rewards, *, eps):
    """Normalises each column."""
    deviation = rewards.std(0, keepdim=True, unbiased=False)
    return (rewards - rewards.mean(0, keepdim=True)) / (deviation + eps)


def wrong_over_the_batch(rewards, *, eps):
    """Standardises all answers together, as PPO does with its minibatches."""
    return (rewards - rewards.mean()) / (rewards.std() + eps)


def wrong_deviation_of_the_batch(rewards, *, eps):
    """The mean of the group, but the deviation of the whole batch."""
    return (rewards - rewards.mean(1, keepdim=True)) / (rewards.std() + eps)


def wrong_variance(rewards, *, eps):
    """Divides by the variance."""
    return (rewards - rewards.mean(1, keepdim=True)) / (rewards.var(1, keepdim=True) + eps)


def wrong_mean_absolute_deviation(rewards, *, eps):
    """Measures the spread by the mean absolute distance."""
    centred = rewards - rewards.mean(1, keepdim=True)
    return centred / (centred.abs().mean(1, keepdim=True) + eps)


def wrong_not_divided(rewards, *, eps):
    """Leaves the division out, because it favours easy and hard prompts."""
    return rewards - rewards.mean(1, keepdim=True)


def wrong_not_centred(rewards, *, eps):
    """Divides the rewards themselves."""
    return rewards / (rewards.std(1, keepdim=True) + eps)


def wrong_mean_of_the_others(rewards, *, eps):
    """Leaves one out for the mean."""
    m = rewards.shape[1]
    baseline = (rewards.sum(1, keepdim=True) - rewards) / (m - 1)
    return (rewards - baseline) / (rewards.std(1, keepdim=True) + eps)


def wrong_in_place(rewards, *, eps):
    """Centres and divides within the rewards that it was given."""
    deviation = rewards.std(1, keepdim=True)
    rewards -= rewards.mean(1, keepdim=True)
    rewards /= deviation + eps
    return rewards


def wrong_float32(rewards, *, eps):
    """Casts to single precision first."""
    rewards = rewards.float()
    return (rewards - rewards.mean(1, keepdim=True)) / (rewards.std(1, keepdim=True) + eps)


def right_shifted_by_the_first(rewards, *, eps):
    """Counts from the first answer of each group, so that equal rewards are 0 exactly; divides by M."""
    shifted = rewards - rewards[:, :1]
    centred = shifted - shifted.mean(1, keepdim=True)
    return centred / (centred.square().mean(1, keepdim=True).sqrt() + eps)


def right_row_by_row(rewards, *, eps):
    """Lists in Python, with the module for statistics; divides by M - 1."""
    result = []
    for row in rewards.tolist():
        mean, deviation = statistics.mean(row), statistics.stdev(row)
        result.append([0.0 if len(set(row)) == 1 else (value - mean) / (deviation + eps) for value in row])
    return torch.tensor(result, dtype=rewards.dtype)


def right_double_and_where(rewards, *, eps):
    """In double precision, with the groups of equal rewards chosen out; divides by M."""
    exact = rewards.double()
    variance, mean = torch.var_mean(exact, dim=1, correction=0, keepdim=True)
    equal = (exact == exact[:, :1]).all(dim=1, keepdim=True)
    return torch.where(equal, 0.0, (exact - mean) / (variance.sqrt() + eps)).to(rewards.dtype)


def right_from_the_pairs(rewards, *, eps):
    """Mean and variance from the differences of all pairs: no mean of rewards is ever taken; divides by M - 1."""
    m = rewards.shape[1]
    pairs = rewards.unsqueeze(2) - rewards.unsqueeze(1)
    variance = pairs.square().sum((1, 2)) / (2 * m * (m - 1))
    return pairs.mean(2) / (variance.sqrt() + eps).unsqueeze(1)
