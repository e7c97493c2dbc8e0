"""Python source as HTML that keeps its lines, in the colours of the reader's own theme."""

import html

from pygments.lexers import PythonLexer  # type: ignore[import-untyped]
from pygments.token import Comment, Keyword, Name, Number, Operator, String, Token  # type: ignore[import-untyped]

# JupyterLab's editor colours, which follow its theme; the second one is for viewers without them, and reads on
# white and on black paper.
COLOURS = {
    Keyword: ("keyword", "#1a7f4b"),
    Operator.Word: ("keyword", "#1a7f4b"),
    Name.Function: ("def", "#2f77c9"),
    Name.Class: ("def", "#2f77c9"),
    Name.Decorator: ("def", "#2f77c9"),
    String: ("string", "#c2493d"),
    Comment: ("comment", "#6f7f7f"),
    Number: ("number", "#8a6d00"),
}


def highlight(code: str) -> str:
    """A <pre> element of Python source. A long line scrolls; a wrapped one would hide the indentation."""
    spans = []
    for kind, text in PythonLexer(stripnl=False).get_tokens(code):
        while kind not in COLOURS and kind is not Token:
            kind = kind.parent
        escaped = html.escape(text, quote=False)
        if kind in COLOURS:
            name, colour = COLOURS[kind]
            escaped = f'<span style="color: var(--jp-mirror-editor-{name}-color, {colour})">{escaped}</span>'
        spans.append(escaped)
    style = "white-space: pre; overflow-x: auto; line-height: 1.35"
    return f'<pre style="{style}" tabindex="0"><code>{"".join(spans).rstrip()}</code></pre>'
