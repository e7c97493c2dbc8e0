"""A student's markdown becomes a few elements and text, whatever it holds."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgcourse.grading.marking.prose import ELEMENTS, tree
from tests.grading.marking.desks import ANSWER


def elements(nodes: Any) -> set[str]:
    inside = [node for node in nodes if isinstance(node, list)]
    return {node[0] for node in inside}.union(*(elements(node[1:]) for node in inside))


def text(nodes: Any) -> str:
    return "".join(node if isinstance(node, str) else text(node[1:]) for node in nodes)


def test_what_students_use_is_shown() -> None:
    assert {"p", "strong", "em", "table", "th", "td"} <= elements(tree(ANSWER))
    assert tree("# A\n\n- b `c`\n") == [["h1", "A"], ["ul", ["li", "b ", ["code", "c"]]]]
    assert tree("```html\n<b>\n```") == [["pre", "<b>\n"]]


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "a <b onclick=alert(1)>b</b>",
        "[x](javascript:alert(1))", "![x](http://127.0.0.1/x)", "<http://a.b>", "[x]: http://a.b\n\n[x]", "<!-- -->",
        "<svg/onload=alert(1)>", "&lt;script&gt;",
    ],
)  # fmt: skip
def test_html_links_and_pictures_stay_text(hostile: str) -> None:
    nodes = tree(hostile)
    assert elements(nodes) <= {"p"}
    assert text(nodes) == hostile.replace("\n\n", "")


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="<>[]()!*_`~#-|\n ab1.:/\\&;\"'=", max_size=120))
def test_no_text_makes_another_element(markdown: str) -> None:
    assert elements(tree(markdown)) <= ELEMENTS


def test_what_is_nested_deeply_or_too_long_is_shown_as_written() -> None:
    assert tree(">" * 20_000 + "x") == [["pre", ">" * 20_000 + "x"]]
    assert text(tree("> " * 5 + "x")) == "x"
    assert tree("*" * 60_000) == [["pre", "*" * 60_000]]
    for stars in ("*" * 2000 + "a" + "*" * 2000, "> " + "*" * 30 + "a" + "*" * 30):
        assert tree(stars) == [["pre", stars]]
    assert tree("**a *b* c**") == [["p", ["strong", "a ", ["em", "b"], " c"]]]
