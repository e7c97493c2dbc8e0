"""Answers to gradient_variance, written from the lesson and the stub alone."""

import statistics

import numpy as np
import torch


def wrong_biased(gradients):
    """Divides by M, as numpy does."""
    return torch.tensor(np.var(gradients.numpy(), axis=0).sum())


def wrong_mean_over_columns(gradients):
    """Averages the variances of the columns."""
    return gradients.var(dim=0).mean()


def wrong_rows_for_variables(gradients):
    """Gives the matrix to torch.cov as it is, which takes rows for variables."""
    return torch.diagonal(torch.atleast_2d(torch.cov(gradients))).sum()


def wrong_all_entries_together(gradients):
    """The variance of all M times P numbers, times P."""
    return gradients.var() * gradients.shape[1]


def wrong_standard_deviations(gradients):
    """Adds up standard deviations."""
    return gradients.std(dim=0).sum()


def wrong_not_centred(gradients):
    """Mean squared length, without taking the mean gradient away."""
    return gradients.square().sum(dim=1).sum() / (len(gradients) - 1)


def wrong_variance_of_the_row_sums(gradients):
    """Adds the entries of each estimate first: all covariances are in it."""
    return gradients.sum(dim=1).var()


def wrong_variance_of_the_lengths(gradients):
    """How much the length of the gradient scatters; its direction is forgotten."""
    return torch.linalg.norm(gradients, dim=1).var()


def wrong_of_the_mean_gradient(gradients):
    """The variance of the mean of the M estimates: divides by M once more."""
    m = gradients.shape[0]
    centred = gradients - gradients.mean(dim=0)
    return centred.pow(2).sum() / (m - 1) / m


def wrong_squares_minus_square(gradients):
    """Mean of squares minus square of the mean: cancels to noise where the mean is large."""
    m = len(gradients)
    biased = (gradients**2).mean(dim=0) - gradients.mean(dim=0) ** 2
    return biased.sum() * m / (m - 1)


def wrong_vector_of_variances(gradients):
    """Forgets the sum over the columns."""
    return torch.var(gradients, dim=0, correction=1)


def wrong_single_column_fails(gradients):
    """Trace of torch.cov, which for one column is no matrix any more."""
    return torch.cov(gradients.T).trace()


def wrong_every_pair_twice(gradients):
    """Mean squared distance of pairs, without the half that turns it into a variance."""
    m = len(gradients)
    total = torch.zeros((), dtype=gradients.dtype)
    for i in range(m):
        for j in range(m):
            total += (gradients[i] - gradients[j]).square().sum()
    return total / (m * (m - 1))


def wrong_largest_eigenvalue(gradients):
    """The variance along the worst direction."""
    covariance = np.atleast_2d(np.cov(gradients.double().numpy(), rowvar=False))
    return float(np.linalg.eigvalsh(covariance)[-1])


def wrong_root_of_the_trace(gradients):
    """Takes the root at the end, a typical distance."""
    return gradients.var(dim=0).sum().sqrt()


def wrong_degrees_of_freedom_of_all_entries(gradients):
    """Squared distances from the column means, over all entries but one, times P."""
    m, p = gradients.shape
    centred = gradients - gradients.mean(dim=0, keepdim=True)
    return centred.square().sum() * p / (m * p - 1)


def wrong_mean_of_each_row(gradients):
    """Takes away the mean of each row instead of that of each column."""
    centred = gradients - gradients.mean(dim=1, keepdim=True)
    return centred.square().sum() / (gradients.shape[0] - 1)


def right_pairs(gradients):
    """Half the mean squared distance of all pairs."""
    m = gradients.shape[0]
    distances = torch.pdist(gradients.double()).square()
    return distances.sum() / (m * (m - 1))


def right_singular_values(gradients):
    """Squared singular values of the centred matrix, over M - 1."""
    g = gradients.double()
    values = torch.linalg.svdvals(g - g.mean(dim=0))
    return (values.square().sum() / (g.shape[0] - 1)).to(gradients.dtype)


def right_numpy_covariance(gradients):
    """Trace of numpy's covariance, which needs a matrix again for one column."""
    covariance = np.cov(gradients.double().numpy(), rowvar=False)
    return float(np.trace(np.atleast_2d(covariance)))


def right_statistics_module(gradients):
    """Python's own statistics, one column at a time."""
    return sum(statistics.variance(column) for column in gradients.double().T.tolist())


def right_welford(gradients):
    """One pass over the rows with a running mean."""
    mean = torch.zeros(gradients.shape[1], dtype=torch.float64)
    total = 0.0
    for count, row in enumerate(gradients.double(), start=1):
        before = row - mean
        mean = mean + before / count
        total = total + torch.dot(before, row - mean)
    return total / (count - 1)
