"""Measure the numbers that the lessons quote: `python -m tools.claims [NAMES]` writes claims/NAME.json.

All of claims/NAME.json comes from tools/claims/NAME.py; `python -m tools.claims --help` says which lesson and table each
serves. Finished training runs are kept in build/claims, so an interrupted study goes on where it stopped, and only what
changed is run again. Exit status: 0 done, 2 an unknown name, 130 interrupted.
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

ROOT = Path(__file__).resolve().parents[2]
# Each is a module beside this one, whose `study(num_workers, num_seeds)` gives description, seeds, configs, values,
# curves and what else the study keeps.
STUDIES = (
    "reinforce",
    "optimizers",
    "baselines",
    "a2c",
    "a2c_mistakes",
    "ppo",
    "mistakes",
    "one_update",
    "pendulum",
    "trpo",
    "trpo_mistakes",
    "traps",
    "factorial",
    "adam",
    "hacking",
    "ranges",
    "comparison",
    "sensitivity",
    "dqn",
)


def measure(name: str, *, num_workers: int = 1, folder: Path = ROOT / "claims", num_seeds: int | None = None) -> Path:
    """Run a study and write its file. Returns: the path. Raises: InvalidInput for an unknown study."""
    if name not in STUDIES:
        raise InvalidInput(f"no study named {name!r}; use one of {', '.join(STUDIES)}")
    study = importlib.import_module(f"tools.claims.{name}").study
    content = study(num_workers=num_workers, num_seeds=num_seeds)
    return atomic_write(folder / f"{name}.json", as_text(name, content))


def as_text(name: str, content: dict[str, Any]) -> str:
    """A claims file: the study's content, the figures that follow from its values, and where they come from.

    Indented down to the single figure or curve, each on one line: a changed number is a changed line.
    """
    json.dumps(content, allow_nan=False)  # JSON has no such numbers; better no file than one that others cannot read
    values = content.pop("values")
    facts = machine()
    whole = {
        "description": content.pop("description"),
        "command": f"python -m tools.claims {name}",
        "versions": facts.pop("versions"),
        "machine": facts,
        **content,
        "figures": figures_of(values),
        "values": values,
    }
    lines = []
    for key, entry in whole.items():
        if isinstance(entry, dict):
            rows = ",\n".join(f"    {json.dumps(name)}: {json.dumps(row)}" for name, row in entry.items())
            lines.append(f"  {json.dumps(key)}: {{\n{rows}\n  }}")
        else:
            lines.append(f"  {json.dumps(key)}: {json.dumps(entry)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


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
    parser.add_argument("--workers", type=int, default=1, help="processes, one thread each (default: 1)")
    parser.add_argument("--seeds", type=int, help="only the first so many seeds: for a look, not for the repository")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        for name in options.names or STUDIES:
            start = time.perf_counter()
            path = measure(name, num_workers=options.workers, num_seeds=options.seeds)
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
