"""Which solutions are alike beyond what everybody writes, whatever their names."""

import inspect
import textwrap
from itertools import combinations

import pytest

from pgcourse.checks.exercise import exercises
from pgcourse.grading.marks import similarity
from pgcourse.grading.marks.similarity import PUBLISHED
from tests.checks.answers import recall, right

OBVIOUS = """
def f(rewards, gamma):
    '''Text.'''
    out = torch.empty_like(rewards)
    acc = 0.0
    for t in reversed(range(len(rewards))):
        acc = rewards[t] + gamma * acc
        out[t] = acc
    mean, std = out.mean(), out.std()
    return (out - mean) / (std + 1e-8)
"""
ODD = """
def f(rewards, gamma):
    n = len(rewards)
    powers = gamma ** torch.arange(n)
    total = []
    for start in range(n):
        total.append((powers[: n - start] * rewards[start:]).sum(0))
    both = torch.stack(total)
    return torch.nn.functional.layer_norm(both, both.shape, eps=1e-8)
"""
DISGUISED = (
    ODD.replace("powers", "w")
    .replace("total", "parts")
    .replace("both", "r")
    .replace("    n = ", "    # mine\n    n = ")
)
CLASS = {f"student{number}": OBVIOUS.replace("acc", f"sum{number}") for number in range(10)}


def pairs_of(exercise: str, solutions: dict[str, str], right: list[str] | None = None) -> list[similarity.Pair]:
    forms = {who: similarity.form_of(source) for who, source in solutions.items()}
    return similarity.pairs(exercise, forms, right=right or [])


def named(pairs: list[similarity.Pair]) -> list[tuple[str, str, float]]:
    return [(pair.first, pair.second, pair.similarity) for pair in pairs]


def test_renamed_copies_are_alike_and_other_solutions_are_not() -> None:
    pairs = pairs_of("f", {"anna": ODD, "ben": DISGUISED, "carl": OBVIOUS, "dora": "def f(): pass"})
    assert named(pairs) == [("anna", "ben", 1.0)]


@pytest.mark.parametrize("published", [OBVIOUS, ODD, None])
def test_a_class_that_writes_the_obvious_right_answer_has_no_pairs(published: str | None) -> None:
    solutions = CLASS if published is None else CLASS | {PUBLISHED: published}
    pairs = named(pairs_of("f", solutions, right=list(CLASS)))
    assert pairs == ([(PUBLISHED, who, 1.0) for who in CLASS] if published == OBVIOUS else [])


def test_two_who_share_an_odd_answer_are_the_one_pair_of_their_class() -> None:
    solutions = CLASS | {"anna": ODD, "ben": DISGUISED}
    assert named(pairs_of("f", solutions, right=list(solutions))) == [("anna", "ben", 1.0)]
    alone = {"anna": ODD, "ben": DISGUISED, "carl": OBVIOUS}
    assert named(pairs_of("f", alone, right=list(alone))) == [("anna", "ben", 1.0)], "in a small class too"


def test_two_who_both_changed_one_line_of_the_published_solution_are_no_pair() -> None:
    changed = OBVIOUS.replace("out.mean(), out.std()", "out.mean(dim=0), out.std(dim=0)")
    pairs = pairs_of("f", {"anna": changed, "ben": changed, PUBLISHED: OBVIOUS}, right=["anna", "ben"])
    assert {pair.first for pair in pairs} <= {PUBLISHED}


def test_a_wrong_answer_is_common_to_nobody_else() -> None:
    """Six with the same odd wrong answer: each pair of them is said."""
    solutions = CLASS | {f"wrong{number}": ODD for number in range(6)}
    assert len(pairs_of("f", solutions, right=list(CLASS))) == 15


def test_right_answers_in_different_styles_are_no_pairs() -> None:
    compared = 0
    for exercise in exercises():
        answers = {f.__name__: textwrap.dedent(inspect.getsource(f)) for f in _written(exercise.id)}
        published = textwrap.dedent(inspect.getsource(exercise.reference))
        pairs = pairs_of(exercise.id, answers | {PUBLISHED: published}, right=list(answers))
        assert [pair for pair in named(pairs) if pair[0] != PUBLISHED] == [], exercise.id
        compared += len(list(combinations(answers, 2)))
    assert compared > 600


def _written(id: str) -> list:  # type: ignore[type-arg]
    return [
        f for f in (*right(id), *recall(id, "right_")) if inspect.isfunction(f) and f.__module__.startswith("tests.")
    ]
