"""Answers to conjugate_gradient, written from the lesson and the stub alone."""

import numpy as np
import torch


def wrong_beta_upside_down(matvec, b, *, iterations, tolerance):
    """Divides the old squared norm by the new one."""
    x, r = torch.zeros_like(b), b.clone()
    d = r.clone()
    rr = r @ r
    limit = tolerance * b.norm()
    for _ in range(iterations):
        if rr.sqrt() <= limit:
            break
        ad = matvec(d)
        alpha = rr / (d @ ad)
        x = x + alpha * d
        r = r - alpha * ad
        new = r @ r
        if new == 0:
            break
        d = r + (rr / new) * d
        rr = new
    return x


def wrong_two_products(matvec, b, *, iterations, tolerance):
    """Computes the residual anew from its definition each round, which costs a second product."""
    x = torch.zeros_like(b)
    r = b - matvec(x)
    d = r
    for _ in range(iterations):
        if r.norm() <= tolerance * b.norm():
            break
        alpha = (r @ r) / (d @ matvec(d))
        x = x + alpha * d
        new = b - matvec(x)
        d = new + (new @ new) / (r @ r) * d
        r = new
    return x


def wrong_steepest_descent(matvec, b, *, iterations, tolerance):
    """Always walks along the residual."""
    x, r = torch.zeros_like(b), b
    for _ in range(iterations):
        if torch.linalg.norm(r) <= tolerance * torch.linalg.norm(b):
            return x
        product = matvec(r)
        alpha = r.dot(r) / r.dot(product)
        x, r = x + alpha * r, r - alpha * product
    return x


def wrong_tolerance_ignored(matvec, b, *, iterations, tolerance):
    """Does all rounds unless the residual is exactly 0."""
    x = torch.zeros_like(b)
    r, d = b.clone(), b.clone()
    rr = torch.dot(r, r)
    for _ in range(iterations):
        if rr == 0:
            break
        z = matvec(d)
        alpha = rr / torch.dot(d, z)
        x += alpha * d
        r -= alpha * z
        rr, old = torch.dot(r, r), rr
        d = r + rr / old * d
    return x


def wrong_absolute_tolerance(matvec, b, *, iterations, tolerance):
    """Compares the norm of the residual with the tolerance itself."""
    x, r, d = torch.zeros_like(b), b.clone(), b.clone()
    for _ in range(iterations):
        old = r.square().sum()
        if old.sqrt() <= tolerance:
            break
        product = matvec(d)
        alpha = old / (d * product).sum()
        x = x + alpha * d
        r = r - alpha * product
        d = r + r.square().sum() / old * d
    return x


def wrong_squared_norms_compared(matvec, b, *, iterations, tolerance):
    """Saves the roots and forgets to square the tolerance."""
    x, r, d = torch.zeros_like(b), b.clone(), b.clone()
    squared = bb = b @ b
    for _ in range(iterations):
        if squared <= tolerance * bb:
            break
        product = matvec(d)
        step = squared / (d @ product)
        x.add_(d, alpha=step.item())
        r.sub_(product, alpha=step.item())
        previous, squared = squared, r @ r
        d = r + (squared / previous) * d
    return x


def wrong_residual_is_b(matvec, b, *, iterations, tolerance):
    """r = b is no copy, and r -= ... works on the caller's tensor."""
    x = torch.zeros_like(b)
    start = b.norm()
    r = b
    d = r.clone()
    rr = r @ r
    for _ in range(iterations):
        if rr.sqrt() <= tolerance * start:
            break
        ad = matvec(d)
        alpha = rr / (d @ ad)
        x += alpha * d
        r -= alpha * ad
        new = r @ r
        d = r + new / rr * d
        rr = new
    return x


def wrong_zero_right_side(matvec, b, *, iterations, tolerance):
    """Divides the residual's norm by the norm of b to compare it: 0 / 0 for b = 0, and the round goes on with NaN."""
    x, r, d = torch.zeros_like(b), b.clone(), b.clone()
    for _ in range(iterations):
        if r.norm() / b.norm() <= tolerance:
            break
        ad = matvec(d)
        rr = r @ r
        alpha = rr / (d @ ad)
        x = x + alpha * d
        r = r - alpha * ad
        d = r + (r @ r) / rr * d
    return x


def wrong_matrix_missing_in_alpha(matvec, b, *, iterations, tolerance):
    """Minimises the residual along d: the denominator is the product's own squared norm."""
    x = torch.zeros_like(b)
    if not b.any():
        return x
    r = b.clone()
    d = b.clone()
    for _ in range(iterations):
        if r.norm() <= tolerance * b.norm():
            break
        q = matvec(d)
        alpha = (d @ q) / (q @ q)
        x, new = x + alpha * d, r - alpha * q
        d = new + (new @ new) / (r @ r) * d
        r = new
    return x


def wrong_first_squared_norm_kept(matvec, b, *, iterations, tolerance):
    """Never renews r . r, so alpha and beta refer to the first residual for ever."""
    x, r, d = torch.zeros_like(b), b.clone(), b.clone()
    rr = r @ r
    for _ in range(iterations):
        if r.norm() <= tolerance * b.norm():
            break
        ad = matvec(d)
        alpha = rr / (d @ ad)
        x = x + alpha * d
        r = r - alpha * ad
        d = r + (r @ r) / rr * d
    return x


def wrong_one_round_less(matvec, b, *, iterations, tolerance):
    """Counts the start as the first of the iterations."""
    x, r, d = np.zeros(len(b)), b.double().numpy().copy(), b.double().numpy().copy()
    end = tolerance * np.linalg.norm(r)
    for _ in range(1, iterations):
        if np.linalg.norm(r) <= end:
            break
        ad = matvec(torch.from_numpy(d).to(b.dtype)).double().numpy()
        rr = r @ r
        alpha = rr / (d @ ad)
        x = x + alpha * d
        r = r - alpha * ad
        d = r + (r @ r) / rr * d
    return torch.from_numpy(x).to(b.dtype)


def wrong_beta_always_one(matvec, b, *, iterations, tolerance):
    """Overwrites r before beta is computed, so new and old squared norm are the same."""
    x, r, d = torch.zeros_like(b), b.clone(), b.clone()
    for _ in range(iterations):
        if r.norm() <= tolerance * b.norm():
            break
        ad = matvec(d)
        alpha = (r @ r) / (d @ ad)
        x = x + alpha * d
        old = r
        old -= alpha * ad
        beta = (r @ r) / (old @ old) if old.any() else 0.0
        d = r + beta * d
    return x


def wrong_direction_from_old_residual(matvec, b, *, iterations, tolerance):
    """The new direction is made of the old residual: two lines in the wrong order."""
    x, r, d = torch.zeros_like(b), b.clone(), b.clone()
    rr = r @ r
    for _ in range(iterations):
        if rr.sqrt() <= tolerance * b.norm():
            break
        ad = matvec(d)
        alpha = rr / (d @ ad)
        x = x + alpha * d
        r_new = r - alpha * ad
        rr_new = r_new @ r_new
        d = r + rr_new / rr * d
        r, rr = r_new, rr_new
    return x


def wrong_default_dtype(matvec, b, *, iterations, tolerance):
    """x starts as torch.zeros in float32 and is added to in place, so it stays float32."""
    x = torch.zeros(b.shape[0])
    r, d = b.clone(), b.clone()
    rr = r @ r
    for _ in range(iterations):
        if rr.sqrt() <= tolerance * b.norm():
            break
        ad = matvec(d)
        alpha = rr / (d @ ad)
        x += alpha * d
        r = r - alpha * ad
        d = r + (r @ r) / rr * d
        rr = r @ r
    return x


def wrong_writes_the_matrix_down(matvec, b, *, iterations, tolerance):
    """Asks for every column of A and solves exactly: P products, whatever iterations says."""
    columns = [matvec(unit) for unit in torch.eye(len(b), dtype=b.dtype)]
    return torch.linalg.solve(torch.stack(columns, dim=1), b)


def wrong_stops_a_round_late(matvec, b, *, iterations, tolerance):
    """Compares the squared norm from the round's beginning, so one more round is done."""
    x, r, d = torch.zeros_like(b), b.clone(), b.clone()
    if not b.any():
        return x
    for _ in range(iterations):
        before = r @ r
        if before == 0:
            break
        ad = matvec(d)
        alpha = before / (d @ ad)
        x = x + alpha * d
        r = r - alpha * ad
        if before.sqrt() <= tolerance * b.norm():
            break
        d = r + (r @ r) / before * d
    return x


def wrong_stops_when_x_rests(matvec, b, *, iterations, tolerance):
    """Looks at how far x has moved, instead of at what is missing."""
    x, r, d = torch.zeros_like(b), b.clone(), b.clone()
    rr = r @ r
    for _ in range(iterations):
        if rr == 0:
            break
        ad = matvec(d)
        move = rr / (d @ ad) * d
        r = r - rr / (d @ ad) * ad
        x = x + move
        if move.norm() <= tolerance * x.norm():
            break
        rr, d = r @ r, r + (r @ r) / rr * d
    return x


def wrong_epsilon_in_alpha(matvec, b, *, iterations, tolerance):
    """As in a well-known implementation: 1e-8 in the denominator, which is much for a small b."""
    x = torch.zeros_like(b)
    r = b.clone()
    p = r.clone()
    r_dot_old = torch.dot(r, r)
    for _ in range(iterations):
        if r_dot_old.sqrt() <= tolerance * b.norm():
            break
        z = matvec(p)
        alpha = r_dot_old / (torch.dot(p, z) + 1e-8)
        x += alpha * p
        r -= alpha * z
        r_dot_new = torch.dot(r, r)
        p = r + (r_dot_new / r_dot_old) * p
        r_dot_old = r_dot_new
    return x


def wrong_starts_at_b(matvec, b, *, iterations, tolerance):
    """Starts with b as the first guess of x, and leaves the residual b as well."""
    x, r, d = b.clone(), b.clone(), b.clone()
    rr = r @ r
    for _ in range(iterations):
        if rr.sqrt() <= tolerance * b.norm():
            break
        ad = matvec(d)
        alpha = rr / (d @ ad)
        x, r = x + alpha * d, r - alpha * ad
        d = r + (r @ r) / rr * d
        rr = r @ r
    return x


def wrong_strictly_smaller(matvec, b, *, iterations, tolerance):
    """Stops below the tolerance only: with tolerance 0 a residual of exactly 0 is divided by itself."""
    if torch.count_nonzero(b) == 0:
        return torch.zeros_like(b)
    x, r, d = torch.zeros_like(b), b.clone(), b.clone()
    rr = r @ r
    for _ in range(iterations):
        if rr.sqrt() < tolerance * b.norm():
            break
        ad = matvec(d)
        alpha = rr / (d @ ad)
        x, r = x + alpha * d, r - alpha * ad
        rr, beta = r @ r, (r @ r) / rr
        d = r + beta * d
    return x


def wrong_first_round_unasked(matvec, b, *, iterations, tolerance):
    """Asks at the end of a round only, so a tolerance of 1 or more still costs one product and moves x."""
    x, r, d = torch.zeros_like(b), b.clone(), b.clone()
    rr = bb = b @ b
    if bb == 0:
        return x
    for _ in range(iterations):
        ad = matvec(d)
        alpha = rr / (d @ ad)
        x, r = x + alpha * d, r - alpha * ad
        new = r @ r
        if new.sqrt() <= tolerance * bb.sqrt():
            break
        d, rr = r + new / rr * d, new
    return x


def wrong_compares_with_last_residual(matvec, b, *, iterations, tolerance):
    """The tolerance is taken times the norm of the residual of the round before."""
    x, r, d = torch.zeros_like(b), b.clone(), b.clone()
    last = b.norm()
    if last == 0:
        return x
    for _ in range(iterations):
        ad = matvec(d)
        alpha = (r @ r) / (d @ ad)
        x, new = x + alpha * d, r - alpha * ad
        if new.norm() <= tolerance * r.norm():
            break
        d = new + (new @ new) / (r @ r) * d
        r = new
    return x


def right_numpy_in_double(matvec, b, *, iterations, tolerance):
    """All vectors in numpy and double precision; only the products, of scaled vectors, go through b's dtype."""
    r = b.detach().numpy().astype(np.float64)
    x, d = np.zeros_like(r), r.copy()
    rr = r.dot(r)
    limit = tolerance * np.sqrt(rr)
    for _ in range(iterations):
        if np.sqrt(rr) <= limit:
            break
        size = 2.0 ** np.frexp(np.abs(d).max())[1]
        product = size * matvec(torch.from_numpy(d / size).to(b.dtype)).detach().numpy().astype(np.float64)
        alpha = rr / d.dot(product)
        x += alpha * d
        r = r - alpha * product
        rr, beta = r.dot(r), r.dot(r) / rr
        d = r + beta * d
    return torch.from_numpy(x).to(b.dtype)


def right_all_directions_kept(matvec, b, *, iterations, tolerance):
    """Gram-Schmidt: makes each residual (scaled) conjugate to the last P - 1 directions, and solves along it."""
    x = torch.zeros_like(b)
    residual = b.clone()
    directions, products = [], []
    while len(directions) < iterations and (residual @ residual).sqrt() > tolerance * (b @ b).sqrt():
        d = residual * 2.0 ** -int(torch.frexp(residual.abs().max()).exponent)
        first = max(len(directions) - len(b) + 1, 0)
        for other, product in zip(directions[first:], products[first:], strict=True):
            d = d - (d @ product) / (other @ product) * other
        ad = matvec(d)
        directions.append(d)
        products.append(ad)
        length = (d @ residual) / (d @ ad)
        x = x + length * d
        residual = residual - length * ad
    return x


def right_krylov_space(matvec, b, *, iterations, tolerance):
    """Galerkin: an orthonormal basis of the Krylov space, and a small dense system in it, in double precision."""
    size = b.double().norm()
    if size == 0:
        return torch.zeros_like(b)
    basis, images = [b.double() / size], []
    x, residual = torch.zeros_like(b, dtype=torch.float64), b.double()
    for _ in range(iterations):
        if residual.norm() <= tolerance * size:
            break
        images.append(matvec(basis[-1].to(b.dtype)).double())
        v, av = torch.stack(basis, 1), torch.stack(images, 1)
        y = torch.linalg.solve(v.T @ av, v.T @ b.double())
        x, residual = v @ y, b.double() - av @ y
        new = images[-1]
        for _ in range(2):
            new = new - v @ (v.T @ new)
        if new.norm() <= 10 * torch.finfo(b.dtype).eps * images[-1].norm():
            break
        basis.append(new / new.norm())
    return x.to(b.dtype)


def right_recursive(matvec, b, *, iterations, tolerance):
    """A function that calls itself with one iteration less; nothing is changed in place."""
    limit = tolerance * torch.inner(b, b).sqrt()

    def walk(x, r, d, left):
        if left == 0 or torch.inner(r, r).sqrt() <= limit:
            return x
        ad = matvec(d)
        alpha = torch.inner(r, r) / torch.inner(d, ad)
        new = r - alpha * ad
        return walk(x + alpha * d, new, new + torch.inner(new, new) / torch.inner(r, r) * d, left - 1)

    return walk(b.new_zeros(b.shape), b, b, iterations)


def right_rows_of_one_tensor(matvec, b, *, iterations, tolerance):
    """x, r and d are the rows of one tensor, changed in place; the answer is a view of its first row."""
    state = torch.stack([torch.zeros_like(b), b, b])
    x, r, d = state
    squared = torch.einsum("i,i->", r, r)
    end = tolerance * squared.sqrt()
    while iterations > 0 and not squared.sqrt() <= end:
        iterations -= 1
        product = matvec(d.clone())
        alpha = squared / torch.einsum("i,i->", d, product)
        x.add_(alpha * d)
        r.sub_(alpha * product)
        before, squared = squared, torch.einsum("i,i->", r, r)
        d.mul_(squared / before).add_(r)
    return state[0]
