"""Write constraints.txt: one version of every package for every supported Python and system.

    .venv/bin/python -m tools.lock            keep the versions of constraints.txt, add and drop what changed
    .venv/bin/python -m tools.lock --upgrade  take the versions installed in this environment instead

To move to newer releases: `.venv/bin/python -m pip install --upgrade NAME`, run the tests, then `--upgrade`
here. pip's own `--platform` chooses wheels but evaluates markers for the running interpreter, so the tree is
walked here, with the markers of each target, and pip is asked only whether each has a wheel of that version.
"3.11" means 3.11.0 to pip, so a package that needs a later patch release than some system has is refused.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import sysconfig
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.11", "3.12", "3.13")
# System -> (values of these markers, tags of the wheels that it takes).
MARKERS = ("sys_platform", "platform_system", "os_name", "platform_machine")
GLIBC = [f"manylinux_2_{minor}_x86_64" for minor in (28, 27, 17, 5)]
SYSTEMS = {
    "Linux": (("linux", "Linux", "posix", "x86_64"), [*GLIBC, "manylinux2014_x86_64", "manylinux1_x86_64"]),
    "macOS": (("darwin", "Darwin", "posix", "arm64"), ["macosx_14_0_arm64"]),
    "Windows": (("win32", "Windows", "nt", "AMD64"), ["win_amd64"]),
}
# PyTorch pins its CUDA libraries itself, exactly, and only on Linux.
PINNED_BY_TORCH = re.compile(r"(nvidia|cuda)-|triton$")
HEADER = """\
# The tested version of every package that the course can install, all extras included, for Python 3.11, 3.12
# and 3.13 on Linux, macOS and Windows. Written by `python -m tools.lock`. "via" says who asks for a package;
# "pgcourse" is pyproject.toml, with the extra in brackets; "build" builds the course's own package.
# PyTorch pins its CUDA libraries itself: they are not listed.
"""


def target_environments() -> dict[str, dict[str, str]]:
    """Return the marker environment of every target, named like "3.12 macOS"."""
    environments = {}
    for python in PYTHONS:
        for system, (values, _) in SYSTEMS.items():
            environment: dict[str, str] = dict(default_environment())
            environment |= dict(zip(MARKERS, values, strict=True))
            environment |= {"python_version": python, "python_full_version": f"{python}.1"}
            environment |= {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
            environments[f"{python} {system}"] = environment
    return environments


def roots() -> dict[str, list[Requirement]]:
    """Return what pyproject.toml asks for: "pgcourse", "pgcourse[EXTRA]" and "build" -> requirements."""
    with open(ROOT / "pyproject.toml", "rb") as file:
        project = tomllib.load(file)
    wanted = {"pgcourse": project["project"]["dependencies"], "build": project["build-system"]["requires"]}
    for extra, requirements in project["project"]["optional-dependencies"].items():
        wanted[f"pgcourse[{extra}]"] = requirements
    return {name: [Requirement(text) for text in requirements] for name, requirements in wanted.items()}


def active(requirements: list[Requirement], environment: dict[str, str], extras: set[str]) -> list[Requirement]:
    """Return the requirements whose marker holds in `environment` with any of `extras` (or with none)."""
    return [
        requirement
        for requirement in requirements
        if requirement.marker is None
        or any(requirement.marker.evaluate({**environment, "extra": extra}) for extra in extras | {""})
    ]


def ask_pip(requirements: list[str], python: str, system: str) -> dict[str, dict]:
    """Return name -> metadata of `requirements` for one target. Raises: SystemExit for a missing wheel."""
    tags = [word for tag in SYSTEMS[system][1] for word in ("--platform", tag)]
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--dry-run",
        "--ignore-installed",
        "--no-deps",
        "--quiet",
    ]
    command += ["--only-binary=:all:", "--python-version", python, "--implementation", "cp", *tags]
    command += ["--target", "unused", "--report", "-", *requirements]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise SystemExit(f"tools.lock: Python {python} on {system}: " + " ".join(errors))
    found = [entry["metadata"] for entry in json.loads(done.stdout)["install"]]
    return {canonicalize_name(entry["name"]): entry for entry in found}


def read_pins() -> dict[str, str]:
    """Return name -> version of constraints.txt as it is now; empty where there is none."""
    path = ROOT / "constraints.txt"
    lines = path.read_text().splitlines() if path.exists() else []
    pins = (line.split("#")[0].strip().split("==") for line in lines)
    return {canonicalize_name(pin[0]): pin[1] for pin in pins if len(pin) == 2}


def installed_distributions() -> dict[str, metadata.Distribution]:
    """Return name -> distribution of this environment alone.

    setuptools, once imported, adds its own copies of other packages to sys.path: they do not count.
    """
    folders = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    return {canonicalize_name(item.name): item for item in metadata.distributions(path=folders)}


def walk(target: str, environment: dict[str, str], pins: dict[str, str], via: dict[str, set[str]]) -> None:
    """Add to `pins` and `via` everything that one target needs, following requirements to the leaves."""
    python, system = target.split()
    known: dict[str, dict] = {}
    extras: dict[str, set[str]] = {}
    ranges: dict[str, SpecifierSet] = {}
    todo = [(parent, item) for parent, items in roots().items() for item in active(items, environment, set())]
    while todo:
        waiting = []
        for parent, requirement in todo:
            name = canonicalize_name(requirement.name)
            if PINNED_BY_TORCH.match(name):
                continue
            via.setdefault(name, set()).add(parent)
            ranges[name] = ranges.get(name, SpecifierSet()) & requirement.specifier
            if name not in extras or not requirement.extras <= extras[name]:
                extras[name] = extras.get(name, set()) | requirement.extras
                waiting.append(name)
        missing = sorted({name for name in waiting if name not in known})
        if missing:
            asked = [f"{name}=={pins[name]}" if name in pins else f"{name}{ranges[name]}" for name in missing]
            known.update(ask_pip(asked, python, system))
        for name in missing:
            # A local build ("2.13.0+cpu") is the same release.
            pins.setdefault(name, known[name]["version"].split("+")[0])
        todo = []
        for name in set(waiting):
            needs = [Requirement(text) for text in known[name].get("requires_dist", [])]
            todo += [(name, requirement) for requirement in active(needs, environment, extras[name])]
    for name, allowed in ranges.items():
        if not allowed.contains(pins[name]):
            raise SystemExit(f"tools.lock: {target}: {name}=={pins[name]} is not within {allowed}; delete its line")
    print(f"{target}: {len(known)} packages, each with a wheel", flush=True)


def main() -> None:
    """Walk every target's tree, then write constraints.txt."""
    parser = argparse.ArgumentParser(prog="python -m tools.lock", description=__doc__.splitlines()[0])
    parser.add_argument("--upgrade", action="store_true", help="take the versions installed here")
    pins = read_pins()
    if parser.parse_args().upgrade:
        pins |= {name: item.version.split("+")[0] for name, item in installed_distributions().items()}
    via: dict[str, set[str]] = {}
    for target, environment in target_environments().items():
        walk(target, environment, pins, via)
    width = max(len(f"{name}=={pins[name]}") for name in via)
    lines = [f"{f'{name}=={pins[name]}':{width}}  # via {', '.join(sorted(via[name]))}" for name in sorted(via)]
    (ROOT / "constraints.txt").write_text(HEADER + "\n".join(lines) + "\n")
    print(f"constraints.txt: {len(lines)} packages")


if __name__ == "__main__":
    main()
