"""Who can press a widget: only a page that names its cell and takes input."""

from typing import Any

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
