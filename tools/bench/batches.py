"""How the cost of a study grows with its seeds: `python -m tools.bench.batches --write`.

Each measurement is a process of its own on one thread: S seeds as one batch, and five seeds one after the other, taken
before and after the batches of a preset, since a machine changes while it works. With --device cuda up to 10,000 seeds.
"""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from pgcourse.algorithms import a2c, ppo, reinforce
from pgcourse.algorithms.by_name import TRAIN
from pgcourse.config import Config
from pgcourse.runs import Result
from pgcourse.statistics import episodes_to_threshold
from pgcourse.storage import atomic_write, write_json
from pgcourse.study.batched import train_batch
from pgcourse.study.claims import machine
from tools.bench.memory import peak_memory
from tools.bench.report import put_between

ROOT = Path(__file__).resolve().parents[2]
CLAIMS, FIGURE = ROOT / "claims" / "batches.json", ROOT / "docs" / "batches.svg"
FIRST_SEED = 20_000
# A tenth to a half of a preset's budget: what a seed costs does not change much after that.
TASKS: dict[str, Config] = {
    "ppo.CARTPOLE": replace(ppo.CARTPOLE, total_timesteps=20_480),
    "ppo.PENDULUM": replace(ppo.PENDULUM, total_timesteps=12_000),
    "a2c.CARTPOLE": replace(a2c.CARTPOLE, num_episodes=200),
    "reinforce.CARTPOLE": replace(reinforce.CARTPOLE, num_episodes=100),
}
SIZES = {"cpu": (1, 2, 5, 10, 20, 50, 100, 200), "cuda": (1, 10, 100, 1000, 10_000)}
ALONE = 5  # seeds
BEGIN, END = "<!-- batches: written by `python -m tools.bench.batches --write` -->", "<!-- end of batches -->"


def one(task: str, seeds: int, device: str, *, batched: bool) -> dict[str, Any]:
    """Train in this process. Returns: wall and processor seconds, environment steps, peak memory [MB] and its growth."""
    config = TASKS[task]
    configs = [replace(config, seed=FIRST_SEED + seed) for seed in range(seeds)]
    # Much of torch is imported at the first step.
    warm_up = replace(config, num_episodes=None, total_timesteps=1)
    if batched:
        train_batch([warm_up], device=device)
    else:
        TRAIN[config.algorithm](warm_up, device=device)
    before, start, spent = peak_memory(), time.perf_counter(), time.process_time()
    outcomes = (
        train_batch(configs, device=device)
        if batched
        else [TRAIN[each.algorithm](each, device=device) for each in configs]
    )
    seconds, processor = time.perf_counter() - start, time.process_time() - spent
    results = [outcome for outcome in outcomes if isinstance(outcome, Result)]
    reached = [episodes_to_threshold(result.episodes["episodic_return"], threshold=475.0) for result in results]
    return {
        "seeds": seeds,
        "seconds": round(seconds, 3),
        "processor_seconds": round(processor, 3),
        "env_steps": int(sum(result.metrics["charts/env_step"][-1] for result in results)),
        "solved": sum(episode is not None for episode in reached) if "CARTPOLE" in task else None,
        "peak_memory_mb": round(peak_memory()),
        "memory_growth_mb": round(peak_memory() - before, 1),
    }


def measured(task: str, seeds: int, device: str, *, batched: bool) -> dict[str, Any]:
    """`one` in a fresh process."""
    command = [sys.executable, "-m", "tools.bench.batches", "--device", device, "--child", task, "--sizes", str(seeds)]
    output = subprocess.check_output(command + ([] if batched else ["--alone"]), text=True)
    row: dict[str, Any] = json.loads(output.splitlines()[-1])
    return row


def measure(tasks: list[str], sizes: list[int], device: str) -> dict[str, Any]:
    """Task -> its rows, and the processor seconds of a seed alone."""
    found: dict[str, Any] = {}
    for task in tasks:
        first = measured(task, ALONE, device, batched=False)
        rows = [measured(task, seeds, device, batched=True) for seeds in sizes]
        last = measured(task, ALONE, device, batched=False)
        alone = (first["seconds"] + last["seconds"]) / (2 * ALONE)
        for row in rows:
            row["times_faster"] = round(alone * row["seeds"] / row["seconds"], 2)
            seeds, seconds, memory_mb = row["seeds"], row["seconds"], row["peak_memory_mb"]
            print(f"{task:20} {seeds:6} seeds {seconds:8.2f} s {row['times_faster']:6.1f} x {memory_mb} MB")
        found[task] = {
            "alone_seconds": round(alone, 3),
            "alone_peak_memory_mb": first["peak_memory_mb"],
            "batches": rows,
        }
    return found


def draw(found: dict[str, Any]) -> bytes:
    """The figure of README: how many times less a seed costs in a batch of S than alone."""
    from pgcourse.show.page.style import PALETTE, new_figure, svg

    figure, axes = new_figure()
    for (task, entry), colour in zip(found.items(), PALETTE, strict=False):
        seeds = [row["seeds"] for row in entry["batches"]]
        axes.plot(seeds, [row["times_faster"] for row in entry["batches"]], marker="o", color=colour, label=task)
    axes.set(xscale="log", xlabel="seeds in a batch", ylabel="times faster than one after the other", ylim=(0, None))
    axes.set_xticks(seeds, [str(number) for number in seeds])
    axes.minorticks_off()
    axes.legend()
    return svg(figure)


def memory_table(found: dict[str, Any]) -> str:
    """README's table of peak memory, in Markdown."""
    shown = [row["seeds"] for row in next(iter(found.values()))["batches"] if row["seeds"] in (1, 10, 100, 200)]
    heads = [f"{seeds} seed{'s' if seeds > 1 else ''}" for seeds in shown]
    lines = [f"| peak memory [MB] | {' | '.join(heads)} |", "|---" * (1 + len(shown)) + "|"]
    for task, entry in found.items():
        peak = {row["seeds"]: f"{row['peak_memory_mb']:,}" for row in entry["batches"]}
        lines.append(f"| `{task}` | {' | '.join(peak[seeds] for seeds in shown)} |")
    return "\n".join(lines)


def main() -> None:
    """Read the arguments and go."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.batches", description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=sorted(SIZES), default="cpu")
    parser.add_argument("--tasks", nargs="*", choices=sorted(TASKS), default=list(TASKS))
    parser.add_argument("--sizes", nargs="*", type=int, help="numbers of seeds")
    parser.add_argument("--write", action="store_true", help="write claims/batches.json and the figure of README")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    sizes = options.sizes or list(SIZES[options.device])
    if options.child:
        print(json.dumps(one(options.child, sizes[0], options.device, batched=not options.alone)))
        return
    found = measure(options.tasks, sizes, options.device)
    if options.write:
        content = {
            "description": "Cost of S seeds trained as one batch, beside runs one by one, on one thread.",
            "command": "python -m tools.bench.batches --write",
            **machine(),
            "device": options.device,
            "tasks": found,
        }
        put_between(ROOT / "README.md", BEGIN, END, memory_table(found))
        print(f"wrote {write_json(CLAIMS, content)}, {atomic_write(FIGURE, draw(found))} and README's table")


if __name__ == "__main__":
    main()
