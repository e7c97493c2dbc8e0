"""`make bench`: measure the presets' speed beside Stable-Baselines3's, and write claims/speed.json.

Every run is a fresh process with one thread; methods of one group alternate, seed by seed, so that a noisy machine is
noisy for all of them. Finished runs are kept as they come: interrupt it, and the next start goes on.

    python -m tools.bench                       everything (about an hour on two free cores)
    python -m tools.bench --only cartpole/ pendulum/ --seeds 5
    python -m tools.bench --report              the table from what is there
    python -m tools.bench --five                only the five of the final comparison, ten seeds each (six minutes)
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from pgcourse.storage import write_json
from pgcourse.study import comparison
from pgcourse.study.seeds import run_seeds
from tools.bench.memory import peak_memory
from tools.bench.report import Rows, report, write_readme

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


def final_five(seed: int, rounds: int = 3) -> dict[str, Any]:
    """`final_five_steps_per_second` several times, with other seeds: the median, and every round. A busy machine halves it."""
    measured = [final_five_steps_per_second(seed + 10 * i) for i in range(rounds)]
    return {
        "steps_per_second": float(np.median([each["steps_per_second"] for each in measured])),
        "sb3_tuned_steps_per_second": float(np.median([each["sb3_tuned_steps_per_second"] for each in measured])),
        "rounds": measured,
    }


def final_five_steps_per_second(seed: int) -> dict[str, Any]:
    """All five of the final comparison with ten seeds each, as `pgcourse compare` trains them, in two processes.

    Returns: also the steps/s of Stable-Baselines3's tuned PPO, one alone in the same minutes: the yardstick by which
    another machine can be compared with this one.
    """
    yardsticks = [_child("cartpole/sb3_tuned", seed)["steps_per_second"]]
    start = time.perf_counter()
    runs = run_seeds(
        comparison.agents(1000), range(seed, seed + 10), num_workers=2, seams=comparison.SEAMS, progress=False
    )
    seconds = time.perf_counter() - start
    yardsticks.append(_child("cartpole/sb3_tuned", seed)["steps_per_second"])
    steps = sum(int(run.metrics["charts/env_step"][-1]) for of in runs.values() for run in of)
    return {
        "steps": steps,
        "seconds": seconds,
        "steps_per_second": steps / seconds,
        "sb3_tuned_steps_per_second": float(np.mean(yardsticks)),
    }


def finished_runs() -> Rows:
    """Of every method that has some."""
    from tools.bench.methods import METHODS

    files = {method: sorted(PARTIAL.glob(f"{method.replace('/', '-')}-*.json")) for method in METHODS}
    return {method: [json.loads(file.read_text()) for file in found] for method, found in files.items() if found}


def main() -> None:
    """Read the arguments and go."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[""], help="methods that begin with one of these, and no extras")
    parser.add_argument("--seeds", type=int, default=20, help="at most so many (default: 20; slow methods take fewer)")
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--repeat", action="store_true", help="measure again what is there")
    parser.add_argument("--report", action="store_true", help="only the table from the finished runs")
    parser.add_argument("--five", action="store_true", help="only the five of the final comparison together")
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
    if options.scaling or not (options.report or options.five or extra.get("scaling")):
        extra["scaling"] = measure_scaling()
        write_json(extra_file, extra)
    if options.five:
        extra["final_five"] = final_five(options.first_seed)
        write_json(extra_file, extra)
        print(json.dumps(extra["final_five"], indent=2))
    if options.scaling or options.five:
        return
    if not options.report:
        methods = [method for method in METHODS if any(method.startswith(prefix) for prefix in options.only)]
        if not methods:
            sys.exit(f"no method begins with {' or '.join(options.only)}; there are {', '.join(METHODS)}")
        measure(methods, [options.first_seed + i for i in range(options.seeds)], repeat=options.repeat)
        if options.only == [""]:
            extra["import_seconds"] = import_seconds()
            extra["final_five"] = final_five(options.first_seed)
            write_json(extra_file, extra)
    content = report(finished_runs(), extra)
    if options.write:
        print(f"wrote {write_json(CLAIMS, content)}")
        write_readme(Path("README.md"), content)


if __name__ == "__main__":
    main()
