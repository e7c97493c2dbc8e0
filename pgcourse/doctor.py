"""Looks over an installation: what works, and what to do where something does not.

The package's parts are imported by the look that needs them: the first lines come at once, and what cannot be imported is
itself a finding.
"""

import importlib.metadata
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

TESTED = {"torch": "2.13.0", "gymnasium": "1.4.0"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    works: bool
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        line = f"{'✓' if self.works else '✗'} {self.subject:14} {self.text}"
        return line if self.works else f"{line}\n  what to do:    {self.remedy}"


def examine() -> Iterator[Finding]:
    """Look at versions, environments, device, rendering, folders and JupyterLab, one after the other. Never raises."""
    looks: list[tuple[str, Callable[[], Finding], str]] = [
        ("Python", _python, "make .venv again with Python 3.11, 3.12 or 3.13: make clean, make setup"),
        ("torch", lambda: _package("torch"), "make setup"),
        ("gymnasium", lambda: _package("gymnasium"), "make setup"),
        ("environments", _environments, "make setup"),
        ("device", _device, "use --device cpu"),
        (
            "rendering",
            _rendering,
            "pip install --force-reinstall pygame, and uninstall pygame-ce if it is there",
        ),
        (
            "own folder",
            _own_folder,
            "set PGCOURSE_HOME to a folder you may write to",
        ),
        ("this folder", lambda: _writable("this folder", Path.cwd()), "start from a folder you may write to"),
        ("notebooks", _notebooks, "install pgcourse again: its lessons and exercises are missing"),
        ("JupyterLab", lambda: _package("jupyterlab"), "make setup"),
        ("notebook kernel", _kernel, "make setup"),
        ("grading", _grading, "only teachers need it: see docs/grading.md"),
    ]
    for subject, look, remedy in looks:
        try:
            finding = look()
        except Exception as error:  # a doctor reports what is broken, whatever it is
            finding = Finding(subject, False, f"{type(error).__name__}: {' '.join(str(error).split())[:120]}")
        yield Finding(finding.subject, finding.works, finding.text, finding.remedy or remedy)


def _grading() -> Finding:
    """Whether the walls around a submission stand, how many notebooks have a processor of their own, and how more share them."""
    if not hasattr(os, "fork"):
        return Finding(
            "grading", True, "not on this system: teachers grade on Linux, macOS, or Windows' Subsystem for Linux"
        )
    from .grading.quarantine import cgroups
    from .grading.quarantine.process import Limits, close_all, processors, zygote
    from .grading.quarantine.reading import READER

    with cgroups.run(jobs=1) as no_groups:
        why_not = zygote(READER, Limits()).facts["why_not"]
        close_all()
    shares = f"share by niceness alone (cgroups: {no_groups})" if no_groups else "have equal shares (cgroups)"
    jobs = f"a processor of its own for each of --jobs {processors()}; more {shares}"
    return Finding("grading", True, f"weaker isolation: {why_not}; {jobs}" if why_not else f"walls stand; {jobs}")


def _python() -> Finding:
    supported = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Finding("Python", supported, f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def _package(name: str) -> Finding:
    version = importlib.metadata.version(name)
    tested = TESTED.get(name)
    note = "" if tested is None or version.split("+")[0] == tested else f" (tested with {tested})"
    return Finding("JupyterLab" if name == "jupyterlab" else name, True, version + note)


def _environments() -> Finding:
    import torch

    from .envs import make_envs

    envs = make_envs("CartPole-v1", 2, seed=0)
    envs.step(torch.tensor([0, 1]))
    return Finding("environments", True, "CartPole-v1 steps")


def _device() -> Finding:
    import torch

    from .optim import CUDA_PAYS_FROM

    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    found = f"CUDA: {', '.join(names)}" if names else "no CUDA device; the course needs none"
    pays = (
        '; device="auto" is the CPU, since no measurement shows where CUDA pays yet'
        if CUDA_PAYS_FROM is None
        else f'; device="auto" takes CUDA from {CUDA_PAYS_FROM:,} environments'
    )
    return Finding("device", True, f"cpu, {torch.get_num_threads()} threads; {found}{pays if names else ''}")


def _rendering() -> Finding:
    from .render import record_frames

    frames = record_frames(None, "CartPole-v1", seed=0, max_steps=1)
    drawn = frames.images[0].min() < frames.images[0].max()
    return Finding("rendering", bool(drawn), "draws CartPole" if drawn else "the picture of CartPole is blank")


def _own_folder() -> Finding:
    from .checks import progress

    return _writable("own folder", progress.path().parent)


def _writable(subject: str, folder: Path) -> Finding:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        return Finding(subject, True, f"{_short(folder)} can be written")


def _notebooks() -> Finding:
    from .workfolder.handed_out import course_files

    count = sum(path.endswith(".ipynb") for path in course_files())
    return Finding("notebooks", True, f"{count} to hand out into your folder: pgcourse lab")


def _kernel() -> Finding:
    from jupyter_client.kernelspec import KernelSpecManager

    found = "python3" in KernelSpecManager().find_kernel_specs()
    return Finding("notebook kernel", found, "python3" if found else "python3 is missing")


def _short(folder: Path) -> str:
    """The folder without the name of the user's home."""
    home = Path.home()
    return f"~/{folder.relative_to(home)}".rstrip("/.") if folder.is_relative_to(home) else str(folder)
