"""Right answers to RunningMeanStd in other styles."""

import torch


class right_with_all_rows:
    """Keeps every row and computes everything anew."""

    def __init__(self, shape):
        self.rows = []
        self.mean, self.var = torch.zeros(shape), torch.ones(shape)

    def update(self, x):
        self.rows.extend(x.unbind())
        data = torch.stack(self.rows)
        self.mean, self.var = data.mean(0), ((data - data.mean(0)) ** 2).mean(0)

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
        return (x - self.mean) / torch.sqrt(self.var + 1e-6)


class right_with_sums_in_double_precision:
    """Sums of x and of x squared, with enough digits for their difference."""

    def __init__(self, shape):
        self.count, self.total = 0, torch.zeros(shape, dtype=torch.float64)
        self.squares = torch.zeros(shape, dtype=torch.float64)

    @property
    def mean(self):
        return self.total / max(self.count, 1)

    @property
    def var(self):
        return (self.squares / self.count - self.mean**2).clamp(min=0) if self.count else torch.ones_like(self.squares)

    def update(self, x):
        self.count += x.shape[0]
        self.total = self.total + x.double().sum(0)
        self.squares += x.double().pow(2).sum(0)

    def normalize(self, x):
        return ((x - self.mean) / self.var.sqrt().clamp(min=1e-8)).to(x.dtype)
