"""Tasks, their verifiers and demonstrations, and text as tokens."""

import numpy as np
import pytest
import torch

from pgcourse.errors import InvalidInput
from pgcourse.language.tasks import DIAL, SORTING, TASKS, TURTLE, Task
from pgcourse.language.text import ALPHABET, END, answer_mask, decode, encode, encode_answers


@pytest.mark.parametrize(
    ("task", "prompt", "right", "wrong"),
    [
        (SORTING, "352941>", ["123459"], ["123495", "12345", "1234599", "", "=123459"]),
        (SORTING, "007070>", ["000077"], ["000777"]),
        # On by 3, mirrored (k is the 11th of 24, as far from a as n from x), on by 2.
        (DIAL, "h 3M2   >", ["=p", "knp=p", "=q=p", "x=p"], ["p", "knp", "=n", "=p ", "knp=", ""]),
        (DIAL, "x 111   >", ["=c", "abc=c"], ["abc=b"]),
        # Forward twice to the north over the edge, then to the right.
        (TURTLE, "c4N FFR   >", ["=c1E", "c5Nc1Nc1E=c1E"], ["=c1N", "c1E", "=c1"]),
        (TURTLE, "a1W FLF   >", ["=e5S", "e1We1Se5S=e5S"], ["=e4S"]),
    ],
)
def test_what_is_right_and_what_is_not(task: Task, prompt: str, right: list[str], wrong: list[str]) -> None:
    assert [answer for answer in right if not task.verify(prompt, answer)] == []
    assert [answer for answer in wrong if task.verify(prompt, answer)] == []


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_demonstrations_fit_and_are_as_good_as_the_task_says(task: Task) -> None:
    generator = np.random.default_rng(0)
    prompts = task.prompts(3000, generator)
    assert {len(prompt) for prompt in prompts} == {len(prompts[0])}
    answers = [task.demonstrate(prompt, generator) for prompt in prompts]
    assert max(map(len, answers)) + 1 <= task.max_tokens
    tokens, mask = encode_answers(answers, task.max_tokens)
    assert decode(tokens) == answers
    assert mask.sum(-1).tolist() == [len(answer) + 1 for answer in answers]
    if task.moves:
        written = np.mean([not answer.startswith("=") for answer in answers])
        assert written == pytest.approx(task.written, abs=0.03)  # three standard errors
        low, high = task.num_steps
        assert {len(prompt[:-1].split()[1]) for prompt in prompts} == set(range(low, high + 1))
    # A perfect teacher is always right; one that slips at every step hardly ever is.
    right = np.mean([task.verify(p, a) for p, a in zip(prompts, answers, strict=True)])
    steps = [len(task.states(prompt)) for prompt in prompts]
    # A slip may lead where the step would have: by chance, or because nothing can be swapped.
    assert right == pytest.approx(np.mean([(1 - task.slips) ** count for count in steps]), abs=0.06)


def test_the_right_demonstration_is_right() -> None:
    generator = np.random.default_rng(1)
    for task in TASKS.values():
        for prompt in task.prompts(50, generator):
            states = task.states(prompt)
            assert task.verify(prompt, f"{''.join(states)}={states[-1]}" if task.moves else states[-1])


def test_prompts_of_a_wanted_length_have_the_form_of_all_others() -> None:
    prompts = DIAL.prompts(20, np.random.default_rng(0), num_steps=(1, 1))
    assert {len(prompt[:-1].split()[1]) for prompt in prompts} == {1}
    assert {len(prompt) for prompt in prompts} == {9}


def test_text_is_tokens_and_back() -> None:
    assert decode(encode([ALPHABET])) == [ALPHABET]
    assert decode(torch.tensor([[END, 1, 2]])) == [""]
    mask = answer_mask(torch.tensor([[1, END, 3], [1, 2, 3], [END, END, END]]))
    assert mask.tolist() == [[True, True, False], [True, True, True], [True, False, False]]


@pytest.mark.parametrize(
    ("texts", "complaint"),
    [(["ab?"], r"no token for '\?'; the alphabet is"), (["ab", "a"], "texts of 1 to 2 characters; fill them up")],
)
def test_text_that_cannot_be_tokens_is_refused_in_a_line(texts: list[str], complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        encode(texts)


def test_an_answer_that_does_not_fit_is_refused() -> None:
    with pytest.raises(InvalidInput, match="an answer of 4 tokens with its END, where 3 fit"):
        encode_answers(["12", "123"], 3)
