"""Right answers to patient_09: those to gaussian_log_prob, whose contract it has."""

from tests.checks.right.gaussian_log_prob import (  # noqa: F401
    right_with_covariance_matrix,
    right_with_distribution,
    right_with_gaussian_nll,
)
