"""Right answers to group_normalized in other styles."""

import torch


def right_group_by_group(rewards, *, eps):
    rows = []
    for group in rewards:
        if bool((group == group[0]).all()):
            rows.append(torch.zeros_like(group))
        else:
            rows.append((group - group.mean()) / (group.std() + eps))
    return torch.stack(rows)


def right_dividing_by_all(rewards, *, eps):
    std, mean = torch.std_mean(rewards, dim=-1, correction=0, keepdim=True)
    return (rewards - mean) / (std + eps)


def right_transposed(rewards, *, eps):
    centred = rewards.T - rewards.mean(1)  # [M, P]
    return (centred / (centred.square().mean(0).sqrt() + eps)).T.contiguous()


def right_in_double_precision_with_numpy(rewards, *, eps):
    table = rewards.detach().double().numpy()
    centred = table - table.mean(axis=1, keepdims=True)
    return torch.as_tensor(centred / (table.std(axis=1, ddof=1, keepdims=True) + eps), dtype=rewards.dtype)
