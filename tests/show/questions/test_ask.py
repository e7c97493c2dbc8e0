"""Questions as display data: a form for the script, and the answer folded for where none runs."""

from typing import Any

import pytest

from pgcourse.checks import progress
from pgcourse.errors import InvalidInput
from pgcourse.show.questions.ask import (
    Question,
    build_quiz,
    inline,
    letter,
    plain,
    predict,
    quiz,
    shuffled,
)

OPTIONS = ["the sign", "the shape", "the step size"]
REASONS = ["A sign flips the curve.", "A shape raises.", "A step size scales it."]


def a_quiz(**changes: Any) -> Question:
    return build_quiz("01-flat", "What is `wrong`?", **{"options": OPTIONS, "answer": 0, "reasons": REASONS, **changes})


def test_asking_records_and_prints_nothing(shown: list[Any], capsys: Any) -> None:
    quiz("01-flat", "What?", OPTIONS, answer="the sign", reasons=REASONS)
    predict("01-guess", "How long?", ["short", "long"], answer=1, explanation="It balances.")
    assert progress.load()["answers"] == {} and capsys.readouterr() == ("", "")
    assert all(set(bundle) == {"text/html", "text/plain"} for bundle in shown), "nothing that needs a kernel"


def test_without_a_script_there_is_nothing_to_press(shown: list[Any]) -> None:
    predict("01-guess", "How long?", ["short", "long"], answer=1, explanation="It balances.")
    form = shown[0]["text/html"].partition("<details")[0]
    assert form.count('type="radio" hidden') == 2 and '<p class="pg-question-bar" hidden>' in form


def test_the_static_page_folds_the_answer_and_keeps_every_reason(shown: list[Any]) -> None:
    quiz("01-flat", "Is a < `b`?", OPTIONS, answer=2, reasons=REASONS)
    before, _, folded = shown[0]["text/html"].partition("<details")
    assert "Is a &lt; <code>b</code>?" in before and not any(reason in before for reason in REASONS)
    shown_as = [OPTIONS[i] for i in shuffled("01-flat", 3)]
    assert f"✓ {letter(shown_as.index(OPTIONS[2]))}. <span data-reason>A step size scales it." in folded
    assert f"✗ {letter(shown_as.index(OPTIONS[0]))}. <span data-reason>A sign flips the curve." in folded
    listed = "\n".join(f"  {letter(i)}. {option}" for i, option in enumerate(shown_as))
    assert shown[0]["text/plain"] == f"Is a < b?\n{listed}"


def test_the_order_of_the_options_is_the_question_s_own_and_answer_and_reasons_follow_it() -> None:
    orders = set()
    for number in range(40):
        question = build_quiz(f"{number}", "What?", OPTIONS, answer=1, reasons=REASONS)
        assert [REASONS[OPTIONS.index(option)] for option in question.options] == question.reasons
        assert question.options[question.answer] == "the shape"
        orders.add(tuple(question.options))
    assert len(orders) == 6
    assert shuffled("01-flat", 4) == shuffled("01-flat", 4)


def test_reasons_may_be_keyed_by_option() -> None:
    assert a_quiz(reasons=dict(zip(OPTIONS, REASONS, strict=True))).reasons == a_quiz().reasons


@pytest.mark.parametrize(("changes", "message"), [
    ({"answer": 3}, "answer=3 is none of the options"),
    ({"answer": -1}, "answer=-1 is none of the options"),
    ({"answer": "else"}, "answer='else' is none of the options"),
    ({"reasons": REASONS[:2]}, "one reason for each of the 3 options"),
    ({"reasons": "because"}, "one reason for each"),
    ({"reasons": {"the sign": "yes"}}, "one reason for each"),
    ({"options": ["a"]}, "at least two different options"),
    ({"options": ["a", "a", "b"]}, "at least two different options"),
])  # fmt: skip
def test_a_question_that_does_not_fit_together_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=f"01-flat: .*{message}"):
        a_quiz(**changes)


def test_a_little_markdown_becomes_html_and_formulas_stay() -> None:
    assert inline("**b** and *e*, `x < y`, $a * b * c$") == (
        "<strong>b</strong> and <em>e</em>, <code>x &lt; y</code>, $a * b * c$"
    )
    assert plain("**b** and *e*, `x`") == "b and e, x"
    assert inline("2 * 3 * 4 and `a *b* c`") == "2 * 3 * 4 and <code>a *b* c</code>"
