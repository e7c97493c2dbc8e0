"""A student's markdown as a tree of a few harmless elements. No HTML is made of it anywhere: the page builds the elements."""

from collections.abc import Iterable
from typing import TypeAlias

from markdown_it import MarkdownIt
from markdown_it.token import Token

Node: TypeAlias = "str | list[Node]"  # a text, or a name of ELEMENTS and what is in it
HEADINGS = {f"h{level}" for level in range(1, 7)}
TABLES = {"table", "thead", "tbody", "tr", "th", "td"}
ELEMENTS = {"p", "em", "strong", "s", "ul", "ol", "li", "blockquote", "pre", "code", "hr", "br"} | HEADINGS | TABLES
# A link would lead the marker away, and a picture would ask an address of the student's choice: both stay as written.
LEFT_AS_WRITTEN = ["link", "image", "autolink", "html_inline", "html_block", "reference", "entity"]
MOST_MARKED = 50_000  # characters; longer texts are shown as written, lest odd ones take long
DEEP = (
    15  # elements in elements; of blocks the library leaves out what lies deeper than 20. Deeper texts stay as written
)


def tree(text: str) -> list[Node]:
    """The text as a list of nodes. Every element is of ELEMENTS; all else is text."""
    if len(text) > MOST_MARKED:
        return [["pre", text]]
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable(LEFT_AS_WRITTEN)
    tokens = parser.parse(text)
    if any(token.level + inner.level >= DEEP for token in tokens for inner in [token, *(token.children or ())]):
        return [["pre", text]]
    root: list[Node] = []
    _add(tokens, [root])
    return root


def _add(tokens: Iterable[Token], open_nodes: list[list[Node]]) -> None:
    """Hang the tokens into the innermost open node."""
    for token in tokens:
        here = open_nodes[-1]
        if token.type == "inline":
            _add(token.children or [], open_nodes)
        elif token.hidden:  # the paragraph of a tight list
            continue
        elif token.type in ("fence", "code_block"):
            here.append(["pre", token.content])
        elif token.type == "code_inline":
            here.append(["code", token.content])
        elif token.type == "softbreak":
            here.append("\n")
        elif token.nesting and token.tag in ELEMENTS:
            if token.nesting > 0:
                node: list[Node] = [token.tag]
                here.append(node)
                open_nodes.append(node)
            else:
                open_nodes.pop()
        elif token.tag in ("hr", "br"):
            here.append([token.tag])
        elif token.content:
            here.append(token.content)
