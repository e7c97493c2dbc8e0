"""Comparisons are decided by the data: by one rule, in either direction, and no false sentence gets through."""

from typing import Any

import numpy as np
import pytest

from pgcourse.errors import InvalidInput
from pgcourse.statistics import bootstrap_interval
from pgcourse.study import verdicts
from pgcourse.study.prose import fill_placeholders
from pgcourse.study.verdicts import compared, decide

LUCK = np.random.default_rng(0).normal(size=10) * 50  # what a seed is lucky in, in every method


@pytest.fixture(autouse=True)
def claims(monkeypatch: pytest.MonkeyPatch) -> Any:
    own = np.random.default_rng(1).normal(size=(2, 10))

    def entry(numbers: Any, unit: str = "return") -> dict[str, Any]:
        return {"unit": unit, "statistics": [], "per_seed": list(numbers)}

    files = {
        "here": {
            "seeds": list(range(10)),
            "values": {
                "good/end": entry(305 + LUCK + own[0]),
                "bad/end": entry(300 + LUCK + own[1]),
                "good/steps": entry([10.0] * 8 + [None] * 2, "steps"),
                "bad/steps": entry([20.0] * 3 + [None] * 7, "steps"),
                "poor/steps": entry([None] * 10, "steps"),
                "few/end": entry(LUCK[:4]),
            },
        },
        "there": {"seeds": list(range(100, 110)), "values": {"bad/end": entry(300 + LUCK + own[1])}},
    }
    for function in (verdicts.decide, verdicts._per_seed):
        function.cache_clear()
    monkeypatch.setattr(verdicts, "load_claims", files.__getitem__)
    yield files
    for function in (verdicts.decide, verdicts._per_seed):
        function.cache_clear()


def test_pairs_show_a_difference_that_is_lost_between_other_seeds() -> None:
    paired = decide("here:good/end > here:bad/end")
    assert paired.paired and paired.holds and paired.n == 10 and 4 < paired.value < 6
    apart = decide("here:good/end > there:bad/end")
    assert not apart.paired and apart.seen == "~" and apart.low < 0 < apart.high
    assert (paired.high - paired.low) * 10 < apart.high - apart.low


def test_a_paired_interval_is_the_bootstrap_interval_of_the_differences() -> None:
    good, bad = (verdicts._per_seed(f"here:{name}/end")[0] for name in ("good", "bad"))
    decision = decide("here:good/end > here:bad/end")
    assert bootstrap_interval(good - bad) == pytest.approx((decision.low, decision.high))


def test_the_sides_can_be_exchanged() -> None:
    one, other = decide("here:good/end > here:bad/end"), decide("here:bad/end < here:good/end")
    assert one.holds and other.holds and one.value == pytest.approx(-other.value)


def test_numbers_factors_and_sums() -> None:
    assert decide("here:good/end > 200").seen == ">" and decide("here:good/end < 1_000").holds
    assert decide("here:good/end < 2 * here:bad/end").holds
    assert decide("here:good/end - here:bad/end < 10").holds and decide("here:good/end - here:bad/end > 1").holds
    assert not decide("here:good/end > 200").paired


def test_never_is_infinitely_late_and_two_nevers_are_alike() -> None:
    assert decide("here:good/steps < here:bad/steps").holds
    assert decide("here:poor/steps ~ here:poor/steps").holds
    assert decide("here:poor/steps > here:good/steps").value == np.inf
    assert "infinite" in str(decide("here:poor/steps > here:good/steps"))


def test_counts_are_compared_as_shares() -> None:
    decision = decide("here:good/steps/count > here:bad/steps/count")
    assert decision.holds and decision.value == pytest.approx(0.5)
    with pytest.raises(InvalidInput, match="a share with a mean"):
        decide("here:good/steps/count > here:bad/steps")


@pytest.mark.parametrize(("words", "relation", "message"), [
    ("higher", "here:bad/end > here:good/end", "not what the data say"),
    ("no difference seen", "here:bad/end ~ here:good/end", "not what the data say"),
    ("higher", "here:good/end > there:bad/end", "the interval holds 0"),
    ("fewer", "here:good/end > here:bad/end", "says '<' where"),
    ("alike", "here:good/end > here:bad/end", "says '~' where"),
    ("higher", "here:good/end", "cannot read the relation"),
    ("higher", "here:good/end > nonsense", "cannot read 'nonsense'"),
    ("higher", "2 > 1", "compares no figure"),
    ("higher", "here:good/never > here:bad/end", "no numbers by seed"),
    ("better", "here:good/end > here:bad/end, here:bad/end > here:good/end", "not what the data say"),
])  # fmt: skip
def test_what_the_data_do_not_carry_is_refused(words: str, relation: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        compared(words, relation)
    with pytest.raises(InvalidInput, match=message if "here" in relation else "nonsense|compares|never"):
        fill_placeholders(f"It is {{{{{words} | {relation}}}}}.") if ":" in relation else compared(words, relation)


@pytest.mark.parametrize(("more", "seen"), [(3, "~"), (4, ">"), (10, ">"), (0, "~")])
def test_an_interval_of_shares_is_worked_out(more: int, seen: str, claims: Any) -> None:
    """Of 10 seeds, 3 against 0: a resample without any of the 3 has the chance 0.7^10 = 0.028, above 0.025."""
    values = claims["here"]["values"]
    values["some/steps"] = {"unit": "steps", "per_seed": [1.0] * more + [None] * (10 - more)}
    decision = decide("here:some/steps/count > here:poor/steps/count")
    assert decision.seen == seen and decision.value == pytest.approx(more / 10)
    if more == 3:
        assert decision.low == 0 and decision.high == pytest.approx(0.6)


@pytest.mark.parametrize(("text", "shown"), [
    ("One. {{# wording}} Two.", "One. Two."),
    ("One.\n{{# wording}}", "One."),
    ("One.\n{{# wording}}\n\nTwo.", "One.\n\nTwo."),
    ("One.\n\n{{# wording}} Two.", "One.\n\n Two."),
])  # fmt: skip
def test_a_reason_leaves_no_trace(text: str, shown: str) -> None:
    assert fill_placeholders(text) == shown


def test_what_a_difference_is_taken_to_is_said_where_it_is_no_figure_alone() -> None:
    assert str(decide("here:good/end > 200")).startswith("difference to 200: ")
    assert str(decide("here:good/end < 2 * here:bad/end")).startswith("difference to 2 * here:bad/end: ")
    assert str(decide("here:good/end < 2 * here:bad/end - 10")).startswith("difference -2")
    assert "of the seeds" in str(decide("here:good/steps/count > here:bad/steps/count"))


def test_the_reader_sees_the_words_and_the_interval_on_hovering() -> None:
    text = "It is {{higher | here:good/end > here:bad/end}} < 9. Said {{# wording}}"
    shown = fill_placeholders(text)
    assert shown.startswith('It is <abbr title="difference 5')
    assert "10 seeds, paired: the interval leaves out 0" in shown and shown.endswith("higher</abbr> < 9. Said")
    assert fill_placeholders(text, hover=False) == "It is higher < 9. Said"
    assert fill_placeholders(text, escape=lambda part: part.replace("<", "&lt;")).endswith("higher</abbr> &lt; 9. Said")


def test_where_nothing_is_a_difference_is_seen_in_few_of_many_studies() -> None:
    """At ten seeds the bootstrap is a little narrow: about 7 of 100 comparisons of equals show a difference."""
    generator = np.random.default_rng(2)
    seen = 0
    for _ in range(400):
        low, high = bootstrap_interval(generator.normal(size=10), num_resamples=1000, generator=generator)
        seen += low > 0 or high < 0
    assert 0.03 < seen / 400 < 0.11
