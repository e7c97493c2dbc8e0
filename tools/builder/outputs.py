"""Outputs as they are published: free of noise, of machine facts and of widgets that a reader cannot see."""

import json
import re
import sys
from pathlib import Path

from nbformat import NotebookNode

from pgcourse.errors import InvalidInput

from .course import tags

WIDGET = "application/vnd.jupyter.widget-view+json"
STATIC = ("image/png", "image/jpeg", "image/gif", "image/svg+xml", "text/html", "text/markdown")
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{9,16}\b")
KERNEL_FOLDER = re.compile(r"[\w/\\.]*ipykernel_\d+[\w/\\.]*")
EMBEDDED = re.compile(r"base64,[A-Za-z0-9+/=\s]+")


def publish(cell: NotebookNode, place: str, *, root: Path) -> None:
    """Make the outputs of an executed code cell fit to publish, in place.

    Raises: InvalidInput naming the cell for stderr, an error without the tag raises-exception, a widget
    without a static picture, or text that only this machine would give.
    """
    cell.outputs = _joined(cell.outputs)
    for output in cell.outputs:
        if output.output_type == "stream" and output.name == "stderr":
            raise InvalidInput(f"{place}: writes to stderr: {_short(output.text)}; silence its cause")
        if output.output_type == "error" and "raises-exception" not in tags(cell):
            raise InvalidInput(f"{place}: raises {output.ename}: {_short(output.evalue)}; repair the cell")
    _drop_widgets(cell, place)
    for output in cell.outputs:
        refuse_machine_facts(_text(output), place, root=root)


def refuse_machine_facts(text: str, place: str, *, root: Path) -> None:
    """Raises: InvalidInput when `text` holds a folder of this machine or a memory address."""
    text = EMBEDDED.sub("base64,", text)
    folders = {
        "the project's folder": root,
        "the home folder": Path.home(),
        "Python's folder": Path(sys.prefix),
    }
    for name, folder in folders.items():
        for path in {str(folder), str(folder.resolve()), folder.as_posix()}:
            if len(path) > 1 and re.search(r"(?<![\w.])" + re.escape(path) + r"(?!\.?[\w-])", text):
                raise InvalidInput(f"{place}: the output holds {name} {path}; show a relative path")
    found = ADDRESS.search(text) or KERNEL_FOLDER.search(text)
    if found:
        raise InvalidInput(
            f"{place}: the output holds {found[0]!r}, which differs in every run; end plots with plt.show(), "
            "print values instead of objects"
        )


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Neighbouring pieces of one stream as one: where a stream is cut depends on timing."""
    result: list[NotebookNode] = []
    for output in outputs:
        last = result[-1] if result else None
        if last is not None and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            result.append(output)
    for output in result:
        if output.output_type == "stream":
            # What a carriage return overwrites on a screen is not part of what a reader sees.
            output.text = re.sub(r"^.*\r(?=[^\n])", "", output.text, flags=re.MULTILINE)
    return result


def _drop_widgets(cell: NotebookNode, place: str) -> None:
    """Keep only the static picture; readers on GitHub see "Error displaying widget" in place of a widget."""
    pictured = any(mime in STATIC for output in cell.outputs for mime in output.get("data", {}))
    kept = []
    for output in cell.outputs:
        data = output.get("data", {})
        if WIDGET not in data:
            kept.append(output)
        elif any(mime in STATIC for mime in data):
            del data[WIDGET]
            kept.append(output)
        elif not pictured:
            raise InvalidInput(
                f"{place}: shows a widget and no static picture; who has not run the cell sees nothing, "
                "so display a figure with it"
            )
    cell.outputs = kept


def _text(output: NotebookNode) -> str:
    pieces = [output.get("text", ""), output.get("evalue", ""), *output.get("traceback", [])]
    for mime, value in output.get("data", {}).items():
        if mime.startswith(("text/", "application/")) or mime == "image/svg+xml":
            pieces.append(value if isinstance(value, str) else json.dumps(value))
    return "\n".join(pieces)


def _short(text: str) -> str:
    lines = [line for line in str(text).strip().split("\n") if line.strip()] or ["(nothing)"]
    return lines[-1][:200]
