"""A check's answer as a card says what its text says, in words and not by colour alone."""

from __future__ import annotations

import html
import re
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from pgcourse.checks import card, catalogue, check, get, hint, listing, run, solution
from pgcourse.returns import discounted_returns, normalize


def text_of(markup: str) -> str:
    """What a reader sees of HTML, with single blanks."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())


def forwards(rewards: Any, *, gamma: float) -> Any:
    known = next(each for each in get("discounted_returns").misconceptions if each.id == "accumulated-forwards")
    return known.wrong(rewards, gamma=gamma)


def fails(*inputs: Any, **options: Any) -> Any:
    print("so far & so <good>")
    raise ValueError("no luck")


@pytest.mark.parametrize(
    ("attempt", "look", "said"),
    [
        (discounted_returns, "pg-card-right", ["✓ Correct", "All 10 cases are right.", "Next: Standardise a batch"]),
        (forwards, "pg-card-wrong", ["✗ Not yet", "at got expected [0] 1 2.75", "What happened You went", "hint 1 of 3"]),
        (fails, "pg-card-wrong", ["✗ Not yet", "ValueError", "Your code printed here so far & so <good>"]),
        (None, "pg-card-open", ["○ Not attempted", "2 points, about 10 minutes", "Where to begin: hint("]),
    ],
    ids=["right", "wrong", "crash", "not attempted"],
)  # fmt: skip
def test_each_status_has_a_card_that_says_it_in_words(attempt: Any, look: str, said: list[str]) -> None:
    markup = card.verdict_card("discounted_returns", run("discounted_returns", attempt))
    assert f'<div class="pg-card {look}" role="status">' in markup
    text = text_of(markup)
    assert [part for part in said if part not in text] == []
    assert markup == card.verdict_card("discounted_returns", run("discounted_returns", attempt)), "the same each time"
    opened = re.findall(r"<(\w+)", markup)
    assert sorted(opened) == sorted(re.findall(r"</(\w+)", markup))


def test_the_card_keeps_every_word_of_the_text() -> None:
    for attempt in (forwards, fails, lambda rewards, *, gamma: rewards[None]):
        result = run("discounted_returns", attempt)
        shown = set(re.findall(r"\w+", text_of(card.verdict_card("discounted_returns", result))))
        told = set(re.findall(r"\w+", result.message))
        assert told - shown <= {"At", "not", "yet"} | {"Got"}, result.message


def test_a_learners_words_cannot_become_elements() -> None:
    def hostile(rewards: Any, *, gamma: float) -> Any:
        print("<script>alert(1)</script>")
        raise ValueError("<img src=x onerror=alert(1)>")

    markup = card.verdict_card("discounted_returns", run("discounted_returns", hostile))
    assert "<script" not in markup and "<img" not in markup and "&lt;script&gt;" in markup


def test_the_last_exercise_of_a_unit_says_so_and_every_other_names_its_follower() -> None:
    for entry, after in zip(catalogue.EXERCISES, [*catalogue.EXERCISES[1:], None], strict=True):
        said = card._after(entry)
        if after is None or after.unit != entry.unit:
            assert said.startswith("That was the last of the")
        else:
            assert f"Next: **{after.title}** (`{after.id}`)" in said


def test_in_a_notebook_a_card_with_its_style_is_shown_and_elsewhere_the_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import IPython.display

    bundles: list[dict[str, str]] = []
    monkeypatch.setattr(IPython.display, "display", lambda data, *, raw: bundles.append(data))
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: SimpleNamespace(kernel=object()))
    check("standardize", normalize)
    hint("standardize")
    solution("standardize")
    solution("standardize", show=True)
    assert capsys.readouterr().out == ""
    assert [bundle["text/plain"].split()[0] for bundle in bundles] == ["✓", "Hint", "2", "def"]
    assert all(bundle["text/html"].startswith('<style class="pg-style">') for bundle in bundles)
    assert bundles[0]["text/plain"] == run("standardize", normalize).message
    assert "pg-source" in bundles[3]["text/html"]
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: None)
    check("standardize", normalize)
    assert capsys.readouterr().out == "✓ standardize: correct (1 point)\n" and len(bundles) == 4


def test_a_listing_keeps_the_code_and_never_wraps() -> None:
    code = 'def f(x):\n    """A <b>."""\n    return {"a": x & 1}  # 1 < 2\n'
    markup = listing.listing(code, place="pgcourse/f.py")
    inner = markup.partition("<pre")[2].partition(">")[2]
    assert html.unescape(re.sub(r"<[^>]*>", "", inner)) == code.rstrip()
    assert markup.count("white-space: pre; word-break: normal") == 2, (
        "JupyterLab's rule for the inner element would win"
    )
    assert 'tabindex="0"' in markup and 'aria-label="Source: pgcourse/f.py"' in markup
    for name in ("keyword", "def", "string", "comment", "number"):
        assert f"--jp-mirror-editor-{name}-color" in markup
