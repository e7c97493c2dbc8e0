"""What the tests of the page share: the display data that a cell would have shown."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from pgcourse.show import page
from pgcourse.show.page import output, widgets


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Collect the display data of each `display` call, in order."""
    bundles: list[dict[str, Any]] = []

    def display(data: dict[str, Any], *, raw: bool, display_id: bool = False) -> Any:
        assert raw
        bundles.append(data)
        return SimpleNamespace(update=lambda newer, *, raw: bundles.append(newer)) if display_id else None

    for module in (page, output, widgets):
        monkeypatch.setattr(module, "display", display)
    return bundles


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def episodes() -> np.ndarray:
    """Structured episodes of a short run: 40 episodes of growing return."""
    array = np.zeros(40, [("env_step", int), ("wall_time", float), ("episodic_return", float), ("length", int)])
    array["length"] = np.arange(1, 41)
    array["episodic_return"] = np.arange(1, 41)
    array["env_step"] = np.cumsum(array["length"])
    return array
