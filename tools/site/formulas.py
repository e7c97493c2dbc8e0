"""Formulas are set by KaTeX while the site is built: a page needs no script to show them, and nothing moves when it opens."""

import html
import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

SHORT = 30  # characters of TeX of a formula that needs no break of its own
SCRIPT = Path(__file__).with_name("formulas.mjs")
logger = logging.getLogger(__name__)


class SetFormulas(SphinxPostTransform):
    """Give each formula of a page its HTML; one start of Node for a page."""

    default_priority = 950
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Set all formulas of the page."""
        formulas = [*self.document.findall(nodes.math), *self.document.findall(nodes.math_block)]
        made = render([(node.astext(), isinstance(node, nodes.math_block)) for node in formulas])
        for node, result in zip(formulas, made, strict=True):
            if isinstance(result, dict):
                logger.warning("formula %r: %s", node.astext(), result["error"], location=node)
                continue
            node["set"] = result
            tie_punctuation(node)


def tie_punctuation(node: nodes.Element) -> None:
    """Keep a comma or full stop on the line of the short formula before it; browsers would break there."""
    following = node.next_node(descend=False, siblings=True)
    if isinstance(node, nodes.math_block) or not isinstance(following, nodes.Text) or len(node.astext()) > SHORT:
        return
    text = following.astext()
    if mark := re.match(r"[.,;:?!)\]]+", text):
        node["tied"] = mark[0]
        node.parent.replace(following, nodes.Text(text[mark.end() :]))


def render(formulas: list[tuple[str, bool]]) -> list[str | dict[str, str]]:
    """HTML of each formula (TeX, whether it is displayed), or {"error": what is wrong with it}."""
    if not formulas:
        return []
    done = subprocess.run(
        [_node(), str(SCRIPT)], input=json.dumps(formulas), capture_output=True, text=True, encoding="utf-8", check=True
    )
    return json.loads(done.stdout)


@cache
def _of_a_heading(tex: str) -> str:
    """HTML of a formula in a menu; the page that has the heading says what is wrong with it."""
    (made,) = render([(tex, False)])
    return made if isinstance(made, str) else tex


@cache
def _node() -> str:
    """The path of Node. Raises: SystemExit where there is none."""
    path = shutil.which("node")
    if path is None:
        raise SystemExit(
            "tools.site: Node.js sets the formulas, and there is no `node` on the PATH: install Node.js 20 or newer"
        )
    return path


def _write(translator: Any, node: nodes.Element) -> None:
    displayed = isinstance(node, nodes.math_block)
    around = "div" if displayed else "span"
    if "set" not in node:  # a heading in a menu is a copy from before the transforms
        node["set"] = _of_a_heading(node.astext())
    body = f'<{around} class="math">{node["set"]}</{around}>'
    if "tied" in node:
        body = f'<span class="pg-tied">{body}{html.escape(node["tied"])}</span>'
    translator.body.append(body)
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Set formulas here; Sphinx's own renderer would load a script from another host."""
    app.add_html_math_renderer("katex", inline_renderers=(_write, None), block_renderers=(_write, None))
    app.add_post_transform(SetFormulas)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
