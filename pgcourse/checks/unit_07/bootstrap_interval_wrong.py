"""Wrong answers to bootstrap_interval, most of them a right function with parts exchanged."""

from __future__ import annotations

import torch

from pgcourse.checks.exercise import Misconception
from pgcourse.checks.unit_07.bootstrap_interval_parts import (
    around,
    basic,
    between,
    build,
    data_band,
    drawn_from_a_normal,
    minus,
    normal_quantile,
    percentiles,
    resampled,
    shuffled,
    sized,
    standard_error_band,
    width,
)

MISCONCEPTIONS = (
    Misconception(
        "whole-rest-on-each-side",
        "You left out 1 - confidence on each side, so twice as much in all. An interval of 95 % leaves out 2.5 % below and 2.5 "
        "% above.",
        between(lambda c: 1 - c, lambda c: c),
    ),
    Misconception(
        "confidence-not-used",
        "Your interval is the same for every confidence, as if 95 % were always meant. The shares follow from the argument: "
        "(1 - confidence) / 2 on each side.",
        between(lambda c: 0.025, lambda c: 0.975),
        (between(lambda c: 0.05, lambda c: 0.95),),
    ),
    Misconception(
        "smallest-and-largest",
        "You returned the smallest and the largest of all statistics. They move apart with every further resample. Leave out "
        "(1 - confidence) / 2 on each side.",
        between(lambda c: 0.0, lambda c: 1.0),
    ),
    Misconception(
        "confidence-as-percent",
        "You treated confidence as percent: your interval leaves out nearly everything. It comes as a share already, 0.95 and "
        "not 95.",
        between(lambda c: (1 - c / 100) / 2, lambda c: 1 - (1 - c / 100) / 2),
        (between(lambda c: 0.5 - c / 200, lambda c: 0.5),),
    ),
    Misconception(
        "without-replacement",
        "You drew without replacement. A resample is then x in another order and its statistic never changes. Draw each of the "
        "R numbers from all of x, so that some runs come twice and others not at all.",
        build(resample=shuffled),
        (build(resample=lambda x, count, generator: x.expand(count, -1)),),
    ),
    Misconception(
        "one-resample-for-all",
        "You drew one resample and used it again and again: the draw stands before the loop. Draw anew for each of the "
        "num_resamples statistics.",
        build(resample=lambda x, count, generator: resampled(x, 1, generator).expand(count, -1)),
    ),
    Misconception(
        "single-numbers",
        "Each of your resamples is one number, so the interval says how much single runs differ. Asked for is how much the "
        "statistic of R runs differs from one experiment to the next: resample as many as x has.",
        sized(lambda runs, count: 1),
    ),
    Misconception(
        "another-size",
        "Your resamples are smaller or larger than x. The interval of a mean shrinks with the number of runs, so this answers "
        "for another experiment: draw as many as x has.",
        sized(lambda runs, count: runs - 1 or 2),
        (sized(lambda runs, count: 2 * runs), sized(lambda runs, count: runs // 2 + 2)),
    ),
    Misconception(
        "along-the-wrong-axis",
        "You took the statistic across resamples, of num_resamples numbers each: R results that hardly differ. Each resample, a "
        "row of R numbers, gives one statistic.",
        build(measure=lambda statistic, rows: torch.stack([statistic(column) for column in rows.T])),
        (sized(lambda runs, count: count),),
    ),
    Misconception(
        "statistic-of-the-whole-table",
        "You gave all resamples to the statistic at once. It takes one resample, a 1-D tensor, and gives one number: call it "
        "for each row.",
        build(measure=lambda statistic, rows: statistic(rows)),
        (build(measure=lambda statistic, rows: statistic(rows).reshape(1)),),
    ),
    Misconception(
        "statistic-not-used",
        "You took the mean, whatever the statistic. It is an argument: call statistic(resample), so that the same function "
        "serves medians and interquartile means.",
        build(measure=lambda statistic, rows: rows.mean(1)),
        (build(measure=lambda statistic, rows: rows.median(1).values),),
    ),
    Misconception(
        "spread-of-the-runs",
        "Your interval is that of single numbers: percentiles of the data or a standard deviation. It says how much runs "
        "differ, and does not narrow with more runs. Take the percentiles of the resamples' statistics.",
        build(ends=lambda v, c, x, statistic: percentiles(x, c, x, statistic)),
        (
            build(measure=lambda statistic, rows: rows.flatten()),
            lambda x, *, statistic, confidence, num_resamples, generator: percentiles(x, confidence, x, statistic),
            around(lambda v, x, c: x.std()),
            data_band(0),
            data_band(1),
        ),
    ),
    Misconception(
        "normal-interval",
        "You went a multiple of the standard error to both sides. That assumes a symmetric, normal distribution; a percentile "
        "interval takes the shares of the resampled statistics themselves, and cannot leave the range of the data.",
        around(lambda v, x, c: normal_quantile(c) * v.std()),
        (
            around(lambda v, x, c: normal_quantile(c) * v.std(), centre=False),
            around(lambda v, x, c: 1.96 * v.std()),
            standard_error_band(0),
            standard_error_band(1),
        ),
    ),
    Misconception(
        "mirrored",
        "You mirrored the percentiles at the statistic of x. That is another bootstrap, the basic one, and has its uses; asked "
        "for is the percentile interval, which takes them as they are and stays within the range of the data.",
        build(ends=basic),
    ),
    Misconception(
        "drawn-from-a-normal",
        "You drew new numbers from a normal distribution fitted to x. Returns are rarely normal, and the bootstrap needs no such "
        "assumption: draw from x itself.",
        build(resample=drawn_from_a_normal),
    ),
    Misconception(
        "ends-exchanged",
        "You returned the upper end first. The result is (low, high), as everybody unpacks it.",
        build(ends=lambda v, c, x, statistic: percentiles(v, c, x, statistic)[::-1]),
    ),
    Misconception(
        "distances-returned",
        "You returned how far the ends lie from the statistic of x. Asked for are the ends themselves, in units of x.",
        build(ends=minus),
    ),
    Misconception(
        "one-number",
        "You returned one number, a width or a standard error. An interval has two ends, and they need not lie equally far "
        "from the statistic: return (low, high).",
        build(ends=width),
        (build(ends=lambda v, c, x, statistic: v.std()), build(ends=lambda v, c, x, statistic: v.mean())),
    ),
    Misconception(
        "num-resamples-not-used",
        "You took another number of resamples than num_resamples. A reader of a figure must be able to say how fine it is, "
        "and a test how long it takes.",
        build(count=lambda num_resamples: 100),
        (build(count=lambda num_resamples: num_resamples - 1),),
    ),
    Misconception(
        "generator-not-used",
        "The draws do not come from the generator that was handed in, so the same seed gives another interval. Hand it on: "
        "torch.randint(..., generator=generator).",
        build(source=lambda generator: None),
    ),
    Misconception(
        "always-the-same-seed",
        "You draw from a generator of your own that always starts from the same seed. Whoever hands one in wants to choose: "
        "with another seed the ends must move a little, which shows how fine they are.",
        build(source=lambda generator: torch.Generator().manual_seed(0)),
        (build(source=lambda generator: generator.manual_seed(0)),),
    ),
)
