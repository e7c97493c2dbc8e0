"""The comparisons of the course: those that carry data, and the comparing words that carry none, each with its reason."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from pgcourse.errors import InvalidInput
from pgcourse.study.prose import COMPARISON, REASON
from pgcourse.study.verdicts import Decision, decide_all

# Why a sentence with a comparing word needs no data. `{{# word}}` behind it, in its paragraph; in a code cell `# {{# word}}`
# on a line of its own, for the whole cell.
REASONS = {
    "mathematics": "follows from a definition or a derivation",
    "design": "says what a setting, an environment or a piece of code is, by construction",
    "description": "reads off the numbers, the figure or the run shown beside it, and claims nothing beyond these runs",
    "computed": "the cell beside it computes the answer while the notebook runs, without chance or with a fixed seed",
    "cited": "reports what a cited source says",
    "question": "an option, a premise or a task that the reader is to judge",
    "advice": "says what to do, or what to look at",
    "wording": "compares nothing that could be measured",
    "hypothesis": "said to be a guess, or open",
    "saying": "quotes a saying that the text puts to the test",
}
WORDS = re.compile(
    r"\b(more|less|fewer|faster|slower|better|worse|higher|lower|larger|smaller|greater|bigger|earlier|later|sooner|longer|"
    r"shorter|wider|narrower|stronger|weaker|steeper|cheaper|quicker|steadier|noisier|best|worst|fastest|slowest|largest|"
    r"smallest|highest|lowest|than|alike|no difference|no effect|outperform\w*|beats?|exceeds?|improves?|hurts?|helps?|harms?|"
    r"costs?|twice|half as|times as|as (?:good|well|fast|much|many|large|long|high|low|often|soon) as)\b",
    re.IGNORECASE,
)
CODE = re.compile(r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$", re.DOTALL)
COMMENT = re.compile(r"^[ \t]*#[ \t]*\{\{#\s*([a-z-]+)\s*\}\}[ \t]*\n?", re.MULTILINE)


@dataclass(frozen=True)
class Placed:
    """A comparison that the data decide."""

    place: str
    words: str
    relation: str
    decisions: tuple[Decision, ...]


@dataclass(frozen=True)
class Sentence:
    """A sentence with a comparing word and without data; `reason` is None where nobody said why."""

    place: str
    text: str
    reason: str | None


def placed(notebook: NotebookNode, label: str) -> list[Placed]:
    """All comparisons with data. Raises: InvalidInput for one that the data contradict."""
    found = []
    for number, cell in enumerate(notebook.cells, start=1):
        place = f"{label}, cell {number}"
        pairs = [match.groups() for text in texts_of(cell) for match in COMPARISON.finditer(text)]
        if cell.cell_type == "code":
            pairs += _calls(cell.source)
        for words, relation in pairs:
            words, relation = " ".join(words.split()), " ".join(relation.split())
            try:
                found.append(Placed(place, words, relation, tuple(decide_all(words, relation))))
            except InvalidInput as error:
                raise InvalidInput(f"{place}: {error}") from error
    return found


def unplaced(notebook: NotebookNode, label: str) -> Iterator[Sentence]:
    """All sentences with a comparing word that carry no data."""
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type == "code" and "nbgrader" in cell.metadata:
            continue  # every sentence of a stub has its case: pgcourse/checks/unit_NN/<id>.toml
        place = f"{label}, cell {number}"
        whole = COMMENT.search(cell.source) if cell.cell_type == "code" else None
        for text in texts_of(cell):
            for sentence, reason in sentences(text):
                plain = CODE.sub(" … ", REASON.sub("", sentence))
                plain = re.sub(r"\{\{minutes:[^}]*\}\} more", "", plain)
                if WORDS.search(plain) and not COMPARISON.search(sentence):
                    yield Sentence(place, " ".join(plain.split()), reason or (whole[1] if whole else None))


def texts_of(cell: NotebookNode) -> list[str]:
    """The prose of a cell: markdown, or the strings of code that hold a phrase; the words for a picture are not read."""
    if cell.cell_type == "markdown":
        return [str(cell.source)]
    tree = _tree(cell.source)
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        call.keywords = [keyword for keyword in call.keywords if keyword.arg != "alt"]
    strings = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    joined = [_joined(node) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    return [text for text in [*(n.value for n in strings if id(n) not in inside), *joined] if len(text.split()) > 2]


def _tree(source: str) -> ast.Module:
    """The code of a cell, magics included."""
    return ast.parse(TransformerManager().transform_cell(source))


def _joined(node: ast.JoinedStr) -> str:
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "0" for part in node.values)


def sentences(text: str) -> Iterator[tuple[str, str | None]]:
    """The sentences of a text, each with the reason that follows it in its paragraph, or stands by itself below it."""
    text = re.sub(
        r"\n\s*\n(?=[ \t]*\{\{#[^}]*\}\}[ \t]*(?:\n\s*\n|\s*\Z))", "\n", COMMENT.sub("", text)
    )  # a mark by itself
    text = re.sub(r"^#+ .*$|^\*\*Time:\*\*", "", text, flags=re.MULTILINE)  # headings, and the minutes of the head
    for paragraph in re.split(r"\n\s*\n", text):
        start = 0
        ends = [(match.end(), match[1]) for match in REASON.finditer(paragraph)]
        for end, reason in [*ends, (len(paragraph), None)]:
            for sentence in re.split(r"(?<=[.!?:|])\s+(?![a-z<>~])", paragraph[start:end]):
                if sentence.strip():
                    yield sentence, reason
            start = end


def _calls(source: str) -> list[tuple[str, ...]]:
    """The constant arguments of `compared(words, relation)`."""
    calls = [
        node for node in ast.walk(_tree(source))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "compared"
    ]  # fmt: skip
    return [tuple(ast.literal_eval(argument) for argument in call.args) for call in calls]


def report(found: list[Placed], left: list[Sentence]) -> str:
    """Every comparison and every sentence without data; then the counts, by verdict and by reason."""
    signs = Counter(decision.seen for each in found for decision in each.decisions)
    lines = [f"{each.place}: {each.words!r}: {'; '.join(map(str, each.decisions))}" for each in found]
    lines += [f"{each.place}: [{each.reason or 'NO REASON'}] {each.text}" for each in left]
    lines.append(
        f"{len(found)} comparisons with {signs.total()} decisions: {signs['>']} larger, {signs['<']} smaller, "
        f"{signs['~']} no difference seen"
    )
    reasons = Counter(each.reason or "no reason given" for each in left)
    lines.append(
        f"{len(left)} sentences with a comparing word and without data: "
        + ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    )
    return "\n".join(lines)
