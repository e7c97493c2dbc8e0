"""Trust in notebooks, as `jupyter trust` gives it: a signature in the learner's own database.

JupyterLab shows the scripts of an output only where the notebook is trusted. What the course hands out is trusted as long
as it is byte for byte the installed course's; what came from elsewhere is not.
"""

import contextlib
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbformat.sign import NotebookNotary

from .handed_out import course_files


def trust_unchanged(folder: Path, files: Mapping[str, bytes] | None = None) -> None:
    """Trust each notebook of the folder that is byte for byte the course's own. files: default the installed course's."""
    for path, content in (course_files() if files is None else files).items():
        with contextlib.suppress(OSError):
            if path.endswith(".ipynb") and (folder / path).read_bytes() == content:
                trust(nbformat.reads(content.decode("utf-8"), as_version=4))


def trust(notebook: nbformat.NotebookNode) -> None:
    """Sign it. Where the database cannot be written the notebook stays untrusted: its outputs then show their pictures."""
    with contextlib.suppress(Exception):
        NotebookNotary().sign(notebook)


def is_trusted(notebook: nbformat.NotebookNode) -> bool:
    """Whether the learner's database has its signature."""
    with contextlib.suppress(Exception):
        return bool(NotebookNotary().check_signature(notebook))
    return False
