"""JupyterLab for one work folder: settings for this server alone, and the course's stylesheet from the start.

Nothing is written to the learner's own Jupyter folders, and their settings and theme stay in force: what stands here is a
folder of configuration that only the started server reads, through JUPYTER_CONFIG_PATH.

As the command of a JupyterHub, `c.Spawner.cmd = ["pgcourse", "lab"]`, it becomes the server of one user, with the same
settings.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from ..errors import InvalidInput

EXTENSION = "pgcourse-style"
HUB = "JUPYTERHUB_SERVICE_URL"  # set by a JupyterHub for the servers that it starts: where to listen
# JupyterLab's question about news, its manager of extensions, and what nbgrader shows to teachers and in courses of its own.
DISABLED = (
    "@jupyterlab/apputils-extension:announcements",
    "@jupyterlab/extensionmanager-extension",
    "@jupyter/nbgrader",
)
NBGRADER = ("formgrader", "validate_assignment", "assignment_list", "course_list")
OVERRIDES = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}


def configuration(folder: Path, stylesheet: str) -> None:
    """Write the configuration and the extension that brings the stylesheet. What an earlier one left is written anew."""
    extension = folder / "extensions" / EXTENSION
    build = {"load": "static/style_extension.js", "extension": "./extension"}
    files: dict[Path, Any] = {
        folder / "labconfig" / "page_config.json": {"disabledExtensions": dict.fromkeys(DISABLED, True)},
        folder / "labconfig" / "default_setting_overrides.json": OVERRIDES,
        folder / "jupyter_server_config.d" / "pgcourse.json": {
            "ServerApp": {"jpserver_extensions": {f"nbgrader.server_extensions.{name}": False for name in NBGRADER}}
        },
        extension / "package.json": {"name": EXTENSION, "version": "0.0.0", "jupyterlab": {"_build": build}},
    }
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
    (extension / "static").mkdir(exist_ok=True)
    shutil.copy(Path(__file__).with_name("style_extension.js"), extension / "static")
    (extension / "static" / "style.css").write_text(stylesheet, encoding="utf-8")


def serve(folder: Path, start: str, options: Sequence[str], stylesheet: str) -> int:
    """Run JupyterLab on the folder, reachable from this machine only, until it is stopped.

    Args: start: the file to open first. options: more for JupyterLab; they win. Returns: its exit status.
    """
    with tempfile.TemporaryDirectory(prefix="pgcourse-lab-") as temporary:
        configuration(Path(temporary), stylesheet)
        path = os.pathsep.join(filter(None, [temporary, os.environ.get("JUPYTER_CONFIG_PATH")]))
        command = [
            sys.executable,
            "-m",
            "jupyterlab",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.root_dir={folder}",
            f"--LabApp.default_url=/lab/tree/{start}",
            f"--LabApp.extra_labextensions_path={Path(temporary) / 'extensions'}",
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:  # JupyterLab refuses unless told; containers often are root
            command.append("--allow-root")
        server = subprocess.Popen([*command, *options], env=os.environ | {"JUPYTER_CONFIG_PATH": path})
        # Ctrl-C reaches the server too, which asks before it stops; whoever ends this process ends the server.
        before = (
            signal.signal(signal.SIGINT, signal.SIG_IGN),
            signal.signal(signal.SIGTERM, lambda *_: server.terminate()),
        )
        try:
            return server.wait()
        finally:
            signal.signal(signal.SIGINT, before[0])
            signal.signal(signal.SIGTERM, before[1])


def become_hub_server(folder: Path, start: str, options: Sequence[str], stylesheet: str, kept: Path) -> NoReturn:
    """Go on as the server that a JupyterHub waits for; the hub says where it listens, and who may enter.

    This process is replaced. The hub's signals reach the server itself, and torch, which the home page has loaded, does
    not stay in memory for as long as the server runs.

    Args: as `serve`. kept: a folder of the learner's for the configuration; nobody is left to remove a temporary one.
    Raises: InvalidInput in a terminal of such a server, where there is nothing to start.
    """
    before = os.environ.get("JUPYTER_CONFIG_PATH", "")
    if str(kept) in before.split(os.pathsep):
        raise InvalidInput("the hub's server shows the course already; open Home.ipynb in its list of files")
    root = Path(os.environ.get("JUPYTERHUB_ROOT_DIR") or folder).expanduser().resolve()  # the hub's notebook_dir
    if folder.is_relative_to(root):
        start = (folder / start).relative_to(root).as_posix()
    else:
        root = folder
    configuration(kept, stylesheet)
    command = [
        sys.executable,
        "-m",
        "jupyterhub.singleuser",
        f"--ServerApp.root_dir={root}",
        f"--LabApp.extra_labextensions_path={kept / 'extensions'}",
    ]
    told = {
        "JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, [str(kept), before])),
        # Not LabApp.default_url, which the hub's server does not read; a default_url of the hub's own stands.
        "JUPYTERHUB_DEFAULT_URL": os.environ.get("JUPYTERHUB_DEFAULT_URL") or f"/lab/tree/{start}",
    }
    os.execve(sys.executable, [*command, *options], os.environ | told)
