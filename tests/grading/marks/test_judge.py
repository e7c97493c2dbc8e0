"""Judging what came back: partial credit, hidden inputs, and which exercises could be forged."""

import numpy as np
import pytest
import torch

from pgcourse.checks.exercise import exercises, get
from pgcourse.checks.observe import observe
from pgcourse.checks.sandbox import preserved_state
from pgcourse.grading.marks.judge import Answers
from pgcourse.grading.quarantine.prepare import inputs
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
