"""Right answers to bootstrap_interval in other styles."""

import numpy as np
import torch


def right_with_sorted_list(x, *, statistic, confidence, num_resamples, generator):
    values = []
    for _ in range(num_resamples):
        pick = torch.randint(0, len(x), (len(x),), generator=generator)
        values.append(float(statistic(x[pick])))
    values.sort()
    cut = int((1 - confidence) / 2 * num_resamples)
    return [values[cut], values[num_resamples - 1 - cut]]


def right_with_vmap(x, *, statistic, confidence, num_resamples, generator):
    draws = torch.rand(num_resamples, len(x), generator=generator, dtype=torch.float64)
    values = torch.vmap(statistic)(x[(draws * len(x)).long()])
    return values.quantile(torch.tensor([0.5 - confidence / 2, 0.5 + confidence / 2], dtype=x.dtype))


def right_with_numpy(x, *, statistic, confidence, num_resamples, generator):
    rng = np.random.default_rng(int(torch.randint(2**31, (), generator=generator)))
    values = [statistic(x[torch.from_numpy(rng.choice(len(x), len(x)))]).item() for _ in range(num_resamples)]
    low, high = np.percentile(values, [50 * (1 - confidence), 50 * (1 + confidence)])
    return low, high
