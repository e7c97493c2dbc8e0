"""Show that a claims file's figures are those of today's code: repeat the runs of its first seed, and compare all.

A file of runs made one by one is confirmed by its first seed, in every variant and to its end. Runs of one batch are
confirmed by the first two seeds as a batch. How a row is rounded may depend on how many there are: where a number differs,
all seeds are repeated before anything is said.

Another processor rounds in another way, and after many updates no number is the same. There the file is confirmed
against a version of the repository in which it was current: both versions make the first seed here.
"""

import importlib
import inspect
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

from pgcourse.errors import InvalidInput
from pgcourse.storage import atomic_write
from pgcourse.study.claims import YOUNGER, machine
from pgcourse.study.source import code_of

from .code import code_behind, digest_of_code, read
from .runs import BATCHED, ONE_BY_ONE, ROOT, made

# Said of the whole study, whatever the number of seeds. The rest is one entry a seed, or follows from the values.
OF_ALL = ("description", "configs", "settings", "families", "thresholds")
UNITS = {"values": "unit", "curves": "x_unit"}
OF_A_MACHINE = ("s", "ms a step", "environment steps/s")  # units of what is another number on each day
WHEN_MEASURED = "measured"  # in place of a version's name: the first that holds the file's values
SHOWN = 5  # differences that are told one by one


class Comparison:
    """What agreed and what did not."""

    def __init__(self) -> None:
        self.differences: list[str] = []
        self.numbers = 0  # that agreed

    def same(self, place: str, stored: Any, again: Any) -> None:
        """All of it is equal."""
        if stored != again:
            self.differences.append(f"{place}: {shortened(stored)} is now {shortened(again)}")
        else:
            self.numbers += count(again)

    def beginning(self, place: str, stored: Any, again: Any) -> None:
        """Dictionaries hold the same in the keys that both have; what was measured again is how each list begins."""
        if isinstance(stored, dict) and isinstance(again, dict):
            for key in stored.keys() & again.keys():
                self.beginning(f"{place}/{key}", stored[key], again[key])
        elif isinstance(stored, list) and isinstance(again, list):
            self.same(place, stored[: len(again)], again)
        else:
            self.same(place, stored, again)

    def keys(self, place: str, stored: Mapping[str, Any], again: Mapping[str, Any]) -> list[str]:
        """The keys of both; others are a difference."""
        self.differences += [f"{place}/{key} is gone" for key in stored if key not in again]
        self.differences += [f"{place}/{key} is new" for key in again if key not in stored]
        return [key for key in stored if key in again]

    def curve(self, place: str, stored: Mapping[str, Any], again: Mapping[str, Any]) -> None:
        """The lines of single runs, where both have a point. With all seeds, bands too."""
        shared = [x for x in again["x"] if x in set(stored["x"])]
        there, here = ([curve["x"].index(x) for x in shared] for curve in (stored, again))
        keys = ["mean", "low", "high", "first"] if stored["n"] == again["n"] else ["first"]
        for key in [key for key in keys if key in stored]:
            self.same(f"{place}/{key}", [stored[key][i] for i in there], [again[key][i] for i in here])
        for row, line in zip(stored.get("per_seed", []), again.get("per_seed", []), strict=False):
            self.same(f"{place}/per_seed", [row[i] for i in there], [line[i] for i in here])


def compared(stored: Mapping[str, Any], again: Mapping[str, Any]) -> Comparison:
    """A claims file beside what was measured again, with all seeds or the first ones."""
    found = Comparison()
    told = ("command", "versions", "machine", "runs", "code", "confirmed", "figures")
    for part in found.keys("", {key: stored[key] for key in stored if key not in told}, again):
        if part in OF_ALL:
            found.same(part, with_younger_defaults(stored[part], again[part]), again[part])
        elif part in ("values", "curves", "prefixes"):
            for name in found.keys(part, stored[part], again[part]):
                if part in UNITS and again[part][name].get(UNITS[part]) in OF_A_MACHINE:
                    continue
                if part == "curves":
                    found.curve(f"curves/{name}", stored[part][name], again[part][name])
                elif part == "prefixes":
                    found.same(f"prefixes/{name}", stored[part][name], again[part][name])
                else:
                    found.beginning(f"values/{name}", stored[part][name], again[part][name])
        elif part == "policies":  # of each agent's run in the middle, by all seeds
            for name, policy in again[part].items():
                if policy["seed"] == stored[part][name]["seed"]:
                    found.same(f"policies/{name}", stored[part][name], policy)
        else:
            found.beginning(part, stored[part], again[part])
    return found


def with_younger_defaults(stored: Any, again: Any) -> Any:
    """What was stored; where its settings lack one that is younger, the default, if that is what is set now."""
    if not isinstance(stored, dict) or not isinstance(again, dict):
        return stored
    younger = {key: value for key, value in YOUNGER.items() if key not in stored and again.get(key) == value}
    return younger | {key: with_younger_defaults(entry, again.get(key)) for key, entry in stored.items()}


def measured(
    name: str, stored: Mapping[str, Any], *, num_seeds: int | None, num_workers: int, given: bool = False
) -> dict[str, Any]:
    """What a study gives of its first seeds. given: it may look into the file."""
    how = stored.get("runs", ONE_BY_ONE)
    study = importlib.import_module(f"tools.claims.{name}").study
    given = given and "given" in inspect.signature(study).parameters
    with made(how):
        again = study(num_workers=num_workers, num_seeds=num_seeds, **({"given": stored} if given else {}))
    return dict(json.loads(json.dumps(again)))  # as a file holds it


def seeds_of(how: str) -> tuple[int | None, ...]:
    """How many seeds are repeated, None for all, and what to try next where a number differs."""
    return (2, None) if how == BATCHED else (1,)


def confirm(name: str, *, num_workers: int = 1, against: str | None = None) -> tuple[dict[str, Any], list[str]]:
    """Measure a part of a study again, and compare it with the file, or with what the version `against` gives here.

    Returns: the file's content with today's code and versions in it; what differs, in which case it is not to be written.
    Raises: InvalidInput for a version that is not there, or in which the file was stale itself.
    """
    stored = read(name)
    how = stored.get("runs", ONE_BY_ONE)
    told: dict[str, Any] = {}
    version = None
    if against is not None:
        version = Version(written_by(name, stored)[-1] if against == WHEN_MEASURED else against)
        version.require_current(name, stored)
        told = {"version": version.commit[:10]}
    for num_seeds in seeds_of(how):
        if version is None:
            again = measured(name, stored, num_seeds=num_seeds, num_workers=num_workers, given=True)
            found = compared(stored, again)
        else:
            before = version.measured(name, how, num_seeds=num_seeds, num_workers=num_workers)
            again = measured(name, stored, num_seeds=num_seeds, num_workers=num_workers)
            found = compared(before, again)
        if not found.differences:
            break
    told |= {
        "seeds": stored["seeds"][:num_seeds],
        "variants": len(stored["configs"]),
        "equal_numbers": found.numbers,
    }
    whole = stored | {"versions": machine()["versions"], "runs": how, "code": code_behind(name, how), "confirmed": told}
    head = ("description", "command", "versions", "machine", "runs", "code", "confirmed")
    return {key: whole[key] for key in (*head, *(key for key in whole if key not in head))}, found.differences


# Run in another version's folder, which may not know of ways to make runs.
ELSEWHERE = """
import contextlib, importlib, json, sys
import torch
from tools.claims import runs
name, how, num_workers, num_seeds = sys.argv[1:]
torch.set_num_threads(1)
with getattr(runs, "made", lambda how: contextlib.nullcontext())(how):
    study = importlib.import_module(f"tools.claims.{name}").study
    content = study(num_workers=int(num_workers), num_seeds=int(num_seeds) or None)
print(json.dumps(content))
"""


class Version:
    """A version of the repository, laid out in build/versions. Raises: InvalidInput where git does not know it."""

    def __init__(self, name: str) -> None:
        self.commit = git("rev-parse", "--verify", f"{name}^{{commit}}").decode().strip()
        self.folder = ROOT / "build" / "versions" / self.commit

    def require_current(self, name: str, stored: Mapping[str, Any]) -> None:
        """Raises: InvalidInput where the file had other values in this version, or said that it comes from other code."""
        before = json.loads(git("show", f"{self.commit}:claims/{name}.json"))
        if before["values"] != stored["values"]:
            raise InvalidInput(
                f"claims/{name}.json has other values in {self.commit[:10]}; name the version that wrote today's"
            )
        if "code" not in before and self.commit not in (writers := written_by(name, stored)):
            raise InvalidInput(
                f"claims/{name}.json does not say in {self.commit[:10]} which code it comes from; name a version that wrote it: "
                f"{' '.join(writer[:10] for writer in writers)}"
            )
        for path, digest in before.get("code", {}).items():
            if digest_of_code(code_of(git("show", f"{self.commit}:{path}").decode())) != digest:
                raise InvalidInput(f"claims/{name}.json is stale in {self.commit[:10]} itself: {path} had changed")

    def measured(self, name: str, how: str, *, num_seeds: int | None, num_workers: int) -> dict[str, Any]:
        """As `measured`, by this version's code. It is kept."""
        first = f"-{num_seeds}" if how == BATCHED and num_seeds else ""
        target = self.folder / "build" / f"{name}{first}.json"
        if not target.exists():
            if not self.folder.exists():
                self.lay_out()
            options = [name, how, str(num_workers), str(num_seeds or 0)]
            environment = os.environ | {"PYTHONPATH": str(self.folder)}
            done = subprocess.run(
                [sys.executable, "-c", ELSEWHERE, *options],
                cwd=self.folder,
                env=environment,
                stdout=subprocess.PIPE,
                text=True,
            )
            if done.returncode:
                raise InvalidInput(f"{self.commit[:10]} cannot measure {name}; what it said stands above")
            atomic_write(target, done.stdout.strip().splitlines()[-1])
        return dict(json.loads(target.read_text(encoding="utf-8")))

    def lay_out(self) -> None:
        """Write its files, whole or not at all."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder.parent) as partial:
            with tarfile.open(
                fileobj=io.BytesIO(git("archive", self.commit, "pgcourse", "tools", "claims"))
            ) as archive:
                archive.extractall(f"{partial}/whole", filter="data")
            os.replace(f"{partial}/whole", self.folder)


def written_by(name: str, stored: Mapping[str, Any]) -> list[str]:
    """The commits that wrote a claims file with these values, newest first. Raises: InvalidInput where there is none."""
    path, found = f"claims/{name}.json", []
    for commit in git("log", "--no-merges", "--format=%H", "--", path).decode().split():
        if json.loads(git("show", f"{commit}:{path}"))["values"] != stored["values"]:
            break
        found.append(commit)
    if not found:
        raise InvalidInput(f"{path} was measured after the last commit; commit it first")
    return found


def git(*arguments: str) -> bytes:
    """What git answers in this repository. Raises: InvalidInput with its own line where it refuses, or is missing."""
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True)
    except OSError as error:
        raise InvalidInput(f"git cannot be started ({error.strerror}); a version to compare with needs it") from error
    if done.returncode:
        raise InvalidInput(
            f"git {' '.join(arguments[:2])}: {(done.stderr.decode().strip().splitlines() or ['failed'])[0]}"
        )
    return done.stdout


def shortened(value: Any) -> str:
    """A value in at most 60 characters."""
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def count(value: Any) -> int:
    """Numbers, truths and texts in it."""
    if isinstance(value, Mapping):
        return sum(count(each) for each in value.values())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return sum(count(each) for each in value)
    return 1
