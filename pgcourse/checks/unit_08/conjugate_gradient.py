"""conjugate_gradient(matvec, b, *, iterations, tolerance): solve A x = b from products with A alone."""

from collections.abc import Iterator

import torch

from pgcourse.checks.authoring import Case, Exercise, edits_of, generator, integers, normal, rewritten
from pgcourse.checks.observe.natural_gradient import SolveByProducts
from pgcourse.checks.wording import number, value
from pgcourse.natural_gradient import conjugate_gradient


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    diagonal, ones = torch.tensor([[1.0, 0.0], [0.0, 3.0]]), torch.ones(2)
    yield {"matrix": diagonal, "b": ones, "iterations": 1, "tolerance": 0.0}
    yield {"matrix": diagonal, "b": ones, "iterations": 2, "tolerance": 0.0}
    yield {"matrix": diagonal, "b": torch.zeros(2), "iterations": 3, "tolerance": 0.1}
    # After one round the residual has half of b's norm: exactly the first tolerance, well above the second.
    twice = torch.diag(torch.tensor([1.0, 1.0, 3.0, 3.0]))  # with it all norms are whole numbers
    yield {"matrix": twice, "b": torch.full((4,), 100.0), "iterations": 2, "tolerance": 0.5}
    yield {"matrix": diagonal, "b": 0.01 * ones, "iterations": 2, "tolerance": 0.4}
    yield {"matrix": diagonal, "b": ones, "iterations": 2, "tolerance": 1.5}  # b itself is within it
    # One round leaves 0.5 % of b: still above this tolerance.
    yield {"matrix": torch.diag(torch.tensor([1.0, 1.01])), "b": ones, "iterations": 2, "tolerance": 1e-3}
    yield {"matrix": diagonal, "b": ones, "iterations": 0, "tolerance": 0.0}
    yield {"matrix": torch.tensor([[4.0]]), "b": torch.tensor([2.0]), "iterations": 2, "tolerance": 0.0}
    # Solved in one round.
    yield {"matrix": 2 * torch.eye(2), "b": torch.tensor([2.0, 4.0]), "iterations": 3, "tolerance": 0.0}
    yield {"matrix": 0.001 * diagonal, "b": 0.001 * ones, "iterations": 2, "tolerance": 0.0}
    yield {"matrix": 1e-6 * diagonal, "b": 1e-6 * ones, "iterations": 2, "tolerance": 0.0}
    rising = torch.arange(1.0, 13, dtype=torch.float64)  # as many rounds as eigenvalues
    yield {"matrix": torch.diag(rising), "b": rising.square(), "iterations": 12, "tolerance": 0.0}
    source = generator(seed)
    yield _system(source, 4, iterations=2, tolerance=0.0)
    # Many rounds, and residuals far below 1.
    many = _system(source, 30, iterations=15, tolerance=1e-6, most=100.0, dtype=torch.float64)
    yield {**many, "matrix": 1e-6 * many["matrix"], "b": 1e-6 * many["b"]}
    yield _system(source, 6, iterations=3, tolerance=1e-3)
    # A right side of one number: the residuals have many, so that other norms than the contract's stop elsewhere.
    one = torch.zeros(24).index_fill(0, integers(source, 24, 1), 2.0)
    yield {**_system(source, 24, iterations=24, tolerance=0.2), "b": one}
    # Small, and after one round exactly at the tolerance.
    b = (1.0 + integers(source, 40)).expand(4) / 2**14
    yield {"matrix": twice / 2 ** (7 + int(integers(source, 5))), "b": b.clone(), "iterations": 2, "tolerance": 0.5}
    yield {**_system(source, 4, iterations=2, tolerance=0.1), "b": torch.zeros(4)}
    yield _system(source, 4, iterations=2, tolerance=1.2)


def _system(
    source: torch.Generator,
    size: int,
    *,
    iterations: int,
    tolerance: float,
    most: float = 10,
    dtype: torch.dtype = torch.float32,
) -> Case:
    """A symmetric matrix with eigenvalues from 1 to `most` in random directions, and a right side that is none of them."""
    rotation = torch.linalg.qr(normal(source, size, size, dtype=torch.float64)).Q
    matrix = (rotation * torch.linspace(1, most, size, dtype=torch.float64)) @ rotation.T
    b = rotation @ (1 + normal(source, size, dtype=torch.float64).abs())
    return {"matrix": matrix.to(dtype), "b": b.to(dtype), "iterations": iterations, "tolerance": tolerance}


def _show(case: Case) -> str:
    call = f"b={value(case['b'])}, iterations={case['iterations']}, tolerance={number(case['tolerance'])}"
    return f"conjugate_gradient(matvec, {call}), where matvec multiplies by {value(case['matrix'])}"


def written_out(matvec, b, *, iterations, tolerance):  # type: ignore[no-untyped-def]
    """A right answer in a learner's words, from which the wrong ones are made."""
    x, limit = torch.zeros_like(b), tolerance * b.norm()
    residual = direction = b.clone()
    for _ in range(iterations):
        if residual.norm() <= limit:
            break
        product = matvec(direction)
        alpha = residual @ residual / (direction @ product)
        x = x + alpha * direction
        last, residual = residual, residual - alpha * product
        direction = residual + residual @ residual / (last @ last) * direction
    return x


LEAVE = "if residual.norm() <= limit:\n            break\n        "
LEAVE_AT_ZERO = "if not residual.any():\n            break\n        "
# Asks after each round whether the residual is small enough, and before it whether it is 0.
asked_after = rewritten(written_out, {LEAVE: LEAVE_AT_ZERO, "direction = residual": f"{LEAVE}direction = residual"})
mistake, mistake_after = edits_of(written_out), edits_of(asked_after)


def solved_as_a_matrix(matvec, b, **settings):  # type: ignore[no-untyped-def]
    """The whole matrix, from one product for each column, and then the exact solution."""
    columns = [matvec(unit) for unit in torch.eye(len(b), dtype=b.dtype)]
    return torch.linalg.solve(torch.stack(columns, dim=1), b)


EXERCISE = Exercise.listed(
    "conjugate_gradient",
    cases=cases,
    observe=SolveByProducts(),
    show_case=_show,
    reference=conjugate_gradient,
    hints=(
        "Work the first case by hand. With x = 0, residual and direction are both b = [1, 1]; A b = [1, 3]. How far along b "
        "does the residual b - eta A b become orthogonal to b?",
        "Keep three vectors, x = 0, residual e = b, direction p = b, and one number, e . e. A round: one product "
        "A p; eta = e . e / p . A p; x moves by eta p; the residual by -eta A p; the new direction is the new residual "
        "plus (new e . e / old e . e) times the old direction. Before each round: is the residual small enough?",
        "for _ in range(iterations): leave if residual.norm() <= tolerance * b.norm(); product = matvec(search); step = "
        "squared / (search @ product); x = x + step * search; residual = residual - step * product; previous, squared "
        "= squared, residual @ residual; search = residual + (squared / previous) * search",
    ),
    misconceptions=(
        mistake(
            "steepest-descent",
            "Every round went straight along the residual. That is steepest descent: it zigzags, and P rounds are not enough. "
            "Conjugate gradient adds a share of the last direction, so that a new round spoils nothing that an old one gained.",
            {" + residual @ residual / (last @ last) * direction": ""},
        ),
        mistake(
            "share-upside-down",
            "The share of the last direction is upside down: you divided the old squared residual by the new one. Residuals "
            "shrink, so the share is the new one over the old one, mostly below 1.",
            {"residual @ residual / (last @ last)": "last @ last / (residual @ residual)"},
        ),
        mistake(
            "share-of-one",
            "You added the whole last direction. Its share is the new e . e over the old: keep that before you overwrite it.",
            {"residual @ residual / (last @ last) * direction": "direction"},
        ),
        mistake(
            "share-never-renewed",
            "You divide by the squared residual of the beginning in every round. Store the new e . e as the old one after each.",
            {"last @ last": "b @ b"},
            {"last @ last": "b @ b", "alpha = residual @ residual": "alpha = b @ b"},
        ),
        mistake(
            "direction-from-the-old-residual",
            "You made the new direction from the residual before the round: renew the residual first, then the direction.",
            {"direction = residual +": "direction = last +"},
        ),
        mistake(
            "length-without-the-matrix",
            "You divided by p . p, or by A p . A p. The length that is best along p depends on the curvature in that "
            "direction: divide by p . A p, the direction times its product with the matrix.",
            {"(direction @ product)": "(direction @ direction)"},
            {"(direction @ product)": "(product @ product)"},
            {"residual @ residual / (direction @ product)": "(direction @ product) / (product @ product)"},
        ),
        mistake(
            "small-number-below",
            "You added a small number to p . A p, against a division by 0. Gradients and curvatures can be small themselves, "
            "and then it decides the length. The look at the residual before the round is guard enough.",
            {"direction @ product": "direction @ product + 1e-8"},
            {"direction @ product": "direction @ product + 1e-10"},
        ),
        mistake(
            "second-name-overwritten",
            "residual = b (or direction = residual) is a second name and no copy, and -= writes into both: b or the direction is "
            "changed too. Begin with b.clone(), or make a new tensor each round: residual = residual - step * product.",
            {
                "residual = direction = b.clone()": "residual, direction = b, b.clone()",
                "last, residual = residual, residual - alpha * product": "before = residual @ residual\n"
                "        residual -= alpha * product",
                "last @ last": "before",
            },
            {
                "residual = direction = b.clone()": "residual, direction = b, b",
                "last, residual = residual, residual - alpha * product": "before = residual @ residual\n"
                "        residual -= alpha * product",
                "last @ last": "before",
            },
            {
                "residual = direction = b.clone()": "residual, direction = b, b.clone()",
                "last, residual = residual, residual - alpha * product": "before = residual @ residual\n"
                "        residual -= alpha * product",
                "last @ last": "before",
                "<= limit": "<= tolerance * b.norm()",
            },
            {
                "residual = direction = b.clone()": "residual, direction = b, b",
                "last, residual = residual, residual - alpha * product": "before = residual @ residual\n"
                "        residual -= alpha * product",
                "last @ last": "before",
                "<= limit": "<= tolerance * b.norm()",
            },
        ),
        mistake(
            "zero-right-side",
            "Where the residual is exactly at the tolerance you go on; at most means <=. Where it is exactly 0, for b = 0 or "
            "after a round that hits the solution, the next round is 0 / 0, and the answer NaN. Look before each round. In "
            "TRPO b is 0 where all advantages are equal.",
            {"<=": "<"},
            {"if residual": "if b.any() and residual"},
            {"<= limit": "< limit or not b.any()"},
            rewritten(asked_after, {LEAVE_AT_ZERO: ""}),
        ),
        mistake(
            "looked-after-the-round",
            "You looked at the residual after each round, never before the first. With a tolerance above 1 the answer is 0.",
            asked_after,
        ),
        mistake(
            "tolerance-absolute",
            "You compared the residual's norm with the tolerance itself. Gradients come in all sizes: a tolerance that is "
            "strict for one stops before the first round for another. Compare with tolerance times the norm of b.",
            {"tolerance * b.norm()": "tolerance"},
            {"residual.norm() <= limit": "residual @ residual <= tolerance"},
            rewritten(asked_after, {"tolerance * b.norm()": "tolerance"}),
        ),
        mistake(
            "tolerance-not-squared",
            "You compared squared norms but did not square the tolerance: 0.01 then stops at a tenth of b's norm instead of a "
            "hundredth. Square all three, or take the roots.",
            {"residual.norm() <= limit": "residual @ residual <= tolerance * (b @ b)"},
            rewritten(asked_after, {"residual.norm() <= limit": "residual @ residual <= tolerance * (b @ b)"}),
        ),
        mistake_after(
            "tolerance-of-something-else",
            "You stop by another quantity than the contract's: by how far x moved, by the residual of the round before, or "
            "relative to that. Compare the norm of the new residual with tolerance times the norm of b.",
            {"residual.norm() <=": "last.norm() <="},
            {"<= limit": "<= tolerance * last.norm()"},
            {"residual.norm() <= limit": "(alpha * direction).norm() <= tolerance * x.norm()"},
        ),
        mistake(
            "tolerance-not-used",
            "You do all the rounds, whatever the tolerance. Each costs a product with the matrix, in TRPO two passes through "
            "the network: stop as soon as the residual's norm is at most tolerance times that of b.",
            {LEAVE: ""},
            {LEAVE: LEAVE_AT_ZERO},
            {"residual.norm() <= limit": "residual @ residual < 1e-10"},
            {"residual.norm() <= limit": "not b.any()"},
        ),
        mistake(
            "one-round-off",
            "You did one round less or more than asked for: range(1, iterations), for one, has iterations - 1 entries.",
            {"range(iterations)": "range(iterations - 1)"},
            {"range(iterations)": "range(iterations + 1)"},
        ),
        mistake(
            "started-elsewhere",
            "You started from another x than 0. With few rounds that is still visible in the answer: start from zeros.",
            {"b.clone()": "b - matvec(x)", "torch.zeros_like(b)": "b"},
            {"b.clone()": "b - matvec(x)", "zeros_like(b)": "ones_like(b)"},
            {"torch.zeros_like(b)": "b"},
        ),
        mistake(
            "solved-as-a-matrix",
            "You built the matrix column by column and solved exactly, so iterations and tolerance have no say. With a "
            "policy's thousands of parameters, that is thousands of products and a matrix of millions of numbers.",
            solved_as_a_matrix,
        ),
        mistake(
            "two-products-a-round",
            "The answer is right, and you asked for more than one product a round. Each is two passes through the network: "
            "keep A p, which gives the length and the new residual, e - eta A p.",
            {"direction @ product": "direction @ matvec(direction)"},
            {"direction @ product": "direction @ matvec(direction)", "b.clone()": "b - matvec(x)"},
        ),
    ),
)
