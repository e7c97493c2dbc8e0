"""Measure the numbers that the lessons quote: `python -m tools.claims [NAMES]` writes claims/NAME.json.

All of claims/NAME.json comes from tools/claims/NAME.py; `python -m tools.claims --help` says which lesson and table each
serves. Finished training runs are kept in build/claims, so an interrupted study goes on where it stopped, and only what
changed is run again. `--stale` lists the files whose code or libraries have changed since, `--confirm` repeats a part of
a study and compares. Exit status: 0 done, 1 stale or not confirmed, 2 an unknown name, 130 interrupted.
"""

import argparse
import importlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from pgcourse.errors import InvalidInput
from pgcourse.storage import atomic_write
from pgcourse.study.claims import figures_of, machine
from tools.claims.code import CLAIMS, code_behind, read, reasons
from tools.claims.confirm import SHOWN, WHEN_MEASURED, confirm
from tools.claims.runs import BATCHED, ONE_BY_ONE, ROOT, made

# Each is a module beside this one, whose `study(num_workers, num_seeds)` gives description, seeds, configs, values,
# curves and what else the study keeps.
STUDIES = (
    "reinforce",
    "optimizers",
    "baselines",
    "a2c",
    "a2c_mistakes",
    "reward_scale",
    "greedy",
    "decoy",
    "ppo",
    "mistakes",
    "one_update",
    "memory",
    "pendulum",
    "gaussian_reinforce",
    "reward_clipping",
    "trpo",
    "trpo_mistakes",
    "traps",
    "factorial",
    "adam",
    "hacking",
    "ranges",
    "comparison",
    "sensitivity",
    "shared_trunk",
    "dqn",
    "off_policy",
    "mujoco",
    "networks",
    "batches_and_budgets",
    "pixels",
    "masks",
    "exploration",
    "language",
)


def measure(
    name: str,
    *,
    num_workers: int = 1,
    folder: Path = CLAIMS,
    num_seeds: int | None = None,
    how: str = ONE_BY_ONE,
) -> Path:
    """Run a study and write its file. Returns: the path. Raises: InvalidInput for an unknown study."""
    require_known([name])
    study = importlib.import_module(f"tools.claims.{name}").study
    with made(how):
        content = study(num_workers=num_workers, num_seeds=num_seeds)
    facts = machine()
    whole = {
        "description": content.pop("description"),
        "command": f"python -m tools.claims {name}",
        "versions": facts.pop("versions"),
        "machine": facts,
        "runs": how,
        "code": code_behind(name, how),
        **content,
    }
    return atomic_write(folder / f"{name}.json", as_text(whole))


def as_text(content: dict[str, Any]) -> str:
    """A claims file: its figures, where it has none yet, are those that follow from its values.

    Indented down to the single figure or curve, each on one line: a changed number is a changed line.
    """
    content = dict(content)
    json.dumps(content, allow_nan=False)  # JSON has no such numbers; better no file than one that others cannot read
    values, figures = content.pop("values"), content.pop("figures", None)
    content |= {"figures": figures or figures_of(values), "values": values}
    lines = []
    for key, entry in content.items():
        if isinstance(entry, dict):
            rows = ",\n".join(f"    {json.dumps(name)}: {json.dumps(row)}" for name, row in entry.items())
            lines.append(f"  {json.dumps(key)}: {{\n{rows}\n  }}")
        else:
            lines.append(f"  {json.dumps(key)}: {json.dumps(entry)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def require_known(names: Sequence[str]) -> None:
    """Raises: InvalidInput for a name that is no study's."""
    for name in names:
        if name not in STUDIES:
            raise InvalidInput(f"no study named {name!r}; use one of {', '.join(STUDIES)}")


def stale(names: Sequence[str]) -> dict[str, list[str]]:
    """Of these studies, those whose file may hold other figures than today's code gives, and why."""
    require_known(names)
    found = {name: reasons(name, read(name)) for name in names}
    return {name: why for name, why in found.items() if why}


def tell_stale(names: Sequence[str]) -> int:
    """Print what is stale. Returns: 1 where anything is, else 0."""
    found = stale(names)
    for name, why in found.items():
        more = f" and {len(why) - SHOWN} more" if len(why) > SHOWN else ""
        print(f"claims/{name}.json: {'; '.join(why[:SHOWN])}{more}")
    if found:
        print(
            f"{len(found)} of {len(names)} claims are stale. If no figure should have moved, prove it: make claims "
            'ARGS="--confirm --workers 2"; else measure anew: make claims ARGS=NAME'
        )
    return 1 if found else 0


def confirm_all(names: Sequence[str], num_workers: int, against: str | None = None) -> int:
    """Confirm one file after the other, each written at once. Returns: 1 where any is not confirmed, else 0."""
    require_known(names)
    refused = 0
    for name in names:
        start = time.perf_counter()
        content, differences = confirm(name, num_workers=num_workers, against=against)
        seconds = time.perf_counter() - start
        if differences:
            refused += 1
            advice = f"measure it anew, or on another processor than the file's add --against {WHEN_MEASURED}"
            shown = "".join(f"\n  {difference}" for difference in differences[:SHOWN])
            print(
                f"claims/{name}.json: {len(differences)} differ, {seconds:.0f} s; {advice}{shown}",
                flush=True,
            )
            continue
        atomic_write(CLAIMS / f"{name}.json", as_text(content))
        numbers = content["confirmed"]["equal_numbers"]
        print(f"claims/{name}.json: confirmed, {numbers:,} numbers are equal, {seconds:.0f} s", flush=True)
    return 1 if refused else 0


def first_line(name: str) -> str:
    """Which lesson and tables a study serves: the first line of its file."""
    return (
        Path(__file__)
        .with_name(f"{name}.py")
        .read_text(encoding="utf-8")
        .removeprefix('"""')
        .splitlines()[0]
        .strip('"')
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Returns: its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.claims",
        description="Measure the numbers that the lessons quote.",
        epilog="example: python -m tools.claims reinforce --workers 2\n\nstudies:\n"
        + "\n".join(f"  {name:12} {first_line(name)}" for name in STUDIES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="studies, listed below (default: all)")
    parser.add_argument(
        "--stale",
        action="store_true",
        help="list the files whose figures may be other ones today, and why; measure nothing",
    )
    parser.add_argument(
        "--confirm",
        action="store_true",
        help="repeat the first seed of each study, by default of the stale ones, and where every number is equal say so "
        "in its file",
    )
    parser.add_argument(
        "--against",
        metavar="VERSION",
        help="with --confirm, on another processor than the file's: compare with what this version of the repository gives here; "
        f"{WHEN_MEASURED!r} is the first that holds the file's figures",
    )
    parser.add_argument(
        "--batched", action="store_true", help="train the seeds of a study as one batch where that can be done"
    )
    parser.add_argument("--workers", type=int, default=1, help="processes, one thread each (default: 1)")
    parser.add_argument("--seeds", type=int, help="only the first so many seeds: for a look, not for the repository")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    names = options.names or STUDIES
    how = BATCHED if options.batched else ONE_BY_ONE
    try:
        if options.stale:
            return tell_stale(names)
        if options.confirm:
            return confirm_all(options.names or list(stale(STUDIES)), options.workers, options.against)
        for name in names:
            start = time.perf_counter()
            path = measure(name, num_workers=options.workers, num_seeds=options.seeds, how=how)
            print(f"{path.relative_to(ROOT).as_posix()}: written after {time.perf_counter() - start:.0f} s")
    except InvalidInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: finished runs are kept; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
