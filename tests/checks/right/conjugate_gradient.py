"""Right answers to conjugate_gradient in other styles."""

import numpy as np
import torch


def right_with_polak_ribiere(matvec, b, *, iterations, tolerance):
    x, residual, direction, count = torch.zeros_like(b), b, b, 0
    while count < iterations and torch.linalg.norm(residual) > tolerance * torch.linalg.norm(b):
        product = matvec(direction)
        alpha = (residual @ direction) / (direction @ product)
        x, renewed = x + alpha * direction, residual - alpha * product
        direction = renewed + renewed @ (renewed - residual) / (residual @ residual) * direction
        residual, count = renewed, count + 1
    return x


def right_with_all_directions(matvec, b, *, iterations, tolerance):
    # Each residual made conjugate to every direction so far, as Gram and Schmidt do.
    x, residual, directions = torch.zeros_like(b), b, []
    while len(directions) < iterations and residual.norm() > tolerance * b.norm():
        d = residual
        for earlier, product in directions:
            d = d - (residual @ product) / (earlier @ product) * earlier
        product = matvec(d)
        alpha = (residual @ d) / (d @ product)
        x, residual = x + alpha * d, residual - alpha * product
        directions.append((d, product))
    return x


def right_with_numpy(matvec, b, *, iterations, tolerance):
    x, r = np.zeros(len(b)), b.double().numpy().copy()
    p, limit = r.copy(), tolerance**2 * float(r @ r)
    for _ in range(iterations):
        old = float(r @ r)
        if old <= limit:
            break
        product = matvec(torch.from_numpy(p).to(b.dtype)).double().numpy()
        alpha = old / float(p @ product)
        x, r = x + alpha * p, r - alpha * product
        p = r + float(r @ r) / old * p
    return torch.from_numpy(x).to(b.dtype)
