"""Source code as HTML, in the colours of the reader's theme."""

import html

# JupyterLab's editor colours, which follow its theme; the second one is for viewers without them, and reads on
# white and on black paper.
CODE_COLOURS = {
    "Keyword": ("keyword", "#1a7f4b"),
    "Operator.Word": ("keyword", "#1a7f4b"),
    "Name.Function": ("def", "#2f77c9"),
    "Name.Class": ("def", "#2f77c9"),
    "Name.Decorator": ("def", "#2f77c9"),
    "Literal.String": ("string", "#c2493d"),
    "Comment": ("comment", "#6f7f7f"),
    "Literal.Number": ("number", "#8a6d00"),
}
# A long line scrolls; a wrapped one would hide the indentation. JupyterLab lets the inner <code> wrap inside words, so the
# inner element says so too.
UNBROKEN = "white-space: pre; word-break: normal; overflow-wrap: normal"


def listing(code: str, *, place: str = "") -> str:
    """Python source, highlighted, in an element that scrolls and can be reached by keyboard. Args: place: where it stands."""
    from pygments.lexers import PythonLexer  # type: ignore[import-untyped]

    spans = []
    for kind, text in PythonLexer(stripnl=False).get_tokens(code):
        name = _coloured(kind)
        escaped = html.escape(text, quote=False)
        if name:
            variable, colour = CODE_COLOURS[name]
            escaped = f'<span style="color: var(--jp-mirror-editor-{variable}-color, {colour})">{escaped}</span>'
        spans.append(escaped)
    above = f'<p class="pg-place"><code>{html.escape(place)}</code></p>' if place else ""
    label = f"Source: {place}" if place else "Source"
    return (
        f'<div class="pg-source">{above}<pre style="{UNBROKEN}; overflow-x: auto" tabindex="0" role="region" '
        f'aria-label="{html.escape(label)}"><code style="{UNBROKEN}">{"".join(spans).rstrip()}</code></pre></div>'
    )


def _coloured(kind: object) -> str:
    """The entry of CODE_COLOURS for a kind of token or the nearest kind above it; empty where there is none."""
    name = str(kind).removeprefix("Token").lstrip(".")
    while name and name not in CODE_COLOURS:
        name = name.rpartition(".")[0]
    return "" if name in ("", "Token") else name
