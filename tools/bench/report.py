"""The benchmark's report: a summary of each method's finished runs, their ratios to ours, and README's table."""

from pathlib import Path
from typing import Any

import numpy as np

from pgcourse.statistics import bootstrap_interval
from pgcourse.storage import atomic_write
from pgcourse.study.claims import machine

Rows = dict[str, list[dict[str, Any]]]  # method -> its finished runs
PEERS = ("sb3_tuned", "sb3_default", "sb3_our_settings")
BEGIN, END = "<!-- speed: written by `make bench ARGS=--write` -->", "<!-- end of speed -->"
NAMES = {
    "cartpole/ours": ("CartPole", "`ppo.CARTPOLE`"),
    "cartpole/sb3_tuned": ("", "Stable-Baselines3, tuned settings"),
    "cartpole/sb3_default": ("", "Stable-Baselines3, defaults"),
    "cartpole/sb3_our_settings": ("", "Stable-Baselines3, the settings of `ppo.CARTPOLE`"),
    "trpo/cartpole": ("", "`trpo.CARTPOLE`"),
    "a2c/cartpole": ("", "`a2c.CARTPOLE`"),
    "reinforce/baseline": ("", "`reinforce.CARTPOLE`"),
    "pendulum/ours": ("Pendulum", "`ppo.PENDULUM`"),
    "pendulum/sb3_tuned": ("", "Stable-Baselines3, tuned settings"),
    "pendulum/sb3_our_settings": ("", "Stable-Baselines3, the settings of `ppo.PENDULUM`"),
}


def report(rows: Rows, extra: dict[str, Any]) -> dict[str, Any]:
    """Print the table of the finished runs, and give the content of claims/speed.json."""
    summary, ratios = summaries(rows), ratios_of(rows)
    print(f"\n{'method':28} {'solved':>9} {'kept':>7} {'median steps':>13} {'median s':>17} {'steps/s':>9} {'MB':>5}")
    for method, entry in summary.items():
        low, high = ("never" if bound is None else f"{bound:.2f}" for bound in entry["seconds_interval"])
        print(
            f"{method:28} {entry['solved']:4}/{entry['runs']:<4} {entry['kept']:3}/{entry['runs']:<3} "
            f"{entry['median_steps'] or float('nan'):13,.0f} {entry['median_seconds'] or float('nan'):6.2f} "
            f"[{low}, {high}] {entry['median_steps_per_second']:9,.0f} {entry['peak_memory_mb']:5.0f}"
        )
    for name, entry in ratios.items():
        task, peer = name.split("/")
        print(f"{task}: {peer} takes", ", ".join(f"{value:.1f} x ours in {of}" for of, value in entry.items()))
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


def summaries(rows: Rows) -> dict[str, dict[str, Any]]:
    """Method -> its summary."""
    return {method: summarise(runs) for method, runs in rows.items()}


def ratios_of(rows: Rows) -> dict[str, dict[str, float]]:
    """ "TASK/PEER" -> how many times as long that peer takes as ours does."""
    return {
        f"{task}/{peer}": compare(rows[f"{task}/ours"], rows[f"{task}/{peer}"])
        for task in ("cartpole", "pendulum")
        for peer in PEERS
        if f"{task}/ours" in rows and f"{task}/{peer}" in rows
    }


def speed_table(content: dict[str, Any]) -> str:
    """README's table, in Markdown, and a line on the five agents together, from the content of claims/speed.json."""
    lines = [
        "| task | method | seeds solved | kept to the end | steps to solved | seconds to solved | times ours, a step |",
        "|---|---|---|---|---|---|---|",
    ]
    for method, (task, name) in NAMES.items():
        if method not in content["summary"]:
            continue
        entry = content["summary"][method]
        low, high = ("never" if bound is None else f"{bound:.1f}" for bound in entry["seconds_interval"])
        seconds, steps = entry["median_seconds"], entry["median_steps"]
        ratio = content["ratios"].get(method, {}).get("seconds a step")
        cells = [
            task,
            name,
            f"{entry['solved']} of {entry['runs']}",
            f"{entry['kept']} of {entry['runs']}",
            "never" if steps is None else f"{steps:,.0f}",
            "never" if seconds is None else f"{seconds:.1f} [{low}, {high}]",
            "" if ratio is None else f"{ratio:.1f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    if "final_five" in content:
        ours, theirs = (content["final_five"][key] for key in ("steps_per_second", "sb3_tuned_steps_per_second"))
        lines += [
            "",
            f"The five agents of `pgcourse compare`, ten seeds each, in two processes: {ours:,.0f} environment steps a second "
            "in all,",
            f"{ours / theirs:.0f} times one run of Stable-Baselines3 with tuned settings in the same minutes "
            f"({len(content['final_five']['rounds'])} rounds, medians).",
        ]
    return "\n".join(lines)


def write_readme(path: Path, content: dict[str, Any]) -> None:
    """Put the table between its two marks in README. Raises: ValueError where a mark is missing."""
    put_between(path, BEGIN, END, speed_table(content))


def put_between(path: Path, begin: str, end: str, table: str) -> None:
    """Replace what stands between two marks of a file. Raises: ValueError where a mark is missing."""
    before, _, rest = path.read_text(encoding="utf-8").partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"{path.name} lacks the marks {begin} and {end}; put them where the table belongs")
    atomic_write(path, f"{before}{begin}\n\n{table}\n\n{end}{after}")
