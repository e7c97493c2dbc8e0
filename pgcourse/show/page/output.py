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

from ...checks.card import card, in_kernel, inline, style_element
from ...checks.listing import listing
from ...errors import InvalidInput
from ...study.prose import fill_placeholders
from .style import drawn, dress_figures

PACKAGE = Path(__file__).resolve().parents[2]


def use_style() -> None:
    """Give this notebook the course's look: its text and outputs by the stylesheet, the figures of pyplot by settings."""
    dress_figures()
    if in_kernel():
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("retina")  # the learner's own figures are sharp too
        display({"text/html": style_element(), "text/plain": ""}, raw=True)


def figure(figure: Figure, *, alt: str, caption: str = "") -> None:
    """Show a matplotlib figure with its text alternative, and close it.

    Args: alt: what one sees, for who cannot see it. caption: what to look at; its placeholders are
    filled from claims (`study.prose`).
    """
    shown = still(figure, alt=alt, caption=caption)
    close(figure)
    display(shown, raw=True)


def still(figure: Figure, *, alt: str, caption: str = "") -> dict[str, str]:
    """Display data of a matplotlib figure, for what shows it together with something else. Args: as of `figure`."""
    content, mime, width = drawn(figure)
    return picture(content, mime, alt=alt, caption=caption, width=width)


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
        '<details class="pg-film" open><summary>Moving picture: fold to stop it</summary>'
        f"{shown['text/html']}</details>"
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
    page = listing(code, place=place)
    if folded:
        page = f"<details><summary>{html.escape(folded)}</summary>{page}</details>"
    display({"text/html": page, "text/plain": f"{place}\n\n{code}"}, raw=True)


def prose(markdown: str) -> None:
    """Show markdown with each placeholder filled. Raises: InvalidInput for one that the data contradict."""
    text = fill_placeholders(textwrap.dedent(markdown).strip())
    display({"text/markdown": text, "text/plain": text}, raw=True)


def answer(title: str, sentence: str, *, status: str = "", verdict: str = "") -> None:
    """Show a sentence to the learner as a card. Args: sentence: `code`, **bold** and placeholders allowed; others of `card`."""
    markup = card(title, f"<p>{fill_placeholders(sentence, escape=inline)}</p>", status=status, verdict=verdict)
    display({"text/html": style_element() + markup, "text/plain": fill_placeholders(sentence, hover=False)}, raw=True)


def picture(content: bytes, mime: str, *, alt: str, caption: str = "", width: int | None = None) -> dict[str, str]:
    """Display data of a picture: HTML with alt text and caption, and text for viewers without pictures.

    Args: width: pixels. Films and photographs (GIF, JPEG) keep their colours in the dark theme; drawings are turned over.
    Raises: InvalidInput for an empty alt text.
    """
    if not alt.strip():
        raise InvalidInput("alt is empty; say in a sentence what the picture shows, for readers who cannot see it")
    alt, caption = " ".join(fill_placeholders(alt, hover=False).split()), " ".join(caption.split())
    data = base64.b64encode(content).decode()
    look = ' class="pg-photo"' if mime in ("image/gif", "image/jpeg") else ""
    size = f' width="{width}"' if width else ""
    written = fill_placeholders(caption, escape=lambda text: html.escape(text, quote=False))
    below = f"<figcaption>{written}</figcaption>" if caption else ""
    # In the element too: a page that has lost the stylesheet still fits.
    fits = 'style="max-width: 100%; height: auto"'
    image = f'<img{look} src="data:{mime};base64,{data}" alt="{html.escape(alt)}"{size} {fits}>'
    return {
        "text/html": f'<figure class="pg-figure" style="margin: 0">{image}{below}</figure>',
        "text/plain": f"[Picture: {alt}]" + (f"\n{fill_placeholders(caption, hover=False)}" if caption else ""),
    }


def close(figure: Figure) -> None:
    """Take a figure from pyplot, if it is there, or the notebook would show it a second time."""
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(figure)
