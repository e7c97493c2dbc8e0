"""Lesson 04, section 2.5: one update of PPO followed for 30 epochs, with the clip and without.

The same as the curves "epochs/..." of `claims/ppo.json`, with three times as many seeds: ten could not tell the returns apart.
"""

from typing import Any

import numpy as np

from pgcourse import ppo

from .ppo import CLIPS, EPOCHS, QUANTITIES, measure_epochs
from .runs import first_returns
from .study import IQM, Study, band, rounded

SEEDS = tuple(range(100, 130))
AT = (0, 4, 6, EPOCHS)  # epochs
UNITS = {"kl": ("0.001 nat", 1000), "surrogate": ("thousandths", 1000), "return": ("return", 1)}
STUDY = Study(
    description="PPO on CartPole-v1: update 10 followed for 30 epochs on its batch, with the clip and without; a name ends with "
    "the number of epochs done.",
    variants={"cartpole": ppo.CARTPOLE},  # the runs that the updates are taken from
    metrics={},
    every=1,
    until=EPOCHS,
    seeds=SEEDS,
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Follow one update of each seed. Returns: the content of `claims/one_update.json`."""
    seeds = list(SEEDS[:num_seeds])
    measured = [measure_epochs(seed) for seed in seeds]
    values = {
        f"{clip}/{quantity}_{epoch}": {
            "unit": unit,
            "statistics": [IQM],
            "per_seed": [rounded(factor * each[f"{clip}/{quantity}"][epoch]) for each in measured],
        }
        for clip in CLIPS
        for quantity, (unit, factor) in UNITS.items()
        for epoch in AT
    }
    curves = {
        f"epochs/{clip}/{quantity}": band(
            np.arange(EPOCHS + 1), "epoch", np.array([each[f"{clip}/{quantity}"] for each in measured])
        )
        for clip in CLIPS
        for quantity in QUANTITIES
    }
    return {
        "description": STUDY.description,
        "seeds": seeds,
        "configs": {name: STUDY.describe_config(name) for name in STUDY.variants},
        "values": values,
        "curves": curves,
        "prefixes": {name: first_returns(config, seeds[0], {}) for name, config in STUDY.variants.items()},
    }
