"""Who can press a widget, only a page that names its cell and takes input; and what is stored of one."""

from typing import Any

import ipywidgets
import pytest

from pgcourse.show.page import widgets


@pytest.mark.parametrize(("content", "metadata", "expected"), [
    ({"allow_stdin": True}, {"cellId": "a"}, True),
    ({"allow_stdin": False}, {"cellId": "a"}, False),
    ({"allow_stdin": True}, {}, False),
    ({}, {}, False),
])  # fmt: skip
def test_a_front_end_names_its_cell_and_takes_input(
    monkeypatch: pytest.MonkeyPatch, content: Any, metadata: Any, expected: bool
) -> None:
    monkeypatch.setattr(widgets, "_request", lambda: {"content": content, "metadata": metadata})
    assert widgets.has_frontend() is expected


STATIC = {"text/html": "<figure>a picture</figure>", "text/plain": "[Picture]"}


def show(monkeypatch: pytest.MonkeyPatch, cell: str | None) -> Any:
    request = {"content": {"allow_stdin": cell is not None}, "metadata": {"cellId": cell}}
    monkeypatch.setattr(widgets, "_request", lambda: request)
    return widgets.show_widget(ipywidgets.Button(), STATIC)


def test_a_page_gets_the_static_form_and_the_widget_as_two_outputs_and_newer_forms_later(
    monkeypatch: pytest.MonkeyPatch, shown: list[Any]
) -> None:
    renew = show(monkeypatch, "a")
    static, view = shown
    assert "a picture" in static["text/html"] and "Run this cell to wake it" in static["text/html"]
    assert list(view) == [widgets.WIDGET_VIEW], "nothing that a page without widgets could show a second time"
    renew({"text/html": "<figure>newer</figure>", "text/plain": "newer"})
    assert "newer" in shown[2]["text/html"] and "Run this cell to wake it" in shown[2]["text/html"]


def test_a_notebook_that_is_run_at_once_holds_the_static_form_alone(
    monkeypatch: pytest.MonkeyPatch, shown: list[Any]
) -> None:
    show(monkeypatch, None)({"text/html": "newer", "text/plain": "newer"})
    (static,) = shown
    assert set(static) == {"text/html", "text/plain"} and "a picture" in static["text/html"]
    assert "pg-asleep" not in static["text/html"], "the output after it would be hidden"


def test_where_outputs_cannot_hide_each_other_both_forms_are_one_output(
    monkeypatch: pytest.MonkeyPatch, shown: list[Any]
) -> None:
    show(monkeypatch, "vscode-notebook-cell:/a.ipynb#1")
    (both,) = shown
    assert set(both) == {"text/html", "text/plain", widgets.WIDGET_VIEW}
