"""Where the course's own files lie: beside the package in a checkout, inside it when installed from a wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def course_folder(name: str) -> Path:
    """The folder of the course's `claims`, `course` (text of the exercises), `notebooks`, `exercises` or `docs`.

    It need not exist: an installation can be incomplete, and whoever reads it says what is missing.
    """
    carried = _PACKAGE / "_course"
    return (carried if carried.is_dir() else _PACKAGE.parent) / name
