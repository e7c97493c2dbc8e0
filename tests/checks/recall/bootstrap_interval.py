"""Answers to bootstrap_interval, written from the lesson and the stub alone."""

import math
from statistics import NormalDist

import numpy as np
import torch
from torch.utils.data import RandomSampler


def wrong_without_replacement(x, *, statistic, confidence, num_resamples, generator):
    """Shuffles the runs: each resample is a permutation."""
    results = torch.stack(
        [statistic(x[torch.randperm(len(x), generator=generator)]) for _ in range(num_resamples)]
    ).double()
    tail = (1 - confidence) / 2
    return torch.quantile(results, tail), torch.quantile(results, 1 - tail)


def wrong_global_generator(x, *, statistic, confidence, num_resamples, generator):
    """Forgets to hand the generator on, so the draws come from torch's own."""
    picks = torch.randint(len(x), (num_resamples, len(x)))
    results = torch.stack([statistic(x[row]) for row in picks])
    tail = (1 - confidence) / 2
    return results.quantile(tail), results.quantile(1 - tail)


def wrong_numpy_seeded_by_itself(x, *, statistic, confidence, num_resamples, generator):
    """Copies the lesson's default_rng(0), so the generator that was handed over plays no part."""
    rng = np.random.default_rng(0)
    picks = torch.from_numpy(rng.integers(len(x), size=(num_resamples, len(x))))
    results = np.array([float(statistic(x[p])) for p in picks])
    return tuple(np.quantile(results, [(1 - confidence) / 2, (1 + confidence) / 2]).tolist())


def wrong_tail_not_halved(x, *, statistic, confidence, num_resamples, generator):
    """Leaves out 1 - confidence below, and the same above."""
    R = x.shape[0]
    results = []
    for _ in range(num_resamples):
        results.append(statistic(x[torch.randint(R, (R,), generator=generator)]))
    results = torch.stack(results)
    return torch.quantile(results, 1 - confidence), torch.quantile(results, confidence)


def wrong_normal_interval(x, *, statistic, confidence, num_resamples, generator):
    """Mean of the statistics plus and minus z standard deviations, as if they were Gaussian."""
    picks = torch.randint(len(x), (num_resamples, len(x)), generator=generator)
    results = torch.stack([statistic(x[p]) for p in picks]).double()
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    centre, spread = results.mean(), results.std()
    return centre - z * spread, centre + z * spread


def wrong_standard_error_of_resamples(x, *, statistic, confidence, num_resamples, generator):
    """Divides the spread of the statistics by the root of their number: the more resamples, the surer."""
    n = len(x)
    results = [float(statistic(x[torch.randint(n, (n,), generator=generator)])) for _ in range(num_resamples)]
    error = np.std(results) / math.sqrt(num_resamples)
    half = NormalDist().inv_cdf((1 + confidence) / 2) * error
    return np.mean(results) - half, np.mean(results) + half


def wrong_basic_bootstrap(x, *, statistic, confidence, num_resamples, generator):
    """Turns the quantiles around the estimate, the 'basic' interval of another library."""
    picks = torch.randint(0, len(x), (num_resamples, len(x)), generator=generator)
    results = torch.stack([statistic(x[p]) for p in picks]).double()
    estimate = statistic(x).double()
    tail = (1 - confidence) / 2
    return 2 * estimate - results.quantile(1 - tail), 2 * estimate - results.quantile(tail)


def wrong_always_the_mean(x, *, statistic, confidence, num_resamples, generator):
    """Takes the mean of each resample, whatever statistic was asked for."""
    picks = torch.randint(len(x), size=(num_resamples, len(x)), generator=generator)
    means = x[picks].mean(dim=1)
    low, high = torch.quantile(means, torch.tensor([(1 - confidence) / 2, (1 + confidence) / 2], dtype=x.dtype))
    return low, high


def wrong_quantiles_of_the_runs(x, *, statistic, confidence, num_resamples, generator):
    """Throws all drawn runs together and takes the quantiles of the runs instead of the statistics."""
    picks = torch.randint(len(x), (num_resamples * len(x),), generator=generator)
    drawn = x[picks].double()
    tail = (1 - confidence) / 2
    return float(torch.quantile(drawn, tail)), float(torch.quantile(drawn, 1 - tail))


def wrong_shape_exchanged(x, *, statistic, confidence, num_resamples, generator):
    """R resamples of num_resamples numbers each."""
    picks = torch.randint(len(x), (len(x), num_resamples), generator=generator)
    results = torch.stack([statistic(x[row]) for row in picks])
    tail = (1 - confidence) / 2
    return results.quantile(tail), results.quantile(1 - tail)


def wrong_statistic_with_dim(x, *, statistic, confidence, num_resamples, generator):
    """Calls the statistic once on the table with dim=1, which a statistic of a 1-D tensor need not know."""
    picks = torch.randint(len(x), (num_resamples, len(x)), generator=generator)
    results = statistic(x[picks], dim=1)
    tail = (1 - confidence) / 2
    return torch.quantile(results, tail), torch.quantile(results, 1 - tail)


def wrong_high_first(x, *, statistic, confidence, num_resamples, generator):
    """Returns the upper end first."""
    rows = torch.randint(len(x), (num_resamples, len(x)), generator=generator).unbind()
    results = torch.stack([statistic(x[row]) for row in rows])
    high = results.quantile((1 + confidence) / 2)
    low = results.quantile((1 - confidence) / 2)
    return high, low


def wrong_copy_of_the_generator(x, *, statistic, confidence, num_resamples, generator):
    """A fresh generator with the seed of the given one: wherever that stands, the draws begin anew."""
    fresh = torch.Generator().manual_seed(generator.initial_seed())
    picks = torch.randint(len(x), (num_resamples, len(x)), generator=fresh)
    results = torch.stack([statistic(x[p]) for p in picks]).double()
    return tuple(torch.quantile(results, q) for q in ((1 - confidence) / 2, (1 + confidence) / 2))


def wrong_last_run_never_drawn(x, *, statistic, confidence, num_resamples, generator):
    """randint up to R - 1, although its upper end is not drawn anyway."""
    R = len(x)
    picks = torch.randint(0, max(R - 1, 1), (num_resamples, R), generator=generator)
    results = torch.stack([statistic(x[p]) for p in picks]).double()
    tail = (1 - confidence) / 2
    return results.quantile(tail), results.quantile(1 - tail)


def wrong_95_for_everybody(x, *, statistic, confidence, num_resamples, generator):
    """The lesson's own quantiles, 0.025 and 0.975, for every confidence."""
    picks = torch.randint(len(x), (num_resamples, len(x)), generator=generator)
    results = np.stack([statistic(draw).numpy() for draw in x[picks]])
    low, high = np.quantile(results, [0.025, 0.975])
    return float(low), float(high)


def wrong_confidence_left_out(x, *, statistic, confidence, num_resamples, generator):
    """Leaves out half of the confidence on either side: a wide interval for a low confidence."""
    R = len(x)
    results = sorted(statistic(x[torch.randint(R, (R,), generator=generator)]).item() for _ in range(num_resamples))
    low, high = np.quantile(results, [confidence / 2, 1 - confidence / 2])
    return float(min(low, high)), float(max(low, high))


def wrong_deviations(x, *, statistic, confidence, num_resamples, generator):
    """The spread around the estimate: the interval of the error, and not of the statistic."""
    picks = torch.randint(len(x), (num_resamples, len(x)), generator=generator)
    errors = torch.stack([statistic(x[p]) for p in picks]).double() - statistic(x).double()
    tail = (1 - confidence) / 2
    return errors.quantile(tail), errors.quantile(1 - tail)


def wrong_one_draw_short(x, *, statistic, confidence, num_resamples, generator):
    """Draws R - 1 runs a resample, with the degrees of freedom in mind."""
    size = max(len(x) - 1, 1)
    results = torch.empty(num_resamples, dtype=torch.float64)
    for k in range(num_resamples):
        results[k] = statistic(x[torch.randint(len(x), (size,), generator=generator)])
    tail = (1 - confidence) / 2
    return results.quantile(tail), results.quantile(1 - tail)


def wrong_draws_from_a_gaussian(x, *, statistic, confidence, num_resamples, generator):
    """Draws new runs from a normal distribution with the mean and the spread of the old ones."""
    mean, std = x.mean(), x.std(correction=0)
    draws = mean + std * torch.randn(num_resamples, len(x), generator=generator, dtype=x.dtype)
    results = torch.stack([statistic(d) for d in draws]).double()
    tail = (1 - confidence) / 2
    return results.quantile(tail), results.quantile(1 - tail)


def wrong_upper_tail_left_in(x, *, statistic, confidence, num_resamples, generator):
    """One-sided: the share below is left out, and above everything stays up to the maximum."""
    picks = torch.randint(len(x), (num_resamples, len(x)), generator=generator)
    results = torch.stack([statistic(x[p]) for p in picks]).double().sort().values
    skipped = int(num_resamples * (1 - confidence) / 2)
    return results[skipped].item(), results[-1].item()


def right_one_table_of_picks(x, *, statistic, confidence, num_resamples, generator):
    """All picks at once, one row a resample; 0-d tensors."""
    picks = torch.randint(len(x), (num_resamples, len(x)), generator=generator)
    results = torch.stack([statistic(x[row]) for row in picks]).double()
    tail = (1 - confidence) / 2
    return results.quantile(tail), results.quantile(1 - tail)


def right_uniforms_and_inverted_cdf(x, *, statistic, confidence, num_resamples, generator):
    """Uniform numbers cut down to indices, and numpy's step-function quantile: one of the statistics."""
    R = x.numel()
    results = np.empty(num_resamples)
    for k in range(num_resamples):
        uniform = torch.rand(R, generator=generator, dtype=torch.float64)
        results[k] = float(statistic(x.take((uniform * R).long().clamp(max=R - 1))))
    low, high = np.quantile(results, [0.5 - confidence / 2, 0.5 + confidence / 2], method="inverted_cdf")
    return float(low), float(high)


def right_multinomial(x, *, statistic, confidence, num_resamples, generator):
    """Equal weights and torch.multinomial; returns a 1-D tensor's two views as a tuple."""
    weights = torch.ones(num_resamples, len(x), dtype=torch.float64)
    picks = torch.multinomial(weights, len(x), replacement=True, generator=generator)
    results = torch.tensor([statistic(x.index_select(0, p)).item() for p in picks], dtype=torch.float64)
    ends = torch.quantile(results, torch.tensor([0.5 - confidence / 2, 0.5 + confidence / 2], dtype=torch.float64))
    return tuple(ends.unbind())


def right_random_sampler(x, *, statistic, confidence, num_resamples, generator):
    """A data loader's sampler with replacement draws; the tails are cut from a sorted list."""
    R = len(x)
    sampler = iter(RandomSampler(range(R), replacement=True, num_samples=R * num_resamples, generator=generator))
    results = sorted(float(statistic(x[[next(sampler) for _ in range(R)]])) for _ in range(num_resamples))
    tail = (1 - confidence) / 2
    last = num_resamples - 1
    return results[round(tail * last)], results[round((1 - tail) * last)]


def right_counts(x, *, statistic, confidence, num_resamples, generator):
    """Counts how often each run was drawn, and repeats it so often: the order in a resample means nothing."""
    R = len(x)
    results = []
    while len(results) < num_resamples:
        drawn = torch.randint(high=R, size=(R,), generator=generator)
        results.append(statistic(x.repeat_interleave(torch.bincount(drawn, minlength=R))))
    values = torch.stack(results).double().numpy()
    return tuple(float(v) for v in np.percentile(values, [50 - 50 * confidence, 50 + 50 * confidence], method="hazen"))
