"""Answers of a language model at stages of training: what is kept, and that looking changes nothing."""

from dataclasses import replace

import pytest
import torch

from pgcourse.errors import InvalidInput
from pgcourse.language.config import LanguageConfig
from pgcourse.language.tasks import DIAL, SORTING
from pgcourse.language.training import train
from pgcourse.language.transformer import Transformer
from pgcourse.show.live.transcripts import END_SIGN, Transcripts

CONFIG = LanguageConfig(num_updates=4, num_prompts=2, num_samples=2)


@pytest.fixture
def model() -> Transformer:
    torch.manual_seed(0)
    return Transformer()


def test_it_looks_before_training_and_every_few_updates(model: Transformer) -> None:
    seen = Transcripts(SORTING, model, ["321654>", "000001>"], every=2, samples=3)
    watched = train(CONFIG, model, on_iteration=seen)
    assert [[len(row) for row in stage] for stage in seen.stages] == [[3, 3]] * 3
    alone = train(CONFIG, model)
    assert watched.metrics["losses/entropy"].tolist() == alone.metrics["losses/entropy"].tolist()
    assert seen.answers(model) == seen.stages[0]
    assert seen.stages[0] == Transcripts(SORTING, model, ["321654>", "000001>"]).stages[0]


def test_an_answer_is_its_tokens_their_probabilities_and_a_verdict(model: Transformer) -> None:
    with torch.no_grad():  # always "123456", then END: no token depends on what was before but by its place
        for parameter in model.parameters():
            parameter.zero_()
        for place, token in enumerate([1, 2, 3, 4, 5, 6]):
            model.position.weight[6 + place, token] = 100.0
        model.position.weight[12, 31] = 100.0
        model.head.weight[:32, :32] = 100 * torch.eye(32)
        model.head.weight[-1, 31] = 200.0
        model.norm.weight.fill_(1.0)
    seen = Transcripts(SORTING, model, ["654321>", "111111>"], samples=1)
    ((right,), (wrong,)) = seen.stages[0]
    assert right["tokens"] == [*"123456", END_SIGN]
    assert right["probabilities"] == [1.0] * 7
    assert (right["right"], wrong["right"]) == (True, False)
    assert seen.words(0) == "After 0 updates 1 of 2 answers are right."


def test_the_page_has_a_table_where_no_script_runs(model: Transformer) -> None:
    seen = Transcripts(replace(DIAL), model, ["a 12M   >"], every=1)
    train(replace(CONFIG, task="dial"), model, on_iteration=seen)
    shown = seen.output()
    still = shown["text/html"].partition('<div class="pg-stage"')[0]
    assert still.count("<table") == 2  # before, and at the end
    assert ">a 12M   &gt;</code>" in still
    assert 'aria-label="wrong"' in still
    assert "After 4 updates" in shown["text/plain"]


def test_nothing_to_look_at_is_refused(model: Transformer) -> None:
    with pytest.raises(InvalidInput, match="0 prompts, every=10, samples=3; give at least one prompt"):
        Transcripts(SORTING, model, [])
