"""What the site adds to Sphinx: sections that fold, and docstrings of this package."""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from .docstrings import to_restructured_text

FURTHER = "· further"


class FoldFurther(SphinxPostTransform):
    """A section whose heading ends with "· further" becomes a <details>: in JupyterLab it is folded too."""

    default_priority = 900
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Fold each such section of the page."""
        for section in list(self.document.findall(nodes.section)):
            title = section.next_node(nodes.title)
            if title is None or title.parent is not section or not title.astext().endswith(FURTHER):
                continue
            self._mark(title)
            place = section.index(title)
            section.insert(place, _raw('<details class="pg-further"><summary>'))
            section.insert(place + 2, _raw("</summary>"))
            section.append(_raw("</details>"))

    def _mark(self, title: nodes.title) -> None:
        """Set the word at the end of the heading as a mark of its own."""
        last = title.children[-1]
        if isinstance(last, nodes.Text):
            words = last.astext().removesuffix(FURTHER).rstrip()
            title.replace(last, [nodes.Text(words + " "), nodes.inline("", "further", classes=["pg-further-mark"])])


def _raw(text: str) -> nodes.raw:
    return nodes.raw("", text, format="html")


def read_docstring(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Turn a docstring of the package into what Sphinx reads, in place."""
    lines[:] = to_restructured_text(lines)


def mend_markup(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Add what readers of a screen need and the theme leaves out: levels of headings, and names that are what one sees."""
    if menu := context.get("furo_navigation_tree"):
        context["furo_navigation_tree"] = menu.replace('role="heading"', 'role="heading" aria-level="2"')
    if body := context.get("body"):
        context["body"] = body.replace(' aria-label="Toggle hidden content"', "")


def setup(app: Sphinx) -> dict[str, Any]:
    """Add all of it to `app`."""
    app.add_post_transform(FoldFurther)
    app.connect("autodoc-process-docstring", read_docstring)
    app.connect("html-page-context", mend_markup, priority=900)  # after the theme
    return {"parallel_read_safe": True, "parallel_write_safe": True}
