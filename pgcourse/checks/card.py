"""What the course answers a learner, as a card: plain HTML in the classes of the stylesheet, with the words of the text."""

from __future__ import annotations

import html
import re
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pgcourse.checks import catalogue

if TYPE_CHECKING:
    from pgcourse.checks.exercise import CheckResult, Finding

STYLESHEET = Path(__file__).resolve().parents[1] / "show" / "page" / "style.css"
# Status -> class, mark, words. The words say it; mark and colour repeat it.
KINDS = {
    "correct": ("pg-card-right", "✓", "Correct"),
    "not yet": ("pg-card-wrong", "✗", "Not yet"),
    "not attempted": ("pg-card-open", "○", "Not attempted"),
    "": ("pg-card-open", "", ""),
}


@cache
def stylesheet() -> str:
    """The text of the course's one stylesheet, without its comments."""
    text = re.sub(r"/\*.*?\*/", "", STYLESHEET.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"\s*([{};,])\s*", r"\1", re.sub(r"\s+", " ", text)).strip()


def style_element() -> str:
    """The stylesheet as an element. Each output that stands alone carries one: in Colab every output is a page of its own."""
    return f'<style class="pg-style">{stylesheet()}</style>'


def in_kernel() -> bool:
    """Whether a notebook's kernel runs this, so that HTML is seen; a terminal shows text."""
    ipython = sys.modules.get("IPython")
    return getattr(ipython and ipython.get_ipython(), "kernel", None) is not None


def show(markup: str, text: str) -> None:
    """Show a card in a notebook, with the text for whoever sees no HTML; print the text elsewhere."""
    if not in_kernel():
        print(text)
        return
    from IPython.display import display

    display({"text/html": style_element() + markup, "text/plain": text}, raw=True)


def card(title: str, *parts: str, status: str = "", verdict: str = "", name: str = "", aside: str = "") -> str:
    """A card of parts that are HTML already.

    Args: title: in words. status: a key of KINDS. verdict: default what KINDS says. name: of a function. aside: at the right.
    """
    look, mark, said = KINDS[status]
    said = verdict or said
    head = f'<span class="pg-mark" aria-hidden="true">{mark}</span> ' if mark else ""
    head += f"<strong>{html.escape(said or title)}</strong>"
    head += f" <span>{html.escape(title)}</span>" if said else ""
    head += f" <code>{html.escape(name)}</code>" if name else ""
    head += f' <span class="pg-aside">{html.escape(aside)}</span>' if aside else ""
    return (
        f'<div class="pg-card {look}" role="status"><p class="pg-head">{head}</p>{"".join(filter(None, parts))}</div>'
    )


def words(text: str, *, label: str = "") -> str:
    """A paragraph; `code` between backticks. Args: label: what it is, above it. Gives nothing for no text."""
    if not text:
        return ""
    above = f'<span class="pg-label">{html.escape(label)}</span>' if label else ""
    return f"<p>{above}{inline(text)}</p>"


def inline(text: str) -> str:
    """Text as HTML: what stands between backticks, and calls of hint and solution, as code; **bold** as bold."""
    escaped = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))
    escaped = re.sub(r"(?<!>)\b((?:hint|solution)\(.*?\))", r"<code>\1</code>", escaped)
    return re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", escaped)


def block(text: str, *, label: str = "") -> str:
    """Monospaced lines that wrap between words. Args: label: what it is, above it. Gives nothing for no text."""
    if not text:
        return ""
    above = f'<p class="pg-label">{html.escape(label)}</p>' if label else ""
    return f'{above}<pre class="pg-block">{html.escape(text, quote=False)}</pre>'


def closing(text: str) -> str:
    """The last line: what comes next."""
    return f'<p class="pg-next">{inline(text)}</p>' if text else ""


def verdict_card(id: str, result: CheckResult) -> str:
    """The card of a check's answer."""
    entry = catalogue.find(id)
    points = f"{entry.points} point{'s' * (entry.points != 1)}"
    finding = result.finding
    parts: list[str] = []
    aside = points
    if result.status == "correct":
        parts = [words(_all_right(finding)), closing(_after(entry))]
    elif result.status == "not attempted":
        aside = f"{points}, about {entry.minutes} minutes"
        parts = [
            words("Write the body of the function, run its cell, then this one."),
            closing(f'Where to begin: hint("{id}")'),
        ]
    elif finding:
        parts = _what_is_wrong(finding)
    else:
        parts = [block(result.message)]
    return card(entry.title, *parts, status=result.status, name=entry.id, aside=aside)


def hint_card(id: str, hints: list[tuple[int, str]], count: int, *, last: str = "") -> str:
    """One hint, or all of them. Args: hints: number and text. count: how many there are. last: a closing line."""
    parts = [words(text, label=f"Hint {number} of {count}") for number, text in hints]
    return card(catalogue.find(id).title, *parts, closing(last), name=id)


def _what_is_wrong(finding: Finding) -> list[str]:
    return [
        words(finding.statement),
        block(finding.input, label=finding.which),
        _got_and_expected(finding) if finding.numbers else words(finding.where),
        words(finding.explanation, label="What happened"),
        block(finding.printed, label="Your code printed here"),
        closing(finding.next),
    ]


def _got_and_expected(finding: Finding) -> str:
    assert finding.numbers is not None
    index, got, expected = (html.escape(each, quote=False) for each in finding.numbers)
    at = ("<th scope='col'>at</th>", f"<td>{index}</td>") if index else ("", "")
    return (
        f"<table class='pg-got'><thead><tr>{at[0]}<th scope='col'>got</th><th scope='col'>expected</th></tr></thead>"
        f"<tbody><tr>{at[1]}<td>{got}</td><td>{expected}</td></tr></tbody></table>"
    )


def _all_right(finding: Finding | None) -> str:
    if finding is None or not finding.cases:
        return ""
    return f"All {finding.cases} cases are right." if finding.cases > 1 else "The case is right."


def _after(entry: catalogue.Entry) -> str:
    """What comes next in the course's order."""
    unit = [each for each in catalogue.EXERCISES if each.unit == entry.unit]
    place = unit.index(entry) + 1
    if place == len(unit):
        return f"That was the last of the {len(unit)} exercises of unit {entry.unit}."
    after = unit[place]
    worth = f"{after.points} point{'s' * (after.points != 1)}, about {after.minutes} minutes"
    return f"Exercise {place} of {len(unit)} in this unit. Next: **{after.title}** (`{after.id}`), {worth}."
