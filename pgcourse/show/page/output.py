"""Cell outputs: figures and GIFs with a text alternative, source code in the reader's colours, prose with figures."""

import base64
import html
import inspect
import os
import sys
import textwrap
from pathlib import Path
from typing import Any

from IPython.display import display
from matplotlib.figure import Figure
from pygments.lexers import PythonLexer  # type: ignore[import-untyped]
from pygments.token import Comment, Keyword, Name, Number, Operator, String, Token  # type: ignore[import-untyped]

from ...errors import InvalidInput
from ...study.prose import fill_placeholders
from .style import png

PACKAGE = Path(__file__).resolve().parents[2]


def figure(figure: Figure, *, alt: str, caption: str = "") -> None:
    """Show a matplotlib figure with its text alternative, and close it.

    Args: alt: what one sees, for who cannot see it. caption: what to look at; its placeholders are
    filled from claims (`study.prose`).
    """
    content = png(figure)
    close(figure)
    display(picture(content, "image/png", alt=alt, caption=caption), raw=True)


def gif(path: str | os.PathLike[str], *, alt: str, width: int | None = None, caption: str = "") -> None:
    """Show a GIF in the page itself, so that it moves without the file.

    Args: width: pixels; default its own, never wider than the page. Raises: InvalidInput where there is no
    such GIF.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InvalidInput(
            f"cannot read {Path(path).name}: {error.strerror}; give the path that record_gif returned"
        ) from None
    if not content.startswith(b"GIF8"):
        raise InvalidInput(f"{Path(path).name} is no GIF; give the path that record_gif returned")
    shown = picture(content, "image/gif", alt=alt, caption=caption, width=width)
    # A browser has no button for a GIF. Folded away, it is not seen to move.
    shown["text/html"] = (
        f"<details open><summary>Moving picture: fold to stop it</summary>{shown['text/html']}</details>"
    )
    display(shown, raw=True)


def source(obj: Any, *, folded: str = "") -> None:
    """Show the real source of a function, class or module, highlighted in the colours of the reader's theme.

    Args: folded: where given, the code is folded away under these words until the reader opens it.
    Raises: InvalidInput for an object without source, such as a number or a built-in function.
    """
    try:
        code = textwrap.dedent(inspect.getsource(obj)).rstrip()
        file = Path(inspect.getsourcefile(obj) or "")
    except (TypeError, OSError):
        raise InvalidInput(f"{type(obj).__name__} has no source to show; give a function, class or module") from None
    inside = file.is_relative_to(PACKAGE)
    place = (Path(PACKAGE.name) / file.relative_to(PACKAGE)).as_posix() if inside else "this notebook"
    page = f"<p><code>{html.escape(place)}</code></p>{highlight(code)}"
    if folded:
        page = f"<details><summary>{html.escape(folded)}</summary>{page}</details>"
    display({"text/html": page, "text/plain": f"{place}\n\n{code}"}, raw=True)


def prose(markdown: str) -> None:
    """Show markdown with each placeholder filled. Raises: InvalidInput for one that the data contradict."""
    text = fill_placeholders(textwrap.dedent(markdown).strip())
    display({"text/markdown": text, "text/plain": text}, raw=True)


def picture(content: bytes, mime: str, *, alt: str, caption: str = "", width: int | None = None) -> dict[str, str]:
    """Display data of a picture: HTML with alt text and caption, the bare picture for other viewers, text.

    Raises: InvalidInput for an empty alt text.
    """
    if not alt.strip():
        raise InvalidInput("alt is empty; say in a sentence what the picture shows, for readers who cannot see it")
    alt, caption = " ".join(fill_placeholders(alt, hover=False).split()), " ".join(caption.split())
    data = base64.b64encode(content).decode()
    size = f' width="{width}"' if width else ""
    written = fill_placeholders(caption, escape=lambda text: html.escape(text, quote=False))
    below = f"<figcaption>{written}</figcaption>" if caption else ""
    style = "max-width: 100%; height: auto"
    image = f'<img src="data:{mime};base64,{data}" alt="{html.escape(alt)}"{size} style="{style}">'
    return {
        "text/html": f'<figure style="margin: 0">{image}{below}</figure>',
        mime: data,
        "text/plain": f"[Picture: {alt}]" + (f"\n{fill_placeholders(caption, hover=False)}" if caption else ""),
    }


def close(figure: Figure) -> None:
    """Take a figure from pyplot, if it is there, or the notebook would show it a second time."""
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(figure)


# JupyterLab's editor colours, which follow its theme; the second one is for viewers without them, and reads on
# white and on black paper.
CODE_COLOURS = {
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
        while kind not in CODE_COLOURS and kind is not Token:
            kind = kind.parent
        escaped = html.escape(text, quote=False)
        if kind in CODE_COLOURS:
            name, colour = CODE_COLOURS[kind]
            escaped = f'<span style="color: var(--jp-mirror-editor-{name}-color, {colour})">{escaped}</span>'
        spans.append(escaped)
    style = "white-space: pre; overflow-x: auto; line-height: 1.35"
    return f'<pre style="{style}" tabindex="0"><code>{"".join(spans).rstrip()}</code></pre>'
