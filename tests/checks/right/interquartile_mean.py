"""Right answers to interquartile_mean in other styles."""

import statistics

import torch


def right_with_topk(x):
    quarter = len(x) // 4
    return x.topk(3 * quarter).values.topk(2 * quarter, largest=False).values.mean()


def right_with_list(x):
    ordered = sorted(x.tolist())
    quarter = len(ordered) // 4
    return statistics.fmean(ordered[quarter : len(ordered) - quarter])


def right_with_chunks(x):
    _, second, third, _ = torch.sort(x)[0].chunk(4)
    return torch.cat([second, third]).mean()
