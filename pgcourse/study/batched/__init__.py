"""Many runs trained as one batch: S networks side by side, S * N environments, one gradient step for all."""

from .run import batchable, evaluate_batch, train_batch
from .settings import structure

__all__ = ["batchable", "evaluate_batch", "structure", "train_batch"]
