"""pyproject.toml, constraints.txt, environment.yml and what is installed say the same."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tools import lock

PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[0-9][0-9a-z.]*) +# via (?P<via>.+)")
# What setup.sh and environment.yml install; the other extras are the learner's choice.
EXTRAS_INSTALLED = "dev,tensorboard,dask"
Pins = dict[str, tuple[Version, list[str]]]
Installed = dict[str, metadata.Distribution]


@pytest.fixture(scope="module")
def pins(repository: Path) -> Pins:
    """Return name -> (version, who asks for it) of constraints.txt."""
    lines = (repository / "constraints.txt").read_text().splitlines()
    found = {}
    for line in lines:
        if not line.startswith("#"):
            match = PIN.fullmatch(line)
            # Names and versions only: no URL, no hash, no local build such as +cpu.
            assert match, line
            found[match["name"]] = Version(match["version"]), match["via"].split(", ")
    return found


@pytest.fixture(scope="module")
def installed() -> Installed:
    return lock.installed_distributions()


def asked() -> list[tuple[str, Requirement]]:
    return [(group, item) for group, requirements in lock.roots().items() for item in requirements]


@pytest.mark.parametrize(("group", "requirement"), asked(), ids=[f"{group}-{item.name}" for group, item in asked()])
def test_every_dependency_is_pinned_within_its_range(pins: Pins, group: str, requirement: Requirement) -> None:
    version, via = pins[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version)
    assert group in via
    assert requirement.specifier, "say at least which version is the oldest"


def test_every_pin_is_reachable_from_pyproject(pins: Pins) -> None:
    reached = set(lock.roots())
    while more := {name for name, (_, via) in pins.items() if name not in reached and reached & set(via)}:
        reached |= more
    assert set(pins) - reached == set()


def test_who_asks_for_a_pin_is_what_the_packages_say(pins: Pins, installed: Installed) -> None:
    wrong = []
    for name, (_, via) in pins.items():
        for parent in set(via) & set(installed):
            needs = [Requirement(text) for text in installed[parent].requires or []]
            if name not in {canonicalize_name(item.name) for item in needs}:
                wrong.append(f"{parent} does not ask for {name}")
    assert wrong == []


def test_everything_that_installed_packages_need_is_pinned_for_every_target(pins: Pins, installed: Installed) -> None:
    """Walk the tree with the markers of nine targets, through whatever is installed here."""
    wrong = set()
    for target, environment in lock.target_environments().items():
        extras: dict[str, set[str]] = {}
        todo = [item for _, item in asked() if item.marker is None or item.marker.evaluate(environment)]
        while todo:
            requirement = todo.pop()
            name = canonicalize_name(requirement.name)
            if lock.PINNED_BY_TORCH.match(name) or (name in extras and requirement.extras <= extras[name]):
                continue
            extras[name] = extras.get(name, set()) | requirement.extras
            if name not in pins:
                wrong.add(f"{target}: {requirement} is not pinned")
            elif not requirement.specifier.contains(pins[name][0]):
                wrong.add(f"{target}: {requirement} excludes the pin {pins[name][0]}")
            if name in installed:
                needs = [Requirement(text) for text in installed[name].requires or []]
                todo += lock.active(needs, environment, extras[name])
    assert wrong == set()


def test_installed_versions_are_the_pinned_ones(pins: Pins, installed: Installed) -> None:
    """The public version counts: PyTorch's CPU build calls itself 2.13.0+cpu."""
    here = {name: Version(item.version).public for name, item in installed.items() if name in pins}
    assert {name: version for name, version in here.items() if version != str(pins[name][0])} == {}
    assert len(here) > 100


def test_one_gym_drawing_library(pins: Pins) -> None:
    """pygame and pygame-ce install over each other, and Gymnasium's extras ask for the second."""
    assert "pygame" in pins and "pygame-ce" not in pins


def test_every_supported_python_is_named_everywhere(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    allowed = Requirement(f"x{project['requires-python']}").specifier
    minors = [f"3.{minor}" for minor in range(20) if allowed.contains(f"3.{minor}.1")]
    assert minors == list(lock.PYTHONS)
    classifiers = [text.rsplit(" ", 1)[1] for text in project["classifiers"] if "Python :: 3." in text]
    assert classifiers == minors
    script = (repository / "tools" / "setup.sh").read_text()
    assert " | ".join(f"{minor}.*" for minor in minors) in script
    for minor in minors:
        assert f"python{minor} " in script


def test_conda_and_make_setup_install_the_same(repository: Path) -> None:
    environment = yaml.safe_load((repository / "environment.yml").read_text())
    *conda, through_pip = environment["dependencies"]
    assert conda == ["python=3.12", "pip"]
    assert "-c constraints.txt" in through_pip["pip"]
    assert f"-e .[{EXTRAS_INSTALLED}]" in through_pip["pip"]
    assert f"extras={EXTRAS_INSTALLED}\n" in (repository / "tools" / "setup.sh").read_text()
