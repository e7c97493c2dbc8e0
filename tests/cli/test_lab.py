"""`pgcourse lab` and `pgcourse update`: which folder, what is said, and what JupyterLab is started with."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest

from pgcourse.cli import main
from pgcourse.workfolder import HOME, MANIFEST, jupyterlab
from pgcourse.workfolder.trust import is_trusted


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    folder = tmp_path / "a folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What JupyterLab would have been started with."""
    calls: list[Any] = []

    def serve(folder: Path, start: str, options: Sequence[str], stylesheet: str) -> int:
        calls.append((folder, start, list(options), stylesheet))
        return 7

    monkeypatch.setattr(jupyterlab, "serve", serve)
    return calls


def test_lab_makes_the_folder_with_a_trusted_home_page_and_says_how_to_come_back(
    own_folder: Path, served: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lab", "--no-browser"]) == 7
    folder = own_folder / "pgcourse-work"
    ((given, start, options, stylesheet),) = served
    assert (given, start, options) == (folder, HOME, ["--no-browser"])
    assert ".pg-card" in stylesheet
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[0] == f"Your folder: {folder}" and lines[1].endswith(f"To come back: pgcourse lab (in {own_folder})")
    assert (folder / "exercises/00_welcome.ipynb").exists()
    home = nbformat.read(folder / HOME, as_version=4)
    nbformat.validate(home)
    assert is_trusted(home) and is_trusted(nbformat.read(folder / "notebooks/08_trpo.ipynb", as_version=4))


def test_another_folder_comes_first_and_an_update_is_said_and_made(
    own_folder: Path, served: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lab", "mine", "--port", "8899"]) == 7
    assert served[0][0] == own_folder / "mine" and served[0][2] == ["--port", "8899"]
    record = json.loads((own_folder / "mine" / MANIFEST).read_text())
    record["files"]["docs/symbols.md"]["digest"] = "0"
    (own_folder / "mine" / MANIFEST).write_text(json.dumps(record | {"version": "0.0.9"}))
    capsys.readouterr()
    main(["lab", "mine"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and lines[2].endswith("yours: 0.0.9). Keep every answer: pgcourse update mine")
    assert main(["update", "mine"]) == 0
    main(["lab", "mine"])
    assert "newer course" not in capsys.readouterr().out
    assert main(["update", "mine"]) == 0
    assert capsys.readouterr().out.startswith("mine is up to date")


def test_the_checkout_s_own_folder_is_refused(
    repository: Path, served: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lab", str(repository)]) == 2
    assert "is the course itself" in capsys.readouterr().err
    assert served == []


def test_the_configuration_is_for_this_server_and_jupyter_reads_it(tmp_path: Path) -> None:
    jupyterlab.configuration(tmp_path, ".pg-card {}")
    code = f"""
        import json
        from jupyterlab_server.config import get_page_config
        from jupyterlab_server.settings_utils import _get_overrides
        from jupyter_server.extension.config import ExtensionConfigManager
        page = get_page_config([{str(tmp_path / "extensions")!r}])
        servers = ExtensionConfigManager(config_dir_name="jupyter_server_config").get_jpserver_extensions()
        print(json.dumps([page, _get_overrides("")[0], servers]))
    """
    environment = os.environ | {"JUPYTER_CONFIG_PATH": str(tmp_path), "JUPYTER_CONFIG_DIR": str(tmp_path / "own")}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], env=environment, capture_output=True, text=True, check=True
    )
    page, overrides, servers = json.loads(done.stdout.splitlines()[-1])
    assert set(jupyterlab.DISABLED) <= set(page["disabledExtensions"])
    assert [it["name"] for it in page["federated_extensions"]] == [jupyterlab.EXTENSION]
    assert overrides["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"
    assert [name for name, on in servers.items() if on and name.startswith("nbgrader")] == []
    static = tmp_path / "extensions" / jupyterlab.EXTENSION / "static"
    assert (static / "style.css").read_text() == ".pg-card {}" and (static / "style_extension.js").exists()
    assert not (tmp_path / "own").exists()


class Executed(Exception):
    """What this process would have become: program, arguments, environment."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """As a JupyterHub starts the command, with c.Spawner.notebook_dir = "~". Gives the student's home."""
    home = tmp_path / "student"
    home.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PGCOURSE_HOME", str(home / ".pgcourse"))
    monkeypatch.setenv("JUPYTERHUB_SERVICE_URL", "http://127.0.0.1:45678/user/ada/")
    monkeypatch.setenv("JUPYTERHUB_ROOT_DIR", "~")
    for name in ("JUPYTER_CONFIG_PATH", "JUPYTERHUB_DEFAULT_URL"):
        monkeypatch.delenv(name, raising=False)

    def execve(program: str, arguments: list[str], environment: dict[str, str]) -> None:
        raise Executed(program, arguments, environment)

    monkeypatch.setattr(jupyterlab.os, "execve", execve)
    return home


def test_under_a_hub_the_command_becomes_the_hub_s_server_with_the_course_s_settings(hub: Path) -> None:
    for _ in range(2):  # the second day finds its own configuration
        with pytest.raises(Executed) as became:
            main(["lab", "--KernelManager.transport=ipc"])
        program, arguments, environment = became.value.args
        assert program == arguments[0] == sys.executable
        assert arguments[1:3] == ["-m", "jupyterhub.singleuser"] and arguments[-1] == "--KernelManager.transport=ipc"
        # Address, port and who may enter are the hub's.
        assert not any("ServerApp.ip" in it or ".port=" in it or "token" in it for it in arguments)
        assert f"--ServerApp.root_dir={hub}" in arguments
        assert environment["JUPYTERHUB_DEFAULT_URL"] == "/lab/tree/pgcourse-work/Home.ipynb"
        kept = Path(environment["JUPYTER_CONFIG_PATH"])
        assert kept == hub / ".pgcourse/jupyterlab"
        static = kept / "extensions" / jupyterlab.EXTENSION / "static"
        assert ".pg-card" in (static / "style.css").read_text()
        assert f"--LabApp.extra_labextensions_path={kept / 'extensions'}" in arguments
        assert (hub / "pgcourse-work/exercises/00_welcome.ipynb").exists()


@pytest.mark.parametrize("root", ["", "/nowhere"])
def test_a_hub_without_a_folder_of_its_own_shows_the_work_folder_and_its_address_stands(
    hub: Path, monkeypatch: pytest.MonkeyPatch, root: str
) -> None:
    monkeypatch.setenv("JUPYTERHUB_ROOT_DIR", root)
    with pytest.raises(Executed) as became:
        main(["lab"])
    _, arguments, environment = became.value.args
    assert f"--ServerApp.root_dir={hub / 'pgcourse-work'}" in arguments
    assert environment["JUPYTERHUB_DEFAULT_URL"] == "/lab/tree/Home.ipynb"
    monkeypatch.setenv("JUPYTERHUB_DEFAULT_URL", "/lab/tree/syllabus.md")
    with pytest.raises(Executed) as became:
        main(["lab"])
    assert became.value.args[2]["JUPYTERHUB_DEFAULT_URL"] == "/lab/tree/syllabus.md"


def test_in_a_terminal_of_the_hub_s_server_there_is_nothing_to_start(
    hub: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(hub / ".pgcourse/jupyterlab"))
    assert main(["lab"]) == 2
    assert "the hub's server shows the course already" in capsys.readouterr().err
