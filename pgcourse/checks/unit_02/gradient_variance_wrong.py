"""Wrong answers to gradient_variance."""

from __future__ import annotations

import torch

from pgcourse.checks.exercise import Misconception

MISCONCEPTIONS = (
    Misconception(
        "divided-by-m",
        "You divided by M. The mean is estimated from the same samples and lies closer to them than the true one, "
        "so this comes out too small, by half with two samples. Divide by M - 1.",
        lambda gradients: gradients.var(0, correction=0).sum(),
    ),
    Misconception(
        "mean-for-sum",
        "You averaged over the parameters. The trace is a sum: but for the division by M - 1, it is the mean squared "
        "distance between an estimate and the mean gradient, and a network with more parameters has more of it.",
        lambda gradients: gradients.var(0).mean(),
        variants=(lambda gradients: gradients.var(0, correction=0).mean(),),
    ),
    Misconception(
        "along-the-wrong-axis",
        "You took the variance within each row, across parameters. That says how much the parameters differ, not "
        "how much the estimates scatter. The samples are rows: run over dim 0.",
        lambda gradients: gradients.var(1).sum(),
        variants=(
            lambda gradients: gradients.var(1, correction=0).sum(),
            lambda gradients: gradients.var(1).mean(),
            lambda gradients: gradients.var(1, correction=0).mean(),
        ),
    ),
    Misconception(
        "all-entries-in-one-heap",
        "You took one variance over all M times P numbers. It also counts how much the parameters' means differ, "
        "which is no noise. Each parameter has a mean of its own: run over dim 0, then sum.",
        lambda gradients: gradients.var(),
        variants=(
            lambda gradients: gradients.var(correction=0),
            lambda gradients: gradients.var() * gradients.shape[1],
            lambda gradients: gradients.var(correction=0) * gradients.shape[1],
            lambda gradients: (gradients - gradients.mean()).square().sum() / (len(gradients) - 1),
        ),
    ),
    Misconception(
        "mean-not-subtracted",
        "You averaged the squares without subtracting the mean. That is noise plus the squared mean gradient, so a "
        "long gradient would look noisy. Three equal estimates must give 0.",
        lambda gradients: gradients.square().sum(1).mean(),
        variants=(
            lambda gradients: gradients.square().sum() / (len(gradients) - 1),
            lambda gradients: gradients.square().mean(),
        ),
    ),
    Misconception(
        "standard-deviations-summed",
        "You summed standard deviations. Variances add up to the trace; their roots do not, and the result is in "
        "another unit. Leave the root out.",
        lambda gradients: gradients.std(0).sum(),
        variants=(
            lambda gradients: gradients.std(0, correction=0).sum(),
            lambda gradients: gradients.std(0).mean(),
        ),
    ),
    Misconception(
        "root-at-the-end",
        "You took the square root of the trace: the typical distance from the mean gradient. Asked for is the "
        "variance itself, which halves when twice as many episodes are averaged.",
        lambda gradients: gradients.var(0).sum().sqrt(),
        variants=(lambda gradients: gradients.var(0, correction=0).sum().sqrt(),),
    ),
    Misconception(
        "variance-of-the-lengths",
        "You took the variance of the gradients' lengths. Estimates of equal length can point anywhere: opposite "
        "ones would have no variance. Compare the vectors entry by entry.",
        lambda gradients: gradients.norm(dim=1).var(),
        variants=(
            lambda gradients: gradients.norm(dim=1).var(correction=0),
            lambda gradients: gradients.square().sum(1).var(),
        ),
    ),
    Misconception(
        "whole-matrix-summed",
        "You summed the whole covariance matrix, or summed each gradient's entries first, which is the same. "
        "Entries of opposite sign then cancel. The trace takes only the diagonal, the variances.",
        lambda gradients: torch.cov(gradients.T).sum(),
        variants=(lambda gradients: gradients.sum(1).var(correction=0),),
    ),
    Misconception(
        "one-variance-for-each-parameter",
        "You returned one variance for each parameter. They are right; one number is asked for, so that two "
        "estimators can be compared: their sum.",
        lambda gradients: gradients.var(0),
        variants=(lambda gradients: gradients.var(0, correction=0),),
    ),
    Misconception(
        "whole-matrix",
        "You returned the covariance matrix. Its diagonal holds the variances of the single parameters: one number "
        "is asked for, the sum of that diagonal.",
        lambda gradients: torch.cov(gradients.T),
    ),
    Misconception(
        "samples-taken-for-variables",
        "torch.cov takes rows as variables and columns as samples, so you got the covariance of the samples. Here "
        "each row is one sample of the whole gradient: transpose first.",
        lambda gradients: torch.cov(gradients),
        variants=(lambda gradients: torch.cov(gradients).sum(),),
    ),
    Misconception(
        "variance-of-the-mean",
        "You divided by the number of samples twice: this is the variance of the mean of all M estimates. Asked "
        "for is the variance of a single one.",
        lambda gradients: gradients.var(0).sum() / len(gradients),
        variants=(lambda gradients: gradients.var(0, correction=0).sum() / len(gradients),),
    ),
    Misconception(
        "not-divided",
        "You summed the squared distances from the mean and did not divide. Twice as many samples would then show "
        "twice the variance of the same estimator. Divide by M - 1.",
        lambda gradients: (gradients - gradients.mean(0)).square().sum(),
    ),
)
