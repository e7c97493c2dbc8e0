"""Cache of finished runs: one file each, whole or absent, named after the settings, the seed and the source."""

import dataclasses
import hashlib
import io
import json
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config import Config
from ..runs import versions
from ..storage import atomic_write
from .source import PACKAGE, code_of_file, describe

# Of the modules at the package's top: those that no number of a run comes from.
NOT_TRAINING = {
    "__init__.py", "__main__.py", "course_files.py", "doctor.py", "registration.py", "render.py", "runs.py",
    "statistics.py", "storage.py",
}  # fmt: skip


@dataclass(frozen=True)
class Run:
    """What a study keeps of one training run: arrays only, no networks."""

    seed: int
    episodes: NDArray[Any]  # fields env_step, wall_time [s], episodic_return, length
    metrics: dict[str, NDArray[np.float64]]
    # Returns [100] of the final policy's mode from held-out start states; empty in runs kept before it was measured.
    evaluation: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    # The final policy's `state_dict`; empty in runs kept before it was.
    policy: dict[str, NDArray[Any]] = field(default_factory=dict)
    batched: bool = False  # trained as one of a batch, and not alone


def run_path(folder: Path, name: str, seed: int, key: str) -> Path:
    """Where a run is kept. Characters of the name that a file's name may not hold become underscores."""
    plain = re.sub(r"[^\w.-]+", "_", name)
    return folder / f"{plain}-{seed}-{key}.npz"


def source_key(name: str, config: Config, seams: Mapping[str, Any], *, batched: bool = False) -> str:
    """Twelve hex digits for everything but the seed that a run follows from: settings, versions, and source.

    The source is that of the package's training code for this algorithm and of all that `seams` are made of and use.
    batched: whether the run is one of a batch, which rounds in another way than a run by itself.
    Raises: InvalidInput for what `seams` hold nested too deeply.
    """
    settings = dataclasses.asdict(config)
    settings.pop("seed")
    code = code_digest(config.algorithm)
    identity = [name, config.algorithm, settings, versions(), describe(dict(sorted(seams.items()))), code]
    if batched:
        identity.append("batched")
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:12]


@cache
def code_digest(algorithm: str) -> str:
    """Digest of the code that a run of this algorithm goes through, free of layout, comments and docstrings.

    It is read once a process: what is imported stays as it is while files change.
    """
    files = sorted(training_files(algorithm))
    texts = [f"{path.relative_to(PACKAGE).as_posix()}\n{code_of_file(path)}" for path in files]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def training_files(algorithm: str) -> set[Path]:
    """The package's files that a run of this algorithm goes through."""
    return {
        *(path for path in PACKAGE.glob("*.py") if path.name not in NOT_TRAINING),
        *PACKAGE.glob("envs/**/*.py"),
        *PACKAGE.glob("study/batched/**/*.py"),
        PACKAGE / "algorithms" / f"{algorithm}.py",
        PACKAGE / "study" / "jobs.py",
    }


def write_run(path: Path, run: Run) -> None:
    """Write a run so that whoever looks finds it whole or not at all."""
    arrays: dict[str, Any] = {"episodes": run.episodes, "evaluation": run.evaluation, "batched": np.array(run.batched)}
    arrays |= {f"metrics:{name}": numbers for name, numbers in run.metrics.items()}
    arrays |= {f"policy:{name}": weights for name, weights in run.policy.items()}
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    atomic_write(path, content.getvalue())


def read_run(path: Path, seed: int) -> Run | None:
    """The run that is kept at `path`; None where there is none, or where the disk has damaged it."""
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as data:
            arrays = {name: data[name] for name in data.files}
        evaluation = arrays.get("evaluation", np.zeros(0))
        batched = bool(arrays.get("batched", False))
        return Run(seed, arrays["episodes"], _part(arrays, "metrics:"), evaluation, _part(arrays, "policy:"), batched)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None


def _part(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
