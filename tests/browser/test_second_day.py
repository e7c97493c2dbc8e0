"""A widget on the second day: on every page that has lost it, its static form stands there, and never an error."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.sign import NotebookNotary

from .conftest import IDLE, Lab, ask_kernel, run_all

pytestmark = pytest.mark.slow

CELL = """
import ipywidgets
from pgcourse.show.page.widgets import show_widget
press = ipywidgets.Button(description="Press")
count = ipywidgets.HTML("pressed 0")
def pressed(_):
    count.value = "pressed 1"
press.on_click(pressed)
def static(word):
    return {"text/html": f"<figure>{word} picture</figure>", "text/plain": f"[Picture: {word}]"}
renew = show_widget(ipywidgets.VBox([press, count]), static("First"))
print("printed after it")
"""
SHOWN = """() => [...document.querySelectorAll(".jp-OutputArea-output")]
    .filter(output => output.checkVisibility())
    .map(output => (output.querySelector(".pg-still, .pg-wake") && !output.querySelector(".pg-still").checkVisibility()
        ? output.querySelector(".pg-wake") : output).innerText.replace(/\\s+/g, " ").trim())"""
ALIVE = ["Press pressed 0", "printed after it"]
STILL = ["Newer picture Run this cell to wake it.", "printed after it"]


def address(lab: Lab, front_end: str, name: str) -> str:
    return lab.url(name) if front_end == "JupyterLab" else lab.url(name).replace("/lab/tree/", "/notebooks/")


def opened(page: Any, address: str) -> None:
    page.goto(address)
    page.wait_for_function(IDLE, timeout=120_000)


def wait_for(page: Any, expected: list[str]) -> None:
    """Until the outputs that can be seen say this; and that no other follows once the page is at rest."""
    try:
        page.wait_for_function(
            f"expected => JSON.stringify(({SHOWN})()) === expected", arg=compact(expected), timeout=60_000
        )
    finally:
        assert page.evaluate(SHOWN) == expected
    page.wait_for_timeout(3000)  # a page looks for a lost widget for two seconds
    assert page.evaluate(SHOWN) == expected


def compact(texts: list[str]) -> str:
    return "[" + ",".join(f'"{text}"' for text in texts) + "]"


def end_kernel(page: Any) -> None:
    page.evaluate("() => window.jupyterapp.shell.currentWidget.context.sessionContext.shutdown()")


@pytest.fixture
def saved(lab: Lab, open_notebook: Callable[..., Any]) -> tuple[Any, str]:
    """A page whose notebook is run and saved with a newer picture, and the notebook's name."""
    page, name = open_notebook("second_day.ipynb", [CELL]), "second_day.ipynb"
    assert run_all(page)
    wait_for(page, ALIVE)
    ask_kernel(page, "renew(static('Newer'))")
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    return page, name


@pytest.mark.parametrize("front_end", ["JupyterLab", "Notebook 7"])
def test_a_notebook_that_is_opened_again(saved: tuple[Any, str], lab: Lab, front_end: str) -> None:
    page, name = saved
    opened(page, address(lab, front_end, name))  # its kernel has gone on
    wait_for(page, ALIVE)
    page.get_by_role("button", name="Press", exact=True).click()
    page.get_by_text("pressed 1", exact=True).wait_for()
    end_kernel(page)
    opened(page, address(lab, front_end, name))  # with a new kernel
    wait_for(page, STILL)
    assert run_all(page)
    wait_for(page, ALIVE)
    page.evaluate("() => window.jupyterapp.shell.currentWidget.context.sessionContext.restartKernel()")
    wait_for(page, ["Run this cell to wake it.", *ALIVE])  # the widget as it was last seen


@pytest.mark.parametrize("front_end", ["JupyterLab", "Notebook 7"])
def test_a_notebook_without_a_kernel(saved: tuple[Any, str], lab: Lab, front_end: str) -> None:
    page, name = saved
    end_kernel(page)
    notebook = nbformat.read(lab.folder / name, 4)
    notebook.metadata = {"kernelspec": {"name": "nowhere", "display_name": "Nowhere"}}
    nbformat.write(notebook, lab.folder / f"no_kernel_{name}")
    NotebookNotary(data_dir=str(lab.folder.parent / "data_dir")).sign(notebook)  # trusted, as the learner's own is
    page.goto(address(lab, front_end, f"no_kernel_{name}"))
    page.locator(".jp-Dialog").get_by_role("button", name="No Kernel").click()
    wait_for(page, STILL)
    assert page.evaluate("() => window.jupyterapp.shell.currentWidget.context.sessionContext.session") is None
    assert page.locator(".jp-mod-trusted").count() > 0


@pytest.mark.parametrize("front_end", ["JupyterLab", "Notebook 7"])
def test_a_notebook_that_is_not_trusted(saved: tuple[Any, str], lab: Lab, front_end: str) -> None:
    page, name = saved
    end_kernel(page)
    notebook = nbformat.read(lab.folder / name, 4)
    notebook.cells[0].source += "\n# from elsewhere"
    nbformat.write(notebook, lab.folder / f"copied_{name}")
    opened(page, address(lab, front_end, f"copied_{name}"))
    assert page.locator(".jp-mod-trusted").count() == 0
    wait_for(page, STILL)


def test_an_exported_page(saved: tuple[Any, str], lab: Lab, chromium: Any, tmp_path: Path) -> None:
    _, name = saved
    subprocess.run(
        [sys.executable, "-m", "nbconvert", "--to", "html", "--output-dir", str(tmp_path), str(lab.folder / name)],
        check=True, capture_output=True,
    )  # fmt: skip
    page = chromium.new_page()
    page.goto((tmp_path / name).with_suffix(".html").as_uri(), wait_until="domcontentloaded")
    wait_for(page, STILL)
    page.close()
