"""Answers to leave_one_out, written from the lesson and the stub alone."""

import torch


def wrong_mean_of_all(rewards):
    """Subtracts the mean of the group, the answer itself included."""
    return rewards - rewards.mean(1, keepdim=True)


def wrong_divides_by_m(rewards):
    """Sums the others and divides by M."""
    return rewards - (rewards.sum(1, keepdim=True) - rewards) / rewards.shape[1]


def wrong_own_reward_not_taken_out(rewards):
    """Divides the sum of all by M - 1."""
    return rewards - rewards.sum(1, keepdim=True) / (rewards.shape[1] - 1)


def wrong_over_prompts(rewards):
    """Leaves one prompt out in place of one answer."""
    others = max(rewards.shape[0] - 1, 1)
    return rewards - (rewards.sum(0, keepdim=True) - rewards) / others


def wrong_over_the_batch(rewards):
    """Takes the mean of all other answers, whichever prompt they belong to."""
    return rewards - (rewards.sum() - rewards) / (rewards.numel() - 1)


def wrong_baseline_alone(rewards):
    """Returns the mean of the others, and forgets to subtract it."""
    return (rewards.sum(1, keepdim=True) - rewards) / (rewards.shape[1] - 1)


def wrong_sign(rewards):
    """Takes the reward from the baseline."""
    return (rewards.sum(1, keepdim=True) - rewards) / (rewards.shape[1] - 1) - rewards


def wrong_factor_upside_down(rewards):
    """Remembers the short form with the fraction the wrong way round."""
    m = rewards.shape[1]
    return (rewards - rewards.mean(dim=1, keepdim=True)) * (m - 1) / m


def wrong_groups_down_the_columns(rewards):
    """Thinks that the answers to one prompt stand M rows apart, as after a repeat of the whole batch."""
    prompts, m = rewards.shape
    groups = rewards.reshape(m, prompts)
    return (groups - (groups.sum(0) - groups) / (m - 1)).reshape(prompts, m)


def wrong_flat(rewards):
    """Returns one long row, ready for the loss."""
    m = rewards.shape[1]
    return (rewards - (rewards.sum(1, keepdim=True) - rewards) / (m - 1)).flatten()


def wrong_best_of_the_others(rewards):
    """Compares with the best other answer."""
    m = rewards.shape[1]
    columns = [torch.cat([rewards[:, :i], rewards[:, i + 1 :]], dim=1).amax(1) for i in range(m)]
    return rewards - torch.stack(columns, dim=1)


def wrong_answers_before(rewards):
    """Uses the mean of the answers that came before in the row, as a running baseline."""
    counts = torch.arange(rewards.shape[1], dtype=rewards.dtype)
    return rewards - (rewards.cumsum(1) - rewards) / counts.clamp(min=1)


def wrong_next_answer_alone(rewards):
    """Takes one other answer, its neighbour, for the baseline."""
    return rewards - rewards.roll(-1, dims=1)


def wrong_divided_by_the_deviation(rewards):
    """Normalises as well."""
    m = rewards.shape[1]
    advantages = rewards - (rewards.sum(1, keepdim=True) - rewards) / (m - 1)
    return advantages / (rewards.std(1, keepdim=True) + 1e-8)


def wrong_in_place(rewards):
    """Subtracts within the rewards that it was given."""
    baseline = (rewards.sum(1, keepdim=True) - rewards) / (rewards.shape[1] - 1)
    rewards -= baseline
    return rewards


def wrong_float32(rewards):
    """Copies the numbers into single precision."""
    rewards = torch.tensor(rewards.tolist(), dtype=torch.float32)
    return rewards - (rewards.sum(1, keepdim=True) - rewards) / (rewards.shape[1] - 1)


def right_short_form(rewards):
    """The distance from the mean of all, stretched by M / (M - 1)."""
    m = rewards.size(1)
    return rewards.sub(rewards.mean(1, True)).mul(m / (m - 1))


def right_matrix(rewards):
    """One product with a matrix: 1 on the diagonal, -1 / (M - 1) beside it."""
    m = rewards.shape[1]
    eye = torch.eye(m, dtype=rewards.dtype)
    return rewards @ (eye - (1 - eye) / (m - 1))


def right_pairs(rewards):
    """The mean of the differences to each other answer; the difference to itself adds 0."""
    differences = rewards[:, :, None] - rewards[:, None, :]
    return differences.sum(2) / (rewards.shape[1] - 1)


def right_loops(rewards):
    """Lists in Python, with the answer itself skipped."""
    result = []
    for row in rewards.tolist():
        result.append([own - sum(row[:i] + row[i + 1 :]) / (len(row) - 1) for i, own in enumerate(row)])
    return torch.tensor(result, dtype=rewards.dtype)
