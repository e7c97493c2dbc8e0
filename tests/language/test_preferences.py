"""A reward learnt from preferences: what it reads, that it learns, and that a policy can make it say what is not so."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from pgcourse.language.config import LanguageConfig
from pgcourse.language.imitation import imitate
from pgcourse.language.preferences import Preferences, compare, fit_reward_model, learnt_reward, scores
from pgcourse.language.sampling import Answers, sample
from pgcourse.language.tasks import SORTING
from pgcourse.language.text import END, decode, encode
from pgcourse.language.training import train
from pgcourse.language.transformer import Transformer


def in_place(prompt: str, answer: str) -> float:
    """Share of the digits that stand where they belong."""
    return sum(one == other for one, other in zip(answer, SORTING.states(prompt)[-1], strict=False)) / 6


@pytest.fixture(scope="module")
def base() -> Transformer:
    return imitate(SORTING, steps=120, seed=0)[0]


def qualities(answers: Answers) -> Tensor:
    pairs = zip(decode(answers.prompts), decode(answers.tokens), strict=True)
    return torch.tensor([in_place(prompt, answer) for prompt, answer in pairs])


def test_the_better_answer_is_preferred_as_often_as_the_judge_is_sharp(base: Transformer) -> None:
    torch.manual_seed(0)
    chosen, rejected = compare(SORTING, base, in_place, 2000, np.random.default_rng(0), sharpness=1e6)
    difference = qualities(chosen) - qualities(rejected)
    assert (difference >= 0).all()
    assert (difference > 0).float().mean() > 0.5
    assert torch.equal(chosen.prompts, rejected.prompts)
    blunt = compare(SORTING, base, in_place, 2000, np.random.default_rng(0), sharpness=0.0)
    assert abs((qualities(blunt.chosen) - qualities(blunt.rejected)).sign().mean()) < 0.08  # four standard errors
    judged = compare(SORTING, base, in_place, 2000, np.random.default_rng(0), sharpness=4.0)
    difference = qualities(judged.chosen) - qualities(judged.rejected)
    some = difference.abs() == 1 / 3
    share = (difference[some] > 0).float().mean()
    assert float(share) == pytest.approx(1 / (1 + np.exp(-4 / 3)), abs=0.07)


def test_a_score_is_of_what_is_read_up_to_the_end() -> None:
    torch.manual_seed(0)
    model = Transformer(values=True)
    answers = sample(Transformer(), encode(["123456>"] * 40), max_tokens=8)
    mask = answers.mask
    changed = answers._replace(tokens=torch.where(mask, answers.tokens, 3))
    torch.testing.assert_close(scores(model, answers), scores(model, changed))
    assert not torch.equal(answers.tokens, changed.tokens) or bool(mask.all())
    # One answer by hand, alone and without filling.
    row = int((answers.tokens == END).any(-1).nonzero()[0])
    tokens = torch.cat([answers.prompts[row], answers.tokens[row, : answers.lengths[row]]])
    torch.testing.assert_close(scores(model, answers)[row], model(tokens[None])[0, -1])


def test_a_policy_finds_what_the_learnt_reward_likes_and_its_judge_does_not(base: Transformer) -> None:
    """Over-optimised on purpose: the score goes up, the digits in place go down, and a price on KL keeps both near."""
    torch.manual_seed(0)
    generator = np.random.default_rng(0)
    pool = compare(SORTING, base, in_place, 2000, generator, sharpness=20.0)

    def batch() -> Preferences:
        rows = torch.as_tensor(generator.integers(0, 2000, 64))
        return Preferences(*(Answers(*(column[rows] for column in answers)) for answers in pool))

    model, losses = fit_reward_model(batch, steps=150, seed=0)
    assert np.mean(losses[-20:]) < 0.6 < np.log(2)  # nats a pair
    reward = learnt_reward(model, SORTING)
    true: list[float] = []

    def watched(prompts: Sequence[str], answers: Sequence[str]) -> Tensor:
        true.append(float(np.mean([in_place(p, a) for p, a in zip(prompts, answers, strict=True)])))
        return reward(prompts, answers)

    ends = {}
    for price in (0.0, 0.5):
        true.clear()
        config = LanguageConfig(num_updates=40, kl_coef=price, kl_in="reward")
        result = train(config, base, reward_fn=watched, reference=base)
        proxy = result.metrics["charts/reward"]
        ends[price] = (proxy[-5:].mean() - proxy[:3].mean(), np.mean(true[-5:]) - np.mean(true[:3]))
    assert ends[0.0][0] > 0.3
    assert ends[0.0][1] < -0.1
    assert abs(ends[0.5][1]) < 0.1


def test_the_reward_of_texts_is_that_of_their_tokens(base: Transformer) -> None:
    torch.manual_seed(1)
    model = Transformer(values=True)
    prompts = SORTING.prompts(30, np.random.default_rng(0))
    answers = sample(base, encode(prompts), max_tokens=SORTING.max_tokens)
    ended = (answers.tokens == END).any(-1)  # an answer that was cut has no END for a model to read
    assert ended.sum() > 20
    found = learnt_reward(model, SORTING)(prompts, decode(answers.tokens))
    torch.testing.assert_close(found[ended], scores(model, answers)[ended].detach())
