"""The same functions on a model of Hugging Face's library: small, random, nothing downloaded. Skipped without `transformers`."""

import numpy as np
import pytest
import torch
from torch import nn

from pgcourse.language.config import LanguageConfig
from pgcourse.language.imitation import demonstrations, fit, imitation_loss
from pgcourse.language.sampling import answer_log_prob, sample
from pgcourse.language.tasks import SORTING
from pgcourse.language.text import END, VOCABULARY_SIZE, encode
from pgcourse.language.training import train

transformers = pytest.importorskip("transformers", reason="needs the extra")


@pytest.fixture(scope="module")
def model() -> nn.Module:
    """A GPT-2 of our size without dropout, which would make the probabilities of an update others than those of sampling."""
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=VOCABULARY_SIZE, n_positions=48, n_embd=32, n_layer=2, n_head=4, resid_pdrop=0.0, embd_pdrop=0.0,
        attn_pdrop=0.0, bos_token_id=END, eos_token_id=END,
    )  # fmt: skip
    network: nn.Module = transformers.GPT2LMHeadModel(config)
    generator = np.random.default_rng(0)
    fit(network, lambda: imitation_loss(network, demonstrations(SORTING, 64, generator)), steps=200, learning_rate=1e-2)
    return network


def test_its_answers_have_the_probabilities_of_an_update(model: nn.Module) -> None:
    torch.manual_seed(0)
    answers = sample(model, encode(SORTING.prompts(30, np.random.default_rng(0))), max_tokens=SORTING.max_tokens)
    torch.testing.assert_close(answers.log_prob, answer_log_prob(model, answers).detach(), atol=1e-4, rtol=1e-3)


def test_it_learns_to_sort(model: nn.Module) -> None:
    result = train(LanguageConfig(num_updates=40, kl_coef=0.001), model)
    success = result.metrics["charts/success"]
    assert 0.01 < success[0] < 0.3
    assert success[-5:].mean() > success[:3].mean() + 0.1
    assert result.metrics["losses/reference_kl"][-1] > 0
