"""Right answers to patient_05: those to gae, whose contract it has."""

from tests.checks.right.gae import (  # noqa: F401
    right_with_linear_system,
    right_with_numpy,
    right_with_sum_of_errors,
)
