"""`make bench`: run the contestants side by side, and write claims/speed.json.

Every run is a fresh process with one thread; methods of one group alternate, seed by seed, so that a noisy machine is
noisy for all of them. Finished runs are kept as they come: interrupt it, and the next start goes on.

    python -m tools.bench                       everything (about an hour on two free cores)
    python -m tools.bench --only cartpole/ pendulum/ --seeds 5
    python -m tools.bench --report              the table from what is there
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from pgcourse.statistics import bootstrap_interval
from pgcourse.storage import write_json
from pgcourse.study.claims import machine

FIRST_SEED = 1000  # never used in tuning
PARTIAL = Path(".bench")
CLAIMS = Path("claims/speed.json")


def run_one(method: str, seed: int) -> None:
    """In the child: one run, its figures as JSON on the last line."""
    import torch

    from tools.bench.methods import METHODS

    torch.set_num_threads(1)
    outcome = METHODS[method](seed)
    print(json.dumps(outcome | {"peak_memory_mb": peak_memory(), "seed": seed}))


def peak_memory() -> float:
    """Of this process [MB]. Linux's getrusage carries the parent's peak over into a child, so /proc is asked there."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) / 1024  # type: ignore[index]
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)


def measure(methods: list[str], seeds: list[int], *, repeat: bool) -> None:
    """Run what is missing, alternating between the methods; a slow one takes part in the first rounds only."""
    from tools.bench.methods import FEWER_SEEDS

    PARTIAL.mkdir(exist_ok=True)
    for round_number, seed in enumerate(seeds):
        for method in methods:
            if round_number >= FEWER_SEEDS.get(method, len(seeds)):
                continue
            file = PARTIAL / f"{method.replace('/', '-')}-{seed}.json"
            if file.exists() and not repeat:
                continue
            write_json(file, _child(method, seed))


def _child(method: str, seed: int) -> dict[str, Any]:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tools.bench", "--child", method, "--first-seed", str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        sys.exit(f"{method} with seed {seed} failed:\n{done.stderr[-2000:]}")
    outcome: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    steps, seconds = outcome["solved_steps"], outcome["solved_seconds"]
    solved = f"at {steps:,} steps, {seconds:.2f} s" if steps else "never"
    print(
        f"{method:28} seed {seed}: solved {solved}, "
        f"end {outcome['final']:.1f}, {outcome['steps_per_second']:,.0f} steps/s, {outcome['peak_memory_mb']:.0f} MB",
        flush=True,
    )
    return outcome


def import_seconds() -> float:
    """Seconds that `import pgcourse` takes over importing torch and gymnasium; the median of five processes."""
    code = "import time, torch, gymnasium; t = time.perf_counter(); import pgcourse; print(time.perf_counter() - t)"
    times = [float(subprocess.check_output([sys.executable, "-c", code], text=True)) for _ in range(5)]
    return float(np.median(times))


def final_five_steps_per_second(seed: int) -> dict[str, Any]:
    """All five of the final comparison together, two at a time, on two cores."""
    five = ["reinforce/no_baseline", "reinforce/baseline", "a2c/cartpole", "ppo/1000_episodes", "ppo/buggy"]
    start = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda method: _child(method, seed), five))
    seconds = time.perf_counter() - start
    steps = sum(outcome["steps"] for outcome in outcomes)
    each = {method: outcome["steps_per_second"] for method, outcome in zip(five, outcomes, strict=True)}
    return {"steps": steps, "seconds": seconds, "steps_per_second": steps / seconds, "each": each}


def report(extra: dict[str, Any]) -> dict[str, Any]:
    """Gather the finished runs, print the table, and give the content of claims/speed.json."""
    rows: dict[str, list[dict[str, Any]]] = {}
    from tools.bench.methods import METHODS

    for method in METHODS:
        found = sorted(PARTIAL.glob(f"{method.replace('/', '-')}-*.json"))
        if found:
            rows[method] = [json.loads(file.read_text()) for file in found]
    print(f"\n{'method':28} {'solved':>9} {'kept':>7} {'median steps':>13} {'median s':>17} {'steps/s':>9} {'MB':>5}")
    summary = {}
    for method, runs in rows.items():
        entry = summarise(runs)
        summary[method] = entry
        low, high = ("never" if bound is None else f"{bound:.2f}" for bound in entry["seconds_interval"])
        print(
            f"{method:28} {entry['solved']:4}/{entry['runs']:<4} {entry['kept']:3}/{entry['runs']:<3} "
            f"{entry['median_steps'] or float('nan'):13,.0f} {entry['median_seconds'] or float('nan'):6.2f} "
            f"[{low}, {high}] {entry['median_steps_per_second']:9,.0f} {entry['peak_memory_mb']:5.0f}"
        )
    ratios = {}
    for task in ("cartpole", "pendulum"):
        for peer in ("sb3_tuned", "sb3_default", "sb3_our_settings"):
            if f"{task}/ours" in summary and f"{task}/{peer}" in summary:
                ratios[f"{task}/{peer}"] = compare(rows[f"{task}/ours"], rows[f"{task}/{peer}"])
                print(
                    f"{task}: {peer} takes",
                    ", ".join(f"{v:.1f} x ours in {k}" for k, v in ratios[f"{task}/{peer}"].items()),
                )
    return {
        "description": "Speed and reliability of the presets, beside Stable-Baselines3 on the same machine in one run.",
        "command": "python -m tools.bench",
        **machine(),
        "seeds": sorted({run["seed"] for runs in rows.values() for run in runs}),
        "summary": summary,
        "ratios": ratios,
        "runs": rows,
        **extra,
    }


def summarise(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians over the seeds, unsolved ones counted as infinitely slow; a bootstrap interval of the median seconds."""
    seconds = np.array([run["solved_seconds"] if run["solved_seconds"] is not None else np.inf for run in runs])
    steps = np.array([run["solved_steps"] if run["solved_steps"] is not None else np.inf for run in runs])
    low, high = bootstrap_interval(seconds, statistic=np.median)
    finite = lambda value: float(value) if np.isfinite(value) else None  # noqa: E731
    return {
        "runs": len(runs),
        "solved": int(np.isfinite(seconds).sum()),
        "kept": int(sum(run["kept"] for run in runs)),
        "median_steps": finite(np.median(steps)),
        "median_seconds": finite(np.median(seconds)),
        "seconds_interval": [finite(low), finite(high)],
        "median_steps_per_second": float(np.median([run["steps_per_second"] for run in runs])),
        "peak_memory_mb": float(max(run["peak_memory_mb"] for run in runs)),
        "worst_final": float(min(run["final"] for run in runs)),
    }


def compare(ours: list[dict[str, Any]], peer: list[dict[str, Any]]) -> dict[str, float]:
    """How many times as long a peer takes: medians over the seeds, of the time to solve and of the time for a step."""
    ratios = {
        "seconds a step": np.median([1 / run["steps_per_second"] for run in peer])
        / np.median([1 / run["steps_per_second"] for run in ours])
    }
    mine, theirs = summarise(ours)["median_seconds"], summarise(peer)["median_seconds"]
    if mine and theirs:
        ratios["seconds to solve"] = theirs / mine
    return {name: float(value) for name, value in ratios.items()}


def main() -> None:
    """Read the arguments and go."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[""], help="methods that begin with one of these, and no extras")
    parser.add_argument("--seeds", type=int, default=20, help="at most so many (default: 20; slow methods take fewer)")
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--repeat", action="store_true", help="measure again what is there")
    parser.add_argument("--report", action="store_true", help="only the table from the finished runs")
    parser.add_argument("--scaling", action="store_true", help="only how cost grows with the number of environments")
    parser.add_argument("--write", action="store_true", help="write claims/speed.json")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        run_one(options.child, options.first_seed)
        return
    from tools.bench.methods import METHODS
    from tools.bench.scaling import measure as measure_scaling

    extra_file = PARTIAL / "extra.json"
    extra: dict[str, Any] = json.loads(extra_file.read_text()) if extra_file.exists() else {}
    if options.scaling or not (options.report or extra.get("scaling")):
        extra["scaling"] = measure_scaling()
        write_json(extra_file, extra)
    if options.scaling:
        return
    if not options.report:
        methods = [method for method in METHODS if any(method.startswith(prefix) for prefix in options.only)]
        if not methods:
            sys.exit(f"no method begins with {' or '.join(options.only)}; there are {', '.join(METHODS)}")
        measure(methods, [options.first_seed + i for i in range(options.seeds)], repeat=options.repeat)
        if options.only == [""]:
            extra["import_seconds"] = import_seconds()
            extra["final_five"] = final_five_steps_per_second(options.first_seed)
            write_json(extra_file, extra)
    content = report(extra)
    if options.write:
        print(f"wrote {write_json(CLAIMS, content)}")


if __name__ == "__main__":
    main()
