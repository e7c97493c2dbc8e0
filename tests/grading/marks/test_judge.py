"""Judging what came back: partial credit, hidden inputs, and which exercises could be forged."""

import builtins
import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from pgcourse.checks.exercise import exercises, get
from pgcourse.checks.observe import observe
from pgcourse.checks.observe.record import Arrays
from pgcourse.checks.sandbox import preserved_state
from pgcourse.grading.marks import judge
from pgcourse.grading.marks.judge import Answers
from pgcourse.grading.quarantine.prepare import Inputs, Prepared, Work, inputs
from pgcourse.grading.quarantine.reading import Reading
from pgcourse.grading.quarantine.running import Collected
from pgcourse.grading.quarantine.submissions import Submission
from tests.checks.answers import right


@pytest.mark.parametrize("id", ["discounted_returns", "standardize", "value_loss", "gae"])
def test_whoever_knows_only_the_examples_earns_nothing(id: str) -> None:
    """A function with a table of the public cases, and an error for everything else."""
    exercise = get(id)
    answers = Answers(exercise, inputs(exercise, 3))
    known = [each[0] for each in answers.expected[: answers.inputs.visible]]
    raised = {"error": np.array(["ValueError", "", "", "", ""])}
    judgement = answers.judge([*known, *[raised] * (len(answers.expected) - len(known))])
    assert (judgement.status, judgement.share) == ("not yet", 0.0)


@pytest.mark.slow
@pytest.mark.parametrize("exercise", exercises(), ids=lambda exercise: exercise.id)
def test_a_right_answer_is_right_for_every_hidden_seed(exercise) -> None:  # type: ignore[no-untyped-def]
    for base in range(3):
        answers = Answers(exercise, inputs(exercise, base))
        for answer in (exercise.reference, *right(exercise.id)):
            with preserved_state():
                seen = [observe(exercise.observe, answer, case) for case in answers.inputs.cases]
            assert all(verdict.ok for verdict in answers.verdicts(seen)), (base, answer)


def test_what_needs_no_input_earns_nothing_by_itself() -> None:
    """Every answer of a PPO update that is a yes for whatever rows: whoever knows the check could write it down."""
    exercise = get("ppo_update")
    answers = Answers(exercise, inputs(exercise, 3))
    assert len(answers.public) > 1
    right = [each[0] for each in answers.expected]
    groups = answers.groups(answers.verdicts(right))
    assert answers.share(answers.verdicts(right), {name: name in answers.public for name in groups}) == 0


def test_part_of_the_hidden_groups_gives_part_of_the_points() -> None:
    exercise = get("discounted_returns")
    answers = Answers(exercise, inputs(exercise, 3))

    def one_dimension_only(rewards: torch.Tensor, *, gamma: float) -> torch.Tensor:
        if rewards.ndim > 1:
            raise IndexError
        return exercise.reference(rewards, gamma=gamma)

    judgement = answers.judge([observe(exercise.observe, one_dimension_only, case) for case in answers.inputs.cases])
    # Two of the three hidden groups; of the seven examples three have two dimensions: 2/3 * (1/2 + 1/4 * 4/7).
    assert judgement.share == pytest.approx(0.4286)
    assert "Part of it is right: 43% of the points." in judgement.message


def test_an_error_of_millions_of_classes_is_none_of_those_expected() -> None:
    exercise = get("value_loss")
    answers = Answers(exercise, inputs(exercise, 3))
    seen = [
        {**each[0], "error.bases": np.zeros((4_000_000, 1))} if "error" in each[0] else each[0]
        for each in answers.expected
    ]
    assert sum("error" in each for each in seen) > 5, "ten of them, gone through one by one, would take a minute"
    assert answers.judge(seen).status == "not yet"


def test_results_of_millions_of_small_numbers_are_compared_with_no_relation() -> None:
    """As float64 they would take 40 MB for each of a dozen inputs, and be held together."""
    exercise = get("discounted_returns")
    answers = Answers(exercise, inputs(exercise, 3))
    large = np.zeros(5_000_000, np.uint8)
    tracemalloc.start()
    judgement = answers.judge([{**each[0], "result": large} for each in answers.expected])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert judgement.status == "not yet" and peak < 50 * 2**20


def test_a_notebook_that_takes_too_long_to_judge_waits_for_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "_judge", lambda *_: judge.Judgement("correct", 1.0, "f: as it is"))
    monkeypatch.setattr(judge, "MOST_SECONDS", -1.0)
    work = Work(Submission("anna", "01_a", "", ()), Prepared({"gae": get("gae")}, {}, (), {}, {}, ()), Reading())
    judged = judge.judge_notebook(work, Collected(), {"gae": Answers.__new__(Answers)})
    assert judged.judgements["gae"].status == "withheld"
    assert "The grader itself failed on this notebook" in judged.look_at[0]


SECRET = "iaehai"
# Texts that some observer writes, whatever the exercise.
TEXTS = (
    "result.kind", "result.dtype", "result/0.kind", "distribution", "log_std kind", "odd inputs", "row error",
    "batch of one error", "entry.kind", "mutated",
)  # fmt: skip


def talking(arrays: Arrays, text: str) -> Iterator[Arrays]:
    """The observation with this text in each place for texts, alone and in a list of two; and as an entry's name."""
    for name in {name for name, array in arrays.items() if array.dtype.kind == "U"}.union(TEXTS):
        for said in (np.array(text), np.array([text]), np.array([[text, text]])):
            yield arrays | {name: said}
    for name in (text, f"result/{text}", f"{text}.kind"):
        yield arrays | {name: np.array(text)}
    yield {"error": np.array([text] * 5)}
    yield {"error": np.array([text] * 5), "error.bases": np.array([text])}


def one_hidden(id: str) -> tuple[Answers, list[Arrays]]:
    """An exercise with its public examples and one hidden input; and what the reference does on them."""
    exercise = get(id)
    answers = Answers(exercise, inputs(exercise, 3))
    until = answers.inputs.visible + 1
    answers.inputs = Inputs(answers.inputs.cases[:until], answers.inputs.groups[:until])
    answers.expected = answers.expected[:until]
    return answers, [observe(exercise.observe, exercise.reference, case) for case in answers.inputs.cases]


QUICK = ("discounted_returns", "bootstrap_interval", "minibatches")


@pytest.mark.parametrize(
    "id", [pytest.param(each.id, marks=() if each.id in QUICK else pytest.mark.slow) for each in exercises()]
)
def test_no_text_that_came_back_is_told_of_a_hidden_input(id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Answers, "recognise", lambda *_: None)
    answers, (*known, hidden) = one_hidden(id)
    for text in (SECRET, f"tensor on {SECRET}", f"tuple of a {SECRET}", f"float32 {SECRET}", f"Categorical {SECRET}"):
        for talk in talking(hidden, text):
            assert SECRET not in answers.judge([*known, talk]).message, talk


def test_names_of_classes_are_told_in_few_sentences() -> None:
    answers, (*known, hidden) = one_hidden("discounted_returns")
    names = [name for name, value in vars(builtins).items() if isinstance(value, type)]
    told = {answers.judge([*known, hidden | {"result.kind": np.array(name)}]).message for name in names}
    assert len(told) < 10 < len(names)


def test_what_honest_students_return_is_told() -> None:
    answers, (*known, hidden) = one_hidden("discounted_returns")

    def told(**changes: str) -> str:
        changed = {name.replace("_", "."): np.array(text) for name, text in changes.items()}
        return answers.judge([*known, hidden | changed]).message

    assert "Your result is a tuple of another kind, expected a torch tensor of shape ...." in told(
        result_kind="tuple of 2"
    )
    assert "Your function returned None" in told(result_kind="NoneType")
    assert "Your result has dtype float64, expected float32." in told(result_dtype="float64")
    changed = answers.judge([*known, hidden | {"mutated": np.array(["rewards", "gamma"])}]).message
    assert "changed its input rewards in place" in changed


def test_an_explanation_measures_nothing() -> None:
    exercise = get("discounted_returns")
    answers = Answers(exercise, inputs(exercise, 3))
    seen = [
        right | {"result": 3.217 * right["result"]} if "result" in right else right for right, *_ in answers.expected
    ]
    judgement = answers.judge(seen)
    assert judgement.misconception == "off-by-a-factor"
    assert "the right ones times ..." in judgement.message
    assert "3.217" not in judgement.message


@pytest.mark.parametrize("status", ["correct", "not yet"])
def test_cells_that_did_not_run_are_named_where_an_answer_is_wrong(
    status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "_judge", lambda *_: judge.Judgement(status, 0.0, "f: as it is"))
    prepared = Prepared({"gae": get("gae")}, {}, (), {}, {}, ())
    work = Work(Submission("anna", "01_a", "", ()), prepared, Reading(left_out=(3, 7)))
    notes = judge.judge_notebook(work, Collected(), {"gae": Answers.__new__(Answers)}).notes
    assert [note for note in notes if "cell 3, cell 7" in note] == [*notes] * (status == "not yet")
    assert len(notes) == (status == "not yet")
