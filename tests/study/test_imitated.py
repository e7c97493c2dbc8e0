"""The stored models after imitation are those of the study."""

import numpy as np
import pytest

from pgcourse.errors import InvalidInput
from pgcourse.language.sampling import sample
from pgcourse.language.tasks import DIAL
from pgcourse.language.text import decode, encode
from pgcourse.optim import seeded
from pgcourse.study.claims import load_claims
from pgcourse.study.imitated import imitated


def test_the_stored_model_is_right_as_often_as_the_study_says() -> None:
    prompts = DIAL.prompts(2000, np.random.default_rng(0))
    with seeded(0):
        answers = decode(sample(imitated("dial"), encode(prompts), max_tokens=DIAL.max_tokens).tokens)
    right = np.mean([DIAL.verify(prompt, answer) for prompt, answer in zip(prompts, answers, strict=True)])
    stored = load_claims("language")["policies"]["dial"]["success"]
    assert abs(right - stored) < 4 * (stored / 2000) ** 0.5 + 0.01, "four standard errors, and the study's own"


def test_a_task_without_a_stored_model_is_refused_in_a_line() -> None:
    with pytest.raises(InvalidInput, match=r"no model is stored for 'sorting', only for dial; use imitation\.imitate"):
        imitated("sorting")
