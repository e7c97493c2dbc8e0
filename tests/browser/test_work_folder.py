"""From the wheel to the second day: an empty folder, `pgcourse lab`, the first exercise solved, and everything there again."""

import contextlib
import hashlib
import os
import secrets
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import IDLE, Lab, _free_port, _wait_for, run_all

pytestmark = pytest.mark.slow

ANSWER = """def categorical_log_prob(logits, action):
    return logits.log_softmax(dim=-1).gather(-1, action.unsqueeze(-1)).squeeze(-1)"""
CURRENT = "window.jupyterapp.shell.currentWidget"
# What the cell with this id shows, as text.
OUTPUT = """id => {
    const cell = [...window.jupyterapp.shell.currentWidget.content.model.cells].find(cell => cell.id === id);
    return cell ? JSON.stringify(cell.outputs.toJSON()) : "";  // none while the notebook is read
}"""
SET = """([id, source]) => {
    const cell = [...window.jupyterapp.shell.currentWidget.content.model.cells].find(cell => cell.id === id);
    cell.sharedModel.setSource(source);
}"""
SOURCE = """id => [...window.jupyterapp.shell.currentWidget.content.model.cells]
    .find(cell => cell.id === id).sharedModel.getSource()"""


@contextlib.contextmanager
def served(site: Path, base: Path) -> Iterator[Lab]:
    """`pgcourse lab` of the installed wheel in the folder `base`, with Jupyter's own folders kept out of the user's."""
    server = Lab(base / "pgcourse-work", base / "progress", _free_port(), secrets.token_hex(16))
    environment = {key: value for key, value in os.environ.items() if key != "MPLBACKEND"}
    environment |= {"PYTHONPATH": str(site), "PGCOURSE_HOME": str(server.home), "IPYTHONDIR": str(base / "ipython")}
    environment |= {f"JUPYTER_{name}_DIR": str(base / name.lower()) for name in ("CONFIG", "RUNTIME", "DATA")}
    environment |= {f"JUPYTERLAB_{name}_DIR": str(base / name.lower()) for name in ("SETTINGS", "WORKSPACES")}
    log = base / "lab.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [
                site / "bin" / "pgcourse", "lab", "--no-browser", f"--port={server.port}", "--ServerApp.port_retries=0",
                f"--IdentityProvider.token={server.token}", "--LabApp.expose_app_in_browser=True",
            ],
            cwd=base, env=environment, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        _wait_for(server, process, log)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)  # to this one alone: it has to end its server
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            pytest.fail("the lab did not end with its server")


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def open_home(chromium: Any, server: Lab) -> tuple[Any, list[str]]:
    """The address that the terminal shows leads to the home page."""
    page = chromium.new_page(viewport={"width": 1440, "height": 2400})
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"http://127.0.0.1:{server.port}/?token={server.token}")
    page.wait_for_selector(".pg-home", timeout=120_000)
    page.wait_for_function(IDLE, timeout=120_000)
    return page, errors


def open_exercises(page: Any) -> None:
    page.get_by_role("link", name="Exercises of unit 00").click()
    page.wait_for_function(f"() => {CURRENT}.context?.path === 'exercises/00_welcome.ipynb'", timeout=60_000)
    page.wait_for_function(IDLE, timeout=120_000)


def save(page: Any) -> None:
    page.evaluate(f"() => {CURRENT}.context.save()")


def test_the_wheel_in_an_empty_folder_is_the_whole_course_and_keeps_what_was_done(
    installed_wheel: Path, tmp_path: Path, chromium: Any
) -> None:
    own = installed_wheel / "pgcourse" / "_course"
    before = digests(own)
    with served(installed_wheel, tmp_path) as server:
        said = (tmp_path / "lab.log").read_text().splitlines()
        assert said[0] == f"Your folder: {server.folder}"
        page, errors = open_home(chromium, server)
        assert page.evaluate(f"() => {CURRENT}.context.path") == "Home.ipynb"
        assert page.locator(".pg-home progress").count() == 11
        assert page.locator(".pg-home-unit", has_text="0 of 3 exercises solved").count() == 1
        # The look of the course is there before any cell has run, without Jupyter's question and nbgrader's panels.
        assert page.evaluate("() => getComputedStyle(document.body).getPropertyValue('--pg-accent')").strip()
        assert page.locator(".jp-Dialog").count() == 0
        assert page.locator(".Toastify__toast", has_text="news").count() == 0
        assert page.get_by_text("Create Assignment").count() == page.get_by_text("Validate").count() == 0
        assert page.locator("[data-id='extensionmanager.main-view']").count() == 0

        open_exercises(page)
        page.evaluate(SET, ["categorical_log_prob", ANSWER])
        assert run_all(page)
        assert "categorical_log_prob: correct" in page.evaluate(OUTPUT, "check-categorical_log_prob")
        assert "not attempted" in page.evaluate(OUTPUT, "check-bandit_step")
        save(page)
        page.evaluate("() => void window.jupyterapp.commands.execute('docmanager:open', {path: 'Home.ipynb'})")
        page.wait_for_function(f"() => {CURRENT}.context?.path === 'Home.ipynb'")
        assert run_all(page)
        page.wait_for_selector(".pg-home-unit:has-text('1 of 3 exercises solved')")
        assert page.locator(".pg-home-go").inner_text().startswith("00 Welcome: acting and scoring: the exercises")
        save(page)
        assert errors == []
        page.close()
    with served(installed_wheel, tmp_path) as server:
        page, errors = open_home(chromium, server)
        assert page.locator(".pg-home-unit", has_text="1 of 3 exercises solved").count() == 1
        open_exercises(page)
        page.wait_for_function(
            f"([id, words]) => ({OUTPUT})(id).includes(words)",
            arg=["check-categorical_log_prob", "categorical_log_prob: correct"],
            timeout=60_000,
        )
        assert page.evaluate(SOURCE, "categorical_log_prob") == ANSWER
        page.wait_for_timeout(1000)
        assert page.locator(".jp-OutputArea-output", has_text="Error").count() == 0
        assert errors == []
        page.close()
    assert digests(own) == before
