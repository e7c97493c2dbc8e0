"""Unit 08: the parts of TRPO's step: conjugate gradient, Fisher-vector product, step length, line search."""
