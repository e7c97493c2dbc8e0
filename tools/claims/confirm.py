"""Show that a claims file's figures are those of today's code: repeat the runs of its first seed, and compare all.

A file of runs made one by one is confirmed by its first seed, in every variant and to its end. Runs of one batch are
repeated with all seeds, since how a row is rounded may depend on how many there are.
"""

import importlib
import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pgcourse.study.claims import machine

from .code import code_behind, read
from .runs import BATCHED, ONE_BY_ONE, made

# Said of the whole study, whatever the number of seeds. The rest is one entry a seed, or follows from the values.
OF_ALL = ("description", "configs", "settings", "families", "thresholds")
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
    again = json.loads(json.dumps(again))  # as a file holds it
    found = Comparison()
    told = ("command", "versions", "machine", "runs", "code", "confirmed", "figures")
    for part in found.keys("", {key: stored[key] for key in stored if key not in told}, again):
        if part in OF_ALL:
            found.same(part, stored[part], again[part])
        elif part in ("values", "curves", "prefixes"):
            for name in found.keys(part, stored[part], again[part]):
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


def repeat(name: str, stored: Mapping[str, Any], *, num_workers: int = 1) -> tuple[Comparison, dict[str, Any]]:
    """Measure a study again, as far as it takes to confirm its file. Returns: the comparison; what the file says of it."""
    how = stored.get("runs", ONE_BY_ONE)
    study = importlib.import_module(f"tools.claims.{name}").study
    num_seeds = None if how == BATCHED else 1
    given = {"given": stored} if "given" in inspect.signature(study).parameters else {}
    with made(how):
        again = study(num_workers=num_workers, num_seeds=num_seeds, **given)
    found = compared(stored, again)
    return found, {"seeds": again["seeds"], "variants": len(stored["configs"]), "equal_numbers": found.numbers}


def confirm(name: str, *, num_workers: int = 1) -> tuple[dict[str, Any], list[str]]:
    """Returns: the file's content with today's code and versions in it; what differs, in which case it is not to be written."""
    stored = read(name)
    found, told = repeat(name, stored, num_workers=num_workers)
    stored = {key: stored[key] for key in stored if key not in ("runs", "code", "confirmed")}
    how = read(name).get("runs", ONE_BY_ONE)
    stored["versions"] = machine()["versions"]
    head = ("description", "command", "versions", "machine")
    content = {key: stored.pop(key) for key in head}
    content |= {"runs": how, "code": code_behind(name, how), "confirmed": told}
    return content | stored, found.differences


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
