"""Small experiments drawn from many runs: the spread of the runs beside the interval of their interquartile mean."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ....errors import InvalidInput
from ....statistics import bootstrap_interval, interquartile_mean
from ....study.sampling import draw
from .. import chart
from ..explainer import Explainer, Slider

MOST, EXPERIMENTS = 40, 20
RESAMPLES = 1000
COLOURS = ("green", "purple")


def figure(seeds: float, experiment: float, data: dict[str, Any]) -> chart.Chart:
    """Runs, mean ± standard deviation and interval; beside them how long both bars were with fewer seeds."""
    count, number = int(seeds), int(experiment) - 1
    marks, lengths, words = [], [], []
    sizes = np.arange(2, count + 1)
    for place, name in enumerate(data["names"]):
        runs = np.asarray(data["runs"][place][number])[:count]
        low, high = (np.asarray(data[end][place][number])[: count - 1] for end in ("low", "high"))
        height, colour, truth = len(data["names"]) - 1 - place, COLOURS[place], data["truth"][place]
        mean, spread = runs.mean(), np.array([runs[:size].std(ddof=1) for size in sizes])
        marks += [
            chart.line([truth, truth], [height - 0.42, height + 0.42], colour, dash="5 4"),
            chart.points(runs, np.full(count, height), "grey", size=3),
            chart.line([mean - spread[-1], mean + spread[-1]], [height - 0.2] * 2, "grey", width=3),
            chart.line([low[-1], high[-1]], [height + 0.2] * 2, colour, width=6),
            chart.points([interquartile_mean(runs)], [height + 0.2], colour, size=6),
        ]
        lengths += [
            chart.line(sizes, 2 * spread, colour, dash="5 4", label=f"± standard deviation, {name}"),
            chart.line(sizes, high - low, colour, label=f"interval, {name}"),
        ]
        holds = "holds" if low[-1] <= truth <= high[-1] else "misses"
        words.append(
            f"{name}: ± standard deviation is {2 * spread[-1]:.0f} long, the interval {high[-1] - low[-1]:.0f}; it {holds} the "
            f"value of the whole pool, {truth:.0f}."
        )
    return chart.chart(
        chart.panel(
            chart.axis(data["label"], *data["limits"]),
            chart.axis("", -0.6, len(data["names"]) - 0.4, ticks=range(len(data["names"])), names=data["names"][::-1]),
            *marks,
        ),
        chart.panel(
            chart.axis("seeds of each", 0, MOST), chart.axis("length of the bar", 0, data["longest"]), *lengths
        ),
        words=" ".join(words),
    )


def experiment(pools: Mapping[str, ArrayLike], *, x_label: str) -> Explainer:
    """The explainer for two pools of runs: label -> results [R]. An experiment with more seeds keeps those that it has.

    Raises: InvalidInput for another number of pools.
    """
    if len(pools) != len(COLOURS):
        raise InvalidInput(f"{len(pools)} pools; give {len(COLOURS)}")
    runs = [draw(pool, MOST, EXPERIMENTS, np.random.default_rng(place)) for place, pool in enumerate(pools.values())]
    intervals = [
        [bootstrap_interval(drawn[:, :size], num_resamples=RESAMPLES) for size in range(2, MOST + 1)] for drawn in runs
    ]
    ends = {
        end: [np.round(np.stack([pair[side] for pair in of], axis=1), 1) for of in intervals]
        for side, end in enumerate(("low", "high"))
    }
    every = np.concatenate([np.asarray(pool, dtype=np.float64) for pool in pools.values()])
    low, high = 10 * np.floor(every.min() / 10), 10 * np.ceil(every.max() / 10)
    return Explainer(
        "explainers/experiment",
        figure,
        {
            "seeds": Slider(2, MOST, 5, 1, "seeds of each"),
            "experiment": Slider(1, EXPERIMENTS, 1, 1, "experiment number"),
        },
        data={
            "names": list(pools), "runs": [np.round(drawn, 1) for drawn in runs], **ends,
            "truth": [float(interquartile_mean(pool)) for pool in pools.values()],
            "label": x_label, "limits": [low, high], "longest": float(high - low),
        },
        alt="Left, two rows, one for each pool: the runs of one experiment as grey dots; below them a grey bar, "
        "mean and standard deviation; above them the interquartile mean as a large dot with its interval; the "
        "pool's value as a dashed line. Right: the lengths of both bars against the number of seeds.",
        caption="Grey: the runs of your experiment, and mean ± standard deviation. Coloured: interquartile mean "
        "with its 95 % interval. Dashed on the left: the whole pool. Move the number of seeds: which of the two "
        "bars gets shorter?",
        size=(9.5, 3.8),
    )  # fmt: skip
