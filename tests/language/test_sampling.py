"""The transformer, sampling from it, and the probabilities of what was sampled."""

import pytest
import torch
from torch import Tensor, nn

from pgcourse.language.pass_at_k import pass_at_k
from pgcourse.language.sampling import Answers, answer_log_prob, logits_of, sample
from pgcourse.language.transformer import Transformer
from pgcourse.networks import build_network, describe_network

END = 2


class Foreign(nn.Module):
    """The model as a library would have it: no cache of ours, and its logits in an object."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor) -> object:
        return type("Output", (), {"logits": self.model(tokens)})()


def test_what_comes_later_has_no_influence(tiny: Transformer) -> None:
    text = torch.randint(0, 3, (4, 6))
    other = text.clone()
    other[:, 4:] = (other[:, 4:] + 1) % 3
    torch.testing.assert_close(tiny(text)[:, :4], tiny(other)[:, :4])
    assert not torch.allclose(tiny(text)[:, 4:], tiny(other)[:, 4:])


def test_a_token_at_a_time_with_the_cache_gives_the_same(tiny: Transformer) -> None:
    text = torch.randint(0, 3, (4, 6))
    logits, cache = tiny.extend(text[:, :3])
    for t in range(3, 6):
        torch.testing.assert_close(logits[:, -1], tiny(text)[:, t - 1])
        logits, cache = tiny.extend(text[:, t : t + 1], cache)


def test_answers_are_drawn_with_their_probabilities(tiny: Transformer, everything: Answers) -> None:
    torch.manual_seed(0)
    count = 20_000
    drawn = sample(tiny, everything.prompts[:1].expand(count, -1), max_tokens=3, end=END)
    for tokens, log_prob in zip(everything.tokens, everything.log_prob.sum(-1).tolist(), strict=True):
        found = (drawn.tokens == tokens).all(-1).double().mean()
        probability = torch.tensor(log_prob).exp()
        assert abs(found - probability) < 4 * (probability / count).sqrt()
    torch.testing.assert_close(drawn.log_prob.double(), answer_log_prob(tiny, drawn).detach(), atol=1e-6, rtol=1e-6)
    assert (drawn.tokens[~drawn.mask] == END).all()
    assert (drawn.log_prob[~drawn.mask] == 0).all()


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_the_log_probabilities_are_those_of_the_temperature(tiny: Transformer, temperature: float) -> None:
    torch.manual_seed(0)
    drawn = sample(tiny, torch.zeros(200, 2, dtype=torch.int64), max_tokens=3, temperature=temperature, end=END)
    again = answer_log_prob(tiny, drawn, temperature=temperature).detach()
    torch.testing.assert_close(drawn.log_prob.double(), again, atol=1e-6, rtol=1e-6)


def test_greedy_takes_the_most_probable_token_each_time(tiny: Transformer) -> None:
    drawn = sample(tiny, torch.zeros(1, 2, dtype=torch.int64), max_tokens=3, greedy=True, end=END)
    text = drawn.prompts
    for t in range(int(drawn.lengths)):
        assert int(tiny(text)[0, -1].argmax()) == int(drawn.tokens[0, t])
        text = torch.cat([text, drawn.tokens[:, t : t + 1]], dim=1)


def test_a_model_of_another_library_answers_the_same(tiny: Transformer) -> None:
    prompts = torch.zeros(50, 2, dtype=torch.int64)
    found = []
    for model in (tiny, Foreign(tiny)):
        torch.manual_seed(0)
        found.append(sample(model, prompts, max_tokens=3, end=END))
    assert torch.equal(found[0].tokens, found[1].tokens)
    torch.testing.assert_close(answer_log_prob(Foreign(tiny), found[0]), answer_log_prob(tiny, found[0]))
    torch.testing.assert_close(logits_of(Foreign(tiny), prompts), tiny(prompts))


def test_a_description_builds_the_network_again() -> None:
    model = Transformer(width=16, layers=1, values=True)
    description = describe_network(model)
    assert description is not None
    again = build_network(description)
    again.load_state_dict(model.state_dict())
    text = torch.randint(0, 5, (2, 7))
    assert model(text).shape == (2, 7)
    torch.testing.assert_close(again(text), model(text))


@pytest.mark.parametrize(("n", "c", "k"), [(5, 2, 1), (5, 2, 3), (5, 0, 5), (6, 6, 2), (8, 3, 6)])
def test_pass_at_k_counts_the_sets_that_hold_a_right_answer(n: int, c: int, k: int) -> None:
    right = [True] * c + [False] * (n - c)
    sets = torch.combinations(torch.arange(n), k).tolist()
    truth = sum(any(right[i] for i in chosen) for chosen in sets) / len(sets)
    assert float(pass_at_k(c, n, k)) == pytest.approx(truth, abs=1e-12)
    assert pass_at_k([[c, n]], n, k).tolist() == [[pytest.approx(truth), 1.0]]


@pytest.mark.parametrize("k", [0, 6])
def test_pass_at_k_needs_as_many_answers(k: int) -> None:
    with pytest.raises(ValueError, match=f"k={k} with num_answers=5; use 1 <= k <= num_answers"):
        pass_at_k(1, 5, k)
