"""The stylesheet and the pages that use it agree: no class without a rule, no rule without a page."""

import re
from pathlib import Path
from typing import Any

import pytest

from pgcourse.checks import card
from pgcourse.show import page
from pgcourse.show.page import output

# Described in docs/design.md for pages beside the notebooks, which build them.
OFFERED = {"pg-question", "pg-unseen"}
# By which a page, a test or a learner's own stylesheet finds a part that needs no rule.
HANDLES = {"pg-agents", "pg-agent", "pg-game", "pg-play", "pg-numbers", "pg-wake"}


def used_classes(repository: Path) -> set[str]:
    """Every class that Python or JavaScript of the package writes."""
    found: set[str] = set()
    for path in (repository / "pgcourse").rglob("*"):
        if path.suffix not in (".py", ".js"):
            continue
        text = path.read_text(encoding="utf-8")
        for attribute in re.findall(r"""class(?:Name)?\s*=\s*\\?["']([^"']*pg-[^"']*)""", text):
            found |= set(re.findall(r"pg-[\w-]*\w", attribute))
        found |= set(re.findall(r"""["'](pg-[a-z-]*[a-z])["']""", text))
    return found


def test_every_class_has_a_rule_and_every_rule_a_class(repository: Path) -> None:
    files = [path for path in (repository / "pgcourse").rglob("*") if path.suffix in (".py", ".js", ".css")]
    # A rule of a stylesheet, or a script that looks for the class.
    asked_for = {name for path in files for name in re.findall(r"\.(pg-[\w-]+)", path.read_text(encoding="utf-8"))}
    styled = set(re.findall(r"\.(pg-[\w-]+)", page.stylesheet()))
    used = used_classes(repository) - {"pg-clip"}
    assert used - asked_for - HANDLES == set(), "written, and of no use"
    assert styled - used - OFFERED - {"pg-style"} == set(), "styled, and not written"


def test_every_property_that_is_used_is_defined(repository: Path) -> None:
    sheet = page.stylesheet()
    defined = set(re.findall(r"(--pg-[\w-]+):", sheet))
    scripts = "".join(path.read_text() for path in (repository / "pgcourse" / "show").rglob("*.js"))
    assert set(re.findall(r"var\((--pg-[\w-]+)", sheet + scripts)) <= defined | {"--pg-edge", "--pg-p"}


def test_the_two_themes_define_the_same_colours() -> None:
    light, dark = (
        set(re.findall(r"(--pg-[\w-]+): ?#", page.stylesheet().partition(start)[2].partition("}")[0]))
        for start in (":root{", 'html[data-theme="dark"]{')
    )
    assert light == dark and len(light) > 15


def test_the_stylesheet_is_small_asks_for_nothing_and_can_stand_in_a_page() -> None:
    assert len(card.STYLESHEET.read_text().splitlines()) <= 400 and len(page.stylesheet()) < 12_000
    assert not re.search(r"url\(|@import|</", page.stylesheet())
    assert page.style_element() == f'<style class="pg-style">{page.stylesheet()}</style>'


def test_what_is_left_out_of_the_text_changes_no_rule() -> None:
    assert page.stylesheet().count("{") == card.STYLESHEET.read_text().count("{")
    assert "/*" not in page.stylesheet() and "calc(var(--pg-measure) + 2.5em)" in page.stylesheet()


@pytest.mark.parametrize(("kernel", "expected"), [(True, 1), (False, 0)])
def test_use_style_sends_the_stylesheet_where_a_page_reads_it(
    monkeypatch: pytest.MonkeyPatch, shown: list[Any], kernel: bool, expected: int
) -> None:
    import matplotlib

    monkeypatch.setattr(output, "in_kernel", lambda: kernel)
    formats: list[str] = []
    monkeypatch.setattr("matplotlib_inline.backend_inline.set_matplotlib_formats", formats.append)
    with matplotlib.rc_context():
        page.use_style()
    assert [bundle["text/html"] for bundle in shown] == [page.style_element()] * expected
    assert formats == ["retina"] * expected


def test_an_answer_is_a_card_and_its_text(shown: list[Any]) -> None:
    page.answer("with your own functions", "It **learns**: see `gae` & x < 1.", status="correct", verdict="Trained")
    (bundle,) = shown
    assert bundle["text/plain"] == "It **learns**: see `gae` & x < 1."
    assert "It <strong>learns</strong>: see <code>gae</code> &amp; x &lt; 1." in bundle["text/html"]
    assert '<div class="pg-card pg-card-right" role="status">' in bundle["text/html"]
    assert "<strong>Trained</strong> <span>with your own functions</span>" in bundle["text/html"]


def test_the_document_shows_every_colour_and_has_its_pictures(repository: Path) -> None:
    text = (repository / "docs" / "design.md").read_text()
    for line in re.findall(r"^\| `(--pg-[\w-]+)` \| `(#\w+)` \| `(#\w+)` \|", text, re.MULTILINE):
        assert re.findall(rf"{line[0]}: (#\w+)", card.STYLESHEET.read_text()) == list(line[1:]), line[0]
    pictures = {repository / "docs" / name for name in re.findall(r"\]\((design/[\w-]+\.png)\)", text)}
    assert pictures == set((repository / "docs" / "design").glob("*.png")) and len(pictures) >= 12
    assert sum(path.stat().st_size for path in pictures) < 500_000
