"""Short, readable, machine-independent text for numbers, tensors and recorded names."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from typing import Any

from torch import Tensor

WIDTH = 100
_MAX_ELEMENTS = 16


def number(value: Any, digits: int = 4) -> str:
    """Four significant digits; whole numbers without a point; NaN and infinities by name."""
    value = float(value)
    whole = abs(value) < 1e6 and value == int(value)
    text = f"{int(value)}" if whole else f"{value:.{digits}g}"
    return "0" if text == "-0" else text


def two_numbers(first: Any, second: Any) -> tuple[str, str]:
    """Both numbers, with more digits where four do not tell them apart."""
    for digits in (4, 6, 8):
        texts = number(first, digits), number(second, digits)
        if texts[0] != texts[1]:
            break
    return texts


def shape(array: Any) -> str:
    """`[3, 2]`; `[] (a scalar)` for no dimensions."""
    return str(list(array.shape)) if array.ndim else "[] (a scalar)"


def with_article(noun: str) -> str:
    """`a float`, `an int`."""
    return f"{'an' if noun[:1].lower() in {*'aeiou'} else 'a'} {noun}"


def value(item: Any) -> str:
    """One input of a case: small tensors in full, large ones by their shape and first numbers."""
    if not isinstance(item, Tensor):
        return number(item) if isinstance(item, float) else repr(item)
    dtype = str(item.dtype).removeprefix("torch.")
    suffix = "" if dtype in ("float32", "int64", "bool") else f" ({dtype})"
    if item.numel() <= _MAX_ELEMENTS:
        return _nested(item.tolist()) + suffix
    first = ", ".join(_nested(part) for part in item.flatten()[:4].tolist())
    return f"<{dtype} {list(item.shape)}: {first}, ...>"


def _nested(item: Any) -> str:
    if isinstance(item, list):
        return "[" + ", ".join(_nested(part) for part in item) + "]"
    return str(item) if isinstance(item, bool) else number(item)


def label(name: str) -> str:
    """A recorded name in words: `result` is "your result", `result/1` "entry 1 of your result"."""
    if update := re.fullmatch(r"update (\d+)/(.+)", name):
        count, rest = update.groups()
        if steps := re.fullmatch(r"(\w+) steps", rest):
            return f"the number of optimiser steps of the {steps[1]} in update {count}"
        inner = re.fullmatch(r"result(?:/(\w+))?", rest)
        if not inner:
            return f"the parameter {rest} after update {count}"
        return (
            f"the value returned by update {count}" if not inner[1] else f"entry {inner[1]} returned by update {count}"
        )
    if entry := re.fullmatch(r"result/(.+)", name):
        return f"entry {entry[1]} of your result"
    if entry := re.fullmatch(r"(your result[^/]*)/(.+)", name):
        return f"entry {entry[2]} of {entry[1]}"
    if entry := re.fullmatch(r"gradient/([^,]+)(.*)", name):
        return f"the gradient with respect to {entry[1]}{entry[2]}"
    return {"result": "your result"}.get(name, name)


def sentence_label(name: str) -> str:
    """`label`, for the start of a sentence."""
    text = label(name)
    return text[0].upper() + text[1:]


def wrap(lines: Iterable[str], first: str = "  ", rest: str = "    ") -> str:
    """Lines wrapped at 100 columns, each starting with `first`, its continuation with `rest`."""
    return "\n".join(
        textwrap.fill(line, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
        for line in lines
    )
