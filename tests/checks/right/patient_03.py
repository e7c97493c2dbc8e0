"""Right answers to patient_03: those to ppo_clip_loss, whose contract it has."""

from tests.checks.right.ppo_clip_loss import (  # noqa: F401
    right_by_sign,
    right_in_double_precision,
    right_maximum_of_losses,
)
