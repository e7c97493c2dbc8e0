"""Unit 08: the parts of TRPO's step: conjugate gradient, Fisher-vector product, step length, line search."""

from pgcourse.checks.unit_08 import conjugate_gradient, fisher_vector_product, line_search, step_scale

EXERCISES = (
    conjugate_gradient.EXERCISE,
    fisher_vector_product.EXERCISE,
    step_scale.EXERCISE,
    line_search.EXERCISE,
)
