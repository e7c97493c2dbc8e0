"""step_scale(natural_gradient, fisher_times_it, *, max_kl): how far along the direction the KL divergence allows."""

from collections.abc import Iterator

import torch

from pgcourse.checks.authoring import Call, Case, Exercise, Misconception, edits_of, generator, integers, normal
from pgcourse.checks.compare import Tolerance
from pgcourse.checks.rewritten import Edits
from pgcourse.natural_gradient import step_scale


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. The second vector is not always a positive multiple of a positive matrix's product."""
    x = torch.tensor([3.0, 4.0])
    yield {"natural_gradient": x, "fisher_times_it": 2 * x, "max_kl": 0.01}
    yield {"natural_gradient": torch.tensor([1.0, 2.0]), "fisher_times_it": torch.tensor([6.0, -1.0]), "max_kl": 0.5}
    yield {"natural_gradient": torch.zeros(2), "fisher_times_it": torch.zeros(2), "max_kl": 0.01}
    yield {"natural_gradient": torch.tensor([1.0, 2.0]), "fisher_times_it": torch.tensor([2.0, -3.0]), "max_kl": 0.5}
    yield {"natural_gradient": torch.tensor([1.0, 1.0]), "fisher_times_it": torch.tensor([2.0, -2.0]), "max_kl": 0.01}
    # Little curvature is curvature: 5e-13, and a scale of 200,000.
    x = torch.tensor([1.0, 2.0])
    yield {"natural_gradient": 1e-6 * x, "fisher_times_it": 1e-7 * x, "max_kl": 0.01}
    yield {"natural_gradient": torch.tensor([-2.0]), "fisher_times_it": torch.tensor([-1e-3]), "max_kl": 0.1}
    source = generator(seed)
    yield _case(source, 6, 0.02, torch.float32)
    yield _case(source, 5, 0.1, torch.float64)
    little = _case(source, 4, 0.03, torch.float32)
    yield {
        **little,
        "natural_gradient": 1e-8 * little["natural_gradient"],
        "fisher_times_it": 1e-7 * little["fisher_times_it"],
    }
    x, (one, two) = normal(source, 3), (1.0 + integers(source, 20, 2)) / 8
    yield {"natural_gradient": x, "fisher_times_it": -two * x, "max_kl": 0.02}
    yield {"natural_gradient": one.expand(2).clone(), "fisher_times_it": torch.stack([two, -two]), "max_kl": 0.02}


def _case(source: torch.Generator, size: int, max_kl: float, dtype: torch.dtype) -> Case:
    root, x = normal(source, size, size, dtype=torch.float64), normal(source, size, dtype=torch.float64) + 0.3
    product = (root @ root.T + torch.eye(size, dtype=torch.float64)) @ x
    return {"natural_gradient": x.to(dtype), "fisher_times_it": product.to(dtype), "max_kl": max_kl}


def written_out(x, fx, *, max_kl):  # type: ignore[no-untyped-def]
    """A right answer in a learner's words, from which the wrong ones are made."""
    along = x @ fx
    return (2 * max_kl / along).sqrt() if along > 0 else 0.0


GUARD = " if along > 0 else 0.0"
mistake = edits_of(written_out)


def mistake_in_formula(id: str, explanation: str, *edits: Edits) -> Misconception:
    """A misconception from wrong formulas, each with the guard and without."""
    return mistake(id, explanation, *(form for each in edits for form in (each, {GUARD: "", **each})))


EXERCISE = Exercise.listed(
    "step_scale",
    cases=cases,
    observe=Call("natural_gradient, fisher_times_it, *, max_kl"),
    tolerance=Tolerance(absolute=0.0, number_for_scalar=True),  # no scale at all is exactly 0
    reference=step_scale,
    hints=(
        "Near the current policy a step of scale times x has a divergence of about 1/2 scale^2 (x . F x). Set that equal to "
        "max_kl and solve for the scale. Which two factors have you been given?",
        "x . F x is the dot product of the two arguments; no matrix is needed. The scale is sqrt(2 max_kl / (x . F x)). Look at "
        "the sign of x . F x first: where it is not positive, return 0.",
        "curvature = natural_gradient @ fisher_times_it; return (2 * max_kl / curvature).sqrt() if curvature > 0 else "
        "torch.zeros_like(curvature)",
    ),
    misconceptions=(
        mistake_in_formula(
            "two-left-out",
            "The 2 is missing or on the wrong side. The divergence is near half of scale^2 (x . F x): solve that for the scale.",
            {"2 * max_kl": "max_kl"},
            {"2 * max_kl / along": "max_kl / (2 * along)"},
        ),
        mistake_in_formula(
            "root-left-out",
            "You left out the root. The divergence grows with the square of the step: 2 max_kl / x . F x is the scale squared.",
            {".sqrt()": ""},
        ),
        mistake_in_formula(
            "root-of-one-part",
            "You took the root of 2 max_kl or of x . F x alone. Both stand under it: take the root of the whole fraction.",
            {"(2 * max_kl / along).sqrt()": "(2 * max_kl) ** 0.5 / along"},
            {"(2 * max_kl / along).sqrt()": "2 * max_kl / along.sqrt()"},
        ),
        mistake_in_formula(
            "upside-down",
            "Your fraction is upside down. A larger limit allows a longer step, a larger curvature a shorter one.",
            {"2 * max_kl / along": "along / (2 * max_kl)"},
        ),
        mistake_in_formula(
            "lengths-for-the-product",
            "You used the lengths of x or F x in place of x . F x. Length in the space of parameters says little about the "
            "policy, and the lengths' product is larger where the two are not parallel: take their dot product.",
            {"/ along": "/ (x @ x)"},
            {"/ along": "/ (fx @ fx)"},
            {"/ along": "/ (x.norm() * fx.norm())"},
            {"along = x @ fx": "along = fx @ fx"},
            {"along = x @ fx": "along = x @ x"},
            {"along = x @ fx": "along = x.norm() * fx.norm()"},
            {"(2 * max_kl / along).sqrt()": "max_kl / x.norm()"},
        ),
        mistake_in_formula(
            "averaged",
            "You averaged the products of the entries. x . F x is their sum: with a mean, the step gets too long.",
            {"/ along": "/ (x * fx).mean()"},
        ),
        mistake(
            "whole-step",
            "You returned the whole step, the scale times the direction. Asked for is the scale alone, one number.",
            {"return": "return x *", "0.0": "0 * x"},
            {"return": "return x *"},
            {"return": "return x *", GUARD: ""},
        ),
        mistake(
            "no-guard",
            "Where x . F x is 0 or negative your scale is not 0, but NaN, infinite, huge (after nan_to_num) or 1. Rounding can "
            "make it so when there is nothing left to gain: return 0, so that the policy stays where it is.",
            {GUARD: ""},
            {"(2 * max_kl / along).sqrt()" + GUARD: "torch.nan_to_num((2 * max_kl / along).sqrt())"},
            {"else 0.0": "else float('inf')"},
            {"else 0.0": "else 1.0"},
            {"along > 0": "along != 0"},
        ),
        mistake(
            "floor-for-guard",
            "You kept the curvature away from 0 with a small number. Where it is 0 or negative, that makes the scale huge or "
            "NaN instead of 0: the quadratic model allows no step at all there.",
            *({GUARD: "", "/ along": f"/ along.clamp(min={floor})"} for floor in (1e-8, 1e-12, 1e-10, 1e-6)),
            *({GUARD: "", "/ along": f"/ (along + {more})"} for more in (1e-12, 1e-10, 1e-8, 1e-6)),
        ),
        mistake(
            "little-curvature-changed",
            "A small x . F x counts as it is. Near the end of training gradients are small, and x . F x with them: a number "
            "added to it, or a bound below which it passes for 0, shortens a step that the limit allows.",
            {"/ along": "/ (along + 1e-8)"},
            {"/ along": "/ (along + 1e-6)"},
            {"along > 0": "along > 1e-6"},
            {"along > 0": "along > 1e-10"},
        ),
        mistake_in_formula(
            "never-above-one",
            "You keep the scale at 1 or below. x has no length of its own that means anything: the limit on the divergence "
            "alone says how far to go, and a flat direction allows more than x itself.",
            {".sqrt()": ".sqrt().clamp(max=1)"},
        ),
        mistake(
            "sign-ignored",
            "You took the absolute value of x . F x. A negative one says that the divergence would fall along x, which it "
            "cannot at its minimum: the numbers are rounding errors there, and the scale is 0.",
            {"x @ fx": "(x @ fx).abs()"},
            {"x @ fx": "(x @ fx).abs()", GUARD: ""},
        ),
    ),
)
