"""How long a unit takes, by one rule: words, formulas, code, pictures, things to try, questions, exercises.

The core path of a lesson is all that is neither folded (`<details>`) nor under a heading that ends with "· further", which
JupyterLab shows folded too.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from nbformat import NotebookNode

WORDS = 100  # a minute; prose without formulas is read at about 240 (Brysbaert 2019), but here one stops to think
FORMULA = 0.3  # minutes each, displayed formulas only
CODE_LINES = 20  # a minute, of visible code
# Minutes each: to look at a picture, to read a function of the package, to try a slider or another thing that answers, to
# think about a question, to fill in a line of a derivation. Their words are counted besides.
CALLS = {
    "figure": 0.3, "gif": 0.3, "source": 1.0,
    "explore": 1.5, "show": 1.5, "play": 2.0,
    "quiz": 0.5, "predict": 0.5, "check_line": 2.0,
}  # fmt: skip
NOT_READ = ("alt",)  # arguments whose words only take the place of a picture
FURTHER = re.compile(r"^(#{2,6}) .*· further$")
HEADING = re.compile(r"^(#{1,6}) ")


@dataclass(frozen=True)
class Minutes:
    """Minutes of a lesson: what everybody reads, and what is folded."""

    core: float
    further: float

    def quote(self, name: str) -> str:
        """The part called "core" or "further", rounded up to five minutes. Raises: KeyError for another name."""
        return str(5 * -(-{"core": self.core, "further": self.further}[name] // 5)).removesuffix(".0")


def minutes_of(notebook: NotebookNode) -> Minutes:
    """The minutes of a lesson as it is read from its source."""
    core = further = 0.0
    for cell, is_further in parts(notebook):
        if cell.cell_type == "markdown":
            folded = sum(map(of_text, re.findall(r"<details>.*?</details>", cell.source, re.DOTALL)))
            open_text = of_text(re.sub(r"<details>.*?</details>", "", cell.source, flags=re.DOTALL))
        else:
            folded, open_text = 0.0, of_code(cell)
        further += folded + (open_text if is_further else 0)
        core += 0 if is_further else open_text
    return Minutes(core, further)


def parts(notebook: NotebookNode) -> Iterator[tuple[NotebookNode, bool]]:
    """Each cell, and whether it lies under a heading that is marked as further."""
    level = 0  # of the heading that began what is further; 0 for none
    for cell in notebook.cells:
        first = cell.source.split("\n", 1)[0]
        if cell.cell_type == "markdown" and (heading := HEADING.match(first)):
            depth = len(heading[1])
            if not level or depth <= level:
                level = depth if FURTHER.match(first) else 0
        yield cell, bool(level)


def of_text(text: str) -> float:
    """Minutes of markdown."""
    formulas = re.findall(r"\$\$.+?\$\$", text, re.DOTALL)
    text = re.sub(r"\$\$.+?\$\$|<[^>]+>|\|[-:| ]+\|", " ", text, flags=re.DOTALL)
    return _words(text) / WORDS + FORMULA * len(formulas)


def of_code(cell: NotebookNode) -> float:
    """Minutes of a code cell: its visible lines, the words that it shows, and what there is to do."""
    total = 0.0
    if not cell.metadata.get("jupyter", {}).get("source_hidden"):
        lines = [line for line in cell.source.splitlines() if line.strip() and not line.strip().startswith("#")]
        total += len(lines) / CODE_LINES
    tree = ast.parse(cell.source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            total += 0.0 if ast.unparse(node.func) == "plt.show" else CALLS.get(name, 0.0)
            node.keywords = [keyword for keyword in node.keywords if keyword.arg not in NOT_READ]
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return total + sum(_words(text) for text in texts if _words(text) > 3) / WORDS


def _words(text: str) -> int:
    return len(re.findall(r"\{\{[^}]*\}\}|[^\W_][\w'-]*", re.sub(r"\{\{#[^}]*\}\}", "", text)))
