"""Answers to RunningMeanStd, written from the lesson and the stub alone."""

import math

import numpy as np
import torch
from torch import nn


class wrong_variances_averaged:
    """Averages the two variances by their rows, and forgets the distance between the means."""

    def __init__(self, shape):
        self.count = 0
        self.mean = torch.zeros(shape, dtype=torch.float64)
        self.var = torch.ones(shape, dtype=torch.float64)

    def update(self, x):
        x = x.double()
        n, new = self.count, len(x)
        total = n + new
        self.mean = (n * self.mean + new * x.mean(dim=0)) / total
        self.var = (n * self.var + new * x.var(dim=0, correction=0)) / total
        self.count = total

    def normalize(self, x):
        if self.count == 0:
            return x.clone()
        return ((x - self.mean) / (self.var + 1e-8).sqrt()).to(x.dtype)


class wrong_squares_in_float32:
    """Mean of squares minus square of the mean, in float32, with the negative results cut off."""

    def __init__(self, shape):
        self.n = 0
        self.sum = torch.zeros(shape)
        self.sum_of_squares = torch.zeros(shape)
        self.mean, self.var = torch.zeros(shape), torch.ones(shape)

    def update(self, x):
        x = x.float()
        self.n += x.shape[0]
        self.sum += x.sum(0)
        self.sum_of_squares += x.pow(2).sum(0)
        self.mean = self.sum / self.n
        self.var = (self.sum_of_squares / self.n - self.mean**2).clamp(min=0)

    def normalize(self, x):
        if not self.n:
            return x.clone()
        return ((x - self.mean) / torch.sqrt(self.var + 1e-8)).to(x.dtype)


class wrong_torch_var:
    """Leaves torch.var's default, which divides by one less and is NaN for one row."""

    def __init__(self, shape):
        self.mean, self.var, self.count = torch.zeros(shape), torch.ones(shape), 0

    def update(self, x):
        batch_mean, batch_var, batch_count = x.mean(0), x.var(0), x.shape[0]
        if self.count == 0:
            self.mean, self.var, self.count = batch_mean, batch_var, batch_count
            return
        delta = batch_mean - self.mean
        total = self.count + batch_count
        m2 = self.var * self.count + batch_var * batch_count + delta**2 * self.count * batch_count / total
        self.mean = self.mean + delta * batch_count / total
        self.var = m2 / total
        self.count = total

    def normalize(self, x):
        return ((x - self.mean) / torch.sqrt(self.var + 1e-8)).to(x.dtype) if self.count else x.clone()


class wrong_one_row_less:
    """Welford's algorithm with the sample variance at its end."""

    def __init__(self, shape):
        self.k = 0
        self.mean = torch.zeros(shape, dtype=torch.float64)
        self.s = torch.zeros(shape, dtype=torch.float64)
        self.var = torch.ones(shape, dtype=torch.float64)

    def update(self, x):
        for row in x.double():
            self.k += 1
            old = self.mean
            self.mean = old + (row - old) / self.k
            self.s = self.s + (row - old) * (row - self.mean)
        self.var = self.s / max(self.k - 1, 1)

    def normalize(self, x):
        if self.k == 0:
            return x + 0
        return ((x.double() - self.mean) / (self.var.sqrt() + 1e-8)).to(x.dtype)


class wrong_moving_average:
    """An exponential moving average, as BatchNorm keeps it."""

    def __init__(self, shape, momentum=0.1):
        self.momentum = momentum
        self.mean = torch.zeros(shape)
        self.var = torch.ones(shape)
        self.seen = False

    def update(self, x):
        m, v = x.mean(dim=0), x.var(dim=0, unbiased=False)
        if not self.seen:
            self.mean, self.var, self.seen = m, v, True
        else:
            self.mean = (1 - self.momentum) * self.mean + self.momentum * m
            self.var = (1 - self.momentum) * self.var + self.momentum * v

    def normalize(self, x):
        return ((x - self.mean) / (self.var + 1e-8).sqrt()).to(x.dtype) if self.seen else x.clone()


class wrong_batches_count_alike:
    """Counts batches instead of rows."""

    def __init__(self, shape):
        self.batches = 0
        self.mean = torch.zeros(shape, dtype=torch.float64)
        self.second = torch.zeros(shape, dtype=torch.float64)
        self.var = torch.ones(shape, dtype=torch.float64)

    def update(self, x):
        x = x.to(torch.float64)
        self.batches += 1
        self.mean = self.mean + (x.mean(0) - self.mean) / self.batches
        self.second = self.second + ((x**2).mean(0) - self.second) / self.batches
        self.var = self.second - self.mean**2

    def normalize(self, x):
        if self.batches == 0:
            return x.clone()
        return ((x - self.mean) / torch.sqrt(self.var.clamp(min=0) + 1e-8)).to(x.dtype)


class wrong_small_first_count:
    """Starts with 1e-4 rows of mean 0 and variance 1, as a well-known library does."""

    def __init__(self, shape):
        self.mean = torch.zeros(shape, dtype=torch.float64)
        self.var = torch.ones(shape, dtype=torch.float64)
        self.count = 1e-4

    def update(self, x):
        x = x.double()
        batch_mean, batch_var, batch_count = x.mean(0), x.var(0, correction=0), x.shape[0]
        delta = batch_mean - self.mean
        tot_count = self.count + batch_count
        m_a = self.var * self.count
        m_b = batch_var * batch_count
        m2 = m_a + m_b + delta**2 * self.count * batch_count / tot_count
        self.mean = self.mean + delta * batch_count / tot_count
        self.var = m2 / tot_count
        self.count = tot_count

    def normalize(self, x):
        return ((x - self.mean) / torch.sqrt(self.var + 1e-8)).to(x.dtype)


class _Merging:
    """A right one, to be spoilt or not."""

    def __init__(self, shape):
        self.shape = tuple(shape)
        self.count = 0
        self.mean = torch.zeros(self.shape, dtype=torch.float64)
        self.var = torch.ones(self.shape, dtype=torch.float64)

    def update(self, x):
        x = x.detach().double()
        n, new = self.count, x.shape[0]
        delta = x.mean(0) - self.mean
        weight = new / (n + new)
        self.var = (
            (1 - weight) * self.var * (n > 0) + weight * x.var(0, correction=0) + weight * (1 - weight) * delta**2
        )
        self.mean = self.mean + weight * delta
        self.count = n + new

    def normalize(self, x):
        if self.count == 0:
            return x.clone()
        return ((x.double() - self.mean) / torch.sqrt(self.var + 1e-8)).to(x.dtype)


class wrong_divides_by_the_variance(_Merging):
    """Divides by var instead of its root."""

    def normalize(self, x):
        if self.count == 0:
            return x.clone()
        return ((x - self.mean) / (self.var + 1e-8)).to(x.dtype)


class wrong_normalize_updates(_Merging):
    """Takes in what it normalises, so that nothing has to be updated by hand."""

    def normalize(self, x):
        self.update(x)
        return super().normalize(x)


class wrong_clips(_Merging):
    """Clips the result to -10 to 10, as the usual wrapper does."""

    def normalize(self, x):
        return super().normalize(x).clamp(-10, 10)


class wrong_first_variance_zero:
    """Starts with a variance of 0: before any update it multiplies by ten thousand."""

    def __init__(self, shape):
        self.rows = 0
        self.mean = torch.zeros(shape, dtype=torch.float64)
        self.var = torch.zeros(shape, dtype=torch.float64)

    def update(self, x):
        x = x.double()
        share = len(x) / (self.rows + len(x))
        distance = x.mean(0) - self.mean
        self.var = torch.lerp(self.var, x.var(0, correction=0), share) + share * (1 - share) * distance**2
        self.mean = self.mean + share * distance
        self.rows += len(x)

    def normalize(self, x):
        return ((x - self.mean) / (self.var + 1e-8).sqrt()).to(x.dtype)


class wrong_one_mean_for_all_components(_Merging):
    """Averages over all axes, so that every component gets the same mean and variance."""

    def update(self, x):
        flat = x.reshape(-1, *([1] * len(self.shape))).expand(-1, *self.shape)
        super().update(flat)


class wrong_result_in_double:
    """Keeps the statistics in double, and returns double for float32 rows."""

    def __init__(self, shape):
        self.total = 0
        self.mean = torch.zeros(shape, dtype=torch.float64)
        self.var = torch.ones(shape, dtype=torch.float64)
        self.m2 = torch.zeros(shape, dtype=torch.float64)

    def update(self, x):
        batch = x.to(torch.float64)
        rows = batch.size(0)
        delta = batch.mean(0) - self.mean
        self.m2 += ((batch - batch.mean(0)) ** 2).sum(0) + delta**2 * self.total * rows / (self.total + rows)
        self.mean = self.mean + delta * rows / (self.total + rows)
        self.total += rows
        self.var = self.m2 / self.total

    def normalize(self, x):
        return (x - self.mean) / (self.var + 1e-8).sqrt() if self.total else x.clone()


class wrong_in_place(_Merging):
    """Normalises the caller's tensor itself."""

    def normalize(self, x):
        if self.count > 0:
            x -= self.mean.to(x.dtype)
            x /= torch.sqrt(self.var + 1e-8).to(x.dtype)
        return x.clone()


class wrong_hands_back_x_itself(_Merging):
    """Returns x itself while there are no statistics, not a new tensor."""

    def normalize(self, x):
        if self.count == 0:
            return x
        return super().normalize(x)


class wrong_no_tiny_number(_Merging):
    """Divides by 0 where a component has not varied."""

    def normalize(self, x):
        if self.count == 0:
            return x.clone()
        return (x.double() - self.mean).div(self.var.sqrt()).to(x.dtype)


class wrong_tiny_number_of_batch_norm(_Merging):
    """Adds BatchNorm's 1e-5 to the variance, which is not tiny for a component that varies by 0.005."""

    def normalize(self, x):
        if self.count == 0:
            return x.clone()
        return ((x.double() - self.mean) * torch.rsqrt(self.var + 1e-5)).to(x.dtype)


class wrong_mean_moved_first(_Merging):
    """Moves the mean first, and then takes the distance to the moved mean."""

    def update(self, x):
        x = x.double()
        n, new = self.count, len(x)
        total = n + new
        self.mean = self.mean + (x.mean(0) - self.mean) * new / total
        delta = x.mean(0) - self.mean
        within = self.var * n + x.var(0, correction=0) * new
        self.var = (within + delta**2 * n * new / total) / total
        self.count = total


class wrong_rows_counted_twice(_Merging):
    """Raises the count first, and then adds the new rows to it again."""

    def update(self, x):
        x = x.double()
        new = x.shape[0]
        self.count += new
        if self.count == new:
            self.mean, self.var = x.mean(0), x.var(0, correction=0)
            return
        total = self.count + new
        delta = x.mean(0) - self.mean
        m2 = self.var * self.count + x.var(0, correction=0) * new + delta**2 * self.count * new / total
        self.mean = self.mean + delta * new / total
        self.var = m2 / total


class wrong_weight_of_the_distance(_Merging):
    """Weights the squared distance by the new rows alone."""

    def update(self, x):
        x = x.double()
        if self.count == 0:
            self.mean, self.var, self.count = x.mean(0), x.var(0, correction=0), len(x)
            return
        n, new = self.count, len(x)
        share = new / (n + new)
        delta = x.mean(0) - self.mean
        self.var = (1 - share) * self.var + share * x.var(0, correction=0) + share * delta**2
        self.mean = self.mean + share * delta
        self.count = n + new


class wrong_shared_by_all:
    """Keeps the statistics in the class, so that all objects share them."""

    _seen = {}

    def __init__(self, shape):
        self.shape = tuple(shape)
        self.rows = self._seen.setdefault(self.shape, [])

    @property
    def mean(self):
        return torch.cat(self.rows).mean(0) if self.rows else torch.zeros(self.shape)

    @property
    def var(self):
        return torch.cat(self.rows).var(0, correction=0) if self.rows else torch.ones(self.shape)

    def update(self, x):
        self.rows.append(x.double())

    def normalize(self, x):
        if not self.rows:
            return x.clone()
        return ((x - self.mean) / (self.var + 1e-8).sqrt()).to(x.dtype)


class wrong_single_rows_skipped(_Merging):
    """Skips a batch of one row, which has no variance."""

    def update(self, x):
        if x.shape[0] < 2:
            return
        super().update(x)


class wrong_update_returns_itself(_Merging):
    """Returns self for chaining."""

    def update(self, x):
        super().update(x)
        return self


class wrong_only_vectors(_Merging):
    """Counts everything before the last axis as rows, which mixes the rows of an image."""

    def update(self, x):
        rows = x.reshape(-1, self.shape[-1]) if self.shape else x.reshape(-1)
        super().update(rows)
        self.mean, self.var = self.mean.expand(self.shape), self.var.expand(self.shape)


class wrong_no_single_numbers:
    """Takes the number of components from shape[0], and has no answer for ()."""

    def __init__(self, shape):
        self.rows = torch.zeros(0, shape[0], *shape[1:], dtype=torch.float64)
        self.mean, self.var = torch.zeros(shape), torch.ones(shape)

    def update(self, x):
        self.rows = torch.cat([self.rows, x.double()])
        self.mean, self.var = self.rows.mean(0), self.rows.var(0, correction=0)

    def normalize(self, x):
        if len(self.rows) == 0:
            return x.clone()
        return ((x.double() - self.mean) / (self.var + 1e-8).sqrt()).to(x.dtype)


class wrong_var_is_the_deviation(_Merging):
    """Stores the standard deviation in var."""

    def update(self, x):
        if self.count:
            self.var = self.var**2
        super().update(x)
        self.var = self.var.sqrt()

    def normalize(self, x):
        return ((x - self.mean) / (self.var + 1e-8)).to(x.dtype) if self.count else x.clone()


class wrong_numpy_attributes:
    """Keeps mean and var as numpy arrays."""

    def __init__(self, shape):
        self.mean, self.var, self.count = np.zeros(shape), np.ones(shape), 0

    def update(self, x):
        x = x.detach().numpy().astype(np.float64)
        delta = x.mean(axis=0) - self.mean
        total = self.count + len(x)
        m2 = self.var * self.count + x.var(axis=0) * len(x) + delta**2 * self.count * len(x) / total
        self.mean, self.var, self.count = self.mean + delta * len(x) / total, m2 / total, total

    def normalize(self, x):
        if self.count == 0:
            return x.clone()
        return (x - torch.as_tensor(self.mean).to(x.dtype)) / torch.as_tensor(np.sqrt(self.var + 1e-8)).to(x.dtype)


class wrong_batch_statistics(_Merging):
    """Normalises a batch by its own mean and spread once there is more than one row."""

    def normalize(self, x):
        if len(x) > 1 and self.count:
            return (x - x.mean(0)) / (x.std(0, correction=0) + 1e-8)
        return super().normalize(x)


class wrong_view_of_the_callers_row:
    """Keeps the first row as it is, a view of the caller's buffer, and moves it in place."""

    def __init__(self, shape):
        self.count, self.mean, self.var = 0, torch.zeros(shape), torch.ones(shape)

    def update(self, x):
        for row in x:
            self.count += 1
            if self.count == 1:
                self.mean, self.var = row, torch.zeros_like(row)
                continue
            delta = row - self.mean
            share = 1 / self.count
            self.var = (1 - share) * (self.var + share * delta**2)
            self.mean += share * delta

    def normalize(self, x):
        return ((x - self.mean) / (self.var + 1e-8).sqrt()).to(x.dtype) if self.count else x.clone()


class wrong_only_scales(_Merging):
    """Divides by the deviation and subtracts nothing, as the lesson says of rewards."""

    def normalize(self, x):
        if self.count == 0:
            return x.clone()
        return (x.double() / torch.sqrt(self.var + 1e-8)).to(x.dtype)


class wrong_count_of_the_last_batch(_Merging):
    """Sets the count to the rows of the last batch instead of adding them."""

    def update(self, x):
        super().update(x)
        self.count = x.shape[0]


class right_merging(_Merging):
    """Weights of the two groups, in double precision."""


class right_keeps_all_rows:
    """Keeps every row and computes on demand."""

    def __init__(self, shape):
        self.rows = torch.empty((0, *shape), dtype=torch.float64)

    mean = property(lambda self: self.rows.mean(0) if len(self.rows) else torch.zeros(self.rows.shape[1:]))
    var = property(lambda self: self.rows.var(0, correction=0) if len(self.rows) else torch.ones(self.rows.shape[1:]))

    def update(self, x):
        self.rows = torch.cat((self.rows, x.detach().double()))

    def normalize(self, x):
        if not len(self.rows):
            return x.clone()
        return ((x - self.mean) / torch.sqrt(self.var + 1e-8)).to(x.dtype)


class right_welford(nn.Module):
    """A module whose buffers go with state_dict; Welford's algorithm, row after row."""

    def __init__(self, shape):
        super().__init__()
        self.register_buffer("count", torch.tensor(0))
        for name, value in (("mean", 0.0), ("var", 1.0), ("m2", 0.0)):
            self.register_buffer(name, torch.full(tuple(shape), value, dtype=torch.float64))

    @torch.no_grad()
    def update(self, x):
        for row in x.double():
            self.count += 1
            delta = row - self.mean
            self.mean += delta / self.count
            self.m2 += delta * (row - self.mean)
        self.var.copy_(self.m2 / self.count)

    def normalize(self, x):
        if self.count.item() == 0:
            return x.clone()
        return x.double().sub(self.mean).div(self.var.sqrt() + 1e-8).type_as(x)


class right_squares_in_double:
    """Mean of squares minus square of the mean, with enough digits."""

    def __init__(self, shape):
        self.sums = torch.zeros((3, *shape), dtype=torch.float64)

    @property
    def mean(self):
        return (self.sums[1] / self.sums[0].clamp(min=1)).float()

    @property
    def var(self):
        n, s, q = self.sums
        return torch.where(n > 0, (q / n - (s / n) ** 2).clamp(min=0), torch.ones_like(n))

    def update(self, x):
        x = x.detach().double()
        self.sums = self.sums + torch.stack([torch.ones_like(x), x, x * x]).sum(dim=1)

    def normalize(self, x):
        if self.sums[0].sum() == 0:
            return x.clone()
        centre = self.sums[1] / self.sums[0]
        return ((x - centre) / torch.sqrt(self.var + 1e-8)).to(x.dtype)


class right_from_the_first_row:
    """Sums of the distances from the first row, in numpy; tensors are made when asked for."""

    def __init__(self, shape):
        self._n, self._origin = 0, np.zeros(shape)
        self._first, self._second = np.zeros(shape), np.zeros(shape)

    def __getattr__(self, name):
        n = max(self._n, 1)
        if name == "mean":
            return torch.tensor(self._origin + self._first / n)
        if name == "var":
            spread = np.maximum(self._second / n - (self._first / n) ** 2, 0) if self._n else np.ones_like(self._first)
            return torch.tensor(spread)
        raise AttributeError(name)

    def update(self, x):
        rows = x.detach().numpy().astype(np.float64)
        if self._n == 0:
            self._origin = rows[0].copy()
        distance = rows - self._origin
        self._n += len(rows)
        self._first = self._first + distance.sum(axis=0)
        self._second = self._second + np.square(distance).sum(axis=0)

    def normalize(self, x):
        if self._n == 0:
            return x.clone()
        return ((x.double() - self.mean) / self.var.add(1e-8).sqrt()).to(x.dtype)


class right_float32_merging:
    """Merges sums of squared deviations, all in float32."""

    def __init__(self, shape):
        self.n, self.mean, self.var = 0, torch.zeros(shape), torch.ones(shape)

    def update(self, x):
        x = x.detach().to(torch.float32)
        var, mean = torch.var_mean(x, dim=0, correction=0)
        if self.n:
            share = x.shape[0] / (self.n + x.shape[0])
            gap = mean - self.mean
            var = self.var.lerp(var, share) + math.prod((share, 1 - share)) * gap.square()
            mean = self.mean + share * gap
        self.mean, self.var, self.n = mean, var, self.n + x.shape[0]

    def normalize(self, x):
        if self.n == 0:
            return x.clone()
        mean, var = self.mean.to(x.dtype), self.var.to(x.dtype)
        return torch.addcdiv(torch.zeros_like(x), x - mean, (var + 1e-8).sqrt())
