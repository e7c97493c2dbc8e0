"""A language of three tokens, of which the last ends an answer: its 15 answers of at most three tokens can be enumerated."""

import itertools

import pytest
import torch

from pgcourse.language.sampling import Answers, answer_log_prob
from pgcourse.language.text import answer_mask
from pgcourse.language.transformer import Transformer

END, LENGTH = 2, 3


@pytest.fixture
def tiny() -> Transformer:
    """In float64, with weights that prefer some answers to others."""
    torch.manual_seed(0)
    model = Transformer(width=8, layers=1, heads=2, context=8, vocabulary_size=3).double()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return model


@pytest.fixture
def everything(tiny: Transformer) -> Answers:
    """Every answer to one prompt, with its log-probability."""
    texts = {filled(text) for text in itertools.product(range(3), repeat=LENGTH)}
    tokens = torch.tensor(sorted(texts))
    answers = Answers(torch.zeros(len(tokens), 2, dtype=torch.int64), tokens, answer_mask(tokens, END), torch.zeros(()))
    return answers._replace(log_prob=answer_log_prob(tiny, answers).detach())


def filled(text: tuple[int, ...]) -> tuple[int, ...]:
    """The answer with END behind its first END."""
    length = text.index(END) if END in text else LENGTH
    return text[:length] + (END,) * (LENGTH - length)
