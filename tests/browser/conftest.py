"""A JupyterLab server of its own and a headless Chromium, for tests that need the real page."""

import contextlib
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

START_SECONDS = 300
IDLE = """() => {
    const current = window.jupyterapp?.shell?.currentWidget;
    return current?.context?.isReady && current.context.sessionContext?.session?.kernel?.status === "idle";
}"""
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab. `folder` is what it shows."""

    folder: Path
    home: Path  # of the learner's progress
    port: int
    token: str

    def url(self, notebook: str) -> str:
        """Address of a notebook, in a workspace that begins empty."""
        return f"http://127.0.0.1:{self.port}/lab/tree/{notebook}?token={self.token}&reset"


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Start JupyterLab with settings of its own, and end it with all its kernels."""
    base = tmp_path_factory.mktemp("lab")
    folder, home = base / "notebooks", base / "pgcourse"
    folder.mkdir()
    server = Lab(folder, home, _free_port(), secrets.token_hex(16))
    environment = {
        **os.environ,
        "PGCOURSE_HOME": str(home),
        "SDL_VIDEODRIVER": "dummy",
        "OMP_NUM_THREADS": "1",
    }
    environment.pop("MPLBACKEND", None)
    folders = ("CONFIG_DIR", "RUNTIME_DIR", "DATA_DIR")
    environment |= {f"JUPYTER_{name}": str(base / name.lower()) for name in folders}
    environment |= {f"JUPYTERLAB_{name}_DIR": str(base / name.lower()) for name in ("SETTINGS", "WORKSPACES")}
    environment["IPYTHONDIR"] = str(base / "ipython")
    # Its question about news would stand in front of the page.
    settings = base / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"fetchNews": "false", "checkForUpdates": false}')
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--ServerApp.port={server.port}",
        "--ServerApp.port_retries=0", "--ServerApp.ip=127.0.0.1", f"--IdentityProvider.token={server.token}",
        f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True",
        "--JupyterNotebookApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly",
    ]  # fmt: skip
    log = base / "lab.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        _wait_for(server, process, log)
        yield server
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The system's Chromium, headless. Without one the tests are skipped, except where CI promises one.

    One a module and not one a session: as long as it is open, playwright keeps an event loop running in this thread,
    and no other test could start one.
    """
    from playwright.sync_api import sync_playwright

    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if path is None:
        reason = "no Chromium on this machine: install it (Debian: apt-get install chromium)"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture
def open_file(
    lab: Lab, chromium: Any, request: pytest.FixtureRequest, repository: Path
) -> Iterator[Callable[..., tuple[Any, list[str]]]]:
    """A function that opens a notebook of the lab's folder and waits for its kernel.

    Gives the page, and a list that grows with what goes wrong in it. A test that fails leaves pictures of its pages in
    build/browser; at the end of the test the kernels are ended.
    """
    pages: list[Any] = []

    def open_page(name: str, *, width: int = 1280, height: int = 2400) -> tuple[Any, list[str]]:
        # The viewport is tall because JupyterLab does not draw cells that are out of view.
        page = chromium.new_page(viewport={"width": width, "height": height})
        pages.append(page)
        errors: list[str] = []
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(lab.url(name))
        page.wait_for_function(IDLE, timeout=START_SECONDS * 1000)
        return page, errors

    yield open_page
    failed = getattr(request.node, "failed", False)
    for number, page in enumerate(pages):
        if failed:
            name = re.sub(r"[^\w.-]+", "_", request.node.name)
            page.screenshot(path=repository / "build" / "browser" / f"{name}-{number}.png")
        page.evaluate("() => window.jupyterapp.shell.currentWidget?.context?.sessionContext?.shutdown()")
        page.close()


@pytest.fixture
def open_notebook(lab: Lab, open_file: Callable[..., tuple[Any, list[str]]]) -> Callable[..., Any]:
    """A function that writes a notebook of code cells, opens it and waits for its kernel. Gives the page."""

    def open_cells(name: str, cells: list[str], **size: int) -> Any:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
        notebook.metadata["kernelspec"] = {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
        nbformat.write(notebook, lab.folder / name)
        page, page.errors = open_file(name, **size)
        return page

    return open_cells


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Iterator[None]:
    """Let a fixture see whether its test has failed."""
    report = yield
    item.failed = getattr(item, "failed", False) or report.failed  # type: ignore[attr-defined]
    return report


def run_all(page: Any, *, seconds: float = 240) -> bool:
    """Run all cells; True when none raised. Args: seconds: at most."""
    run = "window.jupyterapp.commands.execute('notebook:run-all-cells')"
    late = (
        f"new Promise((_, refuse) => setTimeout(() => refuse(new Error('not done in {seconds} s')), {1000 * seconds}))"
    )
    return bool(page.evaluate(f"() => Promise.race([{run}, {late}])"))


def ask_kernel(page: Any, code: str) -> str:
    """What a line of code prints in the page's kernel."""
    return str(
        page.evaluate(
            """async code => {
                const kernel = window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel;
                const future = kernel.requestExecute({code});
                let printed = "";
                future.onIOPub = message => {
                    if (message.header.msg_type === "stream") printed += message.content.text;
                    if (message.header.msg_type === "error") printed += message.content.evalue;
                };
                await future.done;
                return printed;
            }""",
            code,
        )
    ).strip()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(server: Lab, process: subprocess.Popen[bytes], log: Path) -> None:
    address = f"http://127.0.0.1:{server.port}/api/status?token={server.token}"
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5):
            return
        time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start within {START_SECONDS} s:\n{log.read_text()[-3000:]}")
