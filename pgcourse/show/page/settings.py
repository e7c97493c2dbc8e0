"""Two sets of settings side by side: the lines in which they differ."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from ...errors import InvalidInput
from .output import prose


def differing_settings(first: Any, second: Any, *, ignore: tuple[str, ...] = ("seed",)) -> dict[str, tuple[Any, Any]]:
    """Field -> (value in the first, value in the second) where they differ, in the order of the fields.

    Raises: InvalidInput for two kinds of settings.
    """
    if type(first) is not type(second):
        raise InvalidInput(
            f"{type(first).__name__} and {type(second).__name__} have other fields; compare settings of one algorithm"
        )
    pairs = {
        field.name: (getattr(first, field.name), getattr(second, field.name)) for field in dataclasses.fields(first)
    }
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1] and name not in ignore}


def settings_table(
    settings: Mapping[str, Any],
    *,
    notes: Mapping[str, str] | None = None,
    note_title: str = "",
    ignore: tuple[str, ...] = (),
) -> None:
    """Show a table of the fields in which two settings differ.

    Args: settings: title -> settings, exactly two. notes: field -> what stands in a last column; `{{NAME:FIGURE}}` is
    filled from claims. ignore: fields to leave out. Raises: InvalidInput for a note about a field that does not differ.
    """
    if len(settings) != 2:
        raise InvalidInput(f"{len(settings)} settings given; give two, such as {{'CartPole': ppo.CARTPOLE, ...}}")
    differing = differing_settings(*settings.values(), ignore=("seed", *ignore))
    notes = dict(notes or {})
    if unknown := [name for name in notes if name not in differing]:
        raise InvalidInput(f"no difference in {unknown[0]!r}; they differ in {', '.join(differing)}")
    titles = ["setting", *settings, *([note_title] if notes else [])]
    rows = [
        [f"`{name}`", *(f"`{value}`" for value in pair), *([notes.get(name, "")] if notes else [])]
        for name, pair in differing.items()
    ]
    prose("\n".join("| " + " | ".join(cells) + " |" for cells in [titles, ["---"] * len(titles), *rows]))
