"""The design in a real JupyterLab: measure, one left edge, cards, listings, figures in both themes."""

import statistics
from collections.abc import Callable
from typing import Any

import nbformat
import pytest

from .conftest import Lab, run_all

pytestmark = pytest.mark.slow

PROSE = "A return of 90 sounds good. It is bad news if you were about to get 100. A baseline is what you expected. " * 8
MARKDOWN = (
    f"# A title\n\n{PROSE}\n\n$$G_t = \\sum_k \\gamma^k r_{{t+k}}$$\n\n| name | shape |\n|---|---|\n| rewards | [T] |\n"
)
CELLS = [
    "from pgcourse.checks import check\nfrom pgcourse.show import page\npage.use_style()",
    "def f():\n    return '" + "a long line that may not break inside of a word " * 5 + "'\npage.source(f)",
    "def discounted_returns(rewards, *, gamma):\n    return rewards\n\ncheck('discounted_returns', discounted_returns)",
    "from pgcourse.returns import discounted_returns as right\ncheck('discounted_returns', right)",
    "from pgcourse.show.page.style import new_figure\nfigure, ax = new_figure()\nax.plot([1, 2])\n"
    "page.figure(figure, alt='A line.', caption='It rises.')",
]
# Characters of each full line of the paragraphs of prose.
LINES = """() => [...document.querySelectorAll('.jp-MarkdownOutput p')].flatMap(p => {
    const range = document.createRange(), lines = new Map(), text = p.firstChild;
    if (text?.nodeType !== Node.TEXT_NODE) return [];
    for (let i = 0; i < text.length; i++) {
        range.setStart(text, i); range.setEnd(text, i + 1);
        const box = range.getClientRects()[0];
        if (box) lines.set(Math.round(box.bottom), (lines.get(Math.round(box.bottom)) ?? 0) + 1);
    }
    return [...lines.values()].slice(0, -1);
})"""
LEFT = """selectors => selectors.map(selector => document.querySelector(selector).getBoundingClientRect().left)"""


@pytest.fixture
def page(lab: Lab, open_file: Callable[..., tuple[Any, list[str]]]) -> Any:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell(MARKDOWN), *(nbformat.v4.new_code_cell(source) for source in CELLS)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(notebook, lab.folder / "design.ipynb")
    opened, _ = open_file("design.ipynb", width=1440)
    assert run_all(opened)
    opened.wait_for_selector(".pg-figure img")
    return opened


def style_of(page: Any, selector: str, name: str) -> str:
    return str(page.evaluate("([s, n]) => getComputedStyle(document.querySelector(s))[n]", [selector, name]))


def test_text_is_easy_to_read_and_everything_begins_at_one_edge(page: Any) -> None:
    lengths = page.evaluate(LINES)
    assert 60 <= statistics.median(lengths) <= 80 and max(lengths) <= 85, sorted(lengths)
    selectors = [
        ".jp-MarkdownOutput p", ".jp-MarkdownOutput table", 'mjx-container[display="true"] mjx-math', ".pg-source pre",
        ".pg-card", ".pg-figure img", ".pg-figure figcaption",
    ]  # fmt: skip
    edges = page.evaluate(LEFT, selectors)
    assert max(edges) - min(edges) <= 3, dict(zip(selectors, edges, strict=True))
    assert style_of(page, ".jp-MarkdownOutput td", "textAlign") == "left"


def test_a_long_line_of_a_listing_scrolls_and_never_breaks(page: Any) -> None:
    inner, outer = page.locator(".pg-source pre code"), page.locator(".pg-source pre")
    assert inner.evaluate("e => e.getClientRects().length") >= 1
    assert outer.evaluate("e => e.scrollWidth > e.clientWidth"), "it scrolls"
    height = outer.evaluate("e => e.clientHeight / parseFloat(getComputedStyle(e).lineHeight)")
    assert height < 3.5, f"two lines of code take the height of {height:.1f}"


def test_cards_and_figures_follow_the_theme(page: Any) -> None:
    cards = page.locator(".pg-card").all_inner_texts()
    assert "Not yet" in cards[0] and 'hint("discounted_returns")' in cards[0]
    assert "Correct" in cards[1] and "Next: Standardise a batch of returns" in cards[1]
    for theme, paper in {"Dark": "rgb(17, 17, 17)", "Light": "rgb(255, 255, 255)"}.items():
        page.evaluate(
            "name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})", f"JupyterLab {theme}"
        )
        page.wait_for_function(
            "light => document.body.dataset.jpThemeLight === light", arg=str(theme == "Light").lower()
        )
        page.wait_for_function(
            "paper => getComputedStyle(document.querySelector('.pg-card')).backgroundColor === paper", arg=paper
        )
        assert style_of(page, ".pg-card-wrong", "borderLeftColor") != style_of(
            page, ".pg-card-right", "borderLeftColor"
        )
        assert ("invert" in style_of(page, ".pg-figure img", "filter")) == (theme == "Dark")
