"""Lesson 09, sections 2, 3.3, 4, 4.1, 5, 5.1, 6.2, 7, 8, 9, 10, 11 and 13: a language model of 30,000 parameters on three tasks.

Takes about an hour on two cores. Models after imitation, runs and looks at gradients are kept in build/claims.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pgcourse.language.config import LanguageConfig
from pgcourse.language.tasks import TASKS, Task
from pgcourse.statistics import moving_average
from pgcourse.study.workers import run_jobs

from .language_runs import (
    GREEDY_PROMPTS,
    HELD_OUT_ANSWERS,
    HELD_OUT_PROMPTS,
    KEPT,
    TRIES,
    Record,
    Variant,
    base_model,
    gradient_record,
    held_out,
    kept,
    key_of,
    run_record,
)
from .study import IQM, SEEDS, Study, band, rounded

SORTING = LanguageConfig(num_updates=120)
DIAL = LanguageConfig(task="dial", num_updates=80)
TURTLE = LanguageConfig(task="turtle", num_updates=120)
HACKED = LanguageConfig(num_updates=80, kl_in="reward")
KL = 0.05
MINUS, PLUS = -1.0, 1.0


def longer_and_longer(task: Task, updates: int, generator: np.random.Generator) -> list[str]:
    """A curriculum: prompts of three moves, and of one more from every 20th update on, up to all of the task's."""
    low, high = task.num_steps
    return task.prompts(TURTLE.num_prompts, generator, num_steps=(low, min(low + updates // 20, high)))


def each(config: LanguageConfig, *names: str) -> dict[str, Variant]:
    """A variant for each way to make advantages."""
    return {f"{config.task}/{name}": Variant(replace(config, advantage=name)) for name in names}


VARIANTS: Mapping[str, Variant] = {
    **each(SORTING, "none", "batch_mean", "group_mean", "leave_one_out", "group_normalized", "critic"),
    "sorting/k3": Variant(replace(SORTING, kl_coef=KL)),
    **{f"hacked/{beta:g}": Variant(replace(HACKED, kl_coef=beta), learnt=True) for beta in (0.0, 0.1, 0.5, 2.0)},
    **each(DIAL, "none", "batch_mean", "leave_one_out", "group_normalized", "critic"),
    "dial/none_plus_1": Variant(replace(DIAL, advantage="none"), offset=PLUS),
    "dial/none_minus_1": Variant(replace(DIAL, advantage="none"), offset=MINUS),
    "dial/leave_one_out_plus_1": Variant(DIAL, offset=PLUS),
    "dial/kl_in_reward": Variant(replace(DIAL, kl_coef=KL, kl_in="reward")),
    **{f"dial/{name}": Variant(replace(DIAL, kl_coef=KL, kl_estimator=name)) for name in ("k1", "k2", "k3")},
    "dial/sequence_ratio": Variant(replace(DIAL, ratio="sequence")),
    "dial/1_epoch": Variant(replace(DIAL, update_epochs=1)),
    "dial/4_epochs": Variant(replace(DIAL, update_epochs=4)),
    "dial/4_epochs_unclipped": Variant(replace(DIAL, update_epochs=4, clip_coef=None)),
    "dial/average_answer": Variant(replace(DIAL, average="answer")),
    "dial/average_token": Variant(replace(DIAL, average="token")),
    "dial/2_samples": Variant(replace(DIAL, num_prompts=128, num_samples=2)),
    "dial/32_samples": Variant(replace(DIAL, num_prompts=8, num_samples=32)),
    **each(TURTLE, "none", "leave_one_out", "group_normalized"),
    "turtle/average_answer": Variant(replace(TURTLE, average="answer")),
    "turtle/curriculum": Variant(TURTLE, seams={"prompts_fn": longer_and_longer}),
}
STUDY = Study(
    description="A transformer of 30,000 parameters on three tasks: sorting six digits (120 steps of imitation, 120 updates), "
    "the dial (2,000; 80) and the turtle (2,000; 120); hacked: sorting, with a reward learnt from 5,000 comparisons. An update "
    "is 32 prompts with 8 answers each, two gradient steps, clip 0.2, leave-one-out advantages, token ratios, where a name says "
    f"nothing else. At the end: {HELD_OUT_PROMPTS} prompts of a random stream of their own with {HELD_OUT_ANSWERS} sampled "
    f"answers each, and {GREEDY_PROMPTS} with the most probable tokens. Gradients: the dial, before training and "
    "after it with leave-one-out.",
    variants={},  # nothing that `run_seeds` could train
    metrics={},
    every=1,
    until=SORTING.num_updates,
)
FAMILIES = ("dial", "turtle", "sorting", "hacked")  # what one job makes, the longest first
PATIENT_AND_HEALTHY = ("dial/none_minus_1", "dial/none")
BESIDE_BASE = ("dial/leave_one_out", "turtle/leave_one_out", "dial/k3")
OF_GRADIENTS = "dial"  # the task whose gradients are looked at
TRAINED = "dial/leave_one_out"


def job(family_and_seed: tuple[str, int]) -> dict[str, Record]:
    """All runs of a family and a seed, and what is taken of the model before them."""
    family, seed = family_and_seed
    torch.set_num_threads(1)
    found: dict[str, Record] = {}
    if family in TASKS:
        task = TASKS[family]
        found[family] = kept(f"{family}-base", seed, {}, partial(base_record, task, seed))
    for name, variant in VARIANTS.items():
        if name.partition("/")[0] == family:
            weights = KEPT / f"language-trained-{seed}-{key_of(variant.settings())}.pt" if name == TRAINED else None
            made = partial(run_record, variant, seed, weights=weights)
            found[name] = kept(name, seed, variant.settings(), made)
            if weights is not None:
                task = TASKS[variant.config.task]
                model = base_model(task, seed)
                model.load_state_dict(torch.load(weights, weights_only=True))
                found["gradients/late"] = kept("gradients/late", seed, {}, partial(gradient_record, model, task, seed))
    if family == OF_GRADIENTS:
        task = TASKS[family]
        base = base_model(task, seed)
        found["gradients/start"] = kept("gradients/start", seed, {}, partial(gradient_record, base, task, seed))
    print(f"{family}, seed {seed}: done", flush=True)
    return found


def base_record(task: Task, seed: int) -> Record:
    """What imitation came to."""
    base = base_model(task, seed)
    return {"end": held_out(base, base, task, seed)}


def all_records(num_workers: int, seeds: Sequence[int]) -> dict[str, list[Record]]:
    """Every run's record: name -> one of each seed."""
    jobs = [(family, seed) for seed in seeds for family in FAMILIES]
    done = dict(run_jobs(job, jobs, num_workers=num_workers, dask=None))
    records: dict[str, list[Record]] = {}
    for index in range(len(jobs)):
        for name, record in done[index].items():
            records.setdefault(name, []).append(record)
    return records


HALF, MOST = 0.5, 0.9  # of the answers of an update
STUCK = 0.6  # of the answers at the end: a run below it
EARLY, LATE = 10, 10  # updates in the means at a run's beginning and end
Numbers = tuple[str, Sequence[str], Callable[[Record], float | int | None]]
OF_END: Mapping[str, Numbers] = {
    "success": ("%", [IQM], lambda run: 100 * run["end"]["pass"]["1"]),
    "greedy": ("%", [IQM], lambda run: 100 * run["end"]["greedy"]),
    **{
        f"pass_{k}": ("%", [IQM], lambda run, k=str(k): 100 * run["end"]["pass"][k])  # type: ignore[misc]
        for k in TRIES[1:]
    },
    "length": ("tokens", [IQM], lambda run: run["end"]["length"]),
    "written": ("%", [IQM], lambda run: 100 * run["end"]["written"]),
}
OF_TRAINING: Mapping[str, Numbers] = {
    "reference_kl": ("nats an answer", [IQM], lambda run: run["end"]["reference_kl"]),
    "updates_to_half": ("updates", [IQM, "count"], lambda run: updates_to(run, HALF)),
    "updates_to_most": ("updates", [IQM, "count"], lambda run: updates_to(run, MOST)),
    "mean_success": ("%", [IQM], lambda run: 100 * mean_of(run, "success")),
    "informative_first": ("%", [IQM], lambda run: 100 * mean_of(run, "informative", slice(EARLY))),
    "informative_last": ("%", [IQM], lambda run: 100 * mean_of(run, "informative", slice(-LATE, None))),
    "entropy_first": ("nats a token", [IQM], lambda run: run["metrics"]["entropy"][0]),
    "entropy_last": ("nats a token", [IQM], lambda run: mean_of(run, "entropy", slice(-LATE, None))),
    "clipfrac": ("%", [IQM], lambda run: 100 * mean_of(run, "clipfrac")),
    "wrong_length_first": ("tokens", [IQM], lambda run: mean_of(run, "wrong_length", slice(EARLY))),
    "wrong_length_last": ("tokens", [IQM], lambda run: mean_of(run, "wrong_length", slice(-LATE, None))),
}
OF_HACKED: Mapping[str, Numbers] = {
    "score_first": ("score", [IQM], lambda run: run["metrics"]["reward"][0]),
    "score_last": ("score", [IQM], lambda run: mean_of(run, "reward", slice(-LATE, None))),
    "quality_first": ("%", [IQM], lambda run: 100 * run["metrics"]["quality"][0]),
    "quality_best": ("%", [IQM], lambda run: 100 * smooth(run, "quality").max()),
    "quality_last": ("%", [IQM], lambda run: 100 * mean_of(run, "quality", slice(-LATE, None))),
    "best_update": ("updates", [IQM], lambda run: int(smooth(run, "quality").argmax()) + 1),
    "kl_last": ("nats an answer", [IQM], lambda run: mean_of(run, "reference_kl", slice(-LATE, None))),
    "kl_at_best": (
        "nats an answer", [IQM], lambda run: smooth(run, "reference_kl")[smooth(run, "quality").argmax()]
    ),
}  # fmt: skip
OF_GRADIENT_LOOKS: Mapping[str, Numbers] = {
    "success": ("%", [IQM], lambda look: 100 * look["success"]),
    "mean_reward": ("reward", [IQM], lambda look: look["success"]),
    "best_baseline": ("reward", [IQM], lambda look: look["best_baseline"]),
    "score_of_right": ("squared norm", [IQM], lambda look: look["scores"]["right"]),
    "score_of_wrong": ("squared norm", [IQM], lambda look: look["scores"]["wrong"]),
    **{
        f"variance_{name}": (
            "times", [IQM], lambda look, name=name: look["variance"][name] / look["variance"]["none"]  # type: ignore[misc]
        )
        for name in ("batch_mean", "group_mean", "leave_one_out", "none_plus_1")
    },
}  # fmt: skip
WINDOW = 5  # updates in the moving averages


def mean_of(run: Record, name: str, part: slice = slice(None)) -> float:
    """Mean of a metric over updates; those that have none are left out."""
    numbers = [number for number in run["metrics"][name][part] if number is not None]
    return float(np.mean(numbers)) if numbers else float("nan")


def smooth(run: Record, name: str) -> NDArray[np.float64]:
    """Moving average over the last updates."""
    return moving_average(np.array(run["metrics"][name]), WINDOW)


def updates_to(run: Record, share: float) -> int | None:
    """Updates until the moving average of success first reaches the share; None if it never does."""
    reached = smooth(run, "success") >= share
    reached[: WINDOW - 1] = False
    return int(reached.argmax()) + 1 if reached.any() else None


def values_of(prefix: str, numbers: Mapping[str, Numbers], records: Sequence[Record]) -> dict[str, Any]:
    """Entries of "values", one number a seed each."""
    return {
        f"{prefix}/{name}": {
            "unit": unit,
            "statistics": list(statistics),
            "per_seed": [rounded(none_where_not_a_number(measure(record))) for record in records],
        }
        for name, (unit, statistics, measure) in numbers.items()
    }


def none_where_not_a_number(value: float | int | None) -> float | int | None:
    """None for NaN, which JSON has not: where no answer was wrong, wrong answers have no length."""
    return None if value is None or np.isnan(value) else value


def curve_of(runs: Sequence[Record], name: str, factor: float = 1.0, *, lines: bool = False) -> dict[str, Any]:
    """A metric over the updates, moving average, with its interval. Args: lines: each run's own line as well."""
    curves = factor * np.stack([smooth(run, name) for run in runs])
    each = {"per_seed": [[float(f"{number:.4g}") for number in line] for line in curves]} if lines else {}
    return {**band(np.arange(1, curves.shape[1] + 1), "update", curves), "window": WINDOW, **each}


def beside_base(name: str, bases: Sequence[Record], runs: Sequence[Record]) -> dict[str, Any]:
    """Which runs ended below `STUCK`, what became of pass@64, and in how many of these and of the others it fell."""
    pairs = [(base["end"]["pass"], run["end"]["pass"]) for base, run in zip(bases, runs, strict=True)]
    changes = [100 * (after["64"] - before["64"]) for before, after in pairs]
    low = [after["1"] < STUCK for _, after in pairs]
    fell = [change < 0 for change in changes]
    kinds = {
        "learnt": [not stuck for stuck in low],
        "learnt_and_lost": [not stuck and less for stuck, less in zip(low, fell, strict=True)],
        "stuck": low,
        "stuck_and_lost": [stuck and less for stuck, less in zip(low, fell, strict=True)],
    }
    counts = {
        key: {"unit": "runs", "statistics": ["count"], "per_seed": [1 if it_is else None for it_is in each]}
        for key, each in kinds.items()
    }
    change = {"unit": "%", "statistics": [IQM], "per_seed": [rounded(change) for change in changes]}
    return {f"{name}/{key}": entry for key, entry in {**counts, "pass_64_change": change}.items()}


def tries_curve(records: Sequence[Record]) -> dict[str, Any]:
    """pass@k over k."""
    return band(np.array(TRIES), "k", np.array([[100 * r["end"]["pass"][str(k)] for k in TRIES] for r in records]))


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/language.json`."""
    seeds = SEEDS[:num_seeds]
    records = all_records(num_workers, seeds)
    values: dict[str, Any] = {}
    curves: dict[str, Any] = {}
    for task in TASKS:
        values |= values_of(f"{task}/base", OF_END, records[task])
        curves[f"{task}/base/tries"] = tries_curve(records[task])
    for look in ("start", "late"):
        values |= values_of(f"gradients/{look}", OF_GRADIENT_LOOKS, records[f"gradients/{look}"])
    for name, variant in VARIANTS.items():
        runs = records[name]
        values |= values_of(name, OF_END | OF_TRAINING | (OF_HACKED if variant.learnt else {}), runs)
        curves[name] = curve_of(runs, "success", 100)
        if name in PATIENT_AND_HEALTHY:
            for metric, factor in (("success", 100), ("entropy", 1)):
                curves[f"{name}/{metric}"] = curve_of(runs, metric, factor, lines=True)
        if name in BESIDE_BASE:
            values |= beside_base(name, records[variant.config.task], runs)
        if variant.learnt:
            curves[f"{name}/score"] = curve_of(runs, "reward")
            curves[f"{name}/quality"] = curve_of(runs, "quality", 100)
        else:
            curves[f"{name}/tries"] = tries_curve(runs)
    return {
        "description": STUDY.description,
        "seeds": list(seeds),
        "configs": {},
        "settings": {name: variant.settings() for name, variant in VARIANTS.items()},
        "values": values,
        "curves": curves,
        "prefixes": {},
        "policies": {task: stored_base(task, seeds, records[task]) for task in ("dial",)},
    }


def stored_base(task: str, seeds: Sequence[int], records: Sequence[Record]) -> dict[str, Any]:
    """The model after imitation whose success is the median one, so that a page can train it on."""
    ranked = sorted(zip(records, seeds, strict=True), key=lambda each: each[0]["end"]["pass"]["1"])
    record, seed = ranked[len(ranked) // 2]
    weights = base_model(TASKS[task], seed).state_dict()
    return {
        "seed": seed,
        "success": rounded(record["end"]["pass"]["1"]),
        "weights": {
            name: {
                "shape": list(tensor.shape),
                "float32": base64.b64encode(tensor.numpy().astype("<f4").tobytes()).decode(),
            }
            for name, tensor in weights.items()
        },
    }
