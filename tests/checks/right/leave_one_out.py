"""Right answers to leave_one_out in other styles."""

import torch


def right_answer_by_answer(rewards):
    advantages = torch.zeros_like(rewards)
    for p, group in enumerate(rewards):
        for m in range(len(group)):
            advantages[p, m] = group[m] - torch.cat([group[:m], group[m + 1 :]]).mean()
    return advantages


def right_from_the_group_mean(rewards):
    num = rewards.size(-1)
    return (rewards - rewards.mean(-1, keepdim=True)) * num / (num - 1)


def right_with_a_matrix(rewards):
    num = rewards.shape[1]
    others = (torch.ones(num, num, dtype=rewards.dtype) - torch.eye(num, dtype=rewards.dtype)) / (num - 1)
    return rewards - torch.einsum("pm,mn->pn", rewards, others)


def right_in_double_precision_with_numpy(rewards):
    table = rewards.detach().numpy().astype("float64")
    others = (table.sum(axis=1)[:, None] - table) / (table.shape[1] - 1)
    return torch.from_numpy(table - others).to(rewards.dtype)
