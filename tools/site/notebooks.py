"""A stored notebook as the site shows it: never run, questions without their source, pictures in files of their own."""

import base64
import hashlib
import html
import io
import re
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from PIL import Image

from .units import Unit

PICTURE = re.compile(r"<img\b[^>]*?\bsrc=\"(data:image/(png|jpeg|gif|svg\+xml);base64,([^\"]+))\"[^>]*>")
STYLE = re.compile(r'<style class="pg-style">[^<]*</style>\s*$')
SMALL = 3000  # characters of base64 below which a picture stays in the page
QUESTION = re.compile(r"^\s*(?:page\.)?questions\.\w+\(", re.MULTILINE)
OUTPUTS = "_static/outputs"  # where the pictures of outputs lie, below the site's root


def lesson_page(
    notebook: NotebookNode, unit: Unit, *, actions: str, store: Callable[[str, bytes], None]
) -> NotebookNode:
    """A lesson for the site. `store` keeps a picture under a name of its own."""
    cells = [shown(cell, store) for cell in notebook.cells]
    cells = with_actions(cells, actions)
    cells.append(nbformat.v4.new_markdown_cell(toctree([f"Exercises {unit.number} <../exercises/{unit.name}>"])))
    notebook.cells = cells
    return notebook


def exercises_page(notebook: NotebookNode, *, actions: str) -> NotebookNode:
    """The stubs of a unit for the site; metadata of the grader has no place on a page."""
    notebook.cells = with_actions(list(notebook.cells), actions)
    return notebook


def shown(cell: NotebookNode, store: Callable[[str, bytes], None]) -> NotebookNode:
    """`cell` with the tags that fold its source, and its outputs with their pictures in files."""
    if cell.cell_type != "code":
        return cell
    tags = set(cell.metadata.get("tags", []))
    if cell.metadata.get("jupyter", {}).get("source_hidden"):
        # The source of a question holds the answer, and its output all that is asked.
        tags.add("remove-input" if QUESTION.search(cell.source) else "hide-input")
    cell.metadata["tags"] = sorted(tags)
    # The page has the stylesheet already.
    cell.outputs = [output for output in cell.outputs if not STYLE.match(output.get("data", {}).get("text/html", ""))]
    for output in cell.outputs:
        data = output.get("data", {})
        if "text/html" in data:
            data["text/html"] = with_picture_files(data["text/html"], store)
            for other in [kind for kind in data if kind not in ("text/html", "text/plain")]:
                del data[other]
    return cell


def with_picture_files(text: str, store: Callable[[str, bytes], None]) -> str:
    """HTML of an output whose larger pictures are files: loaded when they are near, at a size that is known before."""

    def replaced(match: re.Match[str]) -> str:
        tag, (address, kind, data) = match[0], match.groups()
        if len(data) < SMALL:
            return tag
        raw = base64.b64decode(data)
        name = f"{hashlib.sha256(raw).hexdigest()[:16]}.{kind.removesuffix('+xml')}"
        store(name, raw)
        size = "" if re.search(r"\bwidth=", tag) else _size(raw, kind)
        return tag.replace(address, f"../{OUTPUTS}/{name}").replace("<img", f'<img loading="lazy"{size}', 1)

    return PICTURE.sub(replaced, text)


def _size(content: bytes, kind: str) -> str:
    """Attributes that keep a picture's place until it is there; a drawing has its own size inside."""
    if kind == "svg+xml":
        return ""
    width, height = Image.open(io.BytesIO(content)).size
    return f' width="{width}" height="{height}"'


def with_actions(cells: list[NotebookNode], actions: str) -> list[NotebookNode]:
    """The cells with `actions`, a line of HTML, below the title."""
    title, _, rest = cells[0].source.partition("\n")
    first = nbformat.v4.new_markdown_cell(f"{title}\n\n{actions}\n\n{rest.strip()}")
    return [first, *cells[1:]]


def run_it(path: str, repository: str) -> str:
    """The line that says where a notebook runs. Without a repository's address there is only the learner's machine."""
    links = []
    if repository.startswith("https://github.com/"):
        name = repository.removeprefix("https://github.com/")
        links += [
            f'<a href="https://mybinder.org/v2/gh/{name}/HEAD?urlpath={html.escape("lab/tree/" + path)}">Binder</a>',
            f'<a href="https://colab.research.google.com/github/{name}/blob/main/{html.escape(path)}">Colab</a>',
        ]
    elsewhere = f", or open it in {' or '.join(links)}" if links else ""
    folder, _, name = path.rpartition("/")
    what = "lesson" if folder == "notebooks" else "notebook"
    return (
        f'<p class="pg-run">This {what} runs in <a href="../start.html">JupyterLab on your machine</a> '
        f"(<code>pgcourse lab</code>){elsewhere}.</p>"
    )


def toctree(entries: list[str], caption: str = "") -> str:
    """A hidden list of pages for the menu."""
    lines = ["```{toctree}", ":hidden:", *([f":caption: {caption}"] if caption else []), "", *entries, "```"]
    return "\n".join(lines)


def read(path: Path) -> NotebookNode:
    """A notebook as it is committed."""
    return nbformat.read(path, as_version=4)
