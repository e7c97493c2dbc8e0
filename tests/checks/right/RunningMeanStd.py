"""Right answers to RunningMeanStd in other styles."""

import torch


class right_with_all_rows:
    """Keeps every row and computes everything anew."""

    def __init__(self, shape):
        self.rows, self.mean, self.var = [], torch.zeros(shape), torch.ones(shape)

    def update(self, x):
        self.rows.extend(x.unbind())
        self.var, self.mean = torch.var_mean(torch.stack(self.rows), 0, correction=0)

    def normalize(self, x):
        return torch.div(x - self.mean, torch.sqrt(self.var) + 1e-8)


class right_row_by_row:
    """Welford's recurrence; var is a property."""

    def __init__(self, shape):
        self.n, self.mean, self.squares = 0, torch.zeros(shape), torch.zeros(shape)

    @property
    def var(self):
        return self.squares / self.n if self.n else torch.ones_like(self.squares)

    def update(self, x):
        for row in x:
            self.n += 1
            before = row - self.mean
            self.mean = self.mean + before / self.n
            self.squares = self.squares + before * (row - self.mean)

    def normalize(self, x):
        return (x - self.mean) / torch.sqrt(self.var + 1e-8)


class right_with_sums_in_double_precision:
    """Sums of x and of x squared, with enough digits for their difference."""

    def __init__(self, shape):
        self.count, self.sums = 0, torch.zeros(2, *shape, dtype=torch.float64)

    mean = property(lambda self: self.sums[0] / max(self.count, 1))
    var = property(lambda self: self.sums[1] / self.count - self.mean**2 if self.count else torch.ones_like(self.mean))

    def update(self, x):
        self.count += len(x)
        self.sums = self.sums + torch.stack([x.double(), x.double() ** 2]).sum(1)

    def normalize(self, x):
        return ((x - self.mean) / self.var.clamp(min=1e-16).sqrt()).to(x.dtype)
